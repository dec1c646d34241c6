"""Runs beside each other as lines over upright axes: what was set at the left, what came of it at the right."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from engagements.documents.charts.drawing import Anchor, Bar, Dot, Drawing, Label, Line, Path, Point, Shape
from engagements.documents.charts.lettering import Weight, cut
from engagements.documents.charts.plane import apart
from engagements.phases.training.showing.curve_chart import ACCENT, GRID, INK, MUTED, PAPER, TEXT
from engagements.rendering import UNKNOWN

_TOP: Final = 48.0
_TALL: Final = 190.0
_FOOT: Final = 22.0
_UNKNOWN_ROOM: Final = 24.0
_AXIS_LEAST: Final = 118.0
_WIDTH_LEAST: Final = 760.0
_ENDS: Final = 34.0
_BESIDE: Final = 32.0
"""From the last axis to the numbers of the runs: beside what is written under it."""
_UNKNOWN_AT: Final = _TOP + _TALL + 24
_LOG_FROM: Final = 10.0
"""A ratio of the largest to the smallest value from which an axis is logarithmic; rates and ranks are multiplied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upright:
    """One axis. `values`: of each run in order, None unknown; of words where it is no number. `texts`: as written."""

    title: str
    values: tuple[float | str | None, ...]
    texts: tuple[str, ...]

    @property
    def is_words(self) -> bool:
        return any(isinstance(value, str) for value in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """One run; `is_chosen`: the one to be seen first."""

    name: str
    label: str
    is_chosen: bool


def draw(axes: Sequence[Upright], threads: Sequence[Thread]) -> Drawing:
    """Two axes and one run at least."""
    assert len(axes) > 1, "one axis is no comparison"
    apart_by = max(_AXIS_LEAST, _WIDTH_LEAST / len(axes))
    width = 2 * _ENDS + apart_by * len(axes)
    xs = [_ENDS + apart_by * (place + 0.5) for place in range(len(axes))]
    paths = [[Point(x, _height(axis, run)) for x, axis in zip(xs, axes, strict=True)] for run in range(len(threads))]
    has_unknown = any(point.y == _UNKNOWN_AT for path in paths for point in path)
    shapes: list[Shape] = [Line(x1=x, y1=_TOP, x2=x, y2=_TOP + _TALL, stroke=GRID, width=1.5) for x in xs]
    for thread, path in sorted(zip(threads, paths, strict=True), key=lambda each: each[0].is_chosen):
        shapes += _thread(thread, path)
    written = [*_written(axes, xs)]
    shapes += map(_ground, written)
    foot = _TOP + _TALL + _FOOT + (_UNKNOWN_ROOM if has_unknown else 0)
    labels = [*written, *_ends(threads, paths, foot)]
    if has_unknown:
        labels.append(Label(text=UNKNOWN, x=0, y=_UNKNOWN_AT + 4, size=TEXT, colour=MUTED))
    return Drawing(
        width=width, height=foot, title=in_words(axes, threads), shapes=tuple(shapes),
        labels=tuple(labels),
    )  # fmt: skip


def in_words(axes: Sequence[Upright], threads: Sequence[Thread]) -> str:
    said = (
        f"{thread.name}{', chosen' if thread.is_chosen else ''}: "
        + ", ".join(f"{axis.title.lower()} {axis.texts[run]}" for axis in axes) + "."
        for run, thread in enumerate(threads)
    )  # fmt: skip
    return " ".join(("What each run was given, and what came of it.", *said))


def _height(axis: Upright, run: int) -> float:
    value = axis.values[run]
    if value is None:
        return _UNKNOWN_AT
    if axis.is_words:
        distinct = list(dict.fromkeys(each for each in axis.values if each is not None))
        return _share(distinct.index(value) + 0.5, 0, len(distinct))
    known = [each for each in axis.values if isinstance(each, float | int)]
    assert not isinstance(value, str), "an axis of numbers has no words"
    low, high = min(known), max(known)
    if low > 0 and high / low >= _LOG_FROM:
        return _share(math.log(value), math.log(low), math.log(high))
    return _share(value, low, high)


def _share(value: float, low: float, high: float) -> float:
    part = (value - low) / (high - low) if high > low else 0.5
    return _TOP + _TALL * (1 - part)


def _thread(thread: Thread, path: Sequence[Point]) -> Iterator[Shape]:
    colour, width = (ACCENT, 3.0) if thread.is_chosen else (MUTED, 1.5)
    yield Path(points=tuple(path), stroke=colour, width=width)
    for point in path:
        yield Dot(x=point.x, y=point.y, radius=4 if thread.is_chosen else 3, fill=colour)


def _written(axes: Sequence[Upright], xs: Sequence[float]) -> Iterator[Label]:
    """The name of each axis, and the values at its ends; of words each."""
    for axis, x in zip(axes, xs, strict=True):
        title = cut(axis.title, TEXT, _AXIS_LEAST - 8, Weight.SEMIBOLD)
        yield Label(
            text=title, x=x, y=TEXT + 2, size=TEXT, colour=INK, weight=Weight.SEMIBOLD, anchor=Anchor.MIDDLE
        )  # fmt: skip
        for y, text in _marks(axis):
            short = cut(text, TEXT, _AXIS_LEAST - 16)
            yield Label(text=short, x=x, y=y, size=TEXT, colour=MUTED, anchor=Anchor.MIDDLE)


def _ground(label: Label) -> Bar:
    """Under the letters, so that no line runs through them."""
    box = label.box.grown(2)
    return Bar(x=box.left, y=box.top, width=box.right - box.left, height=box.bottom - box.top, fill=PAPER)


def _marks(axis: Upright) -> Iterator[tuple[float, str]]:
    known = [run for run, value in enumerate(axis.values) if value is not None]
    if not known:
        return
    if axis.is_words:
        for run in {axis.values[each]: each for each in reversed(known)}.values():
            yield _height(axis, run) - 10, axis.texts[run]
        return
    high = min(known, key=lambda run: _height(axis, run))
    low = max(known, key=lambda run: _height(axis, run))
    yield _TOP - 10, axis.texts[high]
    if axis.values[low] != axis.values[high]:
        yield _TOP + _TALL + 14, axis.texts[low]


def _ends(threads: Sequence[Thread], paths: Sequence[Sequence[Point]], foot: float) -> Iterator[Label]:
    """The number of each run level with the end of its line, or as near as the others let it."""
    middles = apart([path[-1].y for path in paths], [TEXT + 2] * len(paths), _TOP - 12, foot)
    for thread, middle in zip(threads, middles, strict=True):
        weight = Weight.SEMIBOLD if thread.is_chosen else Weight.REGULAR
        colour = ACCENT if thread.is_chosen else INK
        yield Label(
            text=thread.label, x=paths[0][-1].x + _BESIDE, y=middle + 4, size=TEXT, colour=colour,
            weight=weight,
        )  # fmt: skip
