"""Good, better, best: the three options every quote holds."""

from typing import Final

from estimator.brief import Commercial
from estimator.phases import DELIVERY
from estimator.plan import Scope
from estimator.quote.model import Offer

RECOMMENDED: Final = "deliver"
_YEAR: Final = 12


def offers(commercial: Commercial) -> tuple[Offer, ...]:
    """Good, better, best: a measured answer, a model in production, a model looked after for a year,
    or for a year longer where the brief asks for a year of care anyway."""
    months = commercial.management_months
    year = _YEAR if months < _YEAR else months + _YEAR
    return (
        Offer(
            id="prove",
            name="Prove",
            promise="A measured answer: is the tuned model better, by how much, and is it worth running?",
            scope=Scope(phases=DELIVERY[:4], management_months=0, retrainings=0),
        ),
        Offer(
            id="deliver",
            name="Deliver",
            promise=f"The proven model in production, with {months} months of care.",
            scope=Scope(
                phases=DELIVERY, management_months=months, retrainings=months // commercial.retrain_every_months
            ),
        ),
        Offer(
            id="run",
            name="Run",
            promise=f"The model in production and kept good for {year} months, retraining included.",
            scope=Scope(phases=DELIVERY, management_months=year, retrainings=year // commercial.retrain_every_months),
        ),
    )
