"""How an engagement is doing, judged from the one row that lists show of it; pure, so thousands are judged at once.

Late: a day that was agreed is past, or will be missed by more than the plan allowed for. At risk: something says that
it may become so. Every reason is a sentence with its number.
"""

from collections.abc import Callable
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


NOTHING_AGREED: Final = "Nothing is agreed yet to measure it by."


@dataclass(frozen=True, slots=True)
class _Rule:
    """When it holds, and what it says then: a sentence is written only for who reads it."""

    holds: Callable[[Measured, date], object]
    says: Callable[[Measured, date], str]


def level_of(standing: Measured | None, *, today: date) -> Health:
    """The judgement alone. `standing` None: no plan was agreed. `today`: the agency's day."""
    if standing is None:
        return Health.UNKNOWN
    if any(rule.holds(standing, today) for rule in _LATE):
        return Health.LATE
    return Health.AT_RISK if any(rule.holds(standing, today) for rule in _AT_RISK) else Health.ON_TRACK


def health_of(standing: Measured | None, *, today: date) -> HealthView:
    """The judgement with its reasons; on track there are none."""
    if standing is None:
        return HealthView(health=Health.UNKNOWN, reasons=(NOTHING_AGREED,))
    reasons = tuple(rule.says(standing, today) for rule in (*_LATE, *_AT_RISK) if rule.holds(standing, today))
    return HealthView(health=level_of(standing, today=today), reasons=reasons)


def _is_past(row: Measured, today: date) -> bool:
    return row.phase is not None and row.planned_gate is not None and row.planned_gate < today


def _is_beyond_the_plan(row: Measured, _: date) -> bool:
    return row.planned_gate is not None and row.late_gate is not None and row.planned_gate > row.late_gate


def _is_later_than_agreed(row: Measured, today: date) -> bool:
    planned, agreed = row.planned_gate, row.agreed_gate
    return planned is not None and agreed is not None and agreed < planned and not _is_beyond_the_plan(row, today)


def _is_over_budget(row: Measured, _: date) -> bool:
    return bool(row.budget_minor) and row.spent_minor > (row.budget_minor or 0)


def _is_over_its_share(row: Measured, today: date) -> bool:
    # A phase earns nothing before its gate, so within one the bare cost index would call every engagement late.
    return bool(row.allowed_minor) and row.spent_minor > (row.allowed_minor or 0) and not _is_over_budget(row, today)


def _over_budget(row: Measured, _: date) -> str:
    share = f"{_floor(row)}{_share(row.spent_minor, row.budget_minor)} of the budget is spent"
    beyond = row.budget_late_minor is not None and row.spent_minor > row.budget_late_minor
    return f"{share}, more than four plans in five need." if beyond else f"{share}."


def _over_its_share(row: Measured, _: date) -> str:
    allowed = f"what the plan allows up to the end of {_phase(row)}"
    return f"{_floor(row)}{_share(row.spent_minor, row.allowed_minor)} of {allowed} is spent."


_LATE: Final = (
    _Rule(
        _is_past,
        lambda row, today: (
            f"The gate of {_phase(row)} was planned for {_day(row.planned_gate)}, {_days(today, row.planned_gate)} ago."
        ),
    ),
    _Rule(
        _is_beyond_the_plan,
        lambda row, _: (
            f"The gate of {_phase(row)} is planned {_days(row.planned_gate, row.late_gate)} after "
            f"{_day(row.late_gate)}, the latest day the plan allowed for."
        ),
    ),
)
_AT_RISK: Final = (
    _Rule(lambda row, _: row.state is PhaseState.BLOCKED, lambda row, _: f"The phase {_phase(row)} is blocked."),
    _Rule(
        _is_later_than_agreed,
        lambda row, _: f"The next gate is planned {_days(row.planned_gate, row.agreed_gate)} later than agreed.",
    ),
    _Rule(
        lambda row, today: row.next_due is not None and row.next_due < today,
        lambda row, today: f"A condition or a client’s input has been due for {_days(today, row.next_due)}.",
    ),
    _Rule(_is_over_budget, _over_budget),
    _Rule(_is_over_its_share, _over_its_share),
    _Rule(
        lambda row, _: row.budget_minutes and row.minutes > row.budget_minutes,
        lambda row, _: f"{_share(row.minutes, row.budget_minutes)} of the hours are used.",
    ),
    _Rule(
        lambda row, _: row.open_alerts,
        lambda row, _: f"{row.open_alerts} {'alert waits' if row.open_alerts == 1 else 'alerts wait'} for an answer.",
    ),
)


def _phase(row: Measured) -> str:
    return row.phase.label.lower() if row.phase is not None else "the plan"


def _floor(row: Measured) -> str:
    return "At least " if row.spent_unknown else ""


def _share(part: int, whole: int | None) -> str:
    assert whole, "a share of nothing was asked for"
    return f"{part / whole:.0%}"


def _days(later: date | None, earlier: date | None) -> str:
    assert later is not None, "a rule that holds has its days"
    assert earlier is not None, "a rule that holds has its days"
    count = (later - earlier).days
    return f"{count} {'day' if count == 1 else 'days'}"


def _day(day: date | None) -> str:
    assert day is not None, "a rule that holds has its days"
    return f"{day.day} {day:%b %Y}"
