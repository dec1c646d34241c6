"""What comes of preparing: the records on the disk, how they are divided, and the account of every row."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final, Self

from engagements.phases.data_preparation.checks.report import CheckReport
from engagements.phases.data_preparation.deduplication.exact import Repeat
from engagements.phases.data_preparation.preparing.options import PrepareOptions
from engagements.phases.data_preparation.preparing.spool import Spool
from engagements.phases.data_preparation.records import Task
from engagements.phases.data_preparation.splitting.dividing import Division
from engagements.phases.data_preparation.splitting.material import Material
from engagements.phases.data_preparation.splitting.policy import Split
from estimator.errors import Problem

LISTED_MAX: Final = 100
"""Problems of one code that are listed, and pairs of one kind; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAccount:
    """One file: what was read of it. rows_in = kept + all dropped."""

    name: str
    sha256: str
    size_bytes: int
    format: str
    encoding: str
    mapping: Mapping[str, Any]
    task: Task | None
    rows_in: int
    kept: int
    dropped: Mapping[str, int]


@dataclass(kw_only=True)
class Listing:
    """Problems as they are met: all counted by code, the first hundred of each kept."""

    counts: Counter[str] = field(default_factory=Counter)
    listed: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        self.counts[problem.code] += 1
        if self.counts[problem.code] <= LISTED_MAX:
            self.listed.append(problem)


@dataclass(kw_only=True)
class Prepared:
    """What came of the files. It holds the records on the disk until it is closed; rows are those that were kept.

    `duplicate_of`: pairs of ids, the row that was left out first. `conflicts`: pairs of ids with the same question and
    different labels, both kept.
    """

    options: PrepareOptions
    sources: Sequence[SourceAccount]
    material: Material
    division: Division
    check: CheckReport
    problems: Listing
    rows_in: int
    dropped: Mapping[str, int]
    repeats: Mapping[Repeat, int]
    duplicates: Sequence[tuple[str, str]]
    conflicts: Sequence[tuple[str, str]]
    origins: Mapping[tuple[str, ...], int]
    lines: Spool
    held: ExitStack

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.held.close()

    def lines_of(self, split: Split) -> Iterator[bytes]:
        """The records of a split as lines of JSON Lines, in the order in which they came."""
        return (self.lines[row] for row in self.division.rows_of(split).tolist())

    @property
    def task(self) -> Task | None:
        return self.options.task or next((each.task for each in self.sources if each.task), None)

    @property
    def digest(self) -> str:
        """Of the content of every record with its split, and of the policy; of no name, path or day."""
        digest = hashlib.sha256(repr(self.options.split.as_json()).encode())
        for content, side in zip(self.material.contents, self.division.split.tolist(), strict=True):
            digest.update(f"{content} {side}\n".encode())
        return digest.hexdigest()
