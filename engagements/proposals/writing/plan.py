"""The part of a proposal that says what happens, when, and who does it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from engagements.proposals.method import Method
from engagements.proposals.view import Deliverable, HolidayView, PhaseView, RoleView
from estimator.estimating import Estimate
from estimator.phases import DELIVERY, Phase
from estimator.quote import PricedOption

_HOURS_PER_DAY: Final = 8


def phases_of(estimate: Estimate, option: PricedOption, method: Method) -> tuple[PhaseView, ...]:
    """The phases of an option with their gates; ongoing management has no end."""
    within = [*option.scope.phases, *([Phase.MANAGEMENT] if option.scope.management_months else [])]
    return tuple(_phase(phase, estimate, option, method) for phase in within)


def deliverables_of(estimate: Estimate, option: PricedOption, method: Method) -> tuple[Deliverable, ...]:
    """What is handed over, each with its acceptance, its reviewer and the day of its gate."""
    within = {phase.number for phase in option.scope.phases} | ({6} if option.scope.management_months else set())
    return tuple(
        Deliverable(
            id=words.id,
            phase=words.phase.number,
            name=words.name,
            format=words.format,
            acceptance=words.acceptance,
            reviewer=words.reviewer,
            due=estimate.schedule.of(words.phase).gate if words.phase in DELIVERY else None,
            due_text="" if words.phase in DELIVERY else "monthly",
        )
        for words in method.deliverable
        if words.phase.number in within
    )


def holidays_of(estimate: Estimate) -> tuple[HolidayView, ...]:
    return tuple(HolidayView(day=holiday.day, name=holiday.name) for holiday in estimate.schedule.holidays)


def team_of(estimate: Estimate, option: PricedOption, method: Method) -> tuple[RoleView, ...]:
    """Everybody who works on an option with all their hours, the busiest first."""
    full_time = _HOURS_PER_DAY * estimate.schedule.working_days_p50
    worked: dict[str, dict[Phase, float]] = {}
    for phase, by_role in option.hours.items():
        for role, hours in by_role.items():
            if hours > 0:
                worked.setdefault(role, {})[phase] = hours
    busiest = sorted(worked.items(), key=lambda item: -sum(item[1].values()))
    return tuple(
        RoleView(
            name=method.role(role),
            hours=_hours(sum(by_phase.values())),
            phases=tuple(sorted(phase.number for phase in by_phase)),
            share=Decimal(str(sum(hours for phase, hours in by_phase.items() if phase in DELIVERY) / full_time)),
        )
        for role, by_phase in busiest
    )


def _phase(phase: Phase, estimate: Estimate, option: PricedOption, method: Method) -> PhaseView:
    words = method.of(phase)
    at = estimate.schedule.of(phase) if phase in DELIVERY else None
    return PhaseView(
        number=phase.number,
        name=phase.label,
        goal=words.goal,
        activities=words.activities,
        client_input=words.client_input,
        gate=words.gate,
        criteria=words.criteria,
        begin=at.begin if at else None,
        work_end=at.work_end if at else None,
        gate_date=at.gate if at else None,
        gate_late=at.gate_p80 if at else None,
        working_days=at.working_days if at else None,
        hours=dict(_hours_by_role(phase, option, method)),
    )


def _hours_by_role(phase: Phase, option: PricedOption, method: Method) -> Iterator[tuple[str, float]]:
    for role, worked in option.hours.get(phase, {}).items():
        yield method.role(role), round(worked, 1)


def _hours(hours: float) -> Decimal:
    return Decimal(round(hours))
