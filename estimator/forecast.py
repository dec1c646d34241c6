"""Where an engagement will end: its frozen budget, conditioned on what its phases have cost and how long they took.

The budget keeps each phase's spread and the correlation of the phases' normal scores, a Gaussian copula (Nelsen, An
Introduction to Copulas, 2006, section 2.3). A phase that is done is a fact: its score moves the phases ahead through
the conditional normal distribution. The phase under way is cut off below at what it has taken already.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Final

import numpy as np

from estimator.budget import LEVELS, Budget, Spread
from estimator.phases import Phase
from estimator.simulation import Draws

DRAWS: Final = 4_000
SEED: Final = 20_260_101
PERCENTS: Final = (10, 50, 80, 90)
# Scores beyond the outermost kept quantiles say no more than those do.
_FURTHEST: Final = 2.5
_GRID: Final = np.linspace(-8, 8, 3_201)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a phase has taken so far (money or working days); with `final` it takes no more."""

    amount: float
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Ten, fifty, eighty and ninety times in a hundred it is no more than this."""

    p10: float
    p50: float
    p80: float
    p90: float

    @classmethod
    def exactly(cls, amount: float) -> "Range":
        return cls(p10=amount, p50=amount, p80=amount, p90=amount)

    @classmethod
    def of(cls, quantiles: Sequence[float]) -> "Range":
        p10, p50, p80, p90 = quantiles
        return cls(p10=p10, p50=p50, p80=p80, p90=p90)

    def plus(self, amount: float) -> "Range":
        return Range(p10=self.p10 + amount, p50=self.p50 + amount, p80=self.p80 + amount, p90=self.p90 + amount)


NOTHING: Final = Taken(amount=0.0, final=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostForecast:
    """Cost at the end, in the currency of the budget: of the whole, and of each phase that is not done."""

    total: Range
    phases: Mapping[Phase, Range]


def forecast_cost(budget: Budget, taken: Mapping[Phase, Taken]) -> CostForecast:
    """`taken`: by phase; one that is left out has cost nothing yet.

    With nothing taken it is the budget itself; with everything done it is what was spent. Spending more never lowers
    it.
    """
    spreads = {each.phase: each.cost for each in budget.phases}
    facts = {phase: taken.get(phase, NOTHING) for phase in spreads}
    done = sum(fact.amount for fact in facts.values() if fact.final)
    ahead = [phase for phase in spreads if not facts[phase].final]
    if not ahead:
        return CostForecast(total=Range.exactly(done), phases={})
    drawn, unconditioned = _drawn(budget, spreads, facts), _drawn(budget, spreads, {})
    scale = _ratio(budget.cost, np.sum(list(unconditioned.values()), axis=0))
    left = np.sum([drawn[phase] for phase in ahead], axis=0)
    floor = sum(facts[phase].amount for phase in ahead)
    return CostForecast(
        total=_scaled(left, scale, floor).plus(done),
        phases={
            phase: _scaled(drawn[phase], _ratio(spreads[phase], unconditioned[phase]), facts[phase].amount)
            for phase in ahead
        },
    )


def forecast_days(budget: Budget, taken: Mapping[Phase, Taken]) -> dict[Phase, Range]:
    """Working days from the begin of the first phase that is not done to the gate of each that is not.

    Days move together as costs do: both follow the same hours. Ongoing management has no days.
    """
    spreads = {each.phase: each.days for each in budget.phases if each.days is not None}
    facts = {phase: taken.get(phase, NOTHING) for phase in spreads}
    ahead = [phase for phase in spreads if not facts[phase].final]
    drawn, ends, passed = _drawn(budget, spreads, facts), {}, np.zeros(DRAWS)
    for phase in ahead:
        passed = passed + drawn[phase]
        ends[phase] = Range.of([float(each) for each in np.quantile(passed, [p / 100 for p in PERCENTS])])
    return ends


def _drawn(budget: Budget, spreads: Mapping[Phase, Spread], facts: Mapping[Phase, Taken]) -> dict[Phase, Draws]:
    """What each phase that is not done takes in the end, one value a draw; the same seed whatever is known."""
    order = [each.phase for each in budget.phases if each.phase in spreads]
    rows = [index for index, each in enumerate(budget.phases) if each.phase in spreads]
    correlation = np.array(budget.correlation)[np.ix_(rows, rows)]
    chances = _chances(len(order))
    scores: dict[int, Draws] = {}
    done = [index for index, phase in enumerate(order) if facts.get(phase, NOTHING).final]
    for index in done:
        score = _score(spreads[order[index]], facts[order[index]].amount)
        scores[index] = np.full(DRAWS, np.clip(score, -_FURTHEST, _FURTHEST))
    found = {}
    for index, phase in enumerate(order):
        if index in scores:
            continue
        fact, spread = facts.get(phase, NOTHING), spreads[phase]
        mean, deviation = _conditional(correlation, index, scores)
        lowest = min(_score(spread, fact.amount), _FURTHEST) if fact.amount > spread.quantiles[0] else -np.inf
        cut = np.interp((lowest - mean) / deviation, _GRID, _table(), left=0.0)
        scores[index] = mean + deviation * np.interp(cut + (1 - cut) * chances[index], _table(), _GRID)
        share = np.interp(scores[index], _GRID, _table())
        found[phase] = np.maximum(np.interp(share, LEVELS, spread.quantiles), fact.amount)
    return found


def _conditional(correlation: Draws, index: int, scores: Mapping[int, Draws]) -> tuple[Draws, float]:
    """Mean (by draw) and deviation of one normal score, given those that are known.

    A coefficient below 0 is taken as 0: an overrun never makes the work ahead cheaper.
    """
    known = sorted(scores)
    if not known:
        return np.zeros(DRAWS), 1.0
    between = correlation[np.ix_(known, known)]
    towards = correlation[index, known]
    weights = np.linalg.lstsq(between, towards, rcond=None)[0]
    variance = 1 - float(weights @ towards)
    mean = np.sum([weight * scores[each] for weight, each in zip(np.maximum(weights, 0), known, strict=True)], axis=0)
    return mean, float(np.sqrt(max(variance, 1e-6)))


def _score(spread: Spread, amount: float) -> float:
    """The normal score of an amount among its quantiles, from -8 to 8."""
    if spread.quantiles[0] == spread.quantiles[-1]:
        return 0.0
    return float(np.interp(np.interp(amount, spread.quantiles, LEVELS), _table(), _GRID))


def _ratio(spread: Spread, drawn: Draws) -> Draws:
    """What takes the drawn quantiles to the kept ones, so that without facts the forecast is the budget itself."""
    ours = np.quantile(drawn, [p / 100 for p in PERCENTS])
    kept = np.array([spread.quantile(p / 100) for p in PERCENTS])
    return np.where(ours > 0, kept / np.where(ours > 0, ours, 1.0), 1.0)


def _scaled(drawn: Draws, ratio: Draws, floor: float) -> Range:
    quantiles = np.maximum(np.quantile(drawn, [p / 100 for p in PERCENTS]) * ratio, floor)
    return Range.of([float(each) for each in np.maximum.accumulate(quantiles)])


@cache
def _table() -> Draws:
    """The normal distribution function on `_GRID`: numpy has none."""
    normal = NormalDist()
    return np.array([normal.cdf(float(each)) for each in _GRID])


@cache
def _chances(rows: int) -> Draws:
    """Uniform draws, one row a phase: a Latin hypercube and its mirror image, so that medians are exact."""
    generator, half = np.random.default_rng(SEED), DRAWS // 2
    even = (np.arange(half) + 0.5) / half
    drawn = np.array([generator.permutation(even) for _ in range(rows)])
    return np.concatenate((drawn, 1 - drawn), axis=1)
