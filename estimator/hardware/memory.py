"""GPU memory of a training run, broken down at the moment when most of it is in use.

Formulas of the cost reference, section 4.1, with two changes that the measured rows ask for. The peak is the largest
of three moments and not the sum of their parts: when the loss is computed every layer's input is held and the logits
come on top; in the backward pass the logits are gone and one recomputed layer comes on top; at the optimiser's step
no activation is left. And a sharded adapter run holds the layer inputs twice in its backward pass.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from estimator.hardware.architecture import Architecture, Mlp, adapter_parameter_count
from estimator.hardware.gpus import Link
from estimator.hardware.models import Loss, Model
from estimator.hardware.training_setup import Method, Sharding, TrainingSetup

GIB: Final = 2**30

# Bytes of a parameter, and how many more tensors of that size AdamW has: two moments, and at its step gradient and
# result. On one GPU in pure bf16 10 N (13 of the 16 measured rows show 10.00); sharded full tuning keeps all of them in
# 32 bit, 20 N / n (measured on 2 and 4 GPUs).
_BF16: Final = 2
_FP32: Final = 4
_MOMENTS: Final = 2
_STEP: Final = 2
# Weight, gradient and both moments of an adapter in 32 bit.
_ADAPTER: Final = 16
# Bits per 4-bit weight that the scales of NF4 add, with and without quantising them too (cost reference, section 4.1).
DOUBLE_QUANTISED: Final = 0.127
SINGLE_QUANTISED: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Widths:
    """Bytes per token that a layer's activations take, in widths of its hidden and its ffn size."""

    hidden: int
    ffn: int


# One layer in its backward pass. Gated: 65 h at ffn = 3.5 h (cost reference, section 4.1). Plain: the 34 h of
# EleutherAI's formula at ffn = 4 h.
_RECOMPUTED: Final = {Mlp.GATED: _Widths(34, 9), Mlp.PLAIN: _Widths(18, 4)}
# Every layer, where none is recomputed (LitGPT rows: 48 h at ffn = 2.7 h gated, 24 h at ffn = 4 h plain).
_KEPT: Final = {Mlp.GATED: _Widths(24, 9), Mlp.PLAIN: _Widths(8, 4)}
# Frozen experts need no input for their weights' gradients (Mixtral rows: 71 h with 2 of 8 experts at ffn = 3.5 h).
_EXPERT: Final = 5
# Logits and their gradient in 32 bit, and the hidden states around them (Llama-3-8B rows without fused loss).
_LOGIT: Final = 8
_AROUND_LOGITS: Final = 4

# What a card must have free beyond the peak of allocated tensors: fragments and library workspaces, and the CUDA
# context (cost reference, section 4.1). Fragments of 3 % still let the fullest measured runs fit.
_FRAGMENTS: Final = 0.03
_WORKSPACE_GIB: Final = 1.0
_CONTEXT_GIB: Final = 0.8
# Share of the card beyond which the model's own error decides.
_TIGHT: Final = 0.93
_NOTEWORTHY: Final = 1.02


class Moment(StrEnum):
    """When the peak is reached."""

    LOSS = "loss"
    BACKWARD = "backward pass"
    STEP = "optimiser step"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryBreakdown:
    """GiB per GPU at the peak. `trained_gib`: adapter or gradients, with the optimiser's state.

    `gathered_gib`: whole layers and embeddings that sharding brings together. `peak_gib` is what
    torch.cuda.max_memory_allocated shows; a run needs `reserve_gib` beyond it.
    """

    weights_gib: float
    trained_gib: float
    activations_gib: float
    logits_gib: float
    gathered_gib: float
    capacity_gib: float
    moment: Moment
    loss: Loss
    sharding: Sharding | None
    notes: tuple[str, ...] = ()

    @property
    def peak_gib(self) -> float:
        parts = (self.weights_gib, self.trained_gib, self.activations_gib, self.logits_gib, self.gathered_gib)
        return sum(parts)

    @property
    def reserve_gib(self) -> float:
        """The larger of 3 % of the peak and 1 GiB for fragments and workspaces, and 0.8 GiB for the CUDA context."""
        return max(_FRAGMENTS * self.peak_gib, _WORKSPACE_GIB) + _CONTEXT_GIB

    @property
    def needed_gib(self) -> float:
        return self.peak_gib + self.reserve_gib

    @property
    def fits(self) -> bool:
        return self.needed_gib <= self.capacity_gib

    @property
    def tight(self) -> bool:
        """Fits by less than the memory model's own error."""
        return self.fits and self.needed_gib > _TIGHT * self.capacity_gib


def training_memory(setup: TrainingSetup) -> MemoryBreakdown:
    """Peak memory per GPU. Within 5 % of torch's peak on the Llama-3-8B adapter rows (tests/benchmarks)."""
    breakdown = _breakdown(setup)
    return replace(breakdown, notes=tuple(_notes(setup, breakdown)))


def sharding_of(setup: TrainingSetup) -> Sharding | None:
    """How several GPUs share a run: full tuning is sharded, an adapter by the link between them; None for one GPU.

    Across NVLink sharding costs a few percent and frees most of the weights' memory, and nearly all published
    multi-GPU adapter runs are sharded. Across PCIe gathering the weights for every micro-batch can cost more than
    the computation, so the base is replicated where one card holds it.
    """
    if setup.gpus == 1:
        return None
    if setup.method is Method.FULL or setup.gpu.link is Link.NVLINK:
        return Sharding.SHARDED
    return Sharding.REPLICATED if _breakdown(replace(setup, gpus=1)).fits else Sharding.SHARDED


def weight_bytes(model: Model, method: Method, *, scale_bits: float = DOUBLE_QUANTISED) -> float:
    """The base model as it is held: bf16, or NF4 with its embeddings and output head in bf16."""
    if method is not Method.QLORA:
        return _BF16 * model.parameters
    return _nf4_bytes(model.quantised_parameters, scale_bits) + _BF16 * model.architecture.embedding_parameters


def _nf4_bytes(parameters: float, scale_bits: float = DOUBLE_QUANTISED) -> float:
    return (4 + scale_bits) / 8 * parameters


def _breakdown(setup: TrainingSetup) -> MemoryBreakdown:
    sharding = sharding_of(setup)
    return max((_at(moment, setup, sharding) for moment in Moment), key=lambda breakdown: breakdown.peak_gib)


def _at(moment: Moment, setup: TrainingSetup, sharding: Sharding | None) -> MemoryBreakdown:
    shards = setup.gpus if sharding is Sharding.SHARDED else 1
    return MemoryBreakdown(
        weights_gib=_weights(setup, shards) / shards / GIB, trained_gib=_trained(moment, setup, shards) / shards / GIB,
        activations_gib=_activations(moment, setup, shards) / GIB,
        logits_gib=_logits(setup) / GIB if moment is Moment.LOSS else 0.0,
        gathered_gib=_gathered(setup) / GIB if shards > 1 and moment is not Moment.STEP else 0.0,
        capacity_gib=setup.gpu.visible_gib, moment=moment, loss=setup.loss_used, sharding=sharding,
    )  # fmt: skip


def _weights(setup: TrainingSetup, shards: int) -> float:
    """Bytes of the weights over all shards."""
    if setup.method is not Method.FULL:
        return weight_bytes(setup.model, setup.method)
    return _trained_precision(shards) * setup.model.parameters


def _trained(moment: Moment, setup: TrainingSetup, shards: int) -> float:
    """Bytes over all shards of the adapter, or of full tuning's moments and, at its step, gradients and results."""
    if setup.method is not Method.FULL:
        return _ADAPTER * adapter_parameter_count(setup.model.architecture, setup.rank, setup.targets)
    tensors = _MOMENTS + (_STEP if moment is Moment.STEP else 0)
    return _trained_precision(shards) * tensors * setup.model.parameters


def _trained_precision(shards: int) -> int:
    return _FP32 if shards > 1 else _BF16


def _activations(moment: Moment, setup: TrainingSetup, shards: int) -> float:
    shape, tokens = setup.model.architecture, setup.padded_tokens
    if moment is Moment.STEP:
        return 0.0
    if not setup.grad_checkpointing:
        return tokens * shape.layers * _layer_bytes(shape, _KEPT)
    inputs = tokens * shape.layers * _BF16 * shape.hidden
    if moment is Moment.LOSS:
        return inputs
    copies = 2 if shards > 1 and setup.method is not Method.FULL else 1
    return copies * inputs + tokens * _layer_bytes(shape, _RECOMPUTED)


def _layer_bytes(shape: Architecture, widths: dict[Mlp, _Widths]) -> float:
    """Bytes per token of one layer's activations."""
    per = widths[shape.mlp]
    if shape.experts is None:
        return per.hidden * shape.hidden + per.ffn * shape.ffn
    routed = _EXPERT * shape.experts.per_token * shape.experts.ffn
    return per.hidden * shape.hidden + routed + per.ffn * shape.experts.shared_ffn


def _logits(setup: TrainingSetup) -> float:
    if setup.loss_used is Loss.FUSED:
        return 0.0
    shape = setup.model.architecture
    return setup.padded_tokens * (_LOGIT * shape.vocabulary + _AROUND_LOGITS * shape.hidden)


def _gathered(setup: TrainingSetup) -> float:
    """Embeddings and output head, and the two layers that are computed and fetched ahead, in 16 or 4 bit."""
    model = setup.model
    layer = model.quantised_parameters / model.architecture.layers
    held = _nf4_bytes(layer) if setup.method is Method.QLORA else _BF16 * layer
    return _BF16 * model.architecture.embedding_parameters + 2 * held


def _notes(setup: TrainingSetup, breakdown: MemoryBreakdown) -> Iterator[str]:
    yield from (note for note in (setup.gpu.note, setup.model.note) if note)
    plain = _breakdown(replace(setup, loss=Loss.PLAIN)).peak_gib
    if plain > _NOTEWORTHY * breakdown.peak_gib:
        yield f"counts on a fused loss; over full logits the peak is {plain:.1f} GiB"
    if setup.method is Method.FULL and setup.gpus == 1:
        yield "pure bf16 AdamW; 32-bit master weights need 16 to 18 bytes per parameter"
    if setup.model.context and setup.seq > setup.model.context:
        yield f"the sequence is longer than the model's context of {setup.model.context:,} tokens"
