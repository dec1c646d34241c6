"""Close days for the whole organisation, so that what was reported stays as it was; and open them again."""

from datetime import datetime

from sqlmodel import Session

from engagements.actuals.models import TimeLock
from engagements.actuals.schemas import TimeLockIn, TimeLockOut
from engagements.actuals.when import When
from engagements.core import audit
from engagements.core.errors import Invalid, VersionMismatch
from engagements.core.roles import Actor
from engagements.core.service import scoped
from engagements.db.columns import new_id
from estimator.errors import Problem


def time_lock(session: Session, actor: Actor) -> TimeLockOut:
    """Version 0 and no day before anybody closed any."""
    row = session.exec(scoped(TimeLock, actor)).first()
    return TimeLockOut.of(row) if row else TimeLockOut(version=0, until=None, reason="", changed_at=None)


def set_time_lock(session: Session, actor: Actor, data: TimeLockIn, *, version: int, when: When) -> TimeLockOut:
    """Raises `VersionMismatch`, and `Invalid` for a day that is not over."""
    row = session.exec(scoped(TimeLock, actor).with_for_update()).first()
    if version != (row.version if row else 0):
        raise VersionMismatch("somebody changed the lock since you read it", remedy="read it again, then change it")
    if data.until is not None and data.until >= when.today:
        message, remedy = f"{data.until} is not over", "close days up to yesterday at most"
        raise Invalid.of(Problem(code="date.out_of_range", where="until", message=message, remedy=remedy))
    row = row or _new(session, actor, at=when.at)
    row.until, row.reason, row.changed_at = data.until, data.reason, when.at
    audit.record(session, actor, "time_lock.set", row, at=when.at, reason=data.reason)
    return TimeLockOut.of(row)


def _new(session: Session, actor: Actor, *, at: datetime) -> TimeLock:
    row = TimeLock(id=new_id(TimeLock.PREFIX), organisation_id=actor.organisation_id, changed_at=at)
    session.add(row)
    return row
