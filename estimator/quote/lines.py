"""The lines of an option: each phase at its mean cost with the margin, and what the pricing model adds.

A phase costs the same in every option that holds it. The last line makes the sum the price of the model: up to the
P80 for a fixed price, to even odds for time and materials, to a share of the benefit for a value-based one.
"""

from collections.abc import Mapping
from typing import Final

from estimator.brief import Brief, Commercial, PricingModel
from estimator.brief.stated import stated
from estimator.figures import Figure, Term, greatest, least, rounded, simulated, total
from estimator.money import Money, minor_digits
from estimator.phases import Phase
from estimator.plan import Engagement
from estimator.quote.model import Offer, PriceLine
from estimator.simulation import Distribution

_COST_DECIMALS: Final = 6
"""Of what a float holds: our cost is rounded to money only in the price it leads to."""
_ADDED: Final = {
    PricingModel.FIXED: "Risk allowance",
    PricingModel.TIME_AND_MATERIALS: "Adjustment to even odds",
    PricingModel.RETAINER: "Risk allowance",
    PricingModel.VALUE: "Share in the value created",
}


def cost_figure(
    key: str, percent: int, cost: Distribution, engagement: Engagement, offer: Offer, currency: str
) -> Figure:
    """Our cost that `percent` of all draws stay below."""
    return simulated(
        f"{key}.cost_p{percent}",
        round(cost.quantile(percent), _COST_DECIMALS),
        currency,
        source=_draws(engagement),
        inputs=engagement.origins(offer.scope),
        label=f"Our cost, P{percent}",
    )


def prices_of(
    key: str, brief: Brief, margin: Figure, p50: Figure, p80: Figure, benefit: Figure
) -> dict[PricingModel, Figure]:
    """The option's whole price under each pricing model, before a retainer's discount.

    An unknown benefit has no share: the price is then the fixed one, and `check_plan` says so.
    """
    commercial = brief.commercial
    fixed = in_currency(p80 / (1 - margin), commercial, f"{key}.price_fixed", "Fixed price")
    worked = in_currency(p50 / (1 - margin), commercial, f"{key}.price_time_and_materials", "Time and materials")
    wished = stated(brief, "commercial.value_share_percent", "%") / 100 * benefit
    capped = wished if commercial.budget is None else least(wished, commercial.budget)
    value = in_currency(greatest(capped, fixed), commercial, f"{key}.price_value", "Value-based price")
    return {
        PricingModel.FIXED: fixed,
        PricingModel.TIME_AND_MATERIALS: worked,
        PricingModel.RETAINER: fixed,
        PricingModel.VALUE: value if value.known else fixed,
    }


def lines_of(
    key: str,
    offer: Offer,
    brief: Brief,
    engagement: Engagement,
    *,
    margin: Figure,
    prices: Mapping[PricingModel, Figure],
) -> tuple[PriceLine, ...]:
    """Phases in order, then what the model adds. A retainer takes its discount off the months of management."""
    commercial = brief.commercial
    phases = [
        _phase_line(f"{key}.{phase}", phase, mean, offer, commercial, engagement, margin)
        for phase, mean in engagement.cost_by_phase(offer.scope).items()
    ]
    price, fixed = prices[commercial.pricing], prices[PricingModel.FIXED]
    label = _ADDED[PricingModel.FIXED if price.value == fixed.value else commercial.pricing]
    rest = price - total(line.figure for line in phases)
    added = _line(rest.named(f"{key}.added", commercial.currency, label), None)
    if commercial.pricing is PricingModel.RETAINER:
        phases = [_retained(line, brief) for line in phases]
    return (*phases, added) if added.amount.minor else tuple(phases)


def in_currency(term: Term, commercial: Commercial, key: str, label: str = "") -> Figure:
    """The term rounded once, to the currency's minor unit."""
    return rounded(term, minor_digits(commercial.currency)).named(key, commercial.currency, label)


def _phase_line(
    key: str, phase: Phase, mean: float, offer: Offer, commercial: Commercial, engagement: Engagement, margin: Figure
) -> PriceLine:
    cost = simulated(
        f"{key}.cost",
        round(mean, _COST_DECIMALS),
        commercial.currency,
        source=_draws(engagement),
        inputs=engagement.origins_of(phase, offer.scope),
        label=f"{phase.label}, our mean cost",
    )
    return _line(in_currency(cost / (1 - margin), commercial, key, phase.label), phase)


def _retained(line: PriceLine, brief: Brief) -> PriceLine:
    if line.phase is not Phase.MANAGEMENT:
        return line
    kept = 1 - stated(brief, "commercial.retainer_discount_percent", "%") / 100
    return _line(in_currency(line.figure * kept, brief.commercial, f"{line.key}.retainer", line.label), line.phase)


def _line(figure: Figure, phase: Phase | None) -> PriceLine:
    amount = Money.of(figure.require(), figure.unit)
    return PriceLine(key=figure.key, label=figure.label, phase=phase, amount=amount, figure=figure)


def _draws(engagement: Engagement) -> str:
    return f"{engagement.chances.draws:,} correlated draws, seed {engagement.chances.seed}"
