"""Keys beside what a record knows that only a few records of a set have: a misspelt column, a note left behind."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from engagements.phases.data_preparation.checks.findings import found
from engagements.phases.data_preparation.checks.tallying import SetFinding
from engagements.phases.data_preparation.records import Record

_RECORDS_MIN: Final = 20
_SHARE_MAX: Final = 0.05
_PLACES_KEPT: Final = 1_000
_KEYS_KEPT: Final = 10_000


class RareKeys:
    """Takes records in their order and remembers where each key of `meta` stands, as long as it stands rarely."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._places: dict[str, list[int]] = {}
        self._records = 0

    def add(self, record: Record) -> None:
        self._records += 1
        for key in record.meta:
            if key in self._counts or len(self._counts) < _KEYS_KEPT:
                self._counts[key] += 1
                if self._counts[key] <= _PLACES_KEPT:
                    self._places.setdefault(key, []).append(self._records)

    def found(self) -> Iterator[SetFinding]:
        """Where a key stands that at most one record in twenty has."""
        for key, places in self._places.items() if self._records >= _RECORDS_MIN else ():
            count = self._counts[key]
            if count <= _SHARE_MAX * self._records:
                said = f"the key {key[:40]!r} stands in {count:,} of {self._records:,} examples"
                yield from (SetFinding(number=number, finding=found("set.rare_key", said)) for number in places)
