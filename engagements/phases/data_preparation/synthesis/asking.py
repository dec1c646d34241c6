"""One request to a larger model through the `openai` package: sent once, its answer believed only where it is whole.

The package's own retries are off, for a chat completion costs money each time it is sent: what failed comes back as a
`Failure` that says whether it may be sent again, and whether it may have been billed. The package takes HTML and
half objects for answers (reliability reference, section 2.3), so the bytes are read here.
"""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Annotated, Any, Final, Self

import httpx2
import openai
from pydantic import BaseModel, Field, ValidationError

from engagements.phases.data_preparation.synthesis.budget import Tokens
from engagements.phases.data_preparation.synthesis.endpoints import Endpoint
from engagements.phases.data_preparation.synthesis.questions import Failure, Question, Reply
from engagements.webhooks.address import Resolve, UrlRefused, checked_address, resolved

_CONNECT_S: Final = 5.0
_ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
_OUT_OF_MONEY: Final = frozenset({"insufficient_quota", "exceeded_quota", "billing_hard_limit_reached"})
_BROKEN: Final = 500
_PASSING: Final = frozenset({408, 409, 429, 500, 502, 503, 504})


class Asker:
    """Asks one endpoint; threads may share it. Use it as a context."""

    def __init__(self, endpoint: Endpoint, *, resolve: Resolve = resolved) -> None:
        self._endpoint = endpoint
        self._client = openai.OpenAI(
            # The package refuses to start without any key; a server that asks for none reads over it.
            api_key=endpoint.key.get_secret_value() or "none", base_url=endpoint.base_url, max_retries=0,
            http_client=httpx2.Client(
                transport=_Pinned(endpoint, resolve), trust_env=False, follow_redirects=False,
                timeout=httpx2.Timeout(endpoint.timeout_s, connect=_CONNECT_S),
            ),
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def ask(self, question: Question) -> Reply | Failure:
        """Never raises for what the network or the server does."""
        try:
            raw = self._client.chat.completions.with_raw_response.create(**self._fields(question))
        except UrlRefused as error:
            return Failure(said=error.message, may_retry=False)
        except openai.APIStatusError as error:
            return _refusal(error)
        except openai.APIConnectionError as error:
            return _silence(error)
        return _reply(raw.content, question.model)

    def _fields(self, question: Question) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "model": question.model,
            "messages": [
                {"role": "system", "content": question.prompt.system},
                {"role": "user", "content": question.prompt.user},
            ],
            "seed": question.chance,
            self._endpoint.limit_field: question.most_output,
        }
        if question.temperature is not None:
            fields["temperature"] = question.temperature
        if self._endpoint.json_schema and question.shape is not None:
            held_to = {"name": "answer", "strict": True, "schema": question.shape}
            fields["response_format"] = {"type": "json_schema", "json_schema": held_to}
        elif self._endpoint.json_mode:
            fields["response_format"] = {"type": "json_object"}
        return fields


class _Pinned(httpx2.BaseTransport):
    """Connects to the address that was judged, with the name for TLS, under one deadline for the whole answer."""

    def __init__(self, endpoint: Endpoint, resolve: Resolve) -> None:
        self._endpoint, self._resolve, self._inner = endpoint, resolve, httpx2.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        ends = time.monotonic() + self._endpoint.timeout_s
        target = self._endpoint.target()
        try:
            address = checked_address(target, self._endpoint.local_hosts, self._resolve)
        except OSError as error:
            raise httpx2.ConnectError(str(error), request=request) from error
        request.url = request.url.copy_with(host=address)
        request.extensions = {**request.extensions, "sni_hostname": target.host}
        answer = self._inner.handle_request(request)
        assert isinstance(answer.stream, httpx2.SyncByteStream)
        return httpx2.Response(
            answer.status_code, headers=answer.headers, stream=_Bounded(answer.stream, ends, request),
            extensions=answer.extensions,
        )  # fmt: skip

    def close(self) -> None:
        self._inner.close()


class _Bounded(httpx2.SyncByteStream):
    """An answer that is neither endless nor larger than any we ask for."""

    def __init__(self, stream: httpx2.SyncByteStream, ends: float, request: httpx2.Request) -> None:
        self._stream, self._ends, self._request = stream, ends, request

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._stream:
            size += len(piece)
            if time.monotonic() > self._ends:
                raise httpx2.ReadTimeout("the answer takes too long", request=self._request)
            if size > _ANSWER_BYTES_MAX:
                raise httpx2.ReadError("the answer is too large", request=self._request)
            yield piece

    def close(self) -> None:
        self._stream.close()


class _Usage(BaseModel):
    prompt_tokens: Annotated[int, Field(ge=0, strict=True)]
    completion_tokens: Annotated[int, Field(ge=0, strict=True)]


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    finish_reason: str
    message: _Message


class _Completion(BaseModel):
    model: str
    choices: Annotated[list[_Choice], Field(min_length=1)]
    usage: _Usage | None = None


def _reply(body: bytes, asked: str) -> Reply | Failure:
    try:
        read = _Completion.model_validate_json(body)
    except ValidationError:
        return Failure(said="the answer is no chat completion", may_retry=True, may_be_billed=True)
    usage, choice = read.usage, read.choices[0]
    return Reply(
        content=choice.message.content, finish_reason=choice.finish_reason[:40], model=read.model or asked,
        used=Tokens(input=usage.prompt_tokens, output=usage.completion_tokens) if usage else None,
    )  # fmt: skip


def _refusal(error: openai.APIStatusError) -> Failure:
    """What is refused is not billed; what broke inside the server may be. Its words may quote the prompt: left out."""
    code = str(error.code or error.type or "").strip()[:60]
    said = f"answered {error.status_code}{f' ({code})' if code else ''}"
    passing = error.status_code in _PASSING and code not in _OUT_OF_MONEY
    return Failure(
        said=said, may_retry=passing, may_be_billed=error.status_code >= _BROKEN,
        retry_after_s=_seconds(error.response.headers.get("retry-after")),
    )  # fmt: skip


def _silence(error: openai.APIConnectionError) -> Failure:
    match error.__cause__:
        case httpx2.ConnectError() | httpx2.ConnectTimeout():
            return Failure(said="the server cannot be reached", may_retry=True)
        case _:
            said = "no answer in time" if isinstance(error, openai.APITimeoutError) else "the connection broke off"
            return Failure(said=said, may_retry=True, may_be_billed=True)


def _seconds(value: str | None) -> float | None:
    """Whole or broken seconds; the header's other form, a date, leaves us to our own patience."""
    try:
        return max(0.0, float(value)) if value is not None and len(value) < 20 else None
    except ValueError:
        return None
