"""Dated prices with a source: training, inference, GPU-hours, and what our own hours cost."""

from estimator.prices.book import PriceBook, read_book
from estimator.prices.rows import (
    STALE_AFTER_DAYS,
    Confidence,
    GpuOffer,
    InferencePrice,
    Objective,
    ProviderTerms,
    RoleRate,
    Row,
    ServedBy,
    TrainingPrice,
    Tuning,
    ValidationBilling,
    earliest_day,
)

__all__ = [
    "STALE_AFTER_DAYS",
    "Confidence",
    "GpuOffer",
    "InferencePrice",
    "Objective",
    "PriceBook",
    "ProviderTerms",
    "RoleRate",
    "Row",
    "ServedBy",
    "TrainingPrice",
    "Tuning",
    "ValidationBilling",
    "earliest_day",
    "read_book",
]
