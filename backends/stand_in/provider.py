"""What the stand-in does: files, jobs, events, checkpoints, models. Answers are in OpenAI's own shapes."""

import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from backends.errors import BackendError
from backends.stand_in.faults import Faults, Kind
from backends.stand_in.ledger import KeptFile, KeptJob, Ledger, Pause, Told
from backends.stand_in.requests import CreateCompletion, CreateJob
from backends.stand_in.shapes import (
    ENDED,
    ORGANIZATION,
    RESULTS,
    Answer,
    completion,
    metadata_of,
    model_name,
    results,
    told_checkpoint,
    told_event,
    told_job,
)
from backends.stand_in.training import Standing, Trainer

Item = TypeVar("Item")
Request = TypeVar("Request", bound=BaseModel)
_LIMIT: Final = 20
_LIMIT_MAX: Final = 100
_BROKEN: Final = 500
_PURPOSES: Final = ("assistants", "batch", "fine-tune", "vision", "user_data")
"""`evals` may be sent as the specification has it, and may not be answered: it is not taken."""


class Refusal(Exception):
    """An answer that says no, in OpenAI's form."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        self.status = status
        kind = "invalid_request_error" if status < _BROKEN else "server_error"
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
        super().__init__(message)


@dataclass(slots=True)
class Clock:
    """The provider's, which may run faster than ours; it never goes back, whatever it ran at before a restart."""

    scale: float = 1.0
    not_before: float = 0.0
    _began: float = field(default_factory=time.monotonic)
    _origin: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return max(self._origin, self.not_before) + (time.monotonic() - self._began) * self.scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """`models`: base models, each with the day on which it ends, or None."""

    ledger: Ledger
    trainer: Trainer
    faults: Faults
    clock: Callable[[], float]
    models: Mapping[str, str | None]

    # Files

    def upload(self, name: str, purpose: str, content: bytes) -> Answer:
        if purpose not in _PURPOSES:
            raise Refusal(400, f"{purpose!r} is not one of {', '.join(_PURPOSES)}", param="purpose")
        if not name:
            raise Refusal(400, "the file has no name", param="file")
        now = self.clock()
        file = KeptFile(
            id=f"file-{secrets.token_hex(12)}", name=name, purpose=purpose, size=len(content), created_at=int(now),
            arrived=now,
        )  # fmt: skip
        self.ledger.keep(file.id, content)
        with self.ledger.writing() as known:
            known.files[file.id] = file
        return self._file(file)

    def file(self, file_id: str) -> Answer:
        return self._file(self.kept_file(file_id))

    def files(self, query: Mapping[str, str]) -> Answer:
        listed = self.listed_files(query.get("purpose"))
        listed.sort(key=lambda each: (each.created_at, each.id), reverse=query.get("order", "desc") == "desc")
        page, more = _page([self._file(each) for each in listed], query, _LIMIT_MAX)
        ids = [str(each["id"]) for each in page] or [""]
        return {"object": "list", "data": page, "has_more": more, "first_id": ids[0], "last_id": ids[-1]}

    def content(self, file_id: str) -> bytes:
        if file_id.startswith(RESULTS):
            return self._results(file_id.removeprefix(RESULTS))
        return self.ledger.content(self.kept_file(file_id).id)

    def forget(self, file_id: str) -> Answer:
        self.kept_file(file_id)
        with self.ledger.writing() as known:
            del known.files[file_id]
        return {"id": file_id, "object": "file", "deleted": True}

    # Jobs

    def create(self, body: object, *, retry_count: int) -> Answer:
        request = read(CreateJob, body)
        now = self.clock()
        for param, file_id in (("training_file", request.training_file), ("validation_file", request.validation_file)):
            if file_id is not None:
                self._refuse_unread(param, file_id, now)
        seed = request.seed if request.seed is not None else secrets.randbelow(2**31)
        job = KeptJob(
            id=f"ftjob-{secrets.token_hex(12)}", request=request.model_dump(mode="json", exclude_unset=True),
            created_at=int(now), arrived=now, seed=seed,
        )  # fmt: skip
        self.trainer.accept(job)
        with self.ledger.writing() as known:
            known.jobs[job.id] = job
            known.retry_counts.append(retry_count)
        return self._job(job)

    def job(self, job_id: str) -> Answer:
        return self._job(self.kept_job(job_id))

    def jobs(self, query: Mapping[str, str]) -> Answer:
        wanted = {name[9:-1]: value for name, value in query.items() if re.fullmatch(r"metadata\[.*\]", name)}
        if wanted and self.faults.lasting(Kind.FILTER_REFUSED):
            raise Refusal(400, "Unknown query parameter: metadata", param="metadata")
        if self.faults.lasting(Kind.FILTER_IGNORED):
            wanted = {}
        listed = [each for each in self.listed_jobs() if wanted.items() <= metadata_of(each).items()]
        page, more = _page(listed, query, _LIMIT)
        return {"object": "list", "data": [self._job(each) for each in page], "has_more": more}

    def cancel(self, job_id: str) -> Answer:
        job = self._live_job(job_id, "cancel")
        with self.ledger.writing() as known:
            kept = known.jobs[job.id]
            self.trainer.cancel(kept)
            kept.ended, kept.ended_at = "cancelled", self.clock()
        return self.job(job_id)

    def pause(self, job_id: str) -> Answer:
        job = self._live_job(job_id, "pause")
        if job.inner is not None:
            raise Refusal(400, "what really trains cannot be set aside here")
        with self.ledger.writing() as known:
            kept = known.jobs[job.id]
            kept.paused_at = kept.paused_at or self.clock()
        return self.job(job_id)

    def resume(self, job_id: str) -> Answer:
        job = self._live_job(job_id, "resume")
        if job.paused_at is None:
            raise Refusal(400, f"{job.id} is not paused")
        with self.ledger.writing() as known:
            kept, now = known.jobs[job.id], self.clock()
            pause = Pause(worked_s=kept.worked(now), idle_s=now - job.paused_at)
            kept.pauses, kept.paused_at = [*kept.pauses, pause], None
        return self.job(job_id)

    def events(self, job_id: str, query: Mapping[str, str]) -> Answer:
        job = self.kept_job(job_id)
        told = list(self.standing(job).told)
        if job.ended == "cancelled":
            told.append(Told(at=job.ended_at or 0, message="The job has been cancelled"))
        listed = [told_event(job, number, each) for number, each in enumerate(told) if not self._is_late(number, each)]
        if self.faults.lasting(Kind.EVENTS_DOUBLED):
            listed = [each for each in listed for _ in range(2)]
        page, more = _page(listed[::-1], query, _LIMIT)
        return {"object": "list", "data": page, "has_more": more}

    def checkpoints(self, job_id: str, query: Mapping[str, str]) -> Answer:
        job = self.kept_job(job_id)
        listed = [told_checkpoint(job, each) for each in self.standing(job).checkpoints]
        page, more = _page(listed[::-1], query, _LIMIT)
        ids = [each["id"] for each in page] or [None]
        return {"object": "list", "data": page, "has_more": more, "first_id": ids[0], "last_id": ids[-1]}

    # Models

    def list_models(self) -> Answer:
        with self.ledger.reading() as known:
            tuned = [name for each in known.jobs.values() if (name := self._tuned(each))]
        return {"object": "list", "data": [*map(self._model, self.models), *map(self._model, tuned)]}

    def model(self, name: str) -> Answer:
        if name not in self.models:
            self._trained(name)
        return self._model(name)

    def complete(self, body: object) -> Answer:
        request = read(CreateCompletion, body)
        job, step = self._trained(request.model) if request.model not in self.models else (None, None)
        messages = [each.model_dump(exclude_unset=True) for each in request.messages]
        limit = request.max_completion_tokens or request.max_tokens or 256
        try:
            text = self.trainer.answer(job, step, messages, limit)
        except BackendError as error:
            raise Refusal(_BROKEN, f"{request.model} cannot answer: {error}", code=error.code) from error
        return completion(request.model, messages, text, limit, int(self.clock()))

    # What is looked up, in whatever dialect

    def listed_files(self, purpose: str | None) -> list[KeptFile]:
        hidden = self.faults.lasting(Kind.HIDE_FILES)
        since = self.clock() - hidden.seconds if hidden else float("inf")
        with self.ledger.reading() as known:
            return [
                each for each in known.files.values()
                if purpose in (None, each.purpose) and each.arrived <= since
            ]  # fmt: skip

    def listed_jobs(self) -> list[KeptJob]:
        """The newest first."""
        hidden = self.faults.lasting(Kind.HIDE_JOBS)
        since = self.clock() - hidden.seconds if hidden else float("inf")
        with self.ledger.reading() as known:
            listed = [each for each in known.jobs.values() if each.arrived <= since]
        return sorted(listed, key=lambda each: (each.created_at, each.id), reverse=True)

    def kept_file(self, file_id: str) -> KeptFile:
        with self.ledger.reading() as known:
            if file_id not in known.files:
                raise Refusal(404, f"No such File object: {file_id}", param="id")
            return known.files[file_id]

    def kept_job(self, job_id: str) -> KeptJob:
        with self.ledger.reading() as known:
            if job_id not in known.jobs:
                raise Refusal(404, f"Could not find fine tune: {job_id}", code="fine_tune_not_found", param="job_id")
            return known.jobs[job_id]

    def _live_job(self, job_id: str, verb: str) -> KeptJob:
        job = self.kept_job(job_id)
        status = self.standing(job).status
        if status in ENDED:
            raise Refusal(
                400, f"Job {job_id} has status {status}, so {verb} means nothing to it", code=f"invalid_{verb}"
            )
        return job

    def _trained(self, name: str) -> tuple[KeptJob | None, int | None]:
        """The job whose model or checkpoint this is."""
        base, _, step = name.partition(":ckpt-step-")
        with self.ledger.reading() as known:
            found = [each for each in known.jobs.values() if model_name(each) == base]
        if found and step.isdigit() and int(step) in [each.step for each in self.standing(found[0]).checkpoints]:
            return found[0], int(step)
        if found and not step and self._tuned(found[0]):
            return found[0], None
        raise Refusal(
            404, f"The model {name!r} does not exist or you do not have access to it.", code="model_not_found"
        )

    def _tuned(self, job: KeptJob) -> str | None:
        return model_name(job) if self.standing(job).status == "succeeded" else None

    def _refuse_unread(self, param: str, file_id: str, now: float) -> None:
        file = self.kept_file(file_id)
        unready = self.faults.lasting(Kind.FILE_NOT_READY)
        if unready and now < file.arrived + unready.seconds:
            said = f"File '{file_id}' is still being processed and is not ready to be used for fine-tuning."
            raise Refusal(400, said, param=param)
        if file.purpose != "fine-tune":
            raise Refusal(400, f"{file_id} was not uploaded to be trained on", param=param)

    def standing(self, job: KeptJob) -> Standing:
        """What a look at it changes, a job of a backend's, is written down."""
        request = CreateJob.model_validate(job.request)
        if job.inner is None:
            return self.trainer.standing(job, request, self.clock())
        with self.ledger.writing() as known:
            return self.trainer.standing(known.jobs.get(job.id, job), request, self.clock())

    def _is_late(self, number: int, told: Told) -> bool:
        late = self.faults.lasting(Kind.EVENTS_LATE)
        return late is not None and number % 3 == 1 and self.clock() < told.at + late.seconds

    def _results(self, job_id: str) -> bytes:
        told = (each.data for each in self.standing(self.kept_job(job_id)).told)
        return results([each for each in told if each is not None])

    # How it is told

    def _file(self, file: KeptFile) -> Answer:
        unready = self.faults.lasting(Kind.FILE_NOT_READY)
        is_read = not unready or self.clock() >= file.arrived + unready.seconds
        return {
            "id": file.id, "object": "file", "bytes": file.size, "created_at": file.created_at,
            "filename": file.name, "purpose": file.purpose, "status": "processed" if is_read else "uploaded",
        }  # fmt: skip

    def _job(self, job: KeptJob) -> Answer:
        return told_job(job, self.standing(job))

    def _model(self, name: str) -> Answer:
        said: Answer = {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": ORGANIZATION}
        return said | {"shutdown_date": self.models.get(name)}


def _page(items: Sequence[Item], query: Mapping[str, str], usual: int) -> tuple[list[Item], bool]:
    said = query.get("limit", str(usual))
    if not said.isascii() or not said.isdigit() or not 1 <= int(said[:9]) <= _LIMIT_MAX:
        raise Refusal(400, f"limit is a number from 1 to {_LIMIT_MAX}", param="limit")
    after = query.get("after")
    places = [place for place, each in enumerate(items) if after is not None and _id(each) == after]
    if after is not None and not places:
        raise Refusal(400, f"nothing here is called {after!r}", param="after")
    rest = items[places[-1] + 1 :] if places else items
    return list(rest[: int(said)]), len(rest) > int(said)


def _id(item: object) -> object:
    return item.get("id") if isinstance(item, dict) else getattr(item, "id", None)


def read(kind: type[Request], body: object) -> Request:
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(each) for each in first["loc"])
        said = f"no field is called {where}" if first["type"] == "extra_forbidden" else f"{where}: {first['msg']}"
        raise Refusal(400, said, param=where) from None
