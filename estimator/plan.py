"""The engagement as one simulation: what it costs us and how long it takes, for any scope cut from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from estimator.effort import EffortLine, EffortPlan, Per
from estimator.figures import Figure
from estimator.phases import DELIVERY, Phase
from estimator.simulation import Distribution, Draws, Triangle, joint_probabilities, triangular_quantiles

_TORNADO_BARS: Final = 8
LABELLING: Final = "labelling"
RUNS: Final = "training runs"
RUN_COST: Final = "cost of one run"


V = TypeVar("V", float, Draws)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an offer contains: delivery phases, months of management, retrainings within them."""

    phases: tuple[Phase, ...]
    management_months: int
    retrainings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeCost:
    """Compute of one engagement in the client's currency: per run, and what is spent once (evaluation, storage)."""

    per_run: Triangle
    runs: Triangle
    failed_share: float
    once: float
    origins: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """What one uncertain quantity alone does to the cost: at its P10, at its P90, all else at its median."""

    name: str
    low: float
    high: float

    @property
    def width(self) -> float:
        return abs(self.high - self.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTime:
    """Working days from the start until a phase begins and ends, its gate review included."""

    phase: Phase
    begin: Distribution
    work_end: Distribution
    end: Distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """Joint probabilities of every uncertain quantity of a plan: drawn once, read by times and costs alike."""

    seed: int
    draws: int
    by_name: Mapping[str, Draws]

    @classmethod
    def of(cls, plan: EffortPlan, *, seed: int, draws: int) -> "Chances":
        names = [line.key for line in plan.lines] + [LABELLING, RUNS, RUN_COST]
        names += [f"{kind}.{phase}" for kind in ("days", "review") for phase in DELIVERY]
        rows = joint_probabilities(len(names), seed=seed, draws=draws)
        return cls(seed=seed, draws=draws, by_name=dict(zip(names, rows, strict=True)))

    def outcomes(self, name: str, triangle: Triangle) -> Draws:
        return triangular_quantiles(triangle, self.by_name[name])


def timeline(plan: EffortPlan, chances: Chances) -> list[PhaseTime]:
    """When each delivery phase begins and ends, in working days from the start."""
    elapsed = np.zeros(chances.draws)
    times = []
    for phase in DELIVERY:
        begin, elapsed = elapsed, elapsed + chances.outcomes(f"days.{phase}", plan.days[phase])
        work_end, elapsed = elapsed, elapsed + chances.outcomes(f"review.{phase}", plan.review_days)
        ends = [Distribution.of(days) for days in (begin, work_end, elapsed)]
        times.append(PhaseTime(phase=phase, begin=ends[0], work_end=ends[1], end=ends[2]))
    return times


@dataclass(frozen=True, slots=True)
class Engagement:
    """What an engagement costs us, over all draws. Build with `Engagement.costed`."""

    plan: EffortPlan
    rates: Mapping[str, Figure]
    compute: ComputeCost
    chances: Chances
    _drawn: Mapping[str, Draws]
    _cost_per_h: Mapping[str, float]

    @classmethod
    def costed(
        cls, plan: EffortPlan, chances: Chances, *, rates: Mapping[str, Figure], compute: ComputeCost
    ) -> "Engagement":
        """Hours cost `rates` by role, compute what `compute` says, both in the client's currency."""
        quantities = _quantities(plan, compute)
        drawn = {name: chances.outcomes(name, triangle) for name, triangle in quantities.items()}
        cost_per_h = {role: float(rate.require()) for role, rate in rates.items()}
        return cls(plan, rates, compute, chances, drawn, cost_per_h)

    def origins(self, phases: Iterable[Phase] = tuple(Phase)) -> list[Figure]:
        """What the costs of these phases are drawn from: hours, rates, labelling, compute."""
        wanted = list(phases)
        lines = [line for phase in wanted for line in self.plan.of(phase)]
        roles = dict.fromkeys(line.role for line in lines)
        figures = [line.likely for line in lines] + [self.rates[role] for role in roles]
        if Phase.DATA_PREPARATION in wanted and self.plan.labelling:
            labelling = self.plan.labelling
            figures += [labelling.annotator_hours_likely, labelling.lead_hours, self.rates["annotator"]]
        return figures + (list(self.compute.origins) if Phase.TRAINING in wanted else [])

    def cost(self, scope: Scope) -> Distribution:
        """Our cost of a scope."""
        return Distribution.of(self._cost(scope, self._drawn))

    def cost_by_phase(self, scope: Scope) -> dict[Phase, float]:
        """Mean cost of each phase in scope; compute belongs to training, labelling to data preparation."""
        return {
            phase: float(np.mean(self._phase_cost(phase, scope, self._drawn)))
            for phase in (*scope.phases, *([Phase.MANAGEMENT] if scope.management_months else []))
        }

    def compute_cost(self) -> Distribution:
        """Our cost of the training compute alone: all runs, evaluation and storage."""
        return Distribution.of(self._compute_cost(self._drawn))

    def hours(self, scope: Scope) -> dict[Phase, dict[str, float]]:
        """Mean hours by phase and role."""
        hours: dict[Phase, dict[str, float]] = {}
        for line in self.plan.lines:
            occurrences = self._occurrences(line, scope, self._drawn)
            if line.phase in scope.phases or line.phase is Phase.MANAGEMENT:
                by_role = hours.setdefault(line.phase, {})
                mean = float(np.mean(self._drawn[line.key] * occurrences))
                by_role[line.role] = by_role.get(line.role, 0.0) + mean
        if self.plan.labelling and Phase.DATA_PREPARATION in scope.phases:
            labelling = hours[Phase.DATA_PREPARATION]
            labelling["annotator"] = float(np.mean(self._drawn[LABELLING]))
            lead = float(self.plan.labelling.lead_hours.require())
            labelling["annotation_lead"] = labelling.get("annotation_lead", 0.0) + lead
        return {phase: by_role for phase, by_role in hours.items() if any(by_role.values())}

    def tornado(self, scope: Scope) -> list[Swing]:
        """The quantities that move the cost most, widest first."""
        quantities = _quantities(self.plan, self.compute)
        medians = {name: triangle.quantile(0.5) for name, triangle in quantities.items()}
        names = {line.key: f"{line.phase.label}: {line.work}" for line in self.plan.lines}
        swings = [
            Swing(
                name=names.get(name, name[:1].upper() + name[1:]),
                low=self._cost(scope, medians | {name: triangle.quantile(0.1)}),
                high=self._cost(scope, medians | {name: triangle.quantile(0.9)}),
            )
            for name, triangle in quantities.items()
        ]
        return sorted(swings, key=lambda swing: -swing.width)[:_TORNADO_BARS]

    def _cost(self, scope: Scope, values: Mapping[str, V]) -> V:
        phases = [*scope.phases, Phase.MANAGEMENT]
        parts = [self._phase_cost(phase, scope, values) for phase in phases]
        return _summed(parts)

    def _phase_cost(self, phase: Phase, scope: Scope, values: Mapping[str, V]) -> V:
        parts = [
            values[line.key] * self._occurrences(line, scope, values) * self._cost_per_h[line.role]
            for line in self.plan.of(phase)
        ]
        if phase is Phase.DATA_PREPARATION and self.plan.labelling:
            lead = float(self.plan.labelling.lead_hours.require()) * self._cost_per_h["annotation_lead"]
            parts.append(values[LABELLING] * self._cost_per_h["annotator"] + lead)
        if phase is Phase.TRAINING:
            parts.append(self._compute_cost(values))
        if phase is Phase.MANAGEMENT and scope.retrainings:
            parts.append(values[RUN_COST] * (scope.retrainings * (1 + self.compute.failed_share)))
        return _summed(parts)

    def _compute_cost(self, values: Mapping[str, V]) -> V:
        runs = values[RUNS] * values[RUN_COST] * (1 + self.compute.failed_share)
        return runs + self.compute.once

    def _occurrences(self, line: EffortLine, scope: Scope, values: Mapping[str, V]) -> V | float:
        match line.per:
            case Per.ENGAGEMENT:
                return 1.0
            case Per.RUN:
                return values[RUNS]
            case Per.INTEGRATION:
                return float(self.plan.integrations)
            case Per.MONTH:
                return float(scope.management_months)
            case Per.RETRAINING:
                return float(scope.retrainings)


def _quantities(plan: EffortPlan, compute: ComputeCost) -> dict[str, Triangle]:
    quantities = {line.key: line.hours for line in plan.lines}
    if plan.labelling:
        quantities[LABELLING] = plan.labelling.annotator_hours
    return quantities | {RUNS: compute.runs, RUN_COST: compute.per_run}


def _summed(parts: Sequence[V]) -> V:
    summed = parts[0]
    for part in parts[1:]:
        summed = summed + part
    return summed
