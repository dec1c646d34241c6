"""Our budget after a change: the one agreed, moved by what two estimates of today differ in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from estimator.budget import Budget, PhaseBudget, Spread
from estimator.phases import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """Work that a change names itself, in one phase: hours by role, and a cost beside them (both may be below 0)."""

    phase: Phase
    hours: Mapping[str, float] = field(default_factory=dict)
    cost: float = 0.0


def budget_after(
    agreed: Budget, before: Budget, after: Budget, added: Sequence[Added], *, ended: frozenset[Phase], now: Phase
) -> Budget:
    """Quantile by quantile, for both estimates come from the same draws. `now`: the phase under way.

    What is added to a phase that is done is work of the phase under way: the past cost what it cost.
    """
    own = [_of_own(each, agreed.rates) for each in added]
    parts = {each.phase: _difference(before.of(each.phase), after.of(each.phase)) for each in agreed.phases}
    late = [parts[phase] for phase in parts if phase in ended]
    phases = []
    for each in agreed.phases:
        if each.phase in ended:
            phases.append(each)
            continue
        moves = [parts[each.phase], *(late if each.phase is now else ())]
        moves += [
            mine for mine, given in zip(own, added, strict=True) if _falls_to(given.phase, ended, now) is each.phase
        ]
        phases.append(_with(each, moves))
    fixed = sum(mine.cost[-1] for mine in own)
    cost = _sum(agreed.cost, _between(before.cost, after.cost), fixed)
    return replace(agreed, phases=tuple(phases), cost=cost, runs=agreed.runs + after.runs - before.runs)


def cost_of(added: Added, rates: Mapping[str, float]) -> float:
    """Our cost of what a change adds, in the currency of the budget."""
    return added.cost + sum(hours * rates[role] for role, hours in added.hours.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """By how much a phase grows: at each quantile and, last, in the mean."""

    cost: tuple[float, ...]
    hours: tuple[float, ...]
    by_role: Mapping[str, float]
    compute: float = 0.0


def _falls_to(phase: Phase, ended: frozenset[Phase], now: Phase) -> Phase:
    return now if phase in ended else phase


def _of_own(added: Added, rates: Mapping[str, float]) -> _Move:
    return _Move(cost=(cost_of(added, rates),), hours=(sum(added.hours.values()),), by_role=added.hours)


def _difference(before: PhaseBudget | None, after: PhaseBudget | None) -> _Move:
    assert before is not None, "two estimates of one option have the same phases"
    assert after is not None, "two estimates of one option have the same phases"
    roles = {*before.hours_by_role, *after.hours_by_role}
    return _Move(
        cost=_between(before.cost, after.cost),
        hours=_between(before.hours, after.hours),
        by_role={role: after.hours_by_role.get(role, 0.0) - before.hours_by_role.get(role, 0.0) for role in roles},
        compute=after.compute - before.compute,
    )


def _between(before: Spread, after: Spread) -> tuple[float, ...]:
    steps = (new - old for old, new in zip(before.quantiles, after.quantiles, strict=True))
    return (*steps, after.mean - before.mean)


def _with(phase: PhaseBudget, moves: Sequence[_Move]) -> PhaseBudget:
    cost, hours, by_role = phase.cost, phase.hours, dict(phase.hours_by_role)
    for move in moves:
        cost, hours = _sum(cost, move.cost), _sum(hours, move.hours)
        for role, worked in move.by_role.items():
            by_role[role] = round(by_role.get(role, 0.0) + worked, 2)
    compute = max(0.0, phase.compute + sum(move.compute for move in moves))
    return replace(
        phase, cost=cost, hours=hours, compute=compute, hours_by_role={r: h for r, h in by_role.items() if h > 0}
    )


def _sum(spread: Spread, move: tuple[float, ...], fixed: float = 0.0) -> Spread:
    """`move` has one number for each quantile and one for the mean, or one for all of them. Never below 0."""
    steps = move if len(move) > 1 else move * (len(spread.quantiles) + 1)
    moved = np.maximum(0.0, np.array(spread.quantiles) + np.array(steps[:-1]) + fixed)
    # Two price books may cross a quantile over its neighbour by a little; a distribution does not.
    return Spread(
        mean=max(0.0, spread.mean + steps[-1] + fixed), quantiles=tuple(np.maximum.accumulate(moved).tolist())
    )
