"""What a run may cost and did cost, in the currency of its engagement: predicted before, posted after, not guessed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any, Final

from sqlmodel import Session

from backends.events import Usage
from backends.spec import TrainingSpec
from engagements.actuals.schemas import PriceIn
from engagements.phases.data_preparation.synthesis.pricing import rate_of_the_brief
from engagements.phases.training.plans.own_hours import NO_PRICE
from engagements.phases.training.plans.prediction import Prediction, price_row
from engagements.settings import TrainingBackend
from estimator.money import minor_digits
from estimator.prices import PriceBook, TrainingPrice, earliest_day

USD: Final = "USD"
_MTOK: Final = 1_000_000
_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """In minor units of the engagement's currency, rounded up: what is held back must be enough."""

    low: int
    likely: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """`range` None: nobody knows, and `unknown` says why."""

    range: Range | None
    unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What a run cost. `minor` None: nobody knows, and `said` says why. `price`: what the amount rests on."""

    minor: int | None
    quantity: str
    unit: str
    price: PriceIn | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Converted:
    """So many of our minor units is one unit of the price's currency; `note` names the rate."""

    per_unit: Fraction
    note: str = ""


def predicted(session: Session, engagement_id: str, prediction: Prediction, *, currency: str) -> Priced:
    """What a prediction costs in the engagement's currency; nothing is nothing in every currency."""
    cost = prediction.cost
    if cost is None:
        return Priced(range=None, unknown=prediction.unknown.get("cost", "its price is not known"))
    if not cost.high:
        return Priced(range=Range(low=0, likely=0, high=0))
    return _converted(session, engagement_id, cost.currency, currency, cost.low, cost.likely, cost.high)


def charged(
    session: Session, engagement_id: str, spec: TrainingSpec, usage: Usage, said: TrainingBackend, *, book: PriceBook,
    currency: str, on: date,
) -> Charge:  # fmt: skip
    """What was used at its price: the provider's own word first, then the price book, then hours of ours."""
    if usage.cost is not None and usage.currency:
        per = "the run, as the provider charges it"
        price = PriceIn(
            per=per, amount=f"{usage.cost:f}", currency=usage.currency, source=said.provider or spec.backend, as_of=on
        )
        return _charge(session, engagement_id, usage.cost, price, quantity="1", unit="run", currency=currency)
    if said.provider:
        return _at_the_book(session, engagement_id, spec, usage, said, book=book, currency=currency)
    return _of_hours(session, engagement_id, usage, said, currency=currency)


def as_json(price: Priced) -> Mapping[str, Any]:
    found = price.range
    return {"cost_minor": None if found is None else {"low": found.low, "likely": found.likely, "high": found.high}}


def _converted(
    session: Session, engagement_id: str, of: str, currency: str, low: Decimal, likely: Decimal, high: Decimal
) -> Priced:
    found = _rate(session, engagement_id, of, currency)
    if found is None:
        return Priced(range=None, unknown=_no_rate(of, currency))
    return Priced(range=Range(**{
        name: ceil(Fraction(value) * found.per_unit)
        for name, value in (("low", low), ("likely", likely), ("high", high))
    }))  # fmt: skip


def _at_the_book(
    session: Session, engagement_id: str, spec: TrainingSpec, usage: Usage, said: TrainingBackend, *, book: PriceBook,
    currency: str,
) -> Charge:  # fmt: skip
    row, tokens = _row(book, said.provider, spec), usage.billed_tokens
    if row is None or row.usd is None or tokens is None:
        why = "the provider did not say what it bills" if tokens is None else f"no price is known for {spec.model}"
        return Charge(minor=None, quantity=str(tokens or ""), unit="tokens" if tokens else "", price=None, said=why)
    if row.unit != "1M tokens":
        seconds = usage.seconds
        if seconds is None:
            return Charge(minor=None, quantity="", unit="", price=None, said="it bills hours, and did not say how many")
        amount, quantity, unit = row.usd * Decimal(str(seconds)) / _HOUR_S, _hours(seconds), "hours"
    else:
        amount, quantity, unit = row.usd * tokens / _MTOK, str(tokens), "tokens"
    amount = max(amount, row.min_charge_usd or Decimal(0))
    price = PriceIn(
        per=row.unit, amount=f"{row.usd:f}", currency=USD, source=row.source[:200], as_of=earliest_day(row.as_of)
    )
    return _charge(session, engagement_id, amount, price, quantity=quantity, unit=unit, currency=currency)


def _row(book: PriceBook, provider: str, spec: TrainingSpec) -> TrainingPrice | None:
    return price_row(book, provider, spec) if provider in book.terms else None


def _of_hours(session: Session, engagement_id: str, usage: Usage, said: TrainingBackend, *, currency: str) -> Charge:
    seconds, hour = usage.seconds, said.hour
    quantity, unit = (_hours(seconds * (usage.devices or 1)), "hours") if seconds is not None else ("", "")
    if hour is None or (seconds is None and hour.amount):
        why = "nobody said how long it took" if hour else NO_PRICE
        return Charge(minor=None, quantity=quantity, unit=unit, price=None, said=why)
    amount = hour.amount * (usage.devices or 1) * Decimal(str(seconds or 0)) / _HOUR_S
    price = PriceIn(
        per="hour of one device", amount=f"{hour.amount:f}", currency=hour.currency, source=hour.source,
        as_of=hour.as_of,
    )  # fmt: skip
    return _charge(session, engagement_id, amount, price, quantity=quantity, unit=unit, currency=currency)


def _charge(
    session: Session, engagement_id: str, amount: Decimal, price: PriceIn, *, quantity: str, unit: str, currency: str
) -> Charge:
    found = _rate(session, engagement_id, price.currency, currency)
    if found is None:
        said = _no_rate(price.currency, currency)
        return Charge(minor=None, quantity=quantity, unit=unit, price=price, said=said)
    minor = _half_up(Fraction(amount) * found.per_unit)
    return Charge(minor=minor, quantity=quantity, unit=unit, price=price, said=found.note)


def _rate(session: Session, engagement_id: str, of: str, currency: str) -> _Converted | None:
    digits = Fraction(10 ** minor_digits(currency))
    if of == currency:
        return _Converted(per_unit=digits)
    rate = rate_of_the_brief(session, engagement_id, of=of, currency=currency)
    if rate is None:
        return None
    return _Converted(per_unit=digits / Fraction(rate.per_unit), note=f"{rate.per_unit} {of} a unit by {rate.source}")


def _no_rate(of: str, currency: str) -> str:
    return f"the price is in {of}, the engagement in {currency}, and its brief names no rate"


def _hours(seconds: float) -> str:
    return f"{seconds / _HOUR_S:.4f}"


def _half_up(value: Fraction) -> int:
    """The one rounding of a cost, on the line that is posted."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
