"""Measures of a run over its steps, drawn for a page: in its own colours, at the size at which it is read.

The geometry is that of the charts of documents; only the colours are the page's, so that a dark page has a dark chart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from engagements.documents.charts.axis import Axis, across, upright
from engagements.documents.charts.drawing import Anchor, Dot, Drawing, Label, Line, Path, Point, Shape, Text, diamond
from engagements.documents.charts.lettering import width_of

INK: Final = "var(--ink)"
MUTED: Final = "var(--muted)"
GRID: Final = "var(--line)"
ACCENT: Final = "var(--accent-ink)"
PAPER: Final = "var(--paper)"
TEXT: Final = 12.0
_NOTE: Final = 7.0  # what the axes of documents measure their numbers in
_ROW: Final = 16.0
_FOOT: Final = 20.0
_SWATCH: Final = 16.0
_GAP: Final = 14.0
_DASHES: Final = ("", "5 3", "2 3")


class At(NamedTuple):
    step: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """In the pixels that it has on a screen."""

    width: float
    height: float


WIDE: Final = Size(width=760, height=260)
SMALL: Final = Size(width=360, height=190)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """`every`: whether each point is shown by itself, too."""

    name: str
    points: tuple[At, ...]
    every: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A step worth a line of its own."""

    step: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`steps`: how many the run has in all, so that the curve grows into a frame that stands still.

    `checkpoints`: steps at which one was kept; `number` writes a value, `tick` one of the axis.
    """

    title: str
    series: tuple[Series, ...]
    steps: int
    number: Text
    tick: Text
    marks: tuple[Mark, ...] = ()
    checkpoints: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    x: Axis
    y: Axis
    top: float

    def at(self, point: At) -> Point:
        return Point(self.x.at(point.step), self.y.at(point.value))


def draw(chart: Chart, size: Size) -> Drawing:
    """A chart has a series with a point at least."""
    shown = [each for each in chart.series if each.points]
    assert shown, "nothing was measured"
    field = _field(chart, shown, size)
    shapes = [*_grid(field), *_marks(chart, field)]
    for series, dash in zip(shown, _DASHES, strict=False):
        shapes += _line(series, dash, field, size)
    labels = [*_numbers(field), *_said_of_marks(chart, field, size)]
    for shape, label in _legend(shown, chart.number, size):
        shapes.append(shape)
        labels.append(label)
    return Drawing(
        width=size.width, height=size.height, title=in_words(chart), shapes=tuple(shapes), labels=tuple(labels)
    )


def in_words(chart: Chart) -> str:
    """For those who cannot see it."""
    return " ".join((f"{chart.title}.", *_sentences(chart)))


def _sentences(chart: Chart) -> Iterator[str]:
    for each in chart.series:
        if each.points:
            first, last = each.points[0], each.points[-1]
            low = min(each.points, key=lambda point: point.value)
            yield (
                f"{each.name}: {chart.number(first.value)} at step {first.step}, {chart.number(last.value)} at step "
                f"{last.step}, lowest {chart.number(low.value)} at step {low.step}."
            )
    for mark in chart.marks:
        yield f"Step {mark.step}: {mark.text}."


def _field(chart: Chart, shown: Sequence[Series], size: Size) -> _Field:
    values = [point.value for each in shown for point in each.points]
    top = _ROW * (_legend_rows(shown, chart.number, size) + len(chart.marks)) + 6
    up = upright([0.0, *values], size.height - _FOOT, top, chart.tick)
    left = max(width_of(tick.text, TEXT) for tick in up.ticks) + 8
    last = max(chart.steps, *(point.step for each in shown for point in each.points), 1)
    # Numbers on a screen are larger than those of documents, so their axis is given less room than it has.
    narrow = across([0.0, last], 0, (size.width - 12 - left) * _NOTE / TEXT, _whole)
    return _Field(x=_from(narrow, left, size.width - 12), y=up, top=top)


def _from(axis: Axis, start: float, end: float) -> Axis:
    """The same numbers over another length."""
    bare = Axis(low=axis.low, high=axis.high, start=start, end=end)
    return replace(bare, ticks=tuple(replace(tick, at=bare.at(tick.value)) for tick in axis.ticks))


def _grid(field: _Field) -> Iterator[Shape]:
    for tick in field.y.ticks:
        yield Line(x1=field.x.start, y1=tick.at, x2=field.x.end, y2=tick.at, stroke=GRID, width=1)


def _numbers(field: _Field) -> Iterator[Label]:
    for tick in field.y.ticks:
        yield Label(
            text=tick.text, x=field.x.start - 6, y=tick.at + 4, size=TEXT, colour=MUTED, anchor=Anchor.END
        )  # fmt: skip
    foot = field.y.start + TEXT + 4
    for tick in field.x.ticks:
        label = Label(text=tick.text, x=tick.at, y=foot, size=TEXT, colour=MUTED, anchor=Anchor.MIDDLE)
        yield label.kept_within(0, field.x.end + 12)


def _line(series: Series, dash: str, field: _Field, size: Size) -> Iterator[Shape]:
    points = _thinned(series.points, round(size.width)) if not series.every else series.points
    colour = INK if dash else ACCENT
    if len(points) > 1:
        yield Path(points=tuple(map(field.at, points)), stroke=colour, width=2 if not dash else 1.75, dash=dash)
    for point in points if series.every or len(points) == 1 else ():
        at = field.at(point)
        yield Dot(x=at.x, y=at.y, radius=2.5, fill=colour)


def _thinned(points: Sequence[At], most: int) -> Sequence[At]:
    """No more than a picture has columns; the last always."""
    every = len(points) // most + 1
    return points if every == 1 else (*points[:-1:every], points[-1])


def _marks(chart: Chart, field: _Field) -> Iterator[Shape]:
    for number, mark in enumerate(chart.marks):
        x = field.x.at(mark.step)
        top = field.top - _ROW * (len(chart.marks) - number - 1) - 6
        yield Line(x1=x, y1=top, x2=x, y2=field.y.start, stroke=MUTED, width=1, dash="3 3")
    for step in chart.checkpoints:
        yield diamond(field.x.at(step), field.y.start, 4, INK)


def _said_of_marks(chart: Chart, field: _Field, size: Size) -> Iterator[Label]:
    for number, mark in enumerate(chart.marks):
        y = field.top - _ROW * (len(chart.marks) - number - 1) - 9
        label = Label(
            text=mark.text, x=field.x.at(mark.step), y=y, size=TEXT, colour=INK, anchor=Anchor.MIDDLE
        )  # fmt: skip
        yield label.kept_within(0, size.width)


def _legend(shown: Sequence[Series], number: Text, size: Size) -> Iterator[tuple[Shape, Label]]:
    x, y = 0.0, TEXT
    for series, dash in zip(shown, _DASHES, strict=False):
        text = f"{series.name} {number(series.points[-1].value)}"
        length = _SWATCH + 5 + width_of(text, TEXT)
        if x and x + length > size.width:
            x, y = 0.0, y + _ROW
        colour = INK if dash else ACCENT
        swatch = Line(x1=x, y1=y - 4, x2=x + _SWATCH, y2=y - 4, stroke=colour, width=2, dash=dash)
        yield swatch, Label(text=text, x=x + _SWATCH + 5, y=y, size=TEXT, colour=INK)
        x += length + _GAP


def _legend_rows(shown: Sequence[Series], number: Text, size: Size) -> int:
    return round(max(label.y for _, label in _legend(shown, number, size)) - TEXT) // round(_ROW) + 1


def _whole(value: float) -> str:
    return f"{value:,.0f}"
