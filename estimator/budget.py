"""What delivering an option takes, by phase and as distributions: what actuals are held against, and forecast from.

Plain enough to be frozen with a proposal: quantiles instead of draws, and how the phases move together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from estimator.economics import compute_of, role_rates
from estimator.effort import EffortModel
from estimator.estimating import Estimate
from estimator.names import roles_of
from estimator.phases import DELIVERY, Phase
from estimator.plan import Chances, Engagement, Scope
from estimator.prices import PriceBook
from estimator.simulation import Draws

LEVELS: Final = tuple(number / 40 for number in range(41))
"""The probabilities at which a spread is kept: 0, 2.5 %, … 100 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """An uncertain quantity by its quantiles at `LEVELS`, and its mean."""

    mean: float
    quantiles: tuple[float, ...]

    @classmethod
    def of(cls, draws: Draws) -> "Spread":
        return cls(mean=float(np.mean(draws)), quantiles=tuple(float(q) for q in np.quantile(draws, LEVELS)))

    def quantile(self, probability: float) -> float:
        return float(np.interp(probability, LEVELS, self.quantiles))


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseBudget:
    """Our cost of a phase (currency of the budget), its hours, and its working days with the client's review.

    `hours_by_role` and `compute` (cost of runs, API and machines) are means. `days` None for ongoing management, which
    goes on by the month.
    """

    phase: Phase
    cost: Spread
    hours: Spread
    hours_by_role: Mapping[str, float]
    compute: float
    days: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`rates`: our cost per hour by role; `prices`: what an hour is sold for. `runs`: training runs expected.

    `correlation`: of the normal scores of the phases' costs, rows and columns in the order of `phases`.
    """

    currency: str
    seed: int
    draws: int
    phases: tuple[PhaseBudget, ...]
    cost: Spread
    rates: Mapping[str, float]
    prices: Mapping[str, float]
    runs: float
    correlation: tuple[tuple[float, ...], ...]

    def of(self, phase: Phase) -> PhaseBudget | None:
        return next((each for each in self.phases if each.phase is phase), None)


def budgets_of(estimate: Estimate, prices: PriceBook) -> dict[str, Budget]:
    """By option's id, from the same draws that priced it. Empty for an estimate without a quote."""
    if estimate.quote is None or estimate.chosen is None:
        return {}
    chances = Chances.of(estimate.effort, seed=estimate.seed, draws=estimate.draws)
    rates = role_rates(estimate.brief, prices, roles_of(estimate.brief, EffortModel.default()))
    engagement = Engagement.costed(
        estimate.effort, chances, rates=rates, compute=compute_of(estimate.brief, estimate.chosen)
    )
    share = float(1 - estimate.quote.margin.require())
    return {
        option.id: _budget(estimate, engagement, option.scope, estimate.quote.currency, share)
        for option in estimate.quote.options
    }


def _budget(estimate: Estimate, engagement: Engagement, scope: Scope, currency: str, cost_share: float) -> Budget:
    phases = [*scope.phases, *([Phase.MANAGEMENT] if scope.management_months else [])]
    costs = [engagement.phase_cost(phase, scope) for phase in phases]
    hours = engagement.hours(scope)
    rates = {role: float(rate.require()) for role, rate in engagement.rates.items()}
    return Budget(
        currency=currency,
        seed=estimate.seed,
        draws=estimate.draws,
        phases=tuple(
            _phase(engagement, scope, phase, cost, hours.get(phase, {}))
            for phase, cost in zip(phases, costs, strict=True)
        ),
        cost=Spread.of(np.sum(costs, axis=0)),
        rates=rates,
        prices={role: rate / cost_share for role, rate in rates.items()},
        runs=engagement.model.compute.runs.mean,
        correlation=_correlation(costs),
    )


def _phase(engagement: Engagement, scope: Scope, phase: Phase, cost: Draws, hours: Mapping[str, float]) -> PhaseBudget:
    labour = sum(worked * float(engagement.rates[role].require()) for role, worked in hours.items())
    return PhaseBudget(
        phase=phase,
        cost=Spread.of(cost),
        hours=Spread.of(engagement.phase_hours(phase, scope)),
        hours_by_role={role: round(worked, 2) for role, worked in hours.items() if worked},
        compute=max(0.0, float(np.mean(cost)) - labour),
        days=Spread.of(engagement.phase_days(phase)) if phase in DELIVERY else None,
    )


def _correlation(costs: Sequence[Draws]) -> tuple[tuple[float, ...], ...]:
    """Of the ranks' normal scores, by the rank correlation: 2 sin(pi r / 6) for a Gaussian copula (Pearson, 1907)."""
    ranks = np.array([np.argsort(np.argsort(cost)) for cost in costs], dtype=float)
    together = np.atleast_2d(np.corrcoef(ranks))
    scores = 2 * np.sin(np.pi / 6 * together)
    np.fill_diagonal(scores, 1.0)
    return tuple(tuple(round(float(each), 4) for each in row) for row in scores)
