"""Measures of a run as rows keep them: JSON without a number that is none, which no database and no reader takes."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from decimal import Decimal
from math import isfinite
from typing import Any, Final

from backends.events import Checkpoint, Metrics, Usage

NOT_FINITE: Final = "not_finite"
_NAMES: Final = tuple(each.name for each in fields(Metrics))


def metrics_json(metrics: Metrics) -> dict[str, Any]:
    """What was measured, by name; `not_finite` names what was no number."""
    given = {name: value for name, value in asdict(metrics).items() if value is not None}
    broken = sorted(name for name, value in given.items() if not isfinite(value))
    kept: dict[str, Any] = {name: value for name, value in given.items() if name not in broken}
    return kept | ({NOT_FINITE: broken} if broken else {})


def read_metrics(said: Mapping[str, Any]) -> Metrics:
    """As it was told; what was no number is none again."""
    broken = dict.fromkeys(said.get(NOT_FINITE, ()), float("nan"))
    return Metrics(**{name: value for name, value in (dict(said) | broken).items() if name in _NAMES})


def valid_losses(points: Iterable[Metrics]) -> list[tuple[float, int]]:
    """Loss and step of each validation: of the whole file where that was ever measured, else of batches of it."""
    measured = list(points)
    for name in ("full_valid_loss", "valid_loss"):
        found = [(loss, each.step) for each in measured if (loss := getattr(each, name)) is not None and isfinite(loss)]
        if found:
            return found
    return []


def with_latest(before: Mapping[str, Any], told: Iterable[Metrics]) -> dict[str, Any]:
    """Of each measure the last that was told."""
    latest = dict(before)
    for each in told:
        latest |= {name: value for name, value in metrics_json(each).items() if name != NOT_FINITE}
    return latest


def usage_json(usage: Usage) -> dict[str, Any]:
    said = {name: value for name, value in asdict(usage).items() if value is not None}
    return said | ({"cost": f"{usage.cost:f}"} if usage.cost is not None else {})


def usage_of(said: Mapping[str, Any]) -> Usage:
    """What `usage_json` made of it."""
    cost = Decimal(said["cost"]) if "cost" in said else None
    return Usage(**{**said, "cost": cost})


def checkpoint_json(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "step": checkpoint.step, "model": checkpoint.model, "sha256": checkpoint.sha256,
        "metrics": metrics_json(checkpoint.metrics) if checkpoint.metrics else None,
    }  # fmt: skip
