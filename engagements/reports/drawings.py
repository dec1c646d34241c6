"""The charts of a status report: what each shows, in words and numbers of the reader's locale."""

from datetime import date
from typing import Final

from engagements.documents.charts.drawing import Drawing, Point
from engagements.documents.charts.gantt import Day, Stretch, Waiting, Work, gantt
from engagements.documents.charts.lines import CostLine, Volume, cost_lines
from engagements.documents.charts.plane import AxisText
from engagements.documents.palette import Palette
from engagements.rendering import Formats
from engagements.reports.facts import Facts, PhaseFact
from engagements.reports.inside import Inside

_WEEK: Final = 7


def timeline(facts: Facts, formats: Formats, palette: Palette) -> Drawing | None:
    """Phases as they are planned now over their ghosts of what was agreed; None where no phase has dates."""
    rows: list[Work | Waiting] = [row for phase in facts.phases if (row := _work(phase, facts.day)) is not None]
    if not rows:
        return None
    return gantt(
        rows, holidays=facts.holidays, marks=[Day(on=facts.day, text="this report")], month=formats.month,
        day=formats.short_date, palette=palette, title="Plan against what was agreed",
    )  # fmt: skip


def burn(inside: Inside, day: date, formats: Formats, palette: Palette) -> Drawing | None:
    """Planned, earned and spent over the weeks; None where no budget or no days were agreed."""
    days = [on for course in inside.courses for on, _ in course.points]
    if not days:
        return None
    first, currency = min(days), inside.courses[0].points[0][1].currency
    return cost_lines(
        [
            CostLine(
                name=course.name,
                points=tuple(Point((on - first).days / _WEEK, float(money.amount)) for on, money in course.points),
            )
            for course in inside.courses
            if course.points
        ],
        crossings=(),
        today=Volume(value=(day - first).days / _WEEK, text="this report"),
        volume=AxisText(title=f"Weeks from {formats.short_date(first)}", number=formats.number),
        cost=AxisText(title=currency, number=formats.number),
        palette=palette,
        title="What was planned, earned and spent",
    )


def _work(phase: PhaseFact, today: date) -> Work | None:
    begin, end = phase.actual_begin or phase.planned_begin, phase.actual_end or phase.planned_gate
    if begin is None or end is None:
        return None
    end = max(begin, end)
    return Work(
        name=f"{phase.number} {phase.name}",
        start=begin,
        end=end,
        late_end=end if phase.actual_end or phase.late_gate is None else max(end, phase.late_gate),
        gate=f"Gate {phase.number}",
        agreed=_stretch(phase.agreed_begin, phase.agreed_gate),
        done=_stretch(phase.actual_begin, phase.actual_end or today),
    )


def _stretch(first: date | None, last: date | None) -> Stretch | None:
    return None if first is None or last is None else Stretch(first=first, last=max(first, last))
