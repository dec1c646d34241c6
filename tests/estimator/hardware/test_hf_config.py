from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.hardware import Loss, Mlp, ModelConfigInvalid, find_model, model_from_hf_config, parameter_count

LLAMA = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": False,
}
CONFIGS: dict[str, dict[str, object]] = {
    "Llama-3.1-8B": {**LLAMA},
    "Mixtral-8x7B": {
        **LLAMA, "model_type": "mixtral", "vocab_size": 32000, "num_local_experts": 8, "num_experts_per_tok": 2,
    },
    "Qwen2.5-7B": {
        "model_type": "qwen2", "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
        "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064, "tie_word_embeddings": False,
    },
    "Qwen-7B": {
        "model_type": "qwen", "hidden_size": 4096, "intermediate_size": 22016, "num_hidden_layers": 32,
        "num_attention_heads": 32, "vocab_size": 151936, "tie_word_embeddings": False, "seq_length": 8192,
    },
    "Qwen3-30B-A3B": {
        "model_type": "qwen3_moe", "hidden_size": 2048, "intermediate_size": 6144, "moe_intermediate_size": 768,
        "num_hidden_layers": 48, "num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128,
        "vocab_size": 151936, "num_experts": 128, "num_experts_per_tok": 8, "decoder_sparse_step": 1,
        "tie_word_embeddings": False,
    },
    "Qwen3.5-35B-A3B": {
        "model_type": "qwen3_5_moe",
        "text_config": {
            "model_type": "qwen3_5_moe_text", "hidden_size": 2048, "moe_intermediate_size": 512,
            "shared_expert_intermediate_size": 512, "num_hidden_layers": 40, "num_attention_heads": 16,
            "num_key_value_heads": 2, "head_dim": 256, "vocab_size": 248320, "num_experts": 256,
            "num_experts_per_tok": 8, "linear_num_key_heads": 16, "linear_num_value_heads": 32,
            "linear_key_head_dim": 128, "linear_value_head_dim": 128, "full_attention_interval": 4,
            "tie_word_embeddings": False,
        },
    },
    "Gemma-2-9B": {
        "model_type": "gemma2", "hidden_size": 3584, "intermediate_size": 14336, "num_hidden_layers": 42,
        "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 256, "vocab_size": 256000,
    },
    "Gemma-3-4B": {
        "model_type": "gemma3",
        "text_config": {
            "model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34,
        },
        "vision_config": {"hidden_size": 1152},
    },
    "Phi-3-mini": {
        "model_type": "phi3", "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 32064, "tie_word_embeddings": False,
    },
    "GPT-2": {
        "model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024, "vocab_size": 50257,
        "n_inner": None,
    },
    "SantaCoder-1.1B": {
        "model_type": "gpt_bigcode", "n_embd": 2048, "n_layer": 24, "n_head": 16, "n_inner": 8192,
        "n_positions": 2048, "vocab_size": 49280, "multi_query": True,
    },
    "GPT-NeoX-20B": {
        "model_type": "gpt_neox", "hidden_size": 6144, "intermediate_size": 24576, "num_hidden_layers": 44,
        "num_attention_heads": 64, "vocab_size": 50432, "max_position_embeddings": 2048, "tie_word_embeddings": False,
    },
    "MPT-7B": {
        "model_type": "mpt", "d_model": 4096, "n_layers": 32, "n_heads": 32, "expansion_ratio": 4, "max_seq_len": 2048,
        "vocab_size": 50368,
    },
    "Falcon-7B": {
        "model_type": "falcon", "hidden_size": 4544, "num_hidden_layers": 32, "num_attention_heads": 71,
        "multi_query": True, "new_decoder_architecture": False, "vocab_size": 65024,
    },
    "gpt-oss-20B": {
        "model_type": "gpt_oss", "hidden_size": 2880, "intermediate_size": 2880, "num_hidden_layers": 24,
        "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64, "vocab_size": 201088,
        "num_local_experts": 32, "num_experts_per_tok": 4, "tie_word_embeddings": False,
    },
    "Llama-4-Maverick-17Bx128E": {
        "model_type": "llama4",
        "text_config": {
            "model_type": "llama4_text", "hidden_size": 5120, "intermediate_size": 8192,
            "intermediate_size_mlp": 16384, "num_hidden_layers": 48, "num_attention_heads": 40,
            "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 202048, "num_local_experts": 128,
            "num_experts_per_tok": 1, "interleave_moe_layer_step": 2, "tie_word_embeddings": False,
        },
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_describes_the_model_of_the_catalogue(name: str) -> None:
    from_config, known = model_from_hf_config(CONFIGS[name]), find_model(name)
    assert from_config.parameters == known.parameters
    assert from_config.active_parameters == known.active_parameters
    assert from_config.loss is known.loss
    assert not from_config.note


def test_everything_wrong_with_a_config_is_said_at_once() -> None:
    config = {**LLAMA, "hidden_size": "4096", "num_hidden_layers": -3, "num_key_value_heads": 7}
    del config["vocab_size"]
    with pytest.raises(ModelConfigInvalid) as refusal:
        model_from_hf_config(config)
    places = {problem.where for problem in refusal.value.problems}
    assert places == {"hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size"}


@pytest.mark.parametrize("nonsense", [0, -1, 1.5, True, "32", [], 10**12, float("nan")])
def test_a_size_is_a_whole_number_of_at_least_one(nonsense: object) -> None:
    with pytest.raises(ModelConfigInvalid, match=r"num_hidden_layers: .* is not a size"):
        model_from_hf_config({**LLAMA, "num_hidden_layers": nonsense})


def test_an_empty_config_names_every_missing_size() -> None:
    with pytest.raises(ModelConfigInvalid) as refusal:
        model_from_hf_config({})
    assert {problem.message for problem in refusal.value.problems} == {"is missing"}
    assert len(refusal.value.problems) == 5


def test_more_experts_per_token_than_experts_are_refused() -> None:
    with pytest.raises(ModelConfigInvalid, match="9 of 8 experts per token"):
        model_from_hf_config({**CONFIGS["Mixtral-8x7B"], "num_experts_per_tok": 9})


def test_latent_attention_is_refused_and_not_guessed() -> None:
    with pytest.raises(ModelConfigInvalid, match="latent attention is not described"):
        model_from_hf_config({**LLAMA, "model_type": "deepseek_v3", "kv_lora_rank": 512})


def test_a_type_nobody_described_is_read_like_llama_and_says_so() -> None:
    model = model_from_hf_config({**LLAMA, "model_type": "brand_new"})
    assert model.architecture.mlp is Mlp.GATED
    assert model.loss is Loss.PLAIN
    assert "'brand_new' is not known; read like Llama" in model.note
    assert model.parameters == parameter_count(model.architecture) == 8_030_261_248


def test_the_name_comes_from_the_config_where_it_has_one() -> None:
    assert model_from_hf_config({**LLAMA, "_name_or_path": "acme/support-8b"}).name == "acme/support-8b"
    assert model_from_hf_config(LLAMA).name == "llama"


@given(
    st.dictionaries(
        st.sampled_from([*LLAMA, "num_experts", "num_experts_per_tok", "head_dim", "text_config"]),
        st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.dictionaries(st.text(), st.integers())),
    )
)
def test_whatever_a_config_holds_it_is_a_model_or_refused_with_its_problems(changes: dict[str, object]) -> None:
    with suppress(ModelConfigInvalid):
        model = model_from_hf_config({**LLAMA, **changes})
        assert 0 < model.active_parameters <= model.parameters
