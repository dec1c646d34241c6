"""What a backend tells of a run becomes rows: events once each with their cursor, checkpoints, where it stands now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, Final

from sqlmodel import Session, col, select

from backends.events import Checkpoint, Event, EventKind, Metrics, Poll, RunState
from engagements.phases.training.judging.verdicts import Verdict, judge
from engagements.phases.training.models import RunCheckpoint, RunEvent, TrainingState
from engagements.phases.training.supervising import lanes
from engagements.phases.training.supervising.holding import Held
from engagements.phases.training.supervising.measures import (
    checkpoint_json,
    metrics_json,
    read_metrics,
    usage_json,
    with_latest,
)
from engagements.phases.training.supervising.moving import incident, move

_JUDGED_EVERY: Final = timedelta(seconds=15)
_STATES: Final = {
    RunState.VALIDATING: TrainingState.VALIDATING,
    RunState.QUEUED: TrainingState.QUEUED,
    RunState.RUNNING: TrainingState.RUNNING,
    RunState.PAUSED: TrainingState.PAUSED,
    RunState.FINALIZING: TrainingState.FINALIZING,
    RunState.SUCCEEDED: TrainingState.FINALIZING,
}
"""Ours for theirs, of a run that has not failed: what succeeded there has to answer before it has succeeded here."""
_DONE_THERE: Final = frozenset({TrainingState.FINALIZING, TrainingState.SCORING})
_TEXT_MAX: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """`is_new`: whether anything was told that was not known."""

    is_new: bool
    verdict: Verdict | None


def hear(held: Held, told: Poll, *, at: datetime) -> Heard:
    """All that one answer says, in the transaction of its cursor. An end that it says is left to the caller."""
    progress = held.progress
    new = _events(held, told.events)
    _checkpoints(held.session, held.run.id, (*told.checkpoints, *_told_in(told.events)))
    measured = [each.metrics for each in new if each.metrics is not None]
    if measured:
        progress.latest = with_latest(progress.latest, measured)
        last = max(measured, key=lambda each: each.step)
        progress.step = max(progress.step, last.step)
        progress.total_steps = last.total_steps or progress.total_steps
    progress.cursor, progress.heard_at, progress.trouble = told.cursor, at, 0
    progress.provider_state = (told.provider_state or told.state.value)[:100]
    progress.usage = progress.usage | usage_json(told.usage)
    if told.environment and dict(told.environment) != held.run.environment:
        held.run.environment = dict(told.environment)
        move(held, "training_run.described", at=at)
    _stand(held, told, at=at)
    return Heard(is_new=bool(new), verdict=_judged(held, measured, at=at))


def points_of(session: Session, run_id: str) -> list[Metrics]:
    """All that was measured of a run, in order."""
    measured = select(RunEvent.metrics).where(
        col(RunEvent.run_id) == run_id, col(RunEvent.kind) == EventKind.METRICS, col(RunEvent.step).is_not(None)
    )
    rows = session.exec(measured.order_by(col(RunEvent.step), col(RunEvent.number)))
    return [read_metrics(each) for each in rows if each is not None]


def judge_now(held: Held, *, ended: bool, at: datetime) -> Verdict:
    """The verdict over all that was measured, kept with the run."""
    verdict = judge(points_of(held.session, held.run.id), ended=ended)
    held.progress.verdict = {
        "kind": verdict.kind.value, "said": verdict.said, "since_step": verdict.since_step,
        "numbers": {name: value for name, value in verdict.numbers.items() if isfinite(value)},
    }  # fmt: skip
    held.progress.judged_at = at
    return verdict


def _stand(held: Held, told: Poll, *, at: datetime) -> None:
    """The state as it follows from what is told. What is done there goes back to nothing else."""
    if told.state is RunState.UNKNOWN or told.state not in _STATES:
        return
    new, run = _STATES[told.state], held.run
    if run.state in _DONE_THERE:
        if new is not TrainingState.FINALIZING:
            incident(held, "state_went_back", f"it was done, and is said to be {told.state.value}", at=at)
        return
    if new is not run.state:
        run.state = new
        if new is TrainingState.RUNNING and run.started_at is None:
            run.started_at = at
        move(held, f"training_run.{new.value}", at=at)
        if new is TrainingState.PAUSED:
            lanes.wake(held.session, run.backend, at=at)


def _judged(held: Held, measured: Sequence[Metrics], *, at: datetime) -> Verdict | None:
    """Over the whole curve, so not with every point: now and then, and where validation or no number was told."""
    if not measured:
        return None
    last = held.progress.judged_at
    telling = any(each.full_valid_loss is not None or _is_broken(each) for each in measured)
    if not telling and last is not None and at - last < _JUDGED_EVERY:
        return None
    return judge_now(held, ended=False, at=at)


def _is_broken(metrics: Metrics) -> bool:
    return metrics.train_loss is not None and not isfinite(metrics.train_loss)


def _events(held: Held, told: Sequence[Event]) -> list[Event]:
    """Those that were not there yet, in the order of their moments and names; kept, and numbered."""
    if not told:
        return []
    ids = {each.id: each for each in told}
    there = set(held.session.exec(
        select(RunEvent.event_id).where(col(RunEvent.run_id) == held.run.id, col(RunEvent.event_id).in_(ids))
    ))  # fmt: skip
    new = [each for each in ids.values() if each.id not in there]
    for number, each in enumerate(new, start=held.progress.events + 1):
        held.session.add(_row(held.run.id, number, each))
    held.progress.events += len(new)
    return new


def _row(run_id: str, number: int, event: Event) -> RunEvent:
    return RunEvent(
        run_id=run_id, number=number, event_id=event.id[:200], at=event.at, kind=event.kind, level=event.level,
        message=event.message.replace("\0", "")[:_TEXT_MAX], step=event.metrics.step if event.metrics else None,
        metrics=metrics_json(event.metrics) if event.metrics else None, data=_plain(event.data),
    )  # fmt: skip


def _told_in(events: Iterable[Event]) -> list[Checkpoint]:
    return [each.checkpoint for each in events if each.checkpoint is not None]


def _checkpoints(session: Session, run_id: str, told: Iterable[Checkpoint]) -> None:
    for each in told:
        row = session.get(RunCheckpoint, (run_id, each.id))
        if row is None:
            session.add(RunCheckpoint(run_id=run_id, checkpoint_id=each.id, **checkpoint_json(each)))
            session.flush()
        elif row.sha256 is None and each.sha256 is not None:
            row.sha256 = each.sha256


def _plain(data: object) -> Any:
    """As JSON has it; a number that is none becomes its name."""
    match data:
        case bool() | int() | None:
            return data
        case float():
            return data if isfinite(data) else str(data)
        case str():
            return data.replace("\0", "")[:_TEXT_MAX]
        case list() | tuple():
            return [_plain(each) for each in data]
        case dict():
            return {str(name): _plain(value) for name, value in data.items()}
        case _:
            return str(data)[:_TEXT_MAX]
