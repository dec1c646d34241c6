"""Several processes that train one run, each with a share of every step's micro batches (torchrun starts them).

Gradients are added up, not averaged: each process divides by the trained tokens of the whole step, so any number of
processes computes the gradient of one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """`number` of `count`; the first one tells and saves."""

    number: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        return self.number == 0

    def share(self, of: Sequence[T]) -> Sequence[T]:
        return of[self.number :: self.count]

    def add_up(self, tensor: torch.Tensor) -> torch.Tensor:
        """In place, over all processes."""
        if self.count > 1:
            torch.distributed.all_reduce(tensor)
        return tensor

    def add_up_gradients(self, weights: Iterable[torch.nn.Parameter]) -> None:
        if self.count == 1:
            return
        for each in weights:
            # A process whose share of this step was empty has no gradient of its own.
            each.grad = torch.zeros_like(each) if each.grad is None else each.grad
            torch.distributed.all_reduce(each.grad)

    def any(self, truth: bool, device: torch.device) -> bool:
        return bool(self.add_up(torch.tensor(int(truth), device=device)).item()) if self.count > 1 else truth

    def wait(self) -> None:
        if self.count > 1:
            torch.distributed.barrier()

    def leave(self) -> None:
        if self.count > 1:
            torch.distributed.destroy_process_group()


def joined(device: str) -> tuple[Ranks, str]:
    """Meets the others, and returns the device that is this process's own."""
    on_gpu = device != "cpu" and torch.cuda.is_available()
    torch.distributed.init_process_group("nccl" if on_gpu else "gloo")
    if on_gpu:
        place = torch.distributed.get_node_local_rank()
        torch.cuda.set_device(place)
        device = f"cuda:{place}"
    ranks = Ranks(number=torch.distributed.get_rank(), count=torch.distributed.get_world_size())
    return ranks, device
