"""New days for a phase, and what follows from them; pure.

The order of the phases is kept and none overlaps another. What follows keeps its lengths in working days and begins on
the next working day after the gate before it; where it was planned later than that on purpose, the gap takes up a delay
first. What is done stays where it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from engagements.core.errors import Invalid
from engagements.delivery.days import ONE_DAY
from engagements.delivery.steps import PhaseConflict
from estimator.calendar import WorkCalendar
from estimator.errors import Problem
from estimator.phases import Phase

# The longest plan that an estimate makes either (estimator.schedule).
_FURTHEST: Final = timedelta(days=3_660)


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """A phase on the calendar: its first day, its last day of work, and the day of its gate."""

    begin: date
    work_end: date
    gate: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A phase as it is planned. `days` None: it has none, as ongoing management; `ended_on` None: it goes on."""

    phase: Phase
    days: Days | None
    begun: bool = False
    ended_on: date | None = None

    @property
    def ends(self) -> date | None:
        """The day after which the next phase can begin."""
        return self.ended_on or (self.days.gate if self.days else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """None: as long after what comes before it as it was."""

    begin: date | None = None
    work_end: date | None = None
    gate: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    before: Days
    after: Days


def cascade(
    plan: Sequence[Placed], phase: Phase, wanted: Wanted, calendar: WorkCalendar, *, today: date
) -> Mapping[Phase, Shift]:
    """Every phase that moves, in order; empty where the days wanted are the days planned.

    Raises `PhaseConflict` for a phase that has ended or has no days, and `Invalid` with everything that is wrong with
    the days.
    """
    index = [placed.phase for placed in plan].index(phase)
    own = plan[index]
    if own.ended_on is not None:
        raise PhaseConflict(f"{phase.label} ended on {own.ended_on}", remedy="move a phase that is still ahead")
    if own.days is None:
        raise PhaseConflict(f"{phase.label} has no days of its own", remedy="move the gate before it")
    before = max((ends for placed in plan[:index] if (ends := placed.ends)), default=None)
    moved = _own_days(own, own.days, wanted, before, calendar, today)
    shifts = {phase: Shift(before=own.days, after=moved)} if moved != own.days else {}
    return shifts | dict(_following(plan[index + 1 :], own.days.gate, moved.gate, calendar))


def shifted(days: Days, begin: date, calendar: WorkCalendar) -> Days:
    """The same lengths in working days from another first day."""
    work_end = calendar.after(begin, calendar.count(days.begin, days.work_end))
    return Days(begin=begin, work_end=work_end, gate=calendar.after(begin, calendar.count(days.begin, days.gate)))


def _following(
    plan: Sequence[Placed], old_gate: date, gate: date, calendar: WorkCalendar
) -> Iterator[tuple[Phase, Shift]]:
    for placed in plan:
        if gate == old_gate:
            return
        if placed.days is None:
            continue
        earliest = calendar.first_working_day(gate + ONE_DAY)
        begin = earliest if gate < old_gate else max(earliest, placed.days.begin)
        moved = shifted(placed.days, begin, calendar) if begin != placed.days.begin else placed.days
        if moved != placed.days:
            yield placed.phase, Shift(before=placed.days, after=moved)
        old_gate, gate = placed.days.gate, moved.gate


def _own_days(
    own: Placed, days: Days, wanted: Wanted, before: date | None, calendar: WorkCalendar, today: date
) -> Days:
    """What is not wanted keeps its length after what is. Raises `Invalid`."""
    new = {
        name: day
        for name in ("begin", "work_end", "gate")
        if (day := getattr(wanted, name)) is not None and day != getattr(days, name)
    }
    faults = [fault for name, day in new.items() if (fault := _day_fault(name, day, calendar, today))]
    if own.begun and "begin" in new:
        message = f"{own.phase.label} has begun, and that does not move any more"
        faults.append(Problem(code="date.in_past", where="begin", message=message, remedy="leave the first day out"))
    if faults:
        raise Invalid.of(*faults)
    begin = new.get("begin", days.begin)
    moved = shifted(days, begin, calendar) if begin != days.begin else days
    work_end = wanted.work_end or moved.work_end
    gate = wanted.gate or _gate_after(days, moved, work_end, calendar)
    placed = Days(begin=begin, work_end=work_end, gate=gate)
    if faults := list(_order_faults(placed, before, calendar)):
        raise Invalid.of(*faults)
    return placed


def _gate_after(days: Days, moved: Days, work_end: date, calendar: WorkCalendar) -> date:
    """As long after the work as the client's review was to take."""
    if work_end == moved.work_end:
        return moved.gate
    return calendar.after(work_end, calendar.count(days.work_end, days.gate))


def _day_fault(name: str, day: date, calendar: WorkCalendar, today: date) -> Problem | None:
    if day < today:
        message, remedy = f"{day} has passed", f"take {calendar.first_working_day(today)} or later"
        return Problem(code="date.in_past", where=name, message=message, remedy=remedy)
    if day > today + _FURTHEST:
        message, remedy = f"{day} is more than ten years ahead", "take an earlier day"
        return Problem(code="date.out_of_range", where=name, message=message, remedy=remedy)
    if not calendar.is_working_day(day):
        message, remedy = f"nobody works on {day}", f"take {calendar.first_working_day(day)}, the next working day"
        return Problem(code="date.not_working", where=name, message=message, remedy=remedy)
    return None


def _order_faults(days: Days, before: date | None, calendar: WorkCalendar) -> Iterator[Problem]:
    if before is not None and days.begin <= before:
        message = f"{days.begin} is not after {before}, when the phase before ends"
        remedy = f"take {calendar.first_working_day(before + ONE_DAY)} or later, or move the phase before"
        yield Problem(code="date.order", where="begin", message=message, remedy=remedy)
    for where, day, earliest, what in (
        ("work_end", days.work_end, days.begin, "the first day"),
        ("gate", days.gate, days.work_end, "the last day of work"),
    ):
        if day < earliest:
            message, remedy = f"{day} is before {what}, {earliest}", f"take {earliest} or later"
            yield Problem(code="date.order", where=where, message=message, remedy=remedy)
