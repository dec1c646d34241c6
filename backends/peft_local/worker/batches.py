"""Rows as tensors, and the loss of their trained tokens.

Padding goes to the right of causal attention, where no trained token looks, so no mask is needed. Logits are made only
where something is trained: a model's head often costs more memory than all its layers.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from backends.peft_local.worker.encoding import IGNORED, Example
from backends.peft_local.worker.model import Loaded, documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """`ids` (rows, tokens), `positions` of the same shape, counted from each row's own beginning. `places`: of tokens
    whose next one is trained, as indices into the flattened `ids`; `targets`: those next ones. `packed`: the lengths
    of the rows that share one sequence, or nothing."""

    ids: torch.Tensor
    positions: torch.Tensor
    places: torch.Tensor
    targets: torch.Tensor
    packed: Sequence[int]

    @property
    def trained(self) -> int:
        return self.targets.numel()

    def attending(self) -> AbstractContextManager[None]:
        return documents.of(self.packed) if self.packed else nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Summed over trained tokens: nats (with its gradient), and how many were the likeliest."""

    total: torch.Tensor
    hits: torch.Tensor


def batch_of(examples: Sequence[Example], *, packed: bool, padding: int, device: torch.device) -> Batch:
    if packed:
        ids = [[token for each in examples for token in each.ids]]
        labels = [[label for each in examples for label in (IGNORED, *each.labels[1:])]]
        positions = [[place for each in examples for place in range(len(each.ids))]]
    else:
        longest = max(len(each.ids) for each in examples)
        ids = [[*each.ids, *[padding] * (longest - len(each.ids))] for each in examples]
        labels = [[IGNORED, *each.labels[1:], *[IGNORED] * (longest - len(each.ids))] for each in examples]
        positions = [list(range(longest))] * len(examples)
    flat = torch.tensor(labels).flatten()
    # A row's first token is never a target, so a label and the token before it lie side by side.
    targets = torch.nonzero(flat != IGNORED).flatten()
    return Batch(
        ids=torch.tensor(ids, device=device), positions=torch.tensor(positions, device=device),
        places=(targets - 1).to(device), targets=flat[targets].to(device),
        packed=tuple(len(each.ids) for each in examples) if packed else (),
    )  # fmt: skip


def losses(loaded: Loaded, batch: Batch) -> Losses:
    logits = logits_where_trained(loaded, batch)
    total = functional.cross_entropy(logits.float(), batch.targets, reduction="sum")
    hits = (logits.detach().argmax(dim=-1) == batch.targets).sum()
    return Losses(total=total, hits=hits)


def logits_where_trained(loaded: Loaded, batch: Batch) -> torch.Tensor:
    """(trained tokens, vocabulary). The decoder's output is narrowed before the model goes on with it, so whatever
    else a model does to its logits (scaling, soft caps) is done as ever."""

    def narrow(_module: object, _told: object, out: Any) -> Any:
        hidden = out.last_hidden_state
        out.last_hidden_state = hidden.flatten(0, 1)[batch.places].unsqueeze(0)
        return out

    hook = decoder_of(loaded.network).register_forward_hook(narrow)
    try:
        with batch.attending(), loaded.computing():
            logits: torch.Tensor = loaded.network(input_ids=batch.ids, position_ids=batch.positions).logits
    finally:
        hook.remove()
    return logits[0]


def decoder_of(network: Any) -> torch.nn.Module:
    """The part of a causal model below its head."""
    base = network.get_base_model() if hasattr(network, "get_base_model") else network
    decoder: torch.nn.Module = getattr(base, base.base_model_prefix)
    return decoder
