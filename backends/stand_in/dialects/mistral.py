"""Mistral's dialect (mistralai/client-python, docs/models: JobIn, CompletionDetailedJobOut, EventOut, CheckpointOut,
MetricOut, JobsOut, UploadFileOut). Files come as lists, lists page by number, events and checkpoints come with it."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import Field

from backends.stand_in.ledger import KeptCheckpoint, KeptFile, KeptJob, Told
from backends.stand_in.provider import Provider, Refusal, read
from backends.stand_in.requests import LEARNING_RATE, NotNull, Request
from backends.stand_in.routes import Routes, Sent
from backends.stand_in.shapes import Answer, model_name

_PAGE: Final = 100
_UNPROCESSABLE: Final = 422
_STATUSES: Final = {
    "validating_files": "VALIDATING", "queued": "QUEUED", "running": "RUNNING", "succeeded": "SUCCESS",
    "failed": "FAILED", "cancelled": "CANCELLED",
}  # fmt: skip
_CANCELLED: Final = "The job has been cancelled"
_TOLD: Final = {
    "Created": "QUEUED", "Validating": "VALIDATING", "Files validated": "VALIDATED",
    "The job has successfully": "SUCCESS", _CANCELLED: "CANCELLED",
}  # fmt: skip
_OF_CHECKPOINTS: Final = {
    "train_loss": "train_loss", "valid_loss": "full_valid_loss",
    "valid_mean_token_accuracy": "full_valid_mean_token_accuracy",
}  # fmt: skip


class _TrainingFile(Request):
    file_id: NotNull
    weight: Annotated[float, Field(gt=0)] = 1


class _Hyperparameters(Request):
    training_steps: Annotated[int, Field(ge=1)] | None = None
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    weight_decay: Annotated[float, Field(ge=0, le=1)] | None = None
    warmup_fraction: Annotated[float, Field(ge=0, le=1)] | None = None
    epochs: Annotated[int, Field(ge=1, le=50)] | None = None
    seq_len: Annotated[int, Field(ge=100)] | None = None
    fim_ratio: Annotated[float, Field(ge=0, le=1)] | None = None


class _Create(Request):
    model: NotNull
    training_files: tuple[_TrainingFile, ...] = Field(default=(), strict=False)
    validation_files: list[NotNull] | None = None
    hyperparameters: _Hyperparameters
    suffix: Annotated[str, Field(min_length=1, max_length=18)] | None = None
    auto_start: Literal[True]

    def as_openai(self) -> Answer:
        """Of several files the first; a learning rate as a multiple of the usual one."""
        given: Answer = {}
        if self.hyperparameters.epochs is not None:
            given["n_epochs"] = self.hyperparameters.epochs
        if self.hyperparameters.learning_rate is not None:
            given["learning_rate_multiplier"] = self.hyperparameters.learning_rate / LEARNING_RATE
        whole: Answer = {"model": self.model, "training_file": self.training_files[0].file_id}
        whole["method"] = {"type": "supervised", "supervised": {"hyperparameters": given}}
        if self.validation_files:
            whole["validation_file"] = self.validation_files[0]
        return whole | ({"suffix": self.suffix} if self.suffix else {})


def _created(it: Provider, sent: Sent) -> Answer:
    asked = read(_Create, sent.json())
    if not asked.training_files:
        raise Refusal(_UNPROCESSABLE, "At least one training file or repository is required.", param="training_files")
    made = it.create(asked.as_openai(), retry_count=sent.retry_count)
    return _job(it, it.kept_job(str(made["id"])))


def _cancelled(it: Provider, sent: Sent) -> Answer:
    it.cancel(sent.name)
    return _detailed(it, it.kept_job(sent.name))


def _uploaded(it: Provider, sent: Sent) -> Answer:
    made = it.upload(*sent.form())
    return _file(it.kept_file(str(made["id"])))


def _jobs(it: Provider, sent: Sent) -> Answer:
    return _page([_job(it, each) for each in it.listed_jobs()], sent)


def _files(it: Provider, sent: Sent) -> Answer:
    return _page([_file(each) for each in it.listed_files(sent.query.get("purpose"))], sent)


def _page(items: Sequence[Answer], sent: Sent) -> Answer:
    """Pages count from 0."""
    number, size = (_whole(sent, name, usual) for name, usual in (("page", 0), ("page_size", _PAGE)))
    return {"data": list(items[number * size : (number + 1) * size]), "object": "list", "total": len(items)}


def _whole(sent: Sent, name: str, usual: int) -> int:
    said = sent.query.get(name, str(usual))
    if not said.isascii() or not said.isdigit():
        raise Refusal(_UNPROCESSABLE, f"{name} is a whole number", param=name)
    return int(said[:9])


def _job(it: Provider, job: KeptJob) -> Answer:
    standing, request = it.standing(job), job.request
    succeeded = standing.status == "succeeded"
    return {
        "id": job.id, "object": "job", "job_type": "completion", "auto_start": True, "model": request["model"],
        "status": _STATUSES[standing.status], "created_at": job.created_at, "modified_at": job.created_at,
        "training_files": [request["training_file"]], "trained_tokens": standing.trained_tokens,
        "validation_files": [request["validation_file"]] if request.get("validation_file") else None,
        "fine_tuned_model": model_name(job) if succeeded else None, "suffix": request.get("suffix"),
        "hyperparameters": {}, "integrations": [], "metadata": None,
    }  # fmt: skip


def _detailed(it: Provider, job: KeptJob) -> Answer:
    standing = it.standing(job)
    events = [_event(each) for each in standing.told if each.data is None]
    if job.ended == "cancelled":
        events.append(_event(Told(at=job.ended_at or 0, message=_CANCELLED)))
    checkpoints = [_checkpoint(each) for each in standing.checkpoints]
    return _job(it, job) | {"events": events[::-1], "checkpoints": checkpoints[::-1], "repositories": []}


def _event(told: Told) -> Answer:
    """Only what went wrong is told in words; else what the status is from then on."""
    status = next((status for words, status in _TOLD.items() if told.message.startswith(words)), "RUNNING")
    data: Answer = {"status": "FAILED", "error": told.message} if told.level == "error" else {"status": status}
    return {"name": "status-updated", "data": data, "created_at": int(told.at)}


def _checkpoint(kept: KeptCheckpoint) -> Answer:
    measured = {
        name: kept.metrics.get(whole, kept.metrics.get(name)) for name, whole in _OF_CHECKPOINTS.items()
    }  # fmt: skip
    return {"metrics": measured, "step_number": kept.step, "created_at": int(kept.at)}


def _file(file: KeptFile) -> Answer:
    return {
        "id": file.id, "object": "file", "bytes": file.size, "created_at": file.created_at, "filename": file.name,
        "purpose": file.purpose, "sample_type": "instruct", "source": "upload", "num_lines": None,
    }  # fmt: skip


ROUTES: Final[Routes] = {
    "POST /files": _uploaded,
    "GET /files": _files,
    "GET /files/{file}": lambda it, sent: _file(it.kept_file(sent.name)),
    "DELETE /files/{file}": lambda it, sent: it.forget(sent.name),
    "POST /fine_tuning/jobs": _created,
    "GET /fine_tuning/jobs": _jobs,
    "GET /fine_tuning/jobs/{job}": lambda it, sent: _detailed(it, it.kept_job(sent.name)),
    "POST /fine_tuning/jobs/{job}/cancel": _cancelled,
    "GET /models": lambda it, _: it.list_models(),
    "GET /models/{model}": lambda it, sent: it.model(sent.name),
    "POST /chat/completions": lambda it, sent: it.complete(sent.json()),
}
