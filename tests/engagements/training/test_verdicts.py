"""What curves say: each verdict from curves made by hand, with the numbers that led there."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from backends.events import Metrics
from engagements.phases.training.judging.verdicts import VerdictKind, judge

NAN = float("nan")


def run(train, valid=(), *, every=5, gradients=(), total=None, tokens=None):
    """A training loss a step from step 1 on; a validation loss of the whole file at every fifth."""
    tested = {every * number: loss for number, loss in enumerate(valid, start=1)}
    last = max(len(train), every * len(valid))
    return [
        Metrics(
            step=step, total_steps=total or last, train_loss=train[step - 1] if step <= len(train) else None,
            full_valid_loss=tested.get(step), grad_norm=gradients[step - 1] if step <= len(gradients) else None,
            tokens=tokens,
        )
        for step in range(1, last + 1)
    ]  # fmt: skip


def falling(steps, start=2.0, end=0.5):
    return [start + (end - start) * step / (steps - 1) for step in range(steps)]


def test_validation_that_ends_at_its_lowest_is_healthy():
    found = judge(run(falling(20), [1.0, 0.8, 0.76, 0.74]), ended=True)
    assert (found.kind, found.since_step) == (VerdictKind.HEALTHY, None)
    assert found.said == (
        "the validation loss is lowest, 0.740, at step 20, its last; the training loss went from 2.000 to 0.539"
    )
    assert found.numbers == {
        "best_valid_loss": 0.74, "best_step": 20.0, "last_valid_loss": 0.74, "first_train_loss": 2.0,
        "last_train_loss": pytest.approx(0.5395, abs=1e-4),
    }  # fmt: skip


def test_validation_that_rises_twice_while_training_falls_is_overfitting_since_its_best():
    found = judge(run(falling(20), [1.0, 0.8, 0.9, 1.1]), ended=True)
    assert (found.kind, found.since_step) == (VerdictKind.OVERFITTING, 10)
    assert found.numbers["best_valid_loss"] == 0.8
    assert found.numbers["last_valid_loss"] == 1.1
    assert found.numbers["evaluations_since_best"] == 2
    assert found.numbers["last_train_loss"] < found.numbers["train_loss_at_best"]
    assert found.said.startswith("overfitting since step 10: the validation loss was 0.800 at step 10 and is 1.100")


@pytest.mark.parametrize("valid", [[1.0, 0.8, 0.85], [1.0, 0.8, 0.81, 0.805], [1.0, 0.8, 0.9, 0.79]])
def test_one_rise_or_one_within_the_noise_or_one_that_was_mended_is_no_overfitting(valid):
    assert judge(run(falling(20), valid), ended=True).kind is VerdictKind.HEALTHY


def test_validation_and_training_that_rise_together_are_unstable():
    train = [*falling(10), 0.6, 0.7, 0.8, 0.9, 0.9, 0.9, 0.9, 0.95, 1.0, 1.0]
    found = judge(run(train, [1.0, 0.8, 0.9, 1.1]), ended=True)
    assert (found.kind, found.since_step) == (VerdictKind.UNSTABLE, 10)


@pytest.mark.parametrize(("first", "said"), [(0.0, "is 0"), (NAN, "is no number"), (math.inf, "is no number")])
def test_a_first_loss_of_nothing_means_that_every_label_is_masked(first, said):
    found = judge(run([first, 1.0, 0.9]), ended=False)
    assert (found.kind, found.since_step) == (VerdictKind.MASK_BROKEN, 1)
    assert said in found.said


def test_no_trained_token_means_that_every_label_is_masked():
    found = judge(run([1.0, 0.9], tokens=0), ended=False)
    assert (found.kind, found.numbers) == (VerdictKind.MASK_BROKEN, {"trained_tokens": 0, "step": 2})


def test_losses_that_are_the_same_to_the_last_digit_teach_nothing():
    found = judge(run([1.25] * 5 + [1.2]), ended=False)
    assert (found.kind, found.numbers["same"]) == (VerdictKind.MASK_BROKEN, 5)
    assert judge(run([1.25] * 4 + [1.2] * 8), ended=False).kind is not VerdictKind.MASK_BROKEN


def test_a_loss_that_falls_to_exactly_0_and_stays_is_lost_not_learnt():
    found = judge(run([2.0, 1.0, 0.0, 0.0, 0.0]), ended=False)
    assert (found.kind, found.since_step) == (VerdictKind.MASK_BROKEN, 3)


def test_gradients_of_0_train_no_weight():
    found = judge(run([2.0, 1.9, 2.1, 1.8], gradients=[1.0, 0.0, 0.0, 0.0]), ended=False)
    assert (found.kind, found.since_step) == (VerdictKind.FROZEN, 2)
    assert judge(run([2.0, 1.9, 2.1], gradients=[0.0, 0.0, 0.5]), ended=False).kind is not VerdictKind.FROZEN


def test_three_losses_of_twice_the_start_are_divergence():
    found = judge(run([2.0, 2.1, 1.9, 1.5, 4.1, 4.5, 5.0]), ended=False)
    assert (found.kind, found.since_step) == (VerdictKind.DIVERGED, 5)
    assert found.numbers == {"start_train_loss": 2.0, "last_train_loss": 5.0, "bound": 4.0}


@pytest.mark.parametrize(
    "train", [[2.0, 2.0, 2.1, 4.1, 4.2], [2.0, 2.0, 2.1, 4.1, 4.2, 4.3, 1.0], [0.1, 0.1, 0.11, 0.3, 0.3, 0.3]]
)
def test_two_high_losses_or_a_spike_that_passed_or_noise_about_a_small_loss_are_no_divergence(train):
    assert judge(run(train), ended=False).kind is VerdictKind.TOO_EARLY


def test_a_loss_that_becomes_no_number_and_stays_is_divergence():
    found = judge(run([2.0, 1.0, NAN, NAN]), ended=False)
    assert (found.kind, found.since_step, found.numbers) == (VerdictKind.DIVERGED, 3, {"step": 3})
    assert judge(run([2.0, NAN, 1.5]), ended=False).kind is VerdictKind.TOO_EARLY


def test_training_far_below_validation_and_near_0_is_learnt_by_heart():
    found = judge(run([*falling(16), 0.01, 0.01, 0.01, 0.01], [1.0, 0.9, 0.89, 0.88]), ended=True)
    assert found.kind is VerdictKind.MEMORISING
    assert found.numbers == {"last_train_loss": pytest.approx(0.01), "last_valid_loss": 0.88}


def test_a_small_loss_that_validation_shares_is_a_simple_task():
    valid = [1.0, 0.5, 0.041, 0.04]
    assert judge(run([*falling(16), 0.03, 0.03, 0.03, 0.03], valid), ended=True).kind is not VerdictKind.MEMORISING


def test_gradients_above_100_are_unstable_where_they_are_no_exception():
    steep = [1.0] * 17 + [150.0, 120.0, 101.0]
    found = judge(run(falling(20), [1.0, 0.8, 0.76, 0.74], gradients=steep), ended=True)
    assert (found.kind, found.since_step) == (VerdictKind.UNSTABLE, 18)
    assert found.numbers == {"steps_above": 3, "steps": 20}
    rare = [1.0] * 18 + [150.0, 120.0]
    assert judge(run(falling(20), [1.0, 0.8, 0.76, 0.74], gradients=rare), ended=True).kind is VerdictKind.HEALTHY


def test_without_validation_nobody_can_say_whether_it_overfits():
    found = judge(run(falling(20)), ended=True)
    assert found.kind is VerdictKind.NO_VALIDATION
    assert "whether it overfits cannot be said" in found.said
    assert judge(run(falling(20), total=100), ended=False).kind is VerdictKind.TOO_EARLY
    assert judge(run(falling(20), total=40), ended=False).kind is VerdictKind.NO_VALIDATION


def test_validation_that_still_falls_at_the_end_wants_more_epochs():
    found = judge(run(falling(15), [1.2, 0.9, 0.7]), ended=True)
    assert (found.kind, found.since_step) == (VerdictKind.UNDERFITTING, 10)
    assert found.numbers["fell_share"] == pytest.approx(2 / 9)
    assert judge(run(falling(15), [1.2, 0.9, 0.7]), ended=False).kind is VerdictKind.HEALTHY


def test_training_that_hardly_falls_learnt_hardly_anything():
    found = judge(run(falling(20, 2.0, 1.98), [2.0, 1.99, 1.98, 1.98]), ended=True)
    assert (found.kind, "hardly anything was learnt" in found.said) == (VerdictKind.UNDERFITTING, True)


def test_validation_that_stands_still_for_half_of_the_run_is_a_plateau():
    found = judge(run(falling(40), [1.2, 0.9, 0.704, 0.702, 0.701, 0.7, 0.702, 0.701]), ended=False)
    assert (found.kind, found.since_step) == (VerdictKind.PLATEAU, 15)
    assert found.numbers["evaluations"] == 6


def test_a_few_points_say_no_more_than_that_it_runs():
    assert judge([], ended=False).kind is VerdictKind.TOO_EARLY
    assert judge([], ended=True).kind is VerdictKind.TOO_EARLY
    found = judge(run(falling(9), [1.0]), ended=False)
    assert (found.kind, found.numbers) == (VerdictKind.TOO_EARLY, {"measured": 9, "evaluations": 1})


def test_a_provider_that_tests_one_batch_a_step_is_read_in_windows():
    noisy = [1.0 + 0.4 * math.sin(2 * math.pi * step / 5) for step in range(50)]
    points = [
        Metrics(step=step, total_steps=50, train_loss=2 - step / 30, valid_loss=loss + max(0, step - 25) / 20)
        for step, loss in enumerate(noisy, start=1)
    ]  # fmt: skip
    found = judge(points, ended=True)
    assert found.kind is VerdictKind.OVERFITTING
    assert 20 <= (found.since_step or 0) <= 30


LOSSES = some.none() | some.floats(allow_nan=True, allow_infinity=True)
POINT = some.builds(
    Metrics, step=some.integers(1, 60), total_steps=some.none() | some.integers(1, 100), train_loss=LOSSES,
    valid_loss=LOSSES, full_valid_loss=LOSSES, grad_norm=LOSSES, tokens=some.none() | some.integers(0, 10),
)  # fmt: skip


@given(points=some.lists(POINT, max_size=40), ended=some.booleans())
def test_every_curve_has_a_verdict_with_finite_numbers(points, ended):
    found = judge(points, ended=ended)
    assert found.said
    assert all(map(math.isfinite, found.numbers.values()))
    assert found.since_step is None or any(point.step == found.since_step for point in points)


@given(points=some.lists(POINT, max_size=30, unique_by=lambda point: point.step), ended=some.booleans())
def test_points_that_are_told_twice_change_nothing(points, ended):
    assert judge([*points, *points], ended=ended) == judge(points, ended=ended)
