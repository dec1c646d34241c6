"""Successive halving: runs that have come as far as a rung are compared there, and those behind are stopped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Final

from sqlmodel import Session, col, select

from engagements.core import audit
from engagements.core.service import claim
from engagements.phases.training.models import (
    AT_WORK,
    ENDED,
    Experiment,
    ExperimentState,
    Strategy,
    TrainingProgress,
    TrainingRun,
    TrainingState,
    Wish,
)
from engagements.phases.training.plans.matrix import Rung, rungs, survivors
from engagements.phases.training.plans.starting import runs_of
from engagements.phases.training.supervising.hearing import points_of
from engagements.phases.training.supervising.measures import valid_losses
from engagements.phases.training.supervising.moving import trainer_actor
from engagements.phases.training.supervising.parts import Parts

_BEYOND: Final = frozenset({TrainingState.FINALIZING, TrainingState.SCORING, TrainingState.SUCCEEDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A run at a rung. `share`: of its steps; `loss`: the last of validation before the rung, None: not measured."""

    run: TrainingRun
    share: float
    loss: float | None


def look(parts: Parts, run_id: str) -> None:
    """Whether the experiment of this run has come to a decision; two who look take it once."""
    with parts.store.read() as session:
        run = session.get_one(TrainingRun, run_id)
        experiment = session.get_one(Experiment, run.experiment_id)
        if experiment.strategy is not Strategy.SUCCESSIVE_HALVING or not _next(session, experiment):
            return
        experiment_id, organisation_id = experiment.id, experiment.organisation_id
    with parts.store.write() as session:
        experiment = claim(session, trainer_actor(organisation_id), Experiment, experiment_id)
        rung = _next(session, experiment)
        if rung is None or experiment.state is not ExperimentState.RUNNING:
            return
        standing = [_standing(session, run, rung) for run in runs_of(session, experiment.id) if _counts(run)]
        if all(has_come(each, rung) for each in standing):
            _decide(session, experiment, rung, standing, at=parts.clock.now())
        else:
            _hold_back(session, standing, rung, parts)


def has_come(each: Standing, rung: Rung) -> bool:
    """Far enough to be compared: with a loss at the rung, or beyond it, or at its end."""
    if each.run.state in ENDED | _BEYOND:
        return True
    return each.share >= rung.share and each.loss is not None


def _next(session: Session, experiment: Experiment) -> Rung | None:
    begun = [run for run in runs_of(session, experiment.id) if run.retry_of is None]
    ladder = [rung for rung in rungs(len(begun)) if rung.share < 1]
    return ladder[experiment.rung] if experiment.rung < len(ladder) else None


def _counts(run: TrainingRun) -> bool:
    """Whether it is still in the race: what was stopped or failed is not."""
    return run.state not in {TrainingState.FAILED, TrainingState.CANCELLED} and run.wish is not Wish.CANCEL


def _standing(session: Session, run: TrainingRun, rung: Rung) -> Standing:
    progress = session.get_one(TrainingProgress, run.id)
    if not progress.total_steps:
        return Standing(run=run, share=0.0, loss=None)
    until = rung.share * progress.total_steps
    losses = valid_losses(points_of(session, run.id))
    at_the_rung = [loss for loss, step in losses if step <= until] or [loss for loss, _ in losses[:1]]
    loss = at_the_rung[-1] if at_the_rung and isfinite(at_the_rung[-1]) else None
    return Standing(run=run, share=progress.step / progress.total_steps, loss=loss)


def _decide(
    session: Session, experiment: Experiment, rung: Rung, standing: Sequence[Standing], *, at: datetime
) -> None:
    ours = trainer_actor(experiment.organisation_id)
    kept = survivors({each.run.id: each.loss for each in standing}, rung.keep)
    for each in standing:
        if each.run.id in kept:
            _let_go_on(session, each.run, at=at)
        elif each.run.state not in ENDED | _BEYOND:
            said = f"behind at {rung.share:.0%} of its steps: {len(kept)} of {len(standing)} go on"
            _wish(session, each.run, Wish.CANCEL, said, at=at)
    told = {
        "share": rung.share, "at": at.isoformat(), "losses": {each.run.id: each.loss for each in standing},
        "kept": list(kept),
    }  # fmt: skip
    experiment.rung, experiment.decisions = experiment.rung + 1, [*experiment.decisions, told]
    audit.record(session, ours, "experiment.halved", experiment, at=at)


def _hold_back(session: Session, standing: Sequence[Standing], rung: Rung, parts: Parts) -> None:
    """Who is there early waits for the others, where its backend can pause: its place is theirs meanwhile."""
    at = parts.clock.now()
    for each in standing:
        if each.run.state not in AT_WORK or each.run.wish is not Wish.NONE or not has_come(each, rung):
            continue
        if parts.trainers.named(each.run.backend).capabilities.pausable:
            session.get_one(TrainingProgress, each.run.id).held_back = True
            _wish(session, each.run, Wish.PAUSE, "", at=at)


def _let_go_on(session: Session, run: TrainingRun, *, at: datetime) -> None:
    progress = session.get_one(TrainingProgress, run.id)
    if progress.held_back:
        progress.held_back = False
        _wish(session, run, Wish.RESUME, "", at=at)


def _wish(session: Session, run: TrainingRun, wish: Wish, because: str, *, at: datetime) -> None:
    run.wish, run.stopped_because = wish, because[:200]
    audit.record(
        session, trainer_actor(run.organisation_id), f"training_run.{wish.value}_asked", run, at=at, reason=because
    )
    progress = session.exec(
        select(TrainingProgress).where(col(TrainingProgress.run_id) == run.id).with_for_update()
    ).one()
    progress.next_due_at = at
