"""Together's dialect: `/fine-tunes`, its own names, calendar times (togethercomputer/together-py, src/together/types:
finetune_response, fine_tuning_list_response, finetune_event, fine_tuning_create_params).

A job's events come with it and have no ids, so theirs are made of what they say. Nothing of ours travels with a job
but the name of its file. Its evaluations are off unless asked for (`n_evals`, guide), so a validation file asks.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from pydantic import model_validator

from backends.events import RunState
from backends.openai_api import answers
from backends.openai_api.answers import listed, mapped
from backends.openai_api.requests import Order
from backends.spec import Method

STATES: Final = MappingProxyType({
    "pending": RunState.VALIDATING,
    "queued": RunState.QUEUED,
    "running": RunState.RUNNING,
    "compressing": RunState.FINALIZING,
    "uploading": RunState.FINALIZING,
    "cancel_requested": RunState.RUNNING,
    "cancelled": RunState.CANCELLED,
    "error": RunState.FAILED,
    "completed": RunState.SUCCEEDED,
})  # fmt: skip
NAMES: Final = MappingProxyType({
    "epochs": "n_epochs", "batch_size": "batch_size", "learning_rate": "learning_rate", "warmup_ratio": "warmup_ratio",
    "weight_decay": "weight_decay", "max_grad_norm": "max_grad_norm", "checkpoints": "n_checkpoints",
    "evaluations": "n_evals", "max_length": "max_seq_length", "rank": "lora_r", "alpha": "lora_alpha",
    "dropout": "lora_dropout", "beta": "dpo_beta",
})  # fmt: skip
_LEVELS: Final = {"warning": "warn", "legacy_iwarning": "warn", "error": "error", "legacy_ierror": "error"}
_TYPE: Final = ("lora_r", "lora_alpha", "lora_dropout")
_EVALUATIONS: Final = 5


def body(order: Order) -> dict[str, object]:
    """LoRA at Together's own rank of 64 unless the run says another (guide)."""
    spec, given = order.spec, dict(order.hyperparameters)
    lora = {name: given.pop(name) for name in _TYPE if name in given}
    rank = lora.get("lora_r", 64)
    method: dict[str, object] = {"method": "dpo" if spec.method is Method.DPO else "sft"}
    if "dpo_beta" in given:
        method["dpo_beta"] = given.pop("dpo_beta")
    whole: dict[str, object] = {
        "model": spec.model, "training_file": order.training_file, "training_method": method,
        "training_type": {"type": "Lora", "lora_r": rank, "lora_alpha": rank} | lora,
    }  # fmt: skip
    whole |= given
    if order.validation_file is not None:
        whole |= {"validation_file": order.validation_file, "n_evals": given.get("n_evals", _EVALUATIONS)}
    if spec.suffix is not None:
        whole["suffix"] = spec.suffix
    return whole


def upload_fields(name: str) -> dict[str, str]:
    """The form asks for the name once more, and for the kind of file."""
    return {"file_name": name, "file_type": "jsonl"}


class Job(answers.Job):
    @model_validator(mode="before")
    @classmethod
    def _translated(cls, told: object) -> object:
        said = mapped(told)
        return {
            "id": said.get("id"), "object": "fine_tuning.job", "created_at": _seconds(said.get("created_at")),
            "status": said.get("status"), "model": said.get("model") or "",
            "training_file": said.get("training_file"), "validation_file": said.get("validation_file") or None,
            "fine_tuned_model": said.get("model_output_name") if said.get("status") == "completed" else None,
            "trained_tokens": said.get("token_count"), "checkpoints": [],
            "events": [_event(mapped(each), said.get("id")) for each in listed(said.get("events"))],
        }  # fmt: skip


class Jobs(answers.Jobs):
    data: list[Job]  # type: ignore[assignment]  # lists are invariant, and nobody writes into an answer


def _event(said: Mapping[str, object], job: object) -> Mapping[str, object]:
    told = json.dumps([job, said.get("created_at"), said.get("type"), said.get("step"), said.get("message")])
    return {
        "id": hashlib.sha256(told.encode()).hexdigest()[:24], "created_at": _seconds(said.get("created_at")),
        "level": _LEVELS.get(str(said.get("level")), "info"), "message": said.get("message"),
    }  # fmt: skip


def _seconds(said: object) -> object:
    """Of a time in ISO 8601; anything else is left to be refused as what it is."""
    try:
        return int(datetime.fromisoformat(said).timestamp()) if isinstance(said, str) else said
    except ValueError:
        return said
