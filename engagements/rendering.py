"""Where the templates are, the Jinja environment that reads them, and how numbers and days are written.

`Formats` writes for one locale and time zone; each of its methods is a filter of the same name. What is not
known (None) is written "unknown", never 0 and never nothing. Rounding is the house's: half up, once, here on the line
that is printed.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, wraps
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

from babel import Locale
from babel.dates import format_date, format_datetime, format_interval, format_timedelta, get_timezone
from babel.numbers import format_currency, format_decimal, format_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from estimator.money import Money, minor_digits, round_half_up

TEMPLATES: Final = Path(__file__).resolve().parents[1] / "templates"
UNKNOWN: Final = "unknown"
WORKING_DAYS_PER_WEEK: Final = 5
_KILO: Final = 1_000

Number = Decimal | int | float
_Value = TypeVar("_Value")
_Rest = ParamSpec("_Rest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A state as it is shown. `tone`: good, warn, bad, accent or quiet; each has a shape of its own."""

    tone: str
    label: str


def _unknown_stays_unknown(
    write: Callable[Concatenate["Formats", _Value, _Rest], str],
) -> Callable[Concatenate["Formats", _Value | None, _Rest], str]:
    @wraps(write)
    def written(formats: "Formats", value: _Value | None, /, *args: _Rest.args, **kwargs: _Rest.kwargs) -> str:
        return UNKNOWN if value is None else write(formats, value, *args, **kwargs)

    return written


@dataclass(frozen=True, slots=True)
class Formats:
    """How one locale (`en_US`, `de_DE`) writes money, numbers and days; every method takes None for unknown.

    Moments are aware and written as the clock of `zone` shows them.
    """

    locale: str
    zone: str = "UTC"

    @_unknown_stays_unknown
    def money(self, money: Money) -> str:
        """With the currency's symbol and its decimals: $45,000.00."""
        return _typeset(format_currency(money.amount, money.currency, locale=self.locale))

    @_unknown_stays_unknown
    def whole_money(self, money: Money) -> str:
        """Rounded to whole units of the currency, for headlines and axes: $45,000."""
        whole = round_half_up(money.amount, 0)
        return _typeset(
            format_currency(whole, money.currency, self._pattern(0), locale=self.locale, currency_digits=False)
        )

    @_unknown_stays_unknown
    def iso_money(self, money: Money) -> str:
        """With the ISO 4217 code, where a symbol could be misread: USD 45,000.00."""
        return f"{money.currency}\N{NO-BREAK SPACE}{self.amount(money)}"

    @_unknown_stays_unknown
    def amount(self, money: Money) -> str:
        """The number alone, for a column whose head names the currency: 45,000.00."""
        return self.number(money.amount, minor_digits(money.currency))

    @_unknown_stays_unknown
    def whole_amount(self, money: Money) -> str:
        """The number alone in whole units: 45,000."""
        return self.number(money.amount, 0)

    @_unknown_stays_unknown
    def number(self, number: Number, decimals: int = 0) -> str:
        """Grouped, with exactly so many decimals."""
        return _typeset(format_decimal(_rounded(number, decimals), _fixed("#,##0", decimals), locale=self.locale))

    @_unknown_stays_unknown
    def percent(self, share: Number, decimals: int = 0) -> str:
        """A share of one: 0.945 is 95% without decimals and 94.5% with one."""
        pattern = Locale.parse(self.locale).percent_formats[None].pattern.replace("0", _fixed("0", decimals))
        return _typeset(format_percent(_rounded(share, decimals + 2), pattern, locale=self.locale))

    @_unknown_stays_unknown
    def date(self, day: dt.date) -> str:
        """For prose: November 22, 2026."""
        return format_date(day, "long", locale=self.locale)

    @_unknown_stays_unknown
    def short_date(self, day: dt.date) -> str:
        """For tables: Nov 22, 2026."""
        return format_date(day, "medium", locale=self.locale)

    @_unknown_stays_unknown
    def month(self, day: dt.date) -> str:
        """For an axis: Nov 2026."""
        return format_date(day, "MMM y", locale=self.locale)

    @_unknown_stays_unknown
    def date_range(self, first: dt.date, last: dt.date) -> str:
        """Both days, what they share written once: Nov 22 – Dec 5, 2026."""
        # The thin space that CLDR puts around the dash is in few fonts; Source Sans has the narrow no-break one.
        span: str = format_interval(first, last, "yMMMd", locale=self.locale)
        return span.replace("\N{THIN SPACE}", "\N{NARROW NO-BREAK SPACE}")

    @_unknown_stays_unknown
    def moment(self, at: dt.datetime) -> str:
        """A day and its time with the zone: 22 Nov 2026, 14:05 CET."""
        written = format_datetime(at, "d MMM y, HH:mm z", tzinfo=get_timezone(self.zone), locale=self.locale)
        return str(written)

    @_unknown_stays_unknown
    def ago(self, at: dt.datetime, now: dt.datetime) -> str:
        """How far from now: 3 days ago, in 2 hours; a minute either way is now."""
        if abs(now - at) < dt.timedelta(minutes=1):
            return "just now"
        return str(format_timedelta(at - now, add_direction=True, locale=self.locale))

    @_unknown_stays_unknown
    def working_days(self, days: Number) -> str:
        """12 working days; half days are written, smaller parts rounded."""
        halves = round_half_up(Decimal(str(days)) * 2, 0) / 2
        return f"{self._shortest(halves)} working {'day' if halves == 1 else 'days'}"

    @_unknown_stays_unknown
    def working_weeks(self, days: Number) -> str:
        """Working days as weeks of five: 2.4 weeks."""
        weeks = round_half_up(Decimal(str(days)) / WORKING_DAYS_PER_WEEK, 1)
        return f"{self._shortest(weeks)} {'week' if weeks == 1 else 'weeks'}"

    @_unknown_stays_unknown
    def plural(self, count: int, one: str, many: str) -> str:
        """The count with its noun: 1 run, 3 runs."""
        return f"{self.number(count)}\N{NO-BREAK SPACE}{one if count == 1 else many}"

    @_unknown_stays_unknown
    def file_size(self, size_bytes: int) -> str:
        """In the unit that leaves at most three digits before the point: 4.2 MB; a kilobyte has 1,000 bytes."""
        size, unit = Decimal(size_bytes), "bytes"
        for larger in ("kB", "MB", "GB", "TB"):
            if size < _KILO:
                break
            size, unit = size / _KILO, larger
        return f"{self.number(size, 0 if unit == 'bytes' else 1)}\N{NO-BREAK SPACE}{unit}"

    def _shortest(self, number: Decimal) -> str:
        return self.number(number, 0 if number == number.to_integral_value() else 1)

    def _pattern(self, decimals: int) -> str:
        standard: str = Locale.parse(self.locale).currency_formats["standard"].pattern
        return standard.replace("0.00", _fixed("0", decimals))


FILTERS: Final = (
    "money", "whole_money", "iso_money", "amount", "whole_amount", "number", "percent", "date", "short_date", "month",
    "date_range", "moment", "ago", "working_days", "working_weeks", "plural", "file_size",
)  # fmt: skip


@cache
def environment(locale: str = "en_US", zone: str = "UTC") -> Environment:
    """The templates, escaping what they print; a name that is not given, or a raw number, is an error."""
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    formats = Formats(locale, zone)
    jinja.filters |= {name: getattr(formats, name) for name in FILTERS}
    jinja.filters |= {"coordinate": coordinate, "clauses": clauses, "sentence": sentence, "initials": initials}
    jinja.filters |= {"iso": iso}
    return jinja


def iso(at: dt.date) -> str:
    """A day, or a moment with its offset, for machines."""
    return at.isoformat()


def clauses(items: Iterable[str]) -> str:
    """Phrases as one sentence: "Score the base model; optimise the prompt." """
    first, *further = items
    return "; ".join([first, *(phrase[:1].lower() + phrase[1:] for phrase in further)]) + "."


def sentence(phrase: str) -> str:
    """A phrase as a sentence of its own: "no reason is given" is "No reason is given."."""
    return phrase[:1].upper() + phrase[1:] + ("" if phrase.endswith((".", "?", "!")) else ".")


def initials(name: str) -> str:
    """The first letters of the first and the last word: Ana Maria Ruiz is AR."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def coordinate(value: float) -> str:
    """A length in a drawing, to the hundredth."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _printable(value: object) -> object:
    if isinstance(value, Decimal | float | Money | dt.date):
        raise TypeError(f"{value!r} is printed without a filter, so its decimals, unit or locale are left to chance")
    return UNKNOWN if value is None else value


def _rounded(number: Number, decimals: int) -> Decimal:
    return round_half_up(Decimal(str(number)), decimals)


def _fixed(pattern: str, decimals: int) -> str:
    return f"{pattern}.{'0' * decimals}" if decimals else pattern


def _typeset(number: str) -> str:
    return number.replace("-", "\N{MINUS SIGN}")
