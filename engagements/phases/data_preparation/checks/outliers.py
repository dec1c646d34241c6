"""Examples unlike the others: far longer than their like, or in words that belong to another class."""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagements.phases.data_preparation.checks.findings import Finding, found
from engagements.phases.data_preparation.checks.report import Lengths

COMPARED_MAX: Final = 20_000
"""Records whose words are compared; beyond, the first so many are."""
_CLASS_MIN: Final = 5
_CLASSES_MIN, _CLASSES_MAX = 2, 1_000
_WORDS_MAX: Final = 50_000
_ROWS_AT_ONCE: Final = 1_000
_MARGIN: Final = 0.2
"""Of 2% labels flipped at random in the training set of Banking77 (77 classes), 83% are found, and 66% of what is found
is flipped; at 0.15 it would be 92% and 47%."""
_DEVIATIONS_MAX: Final = 6.0
_TIMES_MIN: Final = 4.0
_LENGTHS_MIN: Final = 30
_MAD_TO_DEVIATION: Final = 1.4826
"""The median absolute deviation of a normal distribution times this is its standard deviation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlier:
    """A finding on one record, by its number from 1."""

    number: int
    finding: Finding


class Outliers:
    """Takes length, label and text of the records in their order."""

    def __init__(self) -> None:
        self._lengths = array("I")
        self._texts: list[str] = []
        self._labels: list[str | None] = []
        self.left_out = 0

    def add(self, text: str, label: str | None) -> None:
        self._lengths.append(min(len(text), 2**32 - 1))
        if len(self._texts) < COMPARED_MAX:
            self._texts.append(text[:2_000] if label is not None else "")
            self._labels.append(label)
        else:
            self.left_out += 1

    def lengths(self) -> Lengths | None:
        """Of all inputs; None where there is none."""
        if not self._lengths:
            return None
        lengths = np.frombuffer(self._lengths, np.uint32)
        median, p90 = np.quantile(lengths, (0.5, 0.9))
        return Lengths(median=float(median), p90=float(p90), longest=int(lengths.max()))

    def found(self) -> Iterator[Outlier]:
        yield from self._by_length()
        yield from self._by_words()

    def _by_length(self) -> Iterator[Outlier]:
        """More than 6 robust deviations above the median of the logarithms, and 4 times the median."""
        if len(self._lengths) < _LENGTHS_MIN:
            return
        lengths = np.frombuffer(self._lengths, np.uint32).astype(np.float64)
        typical = float(np.median(lengths))
        logs = np.log1p(lengths)
        median = float(np.median(logs))
        deviation = max(_MAD_TO_DEVIATION * float(np.median(np.abs(logs - median))), 0.1)
        for index in np.flatnonzero((logs > median + _DEVIATIONS_MAX * deviation) & (lengths > _TIMES_MIN * typical)):
            said = f"{int(lengths[index]):,} characters; half of the inputs have at most {typical:,.0f}"
            yield Outlier(number=int(index) + 1, finding=found("set.length_outlier", said))

    def _by_words(self) -> Iterator[Outlier]:
        """Inputs whose words (TF-IDF) are nearer to the centre of another class than of their own, by a margin."""
        names = [name for name, count in Counter(self._labels).items() if name is not None and count >= _CLASS_MIN]
        if not _CLASSES_MIN <= len(names) <= _CLASSES_MAX:
            return
        number_of = {name: place for place, name in enumerate(names)}
        rows = [row for row, label in enumerate(self._labels) if label in number_of]
        classes = np.array([number_of[str(self._labels[row])] for row in rows])
        compared = _compared([self._texts[row] for row in rows], classes)
        for place in np.flatnonzero(compared.best - compared.own > _MARGIN):
            own, other = names[classes[place]], names[compared.nearest[place]]
            said = f"its words are nearer to {other!r} than to {own!r}"
            yield Outlier(number=rows[place] + 1, finding=found("set.class_outlier", said))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """Of each text: cosine to the centre of the rest of its class, the highest to another class, and which that is."""

    own: NDArray[np.float64]
    best: NDArray[np.float64]
    nearest: NDArray[np.int64]


def _compared(texts: Sequence[str], classes: NDArray[np.int64]) -> _Compared:
    # Deferred: scikit-learn takes seconds to load, and only this needs it.
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
    from sklearn.preprocessing import OneHotEncoder  # noqa: PLC0415

    try:
        words = TfidfVectorizer(sublinear_tf=True, max_features=_WORDS_MAX).fit_transform(texts)
    except ValueError:  # not one word in all the texts
        nothing = np.zeros(len(texts))
        return _Compared(own=nothing, best=nothing, nearest=nothing.astype(np.int64))
    size = len(texts)
    sums = OneHotEncoder().fit_transform(classes.reshape(-1, 1)).T @ words
    norms = np.sqrt(np.asarray(sums.multiply(sums).sum(axis=1)).ravel())
    own, best, nearest = np.zeros(size), np.zeros(size), np.zeros(size, dtype=np.int64)
    for start in range(0, size, _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        products = (words[part] @ sums.T).toarray()
        at = np.arange(len(products)), classes[part]
        mine = products[at]
        # The centre less the text itself, whose length is 1: |s - x|^2 = |s|^2 - 2 xs + 1.
        rest = np.sqrt(np.maximum(norms[classes[part]] ** 2 - 2 * mine + 1, 1e-12))
        own[part] = np.where(mine > 0, (mine - 1) / rest, 0)
        cosines = products / np.maximum(norms, 1e-12)
        cosines[at] = -1
        nearest[part] = cosines.argmax(axis=1)
        best[part] = cosines.max(axis=1)
    return _Compared(own=own, best=best, nearest=nearest)
