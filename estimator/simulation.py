"""Uncertain quantities: three-point estimates, drawn together with the correlation that real projects show.

Phases of one engagement overrun together (one client, one team, one dataset), so independent draws understate the
contingency. All quantities share one factor: a one-factor Gaussian copula with correlation 0.4 between any two
(cost reference, section 6.1).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

DRAWS: Final = 10_000
CORRELATION: Final = 0.4

Draws = NDArray[np.float64]

_STEPS: Final = 200
_REACH: Final = 8.0
_PER_UNIT: Final = 256
_NORMAL_CDF: Final = np.array(
    [NormalDist().cdf(i / _PER_UNIT - _REACH) for i in range(int(2 * _REACH * _PER_UNIT) + 2)]
)
_CDF_RISE: Final = np.diff(_NORMAL_CDF)
_PERCENTS: Final = np.linspace(0, 100, _STEPS + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Triangle:
    """A triangular distribution: lowest, most likely and highest value. All three equal means certain."""

    low: float
    likely: float
    high: float

    def __post_init__(self) -> None:
        assert self.low <= self.likely <= self.high, f"{self.low}, {self.likely}, {self.high} are not in order"

    @property
    def mean(self) -> float:
        return (self.low + self.likely + self.high) / 3

    @property
    def variance(self) -> float:
        a, m, b = self.low, self.likely, self.high
        return (a * a + m * m + b * b - a * m - a * b - m * b) / 18

    def quantile(self, probability: float) -> float:
        """The value that a share `probability` (0 to 1) of outcomes stays below."""
        return float(triangular_quantiles(self, np.array([probability]))[0])

    def scaled(self, factor: float) -> "Triangle":
        return Triangle(low=self.low * factor, likely=self.likely * factor, high=self.high * factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaShape:
    """Shape parameters of a beta-PERT distribution and its variance."""

    alpha: float
    beta: float
    variance: float


def pert_mean(triangle: Triangle) -> float:
    """(a + 4m + b) / 6, the mean of the classical PERT estimate."""
    return (triangle.low + 4 * triangle.likely + triangle.high) / 6


def pert_sd(triangle: Triangle) -> float:
    """(b - a) / 6, its standard deviation."""
    return (triangle.high - triangle.low) / 6


def beta_pert(triangle: Triangle) -> BetaShape:
    """The beta distribution with the PERT mean (shape weight 4). A range without width has no shape."""
    low, likely, high = triangle.low, triangle.likely, triangle.high
    assert high > low, "a range without width has no shape"
    mean = pert_mean(triangle)
    return BetaShape(
        alpha=1 + 4 * (likely - low) / (high - low),
        beta=1 + 4 * (high - likely) / (high - low),
        variance=(mean - low) * (high - mean) / 7,
    )


def triangular_quantiles(triangle: Triangle, probabilities: Draws) -> Draws:
    """Inverse of the triangular distribution function, elementwise; a range without width gives its one value."""
    low, likely, high = triangle.low, triangle.likely, triangle.high
    if high == low:
        return np.full_like(probabilities, low)
    rising = low + np.sqrt(probabilities * ((high - low) * (likely - low)))
    falling = high - np.sqrt((1 - probabilities) * ((high - low) * (high - likely)))
    return np.where(probabilities < (likely - low) / (high - low), rising, falling)


def joint_probabilities(count: int, *, seed: int, draws: int = DRAWS, correlation: float = CORRELATION) -> Draws:
    """`count` rows of `draws` probabilities, every pair of rows with the same correlation of its normal scores.

    The same seed gives the same rows. `correlation` lies between 0 and 1.
    """
    assert 0 <= correlation <= 1, "a correlation of one common factor lies between 0 and 1"
    rng = np.random.default_rng(seed)
    common = math.sqrt(correlation) * rng.standard_normal(draws)
    rows = np.empty((count, draws))
    # One row after the other, each in its place: a row stays in the processor's cache until it is done.
    for row in rows:
        rng.standard_normal(out=row)
        np.multiply(row, math.sqrt(1 - correlation), out=row)
        np.add(row, common, out=row)
        _to_probabilities(row)
    return rows


def draw(
    triangles: Sequence[Triangle], *, seed: int, draws: int = DRAWS, correlation: float = CORRELATION
) -> list[Draws]:
    """Joint outcomes of every triangle."""
    probabilities = joint_probabilities(len(triangles), seed=seed, draws=draws, correlation=correlation)
    return [triangular_quantiles(*pair) for pair in zip(triangles, probabilities, strict=True)]


def _to_probabilities(scores: Draws) -> None:
    """Normal scores to probabilities, in place, read off a table with linear interpolation: exact to 1e-6."""
    np.clip(scores, -_REACH, _REACH, out=scores)
    scores += _REACH
    scores *= _PER_UNIT
    below = scores.astype(np.intp)
    scores -= below
    scores *= _CDF_RISE[below]
    scores += _NORMAL_CDF[below]


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """What many draws of one quantity look like: its quantiles in steps of half a percent, its mean and spread."""

    quantiles: tuple[float, ...]
    mean: float
    sd: float

    @classmethod
    def of(cls, draws: Draws) -> "Distribution":
        # np.quantile computes the same and takes seven times as long.
        quantiles = np.interp(_PERCENTS / 100 * (draws.size - 1), np.arange(draws.size), np.sort(draws))
        return cls(quantiles=tuple(quantiles.tolist()), mean=float(draws.mean()), sd=float(draws.std()))

    def quantile(self, percent: float) -> float:
        """The value that `percent` (0 to 100) of the outcomes stay below."""
        return float(np.interp(percent, _PERCENTS, self.quantiles))

    def probability_within(self, limit: float) -> float:
        """The share of outcomes (0 to 1) that stay at or below a limit."""
        if self.quantiles[0] == self.quantiles[-1]:
            return 1.0 if self.quantiles[0] <= limit else 0.0
        return float(np.interp(limit, self.quantiles, _PERCENTS / 100, left=0.0, right=1.0))

    @property
    def p10(self) -> float:
        return self.quantile(10)

    @property
    def p50(self) -> float:
        return self.quantile(50)

    @property
    def p80(self) -> float:
        return self.quantile(80)

    @property
    def p90(self) -> float:
        return self.quantile(90)

    @property
    def contingency(self) -> float:
        """What lies between an even chance and four in five: P80 - P50."""
        return self.p80 - self.p50
