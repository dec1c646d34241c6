"""What all readers of rows share: what they yield, how examples are called, how a turn is written."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from engagements.phases.data_preparation.collecting.findings import finding
from engagements.phases.data_preparation.collecting.rows import Values
from engagements.phases.data_preparation.records import Message, Record
from estimator.errors import Problem

Examples = Iterator[Record | Problem]
"""The examples of a row, with a problem for each that is none. A problem that is a warning drops nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSet:
    """`read` yields the examples of a row with this number, and a problem for each that is none; ids are empty where
    the row gives none."""

    name: str
    detects: Callable[[Values], bool]
    read: Callable[[Values, int], Examples]


class Ids:
    """Names that were given; handed from file to file where several become one set."""

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._last: dict[str, int] = {}

    def unique(self, wanted: str) -> str:
        """The name, with a number behind it where it was given before."""
        name, number = wanted, self._last.get(wanted, 1)
        while name in self._given:
            number += 1
            name = f"{wanted}-{number}"
        if number > 1:
            self._last[wanted] = number
        self._given.add(name)
        return name

    @staticmethod
    def renamed(wanted: str, name: str, number: int) -> Problem:
        what = f"the id {wanted[:80]!r} was there before; this one is called {name[:80]!r}"
        return finding("row.duplicate_id", what, line=number)


def content_id(*taught: object) -> str:
    """A name for an example without one: the same wherever it stands and whatever stands around it."""
    return hashlib.sha256(orjson.dumps(taught, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def user(content: str) -> Message:
    return {"role": "user", "content": content}


def assistant(content: str) -> Message:
    return {"role": "assistant", "content": content}


def rest_of(value: Values, *known: str) -> dict[str, Any]:
    """What the row holds beside these keys."""
    return {key: each for key, each in value.items() if key not in known}
