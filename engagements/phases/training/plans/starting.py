"""Beginning a planned experiment. From here on money is spent, up to the cap."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from backends.errors import DataAltered
from backends.spec import DataFile, TrainingSpec
from engagements.core import audit
from engagements.core.errors import Conflict
from engagements.core.roles import Actor
from engagements.core.service import find
from engagements.delivery.evidence import SplitName
from engagements.delivery.models import CURRENT
from engagements.delivery.opening import phases_of
from engagements.delivery.recording import PhaseNotBegun
from engagements.delivery.under_way import claim_in_active
from engagements.phases.data_preparation.versions.models import DatasetVersion
from engagements.phases.training.models import Experiment, ExperimentState, TrainingProgress, TrainingRun, TrainingState
from engagements.phases.training.plans.budgeting import BudgetExceeded, Caps, asked_again, left_of_the_agreed, overruns
from engagements.phases.training.plans.exporting import DigestMismatch, Source, ensure, source_of
from engagements.phases.training.supervising.parts import Parts
from estimator.phases import Phase


class ExperimentStateRefused(Conflict):
    """A step that the experiment's state does not allow."""

    code = "run_active"


def check_data(session: Session, actor: Actor, experiment_id: str, parts: Parts) -> None:
    """That every file of every run is the one that was planned with; files are read, so before the transaction.

    Raises `DigestMismatch`, `BlobDamaged` and `VersionIncomplete`.
    """
    experiment = find(session, actor, Experiment, experiment_id)
    for run in runs_of(session, experiment.id):
        for file, source in files_of(session, experiment, run):
            try:
                ensure(parts.storage, file, source, parts.folder)
            except DataAltered as error:
                remedy = "plan the experiment anew: it takes the data as they are sealed"
                raise DigestMismatch(str(error), remedy=remedy) from error


def start(session: Session, actor: Actor, experiment_id: str, *, parts: Parts, at: datetime) -> Experiment:
    """All its runs wait for their backends. Raises `ExperimentStateRefused`, `PhaseNotBegun`, `BudgetExceeded`,
    `NotConfigured` and `NotUnderWay`."""
    experiment = claim_in_active(session, actor, Experiment, experiment_id)
    if experiment.state is not ExperimentState.PLANNED:
        raise ExperimentStateRefused(f"this experiment is {experiment.state.value}", remedy="plan another")
    _require_begun(session, experiment.engagement_id)
    runs = runs_of(session, experiment.id)
    for run in runs:
        parts.trainers.named(run.backend)
    _require_budget(session, experiment, runs, parts)
    experiment.state, experiment.started_at = ExperimentState.RUNNING, at
    audit.record(session, actor, "experiment.started", experiment, at=at)
    for run in runs:
        let_wait(session, actor, run, at=at)
    return experiment


def let_wait(session: Session, actor: Actor, run: TrainingRun, *, at: datetime) -> None:
    run.state = TrainingState.WAITING
    audit.record(session, actor, "training_run.waiting", run, at=at)
    session.get_one(TrainingProgress, run.id).next_due_at = at


def runs_of(session: Session, experiment_id: str) -> Sequence[TrainingRun]:
    """In the order of the matrix."""
    mine = select(TrainingRun).where(col(TrainingRun.experiment_id) == experiment_id)
    return session.exec(mine.order_by(col(TrainingRun.number))).all()


def files_of(session: Session, experiment: Experiment, run: TrainingRun) -> list[tuple[DataFile, Source]]:
    """The files that a run reads, and what each is made of. Raises `VersionIncomplete` and `NoSuchSplit`."""
    version = session.get_one(DatasetVersion, experiment.dataset_version_id)
    spec = TrainingSpec.model_validate(run.spec)
    only = frozenset(experiment.curated or ()) if run.is_curated else None
    files = [(spec.train, source_of(version, SplitName.TRAIN, only=only))]
    if spec.validation is not None:
        files.append((spec.validation, source_of(version, SplitName.VALIDATION)))
    return files


def _require_begun(session: Session, engagement_id: str) -> None:
    """What is trained before its phase would be evidence of none."""
    current = next((row.phase for row in phases_of(session, engagement_id) if row.state in CURRENT), None)
    if current is None or current.number < Phase.TRAINING.number:
        said = current.label.lower() if current else "no phase"
        raise PhaseNotBegun(f"training has not begun: {said} is current", remedy="pass the gate before it first")


def _require_budget(session: Session, experiment: Experiment, runs: Sequence[TrainingRun], parts: Parts) -> None:
    left = left_of_the_agreed(session, experiment.engagement_id, currency=experiment.currency, but=experiment.id)
    caps = Caps(
        minor=experiment.cap_minor, tokens=experiment.cap_tokens, hours=experiment.cap_hours,
        accepts_unknown=bool(experiment.matrix.get("accept_unknown_cost")), left_minor=left,
        currency=experiment.currency,
    )  # fmt: skip
    local = {run.backend: not parts.trainers.said(run.backend).provider for run in runs}
    found = list(overruns(caps, [asked_again(run, is_local=local[run.backend]) for run in runs]))
    if found:
        raise BudgetExceeded("; ".join(map(str, found)), problems=found)
