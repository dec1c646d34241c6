"""What a chart is made of: shapes and labels with their places, in points from the top left corner.

A chart function fills a `Canvas` and returns a `Drawing`; `templates/documents/charts/_drawing.svg` only places what
is in it. A label knows the room it takes, so that none covers another and none leaves the drawing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import ClassVar, Final

from engagements.documents.charts.lettering import (
    ASCENT,
    DESCENT,
    LINE_HEIGHT,
    Weight,
    cut,
    plain,
    width_of,
)
from engagements.documents.palette import WHITE, Palette

# The text width of print.css on A4: 166 mm.
WIDTH: Final = 470.0
TEXT_SIZE: Final = 8.0
NOTE_SIZE: Final = 7.0
_HATCH_GAP: Final = 3.2

Text = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )  # fmt: skip

    def within(self, other: "Box") -> bool:
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.top >= other.top
            and self.bottom <= other.bottom
        )  # fmt: skip

    def grown(self, by: float) -> "Box":
        return Box(left=self.left - by, top=self.top - by, right=self.right + by, bottom=self.bottom + by)


class Anchor(StrEnum):
    START = "start"
    MIDDLE = "middle"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One line of text; `x` is where its `anchor` lies, `y` its baseline."""

    text: str
    x: float
    y: float
    colour: str
    size: float = TEXT_SIZE
    weight: Weight = Weight.REGULAR
    anchor: Anchor = Anchor.START

    @property
    def width(self) -> float:
        return width_of(self.text, self.size, self.weight)

    @property
    def left(self) -> float:
        shift = {Anchor.START: 0.0, Anchor.MIDDLE: 0.5, Anchor.END: 1.0}[self.anchor]
        return self.x - shift * self.width

    @property
    def box(self) -> Box:
        top, bottom = self.y - ASCENT * self.size, self.y + DESCENT * self.size
        return Box(left=self.left, top=top, right=self.left + self.width, bottom=bottom)

    def kept_within(self, left: float, right: float) -> "Label":
        """Moved sideways as little as needed to lie between the two."""
        start = max(left, min(self.left, right - self.width))
        return replace(self, x=start, anchor=Anchor.START)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A rectangle; `hatch` is the colour of its diagonal lines, if it has any."""

    kind: ClassVar[str] = "bar"
    x: float
    y: float
    width: float
    height: float
    fill: str
    hatch: str = ""

    @property
    def hatching(self) -> "tuple[Line, ...]":
        """Lines at 45 degrees, cut at the edges."""
        if not self.hatch:
            return ()
        steps = range(1, int((self.width + self.height) / _HATCH_GAP) + 1)
        return tuple(self._diagonal(step * _HATCH_GAP) for step in steps)

    def _diagonal(self, offset: float) -> "Line":
        low, high = max(0.0, offset - self.height), min(self.width, offset)
        return Line(
            x1=self.x + low, y1=self.y + offset - low, x2=self.x + high, y2=self.y + offset - high,
            stroke=self.hatch, width=0.7,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A straight line; `dash` as in SVG's stroke-dasharray."""

    kind: ClassVar[str] = "line"
    x1: float
    y1: float
    x2: float
    y2: float
    stroke: str
    width: float = 0.5
    dash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """Joined straight lines; with a `fill` a closed surface."""

    kind: ClassVar[str] = "path"
    points: tuple[Point, ...]
    stroke: str = ""
    width: float = 0.0
    dash: str = ""
    fill: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    kind: ClassVar[str] = "dot"
    x: float
    y: float
    radius: float
    fill: str


Shape = Bar | Line | Path | Dot


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A finished chart. `title` says in words what it shows, for those who cannot see it."""

    width: float
    height: float
    title: str
    shapes: tuple[Shape, ...]
    labels: tuple[Label, ...]


def diamond(x: float, y: float, radius: float, fill: str) -> Path:
    around = (Point(x, y - radius), Point(x + radius, y), Point(x, y + radius), Point(x - radius, y))
    return Path(points=around, fill=fill)


SWATCH_WIDTH: Final = 14.0
_SWATCH_ROOM: Final = SWATCH_WIDTH + 4
_KEY_GAP: Final = 14.0

# What a swatch draws, given its left end and its middle line.
Swatch = Callable[[float, float], Iterable[Shape]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One entry of a legend."""

    swatch: Swatch
    text: str


def bar_swatch(fill: str, hatch: str = "") -> Swatch:
    return lambda x, y: [Bar(x=x, y=y - 3, width=SWATCH_WIDTH, height=6, fill=fill, hatch=hatch)]


@dataclass(slots=True)
class Canvas:
    """A drawing in the making."""

    palette: Palette
    shapes: list[Shape] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)

    def draw(self, *shapes: Shape) -> None:
        self.shapes.extend(shapes)

    def write(self, label: Label) -> None:
        self.labels.append(label)

    def write_on_paper(self, label: Label) -> None:
        """On a ground of its own, so that the lines behind do not run through the letters."""
        ground = label.box.grown(1.5)
        width, height = ground.right - ground.left, ground.bottom - ground.top
        self.draw(Bar(x=ground.left, y=ground.top, width=width, height=height, fill=WHITE))
        self.write(label)

    def write_lines(self, rows: Sequence[str], first: Label) -> None:
        """The rows one below another, each otherwise like `first`."""
        for index, row in enumerate(rows):
            self.write(replace(first, text=row, y=first.y + index * first.size * LINE_HEIGHT))

    def free(self, box: Box) -> bool:
        return not any(box.overlaps(label.box) for label in self.labels)

    def first_free(self, candidates: Iterable[Label], bounds: Box, gap: float = 2.0) -> Label | None:
        """The first candidate that lies within bounds and clear of every label."""
        clear = (label for label in candidates if label.box.within(bounds) and self.free(label.box.grown(gap)))
        return next(clear, None)

    def legend(self, keys: Sequence[Key], top: float, left: float = 0.0) -> float:
        """Write the keys from `left`, or from the edge where one row then holds them; returns where they end."""
        texts = [cut(plain(key.text), NOTE_SIZE, WIDTH - _SWATCH_ROOM) for key in keys]
        lengths = [_SWATCH_ROOM + width_of(text, NOTE_SIZE) + _KEY_GAP for text in texts]
        start = left if left + sum(lengths) - _KEY_GAP <= WIDTH else 0.0
        x, y = start, top + TEXT_SIZE
        for key, text, length in zip(keys, texts, lengths, strict=True):
            if x > start and x + length - _KEY_GAP > WIDTH:
                x, y = start, y + 12
            self.draw(*key.swatch(x, y - NOTE_SIZE * 0.33))
            self.write(Label(text=text, x=x + _SWATCH_ROOM, y=y, size=NOTE_SIZE, colour=self.palette.muted))
            x += length
        return y + 4

    def finish(self, height: float, title: str) -> Drawing:
        return Drawing(
            width=WIDTH, height=height, title=plain(title), shapes=tuple(self.shapes), labels=tuple(self.labels)
        )
