"""What the provider says of a training file: its words, where they are known (formats and training reference, section
4), else words of our own."""

from collections.abc import Mapping, Sequence
from typing import Final

from backends.graders import Grader
from backends.stand_in.ledger import JobFault, rows_of
from backends.stand_in.requests import Kind

UNSAFE: Final = "[unsafe on purpose]"
"""What makes the stand-in's moderation refuse a line."""

ROWS_MIN: Final = 10
_SHAPES: Final[Mapping[str, Kind]] = {
    "fine-tune-chat": "supervised", "fine-tune-preference": "dpo", "fine-tune-reinforcement": "reinforcement",
}  # fmt: skip


def fault_in(content: bytes, kind: Kind = "supervised", grader: Grader | None = None) -> JobFault | None:
    """Why a file is refused; None where it is not. `grader`: of a job of reinforcement, whose fields the rows need."""
    try:
        return _fault_of(rows_of(content), kind, grader)
    except ValueError as refused:
        return _unreadable(str(refused))


def _fault_of(rows: Sequence[Mapping[str, object]], kind: Kind, grader: Grader | None) -> JobFault | None:
    if len(rows) < ROWS_MIN:
        said = f"Training file has {len(rows)} example(s), but must have at least {ROWS_MIN} examples"
        return JobFault(code="invalid_n_examples", message=said, param="training_file")
    flagged = [str(number) for number, row in enumerate(rows, start=1) if UNSAFE in str(row)]
    if flagged:
        said = f"The file failed moderation. Flagged lines: {', '.join(flagged)}"
        return JobFault(code="moderation_failed", message=said, param="training_file")
    for number, row in enumerate(rows, start=1):
        shape = _shape(row)
        if shape is None:
            return _unreadable(f"Invalid file format. Example {number} holds no messages")
        if _SHAPES[shape] != kind:
            return _unreadable(
                f"Input file is in the {shape} format, but the specified fine-tuning job is not using "
                f"'{_SHAPES[shape]}' (provided method={kind})"
            )
        lacking = sorted((grader.item_fields if grader else frozenset()) - row.keys())
        if lacking:
            return _unreadable(f"Invalid file format. Example {number} has no {lacking[0]}, which the grader names")
    return None


def _shape(row: Mapping[str, object]) -> str | None:
    """By what stands in it: a pair, or messages whose last one is the user's or an answer."""
    if isinstance(row.get("input"), dict):
        return "fine-tune-preference"
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        return None
    last = messages[-1]
    asks = isinstance(last, dict) and last.get("role") == "user"
    return "fine-tune-reinforcement" if asks else "fine-tune-chat"


def _unreadable(said: str) -> JobFault:
    return JobFault(code="invalid_training_file", message=said, param="training_file")
