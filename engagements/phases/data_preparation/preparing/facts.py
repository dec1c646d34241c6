"""What is on record of a dataset, as its datasheet may know it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engagements.phases.data_preparation.records import Provenance, Task

_PERSONAL: Final[Mapping[str, str]] = {
    "personal_data.found": "with personal data",
    "personal_data.kept": "with personal data that was kept",
    "personal_data.secret": "with a key or password",
    "row.sensitive": "with what looks like a key or a card number",
}
"""Codes of `checks` that are about persons or secrets, in words."""


def personal_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Of examples by code of a finding, those about persons or secrets, by their words."""
    return {name: counts[code] for code, name in _PERSONAL.items() if counts.get(code)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFact:
    """One source: `examples` of the dataset are from it; `rows_in` as it came."""

    name: str
    kind: Provenance
    examples: int
    author: str = ""
    licence: str = ""
    generator: str = ""
    consent: str = ""
    rows_in: int | None = None
    kept: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitFact:
    """`labels`: examples of each label, where examples have one."""

    name: str
    examples: int
    sha256: str = ""
    labels: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementFact:
    """How far reviewers agree on `items` that more than one of them saw; the interval is a 95% one."""

    measure: str
    value: float
    items: int
    target: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakageFact:
    """What was found of the test split in the others: counts, and what counts as near."""

    exact: int
    normalised: int
    near: int
    near_rule: str
    ngram: int | None = None
    embedding: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasheetFacts:
    """All that a sheet may know. None: nobody recorded it. `dropped`: rows left out on the way, by reason.

    `purpose`: what it is made for, in a sentence. `parent`: the version before it, "" of the first. `personal_data`: by
    what was found, in how many examples, {} if in none; `personal_data_handling`: what was decided about it.
    `gaps`: what is known to be missing.
    `raw_material`, `test_access`, `erasure`: where the raw files lie, who reads the test split, how a person is erased.
    """

    name: str
    sha256: str
    made_on: str
    task: Task | None = None
    purpose: str | None = None
    made_by: str | None = None
    made_for: str | None = None
    parent: str | None = None
    seed: int | None = None
    rule: str | None = None
    splits: Sequence[SplitFact]
    sources: Sequence[SourceFact] = ()
    languages: Mapping[str, int] | None = None
    languages_sampled: int | None = None
    dropped: Mapping[str, int] | None = None
    exact_duplicates: int | None = None
    near_duplicate_clusters: int | None = None
    leakage: LeakageFact | None = None
    reviewed: int | None = None
    reviewers: int | None = None
    edited: int | None = None
    agreement: AgreementFact | None = None
    personal_data: Mapping[str, int] | None = None
    personal_data_handling: str | None = None
    gaps: Sequence[str] | None = None
    raw_material: str | None = None
    test_access: str | None = None
    erasure: str | None = None
    note: str = ""

    @property
    def examples(self) -> int:
        return sum(split.examples for split in self.splits)
