"""The metrics of a job, from the file at the signed address that it tells.

What stands in the file Fireworks does not describe. Two forms were seen by others: a line a step with the values beside
`step`, and the same under `data`; of both, `train/loss`, `train/epoch` and `train/lr`. `eval/loss` is a guess, and so
is that it is of the whole evaluation dataset. Any other value, and a line that cannot be read, is left out.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Final

from backends.errors import AnswerInvalid
from backends.events import Metrics
from backends.fireworks.account import Account, reading
from backends.fireworks.jobs import Job, metrics_url

_BYTES_MAX: Final = 64 * 1024 * 1024
_GONE: Final = frozenset({400, 403, 404, 410})
"""No file yet, or an address that has run out."""


def curve_of(account: Account, job: Job) -> tuple[Metrics, ...]:
    """In order of its steps; empty where no file lies there. Raises what `reading` raises."""
    with reading():
        url = metrics_url(account, job)
        content = _content(account, url) if url else b""
    return points(content)


def points(content: bytes) -> tuple[Metrics, ...]:
    """Of the file's lines; lines of one step are put together."""
    found: dict[int, dict[str, float]] = {}
    for line in content.splitlines():
        row = _row(line)
        step = _number(row.get("step"))
        if step is not None and step >= 0:
            inner = row.get("data")
            found.setdefault(int(step), {}).update(_measured(inner if isinstance(inner, Mapping) else row))
    measured = {step: values for step, values in sorted(found.items()) if values.keys() & {"train/loss", "eval/loss"}}
    return tuple(
        Metrics(
            step=step,
            epoch=values.get("train/epoch"),
            train_loss=values.get("train/loss"),
            full_valid_loss=values.get("eval/loss"),
            learning_rate=values.get("train/lr"),
        )
        for step, values in measured.items()
    )


def _content(account: Account, url: str) -> bytes:
    with account.outside(url) as plain, plain.stream("GET", url) as answer:
        if answer.status_code in _GONE:
            return b""
        answer.raise_for_status()
        return b"".join(_bounded(answer.iter_bytes()))


def _bounded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > _BYTES_MAX:
            raise AnswerInvalid("the file of metrics is larger than any curve")
        yield piece


def _row(line: bytes) -> Mapping[str, object]:
    try:
        row = json.loads(line)
    except ValueError:
        return {}
    return row if isinstance(row, dict) else {}


def _measured(values: Mapping[str, object]) -> dict[str, float]:
    return {name: number for name, value in values.items() if (number := _number(value)) is not None}


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None  # type: ignore[arg-type]  # checked above
