"""What the brief states, as figures: the key of each is the field it was read from."""

from estimator.brief.sections import Brief
from estimator.figures import Figure, Number, given


def stated(field: str, value: Number | None, unit: str, label: str = "") -> Figure:
    """A number of the brief; None where the brief leaves it out."""
    return given(f"brief.{field}", value, unit, source=f"brief: {field}", label=label)


def requests_per_month(brief: Brief) -> Figure:
    return stated("traffic.requests_per_month", brief.traffic.requests_per_month, "requests per month")


def margin_percent(brief: Brief) -> Figure:
    return stated("commercial.margin_percent", brief.commercial.margin_percent, "%", "Margin")


def usd_per_unit(brief: Brief) -> Figure:
    """What one unit of the brief's currency is in US dollars; 1 for a brief in dollars."""
    exchange = brief.commercial.exchange
    if exchange is None:
        return given("brief.commercial.exchange", 1, "USD per USD", source="the brief is in USD")
    figure = stated("commercial.exchange", exchange.usd_per_unit, f"USD per {brief.commercial.currency}")
    return Figure(
        key=figure.key,
        value=figure.value,
        unit=figure.unit,
        kind=figure.kind,
        source=exchange.source,
        as_of=exchange.as_of.isoformat(),
    )
