"""The part of a proposal that says what it is worth: three cases, their benefits, and serving over volume."""

from collections.abc import Iterator, Sequence
from itertools import permutations

from engagements.proposals.view import BenefitView, CaseView, ServingCrossing, ServingCurve, ValueView
from estimator.brief.stated import usd_per_unit
from estimator.estimating import Estimate
from estimator.figures import Figure
from estimator.inference import ServingOption
from estimator.money import Money
from estimator.roi import CaseResult, Roi
from estimator.routes import RouteEstimate

_CASES = {"low": "Low", "expected": "Expected", "high": "High"}


def value_of(estimate: Estimate, roi: Roi, route: RouteEstimate) -> ValueView:
    """The return on investment as a client reads it; an unknown benefit says what is missing."""
    currency = estimate.brief.commercial.currency
    kinds, curves = roi.cases[0].benefits, tuple(_curves(estimate, route))
    return ValueView(
        cases=tuple(_case(found, currency) for found in roi.cases),
        benefits=tuple(
            BenefitView(
                name=kind.name,
                amounts=tuple(_money(found.benefits[index].monthly, currency) for found in roi.cases),
                missing=kind.missing,
            )
            for index, kind in enumerate(kinds)
        ),
        horizon_months=roi.horizon_months,
        horizon_reason=roi.horizon_reason,
        discount_rate=estimate.brief.value.discount_rate_percent / 100,
        break_even_requests=roi.break_even_requests.value,
        requests_per_month=estimate.brief.traffic.requests_per_month,
        serving=curves,
        crossings=tuple(_crossings(curves)),
    )


def _case(found: CaseResult, currency: str) -> CaseView:
    return CaseView(
        name=_CASES[found.case.value],
        monthly_benefit=_money(found.monthly_benefit, currency),
        monthly_cost=_money(found.monthly_cost, currency),
        npv=_money(found.npv, currency),
        payback_month=found.payback_month,
        return_share=found.roi.value,
        cumulative=tuple(float(amount) for amount in found.cumulative),
    )


def _money(figure: Figure, currency: str) -> Money | None:
    return None if figure.value is None else Money.of(figure.value, currency)


def _curves(estimate: Estimate, route: RouteEstimate) -> Iterator[ServingCurve]:
    """The prompted base, the chosen route and the cheapest other way that differs from it in kind."""
    yield from _curve(estimate, estimate.base_serving, estimate.base_serving.name)
    if route.serving is not None:
        yield from _curve(estimate, route.serving, f"Tuned, {route.name.partition(',')[0].partition(' (')[0]}")
    by_gpu = [
        other
        for other in estimate.routes
        if other.usable and other.key != route.key and other.serving is not None and other.serving.gpus is not None
        and other.serving.monthly.known
    ]  # fmt: skip
    if by_gpu and (route.serving is None or route.serving.gpus is None):
        cheapest = min(by_gpu, key=lambda other: other.serving.monthly.require() if other.serving else 0)
        if cheapest.serving is not None:
            yield from _curve(estimate, cheapest.serving, "Tuned, own GPU")


def _curve(estimate: Estimate, option: ServingOption, name: str) -> Iterator[ServingCurve]:
    rate = usd_per_unit(estimate.brief).require()
    if option.fixed_month.value is not None and option.per_request.value is not None:
        yield ServingCurve(
            name=name,
            fixed_month=float(option.fixed_month.value / rate),
            per_request=float(option.per_request.value / rate),
        )


def _crossings(curves: Sequence[ServingCurve]) -> Iterator[ServingCrossing]:
    for cheaper, dearer in permutations(curves, 2):
        saved_per_request = cheaper.per_request - dearer.per_request
        dearer_by = dearer.fixed_month - cheaper.fixed_month
        if saved_per_request > 0 and dearer_by > 0:
            requests = dearer_by / saved_per_request
            yield ServingCrossing(
                dearer_first=dearer.name,
                cheaper_first=cheaper.name,
                requests=requests,
                cost_month=dearer.cost(requests),
            )
