"""The internal edition: what was spent against the budget, what was earned for it, and where it will end.

Only for who may see cost. Money is our cost, but for `price`; None is not known or not defined.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from sqlmodel import Session

from engagements.actuals.burn import Burn, BurnLine, burn_of
from engagements.actuals.earned import EarnedValue
from engagements.actuals.earning import Earned, earned_of
from engagements.actuals.forecasting import DayRange, Forecast, forecast_of
from engagements.delivery.health import HealthView, health_of
from engagements.delivery.models import Baseline, Standing
from engagements.reports.facts import PriceFact
from estimator.money import Money

_WHOLE: Final = "Whole engagement"
_MINUTES: Final = Decimal(60)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLine:
    """A phase, or the whole. `unknown`: entries whose cost nobody knows; then `spent` is a floor."""

    name: str
    budget: Money | None
    spent: Money
    share: Decimal | None
    budget_hours: Decimal | None
    hours: Decimal
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueLine:
    """Earned value as of a day (PMI's terms)."""

    name: str
    day: date
    bac: Money
    pv: Money
    ev: Money
    ac: Money
    cpi: Decimal | None
    spi: Decimal | None
    eac: Money | None
    tcpi: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A sum that rises over the days."""

    name: str
    points: tuple[tuple[date, Money], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Our whole cost and the last gate, from what is done and the distributions that were agreed.

    `margin`: of the price agreed today at the cost expected (P50).
    """

    p10: Money
    p50: Money
    p80: Money
    p90: Money
    budget: Money
    margin: Decimal | None
    end: DayRange | None
    is_floor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """`health`: with cost and hours, which the client's own does not count."""

    health: HealthView
    lines: tuple[BudgetLine, ...]
    values: tuple[ValueLine, ...]
    courses: tuple[Course, ...]
    outlook: Outlook | None


def inside_of(session: Session, baseline: Baseline, price: PriceFact | None, *, today: date) -> Inside:
    burn = burn_of(session, baseline, today=today)
    earned = earned_of(session, baseline, today=today)
    forecast = forecast_of(session, baseline.engagement_id, today=today)
    return Inside(
        health=health_of(session.get(Standing, baseline.engagement_id), today=today),
        lines=tuple(_line(line, burn) for line in (*burn.phases, burn.whole)),
        values=tuple(_values(earned)) if earned else (),
        courses=_courses(earned, today) if earned else (),
        outlook=_outlook(forecast, price) if forecast else None,
    )


def _line(line: BurnLine, burn: Burn) -> BudgetLine:
    return BudgetLine(
        name=line.phase.label if line.phase else _WHOLE,
        budget=None if line.budget_minor is None else Money(line.budget_minor, burn.currency),
        spent=Money(line.taken.spent_minor, burn.currency),
        share=None if line.cost_share is None else Decimal(str(round(line.cost_share, 6))),
        budget_hours=None if line.budget_minutes is None else line.budget_minutes / _MINUTES,
        hours=line.taken.minutes / _MINUTES,
        unknown=line.taken.unknown,
    )


def _values(earned: Earned) -> Sequence[ValueLine]:
    now = _value("Today", earned.now.day, earned.now.value, earned.currency)
    if earned.at_gate is None:
        return [now]
    return [_value("At the last gate", earned.at_gate.day, earned.at_gate.value, earned.currency), now]


def _value(name: str, day: date, value: EarnedValue, currency: str) -> ValueLine:
    def money(minor: Decimal) -> Money:
        return Money(round(minor), currency)

    return ValueLine(
        name=name, day=day, bac=money(value.bac), pv=money(value.pv), ev=money(value.ev), ac=money(value.ac),
        cpi=value.cpi, spi=value.spi, eac=None if value.eac_typical is None else money(value.eac_typical),
        tcpi=value.tcpi,
    )  # fmt: skip


def _courses(earned: Earned, today: date) -> tuple[Course, ...]:
    """What is planned to the end, what was earned and spent until today."""
    spent, won, begin = earned.now.value.ac, earned.now.value.ev, earned.curve.days[0]
    return (
        _course("Planned", zip(earned.curve.days, earned.curve.planned, strict=True), earned.currency),
        _course("Spent", [*earned.spent, (today, spent)], earned.currency),
        _course("Earned", sorted([(begin, 0), *_stepped(earned.earned), (today, won)], key=_by_day), earned.currency),
    )


def _by_day(point: tuple[date, Decimal | int]) -> date:
    return point[0]


def _stepped(points: Sequence[tuple[date, int]]) -> list[tuple[date, int]]:
    """Nothing is earned between two gates: the sum before stands beside the sum after."""
    before = [0, *(amount for _, amount in points)]
    return [each for (day, amount), was in zip(points, before, strict=False) for each in ((day, was), (day, amount))]


def _course(name: str, points: Iterable[tuple[date, Decimal | int]], currency: str) -> Course:
    return Course(name=name, points=tuple((day, Money(round(amount), currency)) for day, amount in points))


def _outlook(forecast: Forecast, price: PriceFact | None) -> Outlook:
    p10, p50, p80, p90 = (
        Money(minor, forecast.currency)
        for minor in (forecast.total.p10, forecast.total.p50, forecast.total.p80, forecast.total.p90)
    )
    sold = price.now if price is not None and price.now.currency == forecast.currency else None
    return Outlook(
        p10=p10, p50=p50, p80=p80, p90=p90, budget=Money(forecast.budget_minor, forecast.currency),
        margin=(sold - p50).amount / sold.amount if sold is not None and sold.minor else None, end=forecast.end,
        is_floor=forecast.is_floor,
    )  # fmt: skip
