"""Rescheduling: new days for a phase with their reason, and everything that hangs on them moves along.

The baseline never changes; what was agreed is compared with what is planned.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from engagements.core import audit
from engagements.core.errors import Invalid, VersionMismatch
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor
from engagements.db.columns import new_id
from engagements.delivery import standing
from engagements.delivery.cascade import Days, Placed, Shift, Wanted, cascade
from engagements.delivery.days import calendar_of, working_days_from
from engagements.delivery.models import (
    Baseline,
    DeliverableRecord,
    DeliverableState,
    Milestone,
    MilestoneKind,
    PhaseRecord,
    PhaseState,
    PlanChange,
)
from engagements.delivery.opening import phases_of
from engagements.delivery.schemas import RescheduleIn
from engagements.delivery.standing import latest_baseline
from engagements.delivery.steps import PhaseConflict
from engagements.delivery.under_way import claim_active
from estimator.errors import Problem
from estimator.phases import DELIVERY, Phase
from estimator.schedule import add_months

_ENDED = frozenset({PhaseState.DONE, PhaseState.STOPPED})
_ACCEPTED = frozenset({DeliverableState.ACCEPTED, DeliverableState.ACCEPTED_WITH_RESERVATIONS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Along:
    """A milestone or a deliverable whose day moves with its phase."""

    row: Milestone | DeliverableRecord
    day: date
    new_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """What a rescheduling does to the plan. `float_days`: working days left to the end agreed at four in five."""

    shifts: Mapping[Phase, Shift]
    along: tuple[Along, ...]
    end: date
    new_end: date
    agreed_end: date | None
    agreed_late_end: date | None
    float_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescheduled:
    """`change_id` None: only tried."""

    moves: Moves
    change_id: str | None


def reschedule(
    session: Session, actor: Actor, engagement_id: str, data: RescheduleIn, *, at: datetime, today: date
) -> Rescheduled:
    """Raises `NotUnderWay`, `PhaseConflict`, `VersionMismatch`, and `Invalid` with all that is wrong with the days."""
    engagement = claim_active(session, actor, engagement_id)
    rows = {row.phase: row for row in phases_of(session, engagement_id, locked=True)}
    baseline = latest_baseline(session, engagement_id)
    if baseline is None or data.phase not in rows:
        raise PhaseConflict(f"{data.phase.label} is no part of this engagement", remedy="name one of its phases")
    if data.version not in {None, rows[data.phase].version}:
        raise VersionMismatch("somebody changed this phase since you read it", remedy="read the plan again")
    moves = _moves(session, rows, baseline, data, today)
    if data.dry_run:
        return Rescheduled(moves=moves, change_id=None)
    if not data.reason:
        message, remedy = "no reason is given", "say why the days move"
        raise Invalid.of(Problem(code="field_missing", where="reason", message=message, remedy=remedy))
    change = _change(actor, rows[data.phase], moves, data, at=at)
    session.add(change)
    audit.record(session, actor, "plan.moved", change, at=at, reason=data.reason, client_sees=True)
    _apply(session, actor, rows, moves, at=at, reason=data.reason)
    told = {"engagement": engagement.id, "phase": data.phase.value, "change": change.id}
    tell(session, engagement.organisation_id, EventType.PLAN_CHANGED, told, at=at)
    standing.refresh(session, engagement_id, at=at)
    return Rescheduled(moves=moves, change_id=change.id)


def placed_of(rows: Iterable[PhaseRecord]) -> list[Placed]:
    """The plan as `cascade` reads it, in order."""
    return [
        Placed(
            phase=row.phase, days=days_of(row), begun=row.actual_begin is not None,
            ended_on=(row.actual_end or row.planned_gate) if row.state in _ENDED else None,
        )
        for row in sorted(rows, key=lambda row: row.phase.number)
    ]  # fmt: skip


def days_of(row: PhaseRecord) -> Days | None:
    """As planned; what is under way is planned from the day it began."""
    if row.planned_begin is None or row.planned_work_end is None or row.planned_gate is None:
        return None
    begin = row.actual_begin or row.planned_begin
    return Days(begin=begin, work_end=max(begin, row.planned_work_end), gate=max(begin, row.planned_gate))


def _moves(
    session: Session, rows: Mapping[Phase, PhaseRecord], baseline: Baseline, data: RescheduleIn, today: date
) -> Moves:
    wanted = Wanted(begin=data.begin, work_end=data.work_end, gate=data.gate)
    calendar, plan = calendar_of(baseline), placed_of(rows.values())
    shifts = cascade(plan, data.phase, wanted, calendar, today=today)
    if not shifts:
        message, remedy = "these are the days that are planned", "name a day that is another one"
        raise Invalid.of(Problem(code="plan.unchanged", where="begin", message=message, remedy=remedy))
    gates = {placed.phase: placed.days.gate for placed in plan if placed.days}
    new_gates = gates | {phase: shift.after.gate for phase, shift in shifts.items()}
    agreed = baseline.plan["phases"]
    agreed_end, agreed_late = (
        max((date.fromisoformat(each[name]) for each in agreed if each[name]), default=None)
        for name in ("gate_date", "gate_late")
    )
    new_end = max(new_gates.values())
    return Moves(
        shifts=shifts, along=tuple(sorted(_along(session, baseline.engagement_id, shifts), key=_by_day)),
        end=max(gates.values()), new_end=new_end, agreed_end=agreed_end, agreed_late_end=agreed_late,
        float_days=working_days_from(calendar, new_end, agreed_late) if agreed_late else None,
    )  # fmt: skip


def _along(session: Session, engagement_id: str, shifts: Mapping[Phase, Shift]) -> Iterator[Along]:
    milestones = select(Milestone).where(Milestone.engagement_id == engagement_id)
    for milestone in session.exec(milestones.order_by(Milestone.code).with_for_update()):
        if milestone.reached_on is None and (new_day := _milestone_day(milestone, shifts)) is not None:
            assert milestone.planned_on is not None, "what has no day does not move"
            if new_day != milestone.planned_on:
                yield Along(row=milestone, day=milestone.planned_on, new_day=new_day)
    deliverables = select(DeliverableRecord).where(
        DeliverableRecord.engagement_id == engagement_id, col(DeliverableRecord.state).not_in(_ACCEPTED)
    )
    for row in session.exec(deliverables.order_by(DeliverableRecord.code).with_for_update()):
        shift = shifts.get(row.phase)
        if row.due is not None and shift is not None and row.due == shift.before.gate != shift.after.gate:
            yield Along(row=row, day=row.due, new_day=shift.after.gate)


def _by_day(along: Along) -> tuple[date, str]:
    return along.new_day, along.row.code


def _milestone_day(row: Milestone, shifts: Mapping[Phase, Shift]) -> date | None:
    """The new day of a payment at a gate or at the end of a month of service, or of an input as the phase begins."""
    if row.planned_on is None:
        return None
    if row.month is not None:
        live = shifts.get(DELIVERY[-1])
        return add_months(live.after.gate, row.month) if live else None
    shift = shifts.get(row.phase) if row.phase else None
    if shift is None:
        return None
    if row.gate is not None:
        return shift.after.gate
    hangs = row.kind is MilestoneKind.CLIENT_INPUT and row.planned_on == shift.before.begin
    return shift.after.begin if hangs else None


def _change(actor: Actor, row: PhaseRecord, moves: Moves, data: RescheduleIn, *, at: datetime) -> PlanChange:
    return PlanChange(
        id=new_id(PlanChange.PREFIX), organisation_id=row.organisation_id, engagement_id=row.engagement_id,
        client_id=row.client_id, phase=data.phase, reason=data.reason, by_client=data.by_client,
        moves={
            phase.value: {
                name: [getattr(shift.before, name).isoformat(), getattr(shift.after, name).isoformat()]
                for name in ("begin", "work_end", "gate")
            }
            for phase, shift in moves.shifts.items()
        },
        along={each.row.code: [each.day.isoformat(), each.new_day.isoformat()] for each in moves.along},
        created_by=actor.id, created_at=at,
    )  # fmt: skip


def _apply(
    session: Session, actor: Actor, rows: Mapping[Phase, PhaseRecord], moves: Moves, *, at: datetime, reason: str
) -> None:
    for phase, shift in moves.shifts.items():
        row, days = rows[phase], shift.after
        row.planned_begin, row.planned_work_end, row.planned_gate = days.begin, days.work_end, days.gate
        row.changed_at = at
        audit.record(session, actor, "phase.moved", row, at=at, reason=reason)
    for each in moves.along:
        match each.row:
            case Milestone():
                each.row.planned_on = each.new_day
                audit.record(session, actor, "milestone.moved", each.row, at=at, reason=reason)
            case DeliverableRecord():
                each.row.due = each.new_day
                audit.record(session, actor, "deliverable.moved", each.row, at=at, reason=reason)
