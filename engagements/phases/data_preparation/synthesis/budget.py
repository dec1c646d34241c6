"""What a run may still spend. Pure: money is exact until it is printed, and nothing is sent that might pass the cap.

Before a request goes out its worst case is held back; what the answer used takes its place. A request whose fate is
unknown keeps its worst case for good, for it may have been billed.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from estimator.money import minor_digits

_MTOK: Final = 1_000_000


class Purpose(StrEnum):
    """What a request is for."""

    GENERATE = "generate"
    JUDGE = "judge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What one request, or many, put in and got out."""

    input: int = 0
    output: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(input=self.input + other.input, output=self.output + other.output)

    def within(self, most: "Tokens") -> bool:
        return self.input <= most.input and self.output <= most.output

    def cut_to(self, most: "Tokens") -> "Tokens":
        return Tokens(input=min(self.input, most.input), output=min(self.output, most.output))


NO_TOKENS: Final = Tokens()


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Of a million tokens, dated. `rate`: so much of the price's currency is one unit of the run's own."""

    input: Decimal
    output: Decimal
    currency: str
    source: str
    as_of: str
    rate: Decimal = Decimal(1)
    rate_source: str = ""

    def minor(self, tokens: Tokens, currency: str) -> Fraction:
        """Exact, in minor units of the run's currency."""
        whole = Fraction(self.input) * tokens.input + Fraction(self.output) * tokens.output
        return whole / _MTOK / Fraction(self.rate) * Fraction(10 ** minor_digits(currency))

    def as_json(self) -> dict[str, Any]:
        return {
            "input": str(self.input), "output": str(self.output), "currency": self.currency, "source": self.source,
            "as_of": self.as_of, "rate": str(self.rate), "rate_source": self.rate_source,
        }  # fmt: skip

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Price":
        return cls(
            input=Decimal(said["input"]), output=Decimal(said["output"]), currency=said["currency"],
            source=said["source"], as_of=said["as_of"], rate=Decimal(said["rate"]), rate_source=said["rate_source"],
        )  # fmt: skip


Prices = Mapping[Purpose, Price]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """In minor units of `currency`, in tokens, or both; at least one is set."""

    currency: str
    minor: int | None = None
    tokens: int | None = None


class CapUnpriced(Exception):
    """A cap in money, and a price that nobody knows."""


@dataclass(slots=True, kw_only=True)
class Budget:
    """`prices` None: nobody knows what a token costs, so the cap is in tokens. Not safe to share between threads."""

    cap: Cap
    prices: Prices | None
    spent: dict[Purpose, Tokens] = field(default_factory=dict)
    lost: dict[Purpose, Tokens] = field(default_factory=dict)
    held: dict[Hashable, tuple[Purpose, Tokens]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.cap.minor is not None and self.prices is None:
            raise CapUnpriced

    def hold(self, key: Hashable, purpose: Purpose, most: Tokens) -> bool:
        """Sets the worst case of a request aside; False, and nothing is held, where it would not fit under the cap."""
        assert key not in self.held, "a request is held once"
        self.held[key] = purpose, most
        if self._fits():
            return True
        del self.held[key]
        return False

    def settle(self, key: Hashable, used: Tokens) -> Tokens:
        """What is charged for an answer: what it used, and never more than what could have been used."""
        purpose, most = self.held.pop(key)
        charged = used.cut_to(most)
        self.spent[purpose] = self.spent.get(purpose, Tokens()) + charged
        return charged

    def release(self, key: Hashable) -> None:
        """The provider refused it, so it is not billed."""
        del self.held[key]

    def lose(self, key: Hashable) -> None:
        """No answer came, and it may be billed all the same."""
        purpose, most = self.held.pop(key)
        self.lost[purpose] = self.lost.get(purpose, Tokens()) + most

    @property
    def used(self) -> Tokens:
        return sum(self.spent.values(), Tokens())

    @property
    def spent_minor(self) -> Fraction | None:
        """None while nobody knows the price."""
        return self._minor(self.spent)

    @property
    def lost_minor(self) -> Fraction | None:
        return self._minor(self.lost)

    @property
    def committed(self) -> "Committed":
        """All that is spent, may have been, or may yet be."""
        of: dict[Purpose, Tokens] = {}
        for purpose, tokens in (*self.spent.items(), *self.lost.items(), *self.held.values()):
            of[purpose] = of.get(purpose, Tokens()) + tokens
        return Committed(tokens=sum(each.total for each in of.values()), minor=self._minor(of))

    def _fits(self) -> bool:
        sums = self.committed
        if self.cap.tokens is not None and sums.tokens > self.cap.tokens:
            return False
        return self.cap.minor is None or (sums.minor is not None and sums.minor <= self.cap.minor)

    def _minor(self, of: Mapping[Purpose, Tokens]) -> Fraction | None:
        if self.prices is None:
            return None
        prices, currency = self.prices, self.cap.currency
        parts = [prices[purpose].minor(tokens, currency) for purpose, tokens in of.items()]
        return sum(parts, start=Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """`minor` exact, None while nobody knows the price."""

    tokens: int
    minor: Fraction | None


def rounded(minor: Fraction | None) -> int | None:
    """The house's rule, half up, once, on the line that is printed."""
    return None if minor is None else int((minor + Fraction(1, 2)) // 1)


_PER_REQUEST: Final = 64
_PER_MESSAGE: Final = 16


def input_tokens_at_most(texts: list[str]) -> int:
    """No tokeniser that falls back to bytes makes more tokens of a text than it has UTF-8 bytes.

    The frame of each message and of the request is a judgement: OpenAI's own is 3 to 4 and 3 tokens, templates of open
    models write up to some dozens.
    """
    return sum(len(text.encode()) + _PER_MESSAGE for text in texts) + _PER_REQUEST
