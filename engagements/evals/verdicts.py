"""Three outcomes, never two: an acceptance criterion passes, fails, or is inconclusive (agency reference, section 5).

The bound of the interval decides, not the value. A gain is claimed only where the interval of the paired difference
lies above zero and the paired test says so too. Other items than agreed, or fewer, never pass.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from estimator.evidence import Interval

SIGNIFICANT: Final = 0.05


class Operator(StrEnum):
    AT_LEAST = "at least"
    AT_MOST = "at most"


class Outcome(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was agreed. `threshold` as a share; `set_sha256` empty until the set is sealed."""

    operator: Operator
    threshold: float
    items: int
    set_sha256: str
    paired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A value with its 95% interval. `set_sha256`: of the items it was measured on."""

    value: float
    interval: Interval
    items: int
    set_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """How much better than the baseline on the same items; `difference` above zero is better."""

    difference: float
    interval: Interval
    p: float
    items: int
    set_sha256: str

    @property
    def is_shown(self) -> bool:
        return self.interval.low > 0 and self.p < SIGNIFICANT


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`outcome` None: nothing was measured that counts. `said` is the number, `remedy` what would settle it."""

    outcome: Outcome | None
    said: str
    remedy: str = ""


def judge(terms: Terms, measured: Measured | None, gain: Gain | None = None) -> Judgement:
    """The verdict of one criterion. Where the rate fails, the gain is not asked."""
    if measured is None:
        return Judgement(
            outcome=None, said="not measured", remedy=f"measure it on {terms.items} items of the sealed set"
        )
    if stray := _other_items(terms, measured.set_sha256):
        return stray
    alone = _of_the_rate(terms, measured)
    if alone.outcome is Outcome.FAIL or not terms.paired:
        return alone
    paired = _of_the_gain(terms, gain)
    said, remedy = f"{alone.said}; {paired.said}", "; ".join(part for part in (alone.remedy, paired.remedy) if part)
    outcomes = {alone.outcome, paired.outcome}
    worst = next((each for each in (Outcome.FAIL, Outcome.INCONCLUSIVE) if each in outcomes), Outcome.PASS)
    return Judgement(outcome=worst, said=said, remedy=remedy)


def bound_outcome(operator: Operator, threshold: float, interval: Interval) -> Outcome:
    """Pass: the whole interval is on the right side. Fail: all of it is short. Inconclusive: it straddles."""
    match operator:
        case Operator.AT_LEAST:
            passed, failed = interval.low >= threshold, interval.high < threshold
        case Operator.AT_MOST:
            passed, failed = interval.high <= threshold, interval.low > threshold
    return Outcome.PASS if passed else Outcome.FAIL if failed else Outcome.INCONCLUSIVE


def percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def written(value: float, interval: Interval, items: int) -> str:
    """A rate as it is always said: with its interval and its number of items."""
    return f"{percent(value)} (95% interval {percent(interval.low)} to {percent(interval.high)}, {items} items)"


def _other_items(terms: Terms, set_sha256: str) -> Judgement | None:
    if not terms.set_sha256:
        remedy = "pass the gate of data preparation, which seals the set"
        return Judgement(outcome=Outcome.INCONCLUSIVE, said="the test set is not sealed yet", remedy=remedy)
    if set_sha256 != terms.set_sha256:
        said = f"measured on set {set_sha256[:12]}, and agreed on {terms.set_sha256[:12]}"
        return Judgement(outcome=Outcome.INCONCLUSIVE, said=said, remedy="measure it on the sealed set")
    return None


def _of_the_rate(terms: Terms, measured: Measured) -> Judgement:
    outcome = bound_outcome(terms.operator, terms.threshold, measured.interval)
    said = f"{written(measured.value, measured.interval, measured.items)}; {terms.operator} {percent(terms.threshold)}"
    if measured.items < terms.items and outcome is not Outcome.FAIL:
        remedy = f"measure all {terms.items} items agreed, {terms.items - measured.items} more"
        return Judgement(outcome=Outcome.INCONCLUSIVE, said=said, remedy=remedy)
    return Judgement(outcome=outcome, said=said, remedy=_REMEDIES[outcome])


_REMEDIES: Final = {
    Outcome.PASS: "",
    Outcome.FAIL: "improve the data or the training and come again, or agree another criterion as a change",
    Outcome.INCONCLUSIVE: "measure more items, or accept it in writing",
}


def _of_the_gain(terms: Terms, gain: Gain | None) -> Judgement:
    if gain is None:
        remedy = "compare the candidate with the baseline on the same items"
        return Judgement(outcome=Outcome.INCONCLUSIVE, said="no paired comparison with the baseline", remedy=remedy)
    if stray := _other_items(terms, gain.set_sha256):
        return stray
    said = (
        f"paired gain {100 * gain.difference:+.1f} points (95% interval {100 * gain.interval.low:+.1f} to "
        f"{100 * gain.interval.high:+.1f}, p {gain.p:.4f}, {gain.items} items)"
    )
    if gain.interval.high < 0:
        return Judgement(outcome=Outcome.FAIL, said=said, remedy="it is worse than the baseline: train anew")
    if not gain.is_shown or gain.items < terms.items:
        return Judgement(outcome=Outcome.INCONCLUSIVE, said=said, remedy="compare more items, or train anew")
    return Judgement(outcome=Outcome.PASS, said=said)
