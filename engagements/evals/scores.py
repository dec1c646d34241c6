"""Scores of items, from 0 to 1, as one number with its interval."""

from collections.abc import Sequence
from typing import Final

from engagements.evals.bootstrap import mean_interval
from engagements.evals.intervals import wilson
from estimator.evidence import Interval, wilson_interval

WILSON: Final = "Wilson"
BOOTSTRAP: Final = "BCa bootstrap"


def are_hits(*scores: Sequence[float]) -> bool:
    """Whether every score is 0 or 1, so that they can be counted."""
    return all(score in {0, 1} for each in scores for score in each)


def score_interval(scores: Sequence[float]) -> tuple[Interval, str]:
    """The 95% interval of their mean, and the method it is by: Wilson for hits, drawn for all else."""
    assert len(scores) > 0, "no items show nothing"
    if are_hits(scores):
        return wilson(int(sum(scores)), len(scores)), WILSON
    if drawn := mean_interval(scores):
        return drawn, BOOTSTRAP
    # Scores that are all the same tell a bootstrap nothing; no score between 0 and 1 varies more than hits do.
    return wilson_interval(scores[0], len(scores)), WILSON
