"""The shape of a decoder-only transformer, and the parameters that follow from it.

Counts leave out biases, norms of the attention heads and the gates of a router's bias: together they stay under
0.2 % of every model in `models.toml`, which is tested against the published counts.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Mlp(StrEnum):
    """`GATED`: gate, up and down (SwiGLU, GeGLU). `PLAIN`: up and down around one activation."""

    GATED = "gated"
    PLAIN = "plain"


class LinearLayer(StrEnum):
    """The weight matrices of one layer an adapter can sit on."""

    QUERY = "q"
    KEY = "k"
    VALUE = "v"
    OUTPUT = "o"
    GATE = "gate"
    UP = "up"
    DOWN = "down"


ALL_LINEAR: Final = frozenset(LinearLayer)
_MLP: Final = {
    Mlp.GATED: (LinearLayer.GATE, LinearLayer.UP, LinearLayer.DOWN),
    Mlp.PLAIN: (LinearLayer.UP, LinearLayer.DOWN),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts:
    """A mixture of experts in every layer but `dense_layers`; `shared_ffn` is the expert that every token passes."""

    count: int
    per_token: int
    ffn: int
    shared_ffn: int = 0
    dense_layers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearAttention:
    """Gated DeltaNet layers; every n-th layer keeps softmax attention, whose output is gated by a second query."""

    key_heads: int
    value_heads: int
    head_dim: int
    every: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Sizes as a Hugging Face config.json has them. With experts, `ffn` is the size of the dense layers."""

    layers: int
    hidden: int
    ffn: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool = False
    positions: int = 0
    mlp: Mlp = Mlp.GATED
    experts: Experts | None = None
    linear_attention: LinearAttention | None = None

    @property
    def embedding_parameters(self) -> int:
        """Token embeddings and output head: what 4-bit quantisation leaves in 16 bit."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def attention_layers(self) -> int:
        """Layers whose cost grows with the square of the sequence."""
        return self.layers // self.linear_attention.every if self.linear_attention else self.layers

    @property
    def attention_width(self) -> int:
        return self.heads * self.head_dim

    def matrices(self) -> dict[LinearLayer, tuple[int, int]]:
        """Input and output width of each matrix of one layer that an adapter can sit on.

        Experts are left out: their weights are fused tensors, which adapters for linear layers do not reach, and the
        measured mixtures adapt attention alone.
        """
        kv_width = self.kv_heads * self.head_dim
        attention = {
            LinearLayer.QUERY: (self.hidden, self.attention_width),
            LinearLayer.KEY: (self.hidden, kv_width),
            LinearLayer.VALUE: (self.hidden, kv_width),
            LinearLayer.OUTPUT: (self.attention_width, self.hidden),
        }
        if self.experts:
            return attention
        *into, down = _MLP[self.mlp]
        return attention | dict.fromkeys(into, (self.hidden, self.ffn)) | {down: (self.ffn, self.hidden)}


def parameter_count(shape: Architecture) -> int:
    """All parameters of the model."""
    return _count(shape, experts_counted=shape.experts.count if shape.experts else 0)


def active_parameter_count(shape: Architecture) -> int:
    """The parameters one token passes: all of a dense model, the routed and shared experts of a mixture."""
    return _count(shape, experts_counted=shape.experts.per_token if shape.experts else 0)


def adapter_parameter_count(shape: Architecture, rank: int, targets: frozenset[LinearLayer]) -> int:
    """P_lora = r * sum over the targets of (d_in + d_out), over all layers (cost reference, section 4.1)."""
    widths = (widths for layer, widths in shape.matrices().items() if layer in targets)
    return rank * shape.layers * sum(d_in + d_out for d_in, d_out in widths)


def shape_of_size(parameters: float) -> Architecture:
    """A typical shape for a size: 128 times as wide as deep, ffn 3.5 times the width, eight key-value heads.

    So about 13 * layers * hidden^2 parameters, the proportions of the Llama 3 family, which the other dense models of
    `models.toml` keep within a factor of 1.5.
    """
    layers = max(4, round((parameters / (13 * 128**2)) ** (1 / 3)))
    heads = layers
    return Architecture(
        layers=layers, hidden=128 * heads, ffn=448 * heads, heads=heads, kv_heads=min(8, heads), head_dim=128,
        vocabulary=128_256,
    )  # fmt: skip


def _count(shape: Architecture, *, experts_counted: int) -> int:
    embeddings = shape.embedding_parameters + shape.positions * shape.hidden
    return embeddings + _mixers(shape) + _mlps(shape, experts_counted) + (2 * shape.layers + 1) * shape.hidden


def _mixers(shape: Architecture) -> int:
    softmax = shape.hidden * 2 * shape.head_dim * (shape.heads + shape.kv_heads)
    linear = shape.linear_attention
    if linear is None:
        return shape.layers * softmax
    gate = shape.hidden * shape.attention_width
    keys, values = linear.key_heads * linear.head_dim, linear.value_heads * linear.head_dim
    delta = shape.hidden * (2 * keys + 3 * values + 2 * linear.value_heads)
    return shape.attention_layers * (softmax + gate) + (shape.layers - shape.attention_layers) * delta


def _mlps(shape: Architecture, experts_counted: int) -> int:
    matrices = len(_MLP[shape.mlp])
    if shape.experts is None:
        return shape.layers * matrices * shape.hidden * shape.ffn
    experts = shape.experts
    width = experts_counted * experts.ffn + experts.shared_ffn
    mixture = matrices * shape.hidden * width + shape.hidden * experts.count
    return (shape.layers - experts.dense_layers) * mixture + experts.dense_layers * matrices * shape.hidden * shape.ffn
