"""The results file of a job, and what it says that its events did not."""

import base64
import binascii
import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields
from types import MappingProxyType
from typing import Final

from backends.events import Metrics

_COLUMNS: Final = MappingProxyType({
    # OpenAI's header and Azure's (formats and training reference, section 3).
    "train_loss": "train_loss", "train_accuracy": "train_accuracy", "train_mean_token_accuracy": "train_accuracy",
    "valid_loss": "valid_loss", "valid_accuracy": "valid_accuracy", "valid_mean_token_accuracy": "valid_accuracy",
    "full_valid_loss": "full_valid_loss", "full_valid_mean_token_accuracy": "full_valid_accuracy",
})  # fmt: skip


def parse(content: bytes) -> tuple[Metrics, ...]:
    """Rows by their column names, in order of steps; blanks were not measured. Some servers send it in base64."""
    text = _plain(content).decode("utf-8-sig", errors="replace")
    found = {}
    for row in _rows(text):
        step = _number(row.get("step"))
        if step is not None and step >= 0 and step.is_integer():
            measured = {ours: _number(row.get(theirs)) for theirs, ours in _COLUMNS.items() if row.get(theirs)}
            found[int(step)] = Metrics(step=int(step), **measured)  # type: ignore[arg-type]  # all of them are floats
    return tuple(found[step] for step in sorted(found))


def _rows(text: str) -> Iterator[Mapping[str, str | None]]:
    """Up to the first that is no row, for what came before it was measured all the same."""
    with suppress(csv.Error):
        yield from csv.DictReader(io.StringIO(text, newline=""))


def untold(rows: Iterable[Metrics], told: Mapping[int, Metrics]) -> tuple[Metrics, ...]:
    """Those rows that add a number to what events told of their step."""
    return tuple(row for row in rows if row.step not in told or _adds(row, told[row.step]))


def _adds(row: Metrics, told: Metrics) -> bool:
    return any(getattr(row, each.name) is not None and getattr(told, each.name) is None for each in fields(Metrics))


def _plain(content: bytes) -> bytes:
    if b"step" in content[:200]:
        return content
    try:
        return base64.b64decode(content, validate=False)
    except binascii.Error:
        return content


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text and len(text) < 40 else None
    except ValueError:
        return None
    return value if value is not None and math.isfinite(value) else None
