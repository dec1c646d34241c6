"""What more data would buy: a plain classifier trained on an eighth to all of the training split, scored on validation.

TF-IDF of words and word pairs with logistic regression: it trains in seconds, and where the tuned model stops to gain
from more examples, so as a rule does this one. It says nothing of tasks whose answers are free texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engagements.phases.data_preparation.records import Record
from estimator.evidence import Interval, wilson_interval

PARTS: Final = (1 / 8, 1 / 4, 1 / 2, 1.0)
_EXAMPLES_MIN: Final = 40
_VALIDATION_MIN: Final = 30
"""Below it the interval of a rate is a third wide and more (agency reference, section 5)."""
_Z: Final = 1.96
_REGULARISATION: Final = 10.0  # C of the baselines of sets 01 and 02 of the shared data


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The share of validation examples answered rightly after training on so many, with its 95% interval."""

    examples: int
    accuracy: float
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningCurve:
    """`gain`: by how much twice the examples would raise accuracy, as a share, with its 95% interval; None where the
    points cannot say, and `said` says why. It is the slope of accuracy over the logarithm of the examples."""

    points: Sequence[Point]
    gain: float | None
    gain_interval: Interval | None
    said: str

    def as_json(self) -> dict[str, Any]:
        return {
            "points": [
                {"examples": each.examples, "accuracy": round(each.accuracy, 4), "low": round(each.interval.low, 4),
                 "high": round(each.interval.high, 4)}
                for each in self.points
            ],
            "gain_of_doubling": None if self.gain is None else round(self.gain, 4),
            "gain_low": None if self.gain_interval is None else round(self.gain_interval.low, 4),
            "gain_high": None if self.gain_interval is None else round(self.gain_interval.high, 4),
            "said": self.said,
        }  # fmt: skip


def learning_curve(train: Sequence[Record], validation: Sequence[Record], *, seed: int) -> LearningCurve:
    """The curve of labelled examples; others are left out. The same records and seed give the same curve."""
    known = [record for record in train if record.label is not None]
    asked = [record for record in validation if record.label is not None]
    if len(known) < _EXAMPLES_MIN or len(asked) < _VALIDATION_MIN:
        return _silent(
            f"{len(known)} labelled examples to train on and {len(asked)} to validate on; at least {_EXAMPLES_MIN} and "
            f"{_VALIDATION_MIN} are needed"
        )
    if len({record.label for record in known}) == 1:
        return _silent("all examples have one label: there is nothing to learn")
    order = np.random.default_rng(seed).permutation(len(known))
    hits = [_hits([known[row] for row in order[: round(part * len(known))].tolist()], asked) for part in PARTS]
    points = [
        _point(round(part * len(known)), right.mean(), len(asked)) for part, right in zip(PARTS, hits, strict=True)
    ]
    return _with_gain(points, np.array(hits))


def _hits(train: Sequence[Record], validation: Sequence[Record]) -> NDArray[np.float64]:
    # scikit-learn takes a second to load, and only a learning curve needs it.
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    labels = [record.label for record in train]
    truth = np.array([record.label for record in validation], dtype=object)
    if len(set(labels)) == 1:
        return np.array(truth == labels[0], np.float64)
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    seen = words.fit_transform(record.question for record in train)
    model = LogisticRegression(C=_REGULARISATION, max_iter=300).fit(seen, labels)
    guessed = model.predict(words.transform(record.question for record in validation))
    return np.array(guessed.astype(object) == truth, np.float64)


def _point(examples: int, accuracy: float, items: int) -> Point:
    return Point(examples=examples, accuracy=float(accuracy), interval=wilson_interval(float(accuracy), items))


def _with_gain(points: Sequence[Point], hits: NDArray[np.float64]) -> LearningCurve:
    """The slope by validation item, so that its error is that of paired differences on the same items.

    The last two doublings carry it: a curve bends, and what is asked is how it goes on.
    """
    steps = np.array([log2(point.examples) for point in points[1:]])
    weights = (steps - steps.mean()) / ((steps - steps.mean()) ** 2).sum()
    by_item = weights @ hits[1:]
    gain, interval = float(by_item.mean()), _interval(by_item, most=float(weights[weights > 0].sum()))
    said = _said(gain, interval, items=by_item.size, changed=bool(np.ptp(hits[1:], axis=0).any()), points=points)
    return LearningCurve(points=points, gain=gain, gain_interval=interval, said=said)


def _interval(by_item: NDArray[np.float64], *, most: float) -> Interval:
    """Of the mean of paired differences between -`most` and `most`, with two items added, half of one for each outcome.

    So it has a width where no item changed: nothing was seen, which is not to say that there is nothing. After
    A. Agresti and Y. Min, Simple improved confidence intervals for comparing matched proportions (Statistics in
    Medicine 24, 2005).
    """
    items = by_item.size + 2
    mean = float(by_item.sum()) / items
    error = sqrt((float((by_item**2).sum()) + most**2) / items - mean**2) / sqrt(items)
    return Interval(low=mean - _Z * error, high=mean + _Z * error)


def _said(gain: float, interval: Interval, *, items: int, changed: bool, points: Sequence[Point]) -> str:
    points_of = f"{100 * gain:.1f} points of accuracy ({100 * interval.low:.1f} to {100 * interval.high:.1f})"
    if not changed:
        return (
            f"no difference at this size: {100 * points[-1].accuracy:.1f}% of {items} validation examples are answered "
            f"rightly after a quarter, a half and all of the training examples, each of them alike; whether twice as "
            f"many would buy up to {100 * interval.high:.1f} points cannot be seen on so few"
        )
    if interval.low > 0:
        return f"twice the examples would buy about {points_of}, if the curve goes on as it went"
    if interval.high < 0:
        return f"more of the same examples buys nothing: the curve falls by {points_of} a doubling"
    return f"no gain that chance could not explain on {items} validation examples: {points_of} a doubling"


def _silent(said: str) -> LearningCurve:
    return LearningCurve(points=(), gain=None, gain_interval=None, said=said)
