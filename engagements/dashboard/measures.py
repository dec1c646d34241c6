"""What lists and pages show of an engagement under way: its steps, the next gate and how far off it is, its budget."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Final

from sqlmodel import Session, col, select

from engagements.core.roles import Actor, Permission
from engagements.dashboard.views import PhaseStep
from engagements.delivery.days import working_days_from
from engagements.delivery.health import Health, Measured
from engagements.delivery.models import Baseline, PhaseRecord, PhaseState
from engagements.delivery.standing import LETTERS
from engagements.rendering import Badge
from estimator.calendar import WorkCalendar
from estimator.money import Money
from estimator.phases import Phase

HEALTH_BADGES: Final[Mapping[Health, Badge]] = {
    Health.ON_TRACK: Badge(tone="good", label="On track"),
    Health.AT_RISK: Badge(tone="warn", label="At risk"),
    Health.LATE: Badge(tone="bad", label="Late"),
    Health.UNKNOWN: Badge(tone="quiet", label="Not measured"),
}
_STEPS: Final[Mapping[PhaseState, tuple[str, str]]] = {
    PhaseState.PLANNED: ("planned", "Planned"),
    PhaseState.READY: ("current", "Ready to begin"),
    PhaseState.IN_PROGRESS: ("current", "In progress"),
    PhaseState.BLOCKED: ("blocked", "Blocked"),
    PhaseState.GATE_REVIEW: ("current", "At its gate"),
    PhaseState.DONE: ("done", "Done"),
    PhaseState.STOPPED: ("blocked", "Stopped"),
}
_NOT_AGREED: Final = ("planned", "Not part of it")
_OF_LETTER: Final = {letter: state for state, letter in LETTERS.items()}


@cache
def steps_of(letters: str) -> tuple[PhaseStep, ...]:
    """Six phases from `Standing.steps`; a plan that ends earlier has fewer letters."""
    states = [_STEPS[_OF_LETTER[letter]] for letter in letters]
    states += [_NOT_AGREED] * (len(Phase) - len(states))
    return tuple(
        PhaseStep(number=phase.number, label=phase.label, state=state, said=said, gate=f"after {phase.label}")
        for phase, (state, said) in zip(Phase, states, strict=True)
    )


def dated_steps(phases: Sequence[PhaseRecord]) -> tuple[PhaseStep, ...]:
    """The same from the rows themselves, in order, with the day each ended or its gate is planned."""
    days = {
        row.phase.number: (
            row.actual_end or row.planned_gate, row.actual_end is None and row.state is not PhaseState.GATE_REVIEW
        )
        for row in phases
    }  # fmt: skip
    return tuple(
        replace(step, day=days[step.number][0], day_is_gate=days[step.number][1]) if step.number in days else step
        for step in steps_of("".join(LETTERS[row.state] for row in phases))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NextGate:
    """The gate of the current phase. Days from today; below zero it is past."""

    phase: Phase
    day: date
    working_days: int
    calendar_days: int


def next_gate(standing: Measured, calendar: WorkCalendar, *, today: date) -> NextGate | None:
    """None where no phase is current, and for ongoing management, which has no gate."""
    if standing.phase is None or standing.planned_gate is None:
        return None
    day = standing.planned_gate
    return NextGate(
        phase=standing.phase, day=day, calendar_days=(day - today).days,
        working_days=working_days_from(calendar, today, day),
    )  # fmt: skip


def calendars_of(session: Session, engagements: Collection[str]) -> dict[str, WorkCalendar]:
    """By engagement, the working days that its latest baseline counts in; one query."""
    if not engagements:
        return {}
    chosen = select(Baseline.engagement_id, col(Baseline.plan)["calendar"]).where(
        col(Baseline.engagement_id).in_(engagements)
    )
    found = session.execute(chosen.order_by(col(Baseline.number)))
    return {engagement_id: WorkCalendar(**calendar) for engagement_id, calendar in found}


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetBar:
    """How much of the budget is used, in money for who may see cost, in hours for the others.

    `earned`: the share of the plan that is done, by its cost. `width` and `earned_at` from 0 to 100. `is_floor`: some
    costs are not known, so it is at least this much.
    """

    share: float
    width: float
    earned: float | None
    earned_at: float | None
    is_over: bool
    is_floor: bool
    spent: Money | None
    budget: Money | None
    hours: float
    budget_hours: float | None


def budget_bar(standing: Measured, currency: str, actor: Actor) -> BudgetBar | None:
    """None where there is no budget to hold it against."""
    hours = standing.minutes / 60
    budget_hours = standing.budget_minutes / 60 if standing.budget_minutes else None
    in_money = actor.may(Permission.VIEW_COST) and bool(standing.budget_minor)
    if in_money and standing.budget_minor:
        share, earned = standing.spent_minor / standing.budget_minor, standing.earned_minor / standing.budget_minor
    elif budget_hours:
        share, earned = hours / budget_hours, None
    else:
        return None
    return BudgetBar(
        share=share, width=100 * min(share, 1), earned=earned, is_over=share > 1,
        earned_at=100 * min(earned, 1) if earned else None, is_floor=in_money and standing.spent_unknown > 0,
        spent=Money(standing.spent_minor, currency) if in_money else None,
        budget=Money(standing.budget_minor or 0, currency) if in_money else None, hours=hours,
        budget_hours=budget_hours,
    )  # fmt: skip
