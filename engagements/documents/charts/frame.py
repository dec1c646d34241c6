"""What charts share around their marks: the column of names, the grid and its numbers."""

from collections.abc import Sequence
from typing import Final

from engagements.documents.charts.axis import Axis
from engagements.documents.charts.drawing import NOTE_SIZE, TEXT_SIZE, WIDTH, Anchor, Box, Canvas, Label, Line
from engagements.documents.charts.lettering import ASCENT, LINE_HEIGHT, Weight, broken, width_of

AXIS_ROOM: Final = 14.0
_WIDEST_NAME: Final = 0.29 * WIDTH
_GAP: Final = 10.0


def name_column(names: Sequence[str], size: float = TEXT_SIZE) -> float:
    """How much room the names get at the left, the gap to the plot included."""
    return min(max((width_of(name, size) for name in names), default=0.0), _WIDEST_NAME) + _GAP


def write_name(canvas: Canvas, name: str, column: float, middle: float, colour: str, size: float = TEXT_SIZE) -> None:
    """On one line or two, level with its row."""
    rows = broken(name, size, column - _GAP)
    canvas.write_lines(rows, Label(text="", x=0, y=first_baseline(middle, len(rows), size), size=size, colour=colour))


def first_baseline(middle: float, rows: int, size: float) -> float:
    """The baseline of the first of so many lines, for the block to stand level with `middle`."""
    return middle - (rows - 1) * size * LINE_HEIGHT / 2 + size * (ASCENT / 2 - 0.04)


def column_width(texts: Sequence[str], size: float = TEXT_SIZE, weight: Weight = Weight.REGULAR) -> float:
    return max((width_of(text, size, weight) for text in texts), default=0.0)


def grid_across(canvas: Canvas, axis: Axis, top: float, bottom: float) -> None:
    """Upright lines at the ticks, the numbers under them."""
    bounds = Box(left=0, top=0, right=WIDTH, bottom=bottom + AXIS_ROOM)
    for tick in axis.ticks:
        strong = tick.value == 0
        colour = canvas.palette.muted if strong else canvas.palette.line
        canvas.draw(Line(x1=tick.at, y1=top, x2=tick.at, y2=bottom, stroke=colour, width=0.7 if strong else 0.5))
        number = Label(
            text=tick.text, x=tick.at, y=bottom + 10, size=NOTE_SIZE, colour=canvas.palette.muted, anchor=Anchor.MIDDLE
        )
        if free := canvas.first_free([number.kept_within(0, WIDTH)], bounds):
            canvas.write(free)


def grid_upright(canvas: Canvas, axis: Axis, left: float, right: float) -> None:
    """Level lines at the ticks, the numbers left of them."""
    for tick in axis.ticks:
        strong = tick.value == 0
        colour = canvas.palette.muted if strong else canvas.palette.line
        canvas.draw(Line(x1=left, y1=tick.at, x2=right, y2=tick.at, stroke=colour, width=0.7 if strong else 0.5))
        if tick.text:
            canvas.write(
                Label(
                    text=tick.text, x=left - 5, y=tick.at + 2.4, size=NOTE_SIZE, colour=canvas.palette.muted,
                    anchor=Anchor.END,
                )
            )  # fmt: skip
