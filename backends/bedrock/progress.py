"""A customization job as Bedrock tells it, told in our words.

Events are told in an order to which later polls only add: what begins, how it ended, and then the curve, which Bedrock
writes to S3 when the job is done ("Analyze the results of a model customization job").
"""

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from backends.events import Event, EventKind, Failure, Level, Metrics, Poll, RunState, Usage

_STAGES: Final = (
    ("validationDetails", "Bedrock checks the files", RunState.VALIDATING),
    ("dataProcessingDetails", "Bedrock prepares the data", RunState.VALIDATING),
    ("trainingDetails", "training begins", RunState.RUNNING),
)
_ENDS: Final = {
    "Completed": RunState.SUCCEEDED, "Failed": RunState.FAILED, "Stopped": RunState.CANCELLED,
}  # fmt: skip
ENDED: Final = frozenset(_ENDS)

Job = Mapping[str, Any]


def told(job: Job, curve: tuple[Metrics, ...], *, cursor: str) -> Poll:
    """`curve`: empty before the end."""
    events = _events(job, curve)
    seen = int(cursor or 0)
    state, said = _state(job), str(job.get("status", ""))
    return Poll(
        state=state,
        cursor=str(max(seen, len(events))),
        events=events[seen:],
        model=job.get("outputModelArn") if state is RunState.SUCCEEDED else None,
        usage=Usage(seconds=_seconds(job)),
        failure=_failure(job) if state is RunState.FAILED else None,
        provider_state=said,
        environment=_environment(job),
    )


def curve_of(training: str, validation: str) -> tuple[Metrics, ...]:
    """From the texts of `step_wise_training_metrics.csv` and `validation_metrics.csv` ("" where there is none).

    Steps and epochs count from 0, as Bedrock writes them; its validation losses are of the whole file.
    """
    trained, validated = _by_step(training), _by_step(validation)
    return tuple(
        Metrics(
            step=step,
            epoch=_number((trained.get(step) or validated[step]).get("epoch_number")),
            train_loss=_number(trained.get(step, {}).get("training_loss")),
            full_valid_loss=_number(validated.get(step, {}).get("validation_loss")),
        )
        for step in sorted(trained.keys() | validated.keys())
    )


def _by_step(text: str) -> dict[int, dict[str, str]]:
    rows = csv.DictReader(io.StringIO(text))
    return {int(step): row for row in rows if (step := _number(row.get("step_number"))) is not None}


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _state(job: Job) -> RunState:
    match job.get("status"):
        case "Completed" if not job.get("outputModelArn"):
            return RunState.FINALIZING
        case "Completed" | "Failed" | "Stopped" as said:
            return _ENDS[said]
        case "InProgress":
            return _under_way(job)
        case "Stopping":
            return RunState.RUNNING
        case _:
            return RunState.UNKNOWN


def _under_way(job: Job) -> RunState:
    """The last stage that has begun; running where Bedrock tells no stages."""
    details = job.get("statusDetails") or {}
    begun = [state for name, _, state in _STAGES if _begun(details.get(name))]
    return begun[-1] if begun else RunState.QUEUED if details else RunState.RUNNING


def _begun(stage: Mapping[str, Any] | None) -> bool:
    return bool(stage) and (stage or {}).get("status") not in {None, "NotStarted"}


def _events(job: Job, curve: tuple[Metrics, ...]) -> tuple[Event, ...]:
    details, name = job.get("statusDetails") or {}, job["jobName"]
    found = [_message(f"{name}-created", job["creationTime"], "Bedrock took the job")]
    found += [
        _message(f"{name}-{stage}", details[stage].get("creationTime") or job["creationTime"], words)
        for stage, words, _ in _STAGES
        if _begun(details.get(stage))
    ]
    said = job.get("status")
    if said not in ENDED:
        return tuple(found)
    at = job.get("endTime") or job.get("lastModifiedTime") or job["creationTime"]
    words = str(job.get("failureMessage") or "it failed") if said == "Failed" else f"Bedrock says {said}"
    found.append(_message(f"{name}-end", at, words, level=Level.ERROR if said == "Failed" else Level.INFO))
    found += [_point(name, at, each) for each in curve]
    return tuple(found)


def _message(name: str, at: datetime, words: str, *, level: Level = Level.INFO) -> Event:
    return Event(id=name, at=at, kind=EventKind.MESSAGE, message=words, level=level)


def _point(name: str, at: datetime, metrics: Metrics) -> Event:
    return Event(
        id=f"{name}-step-{metrics.step}", at=at, kind=EventKind.METRICS, message=f"step {metrics.step}", metrics=metrics
    )


def _failure(job: Job) -> Failure:
    return Failure(code="provider_error", message=str(job.get("failureMessage") or "Bedrock gives no reason"))


def _seconds(job: Job) -> float | None:
    """Of training where Bedrock tells it apart, else from the job's beginning to its end, waiting included; both by
    Bedrock's own clock."""
    stage = (job.get("statusDetails") or {}).get("trainingDetails") or {}
    if stage.get("status") in ENDED:
        begun, ended = stage.get("creationTime"), stage.get("lastModifiedTime")
    else:
        begun, ended = job.get("creationTime"), job.get("endTime")
    if job.get("status") not in ENDED or not begun or not ended:
        return None
    return float((ended - begun).total_seconds())


def _environment(job: Job) -> dict[str, str]:
    chosen = {f"hyperparameters.{name}": value for name, value in (job.get("hyperParameters") or {}).items()}
    return {"job": job.get("jobArn", ""), "base_model": job.get("baseModelArn", "")} | chosen
