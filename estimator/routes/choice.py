"""All routes of a brief, and the one a plan should stand on."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from estimator.brief import Brief, Route
from estimator.brief.stated import stated
from estimator.errors import BriefInvalid, UnknownName
from estimator.figures import Figure, Term
from estimator.routes.model import Pricing, RouteEstimate
from estimator.routes.own import price_own_route
from estimator.routes.provider import price_provider_route
from estimator.sunset import Standing

DEFAULT_ROUTES: Final = (
    Route(provider="together", model="llama-3.1-8b"),
    Route(provider="fireworks", model="llama-3.1-8b"),
    Route(provider="tinker", model="llama-3.1-8b"),
    Route(provider="own", model="llama-3.1-8b", gpu="A100-80GB"),
    Route(provider="openai", model="gpt-4o-mini"),
)
"""What is priced where a brief names no route."""


def price_routes(pricing: Pricing) -> tuple[RouteEstimate, ...]:
    """Every route of the brief, in its order. Raises `BriefInvalid` with all names that nothing describes."""
    routes, unknown = [], []
    for number, route in enumerate(pricing.brief.training.routes or DEFAULT_ROUTES, start=1):
        price = price_own_route if route.provider == "own" else price_provider_route
        try:
            routes.append(price(route, pricing))
        except UnknownName as error:
            unknown += [replace(problem, where=f"training.routes[{number}]") for problem in error.problems]
    if unknown:
        raise BriefInvalid(*unknown)
    return tuple(routes)


def cost_of_ownership(brief: Brief, route: RouteEstimate) -> Figure:
    """USD for training and for serving until the planned end; the training alone where serving has no known price."""
    months = stated("project.serving_months", brief.project.serving_months, "months")
    term: Term = route.programme + 0
    if route.serving is not None and route.serving.monthly.known:
        term = route.programme + months * route.serving.monthly
    return term.named(f"{route.key}.ownership", "USD", "Training and serving until the planned end")


def choose_route(brief: Brief, routes: Sequence[RouteEstimate]) -> RouteEstimate | None:
    """The usable route that costs least to train and serve: open before flagged, known serving before unknown."""
    usable = [route for route in routes if route.usable]

    def rank(route: RouteEstimate) -> tuple[bool, bool, Decimal]:
        served = route.serving is not None and route.serving.monthly.known
        return (route.standing is not Standing.OPEN, not served, cost_of_ownership(brief, route).require())

    return min(usable, key=rank, default=None)
