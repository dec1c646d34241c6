"""At most one live job for each run, whatever is lost on the way (reliability reference, section 2.4).

Nothing at the provider takes a key of ours that would make a create safe to repeat. So the run's id goes into the
job's metadata and the files' names, every step is remembered before the next, and a create whose outcome is not known
is looked for until the horizon before it is sent once more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from backends.checks import refuse
from backends.errors import (
    AnswerInvalid,
    BackendError,
    DataAltered,
    OutcomeUnknown,
    ProviderClosed,
    ProviderRefused,
    Unreachable,
)
from backends.memory import Memory
from backends.openai_api import answers
from backends.openai_api.flagged import where_in_the_file
from backends.openai_api.listing import files, jobs
from backends.openai_api.problems import named, problems
from backends.openai_api.profiles import Profile
from backends.openai_api.requests import RUN, Order, content_of, file_name
from backends.openai_api.wire import Lost, Refused, Upload, Wire
from backends.sending import ASK_AGAIN_S, HORIZON, Sent
from backends.spec import DataFile, TrainingSpec

_FORBIDDEN: Final = 403
_TOO_MANY: Final = 429
_OUT_OF_MONEY: Final = frozenset({
    "insufficient_quota", "exceeded_quota", "billing_hard_limit_reached", "billing_not_active",
})  # fmt: skip


class Step(StrEnum):
    """What a run's memory holds."""

    JOB = "job"
    SENT = "sent"
    NOT_READY = "not_ready_since"
    TRAIN = "file.train"
    VALIDATION = "file.validation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One run on its way to one provider. Its memory is all that is kept between two calls of `job`."""

    wire: Wire
    profile: Profile
    installation: str
    spec: TrainingSpec
    memory: Memory
    now: datetime

    def job(self) -> str:
        """The id of the run's job: remembered, found, or made. Raises as `Backend.start` does."""
        if known := self.memory.recall(Step.JOB):
            return known
        sent = Sent.read(self.memory.recall(Step.SENT))
        if sent is None:
            self._check()
        found = self._search(was_sent=sent is not None)
        if found is not None:
            return self._adopt(found)
        if sent is not None:
            sent.wait_out(self.now)
            self._check()
        return self._make(before=sent)

    def _check(self) -> None:
        refuse(problems(self.profile, self.spec, self.now.date()))

    def _make(self, *, before: Sent | None) -> str:
        contents = {step: _content(file) for step, file in self._files()}
        uploaded = {step: self._uploaded(step, file, contents[step]) for step, file in self._files()}
        order = Order(
            spec=self.spec, installation=self.installation, training_file=uploaded[Step.TRAIN],
            validation_file=uploaded.get(Step.VALIDATION), hyperparameters=named(self.profile, self.spec),
        )  # fmt: skip
        attempt = Sent(at=self.now, times=before.times + 1 if before else 1)
        self.memory.remember(Step.SENT, str(attempt))
        try:
            made = self.wire.send(
                self.profile.jobs_path, self.profile.body(order), self.profile.job,
                deadline_s=self.wire.limits.create_s,
            )  # fmt: skip
        except Refused as refused:
            return self._refused(refused, before)
        except (Lost, AnswerInvalid) as error:
            return self._reconciled(str(error))
        except Unreachable:
            self._never_sent(before)
            raise
        if made.training_file != order.training_file or _run_of(made) not in {None, self.spec.run_id}:
            return self._reconciled(f"the answer tells of another job, {made.id}")
        return self._adopt(made)

    def _refused(self, refused: Refused, before: Sent | None) -> str:
        """Raises what it means. A conflict, or what broke behind the provider's door, may have made the job."""
        told = {"provider_code": refused.code, "param": refused.param}
        if refused.code in _OUT_OF_MONEY:
            self._never_sent(before)
            raise ProviderRefused(str(refused), **told, remedy="pay or raise the limit, then start it again")
        if refused.status == _TOO_MANY:
            attempt = Sent(at=self.now, times=before.times if before else 0)
            self.memory.remember(Step.SENT, str(attempt))
            raise OutcomeUnknown(str(refused), retry_in_s=max(refused.retry_after_s or 0, ASK_AGAIN_S))
        if not refused.is_certain:
            return self._reconciled(str(refused))
        self._never_sent(before)
        if refused.status == _FORBIDDEN:
            raise ProviderClosed(str(refused), **told, remedy="train elsewhere: locally, or with another provider")
        if self._is_waiting_for_files():
            raise Unreachable(f"the provider still reads the file: {refused}", retry_in_s=ASK_AGAIN_S)
        raise ProviderRefused(str(refused), **told, remedy=where_in_the_file(refused.message))

    def _reconciled(self, why: str) -> str:
        found = self._search(was_sent=True)
        if found is None:
            raise OutcomeUnknown(f"whether the job exists is not known: {why}", retry_in_s=ASK_AGAIN_S)
        return self._adopt(found)

    def _adopt(self, job: answers.Job) -> str:
        self.memory.remember(Step.JOB, job.id)
        return job.id

    def _never_sent(self, before: Sent | None) -> None:
        self.memory.remember(Step.SENT, str(before) if before else "")

    def _search(self, *, was_sent: bool) -> answers.Job | None:
        """The oldest job of this run. What keeps us from looking is no answer to whether there is one."""
        try:
            return self._found()
        except (Unreachable, AnswerInvalid, Refused) as error:
            if was_sent:
                said = f"the job was sent, and its provider cannot be asked: {error}"
                raise OutcomeUnknown(said, retry_in_s=getattr(error, "retry_in_s", ASK_AGAIN_S)) from error
            raise _nothing_begun(error) from error

    def _found(self) -> answers.Job | None:
        """By the run's id in the metadata; then, where none is kept, by the file, whose name is this run's alone."""
        if named_so := [each for each in self._listed(self.spec.run_id) if _run_of(each) == self.spec.run_id]:
            return min(named_so, key=lambda each: (each.created_at, each.id))
        file = self._seen(Step.TRAIN, self.spec.train)
        if file is None:
            return None
        # No suffix: a job does not tell it before its model has a name. Both times are the provider's.
        unnamed = [
            each for each in self._listed(None)
            if _run_of(each) is None and each.training_file == file and each.seed in {None, self.spec.seed}
        ]  # fmt: skip
        return min(unnamed, key=lambda each: (each.created_at, each.id), default=None)

    def _listed(self, run_id: str | None) -> Iterator[answers.Job]:
        filtered = run_id if self.profile.metadata else None
        return jobs(self.wire, self.profile, run_id=filtered)

    def _files(self) -> tuple[tuple[Step, DataFile], ...]:
        both = ((Step.TRAIN, self.spec.train), (Step.VALIDATION, self.spec.validation))
        return tuple((step, file) for step, file in both if file is not None)

    def _seen(self, step: Step, file: DataFile) -> str | None:
        """The id of a file of this run that lies there already."""
        if known := self.memory.recall(step):
            return known
        name = file_name(file, self.spec.run_id)
        found = [each for each in files(self.wire, self.profile) if each.filename == name]
        if not found:
            return None
        self.memory.remember(step, found[0].id)
        return found[0].id

    def _uploaded(self, step: Step, file: DataFile, content: bytes) -> str:
        """An upload whose outcome is unknown is looked for until the horizon too: no file lies there without a use."""
        sent = f"{step}.sent"
        try:
            if known := self._seen(step, file):
                return known
            if (at := self.memory.recall(sent)) and self.now < datetime.fromisoformat(at) + HORIZON:
                raise Unreachable("the file was sent and is not seen yet", retry_in_s=ASK_AGAIN_S)
            self.memory.remember(sent, self.now.isoformat())
            return self._upload(step, file, content)
        except Refused as refused:
            if refused.is_certain or refused.status == _TOO_MANY:
                self.memory.remember(sent, "")
            raise _nothing_begun(refused) from refused
        except AnswerInvalid as error:
            raise _nothing_begun(error) from error

    def _upload(self, step: Step, file: DataFile, content: bytes) -> str:
        name = file_name(file, self.spec.run_id)
        fields = {"purpose": "fine-tune"} | self.profile.upload_fields(name)
        form = Upload(name=name, content=content, fields=fields)
        try:
            lies = self.wire.upload(self.profile.upload_path, form, self.profile.file)
        except Lost:
            if seen := self._seen(step, file):
                return seen
            raise
        if lies.filename != name:
            raise AnswerInvalid(f"{name} was sent, and the answer tells of {lies.filename}")
        self.memory.remember(step, lies.id)
        return lies.id

    def _is_waiting_for_files(self) -> bool:
        """Asked of the files themselves, for up to the horizon: no code is known for this refusal, nor its words."""
        since = self.memory.recall(Step.NOT_READY)
        if since and self.now >= datetime.fromisoformat(since) + HORIZON:
            return False
        if all(self._is_read(self.memory.recall(step)) for step, _ in self._files()):
            return False
        if not since:
            self.memory.remember(Step.NOT_READY, self.now.isoformat())
        return True

    def _is_read(self, file: str | None) -> bool:
        try:
            lies = self.wire.read(f"/files/{file}", self.profile.file)
        except (Refused, Unreachable, AnswerInvalid):
            return True
        return lies.status in self.profile.file_states


def _run_of(job: answers.Job) -> str | None:
    return (job.metadata or {}).get(RUN)


def _content(file: DataFile) -> bytes:
    content = content_of(file)
    if content is None:
        raise DataAltered(f"{file.path.name} is not the file that was described")
    return content


def _nothing_begun(error: Exception) -> BackendError:
    """What a lookup or an upload met with, while no job can exist yet."""
    match error:
        case Refused(status=429) | Refused(is_certain=False):
            return Unreachable(str(error), retry_in_s=error.retry_after_s or ASK_AGAIN_S)
        case Refused():
            return ProviderRefused(str(error), provider_code=error.code, param=error.param)
        case Unreachable():
            return error
        case _:
            return Unreachable(f"nothing was begun: {error}", retry_in_s=ASK_AGAIN_S)
