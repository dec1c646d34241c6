"""Which checkpoint is taken: hand-computed cases, and what must hold of every choice."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from backends.events import Checkpoint
from engagements.phases.training.judging.selection import Candidate, choose


def candidate(step, hits=None, *, value=None, loss=None, metric="label", name=""):
    found = sum(hits) / len(hits) if hits else value
    checkpoint = Checkpoint(id=f"c{step}", step=step, model=f"m{step}")
    return Candidate(checkpoint=checkpoint, metric=metric, value=found, hits=hits, valid_loss=loss, name=name)


def right(count, of=60):
    return [1.0] * count + [0.0] * (of - count)


def test_the_best_task_metric_wins_over_a_lower_loss():
    choice = choose([candidate(10, right(40), loss=0.5), candidate(20, right(49), loss=0.6)])
    assert (choice.checkpoint.step, choice.runner_up.step) == (20, 10)
    assert choice.difference == 9 / 60
    assert choice.p == pytest.approx(2 / 2**9)  # nine items that only the first has right
    assert choice.reason == (
        "step 20: label 0.817 (95% interval 0.701 to 0.894, 60 items) on validation, the highest of 2 checkpoints; "
        "+0.150 (95% interval +0.052 to +0.238, p 0.0039 by exact McNemar, 60 items) to the runner-up, step 10: shown "
        "to be better; the best of several is flattered by the choice, so only the test split says how good it is"
    )


def test_a_difference_that_chance_would_make_is_never_called_better():
    choice = choose([candidate(10, right(48)), candidate(20, right(49))])
    assert choice.checkpoint.step == 20
    assert "not shown to be better: the two may be as good as each other" in choice.reason
    assert "shown to be better" not in choice.reason.replace("not shown to be better", "")


def test_of_two_that_are_as_good_the_lower_loss_wins_and_then_the_fewer_steps():
    tied = choose([candidate(10, right(40), loss=0.6), candidate(20, right(40), loss=0.5)])
    assert tied.checkpoint.step == 20
    assert "step 10 has the same value, and its validation loss of 0.6000 is above 0.5000" in tied.reason
    alike = choose([candidate(20, right(40), loss=0.5), candidate(10, right(40), loss=0.5)])
    assert (alike.checkpoint.step, "step 20 has the same value and trained longer" in alike.reason) == (10, True)


def test_without_a_task_metric_the_lowest_loss_is_taken_and_the_reason_says_so():
    choice = choose([candidate(10, loss=0.5), candidate(20, loss=0.4), candidate(30)])
    assert choice.checkpoint.step == 20
    assert choice.reason.startswith(
        "step 20: no task metric could be measured; validation loss 0.4000, the lowest of 3"
    )
    assert choice.difference is None


def test_what_could_not_be_scored_has_no_chance_and_is_counted():
    choice = choose([candidate(10, right(2, of=60)), candidate(20, loss=0.1)])
    assert choice.checkpoint.step == 10
    assert "1 checkpoint could not be scored and had no chance" in choice.reason


def test_where_nothing_was_measured_the_first_is_taken_and_nothing_is_claimed():
    choice = choose([candidate(20), candidate(10)])
    assert choice.checkpoint.step == 10
    assert "neither a task metric nor a validation loss was measured" in choice.reason


def test_a_single_checkpoint_has_no_runner_up():
    choice = choose([candidate(10, right(40))])
    assert (choice.runner_up, choice.p) == (None, None)
    assert choice.reason == (
        "step 10: label 0.667 (95% interval 0.541 to 0.773, 60 items) on validation, the only checkpoint"
    )


def test_the_model_before_training_is_compared_on_the_same_items():
    better = choose([candidate(10, right(40))], base=candidate(0, right(10)))
    assert better.against_base.is_shown
    assert "to the model before training, 0.167: shown to be better" in better.reason
    worse = choose([candidate(10, right(10))], base=candidate(0, right(40)))
    assert "shown to be worse: training did harm" in worse.reason
    same = choose([candidate(10, right(11))], base=candidate(0, right(10)))
    assert "no difference is shown" in same.reason


def test_without_the_items_no_test_is_made_up():
    choice = choose([candidate(10, value=0.8), candidate(20, value=0.7)], base=candidate(0, value=0.1))
    assert (choice.difference, choice.interval, choice.p) == (None, None, None)
    assert choice.reason.count("without its items no paired test can tell them apart") == 2


def test_runs_are_compared_by_their_names():
    choice = choose([candidate(10, right(40), name="lower rate"), candidate(10, right(30), name="defaults")])
    assert choice.reason.startswith("lower rate: label 0.667")
    assert "to the runner-up, defaults" in choice.reason


CANDIDATES = some.lists(
    some.builds(
        lambda step, hits, loss: candidate(step, hits, loss=loss),
        some.integers(1, 100), some.none() | some.lists(some.sampled_from([0.0, 1.0]), min_size=8, max_size=8),
        some.none() | some.floats(0, 10),
    ),
    min_size=1, max_size=6, unique_by=lambda each: each.checkpoint.step,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(CANDIDATES, some.randoms())
def test_the_choice_is_one_of_them_none_is_above_it_and_the_order_does_not_matter(candidates, chance):
    choice = choose(candidates)
    chosen = next(each for each in candidates if each.checkpoint == choice.checkpoint)
    values = [each.value for each in candidates if each.value is not None]
    assert chosen.value == (max(values) if values else None)
    shuffled = candidates[:]
    chance.shuffle(shuffled)
    assert choose(shuffled) == choice
