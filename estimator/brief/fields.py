"""The types a brief is made of: each refuses what is not meant, with a code and a remedy.

TOML and JSON are kind hosts to numbers that are none (NaN, 1e999), to digits of other scripts and to text that
reverses what it stands beside. All of that ends here, before any arithmetic. The codes are those of our HTTP answers.
"""

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from estimator.money import MINOR_DIGITS

_AMOUNT: Final = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,9})?", re.ASCII)
_NUMBER_MAX: Final = Decimal(10) ** 12
_BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MARKS_MAX: Final = 8
"""Combining marks on one letter; real scripts need at most a handful."""


def refusal(code: str, message: str, remedy: str) -> PydanticCustomError:
    """An error that carries its remedy to the problem list; braces of the user's own stay as they are."""
    return PydanticCustomError(code, "{message}", {"message": message, "remedy": remedy})


def _read_number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise refusal("number.bad_format", f"{_shown(value)} is not a number", "write digits without quotes, like 1200")
    number = value if isinstance(value, Decimal) else Decimal(str(value)) if abs(value) < 1e300 else Decimal("Infinity")
    if not number.is_finite():
        raise refusal("number.not_a_number", f"{_shown(value)} is not a finite number", "write a real quantity")
    if number < 0:
        raise refusal("number.negative", f"{_shown(value)} is negative", "write 0 or more")
    if number > _NUMBER_MAX:
        raise refusal("number.too_large", f"{_shown(value)} is larger than 10^12", "check the unit")
    return number


def _read_count(value: object) -> int:
    number = _read_number(value)
    if isinstance(value, float) or number != int(number):
        raise refusal("number.not_whole", f"{_shown(value)} is not a whole number", "write a whole number, like 1200")
    return int(number)


def _says_no_number(text: str) -> bool:
    return text.strip().lower().lstrip("+-") in {"nan", "inf", "infinity"}


def _read_percent(value: object) -> Decimal:
    if isinstance(value, str) and _says_no_number(value):
        raise refusal("percent.not_a_number", f"{_shown(value)} is not a number", "write a number from 0 to 100")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        remedy = "write the number alone, like 40 for 40 %"
        raise refusal("percent.bad_format", f"{_shown(value)} is not a percentage", remedy)
    number = value if isinstance(value, Decimal) else Decimal(str(value)) if abs(value) < 1e300 else Decimal("Infinity")
    if not number.is_finite():
        raise refusal("percent.not_a_number", f"{_shown(value)} is not a number", "write a number from 0 to 100")
    if not 0 <= number <= 100:
        raise refusal("percent.out_of_range", f"{_shown(value)} is not between 0 and 100", "write 40 for 40 %")
    return number


def _read_amount(value: object) -> Decimal:
    if isinstance(value, Decimal) and value.is_finite():
        value = f"{value:f}"
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**14 else "1" + "0" * 14
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        if isinstance(value, str) and _says_no_number(value):
            raise refusal("money.not_a_number", f"{_shown(value)} is not an amount", "write it like 1250.00")
        remedy = 'write money as text with a point, like "1250.00", or as a whole number'
        raise refusal("money.bad_format", f"{_shown(value)} is not an amount of money", remedy)
    amount = Decimal(value)
    if amount < 0:
        raise refusal("money.negative", f"{_shown(value)} is negative", "write 0 or more")
    return amount


def _read_currency(value: object) -> str:
    if not isinstance(value, str) or value not in MINOR_DIGITS:
        message = f"{_shown(value)} is not an active ISO 4217 currency"
        raise refusal("money.bad_currency", message, "use a code such as USD, EUR, GBP, CHF or JPY")
    return value


def _read_date(value: object) -> date:
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII) else value
        except ValueError as error:
            raise refusal("date.invalid", f"{_shown(value)} is no day of the calendar", "write a real day") from error
    if isinstance(value, datetime) or not isinstance(value, date):
        raise refusal("date.invalid", f"{_shown(value)} is not a day", "write it like 2026-12-07")
    if not 2000 <= value.year <= 2199:
        raise refusal("date.out_of_range", f"{value} is not between 2000 and 2199", "write a real day")
    return value


def checked_text(value: str, longest: int) -> str:
    """NFC text a person can read as it stands: not blank, no control or direction characters, of bounded length."""
    try:
        text = unicodedata.normalize("NFC", value)
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise refusal("row.bad_unicode", "the text holds half of a character", "write it anew") from error
    if not any(unicodedata.category(char)[0] not in "CZ" for char in text):
        raise refusal("text.blank", "the text is blank", "write it out, or leave the line away")
    if re.search(rf"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff]{{{_MARKS_MAX + 1},}}", text):
        raise refusal("text.too_many_marks", "a letter carries too many combining marks", "remove them")
    if len(text) > longest:
        raise refusal("text.too_long", f"the text has {len(text)} characters", f"stay within {longest}")
    if any(char in _BIDI_CONTROLS for char in text):
        raise refusal("text.bidi_control", "the text holds a character that turns its direction", "remove it")
    if any(unicodedata.category(char) == "Cc" and char != "\n" for char in text):
        raise refusal("text.control_char", "the text holds a control character", "remove it")
    return text


def _one_line(value: str) -> str:
    if "\n" in value:
        raise refusal("text.control_char", "a name stands on one line", "remove the line break")
    return checked_text(value, 200)


def _is_text(value: object) -> object:
    if not isinstance(value, str):
        raise refusal("text.bad_format", f"{_shown(value)} is not text", "put it in quotes")
    return value


def _shown(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**20:
        return "a number of more than 20 digits"
    return repr(value)[:60]


def _as_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


_AS_NUMBER: Final = PlainSerializer(_as_number, when_used="json")

Quantity = Annotated[Decimal, BeforeValidator(_read_number), _AS_NUMBER]
"""A finite number from 0 to 10^12, as it is written."""
Count = Annotated[int, BeforeValidator(_read_count)]
"""A whole number from 0 to 10^12."""
Percent = Annotated[Decimal, BeforeValidator(_read_percent), _AS_NUMBER]
"""A number from 0 to 100."""
Amount = Annotated[
    Decimal, BeforeValidator(_read_amount), PlainSerializer(lambda value: f"{value:f}", when_used="json")
]
"""Money in the brief's currency, written as text or as a whole number, never as a binary fraction."""
Currency = Annotated[str, BeforeValidator(_read_currency)]
Day = Annotated[date, BeforeValidator(_read_date)]
Name = Annotated[str, BeforeValidator(_is_text), AfterValidator(_one_line)]
"""One line of at most 200 characters."""
Prose = Annotated[str, BeforeValidator(_is_text), AfterValidator(lambda text: checked_text(text, 2_000))]
"""At most 2,000 characters; line breaks are kept."""


class Section(BaseModel):
    """A part of a brief: frozen, and a field nobody knows is an error, for a slip of the pen must not pass."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ThreePoint(Section):
    """A lowest, a most likely and a highest value. Written as { low, likely, high } or, when certain, as one number."""

    low: Quantity
    likely: Quantity
    high: Quantity

    @model_validator(mode="before")
    @classmethod
    def _one_number_is_certain(cls, value: object) -> object:
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return {"low": value, "likely": value, "high": value}
        if not isinstance(value, dict | ThreePoint):
            message = f"{_shown(value)} is not a three-point estimate"
            raise refusal("three_point.bad_format", message, "write { low = 2, likely = 3, high = 6 } or one number")
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.likely <= self.high:
            message = f"{self.low}, {self.likely}, {self.high} are not in order"
            raise refusal("three_point.order", message, "write low <= likely <= high")
        return self

    @classmethod
    def of(cls, low: float | Decimal, likely: float | Decimal, high: float | Decimal) -> "ThreePoint":
        return cls.model_validate({"low": low, "likely": likely, "high": high})

    def scaled(self, factor: Decimal) -> "ThreePoint":
        return ThreePoint.of(self.low * factor, self.likely * factor, self.high * factor)
