"""What was made of a dataset, as evidence says it: runs trained on it, evaluations on its test split, releases."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from sqlmodel import Session, col, select

from engagements.delivery.evidence import (
    Comparison,
    Deployment,
    EvaluationRun,
    Evidence,
    SplitName,
    TrainingRun,
    read_content,
)
from engagements.delivery.gate_models import EvidenceKind, EvidenceRecord
from engagements.phases.data_preparation.versions.models import DatasetVersion
from engagements.phases.data_preparation.versions.reading import splits_of
from engagements.phases.data_preparation.versions.schemas import UseOut

_KINDS: Final = (
    EvidenceKind.TRAINING_RUN, EvidenceKind.EVALUATION_RUN, EvidenceKind.COMPARISON, EvidenceKind.DEPLOYMENT,
)  # fmt: skip
Kind = TypeVar("Kind", bound=Evidence)


class Because(StrEnum):
    TRAINED = "trained on it"
    MEASURED = "measured on its test split"
    SERVES = "serves a model that was trained on it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """`is_serving`: a release with traffic that no later one of its environment has replaced."""

    row: EvidenceRecord
    name: str
    because: Because
    is_serving: bool = False

    @property
    def has_seen(self) -> bool:
        """Whether a model learned from the dataset; an evaluation only read it."""
        return self.because is not Because.MEASURED


def uses_of(session: Session, versions: Sequence[DatasetVersion]) -> Mapping[str, list[Use]]:
    """By version id, in the order in which it was recorded; of versions of one engagement."""
    if not versions:
        return {}
    mine = select(EvidenceRecord).where(
        col(EvidenceRecord.engagement_id) == versions[0].engagement_id, col(EvidenceRecord.kind).in_(_KINDS)
    )
    rows = [(row, read_content(row.content)) for row in session.exec(mine.order_by(col(EvidenceRecord.id)))]
    return {version.id: list(_uses(version, rows)) for version in versions}


def use_out(use: Use) -> UseOut:
    return UseOut(
        evidence_id=use.row.id, kind=use.row.kind.value, name=use.name, because=use.because.value,
        is_serving=use.is_serving, at=use.row.measured_at,
    )  # fmt: skip


def _uses(version: DatasetVersion, rows: Sequence[tuple[EvidenceRecord, Evidence]]) -> Iterator[Use]:
    """A run names the version, or the file of its training split, by digest."""
    digests = {version.sha256} | {split.sha256 for split in splits_of(version)}
    test = {split.sha256 for split in splits_of(version) if split.name is SplitName.TEST}
    trained = [(row, run) for row, run in _of(rows, TrainingRun) if run.dataset_sha256 in digests]
    for row, run in trained:
        yield Use(row=row, name=run.run, because=Because.TRAINED)
    for row, content in rows:
        if isinstance(content, EvaluationRun | Comparison) and content.set_sha256 in test:
            name = content.name if isinstance(content, EvaluationRun) else f"{content.candidate}: {content.metric}"
            yield Use(row=row, name=name, because=Because.MEASURED)
    models = {run.checkpoint.sha256 for _, run in trained if run.checkpoint}
    releases = list(_of(rows, Deployment))
    newest = {made.environment: row.id for row, made in releases}
    for row, made in releases:
        if made.model_sha256 in models:
            serves = newest[made.environment] == row.id and made.traffic > 0
            yield Use(row=row, name=made.environment, because=Because.SERVES, is_serving=serves)


def _of(rows: Iterable[tuple[EvidenceRecord, Evidence]], kind: type[Kind]) -> Iterator[tuple[EvidenceRecord, Kind]]:
    for row, content in rows:
        if isinstance(content, kind):
            yield row, content
