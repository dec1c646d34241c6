"""What a run is made smaller by when memory was short: computed, with room to spare, and never larger than it was."""

from dataclasses import asdict

import pytest

from backends.spec import Adapter, Hyperparameters
from engagements.phases.training.plans.shrinking import MARGIN, planned_smaller, smaller
from estimator.hardware.gpus import find_gpu
from estimator.hardware.memory import training_memory
from estimator.hardware.models import find_model
from estimator.hardware.training_setup import Method, TrainingSetup


def setup(model: str, gpu: str, *, micro_batch: int = 8, seq: int = 2048, method: Method = Method.LORA):
    return TrainingSetup(
        model=find_model(model), gpu=find_gpu(gpu), method=method, seq=seq, micro_batch=micro_batch, rank=16,
        grad_checkpointing=False,
    )  # fmt: skip


@pytest.mark.parametrize("gpu", ["L4", "A100-80GB", "H100"])
@pytest.mark.parametrize("model", ["Llama-3-8B", "Llama-2-7B", "Qwen3-8B"])
def test_it_fits_with_a_quarter_to_spare_and_is_smaller(model, gpu):
    given = setup(model, gpu)
    found = smaller(given)
    assert found is not None
    assert found.needed_gib <= MARGIN * found.capacity_gib
    assert found.needed_gib < training_memory(given).needed_gib
    assert found.micro_batch_size <= given.micro_batch


def test_what_is_too_large_for_any_setting_is_not_promised():
    assert smaller(setup("Llama-2-70B", "L4")) is None


def test_a_base_in_four_bits_comes_last():
    roomy, tight = smaller(setup("Llama-2-7B", "H100")), smaller(setup("Llama-3-8B", "L4"))
    assert roomy is not None
    assert tight is not None
    assert (roomy.quantised, tight.quantised) == (False, True)


def test_it_changes_how_a_step_is_computed_and_not_what_it_learns_from():
    found = smaller(setup("Llama-3-8B", "L4"))
    assert found is not None
    given = Hyperparameters(rank=16, batch_size=32, learning_rate=2e-4)
    changed = found.of(given)
    assert changed.adapter is Adapter.QLORA
    assert (changed.batch_size, changed.learning_rate, changed.rank) == (32, 2e-4, 16)
    assert changed.micro_batch_size == found.micro_batch_size


def test_it_is_kept_with_the_prediction_and_read_again():
    found = smaller(setup("Llama-3-8B", "L4"))
    assert found is not None
    assert planned_smaller({"smaller": asdict(found)}) == found
    assert planned_smaller({"smaller": None}) is None
    assert planned_smaller({}) is None
