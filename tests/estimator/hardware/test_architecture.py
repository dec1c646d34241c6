import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.hardware import Architecture, Experts, LinearLayer, Mlp, find_model, known_models, parameter_count
from estimator.hardware.architecture import (
    ALL_LINEAR,
    active_parameter_count,
    adapter_parameter_count,
    shape_of_size,
)
from estimator.hardware.models import published_parameters_b

LLAMA_3_8B = find_model("Llama-3-8B").architecture
ATTENTION = frozenset({LinearLayer.QUERY, LinearLayer.KEY, LinearLayer.VALUE, LinearLayer.OUTPUT})


@pytest.mark.parametrize(("name", "published_b"), published_parameters_b().items())
def test_the_architecture_counts_the_published_parameters(name: str, published_b: float) -> None:
    assert parameter_count(find_model(name).architecture) == pytest.approx(published_b * 1e9, rel=0.005)


@pytest.mark.parametrize(
    ("name", "published", "places"),
    [
        ("Qwen3.5-0.8B", 0.8, 1),
        ("Qwen3.5-2B", 2, 0),
        ("Qwen3.5-4B", 4, 0),
        ("Qwen3.5-27B", 27, 0),
        ("Qwen3.5-35B-A3B", 35, 0),
        ("Ministral-3-3B", 3, 0),
        ("Ministral-3-8B", 8, 0),
    ],
)
def test_a_rounded_size_is_the_counted_one_rounded(name: str, published: float, places: int) -> None:
    assert round(parameter_count(find_model(name).architecture) / 1e9, places) == published


def test_llama_3_8b_by_hand() -> None:
    attention = 2 * 4096 * 4096 + 2 * 4096 * 1024
    layer = attention + 3 * 4096 * 14_336 + 2 * 4096
    assert parameter_count(LLAMA_3_8B) == 32 * layer + 2 * 128_256 * 4096 + 4096 == 8_030_261_248


def test_a_token_passes_two_of_mixtrals_eight_experts() -> None:
    mixtral = find_model("Mixtral-8x7B").architecture
    expert = 3 * 4096 * 14_336
    assert parameter_count(mixtral) - active_parameter_count(mixtral) == 32 * 6 * expert
    assert active_parameter_count(mixtral) == pytest.approx(12.88e9, rel=0.001)


def test_tied_embeddings_count_once() -> None:
    llama = find_model("Llama-3.2-3B").architecture
    assert llama.embedding_parameters == 128_256 * 3072


def test_adapter_of_rank_16_on_attention_and_on_all_seven_matrices() -> None:
    assert adapter_parameter_count(LLAMA_3_8B, 16, ATTENTION) == 13_631_488
    assert adapter_parameter_count(LLAMA_3_8B, 16, ALL_LINEAR) == 41_943_040


def test_an_adapter_does_not_reach_into_experts() -> None:
    mixtral = find_model("Mixtral-8x7B").architecture
    assert adapter_parameter_count(mixtral, 16, ALL_LINEAR) == adapter_parameter_count(mixtral, 16, ATTENTION)


def test_a_plain_mlp_has_no_gate() -> None:
    assert LinearLayer.GATE not in find_model("GPT-2").architecture.matrices()
    assert LinearLayer.GATE in LLAMA_3_8B.matrices()


def test_dense_layers_of_a_mixture_hold_a_dense_mlp() -> None:
    shape = Architecture(
        layers=2, hidden=8, ffn=32, heads=2, kv_heads=2, head_dim=4, vocabulary=10, mlp=Mlp.PLAIN,
        experts=Experts(count=4, per_token=1, ffn=16, dense_layers=1),
    )  # fmt: skip
    mixers, norms = 2 * 4 * 8 * 8, 5 * 8
    mixture = 4 * 2 * 8 * 16 + 8 * 4
    assert parameter_count(shape) == 2 * 10 * 8 + mixers + norms + mixture + 2 * 8 * 32


@given(st.floats(3e8, 2e12))
def test_an_inferred_shape_has_about_the_size_it_was_inferred_from(parameters: float) -> None:
    assert 0.5 < parameter_count(shape_of_size(parameters)) / parameters < 2.6


def test_every_known_model_is_found_by_its_own_name() -> None:
    assert [find_model(name).name for name in known_models()] == list(known_models())
