"""Backends as all processes see them: how many runs each may be given, and how long a silent one is left alone."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from engagements.phases.training.models import (
    AT_WORK,
    SENT,
    Experiment,
    TrainingLane,
    TrainingProgress,
    TrainingRun,
    TrainingState,
)

FAILURES_MAX: Final = 5
"""Answers in a row that did not come, after which it is left alone for a while."""
_ASKED_AGAIN_S: Final = 15.0
_LEFT_ALONE_MAX_S: Final = 300.0
_LOADS: Final = frozenset({TrainingState.FINALIZING, TrainingState.SCORING})
"""What keeps hardware of ours busy besides training."""


def lane_of(session: Session, backend: str) -> TrainingLane:
    """Its row, locked until the transaction ends; made where it is not there."""
    mine = select(TrainingLane).where(col(TrainingLane.backend) == backend).with_for_update()
    found = session.exec(mine).first()
    if found is not None:
        return found
    try:
        with session.begin_nested():
            session.add(TrainingLane(backend=backend))
    except IntegrityError:
        pass  # another process made it in this moment
    return session.exec(mine).one()


def closed_until(session: Session, backend: str, *, at: datetime) -> datetime | None:
    """Until when nobody asks it anything; None where it may be asked now."""
    row = session.get(TrainingLane, backend)
    return row.open_until if row is not None and row.open_until is not None and row.open_until > at else None


def answered(session: Session, backend: str) -> None:
    row = session.get(TrainingLane, backend)
    if row is not None and (row.failures or row.open_until):
        row.failures, row.open_until, row.said = 0, None, ""


def failed(session: Session, backend: str, said: str, *, retry_in_s: float, at: datetime) -> None:
    """After `FAILURES_MAX` in a row, and where it asked for more patience than usual, everybody leaves it alone."""
    row = lane_of(session, backend)
    row.failures += 1
    row.said = said[:500]
    wait_s = retry_in_s if retry_in_s > _ASKED_AGAIN_S else 0.0
    if row.failures >= FAILURES_MAX:
        wait_s = max(wait_s, min(_LEFT_ALONE_MAX_S, _ASKED_AGAIN_S * 2 ** (row.failures - FAILURES_MAX)))
    if wait_s:
        row.open_until = at + timedelta(seconds=wait_s)


def may_begin(session: Session, run: TrainingRun, *, at_once: int, is_local: bool) -> bool:
    """Whether there is room for this very run: fewer than `at_once` are out, and none that waits goes before it."""
    lane_of(session, run.backend)
    busy = AT_WORK | SENT | (_LOADS if is_local else frozenset())
    out = select(func.count()).select_from(TrainingRun).where(
        col(TrainingRun.backend) == run.backend, col(TrainingRun.state).in_(busy)
    )  # fmt: skip
    if session.exec(out).one() >= at_once:
        return False
    first = (
        select(TrainingRun.id)
        .join(Experiment, col(Experiment.id) == col(TrainingRun.experiment_id))
        .where(col(TrainingRun.backend) == run.backend, col(TrainingRun.state) == TrainingState.WAITING)
        .order_by(col(Experiment.priority).desc(), col(Experiment.started_at), col(TrainingRun.id))
        .limit(1)
    )
    return session.exec(first).one() == run.id


def wake(session: Session, backend: str, *, at: datetime) -> None:
    """Room has come free: whoever waits for this backend is looked at now."""
    waiting = select(TrainingRun.id).where(
        col(TrainingRun.backend) == backend, col(TrainingRun.state) == TrainingState.WAITING
    )
    later = col(TrainingProgress.run_id).in_(waiting), col(TrainingProgress.next_due_at) > at
    session.execute(update(TrainingProgress).where(*later).values(next_due_at=at))
