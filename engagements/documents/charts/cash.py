"""Cumulative cash over the months: the low, the expected and the high case, and when the money is back."""

from collections.abc import Sequence
from dataclasses import dataclass

from engagements.documents.charts.drawing import Canvas, Drawing, Path, Point
from engagements.documents.charts.plane import FOOT, AxisText, Curve, end_of, plane, strokes
from engagements.documents.palette import Palette


@dataclass(frozen=True, slots=True, kw_only=True)
class CashCase:
    """One case: the cumulative sum after 0, 1, 2 ... months, and when it is back above 0, as computed and worded."""

    name: str
    sums: tuple[float, ...]
    payback_months: float | None = None
    payback_text: str = ""


def cash_lines(
    *, low: CashCase, expected: CashCase, high: CashCase, month: AxisText, money: AxisText, palette: Palette, title: str
) -> Drawing:
    """The expected case as a line in the band between the low and the high one, each named with its final sum."""
    cases = (expected, high, low)
    assert len({len(case.sums) for case in cases}) == 1, "all cases run over the same months"
    canvas = Canvas(palette)
    curves = [
        Curve(points=_points(case.sums), end=end_of(case.name, money.number(case.sums[-1])), stroke=stroke)
        for case, stroke in zip(cases, strokes(palette), strict=False)
    ]
    field = plane(canvas, curves, x=month, y=money)
    band = (*curves[1].points, *reversed(curves[2].points))
    # Under the grid, which must be read through it.
    canvas.shapes.insert(0, Path(points=tuple(map(field.at, band)), fill=palette.tint))
    canvas.draw(*(field.path(curve) for curve in reversed(curves)))
    for case in cases:
        if case.payback_months is not None:
            field.point_out(Point(case.payback_months, 0), case.payback_text, curves)
    field.write_ends(curves)
    return canvas.finish(
        field.box.bottom + FOOT, f"{title}. {' '.join(_in_words(case, money) for case in (low, expected, high))}"
    )


def _points(sums: Sequence[float]) -> tuple[Point, ...]:
    return tuple(Point(index, value) for index, value in enumerate(sums))


def _in_words(case: CashCase, money: AxisText) -> str:
    back = f", {case.payback_text}" if case.payback_text else ""
    return f"{case.name}: {money.number(case.sums[-1])} after {len(case.sums) - 1} months{back}."
