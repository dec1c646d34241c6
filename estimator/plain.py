"""An estimate as plain data: what `--json` prints and what is stored. Keys are field names and stay stable.

Exact numbers are strings ("2.16"), so that no reader turns them into binary fractions; unknown is null. A figure is
{"key", "value", "unit"}; the list `figures` explains each key with its formula, inputs, source and date.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel

from estimator.estimating import Estimate
from estimator.figures import Figure
from estimator.money import Money
from estimator.simulation import Distribution

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


def plain(value: object) -> Plain:
    """Any frozen structure of this package as data that JSON can hold."""
    match value:
        case None | bool() | int() | float() | str() | Decimal() | date():
            return _scalar(value)
        case BaseModel():
            return plain(value.model_dump(mode="json", by_alias=True, exclude_none=True))
        case Mapping():
            return {str(plain(key)): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _record(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no plain form")


def _scalar(value: float | str | Decimal | date | None) -> Plain:
    match value:
        case StrEnum():
            return value.value
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
        case _:
            return value


def _record(value: "DataclassInstance") -> Plain:
    match value:
        case Money():
            return {"amount": f"{value.amount:f}", "currency": value.currency}
        case Figure():
            return {"key": value.key, "value": plain(value.value), "unit": value.unit}
        case Distribution():
            points = {name: getattr(value, name) for name in ("p10", "p50", "p80", "p90", "mean", "sd")}
            return {name: round(point, 2) for name, point in points.items()}
        case _:
            public = [field.name for field in fields(value) if not field.name.startswith("_")]
            return {name: plain(getattr(value, name)) for name in public}


def explained(figure: Figure) -> dict[str, Plain]:
    """A figure with everything that leads back to its origin."""
    return {
        "key": figure.key,
        "value": plain(figure.value),
        "unit": figure.unit,
        "kind": figure.kind.value,
        "label": figure.label,
        "formula": figure.formula,
        "inputs": [source.key for source in figure.inputs],
        "source": figure.source,
        "as_of": figure.as_of,
        "note": figure.note,
    }


def estimate_as_plain(estimate: Estimate) -> dict[str, Plain]:
    """The whole estimate, with `standing` and `usable` of each route and every figure explained."""
    data = plain(estimate)
    assert isinstance(data, dict)
    data["schema"] = 1
    data["routes"] = [_route(estimate, number) for number in range(len(estimate.routes))]
    data["chosen"] = estimate.chosen.key if estimate.chosen else None
    data["figures"] = [explained(figure) for _, figure in sorted(estimate.figures().items())]
    return data


def _route(estimate: Estimate, number: int) -> Plain:
    route = estimate.routes[number]
    data = plain(route)
    assert isinstance(data, dict)
    return {**data, "standing": route.standing.value, "usable": route.usable}
