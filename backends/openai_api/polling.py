"""Where a job stands, and what is new since the last look.

Nothing an answer says is believed before it has the form of its kind; where it has not, nothing changes. What has
ended stays ended, whatever comes later (reliability reference, section 2.5).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError

from backends.errors import AnswerInvalid, RunLost, Unreachable
from backends.events import ENDED, Checkpoint, Event, EventKind, Failure, Level, Metrics, Poll, RunState, Usage
from backends.openai_api import answers, listing, results
from backends.openai_api.cursors import Cursor
from backends.openai_api.flagged import where_in_the_file
from backends.openai_api.profiles import Profile
from backends.openai_api.wire import NOT_FOUND, Refused, Wire

_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,199}")
_LEVELS: Final = {"warn": Level.WARNING, "warning": Level.WARNING, "error": Level.ERROR}
_TRAINED: Final = ENDED | {RunState.RUNNING, RunState.PAUSED, RunState.FINALIZING}
_RESULTS_WAITS_MAX: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at one job."""

    wire: Wire
    profile: Profile
    reference: str

    def poll(self, cursor: str) -> Poll:
        """As `Backend.poll`. In state `UNKNOWN` its failure says why it is not known."""
        try:
            return self._poll(Cursor.read(cursor))
        except Unreachable as error:
            return _unknown(cursor, "unreachable", error)
        except AnswerInvalid as error:
            return _unknown(cursor, error.code, error)
        except Refused as refused:
            return _unknown(cursor, refused.code or "provider_error", refused)

    def job(self) -> answers.Job:
        """Raises `RunLost`, and as `Wire.read` does."""
        if not _REFERENCE.fullmatch(self.reference):
            raise RunLost(f"{self.reference!r} is no name of a job")
        try:
            job = self.wire.read(f"{self.profile.jobs_path}/{self.reference}", self.profile.job)
        except Refused as refused:
            if refused.status == NOT_FOUND and refused.message:
                raise RunLost(f"the provider knows no job {self.reference}") from refused
            raise
        if job.id != self.reference:
            raise AnswerInvalid(f"{self.reference} was asked for, and the answer tells of {job.id}")
        return job

    def _poll(self, cursor: Cursor) -> Poll:
        job = self.job()
        said = self.profile.states.get(job.status, RunState.UNKNOWN)
        state = cursor.ended or said
        told = self._events(job, cursor, whole=state in ENDED and cursor.ended is None)
        if state is not said:
            told.append(_incident(job, cursor))
        fresh = sorted({each.id: each for each in told if cursor.is_new(each)}.values(), key=_order)
        cursor = cursor.after(fresh)
        events = [_event(each) for each in fresh]
        if state is RunState.SUCCEEDED and cursor.ended is None:
            state, cursor, added = self._settled(job, cursor, told)
            events += added
        cursor = replace(cursor, ended=state if state in ENDED else None)
        return Poll(
            state=state, cursor=str(cursor), events=tuple(events),
            checkpoints=self._checkpoints(job) if state in _TRAINED else (),
            model=cursor.model if state is RunState.SUCCEEDED else None, provider_state=job.status,
            usage=Usage(billed_tokens=job.trained_tokens), environment=_environment(self.profile, job),
            failure=_failure(job, told) if state is RunState.FAILED else None,
        )  # fmt: skip

    def _events(self, job: answers.Job, cursor: Cursor, *, whole: bool) -> list[answers.JobEvent]:
        """The newest come first, so a page that holds nothing new is the last that is needed; a job that has just
        ended is read whole, for those that came late."""
        if job.events is not None:
            return list(job.events)
        told = []
        for page in listing.events(self.wire, self.profile, job.id):
            told += page
            if not whole and not any(map(cursor.is_new, page)):
                break
        return told

    def _checkpoints(self, job: answers.Job) -> tuple[Checkpoint, ...]:
        kept = job.checkpoints
        if kept is None:
            kept = list(listing.checkpoints(self.wire, self.profile, job.id))
        if foreign := [each.id for each in kept if each.fine_tuning_job_id != job.id]:
            raise AnswerInvalid(f"a checkpoint of another job among those of {job.id}: {foreign[0]}")
        found = {each.id: _checkpoint(each) for each in kept}
        return tuple(sorted(found.values(), key=lambda each: (each.step, each.id)))

    def _settled(
        self, job: answers.Job, cursor: Cursor, told: Iterable[answers.JobEvent]
    ) -> tuple[RunState, Cursor, list[Event]]:
        """Succeeded is only what has a model that answers; its results file is waited for, but not for ever."""
        if job.fine_tuned_model is None or not self._answers(job.fine_tuned_model):
            return RunState.FINALIZING, cursor, []
        cursor = replace(cursor, model=job.fine_tuned_model)
        rows = self._results(job)
        if rows is None and cursor.results_waits < _RESULTS_WAITS_MAX and self.profile.pages:
            return RunState.FINALIZING, replace(cursor, results_waits=cursor.results_waits + 1), []
        measured = (_metrics(each) for each in told)
        known = {each.step: each for each in measured if each is not None}
        at = _moment(max([job.created_at, *(each.created_at for each in told)]))
        added = [
            Event(
                id=f"{job.id}:results:{row.step}", at=at, kind=EventKind.METRICS, metrics=row,
                message=f"step {row.step}, from the results file",
            )
            for row in results.untold(rows or (), known)
        ]  # fmt: skip
        return RunState.SUCCEEDED, cursor, added

    def _answers(self, model: str) -> bool:
        """One token, for a name alone proves nothing (reliability reference, section 2.5)."""
        if not self.profile.probe:
            return True
        body = {"model": model, "messages": [{"role": "user", "content": "ping"}], self.profile.limit_field: 1}
        try:
            self.wire.send("/chat/completions", body, answers.Completion, deadline_s=self.wire.limits.completion_s)
        except (Refused, Unreachable, AnswerInvalid):
            return False
        return True

    def _results(self, job: answers.Job) -> tuple[Metrics, ...] | None:
        """None where there are none yet."""
        if not job.result_files:
            return None
        try:
            return results.parse(self.wire.read_bytes(f"/files/{job.result_files[0]}/content"))
        except (Refused, Unreachable):
            return None


def _unknown(cursor: str, code: str, why: Exception) -> Poll:
    return Poll(state=RunState.UNKNOWN, cursor=cursor, failure=Failure(code=code, message=str(why)))


def _incident(job: answers.Job, cursor: Cursor) -> answers.JobEvent:
    message = f"the provider now says {job.status!r} of a job that had {cursor.ended}; it stays as it was"
    at = max(cursor.latest, job.created_at)
    return answers.JobEvent(id=f"{job.id}:then:{job.status}", created_at=at, level="warn", message=message)


def _order(event: answers.JobEvent) -> tuple[int, str]:
    return event.created_at, event.id


def _event(said: answers.JobEvent) -> Event:
    metrics = _metrics(said)
    return Event(
        id=said.id, at=_moment(said.created_at), kind=EventKind.MESSAGE if metrics is None else EventKind.METRICS,
        message=said.message, level=_LEVELS.get(said.level, Level.INFO), metrics=metrics,
        data={} if metrics is not None else _finite(said.data or {}),
    )  # fmt: skip


def _metrics(said: answers.JobEvent) -> Metrics | None:
    if said.type != "metrics" or said.data is None:
        return None
    try:
        return _measured(answers.Measures.model_validate(said.data))
    except ValidationError:
        return None


def _measured(said: answers.Measures, step: int | None = None) -> Metrics | None:
    at = step if step is not None else said.step
    if at is None:
        return None
    accuracy = said.train_mean_token_accuracy
    return Metrics(
        step=int(at), total_steps=int(said.total_steps) if said.total_steps else None, train_loss=said.train_loss,
        train_accuracy=said.train_accuracy if accuracy is None else accuracy, valid_loss=said.valid_loss,
        valid_accuracy=said.valid_mean_token_accuracy, full_valid_loss=said.full_valid_loss,
        full_valid_accuracy=said.full_valid_mean_token_accuracy, learning_rate=said.learning_rate,
    )  # fmt: skip


def _checkpoint(said: answers.JobCheckpoint) -> Checkpoint:
    return Checkpoint(
        id=said.id, step=said.step_number, model=said.fine_tuned_model_checkpoint,
        metrics=_measured(said.metrics, said.step_number),
    )  # fmt: skip


def _failure(job: answers.Job, told: Iterable[answers.JobEvent]) -> Failure:
    """Its own error, and the last that its events complained of: a bill that was not paid shows in neither."""
    error = job.error or answers.JobError()
    complaints = [each.message for each in sorted(told, key=_order) if each.level == "error"]
    message = error.message or (complaints[-1] if complaints else "the provider gives no reason; look at the bill")
    return Failure(
        code=error.code or "provider_error", message=message, param=error.param or "",
        remedy=where_in_the_file(message),
    )  # fmt: skip


def _environment(profile: Profile, job: answers.Job) -> Mapping[str, str]:
    """What the provider says it trains with, its own choices included."""
    told = {"provider": profile.name, "model": job.model}
    if job.seed is not None:
        told["seed"] = str(job.seed)
    return told | dict(_chosen(job.method or {}))


def _chosen(method: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for settings in method.values():
        given = settings.get("hyperparameters") if isinstance(settings, dict) else None
        yield from ((name, str(value)) for name, value in (given or {}).items())


def _finite(data: Mapping[str, object]) -> Mapping[str, object]:
    """JSON as everybody reads it: Python writes and reads NaN, others do not."""
    plain: Mapping[str, object] = json.loads(json.dumps(data), parse_constant=lambda _: None)
    return plain


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
