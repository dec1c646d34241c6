"""Over /api/v1: time, costs, budget, forecast and invoices."""

from collections.abc import Sequence
from typing import Final

from litestar.types import ControllerRouterHandler

from engagements.actuals.budget_api import Alerts, BudgetOfEngagement, Invoices, RatesOfEngagement
from engagements.actuals.cost_api import Costs, CostsOfEngagement
from engagements.actuals.time_api import MyWeek, Time, TimeLocks, TimeOfEngagement

ROUTES: Final[Sequence[ControllerRouterHandler]] = (
    TimeOfEngagement,
    Time,
    MyWeek,
    TimeLocks,
    CostsOfEngagement,
    Costs,
    BudgetOfEngagement,
    Alerts,
    RatesOfEngagement,
    Invoices,
)
