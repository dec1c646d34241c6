"""Tuning at Fireworks: files become datasets, and a job bears a name that the run's id gives it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from backends.checks import missing_settings, refuse
from backends.errors import AnswerInvalid, BackendError, Problem, ProviderRefused, Unreachable
from backends.events import ENDED, Failure, Metrics, Poll, RunState
from backends.fireworks.account import WANTED, Account, Refused
from backends.fireworks.curve import curve_of
from backends.fireworks.jobs import Job, cancel, job_of
from backends.fireworks.progress import is_over, state_of, told
from backends.fireworks.refusals import OFFERED, problems
from backends.fireworks.submitting import Submission
from backends.memory import Memory
from backends.openai_api.predicting import ChatPredictor
from backends.openai_api.profiles import profile
from backends.openai_api.wire import Limits, Wire
from backends.protocol import Capabilities, Handle
from backends.spec import TrainingSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class FireworksBackend:
    """`lacking`: the settings that it cannot do without. `at_once`: questions under way together."""

    name: str
    account: Account
    at_once: int = 4
    lacking: tuple[Problem, ...] = ()

    @property
    def capabilities(self) -> Capabilities:
        return OFFERED

    def problems(self, spec: TrainingSpec, *, today: date) -> tuple[Problem, ...]:  # noqa: ARG002 (the contract's)
        return (*self.lacking, *problems(spec))

    def start(self, spec: TrainingSpec, memory: Memory, *, now: datetime) -> Handle:
        known = memory.recall("job")
        if not known:
            if not memory.recall("sent"):
                refuse(self.problems(spec, today=now.date()))
            known = Submission(account=self.account, spec=spec, memory=memory, now=now).job()
            memory.remember("job", known)
        return Handle(backend=self.name, reference=known)

    def poll(self, handle: Handle, *, cursor: str = "") -> Poll:
        try:
            job = job_of(self.account, handle.reference)
            curve = self._curve(job) if state_of(job) in ENDED else ()
        except ProviderRefused as refusal:
            return _unknown(refusal, refusal.provider_code, cursor)
        except (Unreachable, AnswerInvalid) as error:
            return _unknown(error, error.code, cursor)
        return told(job, curve, cursor=cursor)

    def cancel(self, handle: Handle) -> None:
        if is_over(job_of(self.account, handle.reference)):
            return
        try:
            cancel(self.account, handle.reference)
        except Refused:
            # It ended between the two requests.
            if not is_over(job_of(self.account, handle.reference)):
                raise

    def predictor(self, model: str) -> ChatPredictor:
        """A tuned model answers once it is deployed, and only then; before, `ProviderRefused`."""
        wire = Wire(
            base_url=f"{self.account.base_url}/inference/v1", api_key=self.account.api_key, limits=Limits(),
            headers={}, query={},
        )  # fmt: skip
        return ChatPredictor(wire=wire, profile=profile("fireworks"), model=model, at_once=self.at_once)

    def _curve(self, job: Job) -> tuple[Metrics, ...]:
        """Empty where it is not ours to read."""
        try:
            return curve_of(self.account, job)
        except ProviderRefused:
            return ()


def _unknown(error: BackendError, said: str, cursor: str) -> Poll:
    failure = Failure(code=said, message=str(error))
    return Poll(state=RunState.UNKNOWN, cursor=cursor, provider_state=said, failure=failure)


def make(name: str, settings: Mapping[str, object]) -> FireworksBackend:
    """Settings: `account`, `api_key`; `base_url` in place of Fireworks' own, `timeout_s`, `upload_s` (of a file),
    `at_once` (questions asked together)."""
    return FireworksBackend(
        name=name, account=Account.of(settings), at_once=int(str(settings.get("at_once", 4))),
        lacking=tuple(missing_settings(settings, WANTED)),
    )  # fmt: skip
