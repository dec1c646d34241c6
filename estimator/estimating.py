"""`estimate`: a brief and a price book in, a complete and frozen `Estimate` out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from estimator.brief import Brief
from estimator.brief.stated import stated
from estimator.calendar import WorkCalendar
from estimator.checks import ShareCheck, check_plan, check_prices
from estimator.economics import Economics, economics_of, role_rates
from estimator.effort import EffortModel, EffortPlan, plan_effort
from estimator.figures import Figure
from estimator.fit import FitReport, assess_fit
from estimator.inference import BreakEven, ServingOption, break_even
from estimator.names import check_names, roles_of
from estimator.plan import Chances, Swing, timeline
from estimator.prices import PriceBook
from estimator.quote import Quote
from estimator.roi import Roi
from estimator.routes import Pricing, RouteEstimate, base_option, base_price, choose_route, price_routes
from estimator.schedule import Schedule, place, plan_dates
from estimator.simulation import DRAWS, Distribution
from estimator.sunset import Finding, Standing, check_base
from estimator.volume import Volume, volume_of

if TYPE_CHECKING:
    from estimator.tokens import DatasetCount

SEED: Final = 20_261_122


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Everything known about an engagement before it begins. Costs in USD by route, prices in the client's currency.

    `chosen`, `quote`, `roi` are None where no route is left to stand on: then the answer is no, and `findings` say why.
    """

    brief: Brief
    on: date
    seed: int
    draws: int
    prices_digest: str
    fit: FitReport
    volume: Volume
    effort: EffortPlan
    schedule: Schedule
    routes: tuple[RouteEstimate, ...]
    chosen: RouteEstimate | None
    base_serving: ServingOption
    break_evens: tuple[BreakEven, ...]
    compute: Distribution | None
    quote: Quote | None
    roi: Roi | None
    tornado: tuple[Swing, ...]
    shares: tuple[ShareCheck, ...]
    findings: tuple[Finding, ...]

    def figures(self) -> dict[str, Figure]:
        """Every number of the estimate that has an origin, and what it was computed from, by key."""
        return {figure.key: figure for named in _figures_in(self) for figure in named.lineage()}

    def explain(self, key: str) -> Figure | None:
        """The figure of that key, with its formula, inputs, source and date."""
        return self.figures().get(key)


def estimate(
    brief: Brief,
    prices: PriceBook,
    *,
    on: date,
    seed: int = SEED,
    draws: int = DRAWS,
    dataset: "DatasetCount | None" = None,
    effort_model: EffortModel | None = None,
) -> Estimate:
    """Scope and price a brief as of a day. The same arguments give the same estimate.

    `dataset` is the count of the brief's file, where one was counted; the averages of the brief are used without it.
    Raises `BriefInvalid` for a role, route, country or GPU that nothing describes, and for a plan of over ten years.
    """
    model = effort_model or EffortModel.default()
    check_names(brief, prices, model)
    plan = plan_effort(brief, model)
    rates = role_rates(brief, prices, roles_of(brief, model))
    calendar = WorkCalendar(country=brief.client.country, region=brief.client.region)
    chances = Chances.of(plan, seed=seed, draws=draws)
    times = timeline(plan, chances)
    schedule = place(times, start=brief.project.start, calendar=calendar)
    volume = volume_of(brief, dataset)
    runs = stated(brief, "training.runs.likely", "runs", "Training runs")
    pricing = Pricing(
        brief=brief,
        prices=prices,
        volume=volume,
        plan=plan_dates(schedule, brief.project.serving_months),
        runs=runs,
        on=on,
    )
    routes = price_routes(pricing)
    chosen = choose_route(brief, routes)
    base_row = base_price(brief, prices, on)
    base = base_option(brief, base_row)
    serving = [route.serving for route in routes if route.usable and route.serving is not None]
    economics = (
        economics_of(brief, plan, chances, rates=rates, schedule=schedule, chosen=chosen, base=base) if chosen else None
    )
    return Estimate(
        brief=brief,
        on=on,
        seed=seed,
        draws=draws,
        prices_digest=prices.digest,
        fit=assess_fit(brief),
        volume=volume,
        effort=plan,
        schedule=schedule,
        routes=routes,
        chosen=chosen,
        base_serving=base,
        break_evens=tuple(break_even(f"break_even.{option.key}", base, option) for option in serving),
        compute=economics.compute if economics else None,
        quote=economics.quote if economics else None,
        roi=economics.roi if economics else None,
        tornado=economics.tornado if economics else (),
        shares=economics.shares if economics else (),
        findings=(
            *_findings(brief, on, routes, chosen, economics),
            *check_base(brief.traffic.base_model, base_row, pricing.plan),
            *check_prices(brief, on, rates, base_row),
        ),
    )


def _findings(
    brief: Brief, on: date, routes: Sequence[RouteEstimate], chosen: RouteEstimate | None, economics: Economics | None
) -> Iterator[Finding]:
    if chosen is None or economics is None:
        tried = "; ".join(f"{route.name}: {finding.message}" for route in routes for finding in route.findings)
        yield Finding(
            code="routes.none_left",
            standing=Standing.REFUSED,
            message=f"no route is left to stand on ({tried})",
            remedy="name other routes in training.routes, or give their prices with --prices",
        )
        return
    yield from _left_out(routes)
    yield from chosen.findings
    yield from check_plan(brief, on, economics.quote, economics.roi, economics.shares, economics.usd)


def _left_out(routes: Sequence[RouteEstimate]) -> Iterator[Finding]:
    """Why a route is not among those that remain, and what would bring it back."""
    remaining = "; ".join(route.name for route in routes if route.usable)
    for route in routes:
        against = [finding for finding in route.findings if finding.standing is route.standing]
        reasons = "; ".join(finding.message for finding in against)
        if route.standing is Standing.REFUSED:
            message, remedy = f"{route.name} is out: {reasons}", f"routes that remain: {remaining}"
            yield Finding(code="route.refused", standing=Standing.FLAGGED, message=message, remedy=remedy)
        elif route.standing is Standing.UNKNOWN:
            message, remedy = f"{route.name} is not priced: {reasons}", "; ".join(finding.remedy for finding in against)
            yield Finding(code="route.unknown", standing=Standing.FLAGGED, message=message, remedy=remedy)


def _figures_in(value: object) -> Iterator[Figure]:
    """Every figure a frozen structure holds."""
    if isinstance(value, Figure):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _figures_in(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _figures_in(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _figures_in(item)
