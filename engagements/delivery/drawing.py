"""The plan as a chart: what was agreed, what is planned and what is done, over calendar weeks; for page and PDF."""

from collections.abc import Iterator
from typing import Final

from engagements.delivery.board import Board
from engagements.delivery.lines import PhaseLine
from engagements.delivery.models import MilestoneKind, PhaseState
from engagements.documents.charts.drawing import Drawing
from engagements.documents.charts.gantt import Day, Stretch, Waiting, Work, gantt
from engagements.documents.palette import Palette
from engagements.rendering import Formats

_HOLIDAYS_SHOWN: Final = 40


def timeline(board: Board, formats: Formats, palette: Palette, *, for_client: bool) -> Drawing | None:
    """None where no phase has days. To the client, what waits for them is "from you"."""
    whose, owed = ("Your", "needed from you") if for_client else ("Client's", "needed from the client")
    rows = [row for line in board.phases for row in _rows(board, line, whose)]
    if not rows:
        return None
    return gantt(
        rows, holidays=board.holidays[:_HOLIDAYS_SHOWN], marks=[Day(on=board.today, text="today")],
        month=formats.month, day=formats.short_date, palette=palette, title="Plan", owed=owed,
    )  # fmt: skip


def _rows(board: Board, line: PhaseLine, whose: str) -> Iterator[Work | Waiting]:
    begin, work_end, gate = line.planned_begin, line.planned_work_end, line.planned_gate
    if begin is None or work_end is None or gate is None:
        return
    has_ended = line.state in {PhaseState.DONE, PhaseState.STOPPED}
    if not has_ended:
        yield from _owed(board, line)
    yield Work(
        name=f"{line.number} {line.name}", start=begin, end=gate, late_end=max(gate, line.agreed_late_gate or gate),
        gate=f"Gate {line.number}", agreed=_agreed(line),
        done=Stretch(first=line.actual_begin, last=line.actual_end or max(board.today, line.actual_begin))
        if line.actual_begin
        else None,
    )  # fmt: skip
    if not has_ended:
        yield Waiting(name=f"{whose} review, gate {line.number}", start=work_end, end=gate)


def _agreed(line: PhaseLine) -> Stretch | None:
    if line.agreed_begin is None or line.agreed_gate is None:
        return None
    return Stretch(first=line.agreed_begin, last=line.agreed_gate)


def _owed(board: Board, line: PhaseLine) -> Iterator[Waiting]:
    """What the client owes the phase and has not brought yet, from its day until it is there."""
    for day in board.milestones:
        is_owed = day.kind is MilestoneKind.CLIENT_INPUT and day.phase is line.phase and day.reached_on is None
        if is_owed and day.planned_on is not None:
            yield Waiting(name=f"{day.code} {day.name}", start=day.planned_on, end=max(day.planned_on, board.today))
