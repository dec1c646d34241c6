"""Arithmetic and parameter counts of LoRA, against vectors from its peers' own tests and pages."""

import json
import math

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tiny_llama import tiny_llama
from torch import nn

from backends.peft_local.defaults import settled
from backends.peft_local.worker.model import prepared
from backends.spec import Hyperparameters


@pytest.fixture
def vectors(shared_data):
    return json.loads((shared_data / "sets" / "35b_lora_vectors" / "lora_vectors.json").read_text())


class One(nn.Module):
    def __init__(self, weight):
        super().__init__()
        self.layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        self.layer.weight.data = weight

    def forward(self, x):
        return self.layer(x)


@pytest.mark.shared_data
def test_an_adapter_adds_alpha_over_r_times_b_a(vectors):
    told = next(each for each in vectors["math"] if each["id"] == "lora_forward_small")
    weight, a, b, x = (torch.tensor(told[name], dtype=torch.float32) for name in ("W", "A", "B", "x"))
    adapted = get_peft_model(One(weight), LoraConfig(r=told["r"], lora_alpha=told["alpha"], target_modules=["layer"]))
    assert adapted(x).tolist() == told["base_out"]
    layer = adapted.base_model.model.layer
    layer.lora_A["default"].weight.data, layer.lora_B["default"].weight.data = a, b
    assert adapted(x).tolist() == told["out"]
    assert adapted.merge_and_unload().layer.weight.tolist() == told["merged_W"]


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "layers", "shapes"), [
    ("Qwen2.5-3B-Instruct", 36, ((2048, 2048), (2048, 256))), ("opt-6.7b", 32, ((4096, 4096), (4096, 4096))),
])  # fmt: skip
def test_printed_parameter_counts_are_the_sum_of_r_times_both_sides(vectors, name, layers, shapes):
    told = next(each for each in vectors["param_counts"] if each["model"] == name)
    assert layers * sum(told["r"] * (d_in + d_out) for d_in, d_out in shapes) == told["trainable"]


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
@pytest.mark.parametrize(("adapter", "scale"), [("lora", 32 / 8), ("rslora", 32 / math.sqrt(8)), ("dora", 32 / 8)])
def test_all_linear_layers_and_no_others_are_adapted(tmp_path, adapter, scale):
    folder = tiny_llama(tmp_path / "tiny")
    knobs = settled(
        Hyperparameters(adapter=adapter, rank=8, alpha=32), rows=10, validated=False, context=512, accelerated=False
    )
    loaded = prepared(folder, knobs, device=torch.device("cpu"), seed=0)
    sides = (32 + 32) * 2 + (32 + 16) * 2 + (32 + 64) * 3
    magnitudes = (32 * 2 + 16 * 2 + 64 * 2 + 32) if adapter == "dora" else 0
    assert sum(each.numel() for each in loaded.trained.values()) == 2 * (8 * sides + magnitudes)
    layer = loaded.network.base_model.model.model.layers[0].mlp.up_proj
    assert layer.scaling["default"] == pytest.approx(scale)
    assert not layer.lora_B["default"].weight.any()
