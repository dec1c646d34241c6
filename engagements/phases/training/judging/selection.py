"""Which checkpoint is taken, and why: the best task metric on validation, the lower loss where that is a tie.

The loss alone often names another checkpoint than the task does (formats reference, section 8), and the test split is
asked once per release, so it has no say here. A checkpoint is called better than another only where a paired test on
the same items and its interval both say so; having the highest number is all that choosing needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

from backends.events import Checkpoint
from engagements.evals.paired import Paired, paired
from engagements.evals.scores import score_interval
from estimator.evidence import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A checkpoint and what was measured of it on validation; never on test.

    `value`: of `metric`, None where it could not be measured. `hits`: the score of each item, the same items in the
    same order for every candidate. `valid_loss`: of the whole validation file. `name`: as the reason calls it; without
    one by its step.
    """

    checkpoint: Checkpoint
    metric: str
    value: float | None
    hits: Sequence[float] | None = None
    valid_loss: float | None = None
    name: str = ""

    @property
    def called(self) -> str:
        return self.name or f"step {self.checkpoint.step}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`difference`, `interval`, `p`: to the runner-up, where both answered the same items; above 0 is better.

    `against_base`: to the model before training, likewise.
    """

    checkpoint: Checkpoint
    reason: str
    runner_up: Checkpoint | None = None
    difference: float | None = None
    interval: Interval | None = None
    p: float | None = None
    against_base: Paired | None = None


def choose(candidates: Sequence[Candidate], *, base: Candidate | None = None) -> Choice:
    """`base`: the model before training, on the same items. At least one candidate, all of one metric."""
    assert candidates, "there is nothing to choose from"
    assert len({each.metric for each in candidates}) == 1, "candidates are compared by one metric"
    ranked = sorted(candidates, key=_rank)
    first, second = ranked[0], ranked[1] if len(ranked) > 1 else None
    apart = _paired(first, second)
    gained = _paired(first, base)
    parts = [_said_of(first, len(ranked))]
    if second is not None:
        parts.append(_said_of_runner_up(first, second, apart))
    if base is not None:
        parts.append(_said_of_base(first, base, gained))
    if unscored := [each for each in ranked if each.value is None and first.value is not None]:
        parts.append(f"{_counted(len(unscored))} could not be scored and had no chance")
    if len(ranked) > 1 and first.value is not None:
        parts.append("the best of several is flattered by the choice, so only the test split says how good it is")
    return Choice(
        checkpoint=first.checkpoint, reason="; ".join(parts), runner_up=second.checkpoint if second else None,
        difference=apart.difference if apart else None, interval=apart.interval if apart else None,
        p=apart.p if apart else None, against_base=gained,
    )  # fmt: skip


def _rank(candidate: Candidate) -> tuple[float, float, int]:
    """Highest value, then lowest loss, then the fewest steps; what was not measured comes last."""
    value, loss = candidate.value, candidate.valid_loss
    assert value is None or isfinite(value), "a value is a number"
    return (
        -value if value is not None else inf,
        loss if loss is not None and isfinite(loss) else inf,
        candidate.checkpoint.step,
    )


def _paired(first: Candidate, second: Candidate | None) -> Paired | None:
    if second is None or first.hits is None or second.hits is None or not first.hits:
        return None
    return paired(first.hits, second.hits) if len(first.hits) == len(second.hits) else None


def _said_of(first: Candidate, count: int) -> str:
    called, of = first.called, "the only checkpoint" if count == 1 else f"of {count} checkpoints"
    if first.value is not None:
        best = of if count == 1 else f"the highest {of}"
        return f"{called}: {first.metric.replace('_', ' ')} {_value(first)} on validation, {best}"
    if first.valid_loss is not None:
        lowest = of if count == 1 else f"the lowest {of}"
        return f"{called}: no task metric could be measured; validation loss {first.valid_loss:.4f}, {lowest}"
    return f"{called}: neither a task metric nor a validation loss was measured; {of}"


def _value(candidate: Candidate) -> str:
    if not candidate.hits:
        return f"{candidate.value:.3f}"
    interval, _ = score_interval(candidate.hits)
    return (
        f"{candidate.value:.3f} (95% interval {interval.low:.3f} to {interval.high:.3f}, {len(candidate.hits)} items)"
    )


def _said_of_runner_up(first: Candidate, second: Candidate, apart: Paired | None) -> str:
    called = second.called
    if first.value is None or second.value is None:
        return f"the next is {called}"
    if first.value == second.value:
        return _said_of_tie(first, second)
    if apart is None:
        return f"{called} follows with {second.value:.3f}; without its items no paired test can tell them apart"
    shown = "shown to be better" if apart.is_shown else "not shown to be better: the two may be as good as each other"
    return f"{apart} to the runner-up, {called}: {shown}"


def _said_of_tie(first: Candidate, second: Candidate) -> str:
    called, ours, theirs = second.called, first.valid_loss, second.valid_loss
    if ours is not None and theirs is not None and ours != theirs:
        return f"{called} has the same value, and its validation loss of {theirs:.4f} is above {ours:.4f}"
    if ours is not None and theirs is None:
        return f"{called} has the same value and no validation loss"
    return f"{called} has the same value and trained longer"


def _said_of_base(first: Candidate, base: Candidate, gained: Paired | None) -> str:
    if first.value is None or base.value is None:
        return "the model before training was not measured on the same items, so nothing is said of a gain"
    if gained is None:
        return f"the model before training has {base.value:.3f}; without its items no paired test can tell them apart"
    if gained.is_shown:
        shown = "shown to be better" if gained.difference > 0 else "shown to be worse: training did harm"
    else:
        shown = "no difference is shown"
    return f"{gained} to the model before training, {base.value:.3f}: {shown}"


def _counted(count: int) -> str:
    return "1 checkpoint" if count == 1 else f"{count} checkpoints"
