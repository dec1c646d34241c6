"""How an engagement is doing, judged from the one row that lists show of it; pure, so thousands are judged at once.

Late: a day that was agreed is past, or will be missed by more than the plan allowed for. At risk: something says that
it may become so. Every reason is a sentence with its number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Protocol

from engagements.delivery.models import PhaseState
from estimator.phases import Phase


class Health(StrEnum):
    """`unknown` where there is nothing yet to judge by."""

    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    LATE = "late"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthView:
    """The judgement, and why: what weighs most first."""

    health: Health
    reasons: tuple[str, ...]


class Measured(Protocol):
    """What is judged: a `Standing`, or the same columns of one. Money in minor units."""

    @property
    def phase(self) -> Phase | None: ...
    @property
    def state(self) -> PhaseState | None: ...
    @property
    def planned_gate(self) -> date | None: ...
    @property
    def agreed_gate(self) -> date | None: ...
    @property
    def late_gate(self) -> date | None: ...
    @property
    def next_due(self) -> date | None: ...
    @property
    def budget_minor(self) -> int | None: ...
    @property
    def budget_late_minor(self) -> int | None: ...
    @property
    def spent_minor(self) -> int: ...
    @property
    def spent_unknown(self) -> int: ...
    @property
    def allowed_minor(self) -> int | None: ...
    @property
    def earned_minor(self) -> int: ...
    @property
    def minutes(self) -> int: ...
    @property
    def budget_minutes(self) -> int | None: ...
    @property
    def open_alerts(self) -> int: ...


NOTHING_AGREED: Final = HealthView(health=Health.UNKNOWN, reasons=("Nothing is agreed yet to measure it by.",))
_ON_TRACK: Final = HealthView(health=Health.ON_TRACK, reasons=())


def health_of(standing: Measured | None, *, today: date) -> HealthView:
    """`standing` None: no plan was agreed. `today`: the agency's day."""
    if standing is None:
        return NOTHING_AGREED
    late = tuple(_late(standing, today))
    risks = tuple(_at_risk(standing, today))
    if late:
        return HealthView(health=Health.LATE, reasons=(*late, *risks))
    return HealthView(health=Health.AT_RISK, reasons=risks) if risks else _ON_TRACK


def _late(standing: Measured, today: date) -> Iterator[str]:
    planned, latest = standing.planned_gate, standing.late_gate
    if planned is None or standing.phase is None:
        return
    gate = f"The gate of {standing.phase.label.lower()}"
    if planned < today:
        yield f"{gate} was planned for {_day(planned)}, {_days(today, planned)} ago."
    if latest is not None and planned > latest:
        yield f"{gate} is planned {_days(planned, latest)} after {_day(latest)}, the latest day the plan allowed for."


def _at_risk(standing: Measured, today: date) -> Iterator[str]:
    planned, agreed, latest = standing.planned_gate, standing.agreed_gate, standing.late_gate
    if standing.state is PhaseState.BLOCKED and standing.phase is not None:
        yield f"Phase {standing.phase.number}, {standing.phase.label.lower()}, is blocked."
    if planned is not None and agreed is not None and agreed < planned and not (latest and planned > latest):
        yield f"The next gate is planned {_days(planned, agreed)} later than agreed."
    if standing.next_due is not None and standing.next_due < today:
        yield f"A condition or a client’s input has been due for {_days(today, standing.next_due)}."
    yield from _cost(standing)
    if standing.open_alerts:
        yield f"{standing.open_alerts} {'alert waits' if standing.open_alerts == 1 else 'alerts wait'} for an answer."


def _cost(standing: Measured) -> Iterator[str]:
    spent, floor = standing.spent_minor, "At least " if standing.spent_unknown else ""
    if standing.budget_minor and spent > standing.budget_minor:
        share = f"{floor}{spent / standing.budget_minor:.0%} of the budget is spent"
        over = standing.budget_late_minor is not None and spent > standing.budget_late_minor
        yield f"{share}, more than four plans in five need." if over else f"{share}."
    elif standing.allowed_minor and spent > standing.allowed_minor and standing.phase is not None:
        # A phase earns nothing before its gate, so within one the bare cost index would call every engagement late.
        allowed = f"what the plan allows up to the end of {standing.phase.label.lower()}"
        yield f"{floor}{spent / standing.allowed_minor:.0%} of {allowed} is spent."
    if standing.budget_minutes and standing.minutes > standing.budget_minutes:
        yield f"{standing.minutes / standing.budget_minutes:.0%} of the hours are used."


def _days(later: date, earlier: date) -> str:
    count = (later - earlier).days
    return f"{count} {'day' if count == 1 else 'days'}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
