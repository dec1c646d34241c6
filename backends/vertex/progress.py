"""A tuning job as Vertex tells it, told in our words."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from google.genai.types import JobState, SupervisedTuningDataStats, TuningJob

from backends.events import Checkpoint, Event, EventKind, Failure, Level, Poll, RunState, Usage
from backends.vertex.curve import Point

_STATES: Final = {
    JobState.JOB_STATE_QUEUED: RunState.QUEUED,
    JobState.JOB_STATE_PENDING: RunState.QUEUED,
    JobState.JOB_STATE_RUNNING: RunState.RUNNING,
    JobState.JOB_STATE_UPDATING: RunState.RUNNING,
    JobState.JOB_STATE_CANCELLING: RunState.RUNNING,
    JobState.JOB_STATE_PAUSED: RunState.PAUSED,
    JobState.JOB_STATE_SUCCEEDED: RunState.SUCCEEDED,
    JobState.JOB_STATE_FAILED: RunState.FAILED,
    JobState.JOB_STATE_EXPIRED: RunState.FAILED,
    JobState.JOB_STATE_CANCELLED: RunState.CANCELLED,
}
_BEFORE_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


def state_of(job: TuningJob) -> RunState:
    state = _STATES.get(job.state, RunState.UNKNOWN) if job.state else RunState.UNKNOWN
    if state is RunState.SUCCEEDED and not _endpoint(job):
        return RunState.FINALIZING
    return state


def told(job: TuningJob, points: Sequence[Point], *, cursor: str) -> Poll:
    """`points`: those that nothing will be added to. The cursor is the messages told so far and the last step."""
    known, _, step = cursor.partition("@")
    said, last = known.split("+") if known else [], int(step or -1)
    state = state_of(job)
    begun, ended = list(_begun(job)), list(_ended(job, state))
    curve = [_point(job, each) for each in points if each.metrics.step > last]
    messages = [each for each in (*begun, *ended) if _short(each) not in said]
    events = [each for each in begun if each in messages] + curve + [each for each in ended if each in messages]
    heard = "+".join([*said, *map(_short, messages)])
    return Poll(
        state=state,
        cursor=f"{heard}@{max([last, *(each.metrics.step for each in points)])}",
        events=tuple(events),
        checkpoints=tuple(_checkpoints(job)),
        model=_endpoint(job) if state is RunState.SUCCEEDED else None,
        usage=_usage(job),
        failure=_failure(job) if state is RunState.FAILED else None,
        provider_state=str(job.state.value) if job.state else "",
        environment=_environment(job),
    )


def _begun(job: TuningJob) -> Iterator[Event]:
    yield _message(job, "created", job.create_time, "Vertex took the job")
    if job.start_time:
        yield _message(job, "started", job.start_time, "the job runs")
    stats = stats_of(job)
    if stats and stats.tuning_dataset_example_count:
        yield _data(job, stats)


def _data(job: TuningJob, stats: SupervisedTuningDataStats) -> Event:
    """Vertex drops examples without a word elsewhere: too many tokens, a picture that is none."""
    dropped = stats.total_truncated_example_count or 0
    words = f"{stats.tuning_dataset_example_count} examples, {dropped} dropped"
    said = {"rows_dropped": stats.truncated_example_indices or [], "reasons": stats.dropped_example_reasons or []}
    return Event(
        id=f"{job.name}/data", at=job.start_time or job.create_time or _BEFORE_TIME, kind=EventKind.MESSAGE,
        message=words, level=Level.WARNING if dropped else Level.INFO, data=said if dropped else {},
    )  # fmt: skip


def _ended(job: TuningJob, state: RunState) -> Iterator[Event]:
    if job.has_ended:
        reason = (
            job.error.message if job.error and job.error.message else f"Vertex says {job.state and job.state.value}"
        )
        level = Level.ERROR if state is RunState.FAILED else Level.INFO
        yield _message(job, "ended", job.end_time, reason, level=level)


def _message(job: TuningJob, short: str, at: datetime | None, words: str, *, level: Level = Level.INFO) -> Event:
    moment = at or job.create_time or _BEFORE_TIME
    return Event(id=f"{job.name}/{short}", at=moment, kind=EventKind.MESSAGE, message=words, level=level)


def _short(event: Event) -> str:
    return event.id.rsplit("/", 1)[-1]


def _point(job: TuningJob, point: Point) -> Event:
    step = point.metrics.step
    return Event(
        id=f"{job.name}/step-{step}", at=point.at, kind=EventKind.METRICS, message=f"step {step}", metrics=point.metrics
    )


def _checkpoints(job: TuningJob) -> Iterator[Checkpoint]:
    for each in (job.tuned_model.checkpoints if job.tuned_model else None) or ():
        if each.endpoint and each.step is not None:
            yield Checkpoint(id=f"{job.name}/checkpoints/{each.checkpoint_id}", step=each.step, model=each.endpoint)


def _endpoint(job: TuningJob) -> str | None:
    return job.tuned_model.endpoint if job.tuned_model else None


def stats_of(job: TuningJob) -> SupervisedTuningDataStats | None:
    return job.tuning_data_stats.supervised_tuning_data_stats if job.tuning_data_stats else None


def _usage(job: TuningJob) -> Usage:
    """Vertex counts the tokens of the data set and charges them once for each epoch, so nothing is known before both
    are ("Vertex AI pricing", tuning)."""
    stats, epochs = stats_of(job), _epochs(job)
    tokens = stats.total_billable_token_count if stats else None
    seconds = (job.end_time - job.start_time).total_seconds() if job.start_time and job.end_time else None
    return Usage(billed_tokens=tokens * epochs if tokens and epochs else None, seconds=seconds)


def _epochs(job: TuningJob) -> int | None:
    chosen = job.supervised_tuning_spec.hyper_parameters if job.supervised_tuning_spec else None
    return int(chosen.epoch_count) if chosen and chosen.epoch_count else None


def _failure(job: TuningJob) -> Failure:
    words = (job.error.message if job.error else None) or "Vertex gives no reason"
    return Failure(code=str(job.error.code) if job.error and job.error.code else "provider_error", message=words)


def _environment(job: TuningJob) -> dict[str, str]:
    chosen = job.supervised_tuning_spec.hyper_parameters if job.supervised_tuning_spec else None
    used = chosen.model_dump(mode="json", exclude_none=True) if chosen else {}
    return {"job": job.name or "", "base_model": job.base_model or ""} | {
        f"hyperparameters.{name}": str(value) for name, value in used.items()
    }
