"""Planned, earned and spent, summed up over the days of the plan."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from engagements.actuals.earning import Earned
from engagements.documents.charts.drawing import Canvas, Drawing, Point
from engagements.documents.charts.plane import FOOT, AxisText, Curve, end_of, plane, strokes
from engagements.documents.palette import Palette
from engagements.rendering import Formats
from estimator.money import Money

_WEEKS: Final = (7.0, 14.0, 28.0, 56.0, 91.0, 182.0, 364.0)
_NAMES: Final = ("Spent", "Planned", "Earned")


def value_over_time(earned: Earned, formats: Formats, palette: Palette) -> Drawing:
    """Three lines from the first day of plan or cost; what was spent and earned ends today."""
    days = [*earned.curve.days, earned.now.day, *(day for day, _ in earned.spent)]
    begin = min(days)
    planned = list(zip(earned.curve.days, map(int, earned.curve.planned), strict=True))
    lines = [
        _stepped(earned.spent, begin, earned.now.day, earned.currency),
        [
            Point(0, 0),
            _point(earned.curve.days[0], 0, begin, earned.currency),
            *(_point(day, value, begin, earned.currency) for day, value in planned),
        ],
        _stepped(earned.earned, begin, earned.now.day, earned.currency),
    ]
    curves = [
        Curve(points=tuple(points), end=end_of(name), stroke=stroke)
        for name, points, stroke in zip(_NAMES, lines, strokes(palette), strict=False)
    ]
    canvas = Canvas(palette)
    field = plane(
        canvas, curves,
        x=AxisText(
            title="", number=lambda passed: formats.short_date(begin + timedelta(days=round(passed))), steps=_WEEKS
        ),
        y=AxisText(title=f"{earned.currency}, summed up", number=formats.number),
    )  # fmt: skip
    canvas.draw(*(field.path(curve) for curve in reversed(curves)))
    field.write_ends(curves)
    return canvas.finish(field.box.bottom + FOOT, f"Value over time. {' '.join(_said(earned, formats))}")


def _stepped(points: Sequence[tuple[date, int]], begin: date, today: date, currency: str) -> list[Point]:
    """Level until the day it grows, and on to today."""
    found, height = [Point(0, 0)], 0
    for day, summed in points:
        found += [_point(day, height, begin, currency), _point(day, summed, begin, currency)]
        height = summed
    return [*found, _point(today, height, begin, currency)]


def _point(day: date, minor: int, begin: date, currency: str) -> Point:
    return Point((day - begin).days, float(Money(minor, currency).amount))


def _said(earned: Earned, formats: Formats) -> Iterator[str]:
    for name, value in zip(_NAMES, (earned.now.value.ac, earned.now.value.pv, earned.now.value.ev), strict=True):
        amount = formats.whole_money(Money(int(value), earned.currency))
        yield f"{name} by {formats.short_date(earned.now.day)}: {amount}."
