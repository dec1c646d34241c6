"""Are equal inputs answered alike? By hashes of what was asked and what was answered, 20 bytes a record."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import orjson
from numpy.typing import NDArray

from engagements.phases.data_preparation.deduplication.exact import folded_values
from engagements.phases.data_preparation.records import Message, Record, text_of
from estimator.tokens.duplicates import is_label
from estimator.tokens.normal import folded

_MASK: Final = 2**64 - 1
_NONE: Final = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Records, by their numbers, whose inputs are the same (or in one cluster) and whose labels or answers differ.

    `labels` is empty where free texts differ, of which several may be right.
    """

    numbers: tuple[int, ...]
    labels: tuple[str, ...]


class AnswerIndex:
    """Takes the records in their order; numbers count from 1."""

    def __init__(self) -> None:
        self._asked, self._said, self._label = array("Q"), array("Q"), array("I")
        self._labels, self._names = dict[str, int](), list[str]()

    def add(self, record: Record, turns: Sequence[tuple[str, str]], question: int | None = None) -> None:
        """`turns` are role and text of each message; `question`: a digest of all but the answer, folded, if known."""
        before = turns[:-1]
        label = record.label if record.label is not None else _label_in(turns)
        is_asked = any(role == "user" for role, _ in before) and turns[-1][0] == "assistant"
        self._asked.append((_asked(record, before) if question is None else question) & _MASK if is_asked else 0)
        self._said.append(0 if label is not None or not is_asked else _said(record, turns[-1][1]) & _MASK)
        self._label.append(_NONE if label is None else self._number_of(label))

    def _number_of(self, label: str) -> int:
        if label not in self._labels:
            self._labels[label] = len(self._names)
            self._names.append(label)
        return self._labels[label]

    def numbers_with(self, label: str) -> list[int]:
        """The records with this label."""
        number = self._labels.get(label)
        return [place for place, each in enumerate(self._label, 1) if each == number]

    def conflicts(self) -> Iterator[Conflict]:
        """Groups of records with the same input and different labels or answers, in the order of their first."""
        yield from self._among(np.frombuffer(self._asked, np.uint64) if self._asked else np.zeros(0, np.uint64))

    def near_conflicts(self, clusters: Sequence[int]) -> Iterator[Conflict]:
        """Records of one cluster whose labels differ, less those whose inputs are the same. Free texts may differ.

        `clusters` gives a number for each record; a record with a number of its own is in no cluster.
        """
        exact = {conflict.numbers for conflict in self.conflicts()}
        for conflict in self._among(np.asarray(clusters, dtype=np.int64).astype(np.uint64) + np.uint64(1)):
            if conflict.labels and conflict.numbers not in exact:
                yield conflict

    def _among(self, keys: NDArray[np.uint64]) -> Iterator[Conflict]:
        if not len(keys):
            return
        order = np.argsort(keys, kind="stable")
        ranked = keys[order]
        starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
        ends = np.r_[starts[1:], len(ranked)]
        groups = [
            order[start:end] for start, end in zip(starts, ends, strict=True) if end - start > 1 and ranked[start]
        ]
        for group in sorted(groups, key=lambda group: int(group[0])):
            if conflict := self._conflict([int(index) for index in group]):
                yield conflict

    def _conflict(self, group: Sequence[int]) -> Conflict | None:
        numbers = tuple(index + 1 for index in group)
        labels = {self._label[index] for index in group} - {_NONE}
        if len(labels) > 1:
            return Conflict(numbers=numbers, labels=tuple(sorted(map(self._names.__getitem__, labels))))
        if not labels and len({self._said[index] for index in group}) > 1:
            return Conflict(numbers=numbers, labels=())
        return None


def _asked(record: Record, before: Sequence[tuple[str, str]]) -> int:
    asked = tuple(_folded_prompt(text) if role == "system" else folded(text) for role, text in before)
    return hash((bool(record.tools), asked))


def _label_in(turns: Sequence[tuple[str, str]]) -> str | None:
    """A short answer right after a question, in the way of a class name."""
    if [role for role, _ in turns[-2:]] == ["user", "assistant"] and is_label(turns[-1][1]):
        return turns[-1][1]
    return None


def _said(record: Record, answer: str) -> int:
    if record.target is not None:
        return hash(orjson.dumps(folded_values(record.target), option=orjson.OPT_SORT_KEYS))
    return hash(folded(answer))


_folded_prompt = lru_cache(maxsize=64)(folded)
"""System prompts return row after row."""


def turns_of(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Role and text of each message; calls count as text."""
    return [_turn(message) for message in messages if isinstance(message, dict)]


def _turn(message: Message) -> tuple[str, str]:
    text = text_of(message)
    if calls := message.get("tool_calls"):
        text += orjson.dumps(calls, default=str).decode()
    return str(message.get("role")), text
