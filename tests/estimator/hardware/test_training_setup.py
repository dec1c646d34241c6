import math

import pytest

from estimator.hardware import Loss, Method, SetupInvalid, TrainingSetup, find_gpu, find_model

LLAMA, A100 = find_model("Llama-3.1-8B"), find_gpu("A100-80GB-SXM")


def test_everything_wrong_with_a_run_is_said_at_once() -> None:
    with pytest.raises(SetupInvalid) as refusal:
        TrainingSetup(
            model=LLAMA, gpu=A100, method=Method.LORA, seq=0, micro_batch=-1, gpus=0, rank=0, targets=frozenset(),
            mean_tokens=math.nan,
        )  # fmt: skip
    places = {problem.where for problem in refusal.value.problems}
    assert places == {"seq", "micro_batch", "gpus", "rank", "targets", "mean_tokens"}


@pytest.mark.parametrize("mean_tokens", [0, -1, 2049, math.inf, math.nan])
def test_examples_hold_between_one_token_and_the_sequence(mean_tokens: float) -> None:
    with pytest.raises(SetupInvalid, match="do not lie between 1 and the sequence of 2048"):
        TrainingSetup(model=LLAMA, gpu=A100, method=Method.LORA, seq=2048, mean_tokens=mean_tokens)


def test_a_slip_of_the_pen_does_not_become_a_number() -> None:
    with pytest.raises(SetupInvalid, match="give a whole number from 1 to 16,777,216"):
        TrainingSetup(model=LLAMA, gpu=A100, method=Method.FULL, seq=10**30)


def test_full_tuning_does_not_ask_for_a_rank() -> None:
    assert TrainingSetup(model=LLAMA, gpu=A100, method=Method.FULL, seq=2048, rank=0, targets=frozenset()).rank == 0


def test_the_loss_is_the_models_unless_stated() -> None:
    setup = TrainingSetup(model=LLAMA, gpu=A100, method=Method.LORA, seq=2048)
    assert setup.loss_used is Loss.FUSED
    stated = TrainingSetup(model=LLAMA, gpu=A100, method=Method.LORA, seq=2048, loss=Loss.PLAIN)
    assert stated.loss_used is Loss.PLAIN
