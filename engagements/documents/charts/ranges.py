"""How far cost or effort may fall to either side: one bar for each option or item."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from engagements.documents.charts.axis import Axis, across
from engagements.documents.charts.drawing import (
    NOTE_SIZE,
    SWATCH_WIDTH,
    TEXT_SIZE,
    WIDTH,
    Anchor,
    Bar,
    Canvas,
    Dot,
    Drawing,
    Key,
    Label,
    Line,
    Shape,
    Text,
    diamond,
)
from engagements.documents.charts.frame import (
    AXIS_ROOM,
    column_width,
    first_baseline,
    grid_across,
    name_column,
    write_name,
)
from engagements.documents.charts.lettering import Weight
from engagements.documents.palette import Palette
from engagements.rendering import UNKNOWN

_ROW: Final = 27.0
_BAR: Final = 9.0
_HEAD: Final = 16.0
_GAP: Final = 14.0
_EVEN, _LIKELY = "Even odds", "4 in 5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Percentiles of one simulated quantity."""

    p10: float
    p50: float
    p80: float
    p90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """One row; a spread of None is unknown and says so."""

    name: str
    spread: Spread | None


def range_bars(ranges: Sequence[Range], *, text: Text, palette: Palette, title: str) -> Drawing:
    """Bars from P10 to P90 with a dot at P50 and a diamond at P80, both also as numbers at the right."""
    canvas = Canvas(palette)
    known = [row.spread for row in ranges if row.spread]
    even = column_width([_EVEN, UNKNOWN, *(text(spread.p50) for spread in known)])
    likely = column_width([_LIKELY, UNKNOWN, *(text(spread.p80) for spread in known)], weight=Weight.SEMIBOLD)
    names = name_column([row.name for row in ranges])
    right = WIDTH - likely - _GAP - even - _GAP
    bottom = _HEAD + _ROW * len(ranges)
    values = [0.0, *(value for spread in known for value in (spread.p10, spread.p50, spread.p80, spread.p90))]
    axis = across(values, names, right - _GAP, text)
    grid_across(canvas, axis, _HEAD, bottom)
    for head, x in ((_EVEN, right + even), (_LIKELY, WIDTH)):
        canvas.write(Label(text=head, x=x, y=8, size=NOTE_SIZE, colour=palette.muted, anchor=Anchor.END))
    for index, row in enumerate(ranges):
        middle = _HEAD + _ROW * (index + 0.5)
        write_name(canvas, row.name, names, middle, palette.ink)
        _numbers(canvas, row.spread, text, right + even, middle)
        if row.spread:
            canvas.draw(*_bar(row.spread, axis, middle, palette))
    end = canvas.legend(_keys(palette), bottom + AXIS_ROOM + 6, left=names)
    return canvas.finish(end, f"{title}. {' '.join(_in_words(row, text) for row in ranges)}")


def _numbers(canvas: Canvas, spread: Spread | None, text: Text, even_right: float, middle: float) -> None:
    even, likely = (text(spread.p50), text(spread.p80)) if spread else (UNKNOWN, UNKNOWN)
    y = first_baseline(middle, 1, TEXT_SIZE)
    canvas.write(Label(text=even, x=even_right, y=y, colour=canvas.palette.ink, anchor=Anchor.END))
    bold = Label(text=likely, x=WIDTH, y=y, colour=canvas.palette.strong, weight=Weight.SEMIBOLD, anchor=Anchor.END)
    canvas.write(bold)


def _bar(spread: Spread, axis: Axis, middle: float, palette: Palette) -> Iterable[Shape]:
    low, high = axis.at(spread.p10), axis.at(spread.p90)
    top = middle - _BAR / 2
    yield Bar(x=low, y=top, width=high - low, height=_BAR, fill=palette.series[-1])
    for end in (low, high):
        yield Line(x1=end, y1=top - 2, x2=end, y2=top + _BAR + 2, stroke=palette.strong, width=0.9)
    yield Dot(x=axis.at(spread.p50), y=middle, radius=3.0, fill=palette.ink)
    yield diamond(axis.at(spread.p80), middle, 4.4, palette.strong)


def _keys(palette: Palette) -> list[Key]:
    def bar(x: float, y: float) -> Iterable[Shape]:
        yield Bar(x=x, y=y - 3, width=SWATCH_WIDTH, height=6, fill=palette.series[-1])
        for end in (x, x + SWATCH_WIDTH):
            yield Line(x1=end, y1=y - 4, x2=end, y2=y + 4, stroke=palette.strong, width=0.9)

    def dot(x: float, y: float) -> Iterable[Shape]:
        yield Dot(x=x + SWATCH_WIDTH / 2, y=y, radius=2.6, fill=palette.ink)

    def mark(x: float, y: float) -> Iterable[Shape]:
        yield diamond(x + SWATCH_WIDTH / 2, y, 3.8, palette.strong)

    return [
        Key(swatch=bar, text="8 outcomes in 10 fall inside (P10–P90)"),
        Key(swatch=dot, text="even odds (P50)"),
        Key(swatch=mark, text="4 times in 5 no more than this (P80)"),
    ]


def _in_words(row: Range, text: Text) -> str:
    if not row.spread:
        return f"{row.name}: {UNKNOWN}."
    low, even, likely, high = map(text, (row.spread.p10, row.spread.p50, row.spread.p80, row.spread.p90))
    return f"{row.name}: {low} to {high}, even odds {even}, 4 times in 5 no more than {likely}."
