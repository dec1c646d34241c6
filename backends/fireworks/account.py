"""Whose Fireworks account, and by which key; the client for it, and what its errors mean to us.

The SDK repeats what is lost and believes any answer. So its repetitions are off, and what it answers is read once more
(`jobs`, `datasets`).
"""

import difflib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import httpx
from fireworks import APIConnectionError, APIResponseValidationError, APIStatusError, Fireworks

from backends.checks import as_texts
from backends.errors import AnswerInvalid, OutcomeUnknown, ProviderRefused, Unreachable
from backends.sending import ASK_AGAIN_S

WANTED: Final[Mapping[str, str]] = {
    "account": "the Fireworks account, as it stands in accounts/ACCOUNT/models/...",
    "api_key": "a key of that account; name the variable that holds it under secrets",
}
_OPTIONAL: Final = frozenset({"base_url", "timeout_s", "upload_s", "at_once"})
_BASE_URL: Final = "https://api.fireworks.ai"
_CONNECT_S: Final = 5.0
NOT_FOUND: Final = 404
CONFLICT: Final = 409
_TOO_MANY: Final = 429
_PASSING: Final = frozenset({408, _TOO_MANY, 499})
_BROKEN: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`timeout_s`, `upload_s`: how long an answer may take, of a file to its end."""

    account: str
    api_key: str = field(repr=False)
    base_url: str
    timeout_s: float
    upload_s: float

    @classmethod
    def of(cls, settings: Mapping[str, object]) -> "Account":
        """Raises `ValueError` for settings that it does not know."""
        known = WANTED.keys() | _OPTIONAL
        if unknown := sorted(settings.keys() - known):
            raise ValueError(
                f"no such setting of Fireworks: {', '.join(_hinted(name, sorted(known)) for name in unknown)}"
            )
        given = as_texts(settings)
        return cls(
            account=given.get("account", "").removeprefix("accounts/"),
            api_key=given.get("api_key", ""),
            base_url=given.get("base_url", _BASE_URL).rstrip("/"),
            timeout_s=float(given.get("timeout_s", 60)),
            upload_s=float(given.get("upload_s", 600)),
        )

    def client(self) -> Fireworks:
        """Close it: `with account.client() as client`. What is given here it does not look for in the environment."""
        # Without any key no header could be written; a server that asks for none reads over it.
        return Fireworks(
            api_key=self.api_key or "none", account_id=self.account, base_url=self.base_url, max_retries=0,
            timeout=httpx.Timeout(self.timeout_s, connect=_CONNECT_S), http_client=self._plain(),
        )  # fmt: skip

    def outside(self, url: str) -> httpx.Client:
        """For a signed address, which gets no key of ours. Raises `AnswerInvalid` where it is not encrypted."""
        if httpx.URL(url).scheme not in {"https", httpx.URL(self.base_url).scheme}:
            raise AnswerInvalid("Fireworks names an address that is not encrypted")
        return self._plain()

    def _plain(self) -> httpx.Client:
        return httpx.Client(
            verify=_trusted(), trust_env=False, follow_redirects=False,
            timeout=httpx.Timeout(self.timeout_s, connect=_CONNECT_S),
        )  # fmt: skip


@cache
def _trusted() -> ssl.SSLContext:
    """Reading the certificates takes longer than most answers do."""
    return ssl.create_default_context()


def _hinted(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"{name} (did you mean {near[0]}?)" if near else f"{name} (known are {', '.join(known)})"


class Refused(ProviderRefused):
    """With HTTP's status, for those who know what it means where they asked."""

    def __init__(self, error: APIStatusError) -> None:
        self.status = error.status_code
        code, message = _said(error)
        super().__init__(message, provider_code=code or str(error.status_code))


@contextmanager
def reading() -> Iterator[None]:
    """Around what changes nothing, or may be done twice: whatever goes wrong on the way is `Unreachable`."""
    try:
        yield
    except APIStatusError as error:
        if _is_passing(error):
            raise _unreachable(error) from error
        raise Refused(error) from error
    except (APIConnectionError, httpx.TransportError) as error:
        raise Unreachable(_lost(error)) from error
    except httpx.HTTPStatusError as error:
        raise Unreachable(f"the signed address answered {error.response.status_code}") from error
    except (APIResponseValidationError, httpx.InvalidURL, ValueError, TypeError) as error:
        raise AnswerInvalid(f"Fireworks answered what it does not describe: {error}") from error


@contextmanager
def creating() -> Iterator[None]:
    """Around a create: where the answer is lost or broken, `OutcomeUnknown`."""
    try:
        yield
    except APIStatusError as error:
        if error.status_code == _TOO_MANY:
            raise _unreachable(error) from error
        if _is_passing(error) or error.status_code == CONFLICT:
            raise OutcomeUnknown(_said(error)[1], retry_in_s=ASK_AGAIN_S) from error
        raise Refused(error) from error
    except APIConnectionError as error:
        if isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout):
            raise Unreachable(_lost(error)) from error
        raise OutcomeUnknown(f"the answer was lost: {_lost(error)}", retry_in_s=ASK_AGAIN_S) from error
    except (APIResponseValidationError, ValueError, TypeError) as error:
        raise OutcomeUnknown(f"the answer cannot be read: {error}", retry_in_s=ASK_AGAIN_S) from error


def _is_passing(error: APIStatusError) -> bool:
    """It says nothing of what was asked."""
    return error.status_code in _PASSING or error.status_code >= _BROKEN


def _unreachable(error: APIStatusError) -> Unreachable:
    return Unreachable(_said(error)[1], retry_in_s=_seconds(error.response.headers.get("retry-after")))


def _seconds(value: str | None) -> float:
    try:
        return max(float(value), 0.0) if value else ASK_AGAIN_S
    except ValueError:
        return ASK_AGAIN_S


def _said(error: APIStatusError) -> tuple[str, str]:
    """The code and the words of a refusal, at the top of its body or under `error`: Fireworks describes neither."""
    body = error.body if isinstance(error.body, dict) else {}
    inner = body.get("error")
    told = inner if isinstance(inner, dict) else body
    words = told.get("message") or (inner if isinstance(inner, str) else "") or error.message
    return str(told.get("status") or told.get("code") or "")[:100], str(words)[:2_000]


def _lost(error: Exception) -> str:
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {cause}"
