"""The answer names the expected class: case, blanks, quotes and punctuation around it do not count.

"Billing." and "billing" are one label, "billing issue" is another: what is said beside the label is not read away.
"""

import re
import unicodedata
from typing import Final

from engagements.evals.metrics.metric import Metric

_AROUND: Final = re.compile(r"^\W+|\W+$")
_BETWEEN: Final = re.compile(r"[\s_-]+")


def normalised(label: str) -> str:
    """One spelling of a label: NFKC, folded case, nothing but the words, one blank between them.

    What consists of punctuation alone (a label such as "+") stays as it is.
    """
    folded = unicodedata.normalize("NFKC", label).casefold().strip()
    return _BETWEEN.sub(" ", _AROUND.sub("", folded)).strip() or folded


def _score(expected: str, answered: str) -> float:
    return float(normalised(expected) == normalised(answered))


METRIC: Final = Metric(
    name="label", version=1, binary=True, said="share of answers that name the expected class", score=_score
)
