"""A brief and its simulated engagement, priced as three options.

Price = cost / (1 - margin). A fixed price is that of the P80 cost, for the vendor carries the risk; time and materials
that of the P50 with a cap at the P90; a retainer takes a discount off the months of management; a value-based price is
a share of the client's benefit, never below the fixed price. Every line is rounded once, totals are sums of rounded
lines (cost reference, section 6.2).
"""

from collections.abc import Callable, Mapping

from estimator.brief import Brief, Commercial, OptionalLine, PricingModel, Tax
from estimator.brief.stated import margin_percent, stated
from estimator.figures import Figure, Term, assumed, modelled, total
from estimator.money import Money
from estimator.phases import Phase
from estimator.plan import Engagement
from estimator.quote.instalments import instalments_of
from estimator.quote.lines import cost_figure, in_currency, lines_of, prices_of
from estimator.quote.model import Offer, OptionalPrice, PricedOption, Quote, TaxLine
from estimator.quote.offers import RECOMMENDED, offers
from estimator.simulation import Triangle


def price_quote(
    brief: Brief, engagement: Engagement, rates: Mapping[str, Figure], *, benefit: Callable[[Offer], Figure]
) -> Quote:
    """Price the three options. `rates` are our costs per hour by role; `benefit` is the client's NPV of an option."""
    commercial = brief.commercial
    margin = (margin_percent(brief) / 100).named("quote.margin", "share", "Margin")
    markup = (margin / (1 - margin)).named("quote.markup", "share", "Markup on cost")
    options = tuple(_price(offer, brief, engagement, margin, benefit) for offer in offers(commercial))
    recommended = next(option for option in options if option.recommended)
    early = [recommended.line(phase) for phase in (Phase.DATA_PREPARATION, Phase.BASELINE_EVALUATION)]
    stop = total(line.figure for line in early if line) * (1 - _discount(brief))
    stop_figure = in_currency(stop, commercial, "quote.stop_price", "Price of stopping after phase 2")
    round_hours = assumed("quote.round_hours", 24, "h", source="our convention: 24 h of an ML engineer a round")
    return Quote(
        currency=commercial.currency,
        pricing=commercial.pricing,
        margin=margin,
        markup=markup,
        options=options,
        optional=tuple(
            _optional(number, line, brief, rates, margin) for number, line in enumerate(commercial.optional, start=1)
        ),
        stop_price=_money(stop_figure),
        stop_figure=stop_figure,
        rounds_rate=in_currency(round_hours * rates["ml_engineer"] / (1 - margin), commercial, "quote.round_price"),
    )


def _price(
    offer: Offer, brief: Brief, engagement: Engagement, margin: Figure, benefit: Callable[[Offer], Figure]
) -> PricedOption:
    commercial = brief.commercial
    key, currency = f"option.{offer.id}", commercial.currency
    cost = engagement.cost(offer.scope)
    p50, p80, p90 = (cost_figure(key, percent, cost, engagement, offer, currency) for percent in (50, 80, 90))
    prices = prices_of(key, brief, margin, p50, p80, benefit(offer))
    lines = lines_of(key, offer, brief, engagement, margin=margin, prices=prices)
    listed = total(line.figure for line in lines).named(f"{key}.subtotal", currency, "Sum of the lines")
    reduced = in_currency(listed * _discount(brief), commercial, f"{key}.discount", "Discount")
    net_figure = (listed - reduced).named(f"{key}.net", currency, "Net price")
    net = _money(net_figure)
    taxes = tuple(_tax(key, number, tax, net_figure, brief) for number, tax in enumerate(commercial.tax, start=1))
    gross_figure = total([net_figure, *(tax.figure for tax in taxes)]).named(f"{key}.gross", currency, "Gross price")
    gross = _money(gross_figure)
    cap = _cap(f"{key}.cap", commercial, p90 / (1 - margin) * (1 - _discount(brief)))
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
        discount=_money(reduced),
        net=net,
        net_figure=net_figure,
        taxes=taxes,
        gross=gross,
        gross_figure=gross_figure,
        cap=_money(cap) if cap else None,
        cap_figure=cap,
        instalments=instalments_of(offer, commercial, lines, net, gross),
    )


def _discount(brief: Brief) -> Term:
    """The share taken off everything that is quoted."""
    return stated(brief, "commercial.discount_percent", "%") / 100


def _tax(key: str, number: int, tax: Tax, net: Figure, brief: Brief) -> TaxLine:
    """On the discounted net, each tax by itself."""
    percent = stated(brief, f"commercial.tax.{number}.percent", "%", tax.name)
    figure = in_currency(net * percent / 100, brief.commercial, f"{key}.tax.{number}", tax.name)
    return TaxLine(name=tax.name, percent=tax.percent, base=_money(net), amount=_money(figure), figure=figure)


def _cap(key: str, commercial: Commercial, price: Term) -> Figure | None:
    """What time and materials may not exceed, the discount taken off it as off everything."""
    if commercial.pricing is not PricingModel.TIME_AND_MATERIALS:
        return None
    return in_currency(price, commercial, key, "Not to exceed")


def _money(figure: Figure) -> Money:
    return Money.of(figure.require(), figure.unit)


def _optional(
    number: int, line: OptionalLine, brief: Brief, rates: Mapping[str, Figure], margin: Figure
) -> OptionalPrice:
    """A fixed price of its own: each role's hours at their P80."""
    costs = [_optional_hours(number, role, brief) * rates[role] for role in line.hours]
    figure = in_currency(total(costs) / (1 - margin), brief.commercial, f"optional.{number}", line.name)
    return OptionalPrice(name=line.name, why=line.why, amount=_money(figure), figure=figure)


def _optional_hours(number: int, role: str, brief: Brief) -> Figure:
    field = f"commercial.optional.{number}.hours.{role}"
    low, likely, high = (stated(brief, f"{field}.{point}", "h") for point in ("low", "likely", "high"))
    spread = Triangle(low=float(low.require()), likely=float(likely.require()), high=float(high.require()))
    source = "80 % quantile of the triangle (cost reference, section 6.1)"
    return modelled(
        f"optional.{number}.{role}",
        round(spread.quantile(0.8), 2),
        "h",
        source=source,
        inputs=(low, likely, high),
        label="Hours, P80",
    )
