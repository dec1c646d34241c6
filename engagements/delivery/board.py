"""The plan of one engagement on one page: agreed, planned and actual days, who owns what, and what moved, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from engagements.core.models import Engagement
from engagements.core.roles import Actor, Permission
from engagements.core.service import find
from engagements.delivery.days import calendar_of, working_days_from
from engagements.delivery.lines import (
    DeliverableLine,
    Dependency,
    MilestoneLine,
    PhaseLine,
    Reader,
    day_in,
    deliverable_line,
    dependencies,
    milestone_line,
    phase_line,
)
from engagements.delivery.models import (
    Baseline,
    DeliverableRecord,
    Milestone,
    MilestoneKind,
    PhaseRecord,
    PlanChange,
)
from engagements.delivery.opening import phases_of
from engagements.delivery.owners import Owner, owners_of
from engagements.delivery.standing import latest_baseline
from estimator.calendar import WorkCalendar
from estimator.phases import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A rescheduling as it was written down (see `models.PlanChange`)."""

    id: str
    phase: Phase
    reason: str
    by_client: bool
    moves: Mapping[str, Any]
    along: Mapping[str, Any]
    created_by: str
    created_by_name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """`baseline` None: nothing was agreed yet, and everything is empty. `days_late`, `float_days`: of the last gate.

    `holidays`: those of the plan's calendar between its first and its last day.
    """

    engagement_id: str
    today: date
    baseline: int | None
    agreed_end: date | None
    agreed_late_end: date | None
    planned_end: date | None
    days_late: int | None
    float_days: int | None
    phases: Sequence[PhaseLine]
    milestones: Sequence[MilestoneLine]
    deliverables: Sequence[DeliverableLine]
    dependencies: Sequence[Dependency]
    changes: Sequence[Moved]
    holidays: Sequence[date] = ()


def board_of(session: Session, actor: Actor, engagement_id: str, *, today: date) -> Board:
    """In a constant number of queries. Raises `NotFound`."""
    find(session, actor, Engagement, engagement_id)
    baseline = latest_baseline(session, engagement_id)
    if baseline is None:
        return Board(
            engagement_id=engagement_id, today=today, baseline=None, agreed_end=None, agreed_late_end=None,
            planned_end=None, days_late=None, float_days=None, phases=(), milestones=(), deliverables=(),
            dependencies=(), changes=(),
        )  # fmt: skip
    rows = phases_of(session, engagement_id)
    deliverables = session.exec(select(DeliverableRecord).where(DeliverableRecord.engagement_id == engagement_id)).all()
    milestones = session.exec(select(Milestone).where(Milestone.engagement_id == engagement_id)).all()
    changes = session.exec(
        select(PlanChange).where(PlanChange.engagement_id == engagement_id).order_by(col(PlanChange.id).desc())
    ).all()
    owners = owners_of(
        session, actor.organisation_id,
        [*(row.owner_id for row in rows), *(item.owner_id for item in deliverables), *(c.created_by for c in changes)],
    )  # fmt: skip
    plan = PlanReader.of(baseline, actor, today=today)
    phases = [plan.phase(row, owners) for row in rows]
    days = [plan.milestone(row) for row in sorted(milestones, key=_milestone_order)]
    return Board(
        engagement_id=engagement_id, today=today, baseline=baseline.number, **_ends(phases, plan), phases=phases,
        milestones=days, deliverables=[plan.deliverable(row, owners) for row in sorted(deliverables, key=_code_order)],
        dependencies=list(dependencies(phases, days)), changes=[_moved(change, owners) for change in changes],
        holidays=_holidays(phases, calendar_of(baseline)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReader:
    """A baseline and who looks at it: rows become lines."""

    baseline: Baseline
    reader: Reader

    @classmethod
    def of(cls, baseline: Baseline, actor: Actor, *, today: date) -> "PlanReader":
        sees_prices = actor.may(Permission.VIEW_PROPOSALS)
        return cls(baseline=baseline, reader=Reader(today=today, is_staff=actor.is_staff, sees_prices=sees_prices))

    def phase(self, row: PhaseRecord, owners: Mapping[str, Owner]) -> PhaseLine:
        planned: Sequence[Mapping[str, Any]] = self.baseline.plan["phases"]
        agreed: Mapping[str, Any] = next((each for each in planned if each["number"] == row.phase.number), {})
        return phase_line(row, agreed, owners.get(row.owner_id or ""), calendar_of(self.baseline), self.reader)

    def milestone(self, row: Milestone) -> MilestoneLine:
        return milestone_line(row, calendar_of(self.baseline), self.reader)

    def deliverable(self, row: DeliverableRecord, owners: Mapping[str, Owner]) -> DeliverableLine:
        planned: Sequence[Mapping[str, Any]] = self.baseline.plan["deliverables"]
        agreed: Mapping[str, Any] = next((each for each in planned if each["id"] == row.code), {})
        return deliverable_line(row, day_in(agreed, "due"), owners.get(row.owner_id or ""), self.reader)


def reader_of(session: Session, actor: Actor, engagement_id: str, *, today: date) -> PlanReader:
    """For rows that are there, and so have a baseline."""
    baseline = latest_baseline(session, engagement_id)
    assert baseline is not None, "phases, milestones and deliverables come with a baseline"
    return PlanReader.of(baseline, actor, today=today)


def phase_of(session: Session, actor: Actor, row: PhaseRecord, *, today: date) -> PhaseLine:
    owners = owners_of(session, row.organisation_id, [row.owner_id])
    return reader_of(session, actor, row.engagement_id, today=today).phase(row, owners)


def milestone_of(session: Session, actor: Actor, row: Milestone, *, today: date) -> MilestoneLine:
    return reader_of(session, actor, row.engagement_id, today=today).milestone(row)


def deliverable_of(session: Session, actor: Actor, row: DeliverableRecord, *, today: date) -> DeliverableLine:
    owners = owners_of(session, row.organisation_id, [row.owner_id])
    return reader_of(session, actor, row.engagement_id, today=today).deliverable(row, owners)


def _ends(phases: Sequence[PhaseLine], plan: PlanReader) -> dict[str, Any]:
    """Of the last gate that has a day."""
    last = next((line for line in reversed(phases) if line.planned_gate), None)
    late = last.agreed_late_gate if last else None
    planned = last.planned_gate if last else None
    calendar = calendar_of(plan.baseline)
    return {
        "agreed_end": last.agreed_gate if last else None,
        "agreed_late_end": late,
        "planned_end": planned,
        "days_late": last.days_late if last else None,
        "float_days": working_days_from(calendar, planned, late) if planned and late else None,
    }


def _holidays(phases: Sequence[PhaseLine], calendar: WorkCalendar) -> Sequence[date]:
    days = [day for line in phases for day in (line.agreed_begin, line.planned_begin, line.planned_gate) if day]
    days += [line.agreed_late_gate for line in phases if line.agreed_late_gate]
    return [holiday.day for holiday in calendar.holidays_between(min(days), max(days))] if days else ()


def _moved(change: PlanChange, owners: Mapping[str, Owner]) -> Moved:
    by = owners.get(change.created_by)
    return Moved(
        id=change.id, phase=change.phase, reason=change.reason, by_client=change.by_client, moves=change.moves,
        along=change.along, created_by=change.created_by, created_by_name=by.name if by else "",
        created_at=change.created_at,
    )  # fmt: skip


def _code_order(row: DeliverableRecord) -> tuple[int, int]:
    return row.phase.number, int(row.code[1:]) if row.code[1:].isdigit() else 0


def _milestone_order(row: Milestone) -> tuple[date, int, str]:
    return row.planned_on or row.reached_on or date.max, row.kind is MilestoneKind.PAYMENT, row.code
