"""Intervals and paired tests at 95% (agency reference, section 5)."""

from math import exp, lgamma, log, sqrt
from statistics import NormalDist
from typing import Final

from estimator.evidence import Interval, wilson_interval

LEVEL: Final = 0.95
_NEGLIGIBLE: Final = 1e-17
_Z: Final = NormalDist().inv_cdf(1 - (1 - LEVEL) / 2)


def wilson(hits: int, items: int) -> Interval:
    """What a rate may really be, of which `hits` of `items` were seen. 27 of 30 is .744-.965."""
    assert 0 <= hits <= items, "there are no more hits than items"
    return wilson_interval(hits / items, items)


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Two-sided exact p of McNemar's test: items that only one of two systems got right (5 against 15: .0414).

    The binomial tail of the smaller count at one half, doubled, at most 1; 1 where nothing is discordant.
    """
    assert min(only_first, only_second) >= 0, "counts are not negative"
    n, fewer = only_first + only_second, min(only_first, only_second)
    term = exp(lgamma(n + 1) - lgamma(fewer + 1) - lgamma(n - fewer + 1) - n * log(2))
    tail = term
    for k in range(fewer, 0, -1):
        term *= k / (n - k + 1)
        tail += term
        if term < tail * _NEGLIGIBLE:
            break
    return min(1.0, 2 * tail)


def paired_difference(only_first: int, only_second: int, items: int) -> Interval:
    """How much better the first may really be on the same items, as a difference of rates from -1 to 1.

    Wald's interval after half an item is added to each cell of the 2 x 2 table (Agresti and Min, Statistics in
    Medicine 24, 2005): it covers as it should where few items are discordant, and needs the discordant counts only.
    """
    assert 0 <= only_first + only_second <= items, "discordant items are items"
    assert items > 0, "no items show nothing"
    n, gained, lost = items + 2, only_first + 0.5, only_second + 0.5
    middle = (gained - lost) / n
    reach = _Z * sqrt(gained + lost - (gained - lost) ** 2 / n) / n
    return Interval(low=max(-1.0, middle - reach), high=min(1.0, middle + reach))


def none_seen(items: int) -> float:
    """The highest rate that still shows nothing in so many items one time in twenty: exact, one-sided; about 3/n.

    0 of 30 leaves room for 9.5%.
    """
    assert items > 0, "no items show nothing"
    return float(1 - (1 - LEVEL) ** (1 / items))
