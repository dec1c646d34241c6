"""Where a change moves the days that were agreed: phases that are done keep theirs, the later ones follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from engagements.delivery.days import working_days_from
from estimator.calendar import WorkCalendar

DAYS = ("begin", "work_end", "gate_date", "gate_late")
"""The days of a phase in a plan, as ISO dates; null for ongoing management, which has no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """`phases`: those of the plan with their new days. `days`: working days by which the last gate moves."""

    phases: list[dict[str, Any]]
    days: int


def moved_phases(
    plan: Sequence[Mapping[str, Any]],
    added: Mapping[int, int],
    *,
    ended: frozenset[int],
    today: date,
    calendar: WorkCalendar,
) -> Moved:
    """`added`: by number of a phase, the working days that it takes longer, or less long below 0.

    The first phase that is not done keeps the day it begins, and takes what is added to phases that are done. No day
    that is still to come is moved before `today`.
    """
    phases, carried, is_first = [], 0, True
    late = sum(days for number, days in added.items() if number in ended)
    for phase in plan:
        number = phase["number"]
        if number in ended or phase["gate_date"] is None:
            phases.append(dict(phase))
            continue
        own = added.get(number, 0) + (late if is_first else 0)
        begin = _shifted(phase["begin"], 0 if is_first else carried, phase["begin"], today, calendar)
        days = {"begin": begin}
        for name in DAYS[1:]:
            days[name] = max(begin, _shifted(phase[name], carried + own, phase[name], today, calendar))
        carried = working_days_from(calendar, _day(phase["gate_date"]), days["gate_date"])
        longer = (phase["working_days"] or 0) + own
        phases.append(
            {**phase, **{name: day.isoformat() for name, day in days.items()}, "working_days": max(0, longer)}
        )
        is_first = False
    return Moved(phases=phases, days=carried)


def _shifted(written: str, days: int, agreed: str, today: date, calendar: WorkCalendar) -> date:
    return max(calendar.shifted(_day(written), days), min(_day(agreed), today))


def _day(written: str) -> date:
    return date.fromisoformat(written)
