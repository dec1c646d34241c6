"""What a run takes where its spec leaves a knob open. Sources: the table of published defaults in the training
reference, section 6. Its sources agree on all-linear targets, learning rates of 1e-4 to 3e-4, alpha between r and 2r,
dropout of 0 to .1, a warm-up of 3-10 %, 1-3 epochs and 8-32 examples a step; each value below is one of those in it.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal

from backends.spec import Adapter, Batching, Hyperparameters, Precision, Schedule

EPOCHS: Final = 3  # TRL; Unsloth 1-3
BATCH_SIZE: Final = 16  # QLoRA's scripts; Unsloth 2 x 8
MICRO_BATCH_SIZE: Final = 8  # LLaMA-Factory's example, Axolotl's upper end
LEARNING_RATE: Final = 2e-4  # QLoRA, Unsloth, Axolotl, TRL's documentation for LoRA
FULL_LEARNING_RATE: Final = 2e-5  # TRL's SFTConfig, which means full tuning
RANK: Final = 16  # Unsloth, TRL, Axolotl, AutoTrain
ALPHA_OF_RANK: Final = 2.0  # TRL, Axolotl and AutoTrain 32 at rank 16
DROPOUT: Final = 0.0  # LoRA Without Regret, Unsloth
SCHEDULE: Final = Schedule.LINEAR  # Unsloth, TRL, AutoTrain
WARMUP_RATIO: Final = 0.05  # Unsloth 5-10 %
WEIGHT_DECAY: Final = 0.01  # Unsloth
MAX_GRAD_NORM: Final = 1.0  # the Trainer of transformers
EVALUATIONS: Final = 10
CHECKPOINTS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Every knob, none left open. `evaluations` is 0 where there is no validation file; `max_length` in tokens."""

    epochs: int
    total_steps: int
    batch_size: int
    micro_batch_size: int
    learning_rate: float
    adapter: Adapter
    rank: int
    alpha: float
    dropout: float
    targets: tuple[str, ...] | Literal["all-linear"]
    schedule: Schedule
    warmup_steps: int
    weight_decay: float
    max_grad_norm: float
    max_length: int
    batching: Batching
    precision: Precision
    gradient_checkpointing: bool
    evaluations: int
    checkpoints: int
    early_stopping: int | None

    @property
    def full(self) -> bool:
        return self.adapter is Adapter.FULL


def settled(given: Hyperparameters, *, rows: int, validated: bool, context: int, accelerated: bool) -> Settled:
    """`rows` of the training file, `context`: the longest sequence the model takes, `accelerated`: on a GPU, where
    memory is dearer than the second forward pass of gradient checkpointing."""
    adapter = given.adapter or Adapter.LORA
    batch_size = min(given.batch_size or BATCH_SIZE, rows)
    of_an_epoch = math.ceil(rows / batch_size)
    # Steps without epochs: as many passes as they need.
    epochs = given.epochs or (math.ceil(given.max_steps / of_an_epoch) if given.max_steps else EPOCHS)
    total = min(epochs * of_an_epoch, given.max_steps or epochs * of_an_epoch)
    rank = given.rank or RANK
    checkpointing = given.gradient_checkpointing
    return Settled(
        epochs=epochs, total_steps=total, batch_size=batch_size,
        micro_batch_size=min(given.micro_batch_size or MICRO_BATCH_SIZE, batch_size),
        learning_rate=given.learning_rate or (FULL_LEARNING_RATE if adapter is Adapter.FULL else LEARNING_RATE),
        adapter=adapter, rank=rank, alpha=given.alpha or ALPHA_OF_RANK * rank, dropout=given.dropout or DROPOUT,
        targets=given.targets or "all-linear", schedule=given.schedule or SCHEDULE,
        warmup_steps=round(_or(given.warmup_ratio, WARMUP_RATIO) * total),
        weight_decay=_or(given.weight_decay, WEIGHT_DECAY), max_grad_norm=given.max_grad_norm or MAX_GRAD_NORM,
        max_length=min(given.max_length or context, context), batching=given.batching or Batching.PACKED,
        precision=given.precision or Precision.AUTO,
        gradient_checkpointing=accelerated if checkpointing is None else checkpointing,
        evaluations=min(given.evaluations or EVALUATIONS, total) if validated else 0,
        checkpoints=min(given.checkpoints or CHECKPOINTS, total), early_stopping=given.early_stopping,
    )  # fmt: skip


def _or(given: float | None, otherwise: float) -> float:
    return otherwise if given is None else given
