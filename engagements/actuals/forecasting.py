"""The facts of the forecast: what each phase has cost and how long it took, laid into the budget that was agreed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlmodel import Session

from engagements.actuals.burn import budget_of
from engagements.actuals.earning import ENDED
from engagements.actuals.totals import Taken, sum_of, taken_by_phase
from engagements.delivery.days import calendar_of
from engagements.delivery.models import Baseline, PhaseRecord, PhaseState
from engagements.delivery.opening import phases_of
from engagements.delivery.standing import latest_baseline, minor
from estimator import forecast
from estimator.budget import Budget
from estimator.calendar import WorkCalendar
from estimator.forecast import Range, forecast_cost, forecast_days
from estimator.money import minor_digits
from estimator.phases import DELIVERY, Phase

_BEGUN: Final = frozenset({PhaseState.IN_PROGRESS, PhaseState.BLOCKED, PhaseState.GATE_REVIEW})


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRange:
    """Minor units."""

    p10: int
    p50: int
    p80: int
    p90: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRange:
    p10: date
    p50: date
    p80: date
    p90: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Where an engagement will end. `phases` and `gates`: of what is not done.

    `is_floor`: somebody logged a cost nobody knows yet, so money is a floor. `budget_minor`: the mean agreed.
    """

    currency: str
    total: CostRange
    phases: Mapping[Phase, CostRange]
    gates: Mapping[Phase, DayRange]
    budget_minor: int
    is_floor: bool

    @property
    def end(self) -> DayRange | None:
        """Of the last gate; None where every gate has passed."""
        return list(self.gates.values())[-1] if self.gates else None


def forecast_of(session: Session, engagement_id: str, *, today: date) -> Forecast | None:
    """None where no budget was agreed."""
    baseline = latest_baseline(session, engagement_id)
    budget = budget_of(baseline) if baseline else None
    if baseline is None or budget is None:
        return None
    phases = phases_of(session, engagement_id)
    return forecast_with(baseline, budget, phases, taken_by_phase(session, engagement_id), today=today)


def forecast_with(
    baseline: Baseline, budget: Budget, phases: Sequence[PhaseRecord], taken: Mapping[Phase, Taken], *, today: date
) -> Forecast:
    """Where a gate stopped the engagement, what is ahead of it costs nothing."""
    stopped = any(row.state is PhaseState.STOPPED for row in phases)
    final = {row.phase for row in phases if row.state in ENDED or stopped}
    digits = 10 ** minor_digits(budget.currency)
    costs = {
        phase: forecast.Taken(amount=max(0, taken.get(phase, Taken()).spent_minor) / digits, final=phase in final)
        for phase in Phase
    }
    found, whole = forecast_cost(budget, costs), sum_of(taken)
    beside = sum(each.spent_minor for phase, each in taken.items() if budget.of(phase) is None) / digits
    return Forecast(
        currency=budget.currency,
        total=_money(found.total.plus(beside), budget.currency),
        phases={phase: _money(each, budget.currency) for phase, each in found.phases.items()},
        gates={} if stopped else _gates(budget, phases, calendar_of(baseline), today),
        budget_minor=sum(minor(each.cost.mean, budget.currency) for each in budget.phases),
        is_floor=whole.unknown > 0,
    )


def _gates(budget: Budget, phases: Sequence[PhaseRecord], calendar: WorkCalendar, today: date) -> dict[Phase, DayRange]:
    """By phase that ends and has not; each begins on the working day after the gate before it."""
    ahead = [row for row in phases if row.phase in DELIVERY and row.state not in ENDED and budget.of(row.phase)]
    if not ahead:
        return {}
    current = ahead[0]
    begin = current.actual_begin if current.state in _BEGUN and current.actual_begin else _begin(current, today)
    passed = max(0, calendar.count(begin, today) - 1) if begin <= today else 0
    facts = {row.phase: taken for row in phases if (taken := _days_taken(row, budget, calendar)) is not None}
    facts[current.phase] = forecast.Taken(amount=passed, final=False)
    ranges = forecast_days(budget, facts)
    return {
        row.phase: DayRange(
            **{
                name: max(today, calendar.after(begin, round(getattr(ranges[row.phase], name))))
                for name in ("p10", "p50", "p80", "p90")
            }
        )
        for row in ahead
        if row.phase in ranges
    }


def _begin(row: PhaseRecord, today: date) -> date:
    """Of a phase that has not begun: the day planned, today at the earliest."""
    return max(today, row.planned_begin or today)


def _days_taken(row: PhaseRecord, budget: Budget, calendar: WorkCalendar) -> forecast.Taken | None:
    """Of a phase that has ended; where its days are not known it says nothing about the others."""
    own = budget.of(row.phase)
    if row.state not in ENDED or own is None or own.days is None:
        return None
    if row.actual_begin is None or row.actual_end is None:
        return forecast.Taken(amount=own.days.quantile(0.5), final=True)
    return forecast.Taken(amount=calendar.count(row.actual_begin, row.actual_end), final=True)


def _money(each: Range, currency: str) -> CostRange:
    return CostRange(**{name: minor(getattr(each, name), currency) for name in ("p10", "p50", "p80", "p90")})
