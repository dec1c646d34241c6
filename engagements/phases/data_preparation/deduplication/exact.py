"""Rows that teach the same twice, and rows that answer the same question differently.

Removed as a duplicate is a row with the same question and the same answer as an earlier one, as written or after
`estimator.tokens.normal.folded`: case, blanks, punctuation, Unicode form and look-alike letters aside. A row with the
same question and another answer is never removed.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from engagements.phases.data_preparation.records import Record, text_of
from estimator.tokens.duplicates import is_label
from estimator.tokens.normal import folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """64-bit digests of a record; two records of a million meet by chance less than once in ten million sets.

    `written`: of all it teaches, as written. `example`: the same, folded. `question`: of all but the answer, folded.
    `has_label`: its answer is a class or an object, of which only one can be right.
    """

    written: int
    example: int
    question: int
    has_label: bool


class Repeat(StrEnum):
    """What a row repeats of an earlier one. `CONFLICT`: the question, with another label."""

    IDENTICAL = "identical"
    NORMALISED = "normalised"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """`first`: the number of the earlier row."""

    kind: Repeat
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a record is compared by. `text`: its folded question, which near duplicates are looked for in; all that is
    said where nobody asks anything."""

    fingerprint: Fingerprint
    text: str
    content_sha256: str


def compared(record: Record) -> Compared:
    """Reads and folds every message once."""
    turns = [(str(message.get("role")), folded(text_of(message)), _beside_text(message)) for message in record.messages]
    answer = turns.pop() if turns and turns[-1][0] == "assistant" else ("", "", "")
    question = _digest((*map("\1".join, turns), _tools(record)))
    content = record.content_sha256
    fingerprint = Fingerprint(
        written=int(content[:16], 16), question=question, example=_digest((str(question), _learnt(record, answer))),
        has_label=record.label is not None or record.target is not None or is_label(record.answer),
    )  # fmt: skip
    asked = " ".join(text for role, text, _ in turns if role == "user" and text)
    text = asked or " ".join(text for _, text, _ in (*turns, answer) if text)
    return Compared(fingerprint=fingerprint, text=text, content_sha256=content)


class ExactIndex:
    """Takes the fingerprints of rows in their order."""

    def __init__(self) -> None:
        self._examples: dict[int, int] = {}
        self._questions: dict[int, int] = {}
        self._written: dict[int, int] = {}

    def add(self, row: int, fingerprint: Fingerprint) -> Repeated | None:
        """What the row repeats; None for a row that is new. Identical and normalised repeats are not kept."""
        first = self._examples.setdefault(fingerprint.example, row)
        if first != row:
            same = self._written.get(fingerprint.written)
            if same is not None:
                return Repeated(kind=Repeat.IDENTICAL, first=same)
            return Repeated(kind=Repeat.NORMALISED, first=first)
        self._written[fingerprint.written] = row
        asked = self._questions.setdefault(fingerprint.question, row)
        return Repeated(kind=Repeat.CONFLICT, first=asked) if asked != row and fingerprint.has_label else None


def _beside_text(message: Mapping[str, Any]) -> str:
    """What of a message is not text: calls, images; as JSON, for there is nothing in it to fold."""
    content = message.get("content")
    parts = [part for part in content if part.get("type") != "text"] if isinstance(content, list) else None
    odd = [each for each in (message.get("tool_calls"), message.get("function_call"), parts) if each]
    return orjson.dumps(odd, option=orjson.OPT_SORT_KEYS).decode() if odd else ""


def _learnt(record: Record, answer: tuple[str, str, str]) -> str:
    """The answer with the label, the object, and the answer that is liked less."""
    label = folded(record.label) if record.label is not None else ""
    rest = [folded_values(record.target), record.rejected, record.desirable]
    odd = orjson.dumps(rest, option=orjson.OPT_SORT_KEYS).decode() if rest != [None] * len(rest) else ""
    return "\0".join((*answer, label, odd))


def folded_values(value: Any) -> Any:
    """A JSON value with its texts folded, not its keys: what is taken from "my KARDEX card" is written as there."""
    match value:
        case str(text):
            return folded(text)
        case Mapping():
            return {key: folded_values(each) for key, each in value.items()}
        case list() | tuple():
            return [folded_values(each) for each in value]
        case _:
            return value


def _tools(record: Record) -> str:
    if not record.tools:
        return ""
    return orjson.dumps([dict(each) for each in record.tools], option=orjson.OPT_SORT_KEYS).decode()


def _digest(parts: tuple[str, ...]) -> int:
    joined = "\0\0".join(parts).encode(errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(joined, digest_size=8).digest(), "big")
