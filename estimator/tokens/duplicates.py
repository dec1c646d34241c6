"""Rows that repeat an earlier row, and rows that answer the same question differently; 20 bytes a row.

Three hashes per row are kept: of the example without case, blanks and final punctuation (64 bits), of its prompt
alone (64 bits, for answers that look like labels), and of the example as written (32 bits, to tell a true copy from a
near one). Hashes are Python's own keyed ones: two different examples meet by chance less than once in a million files
of two million rows.
"""

import itertools
import re
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from estimator.errors import Problem
from estimator.tokens.findings import finding
from estimator.tokens.normal import normal_form

# 40 MB of hashes; lines beyond are counted and checked, and not compared.
MAX_LINES: Final = 2_000_000

_MASK_64: Final = 2**64 - 1
_MASK_32: Final = 2**32 - 1
_SLICES: Final = 16
_CHUNK: Final = 65_536
_LABEL: Final = re.compile(r"[\w /&|#+.:-]{1,60}")
_WORDS_OF_A_LABEL: Final = 5


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Hashes of one row; `prompt` is 0 where the answer is no label, so that free texts may differ as they like."""

    example: int
    prompt: int
    exact: int


class _Turn(NamedTuple):
    role: str
    text: str


def fingerprint(row: Mapping[str, object]) -> Fingerprint:
    """Of a chat row. Keys nobody reads and weights do not count, declared tools do."""
    messages = row.get("messages")
    turns = [_turn(message) for message in messages] if isinstance(messages, list) else []
    declared = hash(orjson.dumps(tools)) if (tools := row.get("tools") or row.get("functions")) else 0
    normal = [(turn.role, normal_form(turn.text)) for turn in turns]
    prompt = hash((declared, *normal[:-1])) if _is_labelled(turns) else 0
    return Fingerprint(hash((declared, *normal)), prompt, hash((declared, *turns)))


def _is_labelled(turns: list[_Turn]) -> bool:
    """Whether the row ends in a label for something a user said."""
    roles = [turn.role for turn in turns[-2:]]
    return roles == ["user", "assistant"] and is_label(turns[-1].text)


def is_label(answer: str) -> bool:
    """A short answer on one line, in the way of a class name. Of longer ones, many may be right for one question."""
    return _LABEL.fullmatch(answer) is not None and len(answer.split()) <= _WORDS_OF_A_LABEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A line that repeats the line `first`, to the letter or nearly."""

    line: int
    first: int
    is_exact: bool


class RowIndex:
    """The fingerprints of a file by line; `problems` compares them once all are there."""

    def __init__(self) -> None:
        self._example, self._prompt, self._exact = array("Q"), array("Q"), array("I")
        self.lines_left_out = 0

    def add(self, line: int, row: Fingerprint) -> None:
        """Lines come in rising order, counted from 1; those left out compare equal to nothing."""
        if line > MAX_LINES:
            self.lines_left_out += 1
            return
        gap = line - 1 - len(self._example)
        if gap:
            self._example.extend((0,) * gap)
            self._prompt.extend((0,) * gap)
            self._exact.extend((0,) * gap)
        self._example.append(row.example & _MASK_64 or 1)
        self._prompt.append(row.prompt & _MASK_64)
        self._exact.append(row.exact & _MASK_32)

    def repeats(self) -> Iterator[Repeat]:
        """Every row that is an earlier one over again, case, blanks and final punctuation aside."""
        example = np.frombuffer(self._example, np.uint64) if self._example else np.zeros(0, np.uint64)
        for line, first in _repeats(example):
            yield Repeat(line=line, first=first, is_exact=self._exact[line - 1] == self._exact[first - 1])

    def problems(self) -> Iterator[Problem]:
        if not self._example:
            return
        for repeat in self.repeats():
            code = "row.duplicate_of" if repeat.is_exact else "row.near_duplicate_of"
            what = "the same example as" if repeat.is_exact else "nearly the same example as"
            yield finding(code, f"{what} line {repeat.first}", line=repeat.line)
        for line, first in _repeats(np.frombuffer(self._prompt, np.uint64)):
            if self._example[line - 1] != self._example[first - 1]:
                yield finding("row.label_conflict", f"another answer than line {first} to the same question", line=line)
        if self.lines_left_out:
            message = f"only the first {MAX_LINES:,} lines were compared with each other"
            yield finding("duplicates_not_compared", message)


class _Repeat(NamedTuple):
    line: int
    first: int


def _repeats(keys: NDArray[np.uint64]) -> Iterator[_Repeat]:
    """Every line whose key, 0 apart, stood before, with the first such line; in bounded memory beside the keys."""
    repeated = _repeated_keys(keys)
    if not len(repeated):
        return
    first = np.zeros(len(repeated), np.uint32)
    for start in range(0, len(keys), _CHUNK):
        chunk = keys[start : start + _CHUNK]
        slots = np.minimum(np.searchsorted(repeated, chunk), len(repeated) - 1)
        for offset in np.flatnonzero(repeated[slots] == chunk):
            line, slot = start + int(offset) + 1, slots[offset]
            if first[slot]:
                yield _Repeat(line, int(first[slot]))
            else:
                first[slot] = line


def _repeated_keys(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The keys that occur more than once, 0 apart, in rising order; sorted slice by slice to stay small."""
    bounds = [(_MASK_64 // _SLICES + 1) * step for step in range(_SLICES)] + [_MASK_64]
    found = []
    for low, high in itertools.pairwise(bounds):
        part = keys[(keys > np.uint64(low)) & (keys <= np.uint64(high))]
        part.sort()
        same = part[1:] == part[:-1]
        starts = same.copy()
        starts[1:] &= ~same[:-1]
        found.append(part[:-1][starts])
    return np.concatenate(found)


def _turn(message: object) -> _Turn:
    """Role and text of a message; where there is more than text (parts, calls), the message as JSON."""
    if not isinstance(message, dict):
        return _Turn("", "")
    role, content = str(message.get("role")), message.get("content")
    if isinstance(content, str) and not message.get("tool_calls") and not message.get("function_call"):
        return _Turn(role, content)
    return _Turn(role, orjson.dumps(message).decode())
