"""OpenAI's own shapes of what the stand-in knows (openai/openai-openapi @f85dbe2)."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from typing import Final

from backends.graders import as_sent
from backends.stand_in.ledger import KeptCheckpoint, KeptJob, Told
from backends.stand_in.requests import CreateJob
from backends.stand_in.training import Standing

ORGANIZATION: Final = "standin"
ENDED: Final = frozenset({"succeeded", "failed", "cancelled"})
RESULTS: Final = "file-results-"
"""What the name of a job's results file begins with; the job's own follows."""

_CHARACTERS_A_TOKEN: Final = 4
_COLUMNS: Final = (
    "step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy",
)  # fmt: skip

_OF_EVERY_METHOD: Final = frozenset({"n_epochs", "batch_size", "learning_rate_multiplier"})
_NOT_OF_CHECKPOINTS: Final = frozenset({"total_steps", "learning_rate"})

Answer = dict[str, object]


def told_job(job: KeptJob, standing: Standing) -> Answer:
    request = CreateJob.model_validate(job.request)
    chosen = request.method.hyperparameters.model_dump()
    succeeded = standing.status == "succeeded"
    ended = standing.ended_at if standing.status in ENDED else None
    return {
        "id": job.id, "object": "fine_tuning.job", "created_at": job.created_at, "model": request.model,
        "organization_id": ORGANIZATION, "status": standing.status, "seed": job.seed,
        "training_file": request.training_file, "validation_file": request.validation_file,
        "fine_tuned_model": model_name(job) if succeeded else None,
        "finished_at": int(ended) if ended is not None else None, "trained_tokens": standing.trained_tokens,
        "result_files": [f"{RESULTS}{job.id}"] if succeeded else [],
        "error": standing.error.model_dump() if standing.error else None, "estimated_finish": None,
        "hyperparameters": {name: value for name, value in chosen.items() if name in _OF_EVERY_METHOD},
        "method": {"type": request.method.type, request.method.type: {"hyperparameters": chosen} | _graded(request)},
        "metadata": request.metadata, "integrations": [],
    }  # fmt: skip


def _graded(request: CreateJob) -> Answer:
    grader = request.method.grader
    return {} if grader is None else {"grader": as_sent(grader)}


def told_event(job: KeptJob, number: int, told: Told) -> Answer:
    said: Answer = {
        "object": "fine_tuning.job.event", "id": f"ftevent-{job.id[6:]}-{number:06}", "created_at": int(told.at),
        "level": told.level, "message": told.message, "type": "message" if told.data is None else "metrics",
    }  # fmt: skip
    return said if told.data is None else said | {"data": told.data}


def told_checkpoint(job: KeptJob, kept: KeptCheckpoint) -> Answer:
    return {
        "id": f"ftckpt-{job.id[6:]}-{kept.step:06}", "object": "fine_tuning.job.checkpoint",
        "created_at": int(kept.at), "fine_tuning_job_id": job.id, "step_number": kept.step,
        "fine_tuned_model_checkpoint": f"{model_name(job)}:ckpt-step-{kept.step}",
        "metrics": {name: value for name, value in kept.metrics.items() if name not in _NOT_OF_CHECKPOINTS},
    }  # fmt: skip


def model_name(job: KeptJob) -> str:
    request = CreateJob.model_validate(job.request)
    return f"ft:{request.model}:{ORGANIZATION}:{request.suffix or ''}:{job.id[6:]}"


def metadata_of(job: KeptJob) -> Mapping[str, str]:
    return CreateJob.model_validate(job.request).metadata or {}


def results(rows: Sequence[Mapping[str, object]]) -> bytes:
    """With OpenAI's header, whose accuracy of training has another name than in events."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for row in rows:
        named = {**row, "train_accuracy": row.get("train_mean_token_accuracy")}
        writer.writerow(["" if named.get(name) is None else named[name] for name in _COLUMNS])
    return text.getvalue().encode()


def completion(model: str, messages: Sequence[Mapping[str, object]], text: str, limit: int, now: int) -> Answer:
    """Its tokens are characters by four, rounded up, and its end is cut where the limit is."""
    cut = text[: limit * _CHARACTERS_A_TOKEN]
    usage = {"prompt_tokens": _tokens(json.dumps(messages)), "completion_tokens": _tokens(cut)}
    digest = hashlib.sha256(f"{model}{json.dumps(messages)}".encode()).hexdigest()
    message = {"role": "assistant", "content": cut, "refusal": None}
    reason = "stop" if cut == text else "length"
    return {
        "id": f"chatcmpl-{digest[:24]}", "object": "chat.completion", "created": now, "model": model,
        "choices": [{"index": 0, "finish_reason": reason, "logprobs": None, "message": message}],
        "usage": usage | {"total_tokens": sum(usage.values())},
    }  # fmt: skip


def chunks(whole: Answer) -> list[Answer]:
    """The same completion as it is streamed: a word at a time, then why it ends."""
    choices = whole["choices"]
    assert isinstance(choices, list)
    text, reason = choices[0]["message"]["content"], choices[0]["finish_reason"]
    words = text.split(" ")
    pieces = [f"{word} " for word in words[:-1]] + words[-1:]
    deltas: list[Answer] = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces)]
    shared = {name: whole[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    told = [shared | {"choices": [{"index": 0, "delta": each, "finish_reason": None}]} for each in deltas]
    return [*told, shared | {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}]


def _tokens(text: str) -> int:
    return -(-len(text) // _CHARACTERS_A_TOKEN)
