"""What the engagement is worth to the client: benefit by month, payback, net present value, and the low case.

A benefit nobody could put a number on stays out of the sum and is named; it is never counted as zero in silence. The
horizon ends with the planned service or with the model's announced shutdown, whichever comes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from itertools import accumulate
from typing import Final

from estimator.brief import Brief
from estimator.brief.stated import requests_per_month, stated
from estimator.figures import Figure, Kind, assumed, total

_WORKING_DAYS_PER_MONTH: Final = 21


class Case(StrEnum):
    LOW = "low"
    EXPECTED = "expected"
    HIGH = "high"


_POINT: Final = {Case.LOW: "low", Case.EXPECTED: "likely", Case.HIGH: "high"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """One source of benefit, per month at full volume. An unknown one says what is missing."""

    name: str
    monthly: Figure
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One case. Money in the client's currency; `cumulative` by month from the start, the price paid at month 0."""

    case: Case
    benefits: tuple[Benefit, ...]
    monthly_benefit: Figure
    monthly_cost: Figure
    go_live_month: int
    cumulative: tuple[Decimal, ...]
    npv: Figure
    present_benefit: Figure
    payback_month: int | None
    roi: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Roi:
    """Three cases over one horizon (months from the start). `break_even_requests` per month, where NPV is zero."""

    cases: tuple[CaseResult, ...]
    horizon_months: int
    horizon_reason: str
    monthly_rate: Figure
    break_even_requests: Figure

    def of(self, case: Case) -> CaseResult:
        return next(result for result in self.cases if result.case is case)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlay:
    """What the client pays besides the price: care and retraining by month, once the paid months are over."""

    price: Figure
    management_per_month: Figure
    management_paid_months: int
    retraining: Figure
    retrain_every_months: int


def monthly_discount_rate(yearly: Decimal) -> Decimal:
    """(1 + r)^(1/12) - 1: 10 % a year is 0.797 % a month."""
    return (1 + yearly) ** (Decimal(1) / 12) - 1


def present_value(cash: Sequence[Decimal], monthly_rate: Decimal) -> Decimal:
    """Sum of CF_t / (1 + r)^t, the first entry at t = 0."""
    return sum((flow / (1 + monthly_rate) ** month for month, flow in enumerate(cash)), Decimal(0))


def payback_month(cash: Sequence[Decimal]) -> int | None:
    """The first month in which the sum of all flows is no longer negative; None means never."""
    summed = Decimal(0)
    for month, flow in enumerate(cash):
        summed += flow
        if month and summed >= 0:
            return month
    return None


def months_of(working_days: float) -> int:
    """Whole months that so many working days take, rounded up."""
    days = Decimal(str(working_days)) / _WORKING_DAYS_PER_MONTH
    return int(days.to_integral_value(ROUND_CEILING))


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


def monthly_rate(brief: Brief) -> Figure:
    """The brief's yearly discount rate by the month."""
    yearly = stated("value.discount_rate_percent", brief.value.discount_rate_percent, "% per year", "Discount rate")
    return Figure(
        key="roi.monthly_rate",
        value=monthly_discount_rate(yearly.require() / 100),
        unit="per month",
        kind=Kind.DERIVED,
        label="Discount rate per month",
        formula=f"(1 + {yearly.key} / 100) ** (1 / 12) - 1",
        inputs=(yearly,),
    )


def expected_benefit(brief: Brief, timing: Timing, inference_saving: Figure) -> Figure:
    """Present value of all expected benefits, before anything is paid: what a value-based price takes a share of."""
    rate = monthly_rate(brief)
    monthly = _monthly_benefit(Case.EXPECTED, brief, benefits_of(brief, Case.EXPECTED, inference_saving))
    inflow = _inflow(monthly.value, timing.go_live_p50, timing.horizon, brief.value.ramp_months)
    value = None if inflow is None else present_value(inflow, rate.require())
    return _derived("roi.value_created", value, brief.commercial.currency, (monthly, rate))


def return_on_investment(brief: Brief, *, outlay: Outlay, inference_saving: Figure, timing: Timing) -> Roi:
    """The three cases. `inference_saving` per month in the client's currency, negative if serving costs more."""
    rate = monthly_rate(brief)
    results = tuple(_case(case, brief, outlay, inference_saving, timing, rate) for case in Case)
    expected = next(result for result in results if result.case is Case.EXPECTED)
    paid = expected.present_benefit - expected.npv
    return Roi(
        cases=results,
        horizon_months=timing.horizon,
        horizon_reason=timing.horizon_reason,
        monthly_rate=rate,
        break_even_requests=(requests_per_month(brief) * paid / expected.present_benefit).named(
            "roi.break_even_requests", "requests per month", "Volume at which the engagement pays for itself"
        ),
    )


def benefits_of(brief: Brief, case: Case, inference_saving: Figure) -> tuple[Benefit, ...]:
    """Review time saved, errors avoided and inference saved, per month at full volume."""
    return (
        _review_saving(brief, case),
        _errors_avoided(brief, case),
        Benefit(name="Inference", monthly=inference_saving, missing="" if inference_saving.known else "serving prices"),
    )


def _review_saving(brief: Brief, case: Case) -> Benefit:
    value, point = brief.value, _POINT[case]
    reviewed = stated("value.reviewed_percent", value.reviewed_percent, "%")
    minutes = getattr(value.minutes_saved, point) if value.minutes_saved else None
    saved = stated(f"value.minutes_saved.{point}", minutes, "minutes per request")
    wage = stated("value.labour_cost_per_hour", value.labour_cost_per_hour, f"{brief.commercial.currency} per hour")
    saving = requests_per_month(brief) * reviewed / 100 * saved / 60 * wage
    monthly = saving.named(f"roi.{case}.review", brief.commercial.currency, "Working time saved")
    missing = "" if monthly.known else "minutes saved and what an hour costs"
    return Benefit(name="Working time saved", monthly=monthly, missing=missing)


def _errors_avoided(brief: Brief, case: Case) -> Benefit:
    """The promised gain in full where expected; half of it in the low case."""
    task, currency = brief.task, brief.commercial.currency
    before = stated("task.baseline_percent", task.baseline_percent, "%")
    after = stated("task.target_percent", task.target_percent, "%")
    share = Decimal("0.5") if case is Case.LOW else Decimal(1)
    reached = assumed(
        f"roi.{case}.gain_reached", share, "share", source="our convention: half the gain in the low case"
    )
    cost = stated("value.cost_per_error", brief.value.cost_per_error, f"{currency} per error")
    avoided = requests_per_month(brief) * (after - before) / 100 * reached * cost
    monthly = avoided.named(f"roi.{case}.errors", currency, "Errors avoided")
    missing = "" if monthly.known else "the baseline and what an error costs"
    return Benefit(name="Errors avoided", monthly=monthly, missing=missing)


def _monthly_benefit(case: Case, brief: Brief, benefits: Sequence[Benefit]) -> Figure:
    """What is known of the benefit; nothing known is unknown, something known is at least that much."""
    counted = [benefit.monthly for benefit in benefits if benefit.monthly.known]
    summed = total(counted) if counted else benefits[0].monthly + 0
    return summed.named(f"roi.{case}.monthly_benefit", brief.commercial.currency, "Benefit per month at full volume")


def _case(
    case: Case, brief: Brief, outlay: Outlay, inference_saving: Figure, timing: Timing, rate: Figure
) -> CaseResult:
    key, currency = f"roi.{case}", brief.commercial.currency
    go_live = timing.go_live_p80 if case is Case.LOW else timing.go_live_p50
    benefits = benefits_of(brief, case, inference_saving)
    monthly = _monthly_benefit(case, brief, benefits)
    retraining = outlay.retraining / outlay.retrain_every_months
    cost = (outlay.management_per_month + retraining).named(f"{key}.monthly_cost", currency, "Care and retraining")
    inflow = _inflow(monthly.value, go_live, timing.horizon, brief.value.ramp_months)
    outflow = _outflow(outlay, cost.value, go_live, timing.horizon)
    known = inflow is not None and outflow is not None
    cash = [i - o for i, o in zip(inflow or [], outflow or [], strict=False)] if known else []
    present = None if inflow is None else present_value(inflow, rate.require())
    worth = present_value(cash, rate.require()) if known else None
    present_benefit = _derived(f"{key}.present_benefit", present, currency, (monthly, rate))
    npv = _derived(f"{key}.npv", worth, currency, (monthly, cost, outlay.price, rate))
    paid = (present_benefit - npv).named(f"{key}.present_cost", currency, "Present value of all costs")
    return CaseResult(
        case=case,
        benefits=benefits,
        monthly_benefit=monthly,
        monthly_cost=cost,
        go_live_month=go_live,
        cumulative=tuple(accumulate(cash)),
        npv=npv,
        present_benefit=present_benefit,
        payback_month=payback_month(cash),
        roi=(npv / paid).named(f"{key}.roi", "share", "Return on investment"),
    )


def _inflow(monthly: Decimal | None, go_live: int, months: int, ramp: int) -> list[Decimal] | None:
    """Benefit by month: nothing before going live, then rising evenly over the ramp to its full size."""
    if monthly is None:
        return None
    return [
        Decimal(0) if month <= go_live else monthly * min(Decimal(1), Decimal(month - go_live) / max(ramp, 1))
        for month in range(months + 1)
    ]


def _outflow(outlay: Outlay, monthly_cost: Decimal | None, go_live: int, months: int) -> list[Decimal] | None:
    """The price at the start, then care and retraining once the months paid with it are over."""
    price = outlay.price.value
    if price is None or monthly_cost is None:
        return None
    paid_until = go_live + outlay.management_paid_months
    return [price, *(monthly_cost if month > paid_until else Decimal(0) for month in range(1, months + 1))]


def _derived(key: str, value: Decimal | None, currency: str, inputs: tuple[Figure, ...]) -> Figure:
    return Figure(
        key=key,
        value=value,
        unit=currency,
        kind=Kind.DERIVED,
        formula="sum over months t of the cash flow / (1 + roi.monthly_rate) ** t",
        inputs=inputs,
    )
