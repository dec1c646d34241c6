"""One route of the plain brief, priced."""

from collections.abc import Callable, Mapping
from datetime import date

import pytest

from estimator import Brief, PriceBook
from estimator.brief.stated import stated
from estimator.routes import Pricing, RouteEstimate, price_routes
from estimator.sunset import PlanDates
from estimator.volume import volume_of

RouteOf = Callable[..., RouteEstimate]
PLAN = PlanDates(
    first_job=date(2027, 3, 8), last_job=date(2027, 4, 9), go_live=date(2027, 5, 10), service_end=date(2028, 5, 10)
)


@pytest.fixture(scope="session")
def route_of(brief_of: Callable[..., Brief], book: PriceBook, today: date) -> RouteOf:
    """The plain brief priced on one route, with fields changed: `route_of({...}, provider=..., model=...)`."""

    def price(
        changes: Mapping[str, object] | None = None, *, prices: PriceBook = book, on: date = today, **route: object
    ) -> RouteEstimate:
        brief = brief_of({"training.routes": [route], **(changes or {})})
        runs = stated(brief, "training.runs.likely", "runs")
        volume = volume_of(brief, None)
        pricing = Pricing(brief=brief, prices=prices, volume=volume, plan=PLAN, runs=runs, on=on)
        return price_routes(pricing)[0]

    return price
