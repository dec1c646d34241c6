"""The plan as CSV: one line per phase, milestone and deliverable, in the order of the plan."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import Final

from engagements.delivery.board import Board
from estimator.csv_cells import guarded

HEAD: Final = (
    "kind", "code", "name", "phase", "state", "owner", "agreed_begin", "agreed_end", "planned_begin", "planned_end",
    "actual_begin", "actual_end", "working_days_late",
)  # fmt: skip


def plan_csv(board: Board) -> str:
    """UTF-8 text with CRLF (RFC 4180); days in ISO, nothing where a day is not known."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(HEAD)
    for line in _lines(board):
        writer.writerow([guarded(cell) if isinstance(cell, str) else _plain(cell) for cell in line])
    return written.getvalue()


def _lines(board: Board) -> Iterator[tuple[str | date | int | None, ...]]:
    for phase in board.phases:
        yield (
            "phase", str(phase.number), phase.name, phase.phase.value, phase.state.value, phase.owner_name,
            phase.agreed_begin, phase.agreed_gate, phase.planned_begin, phase.planned_gate, phase.actual_begin,
            phase.actual_end, phase.days_late,
        )  # fmt: skip
    for day in board.milestones:
        yield (
            day.kind.value, day.code, day.name, day.phase.value if day.phase else "", day.standing.value, "", None,
            day.agreed_on, None, day.planned_on, None, day.reached_on, day.days_late,
        )  # fmt: skip
    for item in board.deliverables:
        decided = item.decided_at.date() if item.decided_at else None
        yield (
            "deliverable", item.code, item.name, item.phase.value, item.state.value, item.owner_name, None,
            item.agreed_due, None, item.due, None, decided, None,
        )  # fmt: skip


def _plain(cell: date | int | None) -> str:
    match cell:
        case None:
            return ""
        case date():
            return cell.isoformat()
        case int():
            return str(cell)
