"""Flows by month: when benefit and cost run, what they are worth today, when they have paid back."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import accumulate
from typing import Final

from estimator.brief import Brief

_WORKING_DAYS_PER_MONTH: Final = 21
"""52 weeks of five days, less about ten public holidays, over twelve months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Months from the start: when service begins (even odds, and four in five), and when it ends, with the reason."""

    go_live_p50: int
    go_live_p80: int
    horizon: int
    horizon_reason: str


def timing_of(brief: Brief, *, go_live_p50: int, go_live_p80: int, months_to_shutdown: int | None) -> Timing:
    """The horizon ends with the planned service, or with the model if that is sooner."""
    planned = go_live_p50 + brief.project.serving_months
    cut = months_to_shutdown is not None and months_to_shutdown < planned
    return Timing(
        go_live_p50=go_live_p50,
        go_live_p80=go_live_p80,
        horizon=months_to_shutdown if months_to_shutdown is not None and cut else planned,
        horizon_reason="the model's announced shutdown" if cut else "the planned end of service",
    )


def months_of(working_days: float) -> int:
    """Whole months that so many working days take, rounded up."""
    days = Decimal(str(working_days)) / _WORKING_DAYS_PER_MONTH
    return int(days.to_integral_value(ROUND_CEILING))


def shares_of_benefit(*, go_live: int, ramp: int, horizon: int) -> list[Decimal]:
    """How much of the full benefit each month brings: nothing up to going live, then an even rise over the ramp."""
    risen = (Decimal(month - go_live) / max(ramp, 1) for month in range(horizon + 1))
    return [min(Decimal(1), max(Decimal(0), share)) for share in risen]


def shares_of_cost(*, paid_until: int, horizon: int) -> list[Decimal]:
    """Whether a month of care is to be paid: not while it is in the price, then every month."""
    return [Decimal(month > paid_until) for month in range(horizon + 1)]


def monthly_discount_rate(yearly: Decimal) -> Decimal:
    """(1 + r)^(1/12) - 1: 10 % a year is 0.797 % a month."""
    return (1 + yearly) ** (Decimal(1) / 12) - 1


def present_value(cash: Sequence[Decimal], monthly_rate: Decimal) -> Decimal:
    """Sum of CF_t / (1 + r)^t, the first entry at t = 0."""
    return sum((flow / (1 + monthly_rate) ** month for month, flow in enumerate(cash)), Decimal(0))


def payback_month(cash: Sequence[Decimal]) -> int | None:
    """The first month in which the sum of all flows is no longer negative; None means never."""
    return next((month for month, summed in enumerate(accumulate(cash)) if summed >= 0), None)
