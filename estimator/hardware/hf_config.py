"""A model from its Hugging Face config.json."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from estimator.errors import EstimatorError, Problem
from estimator.hardware.architecture import Architecture, Experts, LinearAttention, Mlp
from estimator.hardware.models import Model, known_model_types, model_of

# What the same size is called in config files, the commonest name first.
_NAMES: Final = {
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    "hidden": ("hidden_size", "n_embd", "d_model", "n_embed"),
    "heads": ("num_attention_heads", "n_head", "n_heads"),
    "vocabulary": ("vocab_size", "padded_vocab_size"),
    "ffn": ("intermediate_size", "n_inner", "ffn_hidden_size"),
    "kv_heads": ("num_key_value_heads", "num_kv_heads", "multi_query_group_num"),
    "context": ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"),
    "experts": ("num_local_experts", "num_experts", "n_routed_experts"),
    "per_token": ("num_experts_per_tok", "experts_per_token", "moe_topk"),
}
# The types whose class defaults, which a config.json leaves out, differ from Llama's.
_TIED: Final = frozenset({
    "bloom", "cohere", "falcon", "gemma", "gemma2", "gemma3", "gemma4", "gpt2", "gpt_bigcode", "mpt", "opt",
    "starcoder2",
})  # fmt: skip
_PLAIN_MLP: Final = frozenset({
    "apertus", "bloom", "falcon", "gpt2", "gpt_bigcode", "gpt_neox", "gptj", "mpt", "nemotron", "opt", "phi",
    "starcoder2",
})  # fmt: skip
_LEARNED_POSITIONS: Final = frozenset({"gpt2", "gpt_bigcode", "mpt", "opt"})
# Gemma3TextConfig: the published config of Gemma-3-4B relies on all four.
_DEFAULTS: Final[Mapping[str, Mapping[str, int]]] = {
    "gemma3": {"num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "vocab_size": 262_208},
}
_LARGEST: Final = 100_000_000


class ModelConfigInvalid(EstimatorError):
    """A config.json that does not describe a decoder-only transformer, with everything that is wrong with it."""

    code = "model_config_invalid"


def model_from_hf_config(config: Mapping[str, object]) -> Model:
    """The language model a config.json describes; of a multimodal one its `text_config`.

    Llama, Mistral, Mixtral, Qwen 1 to 3.5, Gemma, Phi, GPT-2, GPT-NeoX, MPT, gpt-oss and their kin. A model type that
    is not among them is read like Llama, and its note says so. Raises ModelConfigInvalid with all problems.
    """
    text = config.get("text_config")
    merged = {**config, **text} if isinstance(text, Mapping) else dict(config)
    model_type = str(merged.get("model_type", "unknown")).removesuffix("_text")
    fields = _Fields(config={**_DEFAULTS.get(model_type, {}), **merged}, model_type=model_type)
    architecture = _architecture(fields)
    context = fields.optional("context")
    if fields.problems or architecture is None:
        raise ModelConfigInvalid(*fields.problems.values())
    known = model_type in known_model_types() | _PLAIN_MLP
    return model_of(
        str(config.get("_name_or_path") or model_type), model_type, architecture, context=context,
        source="config.json", note="" if known else f"model type {model_type!r} is not known; read like Llama",
    )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class _Fields:
    """Reads sizes by any of their names and collects what is wrong, one problem a field."""

    config: Mapping[str, object]
    model_type: str
    problems: dict[str, Problem] = field(default_factory=dict)

    def required(self, size: str) -> int:
        """The size, or 1 and a problem."""
        found, names = self.optional(size), _names(size)
        if found is None and not self.problems.keys() & set(names):
            self.refuse(names[0], "is missing", "give the config.json as it was published")
        return found or 1

    def optional(self, size: str) -> int | None:
        key = next((key for key in _names(size) if self.config.get(key) is not None), None)
        if key is None:
            return None
        value = self.config[key]
        if type(value) is int and 1 <= value <= _LARGEST:
            return value
        self.refuse(key, f"{repr(value)[:40]} is not a size", "a whole number of at least 1 is expected")
        return None

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.config.get(key)
        return value if isinstance(value, bool) else default

    def divides(self, whole: str, part: str) -> None:
        larger, smaller = self.optional(whole), self.optional(part)
        if larger and smaller and larger % smaller:
            message = f"{larger} is not a multiple of {_names(part)[0]} = {smaller}"
            self.refuse(_names(whole)[0], message, "one of the two is wrong")

    def refuse(self, where: str, message: str, remedy: str) -> None:
        self.problems[where] = Problem(code="config.bad_field", message=message, remedy=remedy, where=where)


def _names(size: str) -> tuple[str, ...]:
    return _NAMES.get(size, (size,))


def _architecture(fields: _Fields) -> Architecture | None:
    if "kv_lora_rank" in fields.config:
        remedy = "add the published parameter counts to estimator/hardware/models.toml"
        fields.refuse("kv_lora_rank", "multi-head latent attention is not described here", remedy)
        return None
    kind = fields.model_type
    hidden, heads, layers = fields.required("hidden"), fields.required("heads"), fields.required("layers")
    head_dim = fields.optional("head_dim")
    if head_dim is None:
        fields.divides("hidden", "heads")
    fields.divides("heads", "kv_heads")
    experts = _experts(fields, layers)
    return Architecture(
        layers=layers, hidden=hidden, heads=heads, head_dim=head_dim or max(1, hidden // heads),
        kv_heads=_kv_heads(fields, heads), ffn=_ffn(fields, hidden, experts), vocabulary=fields.required("vocabulary"),
        tied=fields.flag("tie_word_embeddings", default=kind in _TIED),
        positions=(fields.optional("context") or 0) if kind in _LEARNED_POSITIONS else 0,
        mlp=Mlp.PLAIN if kind in _PLAIN_MLP else Mlp.GATED, experts=experts,
        linear_attention=_linear_attention(fields),
    )  # fmt: skip


def _kv_heads(fields: _Fields, heads: int) -> int:
    found = fields.optional("kv_heads")
    single = fields.flag("multi_query", default=False) and not fields.flag("new_decoder_architecture", default=False)
    return 1 if single and fields.model_type in {"falcon", "gpt_bigcode"} else found or heads


def _ffn(fields: _Fields, hidden: int, experts: Experts | None) -> int:
    """The size of the dense layers; four widths where a plain model leaves it out."""
    if fields.model_type == "llama4":
        return fields.optional("intermediate_size_mlp") or fields.required("ffn")
    if fields.model_type == "qwen":
        # Qwen 1 counts gate and up together.
        return fields.required("ffn") // 2
    found = fields.optional("ffn")
    if found is None and fields.model_type in _PLAIN_MLP:
        return hidden * (fields.optional("expansion_ratio") or 4)
    return found or (experts.ffn if experts else fields.required("ffn"))


def _experts(fields: _Fields, layers: int) -> Experts | None:
    count = fields.optional("experts")
    if count is None or count == 1:
        return None
    per_token = fields.required("per_token")
    if per_token > count:
        fields.refuse(_names("per_token")[0], f"{per_token} of {count} experts per token", "one of the two is wrong")
    llama4 = fields.model_type == "llama4"
    ffn = fields.optional("moe_intermediate_size") or fields.required("ffn")
    every = (fields.optional("interleave_moe_layer_step") if llama4 else fields.optional("decoder_sparse_step")) or 1
    return Experts(
        count=count, per_token=per_token, ffn=ffn,
        shared_ffn=ffn if llama4 else fields.optional("shared_expert_intermediate_size") or 0,
        dense_layers=layers - layers // every,
    )  # fmt: skip


def _linear_attention(fields: _Fields) -> LinearAttention | None:
    if fields.optional("linear_num_value_heads") is None:
        return None
    return LinearAttention(
        key_heads=fields.required("linear_num_key_heads"), value_heads=fields.required("linear_num_value_heads"),
        head_dim=fields.required("linear_value_head_dim"), every=fields.optional("full_attention_interval") or 4,
    )  # fmt: skip
