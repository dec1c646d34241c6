"""What the pages of review show: conversations as people read them, edits word by word, and words for states."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson

from engagements.evals.agreement import Reading
from engagements.phases.data_preparation.records import Message, Record, record_of, text_of
from engagements.phases.data_preparation.review.correcting import plain_answer
from engagements.phases.data_preparation.review.rules import Decision, ItemState

DIMENSION_LABELS: Final[Mapping[str, str]] = {
    "accuracy": "Accuracy",
    "consistency": "Consistency",
    "completeness": "Completeness",
    "format": "Format",
    "edge_case": "Edge case",
}
DIMENSION_HINTS: Final[Mapping[str, str]] = {
    "accuracy": "True, and nothing made up",
    "consistency": "As the guideline and its neighbours have it",
    "completeness": "All that was asked for",
    "format": "In the form that is agreed",
    "edge_case": "Shows a rare case well",
}
ABOUT: Final[Mapping[str, str]] = {**DIMENSION_LABELS, "label": "Label", "decision": "Accept or reject"}
READINGS: Final[Mapping[Reading, tuple[str, str]]] = {
    Reading.DEPENDABLE: ("good", "Dependable"),
    Reading.TENTATIVE: ("warn", "Tentative"),
    Reading.UNRELIABLE: ("bad", "Unreliable"),
    Reading.NO_VARIATION: ("quiet", "No variation"),
    Reading.UNMEASURED: ("quiet", "Unmeasured"),
}
DECISIONS: Final[Mapping[Decision, tuple[str, str]]] = {
    Decision.ACCEPT: ("good", "Accepted"),
    Decision.REJECT: ("bad", "Rejected"),
    Decision.SKIP: ("quiet", "Skipped"),
}
STATES: Final[Mapping[ItemState, tuple[str, str]]] = {
    ItemState.OPEN: ("quiet", "Open"),
    ItemState.SETTLED: ("good", "Settled"),
    ItemState.DISPUTED: ("warn", "Waits for a decision"),
    ItemState.ADJUDICATED: ("accent", "Decided"),
}
_ROLES: Final = {"system": "System", "developer": "Developer", "user": "User", "assistant": "Assistant", "tool": "Tool"}
_WORDS: Final = re.compile(r"\s+|\w+|[^\w\s]")
_WORDS_MAX: Final = 4_000
"""Past it a text is compared by lines: matching words takes time with the square of their number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message. `calls`: each tool call as name and arguments."""

    role: str
    label: str
    text: str
    calls: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An example to read. `answer`: what can be corrected as plain text; None where the answer is more than text."""

    messages: Sequence[Said]
    tools: str
    label: str | None
    target: str
    rejected: str
    answer: str | None
    whole: str


class Change(StrEnum):
    SAME = "same"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    change: Change
    text: str


def shown(row: Mapping[str, Any]) -> Shown:
    record = record_of(row)
    return Shown(
        messages=[_said(each) for each in record.messages],
        tools=_pretty(list(record.tools)) if record.tools else "",
        label=record.label,
        target=_pretty(record.target) if record.target is not None else "",
        rejected=text_of(record.rejected) if record.rejected is not None else "",
        answer=plain_answer(record),
        whole=_pretty(row),
    )


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Piece]:
    """How the text of a record was changed, in the order in which it is read."""
    return list(compared(_as_text(record_of(before)), _as_text(record_of(after))))


def compared(before: str, after: str) -> Iterator[Piece]:
    """Word by word; long texts line by line. What is not `NEW` is `before`, what is not `GONE` is `after`."""
    first, second = _words(before), _words(after)
    if max(len(first), len(second)) > _WORDS_MAX:
        first, second = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for kind, low, high, start, stop in difflib.SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Piece(change=Change.SAME, text="".join(first[low:high]))
            continue
        if high > low:
            yield Piece(change=Change.GONE, text="".join(first[low:high]))
        if stop > start:
            yield Piece(change=Change.NEW, text="".join(second[start:stop]))


def _words(text: str) -> list[str]:
    return _WORDS.findall(text)


def _as_text(record: Record) -> str:
    parts = [f"{_said(each).label}: {_said(each).text}" + "".join(_said(each).calls) for each in record.messages]
    parts += [f"Label: {record.label}"] if record.label is not None else []
    parts += [f"Target: {_pretty(record.target)}"] if record.target is not None else []
    return "\n".join(parts)


def _said(message: Message) -> Said:
    role = str(message.get("role", ""))
    calls = message.get("tool_calls")
    return Said(
        role=role if role in _ROLES else "other",
        label=_ROLES.get(role, role or "Nobody"),
        text=text_of(message),
        calls=[_call(each) for each in calls] if isinstance(calls, list) else (),
    )


def _call(call: object) -> str:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return _pretty(call)
    return f"{function.get('name', '?')}({function.get('arguments', '')})"


def _pretty(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
