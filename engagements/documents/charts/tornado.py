"""Which assumption moves the result most: one bar for each, to both sides of the expected result."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from engagements.documents.charts.axis import across
from engagements.documents.charts.drawing import (
    NOTE_SIZE,
    WIDTH,
    Anchor,
    Bar,
    Canvas,
    Drawing,
    Key,
    Label,
    Line,
    Text,
    bar_swatch,
)
from engagements.documents.charts.frame import (
    AXIS_ROOM,
    column_width,
    first_baseline,
    grid_across,
    name_column,
    write_name,
)
from engagements.documents.charts.lettering import cut, plain
from engagements.documents.palette import Palette

_ROW: Final = 25.0
_BAR: Final = 12.0
_HEAD: Final = 16.0
_GAP: Final = 5.0
_WIDEST_END: Final = 0.14 * WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """One assumption: the result at its low and at its high value, and those values in words."""

    name: str
    low: float
    high: float
    low_text: str
    high_text: str


def tornado(swings: Sequence[Swing], *, expected: float, text: Text, palette: Palette, title: str) -> Drawing:
    """Bars in the order given, the low value's part light and the high value's dark, the values at their ends."""
    canvas = Canvas(palette)
    names = name_column([swing.name for swing in swings])
    ends = [(_end(swing.low_text), _end(swing.high_text)) for swing in swings]
    room = column_width([end for pair in ends for end in pair], NOTE_SIZE) + 2 * _GAP
    bottom = _HEAD + _ROW * len(swings)
    results = [expected, *(result for swing in swings for result in (swing.low, swing.high))]
    axis = across(results, names + room, WIDTH - room, text)
    grid_across(canvas, axis, _HEAD, bottom)
    for index, (swing, (low_end, high_end)) in enumerate(zip(swings, ends, strict=True)):
        middle = _HEAD + _ROW * (index + 0.5)
        write_name(canvas, swing.name, names, middle, palette.ink)
        low, high, base = axis.at(swing.low), axis.at(swing.high), axis.at(expected)
        canvas.draw(_part(base, low, middle, palette.series[2]), _part(base, high, middle, palette.strong))
        left, right = (low_end, high_end) if low <= high else (high_end, low_end)
        y = first_baseline(middle, 1, NOTE_SIZE)
        label = Label(text=left, x=min(low, high, base) - _GAP, y=y, size=NOTE_SIZE, colour=palette.muted)
        canvas.write_on_paper(replace(label, anchor=Anchor.END))
        canvas.write_on_paper(replace(label, text=right, x=max(low, high, base) + _GAP))
    x = axis.at(expected)
    canvas.draw(Line(x1=x, y1=_HEAD - 3, x2=x, y2=bottom, stroke=palette.ink, width=1.0))
    head = Label(text=f"expected: {text(expected)}", x=x, y=8, size=NOTE_SIZE, colour=palette.ink, anchor=Anchor.MIDDLE)
    canvas.write(head.kept_within(0, WIDTH))
    said = " ".join(_in_words(swing, text) for swing in swings)
    end = canvas.legend(_keys(palette), bottom + AXIS_ROOM + 6, left=names)
    return canvas.finish(end, f"{title}. Expected {text(expected)}. {said}")


def _end(text: str) -> str:
    return cut(plain(text), NOTE_SIZE, _WIDEST_END)


def _part(base: float, end: float, middle: float, fill: str) -> Bar:
    return Bar(x=min(base, end), y=middle - _BAR / 2, width=abs(end - base), height=_BAR, fill=fill)


def _in_words(swing: Swing, text: Text) -> str:
    return f"{swing.name}: {text(swing.low)} at {swing.low_text}, {text(swing.high)} at {swing.high_text}."


def _keys(palette: Palette) -> list[Key]:
    return [
        Key(swatch=bar_swatch(palette.series[2]), text="at its low value"),
        Key(swatch=bar_swatch(palette.strong), text="at its high value"),
    ]
