"""Experiments as specs: the three of the method, grids, and who goes on."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from backends.spec import DataFile, Hyperparameters, TrainingSpec
from engagements.phases.training.plans.matrix import MatrixInvalid, Rung, grid, rungs, survivors, three


def data(rows=100, digest="a"):
    return DataFile(path=Path(f"{digest}.jsonl"), sha256=digest * 64, rows=rows)


def base(**changes):
    described = {"run_id": "tickets", "backend": "peft", "model": "smol", "train": data(), "seed": 3}
    return TrainingSpec.model_validate(described | changes)


def test_the_three_are_defaults_a_lower_rate_and_the_best_examples():
    plain, slower, best = three(base(), rate_field="learning_rate", default_rate=2e-4, curated=data(40, "b"))
    assert [each.name for each in (plain, slower, best)] == ["defaults", "lower-rate", "curated"]
    assert (plain.spec.hyperparameters.given(), plain.spec.run_id) == ({}, "tickets-defaults")
    assert slower.spec.hyperparameters.given() == {"learning_rate": 1e-4}
    assert (best.spec.train.rows, best.spec.hyperparameters.given()) == (40, {})
    assert best.why == "whether the best 40 of 100 examples teach more than all of them"
    assert len({each.spec.digest for each in (plain, slower, best)}) == 3
    assert {each.spec.seed for each in (plain, slower, best)} == {3}


def test_without_a_curated_subset_there_are_two():
    found = three(base(), rate_field="learning_rate_multiplier", default_rate=1.0, curated=None)
    assert [each.spec.hyperparameters.given() for each in found] == [{}, {"learning_rate_multiplier": 0.5}]


def test_a_grid_is_every_combination_and_keeps_what_it_does_not_vary():
    found = grid(base(hyperparameters={"epochs": 2}), {"hyperparameters.rank": [8, 16], "seed": [1, 2], "model": ["a"]})
    assert [(each.spec.hyperparameters.rank, each.spec.seed, each.spec.model) for each in found] == [
        (8, 1, "a"), (8, 2, "a"), (16, 1, "a"), (16, 2, "a"),
    ]  # fmt: skip
    assert {each.spec.hyperparameters.epochs for each in found} == {2}
    assert [each.name for each in found] == ["g1", "g2", "g3", "g4"]
    assert found[1].why == "rank 8, seed 2, model a"


def test_all_that_is_wrong_with_a_grid_is_said_at_once():
    axes = {
        "hyperparameters.rnk": [8], "hyperparameters.rank": [8, 0], "seed": [], "model": ["a", "a"],
        "hyperparameters.epochs": [1, 2, 3],
    }  # fmt: skip
    with pytest.raises(MatrixInvalid) as refused:
        grid(base(), axes)
    said = [str(problem) for problem in refused.value.problems]
    assert "did you mean hyperparameters.rank" in said[0]
    assert [problem.where for problem in refused.value.problems[1:]] == [
        "axes.hyperparameters.rank",
        "axes.seed",
        "axes.model",
    ]


def test_more_runs_than_can_be_chosen_among_are_refused():
    with pytest.raises(MatrixInvalid, match="12 combinations are more than 10 runs"):
        grid(base(), {"seed": [1, 2, 3, 4], "hyperparameters.epochs": [1, 2, 3]})


def test_a_long_id_keeps_its_end():
    found = grid(base(run_id="x" * 64), {"seed": [1, 2]})
    assert [(len(each.spec.run_id), each.spec.run_id[-3:]) for each in found] == [(64, "-g1"), (64, "-g2")]


def test_nine_runs_are_thirded_twice():
    assert rungs(9) == (
        Rung(runs=9, share=1 / 9, keep=3), Rung(runs=3, share=1 / 3, keep=1), Rung(runs=1, share=1.0, keep=1),
    )  # fmt: skip
    assert rungs(1) == (Rung(runs=1, share=1.0, keep=1),)


@given(some.integers(1, 60), some.integers(2, 5))
def test_rungs_follow_each_other_and_one_run_reaches_the_end(runs, factor):
    found = rungs(runs, factor=factor)
    assert (found[0].runs, found[-1].keep, found[-1].share) == (runs, 1, 1.0)
    assert all(one.keep == other.runs and one.share < other.share for one, other in pairwise(found))


def test_the_lowest_losses_go_on_and_what_was_not_measured_comes_last():
    losses = {"a": 0.5, "b": None, "c": 0.3, "d": float("nan"), "e": 0.5}
    assert survivors(losses, 3) == ("c", "a", "e")
    assert survivors({"a": None, "b": 0.1}, 5) == ("b", "a")


def test_hyperparameters_of_a_base_that_is_shared_are_not_changed():
    shared = base(hyperparameters=Hyperparameters(epochs=2))
    grid(shared, {"hyperparameters.epochs": [3, 4]})
    assert shared.hyperparameters.epochs == 2
