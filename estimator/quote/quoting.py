"""A brief and its simulated engagement, priced as three options.

Price = cost / (1 - margin). A fixed price is that of the P80 cost, for the vendor carries the risk; time and materials
that of the P50 with a cap at the P90; a retainer takes a discount off the months of management; a value-based price is
a share of the client's benefit, never below the fixed price. Every line is rounded once, totals are sums of rounded
lines (cost reference, section 6.2).
"""

from collections.abc import Callable, Mapping

from estimator.brief import Brief, Commercial, OptionalLine, PricingModel
from estimator.brief.stated import margin_percent, stated
from estimator.figures import Figure, assumed, total
from estimator.money import Money, sum_of
from estimator.phases import Phase
from estimator.plan import Engagement
from estimator.quote.instalments import instalments_of
from estimator.quote.lines import cost_figure, in_currency, lines_of, prices_of
from estimator.quote.model import Offer, OptionalPrice, PricedOption, Quote, TaxLine
from estimator.quote.offers import RECOMMENDED, offers


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
        rounds_rate=in_currency(round_hours * rates["ml_engineer"] / (1 - margin), commercial, "quote.round_price"),
    )


def _price(
    offer: Offer, commercial: Commercial, engagement: Engagement, margin: Figure, benefit: Callable[[Offer], Figure]
) -> PricedOption:
    key, currency = f"option.{offer.id}", commercial.currency
    cost = engagement.cost(offer.scope)
    p50, p80, p90 = (cost_figure(key, percent, cost, engagement, currency) for percent in (50, 80, 90))
    prices = prices_of(key, commercial, margin, p50, p80, benefit(offer))
    lines = lines_of(key, offer, commercial, engagement, margin=margin, prices=prices)
    listed = total(line.figure for line in lines).named(f"{key}.subtotal", currency, "Sum of the lines")
    percent = stated("commercial.discount_percent", commercial.discount_percent, "%")
    reduced = in_currency(listed * percent / 100, commercial, f"{key}.discount")
    net_figure = (listed - reduced).named(f"{key}.net", currency, "Net price")
    net, discount = (Money.of(figure.require(), currency) for figure in (net_figure, reduced))
    taxes = tuple(
        TaxLine(name=tax.name, percent=tax.percent, base=net, amount=net.times(tax.percent / 100))
        for tax in commercial.tax
    )
    gross = sum_of((net, *(tax.amount for tax in taxes)), currency)
    capped = commercial.pricing is PricingModel.TIME_AND_MATERIALS
    cap = in_currency(p90 / (1 - margin), commercial, f"{key}.cap") if capped else None
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
        instalments=instalments_of(offer, commercial, lines, net, gross),
    )


def _optional(line: OptionalLine, commercial: Commercial, rates: Mapping[str, Figure], margin: Figure) -> OptionalPrice:
    key = "optional." + "".join(char if char.isalnum() and char.isascii() else "-" for char in line.name.lower())
    hours = [
        stated(f"commercial.{key}.{role}", hours.high, "h", "Hours, high end") * rates[role]
        for role, hours in line.hours.items()
    ]
    figure = in_currency(total(hours) / (1 - margin), commercial, key)
    amount = Money.of(figure.require(), commercial.currency)
    return OptionalPrice(name=line.name, why=line.why, amount=amount, figure=figure)
