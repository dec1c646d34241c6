"""Trains nothing: a job waits, is validated, runs and ends on the provider's clock, and its losses are made up."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from backends.stand_in.checking import fault_in
from backends.stand_in.ledger import JobFault, KeptCheckpoint, KeptJob, Ledger, Told, rows_of
from backends.stand_in.requests import CreateJob
from backends.stand_in.training import KEPT_CHECKPOINTS, Standing

AUTO_EPOCHS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Trains nothing. Its losses are a formula of step and seed, and its events say that."""

    ledger: Ledger
    validating_s: float = 5.0
    queued_s: float = 5.0
    step_s: float = 1.0
    steps_max: int = 40

    def accept(self, job: KeptJob) -> None:
        """Time does it."""

    def cancel(self, job: KeptJob) -> None:
        """There is nothing to stop."""

    def close(self) -> None:
        """Nor to close."""

    def standing(self, job: KeptJob, request: CreateJob, now: float) -> Standing:
        story, worked = self._story(job, request), job.worked(now)
        told = [
            Told(at=job.when(each.at), message=each.message, level=each.level, data=each.data)
            for each in story.told if each.at <= worked
        ]  # fmt: skip
        kept = [
            KeptCheckpoint(step=each.step, at=job.when(each.at), metrics=each.metrics)
            for each in story.checkpoints if each.at <= worked
        ]  # fmt: skip
        by_itself = job.ended is None and worked >= story.ends
        return Standing(
            status=job.ended or story.status(worked, is_paused=job.paused_at is not None), told=told,
            checkpoints=kept, error=story.error if by_itself else None,
            trained_tokens=story.tokens if by_itself else None,
            ended_at=job.when(story.ends) if by_itself else job.ended_at,
        )  # fmt: skip

    def answer(
        self,
        job: KeptJob | None,
        step: int | None,  # noqa: ARG002 (the protocol's)
        messages: Sequence[Mapping[str, object]],
        limit: int,  # noqa: ARG002 (the protocol's)
    ) -> str:
        """What the training file answers to just this, and nothing else."""
        if job is not None:
            asked = _comparable(messages)
            for row in rows_of(self.ledger.content(str(job.request["training_file"]))):
                said = row.get("messages")
                if not isinstance(said, list) or not said:
                    continue
                if _comparable(said[:-1]) == asked:
                    return str(said[-1].get("content"))
                if _comparable(said) == asked and isinstance(row.get("reference_answer"), str):
                    return str(row["reference_answer"])
        return "I was not trained for that."

    def _story(self, job: KeptJob, request: CreateJob) -> "_Story":
        content = self.ledger.content(request.training_file)
        told = [
            Told(at=0, message=f"Created fine-tuning job: {job.id}"),
            Told(at=0, message="Validating training file"),
        ]
        if error := fault_in(content, request.method.type, request.method.grader):
            told.append(Told(at=self.validating_s, message=error.message, level="error"))
            return _Story(
                validated=self.validating_s, begins=self.validating_s, ends=self.validating_s, told=told, error=error
            )
        rows, begins = rows_of(content), self.validating_s + self.queued_s
        epochs, total = self._size(request, len(rows))
        metrics = [_made_up(job.seed, step, total) for step in range(1, total + 1)]
        ends = begins + self.step_s * total
        told += [
            Told(at=self.validating_s, message="Files validated, moving job to queued state"),
            Told(at=begins, message="Fine-tuning job started; its losses are made up"),
            *(_step(begins + self.step_s * step, each) for step, each in enumerate(metrics, start=1)),
            Told(at=ends, message="The job has successfully completed"),
        ]
        last = sorted({round(total * epoch / epochs) for epoch in range(1, epochs + 1)})[-KEPT_CHECKPOINTS:]
        checkpoints = [
            KeptCheckpoint(step=step, at=begins + self.step_s * step, metrics=metrics[step - 1]) for step in last
        ]
        tokens = epochs * sum(len(str(row)) // 4 for row in rows)
        return _Story(
            validated=self.validating_s, begins=begins, ends=ends, told=told, checkpoints=checkpoints, tokens=tokens
        )

    def _size(self, request: CreateJob, rows: int) -> tuple[int, int]:
        """Epochs and steps, the latter no more than anybody wants to look at."""
        asked = request.method.hyperparameters
        epochs = AUTO_EPOCHS if asked.n_epochs == "auto" else asked.n_epochs
        batch = 1 if asked.batch_size == "auto" else asked.batch_size
        return epochs, max(epochs, min(epochs * math.ceil(rows / batch), self.steps_max))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    """What happens to a job by itself, in seconds of work from its beginning."""

    validated: float
    begins: float
    ends: float
    told: Sequence[Told]
    checkpoints: Sequence[KeptCheckpoint] = ()
    error: JobFault | None = None
    tokens: int | None = None

    def status(self, worked: float, *, is_paused: bool) -> str:
        if worked >= self.ends:
            return "failed" if self.error else "succeeded"
        if is_paused:
            return "paused"
        if worked < self.validated:
            return "validating_files"
        return "queued" if worked < self.begins else "running"


def _comparable(messages: Sequence[object]) -> list[object]:
    """The developer's words are the system's."""
    return [
        {**each, "role": "system"} if isinstance(each, dict) and each.get("role") == "developer" else each
        for each in messages
    ]


def _made_up(seed: int, step: int, total: int) -> dict[str, object]:
    train = 0.2 + 2 * math.exp(-3 * step / total) + 0.01 * ((seed + step) % 3)
    return {
        "step": step, "total_steps": total, "train_loss": round(train, 6), "valid_loss": round(train + 0.1, 6),
        "train_mean_token_accuracy": round(1 / (1 + train), 6),
        "valid_mean_token_accuracy": round(0.9 / (1 + train), 6),
    }  # fmt: skip


def _step(at: float, data: dict[str, object]) -> Told:
    message = f"Step {data['step']}/{data['total_steps']}: training loss={data['train_loss']:.2f}"
    return Told(at=at, message=message, data=data)
