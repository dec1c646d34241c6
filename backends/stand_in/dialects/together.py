"""Together's dialect (togethercomputer/together-py, src/together/types: finetune_response, finetune_event,
fine_tuning_create_params, file_response). Events hold no losses, a job tells no checkpoints, lists have no pages."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from backends.stand_in.ledger import KeptFile, KeptJob, Told
from backends.stand_in.provider import Provider, read
from backends.stand_in.requests import LEARNING_RATE, NotNull, Request
from backends.stand_in.routes import Routes, Sent
from backends.stand_in.shapes import ORGANIZATION, Answer, model_name

_STATUSES: Final = {
    "validating_files": "pending", "queued": "queued", "running": "running", "succeeded": "completed",
    "failed": "error", "cancelled": "cancelled",
}  # fmt: skip
_LEVELS: Final = {"warn": "warning", "error": "error"}
_Share = Annotated[float, Field(ge=0, le=1)]
_Count = Annotated[int, Field(ge=0)]


class _Type(Request):
    """Only LoRA is tuned here; `trained` with another backend takes that backend's own adapter."""

    type: Literal["Lora"]
    lora_r: Annotated[int, Field(ge=1)]
    lora_alpha: Annotated[float, Field(gt=0)]
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] | None = None


class _Method(Request):
    method: Literal["sft", "dpo"] = "sft"
    dpo_beta: Annotated[float, Field(gt=0)] | None = None


class _Create(Request):
    """Evaluations are off unless asked for (the provider's guide)."""

    model: NotNull
    training_file: NotNull
    validation_file: NotNull | None = None
    n_epochs: Annotated[int, Field(ge=1, le=20)] = 1
    n_checkpoints: _Count = 1
    n_evals: _Count = 0
    batch_size: Annotated[int, Field(ge=1)] | Literal["max"] = "max"
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    warmup_ratio: _Share | None = None
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    max_grad_norm: Annotated[float, Field(ge=0)] | None = None
    max_seq_length: Annotated[int, Field(ge=1)] | None = None
    training_type: _Type | None = None
    training_method: _Method = _Method()
    suffix: Annotated[str, Field(min_length=1, max_length=40)] | None = None

    def as_openai(self) -> Answer:
        kind = "dpo" if self.training_method.method == "dpo" else "supervised"
        given: Answer = {"n_epochs": self.n_epochs}
        if self.batch_size != "max":
            given["batch_size"] = self.batch_size
        if self.learning_rate is not None:
            given["learning_rate_multiplier"] = self.learning_rate / LEARNING_RATE
        if kind == "dpo" and self.training_method.dpo_beta is not None:
            given["beta"] = self.training_method.dpo_beta
        whole: Answer = {"model": self.model, "training_file": self.training_file}
        whole["method"] = {"type": kind, kind: {"hyperparameters": given}}
        if self.validation_file is not None:
            whole["validation_file"] = self.validation_file
        return whole | ({"suffix": self.suffix} if self.suffix else {})


def _created(it: Provider, sent: Sent) -> Answer:
    made = it.create(read(_Create, sent.json()).as_openai(), retry_count=sent.retry_count)
    return _job(it, it.kept_job(str(made["id"])))


def _cancelled(it: Provider, sent: Sent) -> Answer:
    it.cancel(sent.name)
    return _job(it, it.kept_job(sent.name))


def _uploaded(it: Provider, sent: Sent) -> Answer:
    made = it.upload(*sent.form("file_name", "file_type"))
    return _file(it.kept_file(str(made["id"])))


def _job(it: Provider, job: KeptJob) -> Answer:
    standing = it.standing(job)
    request = job.request
    events = [_event(each) for each in standing.told]
    if job.ended == "cancelled":
        events.append(_event(Told(at=job.ended_at or 0, message="The job has been cancelled")))
    return {
        "id": job.id, "object": "fine-tune", "status": _STATUSES[standing.status], "user_id": ORGANIZATION,
        "model": request["model"], "model_output_name": model_name(job), "training_file": request["training_file"],
        "validation_file": request.get("validation_file") or "", "token_count": standing.trained_tokens or 0,
        "created_at": _time(job.arrived), "updated_at": _time(max([job.arrived, *(each.at for each in standing.told)])),
        "events": events,
    }  # fmt: skip


def _event(told: Told) -> Answer:
    said: Answer = {
        "object": "fine-tune-event", "created_at": _time(told.at), "level": _LEVELS.get(told.level, "info"),
        "message": told.message, "type": "job_start" if told.data is None else "epoch_complete",
    }  # fmt: skip
    return said if told.data is None else said | {"step": told.data["step"]}


def _file(file: KeptFile) -> Answer:
    return {
        "id": file.id, "object": "file", "created_at": file.created_at, "type": "jsonl", "purpose": file.purpose,
        "filename": file.name, "bytes": file.size, "line_count": 0, "Processed": True, "FileType": "jsonl",
    }  # fmt: skip


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat().replace("+00:00", "Z")


ROUTES: Final[Routes] = {
    "POST /files/upload": _uploaded,
    "GET /files": lambda it, sent: {"data": [_file(each) for each in it.listed_files(sent.query.get("purpose"))]},
    "GET /files/{file}": lambda it, sent: _file(it.kept_file(sent.name)),
    "DELETE /files/{file}": lambda it, sent: it.forget(sent.name),
    "GET /files/{file}/content": lambda it, sent: it.content(sent.name),
    "POST /fine-tunes": _created,
    "GET /fine-tunes": lambda it, _: {"data": [_job(it, each) | {"events": []} for each in it.listed_jobs()]},
    "GET /fine-tunes/{job}": lambda it, sent: _job(it, it.kept_job(sent.name)),
    "POST /fine-tunes/{job}/cancel": _cancelled,
    "POST /chat/completions": lambda it, sent: it.complete(sent.json()),
}
