"""Each part of the plan as it is shown: what was agreed, what is planned, what happened, and how late that is; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from engagements.delivery.days import working_days_from
from engagements.delivery.models import (
    DeliverableRecord,
    DeliverableState,
    Milestone,
    MilestoneKind,
    PhaseRecord,
    PhaseState,
)
from engagements.delivery.owners import Owner
from engagements.delivery.steps import Step, steps_from
from estimator.calendar import WorkCalendar
from estimator.phases import Phase

_ENDED: Final = frozenset({PhaseState.DONE, PhaseState.STOPPED})
_INSIDE: Final = frozenset({DeliverableState.DRAFT, DeliverableState.INTERNAL_REVIEW})
_OPEN: Final = _INSIDE | {DeliverableState.SUBMITTED, DeliverableState.REJECTED}


class MilestoneStanding(StrEnum):
    """Late: its day has passed, and it is not reached. Due: it is still to come."""

    REACHED = "reached"
    LATE = "late"
    DUE = "due"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who looks, and when: a client's people see nothing of what is not handed over, and amounts only who may."""

    today: date
    is_staff: bool
    sees_prices: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseLine:
    """As `schemas.PhaseOut` says."""

    id: str
    version: int
    engagement_id: str
    phase: Phase
    number: int
    name: str
    state: PhaseState
    round: int
    owner_id: str | None
    owner_name: str
    owner_left: bool
    cosigned: bool
    agreed_begin: date | None
    agreed_work_end: date | None
    agreed_gate: date | None
    agreed_late_gate: date | None
    planned_begin: date | None
    planned_work_end: date | None
    planned_gate: date | None
    actual_begin: date | None
    actual_end: date | None
    blocked_reason: str
    blocked_since: date | None
    days_late: int | None
    float_days: int | None
    possible: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneLine:
    """As `schemas.MilestoneOut` says."""

    id: str
    version: int
    engagement_id: str
    code: str
    kind: MilestoneKind
    name: str
    phase: Phase | None
    gate: int | None
    month: int | None
    agreed_on: date | None
    planned_on: date | None
    reached_on: date | None
    standing: MilestoneStanding
    days_late: int | None
    note: str
    net_minor: int | None
    gross_minor: int | None
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverableLine:
    """As `schemas.DeliverableOut` says."""

    id: str
    version: int
    engagement_id: str
    phase: Phase
    code: str
    name: str
    format: str
    acceptance: str
    reviewer: str
    agreed_due: date | None
    due: date | None
    owner_id: str | None
    owner_name: str
    owner_left: bool
    state: DeliverableState
    edition: int
    link: str
    sha256: str
    submitted_at: datetime | None
    decided_at: datetime | None
    decided_by_name: str
    reason: str
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """What a phase waits for before it begins."""

    phase: Phase
    what: str
    by_client: bool
    planned_on: date | None
    met_on: date | None
    days_late: int | None


def days_late_at_gate(
    agreed: date | None, planned: date | None, ended_on: date | None, calendar: WorkCalendar, *, today: date
) -> int | None:
    """Working days by which a gate passed, or will pass at the earliest, after the day agreed; below 0 for before.

    A gate whose planned day has gone by without it passes today at the earliest. None where no day was agreed.
    """
    passes = ended_on or (max(planned, today) if planned else None)
    return working_days_from(calendar, agreed, passes) if agreed and passes else None


def phase_line(
    row: PhaseRecord, agreed: Mapping[str, Any], owner: Owner | None, calendar: WorkCalendar, reader: Reader
) -> PhaseLine:
    """`agreed`: the phase in the plan of the baseline, empty where it has none."""
    gate, late = day_in(agreed, "gate_date"), day_in(agreed, "gate_late")
    has_ended = row.state in _ENDED
    ended_on = row.actual_end if has_ended else None
    expected = max(row.planned_gate, reader.today) if row.planned_gate else None
    return PhaseLine(
        id=row.id, version=row.version, engagement_id=row.engagement_id, phase=row.phase, number=row.phase.number,
        name=row.phase.label, state=row.state, round=row.round, owner_id=row.owner_id, cosigned=row.cosigned,
        planned_begin=row.planned_begin, planned_work_end=row.planned_work_end, planned_gate=row.planned_gate,
        actual_begin=row.actual_begin, actual_end=row.actual_end, blocked_reason=row.blocked_reason,
        blocked_since=row.blocked_since,
        owner_name=owner.name if owner else "", owner_left=owner.left if owner else False,
        agreed_begin=day_in(agreed, "begin"), agreed_work_end=day_in(agreed, "work_end"), agreed_gate=gate,
        agreed_late_gate=late,
        days_late=days_late_at_gate(gate, row.planned_gate, ended_on, calendar, today=reader.today),
        float_days=working_days_from(calendar, expected, late) if expected and late and not has_ended else None,
        possible=steps_from(row.state) if reader.is_staff else (),
    )  # fmt: skip


def milestone_line(row: Milestone, calendar: WorkCalendar, reader: Reader) -> MilestoneLine:
    known = row.reached_on or reader.today
    past = row.planned_on is not None and row.planned_on < known
    standing = MilestoneStanding.LATE if past else MilestoneStanding.DUE
    return MilestoneLine(
        id=row.id, version=row.version, engagement_id=row.engagement_id, code=row.code, kind=row.kind, name=row.name,
        phase=row.phase, gate=row.gate, month=row.month, agreed_on=row.agreed_on, planned_on=row.planned_on,
        reached_on=row.reached_on, standing=MilestoneStanding.REACHED if row.reached_on else standing,
        days_late=late_by(row.planned_on, known, calendar) if row.reached_on or past else None, note=row.note,
        net_minor=row.net_minor if reader.sees_prices else None,
        gross_minor=row.gross_minor if reader.sees_prices else None, currency=row.currency,
    )  # fmt: skip


def late_by(planned: date | None, reached: date, calendar: WorkCalendar) -> int | None:
    """Working days after the day planned; 0 where it was in time."""
    return max(0, working_days_from(calendar, planned, reached)) if planned else None


def deliverable_line(
    row: DeliverableRecord, agreed_due: date | None, owner: Owner | None, reader: Reader
) -> DeliverableLine:
    hidden = not reader.is_staff and row.state in _INSIDE
    state = DeliverableState.DRAFT if hidden else row.state
    return DeliverableLine(
        id=row.id, version=row.version, engagement_id=row.engagement_id, phase=row.phase, code=row.code, name=row.name,
        format=row.format, acceptance=row.acceptance, reviewer=row.reviewer, agreed_due=agreed_due, due=row.due,
        owner_id=row.owner_id, owner_name=owner.name if owner else "", owner_left=owner.left if owner else False,
        state=state, edition=row.edition, link="" if hidden else row.link, sha256="" if hidden else row.sha256,
        submitted_at=row.submitted_at, decided_at=row.decided_at, decided_by_name=row.decided_by_name,
        reason=row.reason, late=row.state in _OPEN and row.due is not None and row.due < reader.today,
    )  # fmt: skip


def dependencies(phases: Sequence[PhaseLine], milestones: Sequence[MilestoneLine]) -> Iterator[Dependency]:
    """In the order of the phases: the gate before each, then what the client owes it."""
    before: PhaseLine | None = None
    for line in phases:
        if before is not None:
            yield Dependency(
                phase=line.phase, what=f"Gate {before.number}, {before.name}", by_client=False,
                planned_on=before.planned_gate, met_on=before.actual_end if before.state is PhaseState.DONE else None,
                days_late=before.days_late,
            )  # fmt: skip
        for owed in milestones:
            if owed.kind is MilestoneKind.CLIENT_INPUT and owed.phase is line.phase:
                yield Dependency(
                    phase=line.phase, what=owed.name, by_client=True, planned_on=owed.planned_on,
                    met_on=owed.reached_on, days_late=owed.days_late,
                )  # fmt: skip
        before = line


def day_in(plain: Mapping[str, Any], name: str) -> date | None:
    """An ISO date of plain data."""
    return date.fromisoformat(written) if (written := plain.get(name)) else None
