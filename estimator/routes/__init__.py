"""Ways to train and serve a model, each priced as its provider bills, with what stands against it."""

from estimator.routes.choice import DEFAULT_ROUTES, choose_route, cost_of_ownership, price_routes
from estimator.routes.model import Pricing, RouteEstimate
from estimator.routes.own import gpu_price, price_own_route
from estimator.routes.provider import price_provider_route
from estimator.routes.serving import base_option, base_price, base_request, tuned_request

__all__ = [
    "DEFAULT_ROUTES",
    "Pricing",
    "RouteEstimate",
    "base_option",
    "base_price",
    "base_request",
    "choose_route",
    "cost_of_ownership",
    "gpu_price",
    "price_own_route",
    "price_provider_route",
    "price_routes",
    "tuned_request",
]
