"""Phases over calendar weeks: likely and late end, the gate at the end of each, and what is waited for.

Before the work a bar is its estimate; once it is agreed the bar is the plan of today, with what was agreed as a ghost
below it and what is done inside it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, assert_never

from engagements.documents.charts.drawing import (
    NOTE_SIZE,
    SWATCH_WIDTH,
    WIDTH,
    Anchor,
    Bar,
    Box,
    Canvas,
    Drawing,
    Key,
    Label,
    Line,
    Swatch,
    bar_swatch,
    diamond,
)
from engagements.documents.charts.frame import first_baseline, name_column, write_name
from engagements.documents.charts.lettering import cut, plain, width_of
from engagements.documents.palette import WHITE, Palette

_ROW: Final = 21.0
_BAR: Final = 10.0
_DONE: Final = 4.0
_GHOST: Final = 2.4
_STRIP: Final = 12.0
_ONE_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(weeks=1)
_THINNEST: Final = 1.2
_WIDEST_GATE: Final = 0.2 * WIDTH
_MOST_WEEKS_BETWEEN: Final = 4
_WEEK_HEAD: Final = "Week"

DayText = Callable[[date], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Days from the first to the last, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A phase: from its first day to its last at even odds (P50), and its last four times in five (P80).

    With `agreed` its days are those planned today, and `late_end` is the one agreed at P80; `done`: what has happened.
    """

    name: str
    start: date
    end: date
    late_end: date
    gate: str = ""
    agreed: Stretch | None = None
    done: Stretch | None = None

    @property
    def days(self) -> list[date]:
        stretches = [stretch for stretch in (self.agreed, self.done) if stretch]
        ends = [day for stretch in stretches for day in (stretch.first, stretch.last)]
        return [self.start, self.end, self.late_end, *ends]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Something the client owes the engagement, between two days."""

    name: str
    start: date
    end: date

    @property
    def days(self) -> list[date]:
        return [self.start, self.end]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day worth a line of its own: today, the last day of validity."""

    on: date
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The days drawn, whole weeks from Monday, over a stretch of the drawing."""

    first: date
    last: date
    left: float
    right: float

    @classmethod
    def over(cls, days: Sequence[date], left: float, right: float) -> "Calendar":
        first, last = min(days), max(days)
        return cls(
            first=first - first.weekday() * _ONE_DAY,
            last=last + (6 - last.weekday()) * _ONE_DAY,
            left=left,
            right=right,
        )

    def at(self, day: date) -> float:
        """Where the day begins."""
        whole = (self.last - self.first).days + 1
        return self.left + (day - self.first).days / whole * (self.right - self.left)

    def after(self, day: date) -> float:
        """Where the day ends."""
        return self.at(day + _ONE_DAY)

    def weeks(self) -> Iterator[date]:
        """The Mondays."""
        for index in range(((self.last - self.first).days + 1) // 7):
            yield self.first + index * _WEEK

    def months(self) -> Iterator[date]:
        """The first days of months, and the first day drawn."""
        day = self.first
        while day <= self.last:
            yield day
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def gantt(
    rows: Sequence[Work | Waiting],
    *,
    holidays: Sequence[date],
    marks: Sequence[Day],
    month: DayText,
    day: DayText,
    palette: Palette,
    title: str,
    owed: str = "needed from you",
) -> Drawing:
    """Rows in the order given. Days are written by `day` in the words for those who cannot see the chart.

    `owed`: what hatched bars are, to whoever reads.
    """
    canvas = Canvas(palette)
    names = name_column([_WEEK_HEAD, *(row.name for row in rows)])
    days = [*(day for row in rows for day in row.days), *(mark.on for mark in marks)]
    gates = max((width_of(_gate(row), NOTE_SIZE) + 14 for row in rows), default=0.0)
    calendar = Calendar.over(days, names, WIDTH - gates)
    top = 2 * _STRIP + _marks(canvas, calendar, marks) * _STRIP + 4
    bottom = top + _ROW * len(rows)
    _holidays(canvas, calendar, holidays, top, bottom)
    body = Box(left=0, top=top, right=calendar.right, bottom=bottom)
    _months(canvas, calendar, month, body)
    _weeks(canvas, calendar, body)
    for mark in marks:
        x = calendar.at(mark.on)
        canvas.draw(Line(x1=x, y1=top - 4, x2=x, y2=bottom, stroke=palette.ink, width=0.8, dash="2 2"))
    for index, row in enumerate(rows):
        _row(canvas, calendar, row, top + _ROW * (index + 0.5), names)
    end = canvas.legend(list(_keys(rows, holidays, palette, owed)), bottom + 8, left=names)
    return canvas.finish(end, f"{title}. {' '.join(_in_words(row, day, owed) for row in rows)}")


def _gate(row: Work | Waiting) -> str:
    return cut(plain(row.gate), NOTE_SIZE, _WIDEST_GATE) if isinstance(row, Work) else ""


def _marks(canvas: Canvas, calendar: Calendar, marks: Sequence[Day]) -> int:
    """Write what the marks say, in as many strips as they need to stand side by side; returns how many."""
    strips = 0
    for mark in sorted(marks, key=lambda mark: mark.on):
        text = cut(plain(mark.text), NOTE_SIZE, WIDTH / 2)
        x, y, ink = calendar.at(mark.on), 2 * _STRIP + 8, canvas.palette.ink
        label = Label(text=text, x=x, y=y, size=NOTE_SIZE, colour=ink, anchor=Anchor.MIDDLE).kept_within(0, WIDTH)
        strip = 0
        while not canvas.free(replace(label, y=y + strip * _STRIP).box.grown(3)):
            strip += 1
        canvas.write(replace(label, y=y + strip * _STRIP))
        strips = max(strips, strip + 1)
    return strips


def _months(canvas: Canvas, calendar: Calendar, month: DayText, rows: Box) -> None:
    """The months at the top, as many as can be read, and their lines through the rows."""
    palette = canvas.palette
    months = list(calendar.months())
    for index, first in enumerate(months):
        x = calendar.at(first)
        for y1, y2 in ((0, _STRIP - 1), (rows.top, rows.bottom)):
            canvas.draw(Line(x1=x, y1=y1, x2=x, y2=y2, stroke=palette.line, width=0.8))
        label = Label(text=month(first), x=x + 3, y=8, size=NOTE_SIZE, colour=palette.ink)
        own_end = calendar.at(months[index + 1]) if index + 1 < len(months) else calendar.right
        # The days before the first full month are named only if that leaves the next month its place.
        room = Box(left=0, top=0, right=calendar.right, bottom=rows.bottom)
        if (index or label.box.right <= own_end) and canvas.first_free([label], room):
            canvas.write(label)


def _weeks(canvas: Canvas, calendar: Calendar, rows: Box) -> None:
    """The ISO weeks under the months, as many as can be read, and their lines."""
    palette = canvas.palette
    weeks = list(calendar.weeks())
    column = (calendar.right - calendar.left) / len(weeks)
    every = math.ceil((width_of("53", NOTE_SIZE) + 3) / column)
    if every > _MOST_WEEKS_BETWEEN:
        return
    canvas.write(Label(text=_WEEK_HEAD, x=0, y=_STRIP + 8, size=NOTE_SIZE, colour=palette.muted))
    for monday in weeks[::every]:
        x, number = calendar.at(monday), str(monday.isocalendar().week)
        canvas.draw(Line(x1=x, y1=rows.top, x2=x, y2=rows.bottom, stroke=palette.line, width=0.3))
        label = Label(
            text=number, x=x + column / 2, y=_STRIP + 8, size=NOTE_SIZE, colour=palette.muted, anchor=Anchor.MIDDLE
        )
        canvas.write(label.kept_within(calendar.left, WIDTH))


def _holidays(canvas: Canvas, calendar: Calendar, holidays: Sequence[date], top: float, bottom: float) -> None:
    for holiday in holidays:
        if calendar.first <= holiday <= calendar.last:
            canvas.draw(_span(calendar, holiday, holiday, top, bottom - top, canvas.palette.line))


def _row(canvas: Canvas, calendar: Calendar, row: Work | Waiting, middle: float, names: float) -> None:
    palette, top = canvas.palette, middle - _BAR / 2
    match row:
        case Work():
            write_name(canvas, row.name, names, middle, palette.ink)
            if row.late_end > row.end:
                tail = _span(calendar, row.end, row.late_end, top + 1.5, _BAR - 3, _tail_fill(row, palette))
                canvas.draw(tail)
            canvas.draw(_span(calendar, row.start, row.end, top, _BAR, _bar_fill(row, palette)))
            if row.done:
                inside = top + (_BAR - _DONE) / 2
                canvas.draw(_span(calendar, row.done.first, row.done.last, inside, _DONE, palette.ink))
            if row.agreed:
                below = top + _BAR + 1
                canvas.draw(_span(calendar, row.agreed.first, row.agreed.last, below, _GHOST, palette.muted))
            if gate := _gate(row):
                canvas.draw(diamond(calendar.after(row.end), middle, 5.2, WHITE))
                canvas.draw(diamond(calendar.after(row.end), middle, 4.2, palette.ink))
                x = max(calendar.after(row.late_end), calendar.after(row.end) + 5) + 5
                y = first_baseline(middle, 1, NOTE_SIZE)
                canvas.write_on_paper(Label(text=gate, x=x, y=y, size=NOTE_SIZE, colour=palette.ink))
        case Waiting():
            write_name(canvas, row.name, names, middle, palette.muted, NOTE_SIZE)
            bar = _span(calendar, row.start, row.end, top + 1, _BAR - 2, palette.tint)
            canvas.draw(replace(bar, hatch=palette.muted))
        case _:
            assert_never(row)


def _bar_fill(row: Work, palette: Palette) -> str:
    """Lighter where what is done stands inside."""
    return palette.series[1] if row.agreed else palette.strong


def _tail_fill(row: Work, palette: Palette) -> str:
    return palette.series[3] if row.agreed else palette.series[2]


def _span(calendar: Calendar, first: date, last: date, top: float, height: float, fill: str) -> Bar:
    width = max(calendar.after(last) - calendar.at(first), _THINNEST)
    return Bar(x=calendar.at(first), y=top, width=width, height=height, fill=fill)


def _keys(rows: Sequence[Work | Waiting], holidays: Sequence[date], palette: Palette, owed: str) -> Iterator[Key]:
    works = [row for row in rows if isinstance(row, Work)]
    estimated, planned = [work for work in works if not work.agreed], [work for work in works if work.agreed]
    if estimated:
        yield Key(swatch=bar_swatch(palette.strong), text="even odds (P50)")
    if any(work.late_end > work.end for work in estimated):
        yield Key(swatch=bar_swatch(palette.series[2]), text="4 times in 5 done by its end (P80)")
    if planned:
        yield Key(swatch=bar_swatch(palette.series[1]), text="planned")
        yield Key(swatch=_thin_swatch(palette.muted, _GHOST), text="agreed")
    if any(work.late_end > work.end for work in planned):
        yield Key(swatch=bar_swatch(palette.series[3]), text="agreed at 4 in 5 (P80)")
    if any(work.done for work in works):
        yield Key(swatch=_thin_swatch(palette.ink, _DONE), text="worked so far")
    if any(work.gate for work in works):
        yield Key(swatch=lambda x, y: [diamond(x + SWATCH_WIDTH / 2, y, 3.8, palette.ink)], text="gate")
    if len(works) < len(rows):
        yield Key(swatch=bar_swatch(palette.tint, palette.muted), text=owed)
    if holidays:
        yield Key(swatch=bar_swatch(palette.line), text="public holiday")


def _thin_swatch(fill: str, height: float) -> Swatch:
    return lambda x, y: [Bar(x=x, y=y - height / 2, width=SWATCH_WIDTH, height=height, fill=fill)]


def _in_words(row: Work | Waiting, day: DayText, owed: str) -> str:
    match row:
        case Work():
            return f"{row.name}: {_days_said(row, day)}, 4 times in 5 by {day(row.late_end)}{_gate_said(row)}."
        case Waiting():
            return f"{row.name}: {owed}, {day(row.start)} to {day(row.end)}."
        case _:
            assert_never(row)


def _days_said(work: Work, day: DayText) -> str:
    if work.agreed is None:
        return f"{day(work.start)} to {day(work.end)}"
    done = f", worked on from {day(work.done.first)} to {day(work.done.last)}" if work.done else ""
    agreed = f"agreed {day(work.agreed.first)} to {day(work.agreed.last)}"
    return f"planned {day(work.start)} to {day(work.end)}{done}, {agreed}"


def _gate_said(row: Work) -> str:
    return f", gate {row.gate}" if row.gate else ""
