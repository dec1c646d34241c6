"""What if? Estimates side by side, and one input varied while all else stays."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from estimator.brief import Brief, read_brief
from estimator.errors import BriefInvalid, CurrencyMismatch, Problem
from estimator.estimating import Estimate
from estimator.roi import Case

_STEP: Final = re.compile(r"([A-Za-z_]+)(?:\[(\d+)\])?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One headline of each estimate, in their order: an exact number (None where unknown) or words.

    `unit` is a currency code, "days", "months", "USD" ... or empty for words and dates.
    """

    key: str
    label: str
    unit: str
    values: tuple[Decimal | str | None, ...]

    @property
    def differences(self) -> tuple[Decimal | None, ...]:
        """Each number less the first one; None for words, dates and what is unknown."""
        first = self.values[0]
        numbers = [value if isinstance(value, Decimal) else None for value in self.values]
        return tuple(None if n is None or not isinstance(first, Decimal) else n - first for n in numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    names: tuple[str, ...]
    rows: tuple[Row, ...]


def compare(estimates: Mapping[str, Estimate]) -> Comparison:
    """The headlines of several estimates side by side, the first being what the others are held against.

    Raises `CurrencyMismatch` for briefs of several currencies, whose prices have no difference.
    """
    assert estimates, "nothing to compare"
    several = list(estimates.values())
    currencies = {estimate.brief.commercial.currency for estimate in several}
    if len(currencies) > 1:
        message, remedy = f"the briefs are in {', '.join(sorted(currencies))}", "compare briefs of one currency"
        raise CurrencyMismatch(Problem(code="money.mixed_currency", message=message, remedy=remedy))
    return Comparison(
        names=tuple(estimates),
        rows=tuple(
            Row(key=key, label=label, unit=_unit(unit, several), values=tuple(read(estimate) for estimate in several))
            for key, label, unit, read in _HEADLINES
        ),
    )


def with_value(brief: Brief, field: str, value: object) -> Brief:
    """The brief with one field changed, such as `traffic.requests_per_month` or `training.routes[1].gpus`.

    `value` as JSON holds it; a date and an amount of money may come as what they are.
    Raises `BriefInvalid` where the field is none of a brief's or the value does not fit it.
    """
    data = json.loads(brief.model_dump_json(by_alias=True, exclude_none=True, exclude_unset=True))
    whole: object = json.loads(brief.model_dump_json(by_alias=True, exclude_none=True))
    *around, last = [step for part in field.split(".") for step in _steps(part, field)]
    node: object = data
    for step in around:
        # What the brief leaves out stays left out, or a default would read as the client's word.
        section = node is data and isinstance(whole, dict) and isinstance(whole.get(step), dict)
        whole = _inside(whole, step, field)
        if isinstance(node, dict):
            node.setdefault(step, {} if section else whole)
        node = _inside(node, step, field)
    match node, last:
        case dict(), str():
            node[last] = value
        case list(), int() if last < len(node):
            node[last] = value
        case _:
            raise _no_such(field)
    return read_brief(json.dumps(data, default=str), form="json")


def vary(brief: Brief, field: str, values: Sequence[object], run: Callable[[Brief], Estimate]) -> Comparison:
    """Sensitivity to one input: the estimate at each of its values."""
    return compare({f"{field} = {value}": run(with_value(brief, field, value)) for value in values})


def _steps(part: str, field: str) -> list[str | int]:
    """`routes[1]` is the field `routes` and its item 0."""
    step = _STEP.fullmatch(part)
    if step is None or step[2] == "0":
        raise _no_such(field)
    return [step[1]] if step[2] is None else [step[1], int(step[2]) - 1]


def _inside(node: object, step: str | int, field: str) -> object:
    match node, step:
        case dict(), str() if step in node:
            return node[step]
        case list(), int() if step < len(node):
            return node[step]
        case _:
            raise _no_such(field)


def _no_such(field: str) -> BriefInvalid:
    message, remedy = f"{field!r} is no field of this brief", "name it as in the brief, like traffic.requests_per_month"
    return BriefInvalid(Problem(code="unknown_field", message=message, remedy=remedy))


def _unit(unit: str, estimates: Sequence[Estimate]) -> str:
    return estimates[0].brief.commercial.currency if unit == "currency" else unit


def _net(option: str) -> Callable[[Estimate], Decimal | None]:
    def read(estimate: Estimate) -> Decimal | None:
        options = estimate.quote.options if estimate.quote else ()
        return next((priced.net.amount for priced in options if priced.id == option), None)

    return read


def _cost(percent: int) -> Callable[[Estimate], Decimal | None]:
    def read(estimate: Estimate) -> Decimal | None:
        return getattr(estimate.quote.recommended, f"cost_p{percent}").value if estimate.quote else None

    return read


def _npv(case: Case) -> Callable[[Estimate], Decimal | None]:
    return lambda estimate: estimate.roi.of(case).npv.value if estimate.roi else None


def _payback(estimate: Estimate) -> Decimal | str | None:
    expected = estimate.roi.of(Case.EXPECTED) if estimate.roi else None
    if expected is None or not expected.npv.known:
        return None
    return "never" if expected.payback_month is None else Decimal(expected.payback_month)


_HEADLINES: Final[tuple[tuple[str, str, str, Callable[[Estimate], Decimal | str | None]], ...]] = (
    ("verdict", "Verdict", "", lambda estimate: estimate.fit.verdict.value.replace("_", " ")),
    ("route", "Route", "", lambda estimate: estimate.chosen.name if estimate.chosen else "none left"),
    ("run", "One training run", "USD", lambda estimate: estimate.chosen.run.value if estimate.chosen else None),
    ("programme", "All training", "USD", lambda estimate: estimate.chosen.programme.value if estimate.chosen else None),
    ("serving", "Serving per month", "USD",
     lambda estimate: estimate.chosen.serving.monthly.value if estimate.chosen and estimate.chosen.serving else None),
    ("base_serving", "Prompted base per month", "USD", lambda estimate: estimate.base_serving.monthly.value),
    ("cost_p50", "Our cost, P50", "currency", _cost(50)),
    ("cost_p80", "Our cost, P80", "currency", _cost(80)),
    ("prove", "Price, Prove", "currency", _net("prove")),
    ("deliver", "Price, Deliver", "currency", _net("deliver")),
    ("run_option", "Price, Run", "currency", _net("run")),
    ("days_p50", "Working days, P50", "days", lambda estimate: Decimal(estimate.schedule.working_days_p50)),
    ("go_live", "Go live, P50", "", lambda estimate: estimate.schedule.go_live.isoformat()),
    ("go_live_p80", "Go live, P80", "", lambda estimate: estimate.schedule.go_live_p80.isoformat()),
    ("npv_low", "Value to the client, low", "currency", _npv(Case.LOW)),
    ("npv_expected", "Value to the client, expected", "currency", _npv(Case.EXPECTED)),
    ("payback", "Payback", "months", _payback),
)  # fmt: skip
