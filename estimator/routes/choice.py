"""All routes of a brief, and the one a plan should stand on."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from estimator.brief import Brief, Route
from estimator.brief.stated import stated
from estimator.figures import Figure, Term
from estimator.routes.model import Pricing, RouteEstimate, key_of
from estimator.routes.own import price_own_route
from estimator.routes.provider import price_provider_route
from estimator.sunset import Standing

DEFAULT_ROUTES: Final = (
    Route(provider="together", model="llama-3.1-8b"),
    Route(provider="fireworks", model="llama-3.1-8b"),
    Route(provider="tinker", model="qwen3-8b"),
    Route(provider="azure", model="gpt-4o"),
    Route(provider="own", model="llama-3.1-8b", gpu="A100-80GB"),
)
"""What is priced where a brief names no route: those that stay open (cost reference, section 0)."""


def price_routes(pricing: Pricing) -> tuple[RouteEstimate, ...]:
    """Every route of the brief, in its order. Raises `UnknownName` for the first name that nothing describes."""
    routes, taken = [], Counter[str]()
    for route in pricing.brief.training.routes or DEFAULT_ROUTES:
        price = price_own_route if route.provider == "own" else price_provider_route
        key = key_of(route, pricing.brief)
        taken[key] += 1
        routes.append(price(route, pricing, key if taken[key] == 1 else f"{key}.{taken[key]}"))
    return tuple(routes)


def cost_of_ownership(brief: Brief, route: RouteEstimate) -> Figure:
    """USD for training and for serving until the planned end; the training alone where serving has no known price."""
    months = stated(brief, "project.serving_months", "months")
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
