"""What people do with experiments and runs: cancel, pause, resume, try again, let go first. Each is a wish that the
supervisor carries out, for only it speaks with backends."""

from datetime import datetime
from typing import Final

from sqlmodel import Session, col, func, select

from backends.spec import TrainingSpec
from engagements.core import audit
from engagements.core.errors import Conflict
from engagements.core.roles import Actor
from engagements.core.service import claim
from engagements.db.columns import new_id
from engagements.delivery.under_way import claim_in_active
from engagements.phases.training.models import (
    AT_WORK,
    ENDED,
    Experiment,
    ExperimentState,
    TrainingProgress,
    TrainingRun,
    TrainingState,
    Wish,
)
from engagements.phases.training.plans.budgeting import (
    BudgetExceeded,
    Caps,
    asked_again,
    left_of_the_agreed,
    overruns,
    taken,
)
from engagements.phases.training.plans.planning import named
from engagements.phases.training.plans.shrinking import OUT_OF_MEMORY, planned_smaller
from engagements.phases.training.plans.starting import ExperimentStateRefused, let_wait, runs_of
from engagements.phases.training.schemas import ExperimentPatch
from engagements.phases.training.supervising.parts import Parts

_RETRIED: Final = frozenset({TrainingState.FAILED, TrainingState.CANCELLED, TrainingState.PROVIDER_LOST})


class RunTerminal(Conflict):
    """It has ended already."""

    code = "job_terminal"


class RunStateRefused(Conflict):
    """A step that the run's state does not allow."""

    code = "run_active"


class PauseNotOffered(Conflict):
    """Its backend cannot set a run aside."""

    code = "not_offered"


def change(
    session: Session, actor: Actor, experiment_id: str, data: ExperimentPatch, *, version: int, at: datetime
) -> Experiment:
    """Its name, and what goes first. Raises `VersionMismatch`."""
    experiment = claim(session, actor, Experiment, experiment_id, version)
    experiment.sqlmodel_update(data.model_dump(exclude_unset=True))
    audit.record(session, actor, "experiment.changed", experiment, at=at)
    return experiment


def cancel_experiment(session: Session, actor: Actor, experiment_id: str, *, at: datetime) -> Experiment:
    """What was planned only is cancelled at once; runs under way end when their backends say so."""
    experiment = claim(session, actor, Experiment, experiment_id)
    match experiment.state:
        case ExperimentState.PLANNED:
            experiment.state, experiment.ended_at = ExperimentState.CANCELLED, at
            audit.record(session, actor, "experiment.cancelled", experiment, at=at)
            for run in runs_of(session, experiment.id):
                run.state, run.ended_at = TrainingState.CANCELLED, at
                audit.record(session, actor, "training_run.cancelled", run, at=at)
        case ExperimentState.RUNNING:
            experiment.cancel_asked = True
            audit.record(session, actor, "experiment.cancel_asked", experiment, at=at)
            for run in runs_of(session, experiment.id):
                if run.state not in ENDED:
                    _wish(session, actor, run, Wish.CANCEL, at=at)
        case _:
            raise RunTerminal(f"this experiment is {experiment.state.value}", remedy="nothing is left to cancel")
    return experiment


def cancel(session: Session, actor: Actor, run_id: str, *, at: datetime) -> TrainingRun:
    """Raises `RunTerminal`, and `RunStateRefused` for a run that was never started."""
    run = claim(session, actor, TrainingRun, run_id)
    _refuse_ended(run)
    if run.state is TrainingState.PLANNED:
        raise RunStateRefused("this run was not started", remedy="cancel its experiment, or start it")
    if run.wish is not Wish.CANCEL:
        _wish(session, actor, run, Wish.CANCEL, at=at)
    return run


def pause(session: Session, actor: Actor, run_id: str, *, parts: Parts, at: datetime) -> TrainingRun:
    """One that waits is set aside at once. Raises `PauseNotOffered` and `RunStateRefused`."""
    run = claim(session, actor, TrainingRun, run_id)
    _refuse_ended(run)
    if run.state not in AT_WORK | {TrainingState.WAITING}:
        raise RunStateRefused(f"this run is {run.state.value}", remedy="only one that waits or works is paused")
    if run.state in AT_WORK and not parts.trainers.named(run.backend).capabilities.pausable:
        raise PauseNotOffered(f"{run.backend} cannot pause a run", remedy="let it go on, or cancel it")
    _wish(session, actor, run, Wish.PAUSE, at=at)
    return run


def resume(session: Session, actor: Actor, run_id: str, *, at: datetime) -> TrainingRun:
    """A paused run goes on; one that its backend had lost is asked for once more. Raises `RunStateRefused`."""
    run = claim(session, actor, TrainingRun, run_id)
    _refuse_ended(run)
    match run.state:
        case TrainingState.PAUSED:
            _wish(session, actor, run, Wish.RESUME, at=at)
        case TrainingState.PROVIDER_LOST:
            run.state, run.failure = TrainingState.RUNNING if run.reference else TrainingState.SUBMIT_UNKNOWN, None
            _wish(session, actor, run, Wish.NONE, at=at)
        case _:
            raise RunStateRefused(f"this run is {run.state.value}", remedy="only one that is paused or lost is resumed")
    return run


def retry(session: Session, actor: Actor, run_id: str, *, parts: Parts, at: datetime) -> TrainingRun:
    """The same run once more, under a name of its own: the first stays as it ended. One that ran out of memory is
    made smaller, where the estimator knows how.

    Raises `RunStateRefused`, `ExperimentStateRefused`, `BudgetExceeded` and `NotUnderWay`.
    """
    before = claim_in_active(session, actor, TrainingRun, run_id)
    if before.state not in _RETRIED:
        raise RunStateRefused(f"this run is {before.state.value}", remedy="only one that led nowhere is tried again")
    experiment = claim(session, actor, Experiment, before.experiment_id)
    _reopen(session, actor, experiment, at=at)
    _require_budget(session, experiment, before, parts)
    if before.state is TrainingState.PROVIDER_LOST:
        _wish(session, actor, before, Wish.CANCEL, at=at)
    run = _again(session, actor, experiment, before, at=at)
    let_wait(session, actor, run, at=at)
    return run


def _again(session: Session, actor: Actor, experiment: Experiment, before: TrainingRun, *, at: datetime) -> TrainingRun:
    last = session.exec(
        select(func.max(TrainingRun.number)).where(col(TrainingRun.experiment_id) == experiment.id)
    ).one()
    new = new_id(TrainingRun.PREFIX)
    spec = named(_mended(before), new, experiment.id)
    run = TrainingRun(
        id=new, organisation_id=before.organisation_id, engagement_id=before.engagement_id, client_id=before.client_id,
        experiment_id=experiment.id, number=(last or 0) + 1, name=before.name, why=before.why, backend=before.backend,
        model=before.model, spec=spec.model_dump(mode="json", by_alias=True), digest=spec.digest,
        is_curated=before.is_curated, attempt=before.attempt + 1, retry_of=before.id, prediction=before.prediction,
        reserved_minor=before.reserved_minor, created_at=at,
    )  # fmt: skip
    session.add(run)
    audit.record(session, actor, "training_run.planned", run, at=at)
    session.flush()
    session.add(TrainingProgress(run_id=run.id))
    session.flush()
    return run


def _mended(before: TrainingRun) -> TrainingSpec:
    """As it was; one that ran out of memory in the largest setting that is predicted to fit."""
    spec = TrainingSpec.model_validate(before.spec)
    short = before.failure is not None and before.failure["code"] == OUT_OF_MEMORY
    found = planned_smaller(before.prediction) if short else None
    return spec.model_copy(update={"hyperparameters": found.of(spec.hyperparameters)}) if found else spec


def _reopen(session: Session, actor: Actor, experiment: Experiment, *, at: datetime) -> None:
    """An experiment that gave no model may go on; of one that has, the choice stands."""
    if experiment.state is ExperimentState.RUNNING and not experiment.cancel_asked:
        return
    if experiment.state is ExperimentState.PLANNED or experiment.chosen_run_id is not None:
        message = f"this experiment is {experiment.state.value}"
        raise ExperimentStateRefused(message, remedy="plan another experiment")
    experiment.state, experiment.cancel_asked, experiment.ended_at = ExperimentState.RUNNING, False, None
    audit.record(session, actor, "experiment.reopened", experiment, at=at)


def _require_budget(session: Session, experiment: Experiment, before: TrainingRun, parts: Parts) -> None:
    """Room for one run more, beside what the others cost or hold back."""
    others = sum(taken(run) for run in runs_of(session, experiment.id))
    left = left_of_the_agreed(session, experiment.engagement_id, currency=experiment.currency)
    caps = Caps(
        minor=None if experiment.cap_minor is None else experiment.cap_minor - others, tokens=experiment.cap_tokens,
        hours=experiment.cap_hours, accepts_unknown=bool(experiment.matrix.get("accept_unknown_cost")),
        left_minor=left, currency=experiment.currency,
    )  # fmt: skip
    is_local = not parts.trainers.said(before.backend).provider
    if found := list(overruns(caps, [asked_again(before, is_local=is_local)])):
        raise BudgetExceeded("; ".join(map(str, found)), problems=found)


def _wish(session: Session, actor: Actor, run: TrainingRun, wish: Wish, *, at: datetime) -> None:
    run.wish = wish
    audit.record(session, actor, f"training_run.{wish.value}_asked", run, at=at)
    session.get_one(TrainingProgress, run.id).next_due_at = at


def _refuse_ended(run: TrainingRun) -> None:
    if run.state in ENDED:
        raise RunTerminal(f"this run has ended: {run.state.value}", remedy="nothing is left to do about it")
