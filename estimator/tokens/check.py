"""The check of one chat row: its structure, then its texts. Used line by line here and by whoever prepares data."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from estimator.errors import Problem
from estimator.tokens.answers import echo, refusal, truncated_answer
from estimator.tokens.findings import finding
from estimator.tokens.hygiene import bidi_control, formula_cell, long_input, markup, special_token, zero_width
from estimator.tokens.injection import prompt_injection
from estimator.tokens.mojibake import mojibake
from estimator.tokens.sensitive import sensitive
from estimator.tokens.structure import structure_problems

Check = Callable[[str], str | None]

# Every check is a function of one text and says what it found, or nothing.
ANY_TEXT: Final[dict[str, Check]] = {
    "row.special_token": special_token,
    "row.sensitive": sensitive,
    "row.markup": markup,
    "row.formula_cell": formula_cell,
}
NOT_ASCII: Final[dict[str, Check]] = {
    "row.mojibake": mojibake,
    "row.zero_width": zero_width,
    "row.bidi_control": bidi_control,
}
INPUTS: Final[dict[str, Check]] = {"row.prompt_injection": prompt_injection, "row.long_input": long_input}
ANSWERS: Final[dict[str, Check]] = {"row.refusal": refusal, "row.truncated_answer": truncated_answer}

_OF_INPUTS: Final = ANY_TEXT | INPUTS
_BY_ROLE: Final = {"system": ANY_TEXT, "assistant": ANY_TEXT | ANSWERS}


def check_row(row: Mapping[str, object]) -> list[Problem]:
    """Everything to say about one chat row on its own; every code at most once, at its first place.

    Never raises, whatever the row holds. Duplicates and label conflicts need the other rows: `count_dataset`.
    """
    found: dict[str, Problem] = {}
    for problem in (*structure_problems(row), *content_problems(row)):
        found.setdefault(problem.code, problem)
    return list(found.values())


def content_problems(row: Mapping[str, object]) -> Iterator[Problem]:
    """The text checks over every message, and the answer held against the question."""
    messages = row.get("messages")
    question = ""
    for index, message in enumerate(messages if isinstance(messages, list) else []):
        role = message.get("role") if isinstance(message, dict) else None
        checks = _BY_ROLE.get(str(role), _OF_INPUTS)
        for text in _texts(message):
            for code, check in (checks if text.isascii() else checks | NOT_ASCII).items():
                if what := check(text):
                    yield finding(code, what, where=f"messages[{index}]")
            if role == "assistant":
                if what := echo(question, text):
                    yield finding("row.echo", what, where=f"messages[{index}]")
            elif role != "system":
                question = text


def _texts(message: object) -> list[str]:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    return [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
