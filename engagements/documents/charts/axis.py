"""Axes with ticks at round numbers, and only as many as can be read."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from engagements.documents.charts.drawing import NOTE_SIZE, Text
from engagements.documents.charts.lettering import LINE_HEIGHT, width_of

_MANTISSAS: Final = (1.0, 2.0, 2.5, 5.0, 10.0, 20.0, 25.0)
_MOST_TICKS: Final = 6
_GAP: Final = 8.0
# Below the price of a token in any currency, and far above where floats lose their digits.
_LEAST_SPAN: Final = 1e-12
_LEAST_SHARE: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """`text` is empty where the number would run into its neighbour's."""

    value: float
    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A linear scale from `low` at `start` to `high` at `end`, in points."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[Tick, ...] = ()

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def across(values: Sequence[float], start: float, end: float, text: Text, steps: Sequence[float] = ()) -> Axis:
    """A horizontal axis that holds all values; for `steps` see `round_ticks`."""
    return _axis(values, start, end, text, steps, room_of=lambda written: width_of(written, NOTE_SIZE) + _GAP)


def upright(values: Sequence[float], start: float, end: float, text: Text) -> Axis:
    """A vertical axis that holds all values; `start` is the foot."""
    return _axis(values, start, end, text, (), room_of=lambda _: NOTE_SIZE * LINE_HEIGHT + _GAP)


def round_ticks(low: float, high: float, most: int, steps: Sequence[float] = ()) -> list[float]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten that reach from `low` to `high` in at most `most` steps (2 up).

    Where one of `steps`, in rising order, does too, its multiples are taken instead (months: 1, 3, 6, 12). An empty
    range, and one below `_LEAST_SPAN` or `_LEAST_SHARE` of its ends, is given one step.
    """
    assert most >= 2, "a range on both sides of a multiple needs two steps"
    assert math.isfinite(high - low), "only finite numbers can be drawn"
    largest = max(abs(low), abs(high))
    # Two numbers that differ in their last digits only are one: a step between them is lost in adding it up.
    least = max(_LEAST_SPAN, _LEAST_SHARE * largest)
    span = next((size for size in (high - low, largest) if size >= least), 1.0)
    power = math.floor(math.log10(span / most))
    for step in (*steps, *(mantissa * 10.0**power for mantissa in _MANTISSAS)):
        # A hair's breadth beyond a tick is on it: 0.3 is 2.9999... steps of 0.1.
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        last = max(last, first + 1)
        if last - first <= most:
            return [index * step for index in range(first, last + 1)]
    raise AssertionError("a step of ten powers more always suffices")


def _axis(
    values: Sequence[float],
    start: float,
    end: float,
    text: Text,
    steps: Sequence[float],
    room_of: Callable[[str], float],
) -> Axis:
    low, high = min(values), max(values)
    for most in range(_MOST_TICKS, 1, -1):
        places = round_ticks(low, high, most, steps)
        axis = Axis(low=places[0], high=places[-1], start=start, end=end)
        texts = [text(value) for value in places]
        room = abs(end - start) / (len(places) - 1)
        if len(set(texts)) == len(texts) and max(map(room_of, texts)) <= room:
            break
    else:
        # Not even two numbers side by side: the first says at least where the axis begins.
        texts = [texts[0], *("" for _ in texts[1:])]
    ticks = tuple(Tick(value=value, at=axis.at(value), text=said) for value, said in zip(places, texts, strict=True))
    return Axis(low=axis.low, high=axis.high, start=start, end=end, ticks=ticks)
