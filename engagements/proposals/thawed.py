"""What was frozen as plain data, read back as the types it was frozen from: a sent proposal, the facts of a report."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from engagements.proposals.view import ProposalView
from estimator.money import Money

Kept = TypeVar("Kept")


def thawed(view: Mapping[str, Any]) -> ProposalView:
    """From `snapshot["view"]`."""
    return thaw(ProposalView, view)


def thaw(kind: type[Kept], kept: Mapping[str, Any]) -> Kept:
    """A frozen dataclass from the plain form that `estimator.plain.plain` gave it.

    A field that was not there when it was frozen takes its default.
    """
    read = _read(kind, kept)
    assert isinstance(read, kind)
    return read


def _read(kind: Any, value: Any) -> object:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return None if value is None else _read(next(each for each in inner if each is not type(None)), value)
    if origin is tuple:
        return tuple(_read(inner[0], item) for item in value)
    if origin is not None and issubclass(origin, Mapping):
        return {key: _read(inner[1], item) for key, item in value.items()}
    if kind is Money:
        return Money.of(Decimal(value["amount"]), value["currency"])
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        there = [field.name for field in fields(kind) if field.name in value]
        return kind(**{name: _read(hints[name], value[name]) for name in there})
    if kind is date:
        return date.fromisoformat(value)
    if kind is float or issubclass(kind, Decimal | StrEnum):
        return kind(value)
    return value
