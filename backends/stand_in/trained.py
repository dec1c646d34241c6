"""Really trains: every job is a run of another backend, whose polls say where it stands; each look at a job is one.

A job is written down before its run is begun, and a run is begun by whoever looks at a job that has none. So a stand-in
that was killed at any moment trains each job once: the run has the job's name, and a backend begins a run once.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from backends.errors import BackendError, OutcomeUnknown, Unreachable
from backends.events import ENDED, Checkpoint, Event, Level, Metrics, RunState
from backends.memory import FileMemory
from backends.protocol import Backend, Handle, Predictor
from backends.spec import DataFile, Hyperparameters, Method, TrainingSpec
from backends.stand_in.checking import fault_in
from backends.stand_in.ledger import Inner, JobFault, KeptCheckpoint, KeptJob, Ledger, Told
from backends.stand_in.requests import LEARNING_RATE, CreateJob, Kind
from backends.stand_in.training import KEPT_CHECKPOINTS, Standing

_METHODS: Final[Mapping[Kind, tuple[Method, str]]] = {
    "supervised": (Method.SFT, "openai_chat"), "dpo": (Method.DPO, "openai_dpo"),
    "reinforcement": (Method.RFT, "openai_rft"),
}  # fmt: skip
_STATUSES: Final = {
    RunState.VALIDATING: "validating_files", RunState.QUEUED: "queued", RunState.RUNNING: "running",
    RunState.PAUSED: "paused", RunState.FINALIZING: "running", RunState.SUCCEEDED: "succeeded",
    RunState.FAILED: "failed", RunState.CANCELLED: "cancelled", RunState.UNKNOWN: "running",
}  # fmt: skip


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

    def accept(self, job: KeptJob) -> None:
        job.inner = Inner(reference="")

    def cancel(self, job: KeptJob) -> None:
        """A run may have been begun by somebody who was killed before that was written down."""
        assert job.inner is not None
        reference = job.inner.reference or self._memory(job).recall("job")
        if reference:
            self.backend.cancel(Handle(backend=self.backend.name, reference=reference))

    def standing(self, job: KeptJob, request: CreateJob, now: float) -> Standing:
        inner = job.inner
        assert inner is not None, f"{job.id}, which asks for {request.model}, was never begun"
        if job.ended is None and inner.state not in ENDED:
            self._begin(job, inner, request, now)
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
            try:
                return self._predictors[model].predict_many([messages], max_tokens=limit)[0].text
            except BackendError:
                self._predictors.pop(model).close()
                raise

    def close(self) -> None:
        for each in self._predictors.values():
            each.close()

    def _begin(self, job: KeptJob, inner: Inner, request: CreateJob, now: float) -> None:
        """Begun already is not begun again. A file that a provider would refuse is refused before it is trained on."""
        if inner.reference:
            return
        if error := fault_in(self.ledger.content(request.training_file), request.method.type, request.method.grader):
            _fail(inner, error, now)
            return
        at = datetime.fromtimestamp(job.created_at, tz=UTC)
        try:
            inner.reference = self.backend.start(self._spec(job, request), self._memory(job), now=at).reference
        except (OutcomeUnknown, Unreachable):
            return
        except BackendError as refused:
            _fail(inner, JobFault(code=refused.code, message=str(refused)), now)

    def _look(self, inner: Inner, now: float) -> None:
        if not inner.reference:
            return
        try:
            poll = self.backend.poll(Handle(backend=self.backend.name, reference=inner.reference), cursor=inner.cursor)
        except BackendError as lost:
            _fail(inner, JobFault(code=lost.code, message=str(lost)), now)
            return
        if poll.state is RunState.UNKNOWN:
            return
        inner.told += [_retold(each, now) for each in poll.events]
        known = {each.inner_model for each in inner.checkpoints}
        inner.checkpoints += [_rekept(each, now) for each in poll.checkpoints if each.model not in known]
        inner.state, inner.cursor, inner.model = poll.state, poll.cursor, poll.model
        inner.trained_tokens = poll.usage.counted_tokens
        if poll.failure is not None:
            inner.error = JobFault(code=poll.failure.code, message=poll.failure.message)
        if poll.state in ENDED:
            inner.ended_at = now

    def _memory(self, job: KeptJob) -> FileMemory:
        return FileMemory(path=self.folder / f"{job.id}.json")

    def _spec(self, job: KeptJob, request: CreateJob) -> TrainingSpec:
        method, form = _METHODS[request.method.type]
        validation = request.validation_file
        return TrainingSpec(
            run_id=job.id, backend=self.backend.name, model=self.base_model or request.model, method=method,
            train=DataFile.of(self.ledger.path(request.training_file), format=form), seed=job.seed,
            validation=DataFile.of(self.ledger.path(validation), format=form) if validation else None,
            hyperparameters=self._hyperparameters(request), grader=request.method.grader,
        )  # fmt: skip

    def _hyperparameters(self, request: CreateJob) -> Hyperparameters:
        asked = request.method.hyperparameters
        given: dict[str, object] = {}
        if asked.n_epochs != "auto":
            given["epochs"] = asked.n_epochs
        if asked.batch_size != "auto":
            given["batch_size"] = asked.batch_size
        if asked.learning_rate_multiplier != "auto":
            given["learning_rate"] = LEARNING_RATE * asked.learning_rate_multiplier
        return Hyperparameters.model_validate(given)


def _fail(inner: Inner, error: JobFault, now: float) -> None:
    inner.state, inner.error, inner.ended_at = RunState.FAILED, error, now


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
