"""A job as Fireworks tells it, told in our words.

Events are told in an order to which later polls only add: what begins, quarters of an epoch, how it ended, and then the
curve, which is read once the job has ended. How long a quarter lasts is Fireworks' own account; that its percentage is
of the epoch it names, and not of the whole job, is how we read its description.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from backends.events import ENDED, Event, EventKind, Failure, Level, Metrics, Poll, RunState, Usage
from backends.fireworks.jobs import Job

_STATES: Final = {
    "JOB_STATE_CREATING": RunState.QUEUED,
    "JOB_STATE_PENDING": RunState.QUEUED,
    "JOB_STATE_RE_QUEUEING": RunState.QUEUED,
    "JOB_STATE_VALIDATING": RunState.VALIDATING,
    "JOB_STATE_CREATING_INPUT_DATASET": RunState.VALIDATING,
    "JOB_STATE_RUNNING": RunState.RUNNING,
    "JOB_STATE_CANCELLING": RunState.RUNNING,
    "JOB_STATE_PAUSED": RunState.PAUSED,
    "JOB_STATE_WRITING_RESULTS": RunState.FINALIZING,
    "JOB_STATE_COMPLETED": RunState.SUCCEEDED,
    "JOB_STATE_EARLY_STOPPED": RunState.SUCCEEDED,
    "JOB_STATE_FAILED": RunState.FAILED,
    "JOB_STATE_EXPIRED": RunState.FAILED,
    "JOB_STATE_CANCELLED": RunState.CANCELLED,
}
"""Fireworks describes none of its words but `PAUSED`; those that it does not use of a tuning job are unknown here."""
_BEFORE_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTERS, _QUARTER = 4, 25
_EPOCHS_MAX: Final = 50


def is_over(job: Job) -> bool:
    """Nothing more is done for it, whether or not its model is there."""
    return _STATES.get(job.state) in ENDED


def state_of(job: Job) -> RunState:
    state = _STATES.get(job.state, RunState.UNKNOWN)
    return RunState.FINALIZING if state is RunState.SUCCEEDED and not job.output_model else state


def told(job: Job, curve: tuple[Metrics, ...], *, cursor: str) -> Poll:
    """`curve`: empty before the end. The cursor is the messages told so far, the last quarter and the last step."""
    heard, quarter, step = _place(cursor)
    state = state_of(job)
    reached = max(quarter, _quarters(job))
    begun, ended = _created(job), list(_ended(job, state))
    events = [
        *(each for each in [begun] if _short(each) not in heard),
        *(_progress(job, each) for each in range(quarter + 1, reached + 1)),
        *(each for each in ended if _short(each) not in heard),
        *(_point(job, each) for each in curve if each.step > step),
    ]
    said = "+".join([_short(begun), *map(_short, ended)])
    return Poll(
        state=state,
        cursor=f"{said}@{reached}@{max([step, *(each.step for each in curve)])}",
        events=tuple(events),
        model=_model(job) if state is RunState.SUCCEEDED else None,
        usage=_usage(job),
        failure=_failure(job) if state is RunState.FAILED else None,
        provider_state=job.state,
        environment=_environment(job),
    )


def _place(cursor: str) -> tuple[list[str], int, int]:
    if not cursor:
        return [], 0, -1
    heard, quarter, step = cursor.split("@")
    return heard.split("+"), int(quarter), int(step)


def _quarters(job: Job) -> int:
    """Of all epochs, how many are behind it."""
    progress = job.job_progress
    if progress is None:
        return 0
    epoch, percent = min(progress.epoch or 0, _EPOCHS_MAX), min(progress.percent or 0, 100)
    return epoch * _QUARTERS + percent // _QUARTER


def _created(job: Job) -> Event:
    return _message(job, "created", job.create_time, "Fireworks took the job")


def _progress(job: Job, quarter: int) -> Event:
    epoch, part = divmod(quarter - 1, _QUARTERS)
    words = f"{(part + 1) * _QUARTER} % of epoch {epoch + 1}"
    return _message(job, f"quarter-{quarter}", job.update_time, words)


def _ended(job: Job, state: RunState) -> Iterator[Event]:
    if state in ENDED:
        failed = state is RunState.FAILED
        words = _failure(job).message if failed else f"Fireworks says {job.state}"
        level = Level.ERROR if failed else Level.INFO
        yield _message(job, "ended", job.completed_time or job.update_time, words, level=level)


def _message(job: Job, short: str, at: datetime | None, words: str, *, level: Level = Level.INFO) -> Event:
    moment = at or job.create_time or _BEFORE_TIME
    return Event(id=f"{job.name}/{short}", at=moment, kind=EventKind.MESSAGE, message=words, level=level)


def _short(event: Event) -> str:
    return event.id.rsplit("/", 1)[-1]


def _point(job: Job, metrics: Metrics) -> Event:
    """At the job's end: what is written of a step's own moment is not read."""
    at = job.completed_time or job.update_time or job.create_time or _BEFORE_TIME
    words = f"step {metrics.step}"
    return Event(id=f"{job.name}/step-{metrics.step}", at=at, kind=EventKind.METRICS, message=words, metrics=metrics)


def _model(job: Job) -> str | None:
    """Its full name, however the job tells it."""
    if not job.output_model or "/" in job.output_model:
        return job.output_model
    return f"{'/'.join(job.name.split('/')[:2])}/models/{job.output_model}"


def _usage(job: Job) -> Usage:
    """From the job's beginning to its end, waiting included, both by Fireworks' own clock. What it charged no job
    tells; `estimatedCost` is what it says beforehand, and is kept with the environment."""
    begun, ended = job.create_time, job.completed_time
    return Usage(
        seen_tokens=(job.job_progress.input_tokens or None) if job.job_progress else None,
        seconds=(ended - begun).total_seconds() if begun and ended and is_over(job) else None,
    )


def _failure(job: Job) -> Failure:
    status = job.status
    words = (status.message if status else None) or f"Fireworks says {job.state}, and gives no reason"
    return Failure(code=str(status.code) if status and status.is_bad else "provider_error", message=words)


def _environment(job: Job) -> dict[str, str]:
    used = {
        "epochs": job.epochs, "learning_rate": job.learning_rate, "rank": job.lora_rank,
        "batch_size": job.batch_size_samples, "max_length": job.max_context_length,
        "weight_decay": job.optimizer_weight_decay,
    }  # fmt: skip
    known = {f"hyperparameters.{name}": str(value) for name, value in used.items() if value is not None}
    cost = job.estimated_cost
    if cost is not None and cost.currency_code:
        amount = Decimal(cost.units) + Decimal(cost.nanos).scaleb(-9)
        known["estimated_cost"] = f"{amount.normalize():f} {cost.currency_code}"
    return {"job": job.name, "base_model": job.base_model or ""} | known
