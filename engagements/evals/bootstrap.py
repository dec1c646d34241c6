"""What a mean may really be, drawn from its items (operations reference, section 7.2): for scores that are no hits."""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagements.evals.intervals import LEVEL
from estimator.evidence import Interval

DRAWS: Final = 10_000
_PIECE_ITEMS: Final = 2_000_000
_NORMAL: Final = NormalDist()
_TAILS: Final = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


def mean_interval(values: Sequence[float], *, seed: int = 0, draws: int = DRAWS) -> Interval | None:
    """The 95% interval of a mean: BCa bootstrap (Efron 1987), items drawn with replacement.

    None where all values are the same: then draws from them can say nothing.
    """
    assert len(values) > 0, "no items show nothing"
    items = np.asarray(values, dtype=float)
    off = items - items.mean()
    spread = float((off**2).sum()) ** 1.5
    if spread == 0:
        return None
    means = _means(items, np.random.default_rng(seed), draws)
    below = float((means < items.mean()).mean() + (means == items.mean()).mean() / 2)
    bias = _NORMAL.inv_cdf(min(max(below, 0.5 / draws), 1 - 0.5 / draws))
    skew = float((off**3).sum()) / (6 * spread)
    low, high = np.quantile(means, [_corrected(tail, bias, skew) for tail in _TAILS])
    return Interval(low=float(low), high=float(high))


def _corrected(tail: float, bias: float, skew: float) -> float:
    moved = bias + _NORMAL.inv_cdf(tail)
    return _NORMAL.cdf(bias + moved / (1 - skew * moved))


def _means(items: NDArray[np.float64], chance: np.random.Generator, draws: int) -> NDArray[np.float64]:
    piece = max(1, _PIECE_ITEMS // len(items))
    return np.concatenate(
        [
            items[chance.integers(len(items), size=(min(piece, draws - done), len(items)))].mean(axis=1)
            for done in range(0, draws, piece)
        ]
    )
