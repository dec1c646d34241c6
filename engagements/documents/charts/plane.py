"""Lines over two axes, named at their right ends."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Final

from engagements.documents.charts.axis import Axis, across, upright
from engagements.documents.charts.drawing import (
    NOTE_SIZE,
    TEXT_SIZE,
    WIDTH,
    Anchor,
    Box,
    Canvas,
    Dot,
    Label,
    Line,
    Path,
    Point,
    Text,
)
from engagements.documents.charts.frame import AXIS_ROOM, column_width, first_baseline, grid_across, grid_upright
from engagements.documents.charts.lettering import LINE_HEIGHT, Weight, broken, cut, plain
from engagements.documents.palette import Palette

HEAD: Final = 28.0
FOOT: Final = AXIS_ROOM + 12
# Four names of three lines each have to stand beside it.
_HEIGHT: Final = 134.0
_END_GAP: Final = 14.0
_WIDEST_NAME: Final = 0.24 * WIDTH
_ROW: Final = TEXT_SIZE * LINE_HEIGHT
_CLEARANCE: Final = 4.0
_NEAR: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """How a line is drawn: told apart in greyscale by its dashes, not by its colour alone."""

    colour: str
    width: float
    dash: str = ""


def strokes(palette: Palette) -> tuple[Stroke, ...]:
    """From the most to the least prominent."""
    return (
        Stroke(colour=palette.strong, width=1.9),
        Stroke(colour=palette.ink, width=1.2, dash="5 2.5"),
        Stroke(colour=palette.muted, width=1.3, dash="1.5 2"),
        Stroke(colour=palette.muted, width=0.8),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisText:
    """What an axis measures, how its numbers are written, and steps between ticks to prefer to decimal ones."""

    title: str
    number: Text
    steps: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One line: points in the units of the axes, from left to right; `end` is what stands at its right end."""

    points: tuple[Point, ...]
    end: tuple[str, ...]
    stroke: Stroke


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    canvas: Canvas
    box: Box
    x: Axis
    y: Axis

    def at(self, point: Point) -> Point:
        return Point(self.x.at(point.x), self.y.at(point.y))

    def path(self, curve: Curve) -> Path:
        stroke = curve.stroke
        points = tuple(map(self.at, curve.points))
        return Path(points=points, stroke=stroke.colour, width=stroke.width, dash=stroke.dash)

    def write_ends(self, curves: Sequence[Curve]) -> None:
        """The names, each level with the end of its line or as near as the others allow, joined to it by a hair."""
        ends = [self.at(curve.points[-1]) for curve in curves]
        heights = [_ROW * len(curve.end) + 2 for curve in curves]
        middles = apart([end.y for end in ends], heights, self.box.top, self.box.bottom)
        x = self.box.right + _END_GAP
        for curve, end, middle in zip(curves, ends, middles, strict=True):
            hair = Line(x1=end.x + 2, y1=end.y, x2=x - 3, y2=middle, stroke=self.canvas.palette.muted, width=0.4)
            self.canvas.draw(hair)
            y = first_baseline(middle, len(curve.end), TEXT_SIZE)
            first = Label(text="", x=x, y=y, colour=curve.stroke.colour, weight=Weight.SEMIBOLD)
            self.canvas.write_lines(curve.end, first)

    def point_out(self, place: Point, text: str, beside: Sequence[Curve]) -> None:
        """A dot with its text near it, clear of other text and, where there is room, of the lines."""
        at, paths = self.at(place), [self.path(curve) for curve in beside]
        self.canvas.draw(Dot(x=at.x, y=at.y, radius=3.2, fill=self.canvas.palette.ink))
        said = cut(plain(text), TEXT_SIZE, 0.6 * (self.box.right - self.box.left), Weight.SEMIBOLD)
        near = list(self._around(at, said))
        clear = [label for label in near if not any(crosses(path, label.box.grown(_CLEARANCE)) for path in paths)]
        if label := self.canvas.first_free([*clear, *near], self.box):
            self.canvas.write_on_paper(label)
            self._join(at, label.box)

    def _join(self, at: Point, box: Box) -> None:
        """A hair from the dot to words that stand too far off to be seen as its own."""
        end = Point(min(max(at.x, box.left), box.right), box.bottom if box.bottom < at.y else box.top)
        if abs(end.y - at.y) > _NEAR:
            hair = self.canvas.palette.muted
            self.canvas.draw(Line(x1=at.x, y1=at.y, x2=end.x, y2=end.y, stroke=hair, width=0.4))

    def _around(self, at: Point, text: str) -> Iterator[Label]:
        for distance, (down, anchor) in product(
            (8, 16, 28, 44), product((False, True), (Anchor.END, Anchor.START, Anchor.MIDDLE))
        ):
            aside = {Anchor.END: -6, Anchor.START: 6, Anchor.MIDDLE: 0}[anchor]
            y = at.y + distance + TEXT_SIZE * 0.6 if down else at.y - distance
            yield Label(
                text=text, x=at.x + aside, y=y, colour=self.canvas.palette.ink, weight=Weight.SEMIBOLD, anchor=anchor
            ).kept_within(self.box.left + 2, self.box.right - 2)


def plane(canvas: Canvas, curves: Sequence[Curve], *, x: AxisText, y: AxisText, also: Iterable[Point] = ()) -> Plane:
    """Axes that begin at 0, or below, and hold every curve and `also`, with their grid and titles drawn."""
    places = [Point(0, 0), *(point for curve in curves for point in curve.points), *also]
    bottom = HEAD + _HEIGHT
    up = upright([place.y for place in places], bottom, HEAD, y.number)
    left = column_width([tick.text for tick in up.ticks], NOTE_SIZE) + 8
    ends = column_width([text for curve in curves for text in curve.end], weight=Weight.SEMIBOLD)
    right = WIDTH - ends - _END_GAP
    over = across([place.x for place in places], left, right, x.number, x.steps)
    grid_upright(canvas, up, left, right)
    grid_across(canvas, over, HEAD, bottom)
    muted = Label(text=y.title, x=0, y=8, size=NOTE_SIZE, colour=canvas.palette.muted)
    canvas.write(muted)
    foot = Label(
        text=x.title, x=right, y=bottom + AXIS_ROOM + 8, size=NOTE_SIZE, colour=muted.colour, anchor=Anchor.END
    )
    canvas.write(foot.kept_within(0, WIDTH))
    return Plane(canvas=canvas, box=Box(left=left, top=HEAD, right=right, bottom=bottom), x=over, y=up)


def end_of(name: str, *more: str) -> tuple[str, ...]:
    """A name broken for the right margin, and lines under it."""
    return (*broken(name, TEXT_SIZE, _WIDEST_NAME, Weight.SEMIBOLD, lines=3), *more)


def apart(middles: Sequence[float], heights: Sequence[float], top: float, bottom: float) -> list[float]:
    """New middles, near the old ones, of blocks that neither overlap nor leave `top` to `bottom`.

    They must fit: the sum of the heights is at most `bottom` - `top`.
    """
    order = sorted(range(len(middles)), key=lambda index: middles[index])
    placed = list(middles)
    least = top
    for index in order:
        placed[index] = max(placed[index], least + heights[index] / 2)
        least = placed[index] + heights[index] / 2
    most = bottom
    for index in reversed(order):
        placed[index] = min(placed[index], most - heights[index] / 2)
        most = placed[index] - heights[index] / 2
    return placed


def crosses(path: Path, box: Box) -> bool:
    """Whether a stretch of the path passes through the box (Liang and Barsky's clipping)."""
    return any(_enters(start, end, box) for start, end in pairwise(path.points))


def _enters(start: Point, end: Point, box: Box) -> bool:
    first, last = 0.0, 1.0
    dx, dy = end.x - start.x, end.y - start.y
    for step, room in (
        (-dx, start.x - box.left), (dx, box.right - start.x), (-dy, start.y - box.top), (dy, box.bottom - start.y),
    ):  # fmt: skip
        if step == 0:
            if room < 0:
                return False
        elif step < 0:
            first = max(first, room / step)
        else:
            last = min(last, room / step)
    return first <= last
