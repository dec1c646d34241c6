"""Two systems on the same items: how far apart they are, and whether chance would do the same.

Never two separate intervals (operations reference, section 7.2): hits are compared by exact McNemar, other scores by
turning the sign of each item's difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagements.evals.bootstrap import DRAWS, mean_interval
from engagements.evals.intervals import mcnemar_p, paired_difference
from engagements.evals.scores import are_hits
from engagements.evals.verdicts import SIGNIFICANT
from estimator.evidence import Interval

_ALL_SIGNS: Final = 12
"""So many items that differ have 4,096 patterns of signs: fewer than we would draw, so every one is looked at."""

_P_PRINTED: Final = 0.0001


class PairedTest(StrEnum):
    MCNEMAR = "exact McNemar"
    SIGN_FLIPS = "sign-flip permutation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """`difference`: mean of the first less mean of the second; above 0 the first is better. `p` is two-sided."""

    difference: float
    interval: Interval
    p: float
    items: int
    test: PairedTest

    @property
    def is_shown(self) -> bool:
        """Whether a difference may be claimed: the interval leaves zero out, and the test says so too."""
        return not self.interval.low <= 0 <= self.interval.high and self.p < SIGNIFICANT

    def __str__(self) -> str:
        between = f"{self.interval.low:+.3f} to {self.interval.high:+.3f}"
        p = f"p {self.p:.4f}" if self.p >= _P_PRINTED else f"p below {_P_PRINTED}"
        return f"{self.difference:+.3f} (95% interval {between}, {p} by {self.test}, {self.items} items)"


def paired(first: Sequence[float], second: Sequence[float], *, seed: int = 0) -> Paired:
    """Scores from 0 to 1 of two systems, of the same items in the same order; the same seed gives the same answer."""
    assert len(first) == len(second) > 0, "the same items, and at least one"
    if are_hits(first, second):
        return _of_hits(first, second)
    apart = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    middle = float(apart.mean())
    return Paired(
        difference=middle, interval=mean_interval(apart.tolist(), seed=seed) or _as_wide_as_hits(middle, len(apart)),
        p=_sign_flip_p(apart, seed), items=len(apart), test=PairedTest.SIGN_FLIPS,
    )  # fmt: skip


def _as_wide_as_hits(middle: float, items: int) -> Interval:
    """Where every item differs by the same, a bootstrap is certain however few they are; hits that never differ are
    not, and nothing between 0 and 1 varies more than hits do."""
    around = paired_difference(0, 0, items)
    return Interval(low=max(-1.0, middle + around.low), high=min(1.0, middle + around.high))


def _of_hits(first: Sequence[float], second: Sequence[float]) -> Paired:
    only_first = sum(one > other for one, other in zip(first, second, strict=True))
    only_second = sum(one < other for one, other in zip(first, second, strict=True))
    return Paired(
        difference=(only_first - only_second) / len(first),
        interval=paired_difference(only_first, only_second, len(first)),
        p=mcnemar_p(only_first, only_second), items=len(first), test=PairedTest.MCNEMAR,
    )  # fmt: skip


def _sign_flip_p(apart: NDArray[np.float64], seed: int) -> float:
    """How often random signs give a difference as large: over all patterns where they are few, else drawn (then the
    one that was seen counts as a draw, so p is never 0)."""
    differing = apart[apart != 0]
    seen = abs(differing.sum()) * (1 - 1e-12)
    if len(differing) <= _ALL_SIGNS:
        signs = np.array(list(product((-1.0, 1.0), repeat=len(differing))))
        return float((abs(signs @ differing) >= seen).mean())
    chance = np.random.default_rng(seed)
    as_large = sum(
        int((abs(chance.choice((-1.0, 1.0), size=(piece, len(differing))) @ differing) >= seen).sum())
        for piece in (DRAWS // 10,) * 10
    )
    return (as_large + 1) / (DRAWS + 1)
