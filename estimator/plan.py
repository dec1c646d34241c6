"""The engagement as one simulation: what it costs us and how long it takes, for any scope cut from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, assert_never

import numpy as np

from estimator.effort import EffortLine, EffortPlan, Per
from estimator.figures import Figure
from estimator.phases import DELIVERY, Phase
from estimator.simulation import Distribution, Draws, Triangle, joint_probabilities, triangular_quantiles

_TORNADO_BARS: Final = 8
LABELLING: Final = "labelling"
RUNS: Final = "training runs"
RUN_COST: Final = "cost of one run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an offer contains: delivery phases, months of management, retrainings within them."""

    phases: tuple[Phase, ...]
    management_months: int
    retrainings: int


_DELIVERED: Final = Scope(phases=DELIVERY, management_months=0, retrainings=0)


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
    end = Distribution.of(elapsed)
    times = []
    for phase in DELIVERY:
        worked = elapsed + chances.outcomes(f"days.{phase}", plan.days[phase])
        elapsed = worked + chances.outcomes(f"review.{phase}", plan.review_days)
        begin, end = end, Distribution.of(elapsed)
        times.append(PhaseTime(phase=phase, begin=begin, work_end=Distribution.of(worked), end=end))
    return times


@dataclass(frozen=True, slots=True, kw_only=True)
class CostModel:
    """The cost of a scope from outcomes of its quantities, by name: one array each, all of one length."""

    plan: EffortPlan
    compute: ComputeCost
    cost_per_h: Mapping[str, float]

    def quantities(self) -> dict[str, Triangle]:
        """Everything uncertain that moves the cost."""
        quantities = {line.key: line.hours for line in self.plan.lines}
        if self.plan.labelling:
            quantities[LABELLING] = self.plan.labelling.annotator_hours
        return quantities | {RUNS: self.compute.runs, RUN_COST: self.compute.per_run}

    def scope_cost(self, scope: Scope, outcomes: Mapping[str, Draws]) -> Draws:
        cost = self.phase_cost(Phase.MANAGEMENT, scope, outcomes)
        for phase in scope.phases:
            cost += self.phase_cost(phase, scope, outcomes)
        return cost

    def phase_cost(self, phase: Phase, scope: Scope, outcomes: Mapping[str, Draws]) -> Draws:
        """Compute belongs to training, labelling to data preparation. Only management depends on the scope."""
        cost = np.zeros_like(outcomes[RUN_COST])
        for line in self.plan.of(phase):
            cost += outcomes[line.key] * (self.occurrences(line, scope, outcomes) * self.cost_per_h[line.role])
        if phase is Phase.DATA_PREPARATION and self.plan.labelling:
            cost += outcomes[LABELLING] * self.cost_per_h["annotator"]
            cost += float(self.plan.labelling.lead_hours.require()) * self.cost_per_h["annotation_lead"]
        if phase is Phase.TRAINING:
            cost += self.compute_cost(outcomes)
        if phase is Phase.MANAGEMENT and scope.retrainings:
            cost += outcomes[RUN_COST] * (scope.retrainings * (1 + self.compute.failed_share))
        return cost

    def compute_cost(self, outcomes: Mapping[str, Draws]) -> Draws:
        return outcomes[RUNS] * outcomes[RUN_COST] * (1 + self.compute.failed_share) + self.compute.once

    def occurrences(self, line: EffortLine, scope: Scope, outcomes: Mapping[str, Draws]) -> Draws | float:
        match line.per:
            case Per.ENGAGEMENT:
                return 1.0
            case Per.RUN:
                return outcomes[RUNS]
            case Per.INTEGRATION:
                return float(self.plan.integrations)
            case Per.MONTH:
                return float(scope.management_months)
            case Per.RETRAINING:
                return float(scope.retrainings)
            case _:
                assert_never(line.per)


@dataclass(frozen=True, slots=True)
class Engagement:
    """What an engagement costs us, over all draws. Build with `Engagement.costed`."""

    model: CostModel
    rates: Mapping[str, Figure]
    chances: Chances
    _drawn: Mapping[str, Draws]
    _delivery: Mapping[Phase, Draws]

    @classmethod
    def costed(
        cls, plan: EffortPlan, chances: Chances, *, rates: Mapping[str, Figure], compute: ComputeCost
    ) -> "Engagement":
        """Hours cost `rates` by role, compute what `compute` says, both in the client's currency."""
        cost_per_h = {role: float(rate.require()) for role, rate in rates.items()}
        model = CostModel(plan=plan, compute=compute, cost_per_h=cost_per_h)
        drawn = {name: chances.outcomes(name, triangle) for name, triangle in model.quantities().items()}
        delivery = {phase: model.phase_cost(phase, _DELIVERED, drawn) for phase in DELIVERY}
        return cls(model, rates, chances, drawn, delivery)

    def origins(self, scope: Scope) -> list[Figure]:
        """What the cost of a scope is drawn from: hours, rates, labelling, compute."""
        managed = [Phase.MANAGEMENT] if scope.management_months or scope.retrainings else []
        return [figure for phase in (*scope.phases, *managed) for figure in self.origins_of(phase, scope)]

    def origins_of(self, phase: Phase, scope: Scope) -> list[Figure]:
        """What the cost of one phase in a scope is drawn from."""
        plan, lines = self.model.plan, self.model.plan.of(phase)
        figures = [line.likely for line in lines] + [self.rates[line.role] for line in lines]
        if phase is Phase.DATA_PREPARATION and plan.labelling:
            staff = [self.rates["annotator"], self.rates["annotation_lead"]]
            figures += [plan.labelling.annotator_hours_likely, plan.labelling.lead_hours, *staff]
        trained = phase is Phase.TRAINING or (phase is Phase.MANAGEMENT and scope.retrainings)
        return figures + (list(self.model.compute.origins) if trained else [])

    def cost(self, scope: Scope) -> Distribution:
        """Our cost of a scope."""
        cost = self.phase_cost(Phase.MANAGEMENT, scope)
        for phase in scope.phases:
            cost = cost + self.phase_cost(phase, scope)
        return Distribution.of(cost)

    def cost_by_phase(self, scope: Scope) -> dict[Phase, float]:
        """Mean cost of each phase in scope."""
        managed = [Phase.MANAGEMENT] if scope.management_months else []
        return {phase: float(np.mean(self.phase_cost(phase, scope))) for phase in (*scope.phases, *managed)}

    def phase_cost(self, phase: Phase, scope: Scope) -> Draws:
        """Our cost of one phase of a scope, draw by draw."""
        if phase in self._delivery:
            return self._delivery[phase]
        return self.model.phase_cost(phase, scope, self._drawn)

    def phase_hours(self, phase: Phase, scope: Scope) -> Draws:
        """Hours of all roles in one phase of a scope, draw by draw."""
        hours = np.zeros(self.chances.draws)
        for line in self.model.plan.of(phase):
            hours = hours + self._drawn[line.key] * self.model.occurrences(line, scope, self._drawn)
        if phase is Phase.DATA_PREPARATION and (labelling := self.model.plan.labelling):
            hours = hours + self._drawn[LABELLING] + float(labelling.lead_hours.require())
        return hours

    def phase_days(self, phase: Phase) -> Draws:
        """Working days of a delivery phase with the client's review, draw by draw."""
        plan, chances = self.model.plan, self.chances
        worked = chances.outcomes(f"days.{phase}", plan.days[phase])
        return worked + chances.outcomes(f"review.{phase}", plan.review_days)

    def compute_cost(self) -> Distribution:
        """Our cost of the training compute alone: all runs, evaluation and storage."""
        return Distribution.of(self.model.compute_cost(self._drawn))

    def hours(self, scope: Scope) -> dict[Phase, dict[str, float]]:
        """Mean hours by phase and role."""
        hours: dict[Phase, dict[str, float]] = {}
        for line in self.model.plan.lines:
            if line.phase in scope.phases or line.phase is Phase.MANAGEMENT:
                occurrences = self.model.occurrences(line, scope, self._drawn)
                by_role = hours.setdefault(line.phase, {})
                mean = float(np.mean(self._drawn[line.key] * occurrences))
                by_role[line.role] = by_role.get(line.role, 0.0) + mean
        if (labelling := self.model.plan.labelling) and Phase.DATA_PREPARATION in scope.phases:
            by_role, lead = hours[Phase.DATA_PREPARATION], float(labelling.lead_hours.require())
            by_role["annotator"] = float(np.mean(self._drawn[LABELLING]))
            by_role["annotation_lead"] = by_role.get("annotation_lead", 0.0) + lead
        return {phase: by_role for phase, by_role in hours.items() if any(by_role.values())}

    def tornado(self, scope: Scope) -> list[Swing]:
        """The quantities that move the cost most, widest first."""
        quantities = self.model.quantities()
        names = {line.key: f"{line.phase.label}: {line.work}" for line in self.model.plan.lines}
        outcomes = {}
        # Outcome 2n holds the n-th quantity at its P10 and 2n + 1 at its P90; every other one stays at its median.
        for number, (name, triangle) in enumerate(quantities.items()):
            low, median, high = triangular_quantiles(triangle, np.array([0.1, 0.5, 0.9]))
            outcomes[name] = np.full(2 * len(quantities), median)
            outcomes[name][2 * number : 2 * number + 2] = low, high
        costs = self.model.scope_cost(scope, outcomes)
        swings = [
            Swing(name=names.get(name, name[:1].upper() + name[1:]), low=float(low), high=float(high))
            for name, low, high in zip(quantities, costs[::2], costs[1::2], strict=True)
        ]
        return sorted(swings, key=lambda swing: -swing.width)[:_TORNADO_BARS]
