"""How many words the answer and the expected one share: F1 over words as often as they stand, in any order.

As SQuAD scores answers (Rajpurkar et al. 2016), but for the articles it drops, which are English alone. Words are runs
of letters and digits, NFKC, folded case.
"""

import re
import unicodedata
from collections import Counter
from typing import Final

from engagements.evals.metrics.metric import Metric

_WORD: Final = re.compile(r"\w+")


def _score(expected: str, answered: str) -> float:
    wanted, given = _words(expected), _words(answered)
    if not wanted or not given:
        return float(wanted == given)
    return 2 * (wanted & given).total() / (wanted.total() + given.total())


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


METRIC: Final = Metric(
    name="token_f1", version=1, binary=False, said="words shared with the expected answer, F1", score=_score
)
