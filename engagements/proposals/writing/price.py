"""The part of a proposal that says what it costs the client: options, payments, compute with its cap."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import Final

from engagements.proposals.method import Method
from engagements.proposals.view import (
    ComputeView,
    HourlyRate,
    InstalmentView,
    OptionalView,
    OptionHead,
    OptionLine,
    PriceView,
    TaxRow,
    UnitPrice,
)
from estimator.brief import PricingModel
from estimator.brief.stated import usd_per_unit
from estimator.errors import UnknownName
from estimator.estimating import Estimate
from estimator.figures import Figure, Kind
from estimator.hardware import find_model
from estimator.money import Money, sum_of
from estimator.quote import Due, Instalment, PricedOption, Quote
from estimator.routes import RouteEstimate
from estimator.schedule import add_months

_CAP_STEP: Final = 10
_TENTHS: Final = 1000
_FLOPS_PER_PARAMETER: Final = 6


def price_of(estimate: Estimate, quote: Quote, method: Method) -> PriceView:
    """All options over the same rows, the fullest option giving their order."""
    commercial, options = estimate.brief.commercial, quote.options
    fullest = max(options, key=lambda option: len(option.lines))
    return PriceView(
        currency=quote.currency,
        model=quote.pricing.value,
        options=tuple(_head(option, quote) for option in options),
        lines=tuple(
            OptionLine(label=line.label, amounts=tuple(_amount(option, line.label) for option in options))
            for line in fullest.lines
        ),
        discounts=tuple(option.discount for option in options),
        discount_reason=commercial.discount_reason or "",
        nets=tuple(option.net for option in options),
        taxes=tuple(
            TaxRow(
                name=tax.name,
                share=tax.percent / 100,
                amounts=tuple(option.taxes[index].amount for option in options),
            )
            for index, tax in enumerate(commercial.tax)
        ),
        grosses=tuple(option.gross for option in options),
        caps=tuple(option.cap for option in options),
        rates=_rates(estimate, quote, method) if quote.pricing is PricingModel.TIME_AND_MATERIALS else (),
        optional=tuple(OptionalView(name=line.name, why=line.why, amount=line.amount) for line in quote.optional),
        round_price=Money.of(quote.rounds_rate.require(), quote.currency),
        included_rounds=commercial.included_rounds,
    )


def instalments_of(estimate: Estimate, option: PricedOption) -> tuple[InstalmentView, ...]:
    """Payments of an option with what makes each due; the months of management stand together."""
    gates = [payment for payment in option.instalments if payment.due.gate is not None]
    months = [payment for payment in option.instalments if payment.due.gate is None]
    views = [_instalment([payment], payment.due.name, _trigger(payment.due), estimate, option) for payment in gates]
    if months:
        name = f"Management, {len(months)} months"
        views.append(_instalment(months, name, "end of each month in production", estimate, option))
    shares = _shares([payment.net for payment in views])
    return tuple(replace(view, share=share) for view, share in zip(views, shares, strict=True))


def _shares(parts: Sequence[Money]) -> list[Decimal]:
    """Each part of the whole to the tenth of a percent, by largest remainder, so that what is printed sums to 100 %."""
    whole = sum(part.minor for part in parts)
    if not whole:
        return [Decimal(0)] * len(parts)
    tenths = [_TENTHS * part.minor // whole for part in parts]
    most_cut = sorted(range(len(parts)), key=lambda index: -(_TENTHS * parts[index].minor % whole))
    for index in most_cut[: _TENTHS - sum(tenths)]:
        tenths[index] += 1
    return [Decimal(share) / _TENTHS for share in tenths]


def _instalment(
    payments: Sequence[Instalment], name: str, trigger: str, estimate: Estimate, option: PricedOption
) -> InstalmentView:
    currency = option.net.currency
    net, gross = (sum_of((getattr(each, kind) for each in payments), currency) for kind in ("net", "gross"))
    return InstalmentView(
        name=name,
        trigger=trigger,
        parts=len(payments),
        share=Decimal(0),
        net=net,
        gross=gross,
        expected=expected_day(estimate, payments[0].due),
    )


def compute_of(estimate: Estimate, quote: Quote, route: RouteEstimate) -> ComputeView:
    """What third parties charge, from whose dated prices, and the cap on it."""
    brief = estimate.brief
    runs = brief.training.runs
    serving, base = route.serving.monthly if route.serving else None, estimate.base_serving.monthly
    others = [other.name for other in estimate.routes if other.usable and other.key != route.key]
    return ComputeView(
        route=route.name,
        licence=route.licence,
        runs_low=runs.low,
        runs_likely=runs.likely,
        runs_high=runs.high,
        tokens_per_run=route.tokens.value,
        unit_prices=tuple(_unit_prices(route, estimate)),
        serving_per_month=_money(serving, estimate),
        base_serving_per_month=_money(base, estimate),
        cap=_cap(estimate, quote),
        account_owner="Client" if route.route.provider != "own" else "Agency",
        alternatives=tuple(others),
        modification_flops=_modification_flops(route, runs.likely),
    )


def oldest_price(prices: Sequence[UnitPrice]) -> str:
    """The earliest date among prices; empty for none."""
    return min((price.as_of for price in prices if price.as_of), default="")


def _head(option: PricedOption, quote: Quote) -> OptionHead:
    p10, p50, p80, p90 = (
        Money.of(Decimal(str(option.cost.quantile(percent))) / (1 - quote.margin.require()), quote.currency)
        for percent in (10, 50, 80, 90)
    )
    return OptionHead(
        id=option.id,
        name=option.name,
        promise=option.promise,
        recommended=option.recommended,
        months=option.scope.management_months,
        retrainings=option.scope.retrainings,
        effort_p10=p10,
        effort_p50=p50,
        effort_p80=p80,
        effort_p90=p90,
    )


def _rates(estimate: Estimate, quote: Quote, method: Method) -> tuple[HourlyRate, ...]:
    """Our cost of an hour with the margin on it, for every role that works on any option."""
    figures = estimate.figures()
    roles = {role: None for option in quote.options for by_role in option.hours.values() for role in by_role}
    costs = {role: figures.get(f"brief.commercial.cost_per_h.{role}") or figures[f"rate.{role}"] for role in roles}
    return tuple(
        HourlyRate(
            role=method.role(role), per_hour=Money.of(cost.require() / (1 - quote.margin.require()), quote.currency)
        )
        for role, cost in costs.items()
    )


def _amount(option: PricedOption, label: str) -> Money | None:
    return next((line.amount for line in option.lines if line.label == label), None)


def _trigger(due: Due) -> str:
    return "acceptance of this proposal" if due.gate == 0 else f"gate {due.gate} passed"


def expected_day(estimate: Estimate, due: Due) -> date | None:
    if due.gate == 0:
        return estimate.brief.project.decision_by
    if due.gate is not None:
        return estimate.schedule.phases[due.gate - 1].gate
    return add_months(estimate.schedule.go_live, due.month or 0)


def _money(usd: Figure | None, estimate: Estimate) -> Money | None:
    if usd is None or usd.value is None:
        return None
    return Money.of(usd.value / usd_per_unit(estimate.brief).require(), estimate.brief.commercial.currency)


def _unit_prices(route: RouteEstimate, estimate: Estimate) -> list[UnitPrice]:
    """The dated facts that the route's training and serving and the prompted base rest on, each once."""
    sources = [route.run, route.once, estimate.base_serving.monthly]
    if route.serving is not None:
        sources.append(route.serving.monthly)
    facts = {figure.key: figure for source in sources for figure in source.lineage() if figure.kind is Kind.FACT}
    return [
        UnitPrice(name=_price_name(each), price=each.value, unit=each.unit, as_of=each.as_of, source=each.source)
        for each in facts.values()
        if each.unit.startswith("USD per") and each.as_of
    ]


def _price_name(figure: Figure) -> str:
    """What a price is for, as a client reads it."""
    what = _PRICE_NAMES.get(figure.key.rpartition(".")[2], figure.label)
    if ".serving." in figure.key or figure.key.startswith("serving."):
        whose = "Prompted base" if figure.key.startswith("serving.base") else "Tuned model"
        return f"{whose}: {what}"
    return f"{what}: {figure.label}" if figure.label else what


_PRICE_NAMES: Final = {
    "price": "Training",
    "input": "prompt tokens",
    "cached_input": "cached prompt tokens",
    "output": "answer tokens",
    "storage": "Storage of checkpoints",
    "gpu_hour": "GPU",
    "endpoint": "Dedicated endpoint",
    "hosting": "Hosting while deployed",
    "min_charge": "Minimum charge",
}


def _cap(estimate: Estimate, quote: Quote) -> Money:
    """P90 of the compute at the client's price, rounded up to ten units of the currency."""
    assert estimate.compute is not None, "a quote stands on a route whose compute was drawn"
    price = Decimal(str(estimate.compute.p90)) / (1 - quote.margin.require())
    steps = (price / _CAP_STEP).to_integral_value(ROUND_CEILING)
    return Money.of(steps * _CAP_STEP, quote.currency)


def _modification_flops(route: RouteEstimate, runs: Decimal) -> Decimal | None:
    """6 FLOPs per active parameter and token, over all planned runs; unknown for a closed model."""
    try:
        model = find_model(route.route.model)
    except UnknownName:
        return None
    tokens = route.tokens.value
    return None if tokens is None else _FLOPS_PER_PARAMETER * model.active_parameters * tokens * runs
