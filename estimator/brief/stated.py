"""What the brief states, as figures: the key of each is the field it was read from."""

from collections.abc import Mapping
from decimal import Decimal

from estimator.brief.fields import Section
from estimator.brief.sections import Brief
from estimator.figures import Figure, assumed, given


def stated(brief: Brief, field: str, unit: str, label: str = "") -> Figure:
    """A number of the brief, by its path (`training.runs.likely`; items count from 1: `commercial.tax.1.percent`).

    Unknown where the brief leaves it out. Where it leaves out what has a default, the figure is an assumption of ours.
    """
    value: object = brief
    said = True
    for step in field.split("."):
        match value:
            case Section():
                said = said and step in value.model_fields_set
                value = getattr(value, step)
            case Mapping():
                value = value[step]
            case tuple():
                value = value[int(step) - 1]
    key = f"brief.{field}"
    if value is None:
        return given(key, None, unit, source=f"the brief leaves {field} out", label=label)
    assert isinstance(value, int | Decimal), f"{field} is not a number"
    if not said:
        return assumed(key, value, unit, source=f"our default, for the brief leaves {field} out", label=label)
    return given(key, value, unit, source=f"brief: {field}", label=label)


def requests_per_month(brief: Brief) -> Figure:
    return stated(brief, "traffic.requests_per_month", "requests per month")


def margin_percent(brief: Brief) -> Figure:
    return stated(brief, "commercial.margin_percent", "%", "Margin")


def usd_per_unit(brief: Brief) -> Figure:
    """What one unit of the brief's currency is in US dollars; 1 for a brief in dollars, whatever rate it names."""
    exchange, key = brief.commercial.exchange, "brief.commercial.exchange"
    if exchange is None or brief.commercial.currency == "USD":
        return given(key, 1, "USD per USD", source="the brief is in USD")
    unit, day = f"USD per {brief.commercial.currency}", exchange.as_of.isoformat()
    return given(key, exchange.usd_per_unit, unit, source=exchange.source, as_of=day)
