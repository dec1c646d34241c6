"""Base inference prices of models our own book does not carry, from the `genai-prices` package, without the network."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from estimator.prices.rows import Confidence, InferencePrice

if TYPE_CHECKING:
    from genai_prices.types import TieredPrices

# The package does not date its rows. This is the last price change that each release records as past.
_DATA_OF_RELEASE: Final = {"0.2.3": "2026-11-09"}


@lru_cache(maxsize=256)
def base_inference_price(provider: str, model: str, on: date) -> InferencePrice | None:
    """USD per 1M tokens that held on a day, or None where the package does not know the model.

    Where a price has tiers by prompt length, the lowest tier is taken: support prompts are short.
    """
    # Deferred: the package brings an HTTP client along, and most briefs name a base model of our own book.
    from genai_prices import data_snapshot  # noqa: PLC0415

    try:
        _, found = data_snapshot.get_snapshot().find_provider_model(model, None, provider, None)
    except LookupError:
        return None
    prices = found.get_prices(datetime.combine(on, time(12), UTC))
    release = version("genai-prices")
    if release not in _DATA_OF_RELEASE:
        return None
    return InferencePrice(
        provider=provider,
        model=found.id,
        variant="base",
        input=_lowest(prices.input_mtok),
        cached_input=_lowest(prices.cache_read_mtok),
        output=_lowest(prices.output_mtok),
        as_of=_DATA_OF_RELEASE[release],
        checked=date.fromisoformat(_DATA_OF_RELEASE[release]),
        source=f"genai-prices {release}",
        confidence=Confidence.SECONDARY,
    )


def _lowest(rate: "Decimal | TieredPrices | None") -> Decimal | None:
    return rate if rate is None or isinstance(rate, Decimal) else rate.base
