"""Training by whoever speaks the OpenAI protocol."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from backends.errors import AnswerInvalid, NotOffered, Problem, ProviderRefused, Unreachable
from backends.events import ENDED, Poll, RunState
from backends.memory import Memory
from backends.openai_api import answers
from backends.openai_api.polling import Look
from backends.openai_api.predicting import ChatPredictor
from backends.openai_api.problems import problems
from backends.openai_api.profiles import Profile, profile
from backends.openai_api.submitting import Submission
from backends.openai_api.sweeping import Stray, strays
from backends.openai_api.wire import NOT_FOUND, Limits, Refused, Wire
from backends.protocol import Capabilities, Handle
from backends.spec import TrainingSpec


class Settings(BaseModel):
    """What an installation says of one provider. `installation`: the same for all who share this database, another
    for others who share the account. `at_once`: questions asked of a model at one time."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    profile: str = "openai"
    base_url: str = ""
    api_key: SecretStr = SecretStr("")
    organization: str = ""
    project: str = ""
    api_version: str = ""
    installation: str = Field(default="sixfold", min_length=1, max_length=500)
    at_once: int = Field(default=4, ge=1, le=64)
    read_s: float = Field(default=20.0, gt=0)
    create_s: float = Field(default=60.0, gt=0)
    upload_s: float = Field(default=600.0, gt=0)
    completion_s: float = Field(default=120.0, gt=0)

    def base(self, of: Profile) -> str:
        url = self.base_url or of.base_url
        if not url.startswith(("https://", "http://")):
            raise ValueError(f"the profile {of.name} needs base_url, an address that begins with https://")
        return url


class OpenAIBackend:
    """One account with one provider. Raises `ValueError` for settings that it cannot use."""

    def __init__(self, *, name: str, settings: Settings) -> None:
        self.name, self._settings = name, settings
        self._profile = profile(settings.profile)
        self._base_url = settings.base(self._profile)

    def __repr__(self) -> str:
        return f"OpenAIBackend(name={self.name!r}, profile={self._profile.name!r}, base_url={self._base_url!r})"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            methods=frozenset(self._profile.methods), data_format=self._profile.methods,
            hyperparameters=frozenset(self._profile.hyperparameters), pausable=self._profile.pausable,
        )  # fmt: skip

    def problems(self, spec: TrainingSpec, *, today: date) -> tuple[Problem, ...]:
        return problems(self._profile, spec, today)

    def start(self, spec: TrainingSpec, memory: Memory, *, now: datetime) -> Handle:
        submission = Submission(
            wire=self._wire, profile=self._profile, installation=self._settings.installation, spec=spec,
            memory=memory, now=now,
        )  # fmt: skip
        return Handle(backend=self.name, reference=submission.job())

    def poll(self, handle: Handle, *, cursor: str = "") -> Poll:
        return self._look(handle).poll(cursor)

    def cancel(self, handle: Handle) -> None:
        self._turn(handle, "cancel", until=ENDED)

    def predictor(self, model: str) -> ChatPredictor:
        return ChatPredictor(wire=self._opened(), profile=self._profile, model=model, at_once=self._settings.at_once)

    def strays(self, known: Mapping[str, str]) -> tuple[Stray, ...]:
        """Live jobs that no run needs; `known` is every run's id with the job it points to, or "". Raises
        `Unreachable`, `ProviderRefused`, `AnswerInvalid`; `NotOffered` where jobs carry no metadata."""
        if not self._profile.metadata:
            raise NotOffered(f"jobs of {self._profile.name} do not say whose they are")
        try:
            return strays(self._wire, self._profile, installation=self._settings.installation, known=known)
        except Refused as refused:
            raise _refusal(refused) from refused

    def sweep(self, known: Mapping[str, str]) -> tuple[Stray, ...]:
        """Cancels them, and says which they were. Raises as `strays` and `cancel` do."""
        found = self.strays(known)
        for stray in found:
            self.cancel(Handle(backend=self.name, reference=stray.job))
        return found

    def shutdown_dates(self, models: Sequence[str]) -> Mapping[str, date | None]:
        """By model, the day on which it stops answering, None where the provider says none; a model that it does not
        know (any more) is left out. Raises `Unreachable`, `ProviderRefused`, `AnswerInvalid`."""
        asked = {model: self._model(model) for model in dict.fromkeys(models)}
        return {model: _day(said) for model, said in asked.items() if said is not None}

    def models(self) -> tuple[str, ...]:
        """Every model that this account may use, as the provider lists them. Raises as `shutdown_dates` does."""
        try:
            return tuple(each.id for each in self._wire.read("/models", answers.Models).data)
        except Refused as refused:
            raise _refusal(refused) from refused

    def close(self) -> None:
        """Connections are opened again where they are needed."""
        if "_wire" in self.__dict__:
            self._wire.close()
            del self.__dict__["_wire"]

    def _model(self, model: str) -> answers.ModelAnswer | None:
        try:
            said = self._wire.read(f"/models/{quote(model, safe=':')}", answers.ModelAnswer)
        except Refused as refused:
            if refused.status == NOT_FOUND and refused.message:
                return None
            raise _refusal(refused) from refused
        if said.id != model:
            raise AnswerInvalid(f"{model} was asked for, and the answer tells of {said.id}")
        return said

    def _look(self, handle: Handle) -> Look:
        return Look(wire=self._wire, profile=self._profile, reference=handle.reference)

    def _turn(self, handle: Handle, verb: Literal["cancel", "pause", "resume"], *, until: Collection[RunState]) -> None:
        """What a job that is there already refuses is no error: its state says so."""
        look = self._look(handle)
        job = self._read(look)
        if self._state(job) in until:
            return
        try:
            self._wire.send(
                f"{self._profile.jobs_path}/{job.id}/{verb}", {}, self._profile.job, deadline_s=self._settings.read_s
            )
        except Refused as refused:
            if not refused.is_certain:
                raise Unreachable(str(refused), retry_in_s=refused.retry_after_s or 15.0) from refused
            if self._state(self._read(look)) not in until:
                raise _refusal(refused) from refused

    def _read(self, look: Look) -> answers.Job:
        try:
            return look.job()
        except Refused as refused:
            raise _refusal(refused) from refused

    def _state(self, job: answers.Job) -> RunState:
        return self._profile.states.get(job.status, RunState.UNKNOWN)

    @cached_property
    def _wire(self) -> Wire:
        return self._opened()

    def _opened(self) -> Wire:
        said = self._settings
        headers = {"OpenAI-Organization": said.organization, "OpenAI-Project": said.project}
        return Wire(
            base_url=self._base_url, api_key=said.api_key.get_secret_value(),
            headers={name: value for name, value in headers.items() if value},
            query={"api-version": said.api_version} if said.api_version else {},
            limits=Limits(
                read_s=said.read_s, create_s=said.create_s, upload_s=said.upload_s, completion_s=said.completion_s
            ),
        )  # fmt: skip


class PausableOpenAIBackend(OpenAIBackend):
    """With a provider that can set a job aside."""

    def pause(self, handle: Handle) -> None:
        self._turn(handle, "pause", until=ENDED | {RunState.PAUSED})

    def resume(self, handle: Handle) -> None:
        self._turn(handle, "resume", until=ENDED | {RunState.RUNNING, RunState.QUEUED, RunState.VALIDATING})


def _day(said: answers.ModelAnswer) -> date | None:
    try:
        return date.fromisoformat(said.shutdown_date) if said.shutdown_date else None
    except ValueError as error:
        raise AnswerInvalid(f"{said.id} is to end on {said.shutdown_date}, which is no day") from error


def _refusal(refused: Refused) -> ProviderRefused | Unreachable:
    if refused.is_certain:
        return ProviderRefused(str(refused), provider_code=refused.code, param=refused.param)
    return Unreachable(str(refused), retry_in_s=refused.retry_after_s or 15.0)


def make(name: str, settings: Mapping[str, object]) -> OpenAIBackend:
    """Settings: those of `Settings`. Raises `ValueError`, which never quotes a value: one of them is a key."""
    try:
        read = Settings.model_validate(settings)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise ValueError(f"settings of {name}: {said}") from None
    kind = PausableOpenAIBackend if profile(read.profile).pausable else OpenAIBackend
    return kind(name=name, settings=read)
