"""Prices that have grown old: what a figure rests on and should be looked up again before it is quoted."""

from collections.abc import Iterable
from datetime import date

from estimator.figures import Figure, Kind
from estimator.money import MINOR_DIGITS
from estimator.prices import STALE_AFTER_DAYS, earliest_day


def age_days(figure: Figure, on: date) -> int:
    """How old a dated figure may be, taking the earliest day its date can mean."""
    return (on - earliest_day(figure.as_of)).days


def stale_prices(figures: Iterable[Figure], on: date) -> list[Figure]:
    """The published prices older than 90 days that figures rest on, one for each source and date."""
    facts = (each for figure in figures for each in figure.lineage() if each.kind is Kind.FACT and each.known)
    prices = {(fact.source, fact.as_of): fact for fact in facts if fact.as_of and fact.unit[:3] in MINOR_DIGITS}
    return [price for price in prices.values() if age_days(price, on) > STALE_AFTER_DAYS]


def stale_notes(figures: Iterable[Figure], on: date) -> list[str]:
    """The same as sentences."""
    return [
        f"the price of {price.label or price.key} is dated {price.as_of}, up to {age_days(price, on)} days old: "
        "verify before quoting"
        for price in stale_prices(figures, on)
    ]
