"""Days that count: our own are added and marked, what the client owes is received, and payments are earned.

A payment is never ticked by hand: its gate reaches it, or its month of ongoing management does when it is over.
"""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from engagements.core import audit
from engagements.core.errors import Conflict, Invalid
from engagements.core.roles import Actor, system_actor
from engagements.db.columns import new_id
from engagements.delivery import standing
from engagements.delivery.days import calendar_of, working_days_from
from engagements.delivery.lines import late_by
from engagements.delivery.models import Milestone, MilestoneKind, PhaseRecord
from engagements.delivery.opening import phases_of
from engagements.delivery.schemas import MilestoneIn, ReachIn
from engagements.delivery.standing import latest_baseline
from engagements.delivery.steps import PhaseConflict
from engagements.delivery.under_way import claim_active, claim_in_active
from estimator.calendar import WorkCalendar
from estimator.errors import Problem
from estimator.phases import Phase
from estimator.schedule import add_months


class MilestoneConflict(Conflict):
    """It is reached already, or not by hand."""

    code = "milestone_conflict"


def add_milestone(
    session: Session, actor: Actor, engagement_id: str, data: MilestoneIn, *, at: datetime, today: date
) -> Milestone:
    """Raises `NotUnderWay`, `PhaseConflict` for a phase of another engagement, and `Invalid` for a day gone by."""
    engagement = claim_active(session, actor, engagement_id)
    if data.planned_on < today:
        message, remedy = f"{data.planned_on} has passed", "name today or a later day"
        raise Invalid.of(Problem(code="date.in_past", where="planned_on", message=message, remedy=remedy))
    if data.phase is not None and data.phase not in {row.phase for row in phases_of(session, engagement_id)}:
        raise PhaseConflict(f"{data.phase.label} is no part of this engagement", remedy="name one of its phases")
    row = Milestone(
        id=new_id(Milestone.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement_id,
        client_id=engagement.client_id, code=_next_code(session, engagement_id), kind=data.kind, name=data.name,
        phase=data.phase, planned_on=data.planned_on,
    )  # fmt: skip
    session.add(row)
    audit.record(session, actor, "milestone.added", row, at=at, client_sees=data.kind is MilestoneKind.CLIENT_INPUT)
    standing.refresh(session, engagement_id, at=at)
    return row


def reach(session: Session, actor: Actor, milestone_id: str, data: ReachIn, *, at: datetime, today: date) -> Milestone:
    """Raises `NotUnderWay`, `MilestoneConflict` for a payment or what is reached already, `Invalid` for a day to come.

    What came after its day is noted with what that does to the plan, in the same words whoever is late.
    """
    row = claim_in_active(session, actor, Milestone, milestone_id)
    if row.kind is MilestoneKind.PAYMENT:
        earns = f"gate {row.gate} passes" if row.gate is not None else f"month {row.month} of the service is over"
        raise MilestoneConflict("a payment is not ticked by hand", remedy=f"it is reached when {earns}")
    if row.reached_on is not None:
        raise MilestoneConflict(f"{row.code} was reached on {row.reached_on}", remedy="nothing is left to do")
    reached_on = data.reached_on or today
    if reached_on > today:
        message, remedy = f"{reached_on} is still to come", "name a day that has been"
        raise Invalid.of(Problem(code="date.in_future", where="reached_on", message=message, remedy=remedy))
    row.reached_on, row.note = reached_on, _effect(session, row, reached_on)
    is_theirs = row.kind is MilestoneKind.CLIENT_INPUT
    audit.record(session, actor, "milestone.reached", row, at=at, reason=row.note, client_sees=is_theirs)
    standing.refresh(session, row.engagement_id, at=at)
    return row


def reach_months(session: Session, engagement_id: str, *, at: datetime, today: date) -> Sequence[Milestone]:
    """The payments whose month of ongoing management is over; each is reached on the day it was."""
    phases = phases_of(session, engagement_id)
    begin = next((row.actual_begin for row in phases if row.phase is Phase.MANAGEMENT), None)
    if begin is None:
        return ()
    chosen = select(Milestone).where(
        Milestone.engagement_id == engagement_id, col(Milestone.month).is_not(None), col(Milestone.reached_on).is_(None)
    )
    rows = session.exec(chosen.order_by(col(Milestone.month)).with_for_update()).all()
    reached = [row for row in rows if _month_end(row, begin) <= today]
    for row in reached:
        row.reached_on = _month_end(row, begin)
        audit.record(session, system_actor(row.organisation_id), "milestone.reached", row, at=at, client_sees=True)
    return reached


def engagements_with_months(session: Session, *, today: date) -> Sequence[str]:
    """Ids of the engagements in ongoing management with a payment whose month is over, and which is not reached."""
    first = (
        sa_select(col(Milestone.engagement_id), func.min(Milestone.month), col(PhaseRecord.actual_begin))
        .join(PhaseRecord, col(PhaseRecord.engagement_id) == col(Milestone.engagement_id))
        .where(col(PhaseRecord.phase) == Phase.MANAGEMENT, col(PhaseRecord.actual_begin).is_not(None))
        .where(col(Milestone.month).is_not(None), col(Milestone.reached_on).is_(None))
        .group_by(col(Milestone.engagement_id), col(PhaseRecord.actual_begin))
    )
    return sorted(each for each, month, begin in session.execute(first) if add_months(begin, month) <= today)


def _month_end(row: Milestone, begin: date) -> date:
    assert row.month is not None, "a payment by the month names it"
    return add_months(begin, row.month)


def schedule_effect(
    planned: date, reached: date, phase: Phase, begin: date | None, begun_on: date | None, calendar: WorkCalendar
) -> str:
    """What a late input does to the phase that waits for it, in words for both sides; empty where it came in time.

    `begin`: the day the phase is planned to begin; `begun_on`: the day it began.
    """
    late = late_by(planned, reached, calendar)
    if not late:
        return ""
    came = f"It came {_working_days(late)} after the day planned, {planned}."
    if begun_on is not None:
        return f"{came} {phase.label} had begun on {begun_on}."
    if begin is None or reached < begin:
        return f"{came} {phase.label} can begin as planned."
    possible = calendar.first_working_day(reached)
    pushed = working_days_from(calendar, begin, possible)
    if not pushed:
        return f"{came} {phase.label} can begin as planned."
    return f"{came} {phase.label} was planned to begin on {begin} and can begin {_working_days(pushed)} later."


def _effect(session: Session, row: Milestone, reached_on: date) -> str:
    baseline = latest_baseline(session, row.engagement_id)
    if row.kind is not MilestoneKind.CLIENT_INPUT or row.planned_on is None or row.phase is None or baseline is None:
        return ""
    phase = next((each for each in phases_of(session, row.engagement_id) if each.phase is row.phase), None)
    assert phase is not None, "an input is asked for a phase of its engagement"
    calendar = calendar_of(baseline)
    return schedule_effect(row.planned_on, reached_on, row.phase, phase.planned_begin, phase.actual_begin, calendar)


def _next_code(session: Session, engagement_id: str) -> str:
    codes = session.exec(select(Milestone.code).where(Milestone.engagement_id == engagement_id))
    taken = [int(code[1:]) for code in codes if code.startswith("M") and code[1:].isdigit()]
    return f"M{max(taken, default=0) + 1}"


def _working_days(count: int) -> str:
    return f"{count} working {'day' if count == 1 else 'days'}"
