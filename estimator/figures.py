"""Numbers that remember where they come from.

A `Figure` is a number with a key, a unit and its origin. Arithmetic over figures yields a `Term`, which writes its
own formula; naming the term closes it into the next figure. So the explanation of a number is its computation, and
the two cannot drift apart:

    >>> tokens = given("tokens.training", 4_500_000, "tokens", source="brief")
    >>> price = fact("price.together", "0.48", "USD per 1M tokens", source="together.ai/pricing", as_of="2026")
    >>> cost = (tokens / 1_000_000 * price).named("training.run", "USD")
    >>> cost.value, cost.formula
    (Decimal('2.16'), 'tokens.training / 1000000 * price.together')

Unknown stays unknown: a figure without a value makes every term it enters a term without a value, never a 0. The
same holds for a quotient by zero, which is not defined.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from estimator.money import round_half_up

Number = Decimal | int | float

_ADD, _MULTIPLY, _ATOM = 1, 2, 3
_KEY: Final = re.compile(r"[a-z0-9_\-]+(\.[a-z0-9_\-]+)*", re.ASCII)


class Kind(StrEnum):
    """Where a number comes from: the brief, a dated source, our judgement, an artefact that was measured, arithmetic, a
    model of ours, or random draws."""

    GIVEN = "given"
    FACT = "fact"
    ASSUMED = "assumed"
    MEASURED = "measured"
    DERIVED = "derived"
    MODELLED = "modelled"
    SIMULATED = "simulated"


def exact(number: Number | str) -> Decimal:
    """The number as it is written: 0.1 becomes Decimal("0.1"), not the binary fraction nearest to it."""
    return number if isinstance(number, Decimal) else Decimal(str(number))


@dataclass(frozen=True, slots=True)
class Term:
    """A number in the making: its value (None = unknown), the formula so far and the figures it reads."""

    value: Decimal | None
    formula: str
    inputs: tuple["Figure", ...] = ()
    binding: int = _ATOM

    def __add__(self, other: "Operand") -> "Term":
        return _combine(self, _term(other), "+", _ADD)

    def __radd__(self, other: "Operand") -> "Term":
        return _combine(_term(other), self, "+", _ADD)

    def __sub__(self, other: "Operand") -> "Term":
        return _combine(self, _term(other), "-", _ADD)

    def __rsub__(self, other: "Operand") -> "Term":
        return _combine(_term(other), self, "-", _ADD)

    def __mul__(self, other: "Operand") -> "Term":
        return _combine(self, _term(other), "*", _MULTIPLY)

    def __rmul__(self, other: "Operand") -> "Term":
        return _combine(_term(other), self, "*", _MULTIPLY)

    def __truediv__(self, other: "Operand") -> "Term":
        return _combine(self, _term(other), "/", _MULTIPLY)

    def __rtruediv__(self, other: "Operand") -> "Term":
        return _combine(_term(other), self, "/", _MULTIPLY)

    def named(self, key: str, unit: str, label: str = "", note: str = "") -> "Figure":
        """Close the term into a figure of its own; later terms refer to it by `key`."""
        return Figure(
            key=key, value=self.value, unit=unit, kind=Kind.DERIVED, label=label, formula=self.formula,
            inputs=self.inputs, note=note,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number with its origin. `value` None means unknown. `as_of` is a day, a month or a year in ISO form."""

    key: str
    value: Decimal | None
    unit: str
    kind: Kind
    label: str = ""
    formula: str = ""
    inputs: tuple["Figure", ...] = field(default=(), repr=False, compare=False)
    source: str = ""
    as_of: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        assert _KEY.fullmatch(self.key), f"a figure's key is lower-case words joined by dots, not {self.key!r}"

    @property
    def known(self) -> bool:
        return self.value is not None

    def require(self) -> Decimal:
        """The value of a figure that the caller has made sure is known."""
        assert self.value is not None, f"{self.key} is unknown"
        return self.value

    def lineage(self) -> Iterator["Figure"]:
        """This figure and everything it was computed from, each once, results before their inputs."""
        seen: set[str] = set()
        waiting = [self]
        while waiting:
            figure = waiting.pop()
            if figure.key not in seen:
                seen.add(figure.key)
                yield figure
                waiting.extend(reversed(figure.inputs))

    def relabelled(self, label: str) -> "Figure":
        return replace(self, label=label)

    def __add__(self, other: "Operand") -> Term:
        return _term(self) + other

    def __radd__(self, other: "Operand") -> Term:
        return other + _term(self)

    def __sub__(self, other: "Operand") -> Term:
        return _term(self) - other

    def __rsub__(self, other: "Operand") -> Term:
        return other - _term(self)

    def __mul__(self, other: "Operand") -> Term:
        return _term(self) * other

    def __rmul__(self, other: "Operand") -> Term:
        return other * _term(self)

    def __truediv__(self, other: "Operand") -> Term:
        return _term(self) / other

    def __rtruediv__(self, other: "Operand") -> Term:
        return other / _term(self)


Operand = Term | Figure | Decimal | int | float


def given(
    key: str, value: Number | str | None, unit: str, *, source: str, as_of: str = "", label: str = "", note: str = ""
) -> Figure:
    """A number the brief states."""
    return _origin(Kind.GIVEN, key, value, unit, source=source, as_of=as_of, label=label, note=note)


def fact(
    key: str, value: Number | str | None, unit: str, *, source: str, as_of: str, label: str = "", note: str = ""
) -> Figure:
    """A number somebody published: with its source and its date."""
    return _origin(Kind.FACT, key, value, unit, source=source, as_of=as_of, label=label, note=note)


def assumed(key: str, value: Number | str | None, unit: str, *, source: str, label: str = "", note: str = "") -> Figure:
    """A number that is our judgement; `source` says whose and why."""
    return _origin(Kind.ASSUMED, key, value, unit, source=source, label=label, note=note)


def measured(key: str, value: Number | None, unit: str, *, source: str, label: str = "", note: str = "") -> Figure:
    """A number read off an artefact; `source` names the artefact by its digest, and how it was read."""
    return _origin(Kind.MEASURED, key, value, unit, source=source, label=label, note=note)


def modelled(
    key: str, value: Number | None, unit: str, *, source: str, inputs: Iterable[Figure] = (), label: str = "",
    note: str = "",
) -> Figure:  # fmt: skip
    """A number a model of ours computed in floating point; `source` names the model and its reference."""
    return _origin(Kind.MODELLED, key, value, unit, source=source, label=label, note=note, inputs=inputs)


def simulated(
    key: str, value: Number | None, unit: str, *, source: str, inputs: Iterable[Figure] = (), label: str = "",
    note: str = "",
) -> Figure:  # fmt: skip
    """A statistic of random draws; `source` gives the number of draws and the seed."""
    return _origin(Kind.SIMULATED, key, value, unit, source=source, label=label, note=note, inputs=inputs)


def total(parts: Iterable[Operand]) -> Term:
    """The sum of all parts; 0 for none, unknown as soon as one part is."""
    summed: Term | None = None
    for part in parts:
        summed = _term(part) if summed is None else summed + part
    return summed if summed is not None else Term(Decimal(0), "0")


def product(factors: Iterable[Operand]) -> Term:
    """The product of all factors; 1 for none, unknown as soon as one factor is."""
    multiplied: Term | None = None
    for factor in factors:
        multiplied = _term(factor) if multiplied is None else multiplied * factor
    return multiplied if multiplied is not None else Term(Decimal(1), "1")


def least(*operands: Operand) -> Term:
    return _call("min", min, operands)


def greatest(*operands: Operand) -> Term:
    return _call("max", max, operands)


def ceiling(operand: Operand) -> Term:
    """The next whole number, as most bills by the hour round."""
    return _call("ceil", lambda value: Decimal(math.ceil(value)), (operand,))


def rounded(operand: Operand, decimals: int) -> Term:
    """Half up to so many decimals: the one rounding rule of this house, applied once, on the printed line."""
    return _call("round", lambda value: round_half_up(value, decimals), (operand,), suffix=f", {decimals}")


def floor(operand: Operand) -> Term:
    return _call("floor", lambda value: Decimal(math.floor(value)), (operand,))


def _origin(
    kind: Kind, key: str, value: Number | str | None, unit: str, *, source: str, label: str, note: str,
    as_of: str = "", inputs: Iterable[Figure] = (),
) -> Figure:  # fmt: skip
    return Figure(
        key=key, value=None if value is None else exact(value), unit=unit, kind=kind, label=label, source=source,
        as_of=as_of, note=note, inputs=_distinct(inputs),
    )  # fmt: skip


def _term(operand: Operand) -> Term:
    match operand:
        case Term():
            return operand
        case Figure():
            return Term(operand.value, operand.key, (operand,))
        case _:
            number = exact(operand)
            return Term(number, f"{number:f}", (), _ATOM if number >= 0 else _ADD)


def _combine(left: Term, right: Term, sign: str, binding: int) -> Term:
    # a - (b + c) and a / (b * c) need their brackets on the right even where binding is equal.
    strict = sign in "-/"
    formula = f"{_bracketed(left, binding)} {sign} {_bracketed(right, binding + 1 if strict else binding)}"
    value = None
    if left.value is not None and right.value is not None and not (sign == "/" and right.value == 0):
        value = _OPERATIONS[sign](left.value, right.value)
    return Term(value, formula, _merged(left.inputs, right.inputs), binding)


_OPERATIONS: Final[dict[str, Callable[[Decimal, Decimal], Decimal]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


def _bracketed(term: Term, binding: int) -> str:
    return f"({term.formula})" if term.binding < binding else term.formula


def _call(name: str, function: Callable[..., Decimal], operands: tuple[Operand, ...], suffix: str = "") -> Term:
    terms = [_term(operand) for operand in operands]
    values = [term.value for term in terms]
    known = [value for value in values if value is not None]
    value = function(*known) if len(known) == len(values) else None
    formula = f"{name}({', '.join(term.formula for term in terms)}{suffix})"
    return Term(value, formula, _distinct(figure for term in terms for figure in term.inputs))


def _merged(left: tuple[Figure, ...], right: tuple[Figure, ...]) -> tuple[Figure, ...]:
    return _distinct((*left, *right)) if left and right else left or right


def _distinct(figures: Iterable[Figure]) -> tuple[Figure, ...]:
    return tuple({figure.key: figure for figure in figures}.values())
