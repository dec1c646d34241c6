"""Whether what runs use has reached a cap: looked at while they work, for a prediction is not a promise."""

from typing import Final

from sqlmodel import Session, col, select

from backends.spec import TrainingSpec
from engagements.phases.training.models import Experiment, TrainingProgress, TrainingRun
from engagements.phases.training.plans.pricing import charged
from engagements.phases.training.supervising.measures import usage_of
from engagements.phases.training.supervising.parts import Parts

_HOUR_S: Final = 3600


def reached(session: Session, experiment: Experiment, parts: Parts) -> str:
    """Which cap of an experiment is used up, with its numbers; empty while none is."""
    rows = session.exec(
        select(TrainingRun, TrainingProgress)
        .join(TrainingProgress, col(TrainingProgress.run_id) == col(TrainingRun.id))
        .where(col(TrainingRun.experiment_id) == experiment.id)
    ).all()
    tokens = sum(progress.usage.get("billed_tokens", 0) for _, progress in rows)
    if experiment.cap_tokens is not None and tokens > experiment.cap_tokens:
        return f"the cap of {experiment.cap_tokens:,} tokens is used up: {tokens:,} were billed"
    hours = sum(progress.usage.get("seconds", 0.0) / _HOUR_S for run, progress in rows if _is_ours(run, parts))
    if experiment.cap_hours is not None and hours > experiment.cap_hours:
        return f"the cap of {experiment.cap_hours:g} hours is used up: {hours:.2f} were used"
    if experiment.cap_minor is None:
        return ""
    spent = sum(_spent_minor(session, run, progress, parts, experiment.currency) for run, progress in rows)
    return f"the cap in money is used up: {spent} of {experiment.cap_minor}" if spent > experiment.cap_minor else ""


def _is_ours(run: TrainingRun, parts: Parts) -> bool:
    said = parts.trainers.by_name.get(run.backend)
    return said is not None and not said.provider


def _spent_minor(session: Session, run: TrainingRun, progress: TrainingProgress, parts: Parts, currency: str) -> int:
    """What it cost, or has cost so far; a cost that nobody knows is held by another cap."""
    if run.spent_minor is not None:
        return run.spent_minor
    said = parts.trainers.by_name.get(run.backend)
    if said is None or not progress.usage:
        return 0
    spec, usage = TrainingSpec.model_validate(run.spec), usage_of(progress.usage)
    on = parts.clock.now().date()
    found = charged(session, run.engagement_id, spec, usage, said, book=parts.book, currency=currency, on=on)
    return found.minor or 0
