"""Where a job stands, and who trains it: a script that says so, or a backend that really trains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from backends.stand_in.ledger import JobFault, KeptCheckpoint, KeptJob, Told
from backends.stand_in.requests import CreateJob

KEPT_CHECKPOINTS: Final = 3
"""The provider keeps the last three (formats and training reference, section 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a job stands, and all it has told."""

    status: str
    told: Sequence[Told]
    checkpoints: Sequence[KeptCheckpoint] = ()
    error: JobFault | None = None
    trained_tokens: int | None = None
    ended_at: float | None = None


class Trainer(Protocol):
    def accept(self, job: KeptJob) -> None:
        """Of a job that nobody knows of yet: marks it as its own, and begins nothing."""
        ...

    def standing(self, job: KeptJob, request: CreateJob, now: float) -> Standing:
        """May begin the training, and change what the job keeps of it; the caller writes it down."""
        ...

    def cancel(self, job: KeptJob) -> None: ...

    def answer(
        self, job: KeptJob | None, step: int | None, messages: Sequence[Mapping[str, object]], limit: int
    ) -> str:
        """Of a job's model, of its checkpoint at a step, or of the base model."""
        ...

    def close(self) -> None: ...
