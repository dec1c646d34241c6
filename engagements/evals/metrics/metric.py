"""What a metric is: how one answer is scored against the one that was expected."""

from collections.abc import Callable
from dataclasses import dataclass

from estimator.errors import EstimatorError, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """`score(expected, answered)` of one item, from 0 to 1; `binary`: only ever 0 or 1, so that hits can be counted.

    `version` rises with every change that could move a score: scores of two versions cannot be compared. `said`: what
    it counts, for people. An answer that cannot be read counts against the candidate, as 0; a judge or a server that
    failed is an error and never gets here.
    """

    name: str
    version: int
    binary: bool
    said: str
    score: Callable[[str, str], float]


class ExpectationUnreadable(EstimatorError):
    """What the dataset expects is not what this metric can compare with; no candidate is to blame for that."""

    code = "expectation_unreadable"


def unreadable(message: str, remedy: str) -> ExpectationUnreadable:
    return ExpectationUnreadable(Problem(code=ExpectationUnreadable.code, message=message, remedy=remedy))
