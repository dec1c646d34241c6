"""How much a test set can show: what a number of items detects, and how many items a promise needs."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Final

_ALPHA: Final = 0.05
_POWER: Final = 0.80


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Bounds of a rate, from 0 to 1."""

    low: float
    high: float


def wilson_interval(rate: float, items: int, *, alpha: float = _ALPHA) -> Interval:
    """What a rate measured on so many items may really be (Wilson; agency reference, section 5).

    27 of 30 is .744-.965 at 95 %.
    """
    assert 0 <= rate <= 1, "a rate lies between 0 and 1"
    assert items > 0, "no items show nothing"
    z = NormalDist().inv_cdf(1 - alpha / 2)
    middle = (rate + z * z / (2 * items)) / (1 + z * z / items)
    reach = z / (1 + z * z / items) * sqrt(rate * (1 - rate) / items + (z / (2 * items)) ** 2)
    return Interval(low=max(0.0, middle - reach), high=min(1.0, middle + reach))


def items_needed(baseline: float, target: float, *, alpha: float = _ALPHA, power: float = _POWER) -> int:
    """Test items that show the rise from a fixed baseline rate to a target rate (both from 0 to 1).

    n = ((z(1 - alpha/2) sqrt(p0 q0) + z(power) sqrt(p1 q1)) / (p1 - p0))^2, two-sided (agency reference, section 5):
    80 % to 85 % needs 470 items. To the nearest item.
    """
    assert 0 <= baseline <= 1, "a baseline rate lies between 0 and 1"
    assert 0 <= target <= 1, "a target rate lies between 0 and 1"
    assert baseline != target, "no number of items shows a difference of nothing"
    normal = NormalDist()
    spread = normal.inv_cdf(1 - alpha / 2) * sqrt(baseline * (1 - baseline))
    spread += normal.inv_cdf(power) * sqrt(target * (1 - target))
    return round((spread / (target - baseline)) ** 2)


def detectable_gain(baseline: float, items: int, *, alpha: float = _ALPHA, power: float = _POWER) -> float | None:
    """The smallest rise over a baseline rate that so many items show; None where not even a rise to 100 % would do."""
    assert 0 <= baseline < 1, "a rate of 1 leaves nothing to gain"
    assert items > 0, "no items show nothing"
    ceiling = 1 - 1e-9
    if items_needed(baseline, ceiling, alpha=alpha, power=power) > items:
        return None
    low, high = baseline + 1e-9, ceiling
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            (low, middle) if items_needed(baseline, middle, alpha=alpha, power=power) <= items else (middle, high)
        )
    return high - baseline
