"""What a check found in a set, as facts for a page, a terminal and JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from engagements.phases.data_preparation.checks.balance import LabelBalance
from engagements.phases.data_preparation.checks.consistency import Conflict
from engagements.phases.data_preparation.checks.coverage import CategoryCoverage
from engagements.phases.data_preparation.checks.findings import CheckGroup
from engagements.phases.data_preparation.checks.fix_first import Fix
from engagements.phases.data_preparation.checks.heat_map import HeatMap
from engagements.phases.data_preparation.checks.vocabulary import VocabularyCoverage
from engagements.phases.data_preparation.checks.volume import Volume
from estimator.errors import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a finding stands: the number of the record in the set from 1, its id, its row in the source if known."""

    number: int
    id: str
    row: int | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCount:
    """Examples with one code, the first of them listed."""

    code: str
    group: CheckGroup
    severity: Severity
    examples: int
    remedy: str
    first: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Characters of the inputs."""

    median: float
    p90: float
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Of the examples: mean, the tenth part that is worst, and how many in each ten points (0-9, ..., 90-99, 100)."""

    mean: float | None
    p10: int | None
    by_ten: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """`counts`: examples by code. `usable`: examples without an error. `notes` say what was left out, and why."""

    records: int
    usable: int
    counts: Mapping[str, int]
    findings: tuple[CodeCount, ...]
    scores: Scores
    fix_first: tuple[Fix, ...]
    heat_map: HeatMap
    balance: LabelBalance | None
    conflicts: tuple[Conflict, ...]
    conflicts_found: int
    vocabulary: VocabularyCoverage
    coverage: tuple[CategoryCoverage, ...]
    volume: Volume
    lengths: Lengths | None
    languages: Mapping[str, int]
    languages_sampled: int
    licences: Mapping[str, int]
    sources: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def errors(self) -> int:
        return self.records - self.usable

    def to_json(self) -> dict[str, Any]:
        """As plain data; keys are the names of the fields."""
        plain: dict[str, Any] = orjson.loads(orjson.dumps(self))
        return plain
