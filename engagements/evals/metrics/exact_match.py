"""The answer is the expected one, letter by letter; blanks around it and the form of its accents do not count."""

import unicodedata
from typing import Final

from engagements.evals.metrics.metric import Metric


def _score(expected: str, answered: str) -> float:
    return float(_written(expected) == _written(answered))


def _written(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


METRIC: Final = Metric(
    name="exact_match", version=1, binary=True, said="share of answers that are the expected one, letter by letter",
    score=_score,
)  # fmt: skip
