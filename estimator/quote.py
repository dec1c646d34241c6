"""What the client pays: three options priced from one simulation, their lines, taxes and instalments.

Price = cost / (1 - margin). A fixed price is that of the P80 cost, for the vendor carries the risk; time and materials
that of the P50 with a cap at the P90; a retainer bills the months of management; a value-based price takes a share of
the client's benefit, never below the fixed price. Every line is rounded once; totals are sums of rounded lines
(cost reference, section 6.2).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from estimator.brief import Brief, Commercial, OptionalLine, PricingModel
from estimator.brief.stated import margin_percent, stated
from estimator.figures import Figure, Term, assumed, greatest, least, rounded, simulated, total
from estimator.money import Money, minor_digits, sum_of
from estimator.phases import DELIVERY, Phase
from estimator.plan import Engagement, Scope
from estimator.simulation import Distribution

RECOMMENDED: Final = "deliver"
_YEAR: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One of the three options before it is priced."""

    id: str
    name: str
    promise: str
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLine:
    """A line the client sees. `figure` explains it; `phase` is None for what belongs to no phase."""

    key: str
    label: str
    phase: Phase | None
    amount: Money
    figure: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxLine:
    name: str
    percent: Decimal
    base: Money
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What makes a payment due: a gate passed (0 is the acceptance), or a month of management done."""

    name: str
    gate: int | None = None
    month: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    due: Due
    net: Money
    gross: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedOption:
    """An option with our cost (never shown to the client) and the client's price, line by line."""

    id: str
    name: str
    promise: str
    scope: Scope
    recommended: bool
    cost: Distribution
    cost_p50: Figure
    cost_p80: Figure
    cost_p90: Figure
    hours: Mapping[Phase, Mapping[str, float]]
    prices: Mapping[PricingModel, Figure]
    lines: tuple[PriceLine, ...]
    discount: Money
    net: Money
    net_figure: Figure
    taxes: tuple[TaxLine, ...]
    gross: Money
    cap: Money | None
    instalments: tuple[Instalment, ...]

    @property
    def subtotal(self) -> Money:
        return sum_of((line.amount for line in self.lines), self.net.currency)

    def line(self, phase: Phase) -> PriceLine | None:
        return next((line for line in self.lines if line.phase is phase), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionalPrice:
    """Work outside the total that a client may add."""

    name: str
    why: str
    amount: Money
    figure: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """All prices in the client's currency. `stop_price` is what phases 1 and 2 of the recommended option cost."""

    currency: str
    pricing: PricingModel
    margin: Figure
    markup: Figure
    options: tuple[PricedOption, ...]
    optional: tuple[OptionalPrice, ...]
    stop_price: Money
    rounds_rate: Figure

    @property
    def recommended(self) -> PricedOption:
        return next(option for option in self.options if option.recommended)


def offers(commercial: Commercial) -> tuple[Offer, ...]:
    """Good, better, best: a measured answer, a model in production, a model looked after for a year."""
    months, year = commercial.management_months, max(_YEAR, commercial.management_months)
    return (
        Offer(
            id="prove",
            name="Prove",
            promise="A measured answer: is the tuned model better, by how much, and is it worth running?",
            scope=Scope(phases=DELIVERY[:4], management_months=0, retrainings=0),
        ),
        Offer(
            id="deliver",
            name="Deliver",
            promise=f"The proven model in production, with {months} months of care.",
            scope=Scope(
                phases=DELIVERY, management_months=months, retrainings=months // commercial.retrain_every_months
            ),
        ),
        Offer(
            id="run",
            name="Run",
            promise=f"The model in production and kept good for {year} months, retraining included.",
            scope=Scope(phases=DELIVERY, management_months=year, retrainings=year // commercial.retrain_every_months),
        ),
    )


def price_quote(
    brief: Brief, engagement: Engagement, rates: Mapping[str, Figure], *, benefit: Callable[[Offer], Figure]
) -> Quote:
    """Price the three options. `rates` are our costs per hour by role; `benefit` is the client's NPV of an option."""
    commercial = brief.commercial
    margin = (margin_percent(brief) / 100).named("quote.margin", "share", "Margin")
    markup = (margin / (1 - margin)).named("quote.markup", "share", "Markup on cost")
    options = tuple(_price(offer, commercial, engagement, margin, benefit) for offer in offers(commercial))
    recommended = next(option for option in options if option.recommended)
    early = [recommended.line(phase) for phase in (Phase.DATA_PREPARATION, Phase.BASELINE_EVALUATION)]
    round_hours = assumed("quote.round_hours", 24, "h", source="our convention: 24 h of an ML engineer a round")
    return Quote(
        currency=commercial.currency,
        pricing=commercial.pricing,
        margin=margin,
        markup=markup,
        options=options,
        optional=tuple(_optional(line, commercial, rates, margin) for line in commercial.optional),
        stop_price=sum_of((line.amount for line in early if line), commercial.currency),
        rounds_rate=_to_currency(round_hours * rates["ml_engineer"] / (1 - margin), commercial, "quote.round_price"),
    )


def _price(
    offer: Offer, commercial: Commercial, engagement: Engagement, margin: Figure, benefit: Callable[[Offer], Figure]
) -> PricedOption:
    key, currency = f"option.{offer.id}", commercial.currency
    cost = engagement.cost(offer.scope)
    p50, p80, p90 = (_cost_figure(key, percent, cost, engagement, currency) for percent in (50, 80, 90))
    prices = _prices(key, commercial, margin, p50, p80, benefit(offer))
    lines = _lines(key, offer, commercial, engagement, p50, prices)
    listed = total(line.figure for line in lines).named(f"{key}.subtotal", currency, "Sum of the lines")
    percent = stated("commercial.discount_percent", commercial.discount_percent, "%")
    reduced = _to_currency(listed * percent / 100, commercial, f"{key}.discount")
    net_figure = (listed - reduced).named(f"{key}.net", currency, "Net price")
    net, discount = (Money.of(figure.require(), currency) for figure in (net_figure, reduced))
    taxes = tuple(
        TaxLine(name=tax.name, percent=tax.percent, base=net, amount=net.times(tax.percent / 100))
        for tax in commercial.tax
    )
    gross = sum_of((net, *(tax.amount for tax in taxes)), currency)
    capped = commercial.pricing is PricingModel.TIME_AND_MATERIALS
    cap = _to_currency(p90 / (1 - margin), commercial, f"{key}.cap") if capped else None
    return PricedOption(
        id=offer.id,
        name=offer.name,
        promise=offer.promise,
        scope=offer.scope,
        recommended=offer.id == RECOMMENDED,
        cost=cost,
        cost_p50=p50,
        cost_p80=p80,
        cost_p90=p90,
        hours=engagement.hours(offer.scope),
        prices=prices,
        lines=lines,
        discount=discount,
        net=net,
        net_figure=net_figure,
        taxes=taxes,
        gross=gross,
        cap=Money.of(cap.require(), currency) if cap else None,
        instalments=_instalments(offer, commercial, lines, net, gross),
    )


def _cost_figure(key: str, percent: int, cost: Distribution, engagement: Engagement, currency: str) -> Figure:
    return simulated(
        f"{key}.cost_p{percent}",
        Money.of(Decimal(str(cost.quantile(percent))), currency).amount,
        currency,
        source=f"{engagement.chances.draws:,} correlated draws, seed {engagement.chances.seed}",
        inputs=[line.likely for line in engagement.plan.lines],
        label=f"Our cost, P{percent}",
    )


def _prices(
    key: str, commercial: Commercial, margin: Figure, p50: Figure, p80: Figure, benefit: Figure
) -> dict[PricingModel, Figure]:
    """The option's price under each pricing model."""
    fixed = _to_currency(p80 / (1 - margin), commercial, f"{key}.price_fixed")
    worked = _to_currency(p50 / (1 - margin), commercial, f"{key}.price_time_and_materials")
    wished = stated("commercial.value_share_percent", commercial.value_share_percent, "%") / 100 * benefit
    ceiling = wished if commercial.budget is None else least(wished, commercial.budget)
    value = _to_currency(greatest(ceiling, fixed), commercial, f"{key}.price_value")
    return {
        PricingModel.FIXED: fixed,
        PricingModel.TIME_AND_MATERIALS: worked,
        PricingModel.RETAINER: fixed,
        PricingModel.VALUE: value if value.known else fixed,
    }


def _lines(
    key: str,
    offer: Offer,
    commercial: Commercial,
    engagement: Engagement,
    p50: Figure,
    prices: Mapping[PricingModel, Figure],
) -> tuple[PriceLine, ...]:
    """The expected price shared out over the phases by their mean cost, and what the chosen model adds to it."""
    currency = commercial.currency
    base = Money.of(prices[PricingModel.TIME_AND_MATERIALS].require(), currency)
    whole = Money.of(prices[commercial.pricing].require(), currency)
    means = engagement.cost_by_phase(offer.scope)
    parts = base.allocate([Decimal(str(mean)) for mean in means.values()])
    lines = [
        PriceLine(
            key=f"{key}.{phase}",
            label=phase.label,
            phase=phase,
            amount=part,
            figure=_share(f"{key}.{phase}", phase.label, part, means[phase], sum(means.values()), base, p50),
        )
        for phase, part in zip(means, parts, strict=True)
    ]
    added = whole - base
    if added.minor:
        label = "Share in the value created" if commercial.pricing is PricingModel.VALUE else "Risk allowance"
        term = prices[commercial.pricing] - prices[PricingModel.TIME_AND_MATERIALS]
        figure = term.named(f"{key}.allowance", currency, label)
        lines.append(PriceLine(key=f"{key}.allowance", label=label, phase=None, amount=added, figure=figure))
    return tuple(lines)


def _share(key: str, label: str, part: Money, mean: float, whole: float, base: Money, p50: Figure) -> Figure:
    """A phase's share of the expected price; the last cent goes by largest remainder."""
    return Figure(
        key=key,
        value=part.amount,
        unit=part.currency,
        kind=p50.kind,
        label=label,
        formula=f"{mean / whole:.4f} of {base.amount} (mean cost share), by largest remainder",
        inputs=(p50,),
        source=p50.source,
    )


def _instalments(
    offer: Offer, commercial: Commercial, lines: Sequence[PriceLine], net: Money, gross: Money
) -> tuple[Instalment, ...]:
    """Milestones of the delivery phases in scope, then one instalment a month of management; they sum exactly."""
    months = offer.scope.management_months
    managed = next((line.amount for line in lines if line.phase is Phase.MANAGEMENT), Money(0, net.currency))
    delivered = sum_of((line.amount for line in lines), net.currency) - managed
    last_gate = max(phase.number for phase in offer.scope.phases)
    milestones = [milestone for milestone in commercial.milestones if milestone.gate <= last_gate]
    if not milestones:
        return ()
    nets, grosses = (
        _split(amount, delivered, managed, [milestone.percent for milestone in milestones], months)
        for amount in (net, gross)
    )
    due = [Due(name=milestone.name, gate=milestone.gate) for milestone in milestones]
    due += [Due(name=f"Management, month {month}", month=month) for month in range(1, months + 1)]
    return tuple(Instalment(due=d, net=n, gross=g) for d, n, g in zip(due, nets, grosses, strict=True))


def _split(amount: Money, delivered: Money, managed: Money, percents: Sequence[Decimal], months: int) -> list[Money]:
    delivery, management = amount.allocate([Decimal(delivered.minor), Decimal(managed.minor)])
    return delivery.allocate(percents) + (management.allocate([Decimal(1)] * months) if months else [])


def _optional(line: OptionalLine, commercial: Commercial, rates: Mapping[str, Figure], margin: Figure) -> OptionalPrice:
    key = "optional." + "".join(char if char.isalnum() and char.isascii() else "-" for char in line.name.lower())
    hours = [
        stated(f"commercial.{key}.{role}", hours.high, "h", "Hours, high end") * rates[role]
        for role, hours in line.hours.items()
    ]
    figure = _to_currency(total(hours) / (1 - margin), commercial, key)
    amount = Money.of(figure.require(), commercial.currency)
    return OptionalPrice(name=line.name, why=line.why, amount=amount, figure=figure)


def _to_currency(term: Term, commercial: Commercial, key: str) -> Figure:
    return rounded(term, minor_digits(commercial.currency)).named(key, commercial.currency)
