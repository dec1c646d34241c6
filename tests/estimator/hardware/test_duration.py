from dataclasses import replace

import pytest

from estimator.hardware import Method, SetupInvalid, TrainingSetup, find_gpu, find_model, training_speed, training_time

LORA = TrainingSetup(model=find_model("Mistral-7B"), gpu=find_gpu("A100-80GB-SXM"), method=Method.LORA, seq=4096)


def test_hours_are_tokens_over_speed_with_evaluation_start_and_saving() -> None:
    found, speed = training_time(LORA, 4_500_000), training_speed(LORA).tokens_per_s
    assert speed is not None
    training_h = 4_500_000 / speed / 3600
    start_h = 2 / 60 + 2 * LORA.model.parameters / 2**30 / 3600
    assert found.training_h == pytest.approx(training_h)
    assert found.evaluation_h == pytest.approx(0.05 * training_h)
    assert (found.start_h, found.save_h) == (pytest.approx(start_h), 0)
    assert found.hours == pytest.approx(1.05 * training_h + start_h)


def test_the_reference_run_of_4_5_million_tokens_takes_about_20_minutes() -> None:
    training_h = training_time(replace(LORA, micro_batch=4), 4_500_000).training_h
    assert training_h is not None
    assert 18 <= training_h * 60 <= 24


def test_the_slowest_speed_gives_the_longest_time() -> None:
    found = training_time(LORA, 1_000_000)
    assert found.low is not None
    assert found.hours is not None
    assert found.high is not None
    assert found.low < found.hours < found.high


def test_full_tuning_saves_the_whole_model() -> None:
    full = replace(LORA, method=Method.FULL)
    assert training_time(full, 1).save_h == pytest.approx(2 * full.model.parameters / 2**30 / 3600)


def test_an_unknown_speed_makes_the_hours_unknown() -> None:
    card = replace(LORA.gpu, hbm_gb_s=None)
    found = training_time(replace(LORA, gpu=card), 1_000_000)
    assert (found.hours, found.low, found.high, found.training_h, found.evaluation_h) == (None,) * 5


def test_no_tokens_and_no_share_are_refused_together() -> None:
    with pytest.raises(SetupInvalid) as refusal:
        training_time(LORA, 0, evaluation_share=-0.1)
    assert [problem.where for problem in refusal.value.problems] == ["tokens", "evaluation_share"]
