"""What the client pays: three options priced from one simulation, their lines, taxes and instalments."""

from estimator.quote.model import (
    Due,
    Instalment,
    Offer,
    OptionalPrice,
    PricedOption,
    PriceLine,
    Quote,
    TaxLine,
)
from estimator.quote.offers import RECOMMENDED, offers
from estimator.quote.quoting import price_quote

__all__ = [
    "RECOMMENDED",
    "Due",
    "Instalment",
    "Offer",
    "OptionalPrice",
    "PriceLine",
    "PricedOption",
    "Quote",
    "TaxLine",
    "offers",
    "price_quote",
]
