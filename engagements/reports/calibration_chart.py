"""Predicted against actual, a row for each quantity: every engagement a dot, the mean and its interval over them."""

from collections.abc import Iterable, Sequence
from typing import Final

from engagements.documents.charts.axis import Axis, across
from engagements.documents.charts.drawing import (
    SWATCH_WIDTH,
    WIDTH,
    Bar,
    Canvas,
    Dot,
    Drawing,
    Key,
    Line,
    Shape,
    Text,
    diamond,
)
from engagements.documents.charts.frame import AXIS_ROOM, grid_across, name_column, write_name
from engagements.documents.palette import Palette
from estimator.calibration import Measure

_ROW: Final = 22.0
_BAR: Final = 8.0
_HEAD: Final = 6.0
_MARGIN: Final = 12.0
_FURTHEST: Final = 3.0
"""Times as much as predicted, beyond which a dot stands at the edge: one outlier would flatten all the others."""


def calibration_chart(measures: Sequence[Measure], *, text: Text, palette: Palette) -> Drawing | None:
    """`text` writes a ratio. None where no engagement has anything to show."""
    rows = [measure for measure in measures if measure.points]
    if not rows:
        return None
    canvas = Canvas(palette)
    names = name_column([row.label for row in rows])
    bottom = _HEAD + _ROW * len(rows)
    values = [0.5, 1.0, 1.5, *(value for row in rows for value in _values(row))]
    axis = across(values, names, WIDTH - _MARGIN, text)
    grid_across(canvas, axis, _HEAD, bottom)
    canvas.draw(Line(x1=axis.at(1), y1=_HEAD, x2=axis.at(1), y2=bottom, stroke=palette.strong, width=1.0, dash="3 2"))
    for index, row in enumerate(rows):
        middle = _HEAD + _ROW * (index + 0.5)
        write_name(canvas, row.label, names, middle, palette.ink)
        canvas.draw(*_marks(row, axis, middle, palette))
    end = canvas.legend(_keys(palette), bottom + AXIS_ROOM + 6, left=names)
    return canvas.finish(end, f"Actual over predicted. {' '.join(_in_words(row, text) for row in rows)}")


def _values(row: Measure) -> list[float]:
    interval = [row.ratio.low, row.ratio.high] if row.ratio else []
    return [min(_FURTHEST, value) for value in (*_ratios(row), *interval)]


def _ratios(row: Measure) -> list[float]:
    return [point.actual / point.predicted for point in row.points]


def _marks(row: Measure, axis: Axis, middle: float, palette: Palette) -> Iterable[Shape]:
    if row.ratio:
        low, high = (axis.at(min(_FURTHEST, value)) for value in (row.ratio.low, row.ratio.high))
        yield Bar(x=low, y=middle - _BAR / 2, width=max(0.5, high - low), height=_BAR, fill=palette.series[-1])
    for ratio in _ratios(row):
        yield Dot(x=axis.at(min(_FURTHEST, ratio)), y=middle, radius=1.7, fill=palette.muted)
    if row.ratio:
        yield diamond(axis.at(min(_FURTHEST, row.ratio.mean)), middle, 4.2, palette.strong)


def _keys(palette: Palette) -> list[Key]:
    half = SWATCH_WIDTH / 2
    return [
        Key(swatch=lambda x, y: [Dot(x=x + half, y=y, radius=1.7, fill=palette.muted)], text="an engagement"),
        Key(swatch=lambda x, y: [diamond(x + half, y, 3.8, palette.strong)], text="mean"),
        Key(
            swatch=lambda x, y: [Bar(x=x, y=y - 3, width=SWATCH_WIDTH, height=6, fill=palette.series[-1])],
            text="its 95 % interval",
        ),
        Key(
            swatch=lambda x, y: [Line(x1=x + half, y1=y - 4, x2=x + half, y2=y + 4, stroke=palette.strong, dash="3 2")],
            text="as predicted",
        ),
    ]


def _in_words(row: Measure, text: Text) -> str:
    if row.ratio is None:
        return f"{row.label}: {len(row.points)} engagements, too few for a mean."
    low, mean, high = map(text, (row.ratio.low, row.ratio.mean, row.ratio.high))
    return f"{row.label}: {mean}, between {low} and {high}."
