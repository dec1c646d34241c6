"""What an engagement has taken so far, by phase, summed by the database; and the part of `Standing` that shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, func, select

from engagements.actuals.models import CostEntry, TimeEntry
from engagements.delivery.standing import standing_row
from estimator.phases import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Minutes and money (minor units). `unknown`: entries whose cost nobody knows; then `spent_minor` is a floor."""

    minutes: int = 0
    time_minor: int = 0
    other_minor: int = 0
    unknown: int = 0

    @property
    def spent_minor(self) -> int:
        return self.time_minor + self.other_minor

    def plus(self, other: "Taken") -> "Taken":
        return Taken(
            minutes=self.minutes + other.minutes,
            time_minor=self.time_minor + other.time_minor,
            other_minor=self.other_minor + other.other_minor,
            unknown=self.unknown + other.unknown,
        )


def taken_by_phase(session: Session, engagement_id: str, *, until: date = date.max) -> dict[Phase, Taken]:
    """Every phase that anything was logged on up to a day. Two statements, however many entries there are."""
    session.flush()
    time = select(
        col(TimeEntry.phase), func.sum(TimeEntry.minutes), func.sum(TimeEntry.spent_minor),
        func.count() - func.count(col(TimeEntry.spent_minor)),
    ).where(TimeEntry.engagement_id == engagement_id, TimeEntry.day <= until)  # fmt: skip
    costs = select(
        col(CostEntry.phase), func.sum(CostEntry.amount_minor), func.count() - func.count(col(CostEntry.amount_minor))
    ).where(CostEntry.engagement_id == engagement_id, CostEntry.day <= until)
    found: dict[Phase, Taken] = {}
    for phase, minutes, spent, unknown in session.exec(time.group_by(col(TimeEntry.phase))):
        found[Phase(phase)] = Taken(minutes=int(minutes or 0), time_minor=int(spent or 0), unknown=unknown)
    for phase, amount, unknown in session.exec(costs.group_by(col(CostEntry.phase))):
        other = Taken(other_minor=int(amount or 0), unknown=unknown)
        found[Phase(phase)] = found.get(Phase(phase), Taken()).plus(other)
    return found


def sum_of(parts: Mapping[Phase, Taken]) -> Taken:
    whole = Taken()
    for part in parts.values():
        whole = whole.plus(part)
    return whole


def refresh_totals(session: Session, engagement_id: str, *, at: datetime) -> None:
    """Minutes and money of the engagement's `Standing`; nothing before it has one."""
    row = standing_row(session, engagement_id)
    if row is None:
        return
    whole = sum_of(taken_by_phase(session, engagement_id))
    row.spent_minor, row.spent_unknown, row.minutes = whole.spent_minor, whole.unknown, whole.minutes
    row.changed_at = at
