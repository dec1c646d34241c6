"""What a run tells while it works, and where it stands; the same words for a provider's job and a child process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final


class RunState(StrEnum):
    """Where a run stands. `FINALIZING`: the other side says it is done, and the model is not to be had yet.

    `UNKNOWN` is no end: the other side did not answer, or said a word that nobody knows.
    """

    VALIDATING = "validating"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINALIZING = "finalizing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


ENDED: Final = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})
"""Final: what comes after is an incident, never a change of state."""


class EventKind(StrEnum):
    MESSAGE = "message"
    METRICS = "metrics"
    CHECKPOINT = "checkpoint"


class Level(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Measured at an optimiser step; None: not measured there. Losses are nats a trained token (`train_loss` the mean
    of this step's batch, `valid_loss` of one batch, `full_valid_loss` of the whole validation file); accuracies are of
    next tokens, shares from 0 to 1, and no measure of the task. `tokens`: trained tokens so far, prompts left out;
    `tokens_per_second` of all tokens that went through, prompts included.
    """

    step: int
    total_steps: int | None = None
    epoch: float | None = None
    train_loss: float | None = None
    train_accuracy: float | None = None
    valid_loss: float | None = None
    valid_accuracy: float | None = None
    full_valid_loss: float | None = None
    full_valid_accuracy: float | None = None
    learning_rate: float | None = None
    grad_norm: float | None = None
    tokens: int | None = None
    tokens_per_second: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Weights that can answer. `model` is what `predictor` takes; `sha256` of its weights where they are ours."""

    id: str
    step: int
    model: str
    metrics: Metrics | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`id` stays the same however often it is told; `at` is the teller's clock, never to be subtracted from ours."""

    id: str
    at: datetime
    kind: EventKind
    message: str
    level: Level = Level.INFO
    metrics: Metrics | None = None
    checkpoint: Checkpoint | None = None
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why it ended. `code`: ours where it is known (`out_of_memory`, `diverged`, `storage_full`, `stalled`,
    `artifact_missing`, `audit_failed`, `digest_mismatch`), else the other side's own, or `provider_error`."""

    code: str
    message: str
    param: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the run used so far; None is unknown, never 0. `billed_tokens` as the provider counts them; `seen_tokens`:
    that went through while it trained, prompts included, over all epochs; `trained_tokens`: those of them with a label.
    `seconds` of the device, loading included; `cost` only where the other side itself says what it charges."""

    billed_tokens: int | None = None
    seen_tokens: int | None = None
    trained_tokens: int | None = None
    seconds: float | None = None
    device: str | None = None
    devices: int | None = None
    peak_memory_bytes: int | None = None
    cost: Decimal | None = None
    currency: str | None = None

    @property
    def counted_tokens(self) -> int | None:
        """As predictions count them: what is billed, or what went through."""
        return self.seen_tokens if self.billed_tokens is None else self.billed_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Where a run stands now. `events` are new since the cursor that was given, in order; `cursor` is for next time.

    `model`: what came out, for `predictor`, once it succeeded. `provider_state`: the other side's own word. `failure`
    says why it ended, and in state `UNKNOWN` why it is not known.
    `environment`: versions, device and settings as they really were, where the backend can say.
    """

    state: RunState
    cursor: str
    events: tuple[Event, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    model: str | None = None
    usage: Usage = Usage()
    failure: Failure | None = None
    provider_state: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
