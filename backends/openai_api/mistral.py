"""Mistral's dialect: the same path, other fields (mistralai/client-python, docs/models: JobIn,
CompletionDetailedJobOut, EventOut, CheckpointOut, MetricOut, JobsOut).

Files come as lists, hyperparameters at the top, a job's events and checkpoints with the job; events have names and no
ids, so theirs are made of what they say. Losses are told by checkpoints alone, so each is an event too. Jobs carry no
metadata of ours, and page by number.
"""

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pydantic import model_validator

from backends.events import RunState
from backends.openai_api import answers
from backends.openai_api.answers import listed, mapped
from backends.openai_api.requests import Order

STATES: Final = MappingProxyType({
    "QUEUED": RunState.QUEUED,
    "STARTED": RunState.RUNNING,
    "VALIDATING": RunState.VALIDATING,
    "VALIDATED": RunState.QUEUED,
    "RUNNING": RunState.RUNNING,
    "FAILED_VALIDATION": RunState.FAILED,
    "FAILED": RunState.FAILED,
    "SUCCESS": RunState.SUCCEEDED,
    "CANCELLED": RunState.CANCELLED,
    "CANCELLATION_REQUESTED": RunState.RUNNING,
})  # fmt: skip
NAMES: Final = MappingProxyType({
    "epochs": "epochs", "max_steps": "training_steps", "learning_rate": "learning_rate",
    "weight_decay": "weight_decay", "warmup_ratio": "warmup_fraction", "max_length": "seq_len",
})  # fmt: skip
_MEASURES: Final = {"valid_loss": "full_valid_loss", "valid_mean_token_accuracy": "full_valid_mean_token_accuracy"}


def body(order: Order) -> dict[str, object]:
    """`JobIn`; it starts by itself once its files are found valid."""
    spec = order.spec
    whole: dict[str, object] = {
        "model": spec.model, "training_files": [{"file_id": order.training_file, "weight": 1}],
        "hyperparameters": dict(order.hyperparameters), "auto_start": True,
    }  # fmt: skip
    if order.validation_file is not None:
        whole["validation_files"] = [order.validation_file]
    if spec.suffix is not None:
        whole["suffix"] = spec.suffix
    return whole


class Job(answers.Job):
    @model_validator(mode="before")
    @classmethod
    def _translated(cls, told: object) -> object:
        said = mapped(told)
        files = [_file_id(each) for each in listed(said.get("training_files"))]
        validation = listed(said.get("validation_files"))
        checkpoints = [_checkpoint(mapped(each), said) for each in listed(said.get("checkpoints"))]
        return said | {
            "object": "fine_tuning.job", "training_file": files[0] if files else None,
            "validation_file": validation[0] if validation else None,
            "fine_tuned_model": said.get("fine_tuned_model"), "metadata": None,
            "events": [
                *(_event(mapped(each), said) for each in listed(said.get("events"))), *map(_measured, checkpoints),
            ],
            "checkpoints": checkpoints,
        }  # fmt: skip


class Jobs(answers.Jobs):
    data: list[Job]  # type: ignore[assignment]  # lists are invariant, and nobody writes into an answer


def _file_id(said: object) -> object:
    return said.get("file_id") if isinstance(said, dict) else said


def _event(said: Mapping[str, object], job: Mapping[str, object]) -> Mapping[str, object]:
    data = mapped(said.get("data"))
    told = json.dumps([job.get("id"), said.get("name"), said.get("created_at"), data], sort_keys=True)
    return {
        "id": hashlib.sha256(told.encode()).hexdigest()[:24], "created_at": said.get("created_at"),
        "level": "error" if data.get("error") else "info", "data": data,
        "message": str(data.get("error") or data.get("status") or said.get("name")),
    }  # fmt: skip


def _measured(checkpoint: Mapping[str, object]) -> Mapping[str, object]:
    return {
        "id": f"{checkpoint['id']}:metrics", "created_at": checkpoint["created_at"], "level": "info",
        "type": "metrics", "message": f"step {checkpoint['step_number']}", "data": checkpoint["metrics"],
    }  # fmt: skip


def _checkpoint(said: Mapping[str, object], job: Mapping[str, object]) -> Mapping[str, object]:
    """`MetricOut` has losses of the whole validation set. A checkpoint has no name, so only the last one answers."""
    step = said.get("step_number")
    metrics = {_MEASURES.get(name, name): value for name, value in mapped(said.get("metrics")).items()}
    return {
        "id": f"{job.get('id')}:{step}", "created_at": said.get("created_at"), "step_number": step,
        "fine_tuned_model_checkpoint": job.get("fine_tuned_model") or f"{job.get('id')}:{step}",
        "fine_tuning_job_id": job.get("id"), "metrics": metrics | {"step": step},
    }  # fmt: skip
