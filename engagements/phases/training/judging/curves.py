"""The measured points of a run as the lines that a verdict reads: training loss, validation loss, gradient norm."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import isfinite
from statistics import fmean
from typing import Final, NamedTuple

from backends.events import Metrics

WINDOWS: Final = 10
WINDOW_LEAST: Final = 5
"""A provider's `valid_loss` is one mini-batch, 10.112 where the whole file says 0.567 (formats reference, section 3):
at least so many are averaged before they are read."""


class At(NamedTuple):
    step: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """By step, once each, finite values alone. `validation`: of the whole file; where only mini-batches were measured,
    means of windows, each at its last step. `gradients` as they were told.

    `first_loss`: of training, whatever it is. `lost`: where a loss became no number and stayed so. `tokens`: trained so
    far, at the last point that says. `ended`: no point comes any more.
    """

    training: tuple[At, ...]
    validation: tuple[At, ...]
    gradients: tuple[At, ...]
    first_loss: At | None
    lost: At | None
    tokens: int | None
    last_step: int
    total_steps: int | None
    ended: bool

    def training_at(self, step: int) -> float | None:
        """Around a validation loss: the mean since the one before it, but of no more than a tenth of the run."""
        before = max((each.step for each in self.validation if each.step < step), default=0)
        after = max(before, step - max(1, self.last_step // 10))
        until = [each for each in self.training if each.step <= step]
        around = [each.value for each in until if each.step > after] or [each.value for each in until[-1:]]
        return fmean(around) if around else None


def curves_of(points: Sequence[Metrics], *, ended: bool) -> Curves:
    """What is told twice of a step (training and validation come apart) is put together; the last word holds."""
    ordered = sorted(points, key=lambda point: point.step)
    training, whole, batches = (_line(ordered, name) for name in ("train_loss", "full_valid_loss", "valid_loss"))
    validation = _finite(whole)
    if len(validation) < 2:
        validation = _windows(_finite(batches)) or validation
    return Curves(
        training=_finite(training), validation=validation, gradients=_line(ordered, "grad_norm"),
        first_loss=training[0] if training else None, lost=_lost(training) or _lost(whole),
        tokens=next((each.tokens for each in reversed(ordered) if each.tokens is not None), None),
        last_step=ordered[-1].step if ordered else 0,
        total_steps=next((each.total_steps for each in reversed(ordered) if each.total_steps), None), ended=ended,
    )  # fmt: skip


def _line(ordered: Sequence[Metrics], name: str) -> tuple[At, ...]:
    by_step = {point.step: value for point in ordered if (value := getattr(point, name)) is not None}
    return tuple(At(step, value) for step, value in by_step.items())


def _finite(line: Sequence[At]) -> tuple[At, ...]:
    return tuple(each for each in line if isfinite(each.value))


def _lost(line: Sequence[At]) -> At | None:
    tail = list(takewhile(lambda each: not isfinite(each.value), reversed(line)))
    return tail[-1] if tail else None


def _windows(batches: Sequence[At]) -> tuple[At, ...]:
    """Up to ten means of equal spans, each of five batches or more; none where there are fewer."""
    count = min(WINDOWS, len(batches) // WINDOW_LEAST)
    return tuple(At(span[-1].step, fmean(each.value for each in span)) for span in _spans(batches, count))


def _spans(batches: Sequence[At], count: int) -> Iterator[Sequence[At]]:
    for place in range(count):
        yield batches[place * len(batches) // count : (place + 1) * len(batches) // count]
