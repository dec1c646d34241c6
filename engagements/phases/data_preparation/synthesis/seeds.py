"""Which examples of the pool may be shown to a larger model: accepted, real, and nothing that is sealed or near it.

The texts of sealed test splits are compared with here and leave this module as yes or no, never as text.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlmodel import Session, col, func, select

from engagements.delivery.evidence import SplitName
from engagements.phases.data_preparation.models import DataSource, Example, ExampleEdit, ExampleState
from engagements.phases.data_preparation.records import Provenance, Record, record_of
from engagements.phases.data_preparation.synthesis.likeness import near
from engagements.phases.data_preparation.versions.models import DatasetVersion, VersionMember

_LIVING = (ExampleState.ACCEPTED, ExampleState.PENDING)
_PER_CATEGORY_MAX = 60


def counts_of(session: Session, engagement_id: str) -> dict[str, int]:
    """Accepted and pending examples by label; those without a label under an empty one."""
    chosen = (
        select(Example.label, func.count())
        .where(col(Example.engagement_id) == engagement_id, col(Example.state).in_(_LIVING))
        .group_by(col(Example.label))
    )
    return {label or "": count for label, count in session.exec(chosen)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How many examples there are, and how many of them a model wrote: of all that may count, and of those accepted."""

    examples: int
    generated: int
    accepted: int
    accepted_generated: int


def shares_of(session: Session, engagement_id: str) -> Shares:
    chosen = (
        select(Example.state, DataSource.kind, func.count())
        .join(DataSource, col(DataSource.id) == col(Example.source_id))
        .where(col(Example.engagement_id) == engagement_id, col(Example.state).in_(_LIVING))
        .group_by(col(Example.state), col(DataSource.kind))
    )
    counts = [
        (state is ExampleState.ACCEPTED, kind is Provenance.SYNTHETIC, n) for state, kind, n in session.exec(chosen)
    ]
    return Shares(
        examples=sum(n for _, _, n in counts), generated=sum(n for _, made, n in counts if made),
        accepted=sum(n for accepted, _, n in counts if accepted),
        accepted_generated=sum(n for accepted, made, n in counts if accepted and made),
    )  # fmt: skip


def seeds_by_category(
    session: Session, engagement_id: str, categories: Iterable[str], *, chance: int
) -> dict[str, list[str]]:
    """Ids of usable seeds, some dozens of each category, drawn by `chance` where there are more."""
    drawing = np.random.default_rng(chance)
    sealed = sealed_ids(session, engagement_id)
    drawn = {name: _drawn(session, engagement_id, name, sealed, drawing) for name in categories}
    ids = [example_id for names in drawn.values() for example_id in names]
    usable = set(usable_seeds(records_of(session, ids), sealed_texts(session, engagement_id)))
    return {name: [each for each in names if each in usable] for name, names in drawn.items()}


def usable_seeds(records: Mapping[str, Record], sealed: Sequence[str]) -> list[str]:
    """The ids of those that are no copy of a sealed text, nor near one."""
    ids = list(records)
    copies = near([records[each].question for each in ids], sealed)
    return [each for each, is_copy in zip(ids, copies, strict=True) if not is_copy]


def still_usable(session: Session, engagement_id: str, example_ids: Sequence[str]) -> dict[str, Record]:
    """Of these, what may be shown now: something may have been sealed, rejected or erased since they were drawn."""
    sealed = sealed_ids(session, engagement_id)
    found = {name: record for name, record in records_of(session, example_ids).items() if name not in sealed}
    usable = set(usable_seeds(found, sealed_texts(session, engagement_id)))
    return {name: record for name, record in found.items() if name in usable}


def records_of(session: Session, example_ids: Sequence[str]) -> dict[str, Record]:
    """The accepted, real ones of these."""
    chosen = (
        select(Example.id, Example.payload)
        .join(DataSource, col(DataSource.id) == col(Example.source_id))
        .where(col(Example.id).in_(sorted(set(example_ids))), *_REAL)
    )
    return {example_id: record_of(json.loads(payload)) for example_id, payload in session.exec(chosen)}


def sealed_ids(session: Session, engagement_id: str) -> set[str]:
    """Examples of any test split of any version."""
    chosen = (
        select(VersionMember.example_id)
        .join(DatasetVersion, col(DatasetVersion.id) == col(VersionMember.version_id))
        .where(col(DatasetVersion.engagement_id) == engagement_id, col(VersionMember.split) == SplitName.TEST)
    )
    return set(session.exec(chosen))


def sealed_texts(session: Session, engagement_id: str) -> list[str]:
    """What those examples ask, as they read now and as they read before any edit."""
    ids = (
        select(VersionMember.example_id)
        .join(DatasetVersion, col(DatasetVersion.id) == col(VersionMember.version_id))
        .where(col(DatasetVersion.engagement_id) == engagement_id, col(VersionMember.split) == SplitName.TEST)
    )
    now = session.exec(select(Example.payload).where(col(Example.id).in_(ids)))
    edits = session.exec(select(ExampleEdit.before, ExampleEdit.after).where(col(ExampleEdit.example_id).in_(ids)))
    payloads = [*now, *(text for pair in edits for text in pair)]
    return sorted({record_of(json.loads(payload)).question for payload in payloads})


_REAL = (col(Example.state) == ExampleState.ACCEPTED, col(DataSource.kind) != Provenance.SYNTHETIC)


def _drawn(
    session: Session, engagement_id: str, category: str, sealed: set[str], drawing: np.random.Generator
) -> list[str]:
    of_category = col(Example.label) == category if category else col(Example.label).is_(None)
    chosen = (
        select(Example.id)
        .join(DataSource, col(DataSource.id) == col(Example.source_id))
        .where(col(Example.engagement_id) == engagement_id, of_category, *_REAL)
        .order_by(col(Example.id))
    )
    ids = [each for each in session.exec(chosen) if each not in sealed]
    return [ids[place] for place in drawing.permutation(len(ids))[:_PER_CATEGORY_MAX]]
