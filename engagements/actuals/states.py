"""Hand entries in, approve them, send them back, open them again. All of what is named, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from sqlmodel import Session, col

from engagements.actuals.models import CostEntry, EntryState, TimeEntry
from engagements.actuals.place import person_behind, require_own
from engagements.actuals.rules import EntryLocked
from engagements.actuals.schemas import StepIn
from engagements.actuals.weeks import Week
from engagements.core import audit
from engagements.core.errors import Conflict, NotFound, SecondPersonRequired
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.service import claim, scoped
from engagements.people.models import User

Entry = TypeVar("Entry", TimeEntry, CostEntry)


class NothingToDo(Conflict):
    """No entry is in the state that this step takes."""

    code = "nothing_to_do"


class Step(StrEnum):
    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where a step leads from and to, and how the trail names it."""

    before: EntryState
    after: EntryState
    verb: str


WAYS: Final = {
    Step.SUBMIT: Way(before=EntryState.OPEN, after=EntryState.SUBMITTED, verb="submitted"),
    Step.APPROVE: Way(before=EntryState.SUBMITTED, after=EntryState.APPROVED, verb="approved"),
    Step.REJECT: Way(before=EntryState.SUBMITTED, after=EntryState.OPEN, verb="rejected"),
    Step.REOPEN: Way(before=EntryState.APPROVED, after=EntryState.OPEN, verb="reopened"),
}


def step_time(
    session: Session, actor: Actor, engagement_id: str, step: Step, data: StepIn, *, at: datetime, reason: str = ""
) -> Sequence[TimeEntry]:
    """The entries as they stand then. Raises `NothingToDo`, `EntryLocked`, `SecondPersonRequired`, `Forbidden`."""
    engagement = claim(session, actor, Engagement, engagement_id)
    if data.week is None:
        rows = _named(session, actor, engagement, TimeEntry, data.ids)
    else:
        rows = _of_week(session, actor, engagement, data.person_id or actor.id, Week.parse(data.week), WAYS[step])
    for row in rows:
        _check_person(session, actor, step, whose=row.person_id, logged_by=row.created_by)
        _move(session, actor, row, step, "time", at=at, reason=reason)
    return rows


def step_costs(
    session: Session, actor: Actor, engagement_id: str, step: Step, ids: Sequence[str], *, at: datetime,
    reason: str = "",
) -> Sequence[CostEntry]:  # fmt: skip
    """The same for costs, which are named one by one: they belong to nobody's week."""
    engagement = claim(session, actor, Engagement, engagement_id)
    rows = _named(session, actor, engagement, CostEntry, ids)
    for row in rows:
        _check_person(session, actor, step, whose=row.created_by, logged_by=row.created_by)
        _move(session, actor, row, step, "cost", at=at, reason=reason)
    return rows


def _move(
    session: Session, actor: Actor, row: TimeEntry | CostEntry, step: Step, noun: str, *, at: datetime, reason: str
) -> None:
    way = WAYS[step]
    if row.state is not way.before:
        message = f"{row.id} is {row.state}, and only what is {way.before} can be {way.verb}"
        raise EntryLocked(message, remedy="leave it out")
    row.state, row.state_reason = way.after, reason
    row.approved_by = actor.id if step is Step.APPROVE else None
    audit.record(session, actor, f"{noun}.{way.verb}", row, at=at, reason=reason)


def _check_person(session: Session, actor: Actor, step: Step, *, whose: str, logged_by: str) -> None:
    """One hands in one's own, or what one leads; nobody approves their own, nor what they logged for others."""
    if step is Step.SUBMIT:
        require_own(session, actor, whose)
    own = {person_behind(session, each) for each in (whose, logged_by)}
    if step is Step.APPROVE and person_behind(session, actor.id) in own:
        remedy = "ask another lead, finance or an administrator"
        raise SecondPersonRequired("who logged time or costs does not approve them", remedy=remedy)


def _named(
    session: Session, actor: Actor, engagement: Engagement, kind: type[Entry], ids: Sequence[str]
) -> Sequence[Entry]:
    """Raises `NotFound` where one of them is not of this engagement."""
    wanted = sorted(set(ids))
    chosen = scoped(kind, actor).where(col(kind.engagement_id) == engagement.id, col(kind.id).in_(wanted))
    rows = session.exec(chosen.order_by(col(kind.id)).with_for_update()).all()
    if len(rows) < len(wanted):
        raise NotFound
    return rows


def _of_week(
    session: Session, actor: Actor, engagement: Engagement, person_id: str, week: Week, way: Way
) -> Sequence[TimeEntry]:
    """What of it can take the step, the person locked meanwhile so that nothing is logged beside it."""
    session.exec(scoped(User, actor).where(col(User.id) == person_id).with_for_update()).first()
    chosen = scoped(TimeEntry, actor).where(
        TimeEntry.engagement_id == engagement.id, TimeEntry.person_id == person_id, TimeEntry.day >= week.first,
        TimeEntry.day <= week.last, TimeEntry.state == way.before,
    )  # fmt: skip
    rows = session.exec(chosen.order_by(col(TimeEntry.id)).with_for_update()).all()
    if not rows:
        message = f"nothing of week {week} is {way.before} here"
        raise NothingToDo(message, remedy="choose another week or person")
    return rows
