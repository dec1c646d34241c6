"""What an invoice holds, decided purely: lines from approved time, costs and reached payments, by pricing model.

A fixed or value-based price and a retainer are paid by their milestones and months; time and materials by the hour, up
to the cap that was agreed. Costs marked billable are passed on as they are. Amounts are rounded half up once, on the
line.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from engagements.actuals.models import CostEntry, TimeEntry
from engagements.actuals.rules import spent_of
from engagements.delivery.models import Milestone
from estimator.brief.sections import PricingModel
from estimator.money import round_half_up
from estimator.phases import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """`kind`: payment, time, cost or cap. `sources`: ids of what it holds. Minor units; `quantity`: hours, as text."""

    kind: str
    text: str
    quantity: str
    unit: str
    unit_minor: int | None
    net_minor: int
    phase: Phase | None
    first_day: date | None
    last_day: date | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What can be invoiced. `unpriced`: ids of billable entries whose price nobody knows yet; they wait."""

    lines: tuple[InvoiceLine, ...]
    time: tuple[TimeEntry, ...]
    costs: tuple[CostEntry, ...]
    unpriced: tuple[str, ...]

    @property
    def net_minor(self) -> int:
        return sum(line.net_minor for line in self.lines)


def collect(
    model: PricingModel,
    *,
    payments: Sequence[Milestone],
    time: Sequence[TimeEntry],
    costs: Sequence[CostEntry],
    cap_left_minor: int | None,
) -> Collected:
    """`payments`, `time` and `costs`: reached or approved, and not invoiced. `cap_left_minor`: None without a cap."""
    by_hour = model is PricingModel.TIME_AND_MATERIALS
    worked = [entry for entry in time if by_hour and entry.billable]
    passed_on = [entry for entry in costs if entry.billable]
    hours = [entry for entry in worked if entry.price_minor is not None]
    known = [entry for entry in passed_on if entry.amount_minor is not None]
    lines = [*map(_payment, () if by_hour else payments), *_hours(hours), *map(_cost, known)]
    net = sum(line.net_minor for line in lines)
    if cap_left_minor is not None and net > cap_left_minor:
        lines.append(_above_cap(net - cap_left_minor))
    return Collected(
        lines=tuple(lines),
        time=tuple(hours),
        costs=tuple(known),
        unpriced=tuple(entry.id for entry in (*worked, *passed_on) if entry not in hours and entry not in known),
    )


def _payment(milestone: Milestone) -> InvoiceLine:
    assert milestone.net_minor is not None, "a payment has its amount"
    return InvoiceLine(
        kind="payment", text=milestone.name, quantity="1", unit="payment", unit_minor=milestone.net_minor,
        net_minor=milestone.net_minor, phase=milestone.phase, first_day=milestone.reached_on,
        last_day=milestone.reached_on, sources=(milestone.id,),
    )  # fmt: skip


def _hours(entries: Sequence[TimeEntry]) -> Iterator[InvoiceLine]:
    """One line for each phase, role and rate."""

    def same(entry: TimeEntry) -> tuple[int, str, int]:
        return entry.phase.number, entry.role, entry.price_minor or 0

    for (_, role, price_minor), group in groupby(sorted(entries, key=same), key=same):
        rows = list(group)
        minutes = sum(entry.minutes for entry in rows)
        quantity = f"{round_half_up(Decimal(minutes) / 60, 2):f}"
        words = role.replace("_", " ")
        yield InvoiceLine(
            kind="time", text=f"{rows[0].phase.label}, {words}", quantity=quantity, unit="h", unit_minor=price_minor,
            net_minor=spent_of(minutes, price_minor) or 0, phase=rows[0].phase,
            first_day=min(entry.day for entry in rows), last_day=max(entry.day for entry in rows),
            sources=tuple(entry.id for entry in rows),
        )  # fmt: skip


def _cost(entry: CostEntry) -> InvoiceLine:
    text = f"{entry.kind.replace('_', ' ').capitalize()}: {entry.note}" if entry.note else entry.kind.replace("_", " ")
    return InvoiceLine(
        kind="cost", text=text[:400], quantity="1", unit="cost", unit_minor=entry.amount_minor,
        net_minor=entry.amount_minor or 0, phase=entry.phase, first_day=entry.day, last_day=entry.day,
        sources=(entry.id,),
    )  # fmt: skip


def _above_cap(above_minor: int) -> InvoiceLine:
    return InvoiceLine(
        kind="cap", text="Above the cap that was agreed, not charged", quantity="1", unit="", unit_minor=-above_minor,
        net_minor=-above_minor, phase=None, first_day=None, last_day=None, sources=(),
    )  # fmt: skip
