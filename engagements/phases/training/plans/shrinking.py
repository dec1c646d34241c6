"""How a run that ran out of memory is made smaller: the largest setting that the estimator lets fit with room to spare.

It said that the run would fit and was wrong, so it is believed with a margin: published runs lie within a quarter of
what it predicts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from backends.spec import Adapter, Hyperparameters
from estimator.hardware.memory import training_memory
from estimator.hardware.training_setup import Method, TrainingSetup

MARGIN: Final = 0.75
OUT_OF_MEMORY: Final = "out_of_memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Smaller:
    """Knobs that are set anew, and what a GPU is then predicted to hold, in GiB."""

    micro_batch_size: int
    gradient_checkpointing: bool
    quantised: bool
    needed_gib: float
    capacity_gib: float

    @property
    def said(self) -> str:
        changed = [f"a micro batch of {self.micro_batch_size}"]
        changed += ["gradient checkpointing"] if self.gradient_checkpointing else []
        changed += ["QLoRA"] if self.quantised else []
        return (
            f"try again with {', '.join(changed)}: predicted to need {self.needed_gib:.1f} of "
            f"{self.capacity_gib:.1f} GiB"
        )

    def of(self, given: Hyperparameters) -> Hyperparameters:
        """These knobs in place of those; what a step learns from stays as it was."""
        knobs: dict[str, object] = {
            "micro_batch_size": self.micro_batch_size, "gradient_checkpointing": self.gradient_checkpointing,
        }  # fmt: skip
        return given.model_copy(update=knobs | ({"adapter": Adapter.QLORA} if self.quantised else {}))


def planned_smaller(prediction: Mapping[str, Any]) -> Smaller | None:
    """What was worked out when a run was planned, as its prediction keeps it."""
    kept = prediction.get("smaller")
    return Smaller(**kept) if kept else None


def smaller(setup: TrainingSetup) -> Smaller | None:
    """The first that fits with the margin, the least change first; None where nothing smaller does."""
    for changed in _changes(setup):
        memory = training_memory(changed)
        if memory.needed_gib <= MARGIN * memory.capacity_gib:
            return Smaller(
                micro_batch_size=changed.micro_batch, gradient_checkpointing=changed.grad_checkpointing,
                quantised=changed.method is not setup.method, needed_gib=memory.needed_gib,
                capacity_gib=memory.capacity_gib,
            )  # fmt: skip
    return None


def _changes(setup: TrainingSetup) -> Iterator[TrainingSetup]:
    """Smaller micro batches, then gradients made twice, then a base in 4 bits; the largest of each first."""
    yield from (replace(setup, micro_batch=size) for size in _halves(setup.micro_batch))
    thrifty = replace(setup, grad_checkpointing=True)
    if not setup.grad_checkpointing:
        yield thrifty
        yield from (replace(thrifty, micro_batch=size) for size in _halves(setup.micro_batch))
    if setup.method is Method.LORA:
        quantised = replace(thrifty, method=Method.QLORA)
        yield from (replace(quantised, micro_batch=size) for size in (setup.micro_batch, *_halves(setup.micro_batch)))


def _halves(size: int) -> Iterator[int]:
    while size > 1:
        size //= 2
        yield size
