"""Requests as this API wants them: keys, idempotency, versions, retries, pages.

What makes something is sent with an Idempotency-Key, one for each call and the same on its retries, so a lost answer
is fetched again and nothing is made twice. An edit is sent once: whoever gets `Unreachable` reads the record to see
whether it was made.
"""

import hashlib
import secrets
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, JsonValue, ValidationError

from engagements.client.errors import DigestMismatch, Problem, Refused, ServerFault, Unreachable, refusal_of
from engagements.client.models import Page

RETRIED: Final = frozenset({429, 502, 503, 504})
_WAIT_MAX_S: Final = 60.0
_UNDER_WAY: Final = "idempotency_in_progress"

Model = TypeVar("Model", bound=BaseModel)
Query = Mapping[str, str | int | bool | None]
Fields = Mapping[str, object]


class Transport:
    """Safe to share between threads: it holds nothing that changes but the connections of httpx."""

    def __init__(self, http: httpx.Client, *, retries: int, backoff_s: float) -> None:
        self._http, self._retries, self._backoff_s = http, retries, backoff_s

    def close(self) -> None:
        self._http.close()

    def get(self, kind: type[Model], path: str, /, *parts: str, query: Query | None = None) -> Model:
        """`parts` fill the braces of `path`."""
        return _read(kind, self._send("GET", path, parts, query=query))

    def get_text(self, path: str, /) -> str:
        return self._send("GET", path, ()).text

    def get_bytes(self, path: str, /, *parts: str, sha256: str | None = None, query: Query | None = None) -> bytes:
        """A document, whole: the bytes that `sha256` names, or without one those that the answer's ETag names.

        Raises `DigestMismatch`.
        """
        response = self._send("GET", path, parts, query=query)
        named = sha256 or response.headers.get("etag", "").strip('"')
        found = hashlib.sha256(response.content).hexdigest()
        if named and found != named:
            raise DigestMismatch(f"what came has the sha256 {found}, the document {named}")
        return response.content

    def pages(self, kind: type[Model], path: str, /, *parts: str, query: Query | None = None) -> Iterator[Model]:
        """Every item of a list, its pages fetched as they are needed."""
        return self._pages(kind, path, parts, query or {}, "cursor")

    def pages_before(self, kind: type[Model], path: str, /, *parts: str, query: Query | None = None) -> Iterator[Model]:
        """The same for the audit trail, whose pages are named by a number."""
        return self._pages(kind, path, parts, query or {}, "before")

    def _pages(
        self, kind: type[Model], path: str, parts: tuple[str, ...], query: Query, cursor: str
    ) -> Iterator[Model]:
        following: str | None = None
        while True:
            response = self._send("GET", path, parts, query={**query, cursor: following or query.get(cursor)})
            page = _read(Page, response)
            yield from (_valid(kind, item) for item in page.items)
            following = page.next
            if following is None:
                return

    def post(self, kind: type[Model], path: str, /, *parts: str, fields: Fields | None = None) -> Model:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        return _read(kind, self._send("POST", path, parts, fields=fields, headers=key))

    def post_once(self, kind: type[Model], path: str, /, *parts: str, fields: Fields) -> Model:
        """A step that the server keeps no key of, so it is never repeated: whoever gets `Unreachable` looks first."""
        return _read(kind, self._send("POST", path, parts, fields=fields))

    def post_unanswered(self, path: str, /, *parts: str, fields: Fields) -> None:
        """The same, where success has nothing to say."""
        self._send("POST", path, parts, fields=fields)

    def patch(self, kind: type[Model], path: str, /, *parts: str, etag: str, fields: Fields) -> Model:
        """An edit of the version that `etag` names. Raises `VersionMismatch` where there is a newer one."""
        return _read(kind, self._send("PATCH", path, parts, fields=fields, headers={"If-Match": etag}))

    def put(self, kind: type[Model], path: str, /, *parts: str, etag: str | None = None, fields: Fields) -> Model:
        """Without `etag` for what is the same however often it is said."""
        headers = {"If-Match": etag} if etag else None
        return _read(kind, self._send("PUT", path, parts, fields=fields, headers=headers))

    def put_bytes(
        self, kind: type[Model], path: str, /, *parts: str, content: bytes, headers: Mapping[str, str]
    ) -> Model:
        """A piece of a file, once: who sends it knows where to go on."""
        return _read(kind, self._send("PUT", path, parts, content=content, headers=headers))

    def follow(self, kind: type[Model], path: str, /, *parts: str, last: str) -> Iterator[Model]:
        """Server-sent events, each a whole answer, to the one that is called `last`; what was said already is not said
        twice.

        The server ends a stream now and then, and lines break: it is asked for anew, `retries` times in a row where
        nothing comes of it. Raises `Unreachable` then.
        """
        url = path.format(*(quote(part, safe="") for part in parts))
        for data in self._followed(url, last=last):
            yield _valid_json(kind, data)

    def _followed(self, url: str, *, last: str) -> Iterator[str]:
        """The data of events that say something new, whatever becomes of single streams."""
        said, failed = "", 0
        while True:
            came, asked_s, why = False, None, "the stream ended before its first event"
            try:
                for name, data in self._streamed(url):
                    came, failed = True, 0
                    if data != said:
                        yield data
                    if name == last:
                        return
                    said = data
            except httpx.TransportError as error:
                came, why = False, str(error) or type(error).__name__
            except Refused as refused:
                if failed == self._retries or not _is_passing(refused):
                    raise
                asked_s = refused.retry_after_s
            if came:
                self._wait(0, None)
                continue
            if failed == self._retries:
                raise Unreachable(f"GET {self._http.base_url.join(url)}: {why}")
            self._wait(failed, asked_s)
            failed += 1

    def _streamed(self, url: str) -> Iterator[tuple[str, str]]:
        """Name and data of each event of one stream. Raises `Refused` and what httpx raises."""
        with self._http.stream("GET", url, headers={"Accept": "text/event-stream"}) as response:
            if not response.is_success:
                response.read()
                raise refusal_of(response)
            yield from _events(response.iter_lines())

    def delete(self, path: str, /, *parts: str, etag: str | None = None) -> None:
        self._send("DELETE", path, parts, headers={"If-Match": etag} if etag else None)

    def _send(
        self,
        method: str,
        path: str,
        parts: tuple[str, ...],
        *,
        query: Query | None = None,
        fields: Fields | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        request = self._http.build_request(
            method,
            path.format(*(quote(part, safe="") for part in parts)),
            params={name: value for name, value in (query or {}).items() if value is not None},
            json=fields,
            content=content,
            headers=headers,
        )
        is_safe = method == "GET" or "Idempotency-Key" in request.headers
        return self._tried(request, self._retries if is_safe else 0)

    def _tried(self, request: httpx.Request, retries: int) -> httpx.Response:
        for tried in range(retries + 1):
            last = tried == retries
            try:
                response = self._http.send(request)
            except httpx.TransportError as error:
                if last:
                    raise Unreachable(
                        f"{request.method} {request.url}: {str(error) or type(error).__name__}"
                    ) from error
                self._wait(tried, None)
                continue
            if response.is_success:
                return response
            refused = refusal_of(response)
            if last or not _is_passing(refused):
                raise refused
            self._wait(tried, refused.retry_after_s)
        raise AssertionError("the last attempt returns or raises")

    def _wait(self, tried: int, asked_s: float | None) -> None:
        """As long as the server asks; otherwise twice as long each time, up to half of it less by chance."""
        share = 1 - secrets.randbelow(1000) / 2000
        time.sleep(asked_s if asked_s is not None else self._backoff_s * 2**tried * share)


def _events(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Name and data of each event of a stream (WHATWG HTML, server-sent events)."""
    name, data = "", ""
    for line in lines:
        key, _, value = line.partition(":")
        if not line and data:
            yield name, data
            name, data = "", ""
        elif key == "event":
            name = value.strip()
        elif key == "data":
            data += value.strip()


def _is_passing(refused: Refused) -> bool:
    """Whether the same request may fare better soon, and the server does not ask for more patience than we have."""
    soon = refused.retry_after_s is None or refused.retry_after_s <= _WAIT_MAX_S
    return soon and (refused.status in RETRIED or refused.code == _UNDER_WAY)


def _read(kind: type[Model], response: httpx.Response) -> Model:
    return _valid_json(kind, response.content)


def _valid_json(kind: type[Model], content: str | bytes) -> Model:
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise _not_ours(kind, error) from error


def _valid(kind: type[Model], item: JsonValue) -> Model:
    try:
        return kind.model_validate(item)
    except ValidationError as error:
        raise _not_ours(kind, error) from error


def _not_ours(kind: type[BaseModel], error: ValidationError) -> ServerFault:
    detail = f"the answer is no {kind.__name__}: {error.errors()[0]['msg']}"
    return ServerFault(Problem(status=502, code="upstream_bad_response", detail=detail))
