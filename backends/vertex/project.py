"""Whose Google Cloud project, which location, which bucket; clients for it, and what their errors mean to us."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import google.auth
import httpx2
import requests
from google import genai
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from google.genai.errors import APIError
from google.genai.types import HttpOptions, HttpRetryOptions
from google.oauth2 import service_account
from google.oauth2.credentials import Credentials

from backends.checks import as_texts
from backends.errors import AnswerInvalid, OutcomeUnknown, ProviderRefused, Unreachable
from backends.sending import ASK_AGAIN_S

WANTED: Final[Mapping[str, str]] = {
    "project": "the Google Cloud project",
    "location": "the region whose Vertex AI tunes, such as us-central1",
    "bucket": "the Cloud Storage bucket for training files, in that region",
}
_OPTIONAL: Final = frozenset({
    "prefix", "access_token", "service_account_file", "base_url", "storage_url", "timeout_s", "thinking_budget",
    "at_once",
})  # fmt: skip
_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_STORAGE: Final = "https://storage.googleapis.com"
NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_MAY_BE_DONE: Final = frozenset({408, 409, 499})
_BROKEN: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Without a token or a service account's file, Google's library finds its own credentials."""

    project: str
    location: str
    bucket: str
    prefix: str
    access_token: str = field(repr=False)
    service_account_file: str
    base_url: str
    storage_url: str
    timeout_s: float

    @classmethod
    def of(cls, settings: Mapping[str, object]) -> "Project":
        """Raises `ValueError` for settings that it does not know."""
        if unknown := settings.keys() - WANTED.keys() - _OPTIONAL:
            raise ValueError(f"no such setting of Vertex: {', '.join(sorted(unknown))}")
        given = as_texts(settings)
        location = given.get("location", "")
        return cls(
            project=given.get("project", ""),
            location=location,
            bucket=given.get("bucket", ""),
            prefix=given.get("prefix", "sixfold").strip("/"),
            access_token=given.get("access_token", ""),
            service_account_file=given.get("service_account_file", ""),
            base_url=given.get("base_url", f"https://{location}-aiplatform.googleapis.com").rstrip("/"),
            storage_url=given.get("storage_url", _STORAGE).rstrip("/"),
            timeout_s=float(given.get("timeout_s", 60)),
        )

    def client(self, *, attempts: int = 1) -> genai.Client:
        """`attempts`: more than one only for what may safely be asked twice."""
        return _client(self, attempts)

    def session(self) -> AuthorizedSession:
        """For what Google's SDK for Gemini does not speak: Cloud Storage and TensorBoard. Sessions are not shared
        between threads, so close it."""
        return AuthorizedSession(_credentials(self))  # type: ignore[no-untyped-call]  # untyped at Google's


@lru_cache(maxsize=64)
def _client(project: Project, attempts: int) -> genai.Client:
    milliseconds = int(project.timeout_s * 1000)
    retries = HttpRetryOptions(attempts=attempts) if attempts > 1 else None
    return genai.Client(
        vertexai=True,
        project=project.project,
        location=project.location,
        credentials=_credentials(project),
        http_options=HttpOptions(base_url=project.base_url, timeout=milliseconds, retry_options=retries),
    )


@lru_cache(maxsize=64)
def _credentials(project: Project) -> Any:  # Google's kinds of credentials share an untyped base
    if project.access_token:
        return Credentials(token=project.access_token)  # type: ignore[no-untyped-call]  # untyped at Google's
    if project.service_account_file:
        return service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]  # as above
            project.service_account_file, scopes=[_SCOPE]
        )
    found, _ = google.auth.default(scopes=[_SCOPE])
    return found


class Refused(ProviderRefused):
    """With HTTP's status, for those who know what it means where they asked."""

    def __init__(self, error: APIError) -> None:
        self.status = error.code
        super().__init__(str(error.message or error), provider_code=str(error.status or error.code))


@contextmanager
def reading() -> Iterator[None]:
    """Around what changes nothing, or may be done twice: whatever goes wrong on the way is `Unreachable`."""
    try:
        yield
    except APIError as error:
        if error.code == _TOO_MANY or error.code in _MAY_BE_DONE or error.code >= _BROKEN:
            raise Unreachable(str(error)) from error
        raise Refused(error) from error
    except (httpx2.HTTPError, requests.ConnectionError, requests.Timeout) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error
    except GoogleAuthError as error:
        raise _not_signed(error) from error
    except (ValueError, TypeError, AttributeError, requests.RequestException) as error:
        raise AnswerInvalid(f"Google answered what it does not describe: {error}") from error


@contextmanager
def creating() -> Iterator[None]:
    """Around what must not be done twice: where the answer is lost or broken, `OutcomeUnknown`."""
    try:
        yield
    except APIError as error:
        if error.code == _TOO_MANY:
            raise Unreachable(str(error)) from error
        if error.code in _MAY_BE_DONE or error.code >= _BROKEN:
            raise OutcomeUnknown(str(error), retry_in_s=ASK_AGAIN_S) from error
        raise Refused(error) from error
    except httpx2.ConnectError as error:
        raise Unreachable(str(error)) from error
    except GoogleAuthError as error:
        raise _not_signed(error) from error
    except (httpx2.HTTPError, ValueError, TypeError, AttributeError) as error:
        raise OutcomeUnknown(f"the answer was lost: {type(error).__name__}", retry_in_s=ASK_AGAIN_S) from error


def _not_signed(error: GoogleAuthError) -> ProviderRefused:
    remedy = "check the backend's credentials"
    return ProviderRefused(str(error), provider_code=type(error).__name__, remedy=remedy)
