"""How an experiment ends: one run is chosen among those that gave a model, and all become evidence, so that the gate of
training fills itself."""

from collections.abc import Sequence
from datetime import datetime
from math import isfinite
from typing import Any

from sqlmodel import Session, col, select

from backends.events import Checkpoint, Metrics
from backends.spec import TrainingSpec
from engagements.core import audit
from engagements.core.errors import EngagementError, Invalid
from engagements.core.outbox import EventType, tell
from engagements.core.service import claim
from engagements.delivery import evidence
from engagements.delivery.evidence import ChosenBy, Cost, Curves, EvidenceIn
from engagements.delivery.gate_models import EvidenceKind
from engagements.delivery.recording import record_evidence
from engagements.evals.paired import Paired
from engagements.phases.training.judging.selection import Candidate, Choice, choose
from engagements.phases.training.models import (
    ENDED,
    Experiment,
    ExperimentState,
    ModelVersion,
    RunCheckpoint,
    TrainingProgress,
    TrainingRun,
    TrainingState,
)
from engagements.phases.training.plans.budgeting import SOURCE
from engagements.phases.training.plans.starting import runs_of
from engagements.phases.training.supervising.before_training import base_of
from engagements.phases.training.supervising.finishing import sha256_of
from engagements.phases.training.supervising.hearing import points_of
from engagements.phases.training.supervising.measures import usage_of, valid_losses
from engagements.phases.training.supervising.moving import announce, trainer_actor
from estimator.money import Money
from estimator.phases import Phase


def to_conclude(session: Session) -> Sequence[str]:
    """Ids of experiments under way whose runs have all ended."""
    open_runs = select(TrainingRun.experiment_id).where(col(TrainingRun.state).not_in(ENDED))
    found = select(Experiment.id).where(
        col(Experiment.state) == ExperimentState.RUNNING, col(Experiment.id).not_in(open_runs)
    )
    return session.exec(found.order_by(col(Experiment.id))).all()


def conclude(session: Session, experiment_id: str, organisation_id: str, *, at: datetime) -> bool:
    """Whether it has ended now; what could not be recorded is said, and tried again later.

    Raises what `record_evidence` raises, and nothing is changed then.
    """
    ours = trainer_actor(organisation_id)
    experiment = claim(session, ours, Experiment, experiment_id)
    runs = runs_of(session, experiment.id)
    if experiment.state is not ExperimentState.RUNNING or any(run.state not in ENDED for run in runs):
        return False
    _choose(session, experiment, runs, at=at)
    for run in sorted(runs, key=lambda each: each.id == experiment.chosen_run_id):
        _record(session, experiment, run, at=at)
    experiment.state = ExperimentState.CANCELLED if experiment.cancel_asked else ExperimentState.DONE
    experiment.ended_at, experiment.error = at, ""
    audit.record(session, ours, f"experiment.{experiment.state.value}", experiment, at=at)
    told = {"engagement": experiment.engagement_id, "experiment": experiment.id, "state": experiment.state.value}
    tell(
        session, experiment.organisation_id, EventType.EXPERIMENT_ENDED, told | {"chosen": experiment.chosen_run_id},
        at=at,
    )  # fmt: skip
    announce(session, experiment, f"Experiment “{experiment.name}” has ended: {_said(experiment)}", "done", at=at)
    return True


def note_refusal(
    session: Session, experiment_id: str, error: EngagementError, organisation_id: str, *, at: datetime
) -> None:
    """Why its evidence cannot be recorded now, for whoever looks."""
    experiment = claim(session, trainer_actor(organisation_id), Experiment, experiment_id)
    if experiment.error != error.message:
        experiment.error = error.message[:2000]
        audit.record(session, trainer_actor(organisation_id), "experiment.held_up", experiment, at=at)


def checkpoint_of(row: RunCheckpoint) -> Checkpoint:
    return Checkpoint(id=row.checkpoint_id, step=row.step, model=row.model, sha256=row.sha256)


def choice_json(choice: Choice) -> dict[str, Any]:
    between = choice.interval
    return {
        "reason": choice.reason, "runner_up": choice.runner_up.id if choice.runner_up else None,
        "difference": choice.difference, "low": between.low if between else None,
        "high": between.high if between else None, "p": choice.p, "against_base": _paired_json(choice.against_base),
    }  # fmt: skip


def _paired_json(found: Paired | None) -> dict[str, Any] | None:
    if found is None:
        return None
    between = found.interval
    return {
        "difference": found.difference, "low": between.low, "high": between.high, "p": found.p, "items": found.items,
        "test": found.test.value, "is_shown": found.is_shown,
    }  # fmt: skip


def candidate_of(row: RunCheckpoint, metric: str) -> Candidate:
    """What was measured of a checkpoint on validation."""
    score, metrics = row.score or {}, row.metrics or {}
    loss = metrics.get("full_valid_loss", metrics.get("valid_loss"))
    return Candidate(
        checkpoint=checkpoint_of(row), metric=metric, value=score.get("value"), hits=score.get("per_item"),
        valid_loss=loss,
    )  # fmt: skip


def _choose(session: Session, experiment: Experiment, runs: Sequence[TrainingRun], *, at: datetime) -> None:
    """Among the chosen checkpoints of the runs that gave one."""
    rows = {
        run.id: session.get_one(RunCheckpoint, (run.id, run.checkpoint_id))
        for run in runs if run.state is TrainingState.SUCCEEDED and run.checkpoint_id
    }  # fmt: skip
    if not rows:
        return
    named = {run.id: run for run in runs}
    candidates = {run_id: candidate_of(row, experiment.metric) for run_id, row in rows.items()}
    first = choose(list(candidates.values())).checkpoint
    owner = next(run_id for run_id, each in candidates.items() if each.checkpoint is first)
    # Runs may have begun from several models: what was chosen is compared with its own.
    choice = choose(list(candidates.values()), base=base_of(session, named[owner], experiment.metric))
    experiment.chosen_run_id = owner
    experiment.choice = choice_json(choice) | {
        "reason": f"run {named[owner].number} ({named[owner].name}), {choice.reason}"
    }
    version = session.exec(select(ModelVersion).where(col(ModelVersion.run_id) == owner)).first()
    if version is not None:
        version.is_candidate = True
        audit.record(
            session, trainer_actor(experiment.organisation_id), "model_version.chosen", version, at=at,
            reason=choice.reason[:2000],
        )  # fmt: skip


def _record(session: Session, experiment: Experiment, run: TrainingRun, *, at: datetime) -> None:
    """A run that never began measured nothing, and is no evidence of anything."""
    if run.evidence_id is not None or not run.reference:
        return
    ours = trainer_actor(run.organisation_id)
    content = _content(session, experiment, run)
    told = EvidenceIn(
        external_id=run.id, source=SOURCE, measured_at=run.ended_at or at, content=content, phase=Phase.TRAINING
    )
    try:
        run.evidence_id = record_evidence(session, ours, run.engagement_id, told, at=at).id
    except Invalid as contradicted:
        experiment.error = f"run {run.number} could not be recorded: {contradicted.message}"[:2000]
        return
    audit.record(session, ours, "training_run.evidence_recorded", run, at=at)


def _content(session: Session, experiment: Experiment, run: TrainingRun) -> evidence.TrainingRun:
    progress = session.get_one(TrainingProgress, run.id)
    spec, usage = TrainingSpec.model_validate(run.spec), progress.usage
    points = points_of(session, run.id)
    epochs = progress.latest.get("epoch") or spec.hyperparameters.epochs or run.prediction.get("epochs") or 1
    cost = None
    if run.spent_minor is not None:
        cost = Cost(amount=Money(run.spent_minor, experiment.currency).amount, currency=experiment.currency)
    return evidence.TrainingRun(
        kind=EvidenceKind.TRAINING_RUN, run=f"{run.name} ({run.id})"[:200], base_model=run.model[:200],
        config_sha256=run.digest, dataset_sha256=experiment.dataset_sha256, seed=spec.seed, epochs=epochs, cost=cost,
        trained_tokens=usage_of(usage).counted_tokens,
        checkpoint=_chosen(session, experiment, run), curves=_curves(points), record_sha256=run.record_sha256,
    )  # fmt: skip


def _chosen(session: Session, experiment: Experiment, run: TrainingRun) -> evidence.Checkpoint | None:
    """Only of the run that was chosen: it is the candidate."""
    if run.id != experiment.chosen_run_id or run.checkpoint_id is None:
        return None
    row = session.get_one(RunCheckpoint, (run.id, run.checkpoint_id))
    metric, value, by = _measured(candidate_of(row, experiment.metric))
    return evidence.Checkpoint(
        name=f"{run.name}/{row.step}"[:200], sha256=sha256_of(row), chosen_by=by, step=row.step, metric=metric,
        value=value,
    )  # fmt: skip


def _measured(found: Candidate) -> tuple[str, float, ChosenBy]:
    """By what it was chosen; where validation measured nothing, it is the last there was."""
    if found.value is not None:
        return found.metric, found.value, ChosenBy.VALIDATION
    if found.valid_loss is not None:
        return "validation loss", found.valid_loss, ChosenBy.VALIDATION
    return "step", float(found.checkpoint.step), ChosenBy.LAST


def _curves(points: Sequence[Metrics]) -> Curves | None:
    """None where a loss of training or of validation is missing."""
    valid = valid_losses(points)
    train = [each for each in points if each.train_loss is not None and isfinite(each.train_loss)]
    if not valid or not train:
        return None
    best, best_step = min(valid)
    steps = max(each.step for each in points)
    return Curves(
        steps=max(1, steps), best_step=best_step, training_last=train[-1].train_loss or 0.0, validation_best=best,
        validation_last=valid[-1][0],
    )  # fmt: skip


def _said(experiment: Experiment) -> str:
    return f"{experiment.choice['reason'][:150]}" if experiment.choice else "no run gave a model"
