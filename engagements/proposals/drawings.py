"""The charts of a proposal: what each shows, in words and numbers of the client's locale."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from engagements.documents.charts.cash import CashCase, cash_lines
from engagements.documents.charts.drawing import Drawing, Point
from engagements.documents.charts.gantt import Day, Waiting, Work, gantt
from engagements.documents.charts.lines import CostLine, Crossing, Volume, cost_lines
from engagements.documents.charts.plane import AxisText
from engagements.documents.charts.ranges import Range, Spread, range_bars
from engagements.documents.charts.stacks import Stack, stacked_bars
from engagements.documents.palette import Palette
from engagements.proposals.view import CaseView, ProposalView, ServingCrossing
from engagements.rendering import Formats
from estimator.money import Money

_HOLIDAYS_SHOWN: Final = 40
_FURTHEST: Final = 20


def price_range(view: ProposalView, formats: Formats, palette: Palette) -> Drawing:
    """What each option would come to if it were billed by effort, with P50 and P80."""
    return range_bars(
        [
            Range(
                name=option.name,
                spread=Spread(
                    p10=float(option.effort_p10.amount),
                    p50=float(option.effort_p50.amount),
                    p80=float(option.effort_p80.amount),
                    p90=float(option.effort_p90.amount),
                ),
            )
            for option in view.price.options
        ],
        text=_whole(view.price.currency, formats),
        palette=palette,
        title="Range of the price if billed by effort, by option",
    )


def effort(view: ProposalView, formats: Formats, palette: Palette) -> Drawing:
    """Hours by phase, stacked by role."""
    roles = [role.name for role in view.roles]
    return stacked_bars(
        [
            Stack(name=f"{phase.number} {phase.name}", parts=tuple(phase.hours.get(role, 0.0) for role in roles))
            for phase in view.phases
        ],
        parts=roles,
        text=formats.number,
        palette=palette,
        title="Hours by phase and role",
    )


def timeline(view: ProposalView, formats: Formats, palette: Palette) -> Drawing:
    """Phases up to their gates on the calendar; what of each waits for the client stands hatched below it."""
    rows: list[Work | Waiting] = []
    for phase in view.phases:
        if phase.begin and phase.work_end and phase.gate_date and phase.gate_late:
            name = f"{phase.number} {phase.name}"
            gate = f"Gate {phase.number}"
            late = max(phase.gate_late, phase.gate_date)
            rows.append(Work(name=name, start=phase.begin, end=phase.gate_date, late_end=late, gate=gate))
            rows.append(Waiting(name=f"Your review, gate {phase.number}", start=phase.work_end, end=phase.gate_date))
    return gantt(
        rows,
        holidays=[holiday.day for holiday in view.holidays[:_HOLIDAYS_SHOWN]],
        marks=[Day(on=view.control.valid_until, text="offer valid until")],
        month=formats.month,
        day=formats.short_date,
        palette=palette,
        title="Timeline",
    )


def cash(view: ProposalView, formats: Formats, palette: Palette) -> Drawing | None:
    """Cumulative cash of the three cases; None where a case is unknown."""
    if any(not case.cumulative for case in view.value.cases):
        return None
    low, expected, high = (_cash_case(case, formats) for case in view.value.cases)
    money = _whole(view.price.currency, formats)
    return cash_lines(
        low=low,
        expected=expected,
        high=high,
        month=AxisText(title="Months from the start", number=formats.number, steps=(1, 3, 6, 12, 24)),
        money=AxisText(title=f"Cumulative, {view.price.currency}", number=money),
        palette=palette,
        title="Cumulative return",
    )


def break_even(view: ProposalView, formats: Formats, palette: Palette) -> Drawing | None:
    """Serving cost over volume with its crossings; None where fewer than two ways have a known cost."""
    value, money = view.value, _whole(view.price.currency, formats)
    if len(value.serving) < 2:
        return None
    planned = value.requests_per_month
    near = crossings_in_sight(view)
    furthest = max([2.0 * planned, *(1.3 * crossing.requests for crossing in near)])
    return cost_lines(
        [
            CostLine(name=curve.name, points=(Point(0.0, curve.cost(0)), Point(furthest, curve.cost(furthest))))
            for curve in value.serving
        ],
        crossings=[
            Crossing(
                at=Point(crossing.requests, crossing.cost_month),
                text=f"equal at {formats.number(round(crossing.requests, -3))}",
            )
            for crossing in near
        ],
        today=Volume(value=planned, text=f"planned: {formats.number(planned)}"),
        volume=AxisText(title="Requests a month", number=formats.number),
        cost=AxisText(title=f"Cost a month, {view.price.currency}", number=money),
        palette=palette,
        title="Serving cost by volume",
    )


def crossings_in_sight(view: ProposalView) -> list[ServingCrossing]:
    """Crossings within twenty times the planned volume, the nearest first."""
    horizon = _FURTHEST * view.value.requests_per_month
    near = [crossing for crossing in view.value.crossings if crossing.requests <= horizon]
    return sorted(near, key=lambda crossing: crossing.requests)


def _cash_case(case: CaseView, formats: Formats) -> CashCase:
    text = "" if case.payback_month is None else f"paid back in month {formats.number(case.payback_month)}"
    return CashCase(name=case.name, sums=case.cumulative, payback_months=case.payback_month, payback_text=text)


def _whole(currency: str, formats: Formats) -> Callable[[float], str]:
    return lambda amount: formats.whole_money(Money.of(Decimal(str(round(amount, 2))), currency))
