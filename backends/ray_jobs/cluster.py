"""Ray's REST interface for jobs (Ray 2.60). A job's submission id is its key: a second of the same is refused."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Final

import httpx
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from backends.errors import AnswerInvalid, OutcomeUnknown, ProviderRefused, Unreachable
from backends.sending import ASK_AGAIN_S

ENDED: Final = frozenset({"SUCCEEDED", "FAILED", "STOPPED"})
_NOT_FOUND: Final = 404
_BROKEN: Final = 500
_PASSING: Final = frozenset({408, 429})
_TOLD_CHARACTERS: Final = 2_000

_Said = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]


class Job(BaseModel):
    """Those of the fields that we read; times in milliseconds by the cluster's clock."""

    model_config = ConfigDict(frozen=True)

    submission_id: str
    status: str
    message: _Said = ""
    error_type: _Said = ""
    start_time: int | None = None
    end_time: int | None = None
    metadata: Mapping[str, str] | None = None

    @property
    def seconds(self) -> float | None:
        return (self.end_time - self.start_time) / 1000 if self.start_time and self.end_time else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """`address`: of Ray's dashboard, such as http://head:8265. `token`: where the cluster asks for one."""

    address: str
    token: str = field(default="", repr=False)
    timeout_s: float = 20.0

    def job(self, submission_id: str) -> Job | None:
        """None where Ray knows none. Raises `Unreachable`, `AnswerInvalid`, `ProviderRefused`."""
        with _reading():
            answer = self._ask("GET", f"/api/jobs/{submission_id}")
        if answer.status_code == _NOT_FOUND:
            return None
        _read(answer)
        return _job(answer, submission_id)

    def submit(self, request: Mapping[str, object]) -> None:
        """Raises `Unreachable` (never sent), `OutcomeUnknown`, and `ProviderRefused` where Ray answered with no, as it
        does for a job that it has already, too."""
        try:
            answer = self._ask("POST", "/api/jobs/", json=request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unreachable(f"{self.address} does not answer: {error}") from error
        except httpx.HTTPError as error:
            raise OutcomeUnknown(f"the answer was lost: {type(error).__name__}", retry_in_s=ASK_AGAIN_S) from error
        if not answer.is_success:
            raise _refused(answer)
        try:
            made = answer.json()["submission_id"]
        except (ValueError, KeyError, TypeError):
            made = None
        if made != request["submission_id"]:
            raise OutcomeUnknown("Ray answered without the job", retry_in_s=ASK_AGAIN_S)

    def stop(self, submission_id: str) -> None:
        """Of one that has ended, nothing. Raises as `job` does."""
        with _reading():
            answer = self._ask("POST", f"/api/jobs/{submission_id}/stop")
        _read(answer)

    def _ask(self, method: str, path: str, *, json: Mapping[str, object] | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        # No proxy and no credentials from the environment: a cluster is inside.
        with httpx.Client(timeout=self.timeout_s, trust_env=False, headers=headers) as client:
            return client.request(method, self.address.rstrip("/") + path, json=json)


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        raise Unreachable(f"Ray does not answer: {type(error).__name__}") from error


def _read(answer: httpx.Response) -> None:
    if answer.status_code >= _BROKEN or answer.status_code in _PASSING:
        raise Unreachable(f"Ray answered {answer.status_code}")
    if not answer.is_success:
        raise _refused(answer)


def _refused(answer: httpx.Response) -> ProviderRefused:
    """Ray writes a traceback; its last line says why."""
    lines = [line.strip() for line in answer.text[-_TOLD_CHARACTERS:].splitlines() if line.strip(" .")]
    return ProviderRefused(lines[-1] if lines else "Ray refused it", provider_code=str(answer.status_code))


def _job(answer: httpx.Response, submission_id: str) -> Job:
    try:
        job = Job.model_validate(answer.json())
    except (ValueError, ValidationError) as error:
        raise AnswerInvalid("Ray described no job") from error
    if job.submission_id != submission_id:
        raise AnswerInvalid("Ray described another job")
    return job
