"""How the budget burns: by phase in hours and money, how fast, and on what day it is used up at that speed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from sqlmodel import Session, col, func, select

from engagements.actuals.models import CostEntry, TimeEntry
from engagements.actuals.rates import currency_of
from engagements.actuals.totals import Taken, sum_of, taken_by_phase
from engagements.delivery.models import Baseline
from engagements.delivery.standing import minor
from engagements.proposals.thawed import thaw
from estimator.budget import Budget
from estimator.calendar import WorkCalendar
from estimator.phases import Phase

WINDOW: Final = 20
"""Working days over which the burn rate is averaged: four weeks, so that one slow week does not decide."""
_LATE: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnLine:
    """A phase, or the whole (`phase` None), against its budget. None where no budget was agreed. Minor units."""

    phase: Phase | None
    budget_minor: int | None
    budget_late_minor: int | None
    budget_minutes: int | None
    taken: Taken

    @property
    def remaining_minor(self) -> int | None:
        return None if self.budget_minor is None else self.budget_minor - self.taken.spent_minor

    @property
    def cost_share(self) -> float | None:
        """Of the mean cost agreed; None where none was, or nothing."""
        return self.taken.spent_minor / self.budget_minor if self.budget_minor else None

    @property
    def hours_share(self) -> float | None:
        return self.taken.minutes / self.budget_minutes if self.budget_minutes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """`phases` in order; their sums are `whole`."""

    currency: str
    phases: tuple[BurnLine, ...]
    whole: BurnLine

    def of(self, phase: Phase) -> BurnLine | None:
        return next((line for line in self.phases if line.phase is phase), None)


def budget_of(baseline: Baseline) -> Budget | None:
    """What was frozen with the proposal; None where it was sent without."""
    return thaw(Budget, baseline.budget) if baseline.budget else None


def burn_of(session: Session, baseline: Baseline, *, today: date) -> Burn:
    """Everything logged up to today against the baseline that holds. Two statements."""
    taken = taken_by_phase(session, baseline.engagement_id, until=today)
    return burn_against(budget_of(baseline), currency_of(baseline), taken)


def burn_against(budget: Budget | None, currency: str, taken: Mapping[Phase, Taken]) -> Burn:
    """The same, purely. A phase that has no budget is there as soon as something was logged on it."""
    budgeted = {each.phase for each in budget.phases} if budget else set()
    lines = tuple(
        _line(budget, currency, phase, taken.get(phase, Taken()))
        for phase in Phase
        if phase in budgeted or phase in taken
    )
    known = [line for line in lines if line.budget_minor is not None]
    whole = BurnLine(
        phase=None,
        budget_minor=sum(line.budget_minor or 0 for line in known) if budget else None,
        budget_late_minor=minor(budget.cost.quantile(_LATE), currency) if budget else None,
        budget_minutes=sum(line.budget_minutes or 0 for line in known) if budget else None,
        taken=sum_of(taken),
    )
    return Burn(currency=currency, phases=lines, whole=whole)


def _line(budget: Budget | None, currency: str, phase: Phase, taken: Taken) -> BurnLine:
    own = budget.of(phase) if budget else None
    if own is None:
        return BurnLine(phase=phase, budget_minor=None, budget_late_minor=None, budget_minutes=None, taken=taken)
    return BurnLine(
        phase=phase,
        budget_minor=minor(own.cost.mean, currency),
        budget_late_minor=minor(own.cost.quantile(_LATE), currency),
        budget_minutes=round(60 * own.hours.mean),
        taken=taken,
    )


class Confidence(StrEnum):
    """Of a projected day: `high` from 20 working days with entries on 10 of them, `medium` from 10 and 5."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """`daily_minor`: spent a working day over the last `WINDOW` of them. `used_up_on` None: not at this pace."""

    daily_minor: float
    working_days: int
    used_up_on: date | None
    confidence: Confidence


def pace_of(
    spent_by_day: Mapping[date, int], *, remaining_minor: int | None, unknown: int, calendar: WorkCalendar, today: date
) -> Pace | None:
    """None before anything was spent. What was spent on a day off counts to the window it lies in."""
    days = sorted(day for day, spent in spent_by_day.items() if spent)
    if not days:
        return None
    begin = max(days[0], _working_days_back(calendar, today, WINDOW))
    worked = max(1, calendar.count(begin, today))
    recent = [day for day in days if begin <= day <= today]
    daily = sum(spent_by_day[day] for day in recent) / worked
    used_up = None
    if remaining_minor is not None and (daily > 0 or remaining_minor <= 0):
        ahead = int(remaining_minor // daily) if remaining_minor > 0 else 0
        # Beyond ten years a pace says nothing.
        used_up = calendar.after(today + timedelta(days=1), ahead) if 0 < ahead < 2_600 else None
        used_up = today if remaining_minor <= 0 or ahead == 0 else used_up
    return Pace(
        daily_minor=daily, working_days=worked, used_up_on=used_up,
        confidence=_confidence(worked, len(recent), unknown),
    )  # fmt: skip


def _confidence(worked: int, days: int, unknown: int) -> Confidence:
    if worked >= WINDOW and days >= WINDOW // 2 and not unknown:
        return Confidence.HIGH
    return Confidence.MEDIUM if worked >= WINDOW // 2 and days >= WINDOW // 4 else Confidence.LOW


def _working_days_back(calendar: WorkCalendar, today: date, count: int) -> date:
    """The first of the last so many working days up to today."""
    day, left = today, count
    while True:
        left -= calendar.is_working_day(day)
        if left <= 0:
            return day
        day -= timedelta(days=1)


def spent_by_day(session: Session, engagement_id: str, *, phases: Iterable[Phase] | None = None) -> dict[date, int]:
    """Known money of every day, in minor units; of all phases, or of these. Two statements."""
    wanted, found = set(Phase if phases is None else phases), dict[date, int]()
    time = select(col(TimeEntry.day), col(TimeEntry.phase), func.sum(TimeEntry.spent_minor))
    costs = select(col(CostEntry.day), col(CostEntry.phase), func.sum(CostEntry.amount_minor))
    for rows in (
        session.exec(
            time.where(TimeEntry.engagement_id == engagement_id).group_by(col(TimeEntry.day), col(TimeEntry.phase))
        ),
        session.exec(
            costs.where(CostEntry.engagement_id == engagement_id).group_by(col(CostEntry.day), col(CostEntry.phase))
        ),
    ):
        for day, phase, amount in rows:
            if phase in wanted and amount is not None:
                found[day] = found.get(day, 0) + int(amount)
    return found
