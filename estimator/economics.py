"""From a chosen route to what the client pays and what they gain: costs, quote, return on investment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from estimator.brief import Brief
from estimator.brief.stated import stated, usd_per_unit
from estimator.checks import ShareCheck, check_shares
from estimator.effort import EffortPlan
from estimator.figures import Figure, assumed, fact, simulated
from estimator.inference import ServingOption
from estimator.money import Money
from estimator.plan import Chances, ComputeCost, Engagement, Scope, Swing
from estimator.prices import PriceBook
from estimator.quote import Offer, Quote, price_quote
from estimator.roi import Outlay, Roi, ServingChange, expected_benefit, months_of, return_on_investment, timing_of
from estimator.routes import RouteEstimate
from estimator.schedule import Schedule, months_between
from estimator.simulation import Distribution, Triangle


@dataclass(frozen=True, slots=True, kw_only=True)
class Economics:
    """`compute`: our cost of training compute. `usd`: the recommended option's net price in US dollars."""

    quote: Quote
    roi: Roi
    compute: Distribution
    tornado: tuple[Swing, ...]
    shares: tuple[ShareCheck, ...]
    usd: Figure


def role_rates(brief: Brief, prices: PriceBook, roles: Iterable[str]) -> dict[str, Figure]:
    """Our cost per hour by role in the client's currency: the brief's own rate, or the book's converted."""
    return {role: _rate(role, brief, prices) for role in sorted(roles)}


def economics_of(
    brief: Brief,
    plan: EffortPlan,
    chances: Chances,
    *,
    rates: Mapping[str, Figure],
    schedule: Schedule,
    chosen: RouteEstimate,
    base: ServingOption,
) -> Economics:
    """Price an engagement that stands on the chosen route."""
    engagement = Engagement.costed(plan, chances, rates=rates, compute=compute_of(brief, chosen))
    timing = timing_of(
        brief,
        go_live_p50=months_of(schedule.working_days_p50),
        go_live_p80=months_of(schedule.working_days_p80),
        months_to_shutdown=months_between(schedule.start, chosen.shutdown) if chosen.shutdown else None,
    )
    serving = ServingChange(base=base, tuned=chosen.serving)
    created = expected_benefit(brief, timing, serving)
    nothing = assumed("offer.no_service", None, brief.commercial.currency, source="without service there is no benefit")

    def benefit(offer: Offer) -> Figure:
        return created if offer.scope.management_months else nothing

    quote = price_quote(brief, engagement, rates, benefit=benefit)
    recommended, outlay = quote.recommended, _outlay(brief, engagement, quote)
    return Economics(
        quote=quote,
        roi=return_on_investment(brief, outlay=outlay, serving=serving, timing=timing),
        compute=engagement.compute_cost(),
        tornado=tuple(engagement.tornado(recommended.scope)),
        shares=check_shares(recommended.hours),
        usd=(recommended.net_figure * usd_per_unit(brief)).named("quote.net_usd", "USD", "Recommended option in USD"),
    )


def _rate(role: str, brief: Brief, prices: PriceBook) -> Figure:
    unit = f"{brief.commercial.currency} per h"
    if role in brief.commercial.cost_per_h:
        return stated(brief, f"commercial.cost_per_h.{role}", unit)
    row = prices.rates()[role]
    converted = row.currency != brief.commercial.currency
    listed = fact(
        f"rate.{role}.listed" if converted else f"rate.{role}",
        row.cost_per_h,
        f"{row.currency} per h",
        source=row.source,
        as_of=row.as_of,
        label=row.label,
    )
    return (listed / usd_per_unit(brief)).named(f"rate.{role}", unit, row.label) if converted else listed


def compute_of(brief: Brief, route: RouteEstimate) -> ComputeCost:
    """A route's costs in the client's currency, as the simulation needs them."""
    rate, runs = usd_per_unit(brief).require(), brief.training.runs
    stated_runs = stated(brief, "training.runs.likely", "runs", "Training runs")
    failed = stated(brief, "training.failed_run_percent", "%")
    low, likely, high = (float(run.require() / rate) for run in (route.run_low, route.run, route.run_high))
    return ComputeCost(
        per_run=Triangle(low=min(low, likely), likely=likely, high=max(high, likely)),
        runs=Triangle(low=float(runs.low), likely=float(runs.likely), high=float(runs.high)),
        failed_share=float(failed.require()) / 100,
        once=float(route.once.require() / rate),
        origins=(route.run, route.run_low, route.run_high, route.once, stated_runs, failed, usd_per_unit(brief)),
    )


def _outlay(brief: Brief, engagement: Engagement, quote: Quote) -> Outlay:
    """The price, and what care and retraining cost once the months in the price are over."""
    option, commercial = quote.recommended, brief.commercial
    currency = commercial.currency
    source = f"{engagement.chances.draws:,} correlated draws, seed {engagement.chances.seed}"

    def cost(key: str, scope: Scope, label: str) -> Figure:
        cost = Money.of(Decimal(str(engagement.cost(scope).p50)), currency).amount
        return simulated(key, cost, currency, source=source, inputs=engagement.origins(scope), label=label)

    month = Scope(phases=(), management_months=1, retrainings=0)
    again = Scope(phases=(), management_months=0, retrainings=1)
    care = cost("management.cost_month", month, "Our cost of a month of care")
    retraining = cost("management.cost_retraining", again, "Our cost of one retraining")
    off = stated(brief, "commercial.retainer_discount_percent", "%") / 100
    monthly = care / (1 - quote.margin) * (1 - off)
    return Outlay(
        price=option.net_figure,
        price_at_most=option.cap_figure or option.net_figure,
        management_per_month=monthly.named("management.price_month", currency, "Retainer per month"),
        management_paid_months=option.scope.management_months,
        retraining=(retraining / (1 - quote.margin)).named("management.price_retraining", currency, "One retraining"),
        retrain_every_months=commercial.retrain_every_months,
    )
