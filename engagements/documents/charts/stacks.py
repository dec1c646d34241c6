"""Effort by phase: one bar for each phase, its parts by role."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engagements.documents.charts.axis import Axis, across
from engagements.documents.charts.drawing import (
    NOTE_SIZE,
    TEXT_SIZE,
    WIDTH,
    Anchor,
    Bar,
    Canvas,
    Drawing,
    Key,
    Label,
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
from engagements.documents.charts.lettering import Weight, width_of
from engagements.documents.palette import SERIES_SHADES, Palette, readable_on

_ROW: Final = 24.0
_BAR: Final = 13.0
_HEAD: Final = 4.0
_GAP: Final = 14.0
_THINNEST: Final = 0.6
MOST_PARTS: Final = 2 * SERIES_SHADES


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One row: what each part contributes, none below 0, in the order of the legend."""

    name: str
    parts: tuple[float, ...]


def stacked_bars(stacks: Sequence[Stack], *, parts: Sequence[str], text: Text, palette: Palette, title: str) -> Drawing:
    """Bars with the sum at the right. Up to eight parts: four shades, then the same four hatched."""
    assert len(parts) <= MOST_PARTS, f"{MOST_PARTS} parts can be told apart in print"
    canvas = Canvas(palette)
    names = name_column([stack.name for stack in stacks])
    sums = column_width([text(sum(stack.parts)) for stack in stacks], weight=Weight.SEMIBOLD)
    bottom = _HEAD + _ROW * len(stacks)
    axis = across([0.0, *(sum(stack.parts) for stack in stacks)], names, WIDTH - sums - 2 * _GAP, text)
    grid_across(canvas, axis, _HEAD, bottom)
    for index, stack in enumerate(stacks):
        middle = _HEAD + _ROW * (index + 0.5)
        write_name(canvas, stack.name, names, middle, palette.ink)
        _row(canvas, stack, axis, middle, text)
        canvas.write(
            Label(
                text=text(sum(stack.parts)), x=WIDTH, y=first_baseline(middle, 1, TEXT_SIZE), colour=palette.strong,
                weight=Weight.SEMIBOLD, anchor=Anchor.END,
            )
        )  # fmt: skip
    keys = [Key(swatch=bar_swatch(*_fill(palette, place)), text=part) for place, part in enumerate(parts)]
    end = canvas.legend(keys, bottom + AXIS_ROOM + 6, left=names)
    return canvas.finish(end, f"{title}. {' '.join(_in_words(stack, parts, text) for stack in stacks)}")


def _row(canvas: Canvas, stack: Stack, axis: Axis, middle: float, text: Text) -> None:
    done = 0.0
    for place, part in enumerate(stack.parts):
        left, right = axis.at(done), axis.at(done + part)
        done += part
        if right - left < _THINNEST:
            continue
        fill, hatch = _fill(canvas.palette, place)
        # A hair of paper between neighbours keeps shades apart that print alike.
        canvas.draw(Bar(x=left, y=middle - _BAR / 2, width=right - left - 0.6, height=_BAR, fill=fill, hatch=hatch))
        number = text(part)
        if not hatch and width_of(number, NOTE_SIZE) + 4 <= right - left:
            canvas.write(
                Label(
                    text=number, x=(left + right) / 2, y=first_baseline(middle, 1, NOTE_SIZE), size=NOTE_SIZE,
                    colour=readable_on(fill), anchor=Anchor.MIDDLE,
                )
            )  # fmt: skip


def _fill(palette: Palette, place: int) -> tuple[str, str]:
    shade = palette.series[place % SERIES_SHADES]
    return shade, readable_on(shade) if place >= SERIES_SHADES else ""


def _in_words(stack: Stack, parts: Sequence[str], text: Text) -> str:
    shares = ", ".join(f"{name} {text(part)}" for name, part in zip(parts, stack.parts, strict=True) if part)
    return f"{stack.name}: {text(sum(stack.parts))} ({shares})."
