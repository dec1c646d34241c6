"""How far raters agree: raw, Cohen's kappa, Fleiss' kappa, Krippendorff's alpha, each with n and a 95% interval.

Every measure but the raw one is 1 - observed / expected disagreement, both summed over items, so that one bootstrap
serves all: items are drawn with replacement, and the interval is the middle 95% of what comes out. None is a rating
that is missing. What one rater alone has seen is unmeasured, never agreed upon.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from estimator.evidence import Interval

Rating = str | int | float
Ratings = Sequence[Rating | None]
"""Of one item, one place a rater; the same rater has the same place in every item where raters are told apart."""
_Numbers = NDArray[np.float64]

DEPENDABLE: Final = 0.80
TENTATIVE: Final = 0.667
"""Krippendorff's bounds for alpha (formats reference, section 9): below the second the guideline is to be mended."""
DRAWS: Final = 1000
_PIECE: Final = 100
_MIDDLE: Final = (2.5, 97.5)


class Scale(StrEnum):
    """What the difference of two ratings means: nothing but that they differ, how many ranks, or how much."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"


class Weights(StrEnum):
    """How much a difference of two categories counts: all alike, by their distance, or by its square."""

    PLAIN = "plain"
    LINEAR = "linear"
    QUADRATIC = "quadratic"


class Reading(StrEnum):
    """`NO_VARIATION`: everybody said the same of everything, so that chance cannot be told from agreement."""

    UNMEASURED = "unmeasured"
    NO_VARIATION = "no_variation"
    UNRELIABLE = "unreliable"
    TENTATIVE = "tentative"
    DEPENDABLE = "dependable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A measure over `items` that two raters or more have seen; `unmeasured` more were seen by one or none.

    `value`: at most 1, 0 where it is what chance alone would give; None where it cannot be computed. `interval`: 95%,
    None where too few items vary. `raw`: the share of pairs of ratings that are the same. `commonest`: the share of the
    rating that was given most often.
    """

    measure: str
    value: float | None
    interval: Interval | None
    items: int
    unmeasured: int
    raw: float | None
    commonest: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`said`: the number as it is written everywhere; `remedy`: what to do about it, empty where nothing is."""

    reading: Reading
    said: str
    remedy: str


def raw_agreement(items: Sequence[Ratings], *, seed: int, draws: int = DRAWS) -> Agreement:
    """The share of pairs of ratings of an item that are the same, averaged over items."""
    seen = _seen(items)
    shares = np.array([_same_pairs(each) for each in seen])

    def value(weights: _Numbers) -> _Numbers:
        return np.asarray(weights @ shares / weights.sum(axis=1))

    return _measured("raw agreement", items, seen, value, seed, draws)


def cohen(
    items: Sequence[Ratings],
    *,
    weights: Weights = Weights.PLAIN,
    categories: Sequence[Rating] | None = None,
    seed: int,
    draws: int = DRAWS,
) -> Agreement:
    """Cohen's kappa of two raters (1960; weighted 1968). Items that only one of them has rated are unmeasured.

    `categories`: all that could be said, in order; what was said, sorted, where they are left out. Weights need ratings
    that can be sorted.
    """
    assert all(len(each) == 2 for each in items), "Cohen's kappa is of two raters"
    seen = _seen(items)
    places = _places(seen, categories)
    first, second = (np.array([places[each[rater]] for each in seen], dtype=int) for rater in (0, 1))
    apart = _weighed(len(places), weights)
    observed = apart[first, second] if len(seen) else np.zeros(0)
    by_first, by_second = (np.eye(len(places))[rated] for rated in (first, second))

    def value(drawn: _Numbers) -> _Numbers:
        n = drawn.sum(axis=1)
        expected = np.einsum("ij,jk,ik->i", drawn @ by_first, apart, drawn @ by_second) / n
        return _corrected(drawn @ observed, expected)

    name = "Cohen's kappa" if weights is Weights.PLAIN else f"Cohen's kappa, {weights} weights"
    return _measured(name, items, seen, value, seed, draws)


def fleiss(items: Sequence[Ratings], *, seed: int, draws: int = DRAWS) -> Agreement:
    """Fleiss' kappa (1971) of items with the same number of ratings, by whomever.

    That number is the one that most items have, the larger where two are as frequent; others are unmeasured.
    """
    usual = Counter(len(each) for each in _seen(items))
    raters = max(usual, key=lambda number: (usual[number], number), default=0)
    seen = [each for each in _seen(items) if len(each) == raters]
    counts = _counts(seen, _places(seen, None))
    # 1 - P_i: the share of pairs of ratings of the item that differ.
    observed = np.array([1 - _same_pairs(each) for each in seen])

    def value(weights: _Numbers) -> _Numbers:
        n = weights.sum(axis=1)
        shares = weights @ counts / (n * raters)[:, None]
        return _corrected(weights @ observed, n * (1 - (shares**2).sum(axis=1)))

    return _measured("Fleiss' kappa", items, seen, value, seed, draws)


def krippendorff(items: Sequence[Ratings], *, scale: Scale = Scale.NOMINAL, seed: int, draws: int = DRAWS) -> Agreement:
    """Krippendorff's alpha (Content Analysis, 4th edition, chapter 12): any number of raters, ratings may be missing.

    Ordinal and interval ratings are numbers. On an ordinal scale the distance of two ranks is how many ratings lie
    between them, in the sample drawn.
    """
    seen = _seen(items)
    places = _places(seen, None)
    counts = _counts(seen, places)
    name = f"Krippendorff's alpha, {scale}"
    if scale is Scale.ORDINAL:
        return _measured(name, items, seen, _ordinal(counts), seed, draws)
    apart = _apart(list(places), scale)
    # Of each item: the distances of all ordered pairs of its ratings, over the number of others each has.
    observed = np.einsum("ij,jk,ik->i", counts, apart, counts) / np.maximum(counts.sum(axis=1) - 1, 1)

    def value(weights: _Numbers) -> _Numbers:
        margins = weights @ counts
        expected = np.einsum("ij,jk,ik->i", margins, apart, margins) / (margins.sum(axis=1) - 1)
        return _corrected(weights @ observed, expected)

    return _measured(name, items, seen, value, seed, draws)


def read(found: Agreement) -> Verdict:
    """What the number allows: .80 and more is dependable, .667 to .80 tentative, below it the guideline is mended."""
    if found.items == 0:
        said = f"unmeasured: {found.unmeasured} items, none rated by two"
        return Verdict(reading=Reading.UNMEASURED, said=said, remedy="have two people rate the same items")
    if found.value is None:
        said = f"everybody said the same of all {found.items} items, so chance cannot be told from agreement"
        remedy = "look at examples that are known to be bad among them: are they found?"
        return Verdict(reading=Reading.NO_VARIATION, said=said, remedy=remedy)
    said = _written(found)
    if found.value >= DEPENDABLE:
        return Verdict(reading=Reading.DEPENDABLE, said=said, remedy=_more(found, DEPENDABLE))
    if found.raw is not None and found.raw >= DEPENDABLE and found.value < TENTATIVE:
        said += f"; {100 * found.raw:.0f}% of pairs agree, and {100 * (found.commonest or 0):.0f}% of ratings are alike"
        remedy = "one answer dominates, which is no fault of the raters: add examples of the rare ones, measure again"
        return Verdict(reading=Reading.UNRELIABLE, said=said, remedy=remedy)
    if found.value >= TENTATIVE:
        remedy = "draw tentative conclusions only; sharpen the guideline where they differ"
        return Verdict(reading=Reading.TENTATIVE, said=said, remedy=remedy)
    return Verdict(reading=Reading.UNRELIABLE, said=said, remedy="fix the guideline where they differ, then rate anew")


def _written(found: Agreement) -> str:
    between = f", 95% interval {found.interval.low:.2f} to {found.interval.high:.2f}" if found.interval else ""
    return f"{found.measure} {found.value:.2f}{between}, {found.items} items"


def _more(found: Agreement, bound: float) -> str:
    if found.interval is None or found.interval.low >= bound:
        return ""
    return f"the interval reaches down to {found.interval.low:.2f}: more items would settle it"


def _seen(items: Sequence[Ratings]) -> list[list[Rating]]:
    """The ratings of the items that two or more have rated."""
    given = ([rating for rating in each if rating is not None] for each in items)
    return [each for each in given if len(each) >= 2]


def _same_pairs(ratings: Sequence[Rating]) -> float:
    n = len(ratings)
    return sum(count * (count - 1) for count in Counter(ratings).values()) / (n * (n - 1))


def _places(seen: Sequence[Sequence[Rating]], categories: Sequence[Rating] | None) -> dict[Hashable, int]:
    said = {rating for each in seen for rating in each}
    if categories is None:
        return {rating: place for place, rating in enumerate(sorted(said, key=_in_order))}
    assert said <= set(categories), "a rating is one of the categories"
    return {rating: place for place, rating in enumerate(categories)}


def _in_order(rating: Rating) -> tuple[float, str]:
    return (0.0, rating) if isinstance(rating, str) else (float(rating), "")


def _counts(seen: Sequence[Sequence[Rating]], places: dict[Hashable, int]) -> _Numbers:
    """Items by categories: how often each was said."""
    counts = np.zeros((len(seen), len(places)))
    for item, ratings in enumerate(seen):
        for rating in ratings:
            counts[item, places[rating]] += 1
    return counts


def _weighed(categories: int, weights: Weights) -> _Numbers:
    distance = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories))).astype(float)
    match weights:
        case Weights.PLAIN:
            return np.asarray(np.minimum(distance, 1.0))
        case Weights.LINEAR:
            return distance
        case Weights.QUADRATIC:
            return distance**2


def _apart(values: Sequence[Hashable], scale: Scale) -> _Numbers:
    if scale is Scale.NOMINAL:
        return 1 - np.eye(len(values))
    assert all(isinstance(value, int | float) for value in values), "an interval is between numbers"
    numbers = np.array(values, dtype=float)
    return np.asarray(np.subtract.outer(numbers, numbers) ** 2)


def _ordinal(counts: _Numbers) -> Callable[[_Numbers], _Numbers]:
    """The distance of two ranks depends on the ratings drawn, so the pairs of each item are kept apart by category."""
    ranks = counts.shape[1]
    pairs = np.einsum("ij,ik->ijk", counts, counts) - np.einsum("ij,jk->ijk", counts, np.eye(ranks))
    pairs /= np.maximum(counts.sum(axis=1) - 1, 1)[:, None, None]

    def value(weights: _Numbers) -> _Numbers:
        margins = weights @ counts
        middles = margins.cumsum(axis=1) - margins / 2
        apart = (middles[:, :, None] - middles[:, None, :]) ** 2
        observed = np.einsum("bi,ijk,bjk->b", weights, pairs, apart, optimize=True)
        expected = np.einsum("bj,bjk,bk->b", margins, apart, margins) / (margins.sum(axis=1) - 1)
        return _corrected(observed, expected)

    return value


def _corrected(observed: _Numbers, expected: _Numbers) -> _Numbers:
    """1 - observed / expected; not a number where chance would never disagree either."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1 - observed / expected, np.nan))


def _measured(
    measure: str,
    items: Sequence[Ratings],
    seen: Sequence[Sequence[Rating]],
    value: Callable[[_Numbers], _Numbers],
    seed: int,
    draws: int,
) -> Agreement:
    """`value`: of so many draws at once, each a row that says how often every item is in it."""
    if not seen:
        return Agreement(
            measure=measure, value=None, interval=None, items=0, unmeasured=len(items), raw=None, commonest=None
        )
    found = float(value(np.ones((1, len(seen))))[0])
    said = Counter(rating for each in seen for rating in each)
    return Agreement(
        measure=measure,
        value=None if np.isnan(found) else found,
        interval=_interval(value, len(seen), seed, draws),
        items=len(seen),
        unmeasured=len(items) - len(seen),
        raw=sum(map(_same_pairs, seen)) / len(seen),
        commonest=max(said.values()) / said.total(),
    )


def _interval(value: Callable[[_Numbers], _Numbers], n: int, seed: int, draws: int) -> Interval | None:
    """None where half of the draws or more show no variation: then the rest says nothing of the whole."""
    chance = np.random.default_rng(seed)
    drawn = np.concatenate(
        [
            value(chance.multinomial(n, np.full(n, 1 / n), size=min(_PIECE, draws - done)).astype(float))
            for done in range(0, draws, _PIECE)
        ]
    )
    told = drawn[~np.isnan(drawn)]
    if 2 * len(told) <= draws:
        return None
    low, high = np.percentile(told, _MIDDLE)
    return Interval(low=float(low), high=float(high))
