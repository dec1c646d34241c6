"""The sample-size calculator: what so many items can show, and how many a promised gain needs."""

from dataclasses import dataclass

from engagements.evals.intervals import none_seen
from estimator.evidence import detectable_gain, items_needed, wilson_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """Rates from 0 to 1. What nobody can say of the numbers given is None.

    `needed`: items that show the rise from the baseline to the target four times in five. `gain`: the smallest rise
    over the baseline that the items show. `low`, `high`: what a measured rate at the target may really be.
    `unseen_max`: the rate of a failure that was not seen once.
    """

    baseline: float
    target: float | None
    items: int | None
    needed: int | None
    gain: float | None
    low: float | None
    high: float | None
    unseen_max: float | None

    @property
    def gain_points(self) -> float | None:
        return None if self.gain is None else 100 * self.gain


def sample_size(baseline: float, target: float | None = None, items: int | None = None) -> SampleSize:
    """Of a baseline rate and a target, of a number of items, or of both."""
    between = wilson_interval(baseline if target is None else target, items) if items else None
    return SampleSize(
        baseline=baseline,
        target=target,
        items=items,
        needed=None if target is None or target == baseline else items_needed(baseline, target),
        gain=detectable_gain(baseline, items) if items and baseline < 1 else None,
        low=between.low if between else None,
        high=between.high if between else None,
        unseen_max=none_seen(items) if items else None,
    )
