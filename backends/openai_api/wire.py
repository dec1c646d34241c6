"""The one place that builds a client, and the one that speaks to a provider.

The `openai` package repeats what is lost, and takes HTML and half objects for answers (reliability reference, section
2.3). So its own repetitions are off, its typed answers are not used, and every deadline is ours.
"""

import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeVar

import httpx2
import openai
from openai import RequestOptions
from pydantic import BaseModel, ValidationError

from backends.errors import AnswerInvalid, Unreachable

_CONNECT_S: Final = 5.0
_READ_ATTEMPTS: Final = 3
_PAUSE_S: Final = 0.2
_PARTS: Final = 1000
_BROKEN: Final = 500
_PASSING: Final = frozenset({408, 409, 429})
_TOO_MANY: Final = 429
_RETRY_IN_S: Final = 15.0
_QUOTED_CHARACTERS_MAX: Final = 2_000
_DIGITS_MAX: Final = 20
NOT_FOUND: Final = 404

Answer = TypeVar("Answer", bound=BaseModel)


class Refused(Exception):
    """A whole answer that says no. `code`, `param`: in the other side's own words, "" where it says none. One without a
    `message` comes from a server which speaks no JSON, such as a proxy before it."""

    def __init__(self, status: int, *, code: str, param: str, message: str, retry_after_s: float | None) -> None:
        self.status, self.code, self.param, self.message = status, code, param, message
        self.retry_after_s = retry_after_s
        super().__init__(f"answered {status}{f' ({code})' if code else ''}: {message or 'no reason given'}")

    @property
    def is_certain(self) -> bool:
        """It refused before it did anything. A conflict, a time-out and all from 500 on may hide that it was done."""
        return self.status < _BROKEN and self.status not in _PASSING


class Lost(Unreachable):
    """The request left us and no answer came: it may have been acted on. A plain `Unreachable` was never sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Deadlines, in seconds for the whole exchange, and how large an answer may be."""

    read_s: float = 20.0
    create_s: float = 60.0
    upload_s: float = 600.0
    completion_s: float = 120.0
    answer_bytes_max: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as a form. `fields`: the form's other fields."""

    name: str
    content: bytes
    fields: Mapping[str, str]


class Wire:
    """Speaks to one provider with one key; threads may share it. Neither `repr` nor an error shows the key."""

    def __init__(
        self, *, base_url: str, api_key: str, limits: Limits, headers: Mapping[str, str], query: Mapping[str, str],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._sleep, self.limits = sleep, limits
        self._client = openai.OpenAI(
            # The package refuses to start without any key; a server that asks for none reads over it. What is given
            # here it does not look for in the environment.
            api_key=api_key or "none", base_url=base_url, organization="", project="", webhook_secret="",
            max_retries=0, default_headers=dict(headers), default_query=dict(query),
            http_client=httpx2.Client(
                transport=_Bounded(limits.answer_bytes_max), trust_env=False, follow_redirects=False
            ),
        )  # fmt: skip
        self._client.organization = self._client.project = None

    def close(self) -> None:
        self._client.close()

    def read(self, path: str, shape: type[Answer], *, query: Mapping[str, object] | None = None) -> Answer:
        """Raises `Refused`, `Unreachable`, `AnswerInvalid`."""
        return _checked(self._repeatedly(path, query or {}), shape, path)

    def read_bytes(self, path: str) -> bytes:
        """Raises `Refused`, `Unreachable`."""
        return self._repeatedly(path, {})

    def send(self, path: str, body: Mapping[str, object], shape: type[Answer], *, deadline_s: float) -> Answer:
        """Once and never again. Raises `Refused`, `Lost`, `Unreachable` (never sent), `AnswerInvalid` (acted on)."""
        options = _options(deadline_s)
        answer = _sent(lambda: self._client.post(path, cast_to=httpx2.Response, body=dict(body), options=options))
        return _checked(answer, shape, path)

    def upload(self, path: str, file: Upload, shape: type[Answer]) -> Answer:
        """Once and never again; raises as `send` does."""
        options = _options(self.limits.upload_s) | {"headers": {"Content-Type": "multipart/form-data"}}
        files = [("file", (file.name, file.content, "application/jsonl"))]
        answer = _sent(
            lambda: self._client.post(
                path, cast_to=httpx2.Response, body=dict(file.fields), files=files, options=options
            )
        )
        return _checked(answer, shape, path)

    def delete(self, path: str) -> None:
        """Gone already is gone. Raises `Refused`, `Unreachable`."""
        options = _options(self.limits.read_s)
        try:
            _sent(lambda: self._client.delete(path, cast_to=httpx2.Response, options=options))
        except Refused as refused:
            if refused.status != NOT_FOUND:
                raise

    def _repeatedly(self, path: str, query: Mapping[str, object]) -> bytes:
        """What passes by itself is asked for a few times; how long a 429 lasts is the caller's to wait."""
        options = _options(self.limits.read_s) | {"params": dict(query)}
        for attempt in range(1, _READ_ATTEMPTS + 1):
            try:
                return _sent(lambda: self._client.get(path, cast_to=httpx2.Response, options=options))
            except Refused as refused:
                if refused.is_certain:
                    raise
                if refused.status == _TOO_MANY or attempt == _READ_ATTEMPTS:
                    raise Unreachable(str(refused), retry_in_s=refused.retry_after_s or _RETRY_IN_S) from refused
            except Lost:
                if attempt == _READ_ATTEMPTS:
                    raise
            # Half of it is chance, so that many runs that lost one provider do not return to it at one moment.
            self._sleep(_PAUSE_S * attempt * (0.5 + secrets.randbelow(_PARTS) / _PARTS))
        raise AssertionError("the last attempt returns or raises")


class _Bounded(httpx2.BaseTransport):
    """One deadline for the whole exchange, however slowly it drips, and an end to its size."""

    def __init__(self, size_max: int) -> None:
        self._size_max, self._inner = size_max, httpx2.HTTPTransport(verify=_trusted(), trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        ends = time.monotonic() + request.extensions["timeout"]["read"]
        answer = self._inner.handle_request(request)
        assert isinstance(answer.stream, httpx2.SyncByteStream)
        stream = _Cut(answer.stream, ends=ends, size_max=self._size_max, request=request)
        return httpx2.Response(answer.status_code, headers=answer.headers, stream=stream, extensions=answer.extensions)

    def close(self) -> None:
        self._inner.close()


class _Cut(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, *, ends: float, size_max: int, request: httpx2.Request) -> None:
        self._stream, self._ends, self._size_max, self._request = stream, ends, size_max, request

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._stream:
            size += len(piece)
            if time.monotonic() > self._ends:
                raise httpx2.ReadTimeout("the answer takes too long", request=self._request)
            if size > self._size_max:
                raise httpx2.ReadError("the answer is too large", request=self._request)
            yield piece

    def close(self) -> None:
        self._stream.close()


@cache
def _trusted() -> ssl.SSLContext:
    """Reading the certificates takes longer than most answers do."""
    return ssl.create_default_context()


def _options(deadline_s: float) -> RequestOptions:
    return {"timeout": httpx2.Timeout(deadline_s, connect=min(_CONNECT_S, deadline_s)), "max_retries": 0}


def _sent(call: Callable[[], httpx2.Response]) -> bytes:
    try:
        return call().content
    except openai.APIStatusError as error:
        raise _refusal(error) from None
    except openai.APIConnectionError as error:
        match error.__cause__:
            case httpx2.ConnectError() | httpx2.ConnectTimeout() as cause:
                raise Unreachable(f"the provider cannot be reached: {cause}") from None
            case cause:
                said = "no answer in time" if isinstance(error, openai.APITimeoutError) else "the connection broke off"
                raise Lost(f"{said} ({type(cause).__name__})") from None


def _refusal(error: openai.APIStatusError) -> Refused:
    """OpenAI's form of an error, and the forms of those that say `detail` or `message` at the top."""
    body = error.body if isinstance(error.body, dict) else {}
    code = str(body.get("code") or body.get("type") or "")[:100]
    said = body.get("message") or body.get("detail") or ""
    return Refused(
        error.status_code, code=code, param=str(body.get("param") or "")[:200],
        message=str(said)[:_QUOTED_CHARACTERS_MAX],
        retry_after_s=_seconds(error.response.headers.get("retry-after")),
    )  # fmt: skip


def _seconds(value: str | None) -> float | None:
    """Whole or broken seconds; the header's other form, a date, would need the other side's clock."""
    try:
        return max(0.0, float(value)) if value is not None and len(value) < _DIGITS_MAX else None
    except ValueError:
        return None


def _checked(content: bytes, shape: type[Answer], path: str) -> Answer:
    try:
        return shape.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the answer"
        raise AnswerInvalid(f"{path} answered what no specification allows: {where}: {first['msg']}") from None
