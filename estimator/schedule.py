"""Days of the calendar: when each phase begins, ends and passes its gate, with even odds and with four in five."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from math import ceil
from typing import Final

from estimator.calendar import Holiday, WorkCalendar
from estimator.errors import BriefInvalid, Problem
from estimator.phases import Phase
from estimator.plan import PhaseTime
from estimator.sunset import PlanDates

_WORKING_DAYS_MAX: Final = 2_600


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseDates:
    """`work_end`: last day of work. `gate`: day of its gate, the client's review done; `gate_p80` in four of five."""

    phase: Phase
    begin: date
    work_end: date
    gate: date
    gate_p80: date
    working_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The delivery phases on the calendar of the client's country."""

    start: date
    phases: tuple[PhaseDates, ...]
    holidays: tuple[Holiday, ...]
    working_days_p50: int
    working_days_p80: int

    @property
    def go_live(self) -> date:
        return self.phases[-1].gate

    @property
    def go_live_p80(self) -> date:
        return self.phases[-1].gate_p80

    def of(self, phase: Phase) -> PhaseDates:
        return next(dates for dates in self.phases if dates.phase is phase)


def place(times: Sequence[PhaseTime], *, start: date, calendar: WorkCalendar) -> Schedule:
    """Put working days on a calendar. Every phase begins the working day after the gate before it.

    Raises `BriefInvalid` for a plan of more than ten years, in which a number must have slipped.
    """
    first, last = calendar.first_working_day(start), max(ceil(time.end.p80) for time in times)
    if last > _WORKING_DAYS_MAX:
        message = f"the plan takes {last:,} working days, more than ten years"
        remedy = "check data.labelling (examples, minutes, annotators) and commercial.review_days"
        raise BriefInvalid(Problem(code="plan.too_long", message=message, remedy=remedy))
    # One day more than planned: a phase shorter than a day begins on the day after the last gate.
    days = list(islice(calendar.working_days(first), last + 1))
    phases = tuple(_dates(time, days) for time in times)
    end = times[-1].end
    return Schedule(
        start=first,
        phases=phases,
        holidays=tuple(calendar.holidays_between(first, phases[-1].gate_p80)),
        working_days_p50=ceil(end.p50),
        working_days_p80=ceil(end.p80),
    )


def _dates(time: PhaseTime, days: Sequence[date]) -> PhaseDates:
    begin = ceil(time.begin.p50)
    # A phase shorter than a day ends on the day it begins.
    work_end, gate, gate_p80 = (max(begin, ceil(end) - 1) for end in (time.work_end.p50, time.end.p50, time.end.p80))
    return PhaseDates(
        phase=time.phase,
        begin=days[begin],
        work_end=days[work_end],
        gate=days[gate],
        gate_p80=days[gate_p80],
        working_days=ceil(time.end.p50) - ceil(time.begin.p50),
    )


def plan_dates(schedule: Schedule, serving_months: int) -> PlanDates:
    """What a model's end is held against: the first run with even odds, the last with four in five."""
    training = schedule.of(Phase.TRAINING)
    return PlanDates(
        first_job=training.begin,
        last_job=training.gate_p80,
        go_live=schedule.go_live,
        service_end=add_months(schedule.go_live, serving_months),
    )


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the last day of a shorter month."""
    year, month = divmod(day.month - 1 + months, 12)
    last = [31, 29 if _is_leap(day.year + year) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month]
    return date(day.year + year, month + 1, min(day.day, last))


def months_between(start: date, end: date) -> int:
    """Whole months from start to end, rounded down; 0 for an end that has passed."""
    months = (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)
    return max(0, months)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
