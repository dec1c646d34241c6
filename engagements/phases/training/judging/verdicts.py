"""What the curves of a run say, in a sentence with the numbers that led there.

Where several hold, the first in the order of `_RULES` is told: what spoils a run comes before what shapes it. Losses
are nats a trained token. Thresholds without a source are our judgement, and say so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import takewhile
from math import isfinite
from statistics import fmean, median
from typing import Final

from backends.events import Metrics
from engagements.phases.training.judging.curves import At, Curves, curves_of

RISING: Final = 2
"""Evaluations above the best, one after another, before it is called overfitting. One may be chance; the patience of
early stopping is 3 (formats reference, section 8), and a verdict may warn before a run is stopped."""
NOISE: Final = 0.01
"""By this share a validation loss may move and mean nothing. Our judgement: the same items are measured each time."""
DIVERGED_TIMES: Final = 2.0
DIVERGED_PATIENCE: Final = 3
"""Axolotl's loss watchdog: about twice the starting loss, three times in a row (formats reference, section 8)."""
DIVERGED_LEAST: Final = 0.5
"""And so many nats above the start: noise about a small loss is no divergence. Our judgement."""
GRADIENT_UNSTABLE: Final = 100.0
"""Gradient norms of 0.1 to 10 are healthy, above 100 unstable, 0.0 frozen (formats reference, section 8)."""
GRADIENTS_SEEN: Final = 3
GRADIENTS_SHARE: Final = 0.1
UNCHANGED: Final = 5
"""So many first losses that are the same to the last digit: no two batches have that. Our judgement."""
ZEROS: Final = 3
MEMORISED: Final = 0.05
"""Typical training losses are 0.5 to 2; one that races to about 0 is learnt by heart (formats reference, section 8).
Labels are short and sure, so a loss below this counts only where validation is `APART` times as high. Our judgement."""
APART: Final = 10.0
EARLY_POINTS: Final = 10
EARLY_EVALUATIONS: Final = 2
UNTESTED_POINTS: Final = 50
"""So many training losses without one of validation, or half of the run: then none is to be expected."""
STILL_FALLING: Final = 0.10
"""Validation that fell by this share over the last third had not finished: 1 to 2 epochs more (OpenAI's guide, formats
reference, section 8). The share is our judgement."""
BARELY: Final = 0.05
FLAT_EVALUATIONS: Final = 4


class VerdictKind(StrEnum):
    HEALTHY = "healthy"
    UNDERFITTING = "underfitting"
    OVERFITTING = "overfitting"
    MEMORISING = "memorising"
    DIVERGED = "diverged"
    UNSTABLE = "unstable"
    FROZEN = "frozen"
    MASK_BROKEN = "mask_broken"
    PLATEAU = "plateau"
    NO_VALIDATION = "no_validation"
    TOO_EARLY = "too_early"


SPOILT: Final = frozenset({VerdictKind.DIVERGED, VerdictKind.FROZEN, VerdictKind.MASK_BROKEN})
"""Nothing that came out of such a run is worth scoring, and going on costs money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`since_step`: where it began, where it has a beginning. `numbers`: those that led there, by name; all finite."""

    kind: VerdictKind
    said: str
    since_step: int | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)


def judge(points: Sequence[Metrics], *, ended: bool) -> Verdict:
    """The verdict of a run so far; `ended`: no point comes any more. The order of `points` does not matter."""
    curves = curves_of(points, ended=ended)
    found = next((verdict for rule in _RULES if (verdict := rule(curves)) is not None), None)
    return found or _healthy(curves)


def _mask_broken(curves: Curves) -> Verdict | None:
    """No label was left to learn from (formats reference, section 7: loss 0.0, no warning, nothing learnt)."""
    if curves.tokens == 0 and curves.last_step > 0:
        said = f"0 trained tokens after step {curves.last_step}: every label is masked; look at the audit of the spans"
        return _told(VerdictKind.MASK_BROKEN, said, trained_tokens=0, step=curves.last_step)
    first, begun = curves.first_loss, curves.training[:UNCHANGED]
    if first is None:
        return None
    numbers = {"first_step": first.step, "first_train_loss": first.value}
    if not isfinite(first.value) or first.value == 0:
        what = "0" if first.value == 0 else "no number"
        said = f"the first training loss, at step {first.step}, is {what}: no label is left in the trained spans"
        return _told(VerdictKind.MASK_BROKEN, said, first.step, **numbers)
    if zeros := _streak(curves.training, lambda loss: loss == 0, ZEROS):
        said = f"the training loss is exactly 0 from step {zeros.step} on: labels or precision are lost, not learnt"
        return _told(VerdictKind.MASK_BROKEN, said, zeros.step, last_train_loss=0, **numbers)
    if len(begun) == UNCHANGED and len({each.value for each in begun}) == 1:
        said = f"the first {UNCHANGED} training losses are all {first.value:.4f}, to the last digit: nothing is learnt"
        return _told(VerdictKind.MASK_BROKEN, said, first.step, same=UNCHANGED, **numbers)
    return None


def _frozen(curves: Curves) -> Verdict | None:
    still = _streak(curves.gradients, lambda norm: norm == 0, GRADIENTS_SEEN)
    if still is None:
        return None
    said = f"the gradient norm is 0.0 from step {still.step} on: no weight is trained"
    return _told(VerdictKind.FROZEN, said, still.step, grad_norm=0)


def _diverged(curves: Curves) -> Verdict | None:
    if lost := curves.lost:
        said = f"the loss is no number from step {lost.step} on: lower the learning rate, or leave float16"
        return _told(VerdictKind.DIVERGED, said, lost.step, step=lost.step)
    if not curves.training:
        return None
    start = median(each.value for each in curves.training[:DIVERGED_PATIENCE])
    bound = max(DIVERGED_TIMES * start, start + DIVERGED_LEAST)
    high = _streak(curves.training, lambda loss: loss >= bound, DIVERGED_PATIENCE)
    if high is None:
        return None
    last = curves.training[-1].value
    said = (
        f"diverged: the training loss was {start:.3f} at the start and is above {bound:.3f} since step {high.step}, "
        f"{last:.3f} at the last; lower the learning rate"
    )
    return _told(VerdictKind.DIVERGED, said, high.step, start_train_loss=start, last_train_loss=last, bound=bound)


def _too_early(curves: Curves) -> Verdict | None:
    seen, tested = len(curves.training), len(curves.validation)
    if curves.ended:
        enough = tested != 1 and seen + tested > 0
        said = f"it ended with {seen} training losses and {tested} validation losses: too few for a curve"
    else:
        half = 2 * curves.last_step >= (curves.total_steps or 2 * curves.last_step + 1) or seen >= UNTESTED_POINTS
        enough = seen >= EARLY_POINTS and (tested >= EARLY_EVALUATIONS or (not tested and half))
        said = f"{seen} training losses and {tested} validation losses so far: too few to say more than that it runs"
    return None if enough else _told(VerdictKind.TOO_EARLY, said, measured=seen, evaluations=tested)


def _overfitting(curves: Curves) -> Verdict | None:
    """Validation rises since its best; what training does meanwhile tells learning by heart from losing the way."""
    if not curves.validation:
        return None
    lowest = _best(curves.validation).value
    turned = next(each for each in reversed(curves.validation) if each.value <= _near(lowest))
    later = [each for each in curves.validation if each.step > turned.step]
    if len(later) < RISING:
        return None
    then, now, last = curves.training_at(turned.step), curves.training_at(later[-1].step), later[-1]
    if then is None or now is None:
        return None
    numbers = {
        "best_valid_loss": lowest, "last_valid_loss": last.value, "evaluations_since_best": len(later),
        "train_loss_at_best": then, "last_train_loss": now,
    }  # fmt: skip
    rose = (
        f"the validation loss was {turned.value:.3f} at step {turned.step} and is {last.value:.3f} at step "
        f"{last.step}, {len(later)} evaluations later"
    )
    if now < then:
        said = (
            f"overfitting since step {turned.step}: {rose}, while the training loss fell from {then:.3f} to {now:.3f}"
        )
        return _told(VerdictKind.OVERFITTING, said, turned.step, **numbers)
    said = (
        f"unstable since step {turned.step}: {rose}, and the training loss rose with it, from {then:.3f} to {now:.3f}"
    )
    return _told(VerdictKind.UNSTABLE, f"{said}; lower the learning rate", turned.step, **numbers)


def _memorising(curves: Curves) -> Verdict | None:
    if not curves.validation or not curves.training:
        return None
    now, tested = curves.training_at(curves.last_step), curves.validation[-1]
    if now is None or now >= MEMORISED or tested.value < APART * now:
        return None
    said = (
        f"the training loss is {now:.4f} and the validation loss {tested.value:.3f}, more than {APART:g} times as "
        f"high: the examples are learnt by heart"
    )
    return _told(VerdictKind.MEMORISING, said, last_train_loss=now, last_valid_loss=tested.value)


def _unstable(curves: Curves) -> Verdict | None:
    steep = [each for each in curves.gradients if not each.value <= GRADIENT_UNSTABLE]
    if len(steep) < max(GRADIENTS_SEEN, GRADIENTS_SHARE * len(curves.gradients)):
        return None
    said = (
        f"the gradient norm was above {GRADIENT_UNSTABLE:g} at {len(steep)} of {len(curves.gradients)} steps, first at "
        f"step {steep[0].step}: lower the learning rate, or warm up longer"
    )
    return _told(VerdictKind.UNSTABLE, said, steep[0].step, steps_above=len(steep), steps=len(curves.gradients))


def _no_validation(curves: Curves) -> Verdict | None:
    if curves.validation:
        return None
    now = curves.training_at(curves.last_step)
    if now is None:
        return _told(VerdictKind.NO_VALIDATION, "no loss was measured, of training or validation", measured=0)
    heart = "; it is so low that the examples may be learnt by heart" if now < MEMORISED else ""
    said = (
        f"the training loss went from {curves.training[0].value:.3f} to {now:.3f}, and nothing was measured on "
        f"validation: whether it overfits cannot be said{heart}"
    )
    return _told(VerdictKind.NO_VALIDATION, said, first_train_loss=curves.training[0].value, last_train_loss=now)


def _underfitting(curves: Curves) -> Verdict | None:
    if not curves.ended:
        return None
    last, two_thirds = curves.validation[-1], 2 * curves.last_step / 3
    before = next((each for each in reversed(curves.validation) if each.step <= two_thirds), None)
    if before and 0 < last.value <= before.value * (1 - STILL_FALLING) and last == _best(curves.validation):
        fell = 1 - last.value / before.value
        said = (
            f"the validation loss was still falling when it ended: {before.value:.3f} at step {before.step}, "
            f"{last.value:.3f} at step {last.step}, {100 * fell:.0f}% less; train 1 or 2 epochs longer"
        )
        return _told(
            VerdictKind.UNDERFITTING, said, before.step, valid_loss_before=before.value,
            last_valid_loss=last.value, fell_share=fell,
        )  # fmt: skip
    return _barely_learnt(curves)


def _barely_learnt(curves: Curves) -> Verdict | None:
    if len(curves.training) < 2 * EARLY_POINTS:
        return None
    first = fmean(each.value for each in curves.training[: EARLY_POINTS // 2])
    last = fmean(each.value for each in curves.training[-EARLY_POINTS // 2 :])
    if last < first * (1 - BARELY):
        return None
    said = (
        f"the training loss was {first:.3f} at the start and {last:.3f} at the end: hardly anything was learnt; raise "
        f"the learning rate or train longer"
    )
    return _told(VerdictKind.UNDERFITTING, said, first_train_loss=first, last_train_loss=last)


def _plateau(curves: Curves) -> Verdict | None:
    lowest = min(each.value for each in curves.validation)
    flat = list(takewhile(lambda each: each.value <= _near(lowest), reversed(curves.validation)))
    if len(flat) < FLAT_EVALUATIONS or 2 * flat[-1].step > curves.last_step:
        return None
    since, last = flat[-1], flat[0]
    said = (
        f"the validation loss has stood between {lowest:.3f} and {max(each.value for each in flat):.3f} since step "
        f"{since.step}, over {len(flat)} evaluations: more steps bring nothing"
    )
    return _told(
        VerdictKind.PLATEAU, said, since.step, valid_loss_since=since.value, last_valid_loss=last.value,
        best_valid_loss=lowest, evaluations=len(flat),
    )  # fmt: skip


def _healthy(curves: Curves) -> Verdict:
    best, last = _best(curves.validation), curves.validation[-1]
    end = "its last" if best == last else f"and {last.value:.3f} at the last, step {last.step}"
    said = f"the validation loss is lowest, {best.value:.3f}, at step {best.step}, {end}"
    numbers = {"best_valid_loss": best.value, "best_step": float(best.step), "last_valid_loss": last.value}
    if (now := curves.training_at(curves.last_step)) is not None:
        first = curves.training[0].value
        said += f"; the training loss went from {first:.3f} to {now:.3f}"
        numbers |= {"first_train_loss": first, "last_train_loss": now}
    return _told(VerdictKind.HEALTHY, said, **numbers)


_RULES: Final[tuple[Callable[[Curves], Verdict | None], ...]] = (
    _mask_broken, _frozen, _diverged, _too_early, _overfitting, _memorising, _unstable, _no_validation, _underfitting,
    _plateau,
)  # fmt: skip


def _told(kind: VerdictKind, said: str, since: int | None = None, /, **numbers: float) -> Verdict:
    finite = {name: float(value) for name, value in numbers.items() if isfinite(value)}
    return Verdict(kind=kind, said=said, since_step=since, numbers=finite)


def _streak(line: Sequence[At], holds: Callable[[float], bool], least: int) -> At | None:
    """The first of the last points that all hold, where they are so many or more; what a later point mended is none."""
    run = list(takewhile(lambda each: holds(each.value), reversed(line)))
    return run[-1] if len(run) >= least else None


def _near(lowest: float) -> float:
    """What stands below this is as low, but for noise; the losses of rewards may be negative."""
    return lowest + NOISE * abs(lowest)


def _best(line: Sequence[At]) -> At:
    """The lowest; of two the earlier, which is trained less."""
    return min(line, key=lambda each: (each.value, each.step))
