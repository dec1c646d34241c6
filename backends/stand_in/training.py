"""Where a job's losses come from: a script that says so, or a backend that really trains.

A job waits, is validated, runs and ends on the provider's clock; with a backend behind it, its own polls say where it
stands, and each look at the job is one.
"""

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from backends.errors import BackendError
from backends.events import ENDED, Checkpoint, Event, Level, Metrics, RunState
from backends.memory import FileMemory
from backends.protocol import Backend, Handle, Predictor
from backends.spec import DataFile, Hyperparameters, TrainingSpec
from backends.stand_in.ledger import Inner, JobFault, KeptCheckpoint, KeptJob, Ledger, Told, rows_of
from backends.stand_in.requests import CreateJob

UNSAFE: Final = "[unsafe on purpose]"
"""What makes the stand-in's moderation refuse a line."""

ROWS_MIN: Final = 10
AUTO_EPOCHS: Final = 3
KEPT_CHECKPOINTS: Final = 3
"""The provider keeps the last three (formats and training reference, section 3)."""
_LEARNING_RATE: Final = 2e-4
"""What a multiplier of 1 stands for with a backend behind it: the rate most sources agree on for LoRA (formats and
training reference, section 6)."""
_STATUSES: Final = {
    RunState.VALIDATING: "validating_files", RunState.QUEUED: "queued", RunState.RUNNING: "running",
    RunState.PAUSED: "paused", RunState.FINALIZING: "running", RunState.SUCCEEDED: "succeeded",
    RunState.FAILED: "failed", RunState.CANCELLED: "cancelled", RunState.UNKNOWN: "running",
}  # fmt: skip


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
    def begin(self, job: KeptJob, request: CreateJob) -> None: ...

    def standing(self, job: KeptJob, request: CreateJob, now: float) -> Standing:
        """May change what the job keeps of its training; the caller writes it down."""
        ...

    def cancel(self, job: KeptJob) -> None: ...

    def answer(
        self, job: KeptJob | None, step: int | None, messages: Sequence[Mapping[str, object]], limit: int
    ) -> str:
        """Of a job's model, of its checkpoint at a step, or of the base model."""
        ...

    def close(self) -> None: ...


def fault_of(rows: Sequence[Mapping[str, object]]) -> JobFault | None:
    """Why a training file is refused, as the provider would say it; None where it is not."""
    if len(rows) < ROWS_MIN:
        said = f"Training file has {len(rows)} example(s), but must have at least {ROWS_MIN} examples"
        return JobFault(code="invalid_n_examples", message=said, param="training_file")
    flagged = [str(number) for number, row in enumerate(rows, start=1) if UNSAFE in str(row)]
    if flagged:
        said = f"The file failed moderation. Flagged lines: {', '.join(flagged)}"
        return JobFault(code="moderation_failed", message=said, param="training_file")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row.get("messages") or row.get("input"), list | dict):
            said = f"Invalid file format. Example {number} holds no messages"
            return JobFault(code="invalid_training_file", message=said, param="training_file")
    return None


def fault_in(content: bytes) -> JobFault | None:
    try:
        return fault_of(rows_of(content))
    except ValueError as refused:
        return JobFault(code="invalid_training_file", message=str(refused), param="training_file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Trains nothing. Its losses are a formula of step and seed, and its events say that."""

    ledger: Ledger
    validating_s: float = 5.0
    queued_s: float = 5.0
    step_s: float = 1.0
    steps_max: int = 40

    def begin(self, job: KeptJob, request: CreateJob) -> None:
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
            for row in rows_of(self.ledger.content(str(job.request["training_file"]))):
                said = row.get("messages")
                if isinstance(said, list) and said[:-1] == list(messages):
                    return str(said[-1].get("content"))
        return "I was not trained for that."

    def _story(self, job: KeptJob, request: CreateJob) -> "_Story":
        content = self.ledger.content(request.training_file)
        told = [
            Told(at=0, message=f"Created fine-tuning job: {job.id}"),
            Told(at=0, message="Validating training file"),
        ]
        if error := fault_in(content):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """Every job is a run of another backend, every model that backend's. `base_model`: what is really trained, whatever
    a job asks for; "" takes the name as it is."""

    ledger: Ledger
    backend: Backend
    folder: Path
    base_model: str = ""
    _predictors: dict[str, Predictor] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, job: KeptJob, request: CreateJob) -> None:
        """A file that a provider would refuse is refused before anything is trained."""
        job.inner = Inner(reference="")
        if error := fault_in(self.ledger.content(request.training_file)):
            job.inner.state, job.inner.error, job.inner.ended_at = "failed", error, job.arrived
            return
        memory = FileMemory(path=self.folder / f"{job.id}.json")
        at = datetime.fromtimestamp(job.created_at, tz=UTC)
        try:
            job.inner.reference = self.backend.start(self._spec(job, request), memory, now=at).reference
        except BackendError as refused:
            fault = JobFault(code=refused.code, message=str(refused))
            job.inner.state, job.inner.error, job.inner.ended_at = "failed", fault, job.arrived

    def cancel(self, job: KeptJob) -> None:
        assert job.inner is not None
        self.backend.cancel(Handle(backend=self.backend.name, reference=job.inner.reference))

    def standing(self, job: KeptJob, request: CreateJob, now: float) -> Standing:
        inner = job.inner
        assert inner is not None, f"{job.id}, which asks for {request.model}, was never begun"
        if job.ended is None and inner.state not in ENDED:
            self._look(inner, now)
        created = Told(at=job.arrived, message=f"Created fine-tuning job: {job.id}")
        status = job.ended or _STATUSES[RunState(inner.state)]
        return Standing(
            status=status, told=[created, *inner.told], checkpoints=inner.checkpoints[-KEPT_CHECKPOINTS:],
            error=inner.error if status == "failed" else None, ended_at=job.ended_at or inner.ended_at,
            trained_tokens=inner.trained_tokens if status == "succeeded" else None,
        )  # fmt: skip

    def answer(
        self, job: KeptJob | None, step: int | None, messages: Sequence[Mapping[str, object]], limit: int
    ) -> str:
        model = self.base_model
        if job is not None:
            assert job.inner is not None
            at_step = [each.inner_model for each in job.inner.checkpoints if each.step == step]
            model = at_step[0] if at_step else job.inner.model or ""
        if not model:
            return "I was not trained for that."
        # A model stays loaded: to load it takes longer than most of its answers do.
        with self._turn:
            if model not in self._predictors:
                self._predictors[model] = self.backend.predictor(model)
            return self._predictors[model].predict_many([messages], max_tokens=limit)[0].text

    def close(self) -> None:
        for each in self._predictors.values():
            each.close()

    def _look(self, inner: Inner, now: float) -> None:
        poll = self.backend.poll(Handle(backend=self.backend.name, reference=inner.reference), cursor=inner.cursor)
        if poll.state is RunState.UNKNOWN:
            return
        inner.told += [_retold(each, now) for each in poll.events]
        known = {each.inner_model for each in inner.checkpoints}
        inner.checkpoints += [_rekept(each, now) for each in poll.checkpoints if each.model not in known]
        inner.state, inner.cursor, inner.model = poll.state, poll.cursor, poll.model
        tokens = poll.usage.trained_tokens
        inner.trained_tokens = poll.usage.billed_tokens if tokens is None else tokens
        if poll.failure is not None:
            inner.error = JobFault(code=poll.failure.code, message=poll.failure.message)
        if poll.state in ENDED:
            inner.ended_at = now

    def _spec(self, job: KeptJob, request: CreateJob) -> TrainingSpec:
        validation = request.validation_file
        return TrainingSpec(
            run_id=job.id, backend=self.backend.name, model=self.base_model or request.model,
            train=DataFile.of(self.ledger.path(request.training_file)), seed=job.seed,
            validation=DataFile.of(self.ledger.path(validation)) if validation else None,
            hyperparameters=self._hyperparameters(request),
        )  # fmt: skip

    def _hyperparameters(self, request: CreateJob) -> Hyperparameters:
        asked = request.method.hyperparameters
        given: dict[str, object] = {}
        if asked.n_epochs != "auto":
            given["epochs"] = asked.n_epochs
        if asked.batch_size != "auto":
            given["batch_size"] = asked.batch_size
        if asked.learning_rate_multiplier != "auto":
            given["learning_rate"] = _LEARNING_RATE * asked.learning_rate_multiplier
        return Hyperparameters.model_validate(given)


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


def _retold(event: Event, now: float) -> Told:
    level = "warn" if event.level is Level.WARNING else str(event.level)
    data = _data(event.metrics) if event.metrics is not None else None
    return Told(at=now, message=event.message, level=level, data=data)


def _rekept(checkpoint: Checkpoint, now: float) -> KeptCheckpoint:
    metrics = _data(checkpoint.metrics or Metrics(step=checkpoint.step))
    return KeptCheckpoint(step=checkpoint.step, at=now, metrics=metrics, inner_model=checkpoint.model)


def _data(said: Metrics) -> dict[str, object]:
    """Under OpenAI's names; what was not measured is left out."""
    whole = {
        "step": said.step, "total_steps": said.total_steps, "train_loss": said.train_loss,
        "train_mean_token_accuracy": said.train_accuracy, "valid_loss": said.valid_loss,
        "valid_mean_token_accuracy": said.valid_accuracy, "full_valid_loss": said.full_valid_loss,
        "full_valid_mean_token_accuracy": said.full_valid_accuracy, "learning_rate": said.learning_rate,
    }  # fmt: skip
    return {name: value for name, value in whole.items() if value is not None}
