"""The three cases: benefit and cost by month, discounted; payback; the volume that pays for it all."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import accumulate

from estimator.brief import Brief
from estimator.brief.stated import stated, usd_per_unit
from estimator.figures import Figure, Kind, Term, modelled, total
from estimator.inference import covering_requests
from estimator.roi.benefits import ServingChange, benefits_of, counted, monthly_benefit
from estimator.roi.cash import (
    Timing,
    monthly_discount_rate,
    payback_month,
    present_value,
    shares_of_benefit,
    shares_of_cost,
)
from estimator.roi.model import Case, CaseResult, Outlay, Roi


def return_on_investment(brief: Brief, *, outlay: Outlay, serving: ServingChange, timing: Timing) -> Roi:
    """The three cases and the volume at which the expected one is worth nothing."""
    rate = monthly_rate(brief)
    results = tuple(_case(case, brief, outlay, serving, timing, rate) for case in Case)
    expected = next(result for result in results if result.case is Case.EXPECTED)
    return Roi(
        cases=results,
        horizon_months=timing.horizon,
        horizon_reason=timing.horizon_reason,
        monthly_rate=rate,
        break_even_requests=_break_even(brief, expected, serving, _benefit_months(expected.case, brief, timing, rate)),
    )


def expected_benefit(brief: Brief, timing: Timing, serving: ServingChange) -> Figure:
    """Present value of all expected benefits, before anything is paid: what a value-based price takes a share of."""
    case, rate = Case.EXPECTED, monthly_rate(brief)
    monthly = monthly_benefit(case, brief, benefits_of(brief, case, serving))
    created = monthly * _benefit_months(case, brief, timing, rate)
    return created.named("roi.value_created", brief.commercial.currency, "Present value of all benefits")


def monthly_rate(brief: Brief) -> Figure:
    """The brief's yearly discount rate by the month."""
    yearly = stated(brief, "value.discount_rate_percent", "% per year", "Discount rate")
    return Figure(
        key="roi.monthly_rate",
        value=monthly_discount_rate(yearly.require() / 100),
        unit="per month",
        kind=Kind.DERIVED,
        label="Discount rate per month",
        formula=f"(1 + {yearly.key} / 100) ** (1 / 12) - 1",
        inputs=(yearly,),
    )


def _case(case: Case, brief: Brief, outlay: Outlay, serving: ServingChange, timing: Timing, rate: Figure) -> CaseResult:
    key, currency = f"roi.{case}", brief.commercial.currency
    benefits = benefits_of(brief, case, serving)
    monthly = monthly_benefit(case, brief, benefits)
    retraining = outlay.retraining / outlay.retrain_every_months
    cost = (outlay.management_per_month + retraining).named(f"{key}.monthly_cost", currency, "Care and retraining")
    present = (monthly * _benefit_months(case, brief, timing, rate)).named(f"{key}.present_benefit", currency)
    price = outlay.price_at_most if case is Case.LOW else outlay.price
    paid = (price + cost * _cost_months(case, outlay, timing, rate)).named(f"{key}.present_cost", currency)
    npv = (present - paid).named(f"{key}.npv", currency, "Net present value")
    cash = list(_cash(case, brief, outlay, timing, price, monthly, cost)) if npv.known else []
    return CaseResult(
        case=case,
        benefits=benefits,
        monthly_benefit=monthly,
        monthly_cost=cost,
        go_live_month=_go_live(case, timing),
        cumulative=tuple(accumulate(cash)),
        npv=npv,
        present_benefit=present,
        present_cost=paid,
        payback_month=payback_month(cash),
        roi=(npv / paid).named(f"{key}.roi", "share", "Return on investment"),
    )


def _go_live(case: Case, timing: Timing) -> int:
    return timing.go_live_p80 if case is Case.LOW else timing.go_live_p50


def _benefit_months(case: Case, brief: Brief, timing: Timing, rate: Figure) -> Figure:
    """How many months of full benefit, paid today, the months of service are worth."""
    live, ramp = _go_live(case, timing), brief.value.ramp_months
    shares = shares_of_benefit(go_live=live, ramp=ramp, horizon=timing.horizon)
    source = f"sum of share / (1 + rate) ** month up to month {timing.horizon}; live in month {live}, ramp {ramp}"
    return _discounted(f"roi.{case}.benefit_months", shares, rate, source)


def _cost_months(case: Case, outlay: Outlay, timing: Timing, rate: Figure) -> Figure:
    paid_until = _paid_until(case, outlay, timing)
    shares = shares_of_cost(paid_until=paid_until, horizon=timing.horizon)
    source = f"sum of 1 / (1 + rate) ** month from month {paid_until + 1} to month {timing.horizon}"
    return _discounted(f"roi.{case}.cost_months", shares, rate, source)


def _discounted(key: str, shares: Sequence[Decimal], rate: Figure, source: str) -> Figure:
    months = present_value(shares, rate.require())
    return modelled(key, months, "months", source=source, inputs=(rate,), label="Months, discounted")


def _paid_until(case: Case, outlay: Outlay, timing: Timing) -> int:
    return _go_live(case, timing) + outlay.management_paid_months


def _cash(
    case: Case, brief: Brief, outlay: Outlay, timing: Timing, price: Figure, monthly: Figure, cost: Figure
) -> Iterator[Decimal]:
    """What each month brings less what it costs; the price falls due at the start."""
    gains = shares_of_benefit(go_live=_go_live(case, timing), ramp=brief.value.ramp_months, horizon=timing.horizon)
    care = shares_of_cost(paid_until=_paid_until(case, outlay, timing), horizon=timing.horizon)
    for month, (gained, charged) in enumerate(zip(gains, care, strict=True)):
        paid = Decimal(0) if month else price.require()
        yield gained * monthly.require() - charged * cost.require() - paid


def _break_even(brief: Brief, expected: CaseResult, serving: ServingChange, months: Figure) -> Figure:
    """In US dollars: the present cost spread over the months of benefit, and what serving costs on top."""
    *_, inference = expected.benefits
    known = [benefit.per_request for benefit in counted(expected.benefits)]
    gain: Term = total(known) if known else expected.benefits[0].per_request + 0
    owed = expected.present_cost / months * usd_per_unit(brief)
    served = serving.tuned if inference.monthly.known else None
    return covering_requests(
        "roi.break_even_requests",
        fixed=owed - serving.base.fixed_month if served else owed,
        gain=(gain * usd_per_unit(brief)).named("roi.break_even.gain", "USD", "Known benefit of one request"),
        option=served,
        label="Volume at which the engagement pays for itself",
    )
