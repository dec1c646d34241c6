"""What hours of a machine of ours cost: at the price that the settings name, never at what others would rent it for."""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from engagements.phases.training.plans.prediction import Cost, Prediction
from engagements.settings import HourPrice

NO_PRICE: Final = "the settings name no price of an hour of this machine"
_COST: Final = "cost"


def at_our_price(found: Prediction, hour: HourPrice | None) -> Prediction:
    """The prediction with its cost in the currency of `hour`: hours of every device that is used, at that price.

    A machine that is paid for costs nothing, however long it takes. Without a price, or without hours, the cost is
    unknown, and says why.
    """
    cost = _cost_of(found, hour) if hour else None
    unknown, sources = dict(found.unknown), dict(found.sources)
    if cost is not None and hour is not None:
        unknown.pop(_COST, None)
        sources[_COST] = said_of(hour)
    else:
        sources.pop(_COST, None)
        unknown[_COST] = NO_PRICE if hour is None else unknown.get("hours", "how long it takes is not known")
    return replace(found, cost=cost, unknown=unknown, sources=sources)


def said_of(hour: HourPrice) -> str:
    """An hour's price with its source and day."""
    return f"{hour.amount:f} {hour.currency} an hour: {hour.source}, {hour.as_of}"


def _cost_of(found: Prediction, hour: HourPrice) -> Cost | None:
    if not hour.amount:
        return Cost(low=Decimal(0), likely=Decimal(0), high=Decimal(0), currency=hour.currency)
    if found.hours is None:
        return None
    hours = (found.hours.low, found.hours.likely, found.hours.high)
    low, likely, high = (Decimal(str(each)) * found.devices * hour.amount for each in hours)
    return Cost(low=low, likely=likely, high=high, currency=hour.currency)
