"""A llama of random weights, two layers and a vocabulary of bytes, written without loading PyTorch."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ("<|endoftext|>", "<|pad|>", "<|im_start|>", "<|im_end|>")
HIDDEN, INNER, LAYERS, HEADS, KEY_HEADS, LONGEST = 32, 64, 2, 4, 2, 512


def tiny_llama(
    folder: Path, *, template: str = TEMPLATE, seed: int = 0, vocabulary: int = 260, **config: object
) -> Path:
    """The folder, with configuration, weights and tokenizer; `config` changes what config.json says."""
    folder.mkdir(parents=True)
    tokenizer = byte_tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    told = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": vocabulary,
        "hidden_size": HIDDEN, "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": KEY_HEADS, "max_position_embeddings": LONGEST, "rms_norm_eps": 1e-5, "dtype": "float32",
        "hidden_act": "silu", "tie_word_embeddings": False, "rope_theta": 10000.0,
        "bos_token_id": 256, "eos_token_id": 259, "pad_token_id": 257,
    }  # fmt: skip
    write(folder / "config.json", told | config)
    names = {"bos_token": SPECIAL[0], "pad_token": SPECIAL[1], "eos_token": SPECIAL[3]}
    kind = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": LONGEST}
    write(folder / "tokenizer_config.json", {**kind, **names, "chat_template": template})
    save_file(weights(seed, vocabulary), folder / "model.safetensors", {"format": "pt"})
    return folder


def byte_tokenizer() -> Tokenizer:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL])
    return tokenizer


def weights(seed: int, vocabulary: int) -> dict[str, np.ndarray]:
    chance = np.random.default_rng(seed)
    keys = HIDDEN * KEY_HEADS // HEADS
    shapes = {"model.embed_tokens": (vocabulary, HIDDEN), "lm_head": (vocabulary, HIDDEN)}
    for layer in (f"model.layers.{number}" for number in range(LAYERS)):
        shapes |= {
            f"{layer}.self_attn.q_proj": (HIDDEN, HIDDEN), f"{layer}.self_attn.k_proj": (keys, HIDDEN),
            f"{layer}.self_attn.v_proj": (keys, HIDDEN), f"{layer}.self_attn.o_proj": (HIDDEN, HIDDEN),
            f"{layer}.mlp.gate_proj": (INNER, HIDDEN), f"{layer}.mlp.up_proj": (INNER, HIDDEN),
            f"{layer}.mlp.down_proj": (HIDDEN, INNER),
        }  # fmt: skip
    drawn = {f"{name}.weight": chance.normal(0, 0.2, shape).astype(np.float32) for name, shape in shapes.items()}
    norms = [
        "model.norm",
        *(f"model.layers.{n}.{part}_layernorm" for n in range(LAYERS) for part in ("input", "post_attention")),
    ]
    return drawn | {f"{name}.weight": np.ones(HIDDEN, np.float32) for name in norms}


def write(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content), "utf-8")
