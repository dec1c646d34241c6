"""What a token of a model costs, in the currency of an engagement: named by hand, or from the price book, and dated."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlmodel import Session, col, select

from engagements.actuals.schemas import PriceIn
from engagements.core.errors import Invalid
from engagements.phases.data_preparation.synthesis.budget import Price, Purpose
from engagements.phases.data_preparation.synthesis.endpoints import Endpoint
from engagements.phases.data_preparation.synthesis.schemas import SynthesisIn, TokenPriceIn
from engagements.proposals.models import BriefVersion
from estimator.errors import Problem
from estimator.prices import PriceBook, earliest_day
from estimator.prices.genai import base_inference_price

USD: Final = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So much of the price's currency is one unit of ours."""

    per_unit: Decimal
    source: str


def prices_of(
    session: Session, engagement_id: str, data: SynthesisIn, endpoint: Endpoint, *, currency: str, book: PriceBook,
    on: date,
) -> dict[Purpose, Price] | None:  # fmt: skip
    """By purpose; None where a price is unknown. Raises `Invalid` where a cap in money has no price or no rate."""
    asked = {Purpose.GENERATE: (data.model, data.price)}
    if data.judges:
        same = data.judges == data.model and data.judge_price is None
        asked[Purpose.JUDGE] = (data.judges, data.price if same else data.judge_price)
    found: dict[Purpose, Price] = {}
    for purpose, (model, named) in asked.items():
        price = _named(named) if named else _from_the_book(book, endpoint, model, on)
        if price is None:
            _refuse_unpriced(data, model)
            return None
        converted = _in_currency(session, engagement_id, price, data, currency)
        if converted is None:
            _refuse_unconverted(data, price, currency)
            return None
        found[purpose] = converted
    return found


def as_json(prices: Mapping[Purpose, Price] | None) -> dict[str, Any] | None:
    return None if prices is None else {purpose.value: price.as_json() for purpose, price in prices.items()}


def read_prices(said: Mapping[str, Any] | None) -> dict[Purpose, Price] | None:
    return None if said is None else {Purpose(name): Price.of(price) for name, price in said.items()}


def price_of_entry(price: Price) -> PriceIn:
    """The price as a cost entry keeps it."""
    rated = f"; {price.rate} {price.currency} a unit by {price.rate_source}" if price.rate_source else ""
    return PriceIn(
        per="1M tokens, input and output", amount=f"{price.input} and {price.output}", currency=price.currency,
        source=f"{price.source}{rated}"[:200], as_of=earliest_day(price.as_of),
    )  # fmt: skip


def _named(price: TokenPriceIn) -> Price:
    return Price(
        input=price.input, output=price.output, currency=price.currency, source=price.source,
        as_of=price.as_of.isoformat(),
    )  # fmt: skip


def _from_the_book(book: PriceBook, endpoint: Endpoint, model: str, on: date) -> Price | None:
    provider = endpoint.provider or endpoint.name
    variant = "tuned" if model.startswith("ft:") else "base"
    row = book.inference(provider=provider, model=model, variant=variant)
    if row is None and variant == "base":
        row = base_inference_price(provider, model, on)
    if row is None or row.input is None or row.output is None:
        return None
    return Price(input=row.input, output=row.output, currency=USD, source=row.source, as_of=row.as_of)


def _in_currency(session: Session, engagement_id: str, price: Price, data: SynthesisIn, currency: str) -> Price | None:
    if price.currency == currency:
        return price
    rate = _rate_named(data) or rate_of_the_brief(session, engagement_id, of=price.currency, currency=currency)
    if rate is None:
        return None
    return Price(
        input=price.input, output=price.output, currency=price.currency, source=price.source, as_of=price.as_of,
        rate=rate.per_unit, rate_source=rate.source,
    )  # fmt: skip


def _rate_named(data: SynthesisIn) -> Rate | None:
    if data.rate is None:
        return None
    return Rate(per_unit=data.rate.per_unit, source=f"{data.rate.source}, {data.rate.as_of}")


def rate_of_the_brief(session: Session, engagement_id: str, *, of: str, currency: str) -> Rate | None:
    """The rate of the newest brief, which is one to the US dollar; `of`: the price's currency."""
    newest = select(BriefVersion).where(BriefVersion.engagement_id == engagement_id)
    brief = session.exec(newest.order_by(col(BriefVersion.number).desc()).limit(1)).first()
    commercial = brief.content.get("commercial", {}) if brief else {}
    said = commercial.get("exchange")
    if of != USD or not said or commercial.get("currency") != currency:
        return None
    return Rate(per_unit=Decimal(str(said["usd_per_unit"])), source=f"{said['source']}, {said['as_of']}")


def _refuse_unpriced(data: SynthesisIn, model: str) -> None:
    if data.cap_minor is None:
        return
    message = f"nobody knows what {model} costs, so a cap in money could not be kept"
    remedy = "name its price with source and day, or set cap_tokens instead"
    raise Invalid.of(Problem(code="price_unknown", where="price", message=message, remedy=remedy))


def _refuse_unconverted(data: SynthesisIn, price: Price, currency: str) -> None:
    if data.cap_minor is None:
        return
    message = f"the price is in {price.currency}, the engagement in {currency}"
    raise Invalid.of(
        Problem(code="exchange.missing", where="rate", message=message, remedy="name a dated rate, or set cap_tokens")
    )
