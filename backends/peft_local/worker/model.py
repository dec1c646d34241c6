"""The base model, what is trained of it, and how it computes: precision, attention, adapter."""

import json
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from peft import LoraConfig, get_peft_model
from transformers import AttentionInterface, AutoModelForCausalLM, AutoTokenizer
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from backends.peft_local.defaults import Settled
from backends.peft_local.machine import processor_said
from backends.spec import Adapter, Precision

DOCUMENTS: Final = "sixfold_documents"


@dataclass(slots=True, kw_only=True)
class Documents:
    """Where the rows of a packed sequence lie. Attention looks here, for models pass no such thing on."""

    lengths: Sequence[int] = field(default_factory=tuple)

    @contextmanager
    def of(self, lengths: Sequence[int]) -> Iterator[None]:
        self.lengths = lengths
        try:
            yield
        finally:
            self.lengths = ()

    def attend(
        self, module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
        attention_mask: torch.Tensor | None, **told: Any,
    ) -> tuple[torch.Tensor, None]:  # fmt: skip
        """Each row of a packed sequence by itself: exact, and the work of short rows rather than of one long one."""
        lengths = self.lengths or (query.shape[2],)
        if sum(lengths) != query.shape[2] or attention_mask is not None:
            raise PackingImpossible("this model's attention is not given the sequence alone")
        window = told.get("sliding_window")
        if window is not None and max(lengths) > window:
            raise PackingImpossible("rows are longer than this model's window of attention")
        if not getattr(module, "is_causal", True):
            raise PackingImpossible("this model looks ahead")
        pieces = (torch.split(each, list(lengths), dim=2) for each in (query, key, value))
        rows = [sdpa_attention_forward(module, q, k, v, None, **told)[0] for q, k, v in zip(*pieces, strict=True)]
        return (rows[0] if len(rows) == 1 else torch.cat(rows, dim=1)), None


class PackingImpossible(Exception):
    """Rows of one sequence would see each other, or not see themselves."""


documents: Final = Documents()
AttentionInterface.register(DOCUMENTS, documents.attend)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """`network`: the causal model with its adapter in place. `computed_in`: what matrix products are made in."""

    network: Any
    tokenizer: Any
    device: torch.device
    computed_in: torch.dtype

    @property
    def trained(self) -> dict[str, torch.nn.Parameter]:
        return {name: each for name, each in self.network.named_parameters() if each.requires_grad}

    def computing(self) -> Any:
        """A context in which matrix products are made in the chosen precision."""
        if self.computed_in is torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.computed_in)


def device_named(name: str) -> torch.device:
    """`name`: auto, cpu, cuda, mps. `auto` is the first GPU, where PyTorch can use one."""
    if name != "auto":
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def device_said(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "cpu":
        return processor_said(threads=torch.get_num_threads())
    return f"{device.type} ({platform.machine()})"


def dtype_of(precision: Precision, device: torch.device) -> torch.dtype:
    """bfloat16 by itself only where the hardware multiplies in it: emulated it is slower than float32."""
    match precision:
        case Precision.BF16:
            return torch.bfloat16
        case Precision.FP16:
            return torch.float16
        case Precision.FP32:
            return torch.float32
        case Precision.AUTO:
            return torch.bfloat16 if _multiplies_bfloat16(device) else torch.float32


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        flags = Path("/proc/cpuinfo")
        told = flags.read_text("ascii", "replace") if flags.exists() else ""
        return "avx512_bf16" in told or "amx_bf16" in told
    return False


def context_of(folder: Path) -> int:
    """The longest sequence a model was made for, in tokens; 2048 where its configuration does not say."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    inner = config.get("text_config", config)
    return int(inner.get("max_position_embeddings") or inner.get("n_positions") or 2048)


def stored_in(folder: Path) -> torch.dtype:
    """What a model's weights are kept in; float32 where its configuration does not say."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    found = getattr(torch, str(config.get("dtype") or config.get("torch_dtype")).removeprefix("torch."), None)
    return found if isinstance(found, torch.dtype) else torch.float32


def tokenizer_in(folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def base_in(folder: Path, *, dtype: torch.dtype, device: torch.device, quantised: bool = False) -> Any:
    """Raises what transformers raises for weights that are not as their configuration says."""
    told: dict[str, Any] = {}
    if quantised:
        # Deferred: bitsandbytes is an extra of its own. NF4 with double quantisation: QLoRA's paper.
        from transformers import BitsAndBytesConfig  # noqa: PLC0415

        quantisation: Any = BitsAndBytesConfig
        told["quantization_config"] = quantisation(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
        )
        told["device_map"] = {"": device}
    network: Any = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, local_files_only=True, trust_remote_code=False, use_safetensors=True, **told
    )
    return _kept_as_quantised(network) if quantised else network.to(device)


def _kept_as_quantised(network: Any) -> Any:
    """Where a processor has AVX512-BF16, bitsandbytes 0.50 lays weights out anew at the first evaluation, for products
    that know no gradient: what is trained below them would learn nothing more, without an error."""
    for module in network.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    return network


def prepared(folder: Path, knobs: Settled, *, device: torch.device, seed: int) -> Loaded:
    """The model, ready to be trained: the base frozen in the precision it computes in, what is trained in float32."""
    computed_in = dtype_of(knobs.precision, device)
    # Weights that are themselves trained are kept in float32: small steps would be lost in bfloat16.
    held_in = torch.float32 if knobs.full else computed_in
    network = base_in(folder, dtype=held_in, device=device, quantised=knobs.adapter is Adapter.QLORA)
    network.config.use_cache = False
    if not knobs.full:
        network.requires_grad_(requires_grad=False)
        torch.manual_seed(seed)
        network = get_peft_model(network, lora_config(knobs))
    if knobs.gradient_checkpointing:
        network.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    network.train()
    return Loaded(network=network, tokenizer=tokenizer_in(folder), device=device, computed_in=computed_in)


def lora_config(knobs: Settled) -> LoraConfig:
    config: Any = LoraConfig  # it takes a float for alpha, and says int
    made: LoraConfig = config(
        task_type="CAUSAL_LM", r=knobs.rank, lora_alpha=knobs.alpha, lora_dropout=knobs.dropout,
        target_modules=knobs.targets if isinstance(knobs.targets, str) else list(knobs.targets), bias="none",
        use_rslora=knobs.adapter is Adapter.RSLORA, use_dora=knobs.adapter is Adapter.DORA,
    )  # fmt: skip
    return made


def attends_by(network: Any, implementation: str) -> str:
    """Changes how attention is computed; returns what was in place before."""
    base = network.get_base_model() if hasattr(network, "get_base_model") else network
    before = str(base.config._attn_implementation)  # noqa: SLF001 (transformers has no public word for reading it)
    base.set_attn_implementation(implementation)
    return before
