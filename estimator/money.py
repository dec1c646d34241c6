"""Exact money: integer minor units of one currency, one rounding rule, sums that never lose a cent.

Amounts are rounded half up, once, on the line a client sees; a total is the sum of its rounded lines.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import lcm
from typing import Final

from estimator.errors import BriefInvalid, CurrencyMismatch, Problem

# ISO 4217, active codes by the number of minor-unit digits.
_NO_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_TWO_DECIMALS: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP "
    "CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES "
    "KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK "
    "NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB "
    "TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW"
)
_THREE_DECIMALS: Final = "BHD IQD JOD KWD LYD OMR TND"

MINOR_DIGITS: Final[dict[str, int]] = {
    code: digits
    for digits, codes in ((0, _NO_DECIMALS), (2, _TWO_DECIMALS), (3, _THREE_DECIMALS))
    for code in codes.split()
}

_AMOUNT: Final = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,9})?", re.ASCII)


def round_half_up(value: Decimal, decimals: int) -> Decimal:
    """The house's rounding rule: half away from zero, to `decimals` places."""
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount of one currency in its minor units (cents, yen, fils)."""

    minor: int
    currency: str

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> "Money":
        """The amount rounded half up to the currency's minor unit."""
        digits = minor_digits(currency)
        return cls(int(round_half_up(amount, digits).scaleb(digits)), currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """Read an amount such as "1250.00"; no signs of other scripts, no exponents, no excess decimals."""
        digits = minor_digits(currency)
        if not _AMOUNT.fullmatch(text):
            raise BriefInvalid(_bad_amount("money.bad_format", text, "write it as digits with a point, like 1250.00"))
        if len(text.partition(".")[2]) > digits:
            raise BriefInvalid(_bad_amount("money.too_many_decimals", text, f"{currency} has {digits} decimals"))
        return cls(int(Decimal(text).scaleb(digits)), currency)

    @property
    def amount(self) -> Decimal:
        return Decimal(self.minor).scaleb(-minor_digits(self.currency))

    def __add__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def times(self, factor: Decimal) -> "Money":
        return Money.of(self.amount * factor, self.currency)

    def allocate(self, weights: Sequence[Decimal]) -> list["Money"]:
        """Split into parts in proportion to `weights` that sum to the whole exactly.

        By largest remainder: every part is rounded down, and the units left over go to the largest remainders, the
        earlier part first where two are equal. 1,000.00 in thirds is 333.34, 333.33, 333.33.
        """
        if self.minor < 0:
            return [-part for part in (-self).allocate(weights)]
        assert all(weight >= 0 for weight in weights), "a weight is never negative"
        ratios = [weight.as_integer_ratio() for weight in weights]
        common = lcm(*(denominator for _, denominator in ratios))
        shares = [self.minor * numerator * (common // denominator) for numerator, denominator in ratios]
        whole = sum(numerator * (common // denominator) for numerator, denominator in ratios)
        assert whole > 0, "weights must sum to more than zero"
        parts = [share // whole for share in shares]
        by_remainder = sorted(range(len(parts)), key=lambda index: (-(shares[index] % whole), index))
        for index in by_remainder[: self.minor - sum(parts)]:
            parts[index] += 1
        return [Money(part, self.currency) for part in parts]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def _same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(
                Problem(
                    code="money.mixed_currency",
                    message=f"{self} and {other} are not of one currency",
                    remedy="convert with a dated exchange rate first",
                )
            )


def minor_digits(currency: str) -> int:
    """How many decimals the currency has (ISO 4217)."""
    if currency not in MINOR_DIGITS:
        problem = "is not an active ISO 4217 currency"
        raise BriefInvalid(_bad_amount("money.bad_currency", currency, "use a code such as USD or EUR", problem))
    return MINOR_DIGITS[currency]


def sum_of(parts: Iterable[Money], currency: str) -> Money:
    """The sum of money of one currency; nothing sums to zero of `currency`."""
    summed = Money(0, currency)
    for part in parts:
        summed += part
    return summed


def _bad_amount(code: str, text: str, remedy: str, problem: str = "is not an amount of money") -> Problem:
    return Problem(code=code, message=f"{text[:40]!r} {problem}", remedy=remedy)
