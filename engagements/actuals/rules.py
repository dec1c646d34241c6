"""What may be logged, decided purely over facts: days, weeks, phases, roles.

A day takes at most 24 hours of a person over all engagements, on days of 23 and 25 hours too: what is logged is a
calendar day, without a clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from engagements.actuals.models import EntryState
from engagements.actuals.weeks import Week
from engagements.core.errors import Conflict, Invalid
from engagements.core.models import EngagementState
from engagements.delivery.models import PhaseState
from estimator.errors import Problem
from estimator.phases import Phase

DAY_MINUTES: Final = 1_440


class WeekLocked(Conflict):
    """The week was handed in; it opens again when it is rejected or reopened."""

    code = "week_locked"


class TimeLocked(Conflict):
    """The organisation closed these days."""

    code = "time_locked"


class EntryLocked(Conflict):
    """What is submitted, approved or invoiced is not edited."""

    code = "entry_locked"


class NotUnderWay(Conflict):
    """An engagement that takes no work now."""

    code = "engagement_not_active"


class PhaseConflict(Conflict):
    code = "phase_conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants to log."""

    phase: Phase
    role: str
    day: date
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What it is judged by. `phase_state` None: the engagement has no such phase.

    `day_minutes`: of the person on that day, over all engagements, without this entry. `week_states`: of the person's
    other entries of this engagement in that week.
    """

    today: date
    agreed_on: date
    locked_until: date | None
    phase_state: PhaseState | None
    day_minutes: int
    week_states: frozenset[EntryState]
    roles: frozenset[str]


def check(wanted: Wanted, facts: Facts) -> None:
    """Raises `Invalid` with all that is wrong, then what the state of phase, week or calendar says against it."""
    if problems := list(faults(wanted, facts)):
        raise Invalid.of(*problems)
    if facts.phase_state is PhaseState.PLANNED:
        message = f"{wanted.phase.label.lower()} has not begun"
        raise PhaseConflict(message, remedy="log on the phase under way, or pass the gate before it first")
    check_day(wanted.day, facts.locked_until)
    check_week(wanted.day, facts.week_states)


def faults(wanted: Wanted, facts: Facts) -> Iterator[Problem]:
    if facts.phase_state is None:
        message = f"this engagement has no phase {wanted.phase.label.lower()}"
        yield Problem(code="phase_unknown", where="phase", message=message, remedy="choose a phase of its plan")
    if wanted.role not in facts.roles:
        message, known = f"no role is called {wanted.role!r} here", ", ".join(sorted(facts.roles))
        yield Problem(code="unknown_role", where="role", message=message, remedy=f"use {known}, or add a rate for it")
    yield from day_faults(wanted.day, facts.today, facts.agreed_on)
    if facts.day_minutes + wanted.minutes > DAY_MINUTES:
        left = max(0, DAY_MINUTES - facts.day_minutes)
        message = (
            f"{hours_text(facts.day_minutes)} are logged on {wanted.day} already; with these it would be "
            f"{hours_text(facts.day_minutes + wanted.minutes)}, and a day has 24 h"
        )
        yield Problem(
            code="day_over_24_hours", where="minutes", message=message, remedy=f"{left} minutes of that day are left"
        )


def day_faults(day: date, today: date, agreed_on: date) -> Iterator[Problem]:
    if day > today:
        message = f"{day} is still to come"
        yield Problem(code="date.out_of_range", where="day", message=message, remedy=f"log up to {today}")
    if day < agreed_on:
        message = f"{day} is before the acceptance on {agreed_on}"
        yield Problem(code="date.out_of_range", where="day", message=message, remedy=f"log from {agreed_on} on")


def check_day(day: date, locked_until: date | None) -> None:
    if locked_until is not None and day <= locked_until:
        remedy = "log on a day after it, or ask a lead or finance to move the lock back"
        raise TimeLocked(f"time is closed up to {locked_until}", remedy=remedy)


def check_week(day: date, states: frozenset[EntryState]) -> None:
    for state, remedy in (
        (EntryState.INVOICED, "make an adjusting entry to what was invoiced"),
        (EntryState.APPROVED, "ask a lead to reopen the week first"),
        (EntryState.SUBMITTED, "ask a lead to reject the week first"),
    ):
        if state in states:
            raise WeekLocked(f"week {Week.of(day)} is {state}", remedy=remedy)


def check_editable(state: EntryState, *, invoiced: str) -> None:
    """`invoiced`: what to do instead with what is invoiced."""
    remedies = {
        EntryState.SUBMITTED: "have it rejected first",
        EntryState.APPROVED: "have it reopened first",
        EntryState.INVOICED: invoiced,
    }
    if state in remedies:
        raise EntryLocked(f"an entry that is {state} is not edited", remedy=remedies[state])


def check_engagement(state: EngagementState, *, takes: frozenset[EngagementState]) -> None:
    """Raises `NotUnderWay` unless the state is one that takes it."""
    remedies = {
        EngagementState.PROPOSED: "have the proposal accepted first",
        EngagementState.ON_HOLD: "set it active again first",
        EngagementState.CLOSING: "set it active again first",
        EngagementState.CLOSED: "open a new engagement",
        EngagementState.TERMINATED: "open a new engagement",
    }
    if state not in takes:
        raise NotUnderWay(f"this engagement is {state.replace('_', ' ')}", remedy=remedies.get(state, ""))


def hours_text(minutes: int) -> str:
    """ "7 h 30 min"; whole hours without minutes."""
    whole, rest = divmod(minutes, 60)
    return f"{whole} h {rest} min" if rest else f"{whole} h"


def spent_of(minutes: int, cost_minor: int | None) -> int | None:
    """What so many minutes cost at a rate of an hour, in minor units, rounded half away from zero, once."""
    if cost_minor is None:
        return None
    size = (2 * abs(minutes) * cost_minor + 60) // 120
    return size if minutes > 0 else -size
