"""What serving costs a month, by volume: lines of one to four options, where they cross, and where we are today."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from engagements.documents.charts.drawing import NOTE_SIZE, Anchor, Canvas, Drawing, Label, Line, Point
from engagements.documents.charts.lettering import cut, plain
from engagements.documents.charts.plane import FOOT, HEAD, AxisText, Curve, Plane, end_of, plane, strokes
from engagements.documents.palette import Palette

MOST_LINES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """One option: points of (volume, cost a month), the volumes rising."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Where two lines meet, as computed, and what to say about it: "equal at 310,000"."""

    at: Point
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume worth a line of its own: "today: 120,000"."""

    value: float
    text: str


def cost_lines(
    lines: Sequence[CostLine],
    *,
    crossings: Sequence[Crossing],
    today: Volume | None,
    volume: AxisText,
    cost: AxisText,
    palette: Palette,
    title: str,
) -> Drawing:
    """One to four lines, named at their ends. Crossings and today's volume come computed and worded."""
    assert 1 <= len(lines) <= MOST_LINES, f"{MOST_LINES} lines can be told apart in print"
    canvas = Canvas(palette)
    curves = [
        Curve(points=line.points, end=end_of(line.name), stroke=stroke)
        for line, stroke in zip(lines, strokes(palette), strict=False)
    ]
    also = [*(crossing.at for crossing in crossings), *([Point(today.value, 0)] if today else [])]
    field = plane(canvas, curves, x=volume, y=cost, also=also)
    if today:
        _mark(field, today)
    canvas.draw(*(field.path(curve) for curve in reversed(curves)))
    for crossing in crossings:
        field.point_out(crossing.at, crossing.text, curves)
    field.write_ends(curves)
    marks = [crossing.text for crossing in crossings] + ([today.text] if today else [])
    said = [*_in_words(lines, volume, cost), *(f"{mark}." for mark in marks)]
    return canvas.finish(field.box.bottom + FOOT, f"{title}. {' '.join(said)}")


def _mark(field: Plane, today: Volume) -> None:
    x, palette = field.x.at(today.value), field.canvas.palette
    field.canvas.draw(Line(x1=x, y1=HEAD - 4, x2=x, y2=field.box.bottom, stroke=palette.ink, width=0.8, dash="2 2"))
    text = cut(plain(today.text), NOTE_SIZE, field.box.right)
    label = Label(text=text, x=x, y=HEAD - 7, size=NOTE_SIZE, colour=palette.ink, anchor=Anchor.MIDDLE)
    field.canvas.write(label.kept_within(0, field.box.right))


def _in_words(lines: Sequence[CostLine], volume: AxisText, cost: AxisText) -> Iterator[str]:
    for line in lines:
        first, last = line.points[0], line.points[-1]
        yield (
            f"{line.name}: {cost.number(first.y)} at {volume.number(first.x)}, "
            f"{cost.number(last.y)} at {volume.number(last.x)}."
        )
