"""The facts of earned value: the agreed plan, the gates that passed, what was spent. Of the phases that end.

Ongoing management has no gate that ends it and earns nothing here; it is held against its own budget.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlmodel import Session

from engagements.actuals.burn import Burn, burn_of, spent_by_day
from engagements.actuals.earned import (
    Curve,
    EarnedSchedule,
    EarnedValue,
    PlannedWork,
    earned_schedule,
    earned_value,
    planned_curve,
)
from engagements.actuals.totals import Taken, sum_of, taken_by_phase
from engagements.delivery.days import calendar_of
from engagements.delivery.models import Baseline, PhaseRecord, PhaseState
from engagements.delivery.opening import phases_of
from estimator.phases import DELIVERY, Phase

ENDED: Final = frozenset({PhaseState.DONE, PhaseState.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Earned value as of a day, in minor units."""

    day: date
    value: EarnedValue
    schedule: EarnedSchedule


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLateness:
    """Calendar days that a gate passed, or is planned, after the day agreed; below 0: before it."""

    phase: Phase
    agreed: date
    actual: date
    passed: bool

    @property
    def days(self) -> int:
        return (self.actual - self.agreed).days


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """`at_gate`: as of the day the last gate passed, None before the first. `unknown`: entries without a known cost."""

    currency: str
    now: Standing
    at_gate: Standing | None
    gates: tuple[GateLateness, ...]
    unknown: int
    curve: Curve
    spent: tuple[tuple[date, int], ...]
    earned: tuple[tuple[date, int], ...]

    @property
    def days_late(self) -> int | None:
        """Of the last gate that passed, or is late already; None before anything can be."""
        judged = [gate for gate in self.gates if gate.passed or gate.days > 0]
        return judged[-1].days if judged else None


def earned_of(session: Session, baseline: Baseline, *, today: date) -> Earned | None:
    """None where no budget or no dates were agreed."""
    burn = burn_of(session, baseline, today=today)
    planned, calendar = _planned(baseline, burn), calendar_of(baseline)
    if not planned:
        return None
    curve = planned_curve([planned[phase] for phase in DELIVERY if phase in planned], calendar)
    phases = phases_of(session, baseline.engagement_id)
    passed = {
        row.phase: row.actual_end
        for row in phases
        if row.state is PhaseState.DONE and row.actual_end is not None and row.phase in planned
    }
    days = spent_by_day(session, baseline.engagement_id, phases=list(planned))

    def standing(day: date) -> Standing:
        earned = sum((planned[phase].budget for phase, end in passed.items() if end <= day), Decimal(0))
        spent = Decimal(sum(amount for when, amount in days.items() if when <= day))
        bac = sum((each.budget for each in planned.values()), Decimal(0))
        value = earned_value(bac=bac, pv=curve.at(day), ev=earned, ac=spent)
        return Standing(day=day, value=value, schedule=earned_schedule(curve, earned, day))

    return Earned(
        currency=burn.currency,
        now=standing(today),
        at_gate=standing(max(passed.values())) if passed else None,
        gates=tuple(lateness(baseline, phases, today)),
        unknown=_unknown(session, baseline, planned),
        curve=curve,
        spent=_summed(sorted(days.items())),
        earned=_summed(sorted((end, int(planned[phase].budget)) for phase, end in passed.items())),
    )


def lateness(baseline: Baseline, phases: Sequence[PhaseRecord], today: date) -> list[GateLateness]:
    """Of every gate with an agreed day: passed on its day; still to come on the day planned, today at the earliest."""
    agreed, found = _agreed_gates(baseline.plan), []
    for row in phases:
        if row.phase not in agreed or row.state is PhaseState.STOPPED:
            continue
        passed = row.state is PhaseState.DONE and row.actual_end is not None
        actual = row.actual_end if passed else row.planned_gate
        if actual is not None:
            actual = actual if passed else max(actual, today)
            found.append(GateLateness(phase=row.phase, agreed=agreed[row.phase], actual=actual, passed=passed))
    return found


def _agreed_gates(plan: Mapping[str, Any]) -> dict[Phase, date]:
    return {
        list(Phase)[each["number"] - 1]: date.fromisoformat(each["gate_date"])
        for each in plan["phases"]
        if each["gate_date"]
    }


def _planned(baseline: Baseline, burn: Burn) -> dict[Phase, PlannedWork]:
    gates, found = _agreed_gates(baseline.plan), {}
    for each in baseline.plan["phases"]:
        phase = list(Phase)[each["number"] - 1]
        line = burn.of(phase)
        if phase in gates and each["begin"] and line is not None and line.budget_minor is not None:
            begin = date.fromisoformat(each["begin"])
            found[phase] = PlannedWork(budget=Decimal(line.budget_minor), begin=begin, gate=gates[phase])
    return found


def _unknown(session: Session, baseline: Baseline, planned: Mapping[Phase, PlannedWork]) -> int:
    taken: Mapping[Phase, Taken] = taken_by_phase(session, baseline.engagement_id)
    return sum_of({phase: each for phase, each in taken.items() if phase in planned}).unknown


def _summed(points: Sequence[tuple[date, int]]) -> tuple[tuple[date, int], ...]:
    summed, found = 0, []
    for day, amount in points:
        summed += amount
        found.append((day, summed))
    return tuple(found)
