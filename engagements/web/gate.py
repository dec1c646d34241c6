"""The outermost layer: what no handler should have to think of.

Limits of headers, addresses and bodies; known hosts only; types of content; JSON read once and strictly; a time-out
for bodies that trickle (uploads: see `streams`); a request id on every answer and log line; security headers; one log
line and one measurement per request. It answers by itself what is wrong here, so nothing behind it sees such a request.
"""

import asyncio
import json
import logging
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from engagements.web.json_body import MalformedJson, check_json
from engagements.web.metrics import Metrics
from engagements.web.problem import PROBLEM_JSON, Failure, failure_of, is_api
from engagements.web.streams import is_streamed

BODY_BYTES_MAX: Final = 1_000_000
_HEADER_BYTES_MAX: Final = 32_000
_URL_BYTES_MAX: Final = 8_000
_BODY_IDLE_S: Final = 10.0
_BODIES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_METHODS: Final = _BODIES | {"GET", "HEAD", "OPTIONS"}
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9_\-]{8,64}")
_FORM: Final = b"application/x-www-form-urlencoded"
_JSON: Final = b"application/json"

SECURITY_HEADERS: Final[Mapping[bytes, bytes]] = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        b"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"x-frame-options": b"DENY",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}

_SECURITY: Final = tuple(SECURITY_HEADERS.items())
_ACCEPTED: Final = frozenset(
    {b"*/*", b"application/*", _JSON, PROBLEM_JSON.encode(), b"application/pdf", b"text/plain", b"text/*",
     b"text/event-stream", b"text/csv", b""}
)  # fmt: skip

log = logging.getLogger("sixfold.request")


class Refused(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


def _refuse(status: int, code: str, detail: str, remedy: str = "") -> Refused:
    return Refused(Failure(status=status, code=code, detail=detail, remedy=remedy))


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What a request turned out to be, for its log line."""

    request_id: str
    began: float
    status: int = 500
    started: bool = False


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Wraps the application. `hosts`: names it answers to, `*` for any.

    `proxies`: peers whose forwarded address counts.
    """

    app: ASGIApp
    hosts: frozenset[str]
    metrics: Metrics
    proxies: frozenset[str] = frozenset()
    is_https: bool = False
    extra_headers: Mapping[bytes, bytes] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        headers = scope["headers"]
        seen = _Seen(request_id=_request_id(headers), began=time.perf_counter())
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = seen.request_id
        state["ip"] = self._peer(scope)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.started, seen.status = True, message["status"]
                message["headers"] = [*message["headers"], *self._always(seen, scope, message["headers"])]
            await send(message)

        try:
            body = await self._admit(scope, receive)
            state["body"] = body
            streamed = is_streamed(scope["method"], scope["path"])
            await self.app(scope, receive if streamed else _replaying(body, receive), sending)
        except Refused as error:
            await _say(error.failure, seen, sending)
        except Exception as error:
            log.exception("unhandled", extra={"request_id": seen.request_id})
            if not seen.started:
                await _say(failure_of(error), seen, sending)
        finally:
            self._note(scope, seen)

    async def _admit(self, scope: Any, receive: Receive) -> bytes:
        """The body, read whole. Raises `Refused`."""
        headers = scope["headers"]
        named: dict[bytes, bytes] = dict(headers)
        if sum(len(name) + len(value) for name, value in headers) > _HEADER_BYTES_MAX:
            raise _refuse(431, "header_too_large", f"headers hold more than {_HEADER_BYTES_MAX:,} bytes")
        if len(scope["raw_path"] or b"") + len(scope["query_string"]) > _URL_BYTES_MAX:
            raise _refuse(414, "url_too_long", f"the address holds more than {_URL_BYTES_MAX:,} bytes")
        host = named.get(b"host", b"").decode("latin-1").rsplit(":", 1)[0].lower()
        if "*" not in self.hosts and host not in self.hosts:
            raise _refuse(400, "bad_host", "this server does not answer to that name", "see SIXFOLD_ALLOWED_HOSTS")
        if _CONTROLS.search(scope["path"]):
            raise _refuse(404, "not_found", "there is nothing here that you may see", "check the address")
        if b"%00" in scope["query_string"] or b"\0" in scope["query_string"]:
            raise _refuse(422, "query.invalid", "the query holds a NUL character", "remove it")
        if b"transfer-encoding" in named and b"content-length" in named:
            raise _refuse(400, "malformed_request", "a body has one length, not two")
        if named.get(b"content-encoding", b"identity").lower() != b"identity":
            raise _refuse(415, "unsupported_media_type", "compressed bodies are not read", "send it as it is")
        if is_api(scope["path"]):
            _accepts_json(named.get(b"accept", b"*/*"))
        return await self._body(scope, receive, named)

    async def _body(self, scope: Any, receive: Receive, named: dict[bytes, bytes]) -> bytes:
        announced = named.get(b"content-length", b"0")
        length = int(announced) if announced.isdigit() else 0
        if scope["method"] not in _BODIES:
            if length or b"transfer-encoding" in named:
                raise _refuse(405, "method_not_allowed", f"{scope['method']} takes no body")
            return b""
        if is_streamed(scope["method"], scope["path"]):
            return b""
        if length > BODY_BYTES_MAX:
            raise _too_large()
        body = await _read(receive)
        kind = named.get(b"content-type", b"").split(b";")[0].strip().lower()
        if is_api(scope["path"]):
            if body and kind != _JSON:
                raise _refuse(415, "unsupported_media_type", "bodies are application/json", "set Content-Type")
            if body:
                _check(body)
        elif body and kind not in {_FORM, _JSON}:
            raise _refuse(415, "unsupported_media_type", "forms are application/x-www-form-urlencoded")
        return body

    def _peer(self, scope: Any) -> str:
        peer = scope["client"][0] if scope.get("client") else ""
        if peer in self.proxies:
            forwarded = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
            return forwarded.rsplit(",", 1)[-1].strip()[:64] or peer
        return str(peer)

    def _always(self, seen: _Seen, scope: Any, given: Any) -> list[tuple[bytes, bytes]]:
        there = {name.lower() for name, _ in given}
        added = [(b"x-request-id", seen.request_id.encode())]
        added += [header for header in _SECURITY if header[0] not in there]
        if not scope["path"].startswith("/static/") and b"cache-control" not in there:
            added.append((b"cache-control", b"no-store"))
        if self.is_https:
            added.append((b"strict-transport-security", b"max-age=31536000"))
        return [*added, *self.extra_headers.items()]

    def _note(self, scope: Any, seen: _Seen) -> None:
        took_s = time.perf_counter() - seen.began
        route = str(scope.get("path_template") or "unrouted")
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self.metrics.request(method=method, route=route, status=seen.status, seconds=took_s)
        if not log.isEnabledFor(logging.INFO):
            return
        user = scope.get("user")
        log.info(
            "request",
            extra={
                "request_id": seen.request_id,
                "method": method,
                "route": route,
                "status": seen.status,
                "ms": round(took_s * 1000, 1),
                "actor": getattr(user, "id", None),
                "organisation": getattr(user, "organisation_id", None),
            },
        )


def _request_id(headers: Any) -> str:
    given: bytes = dict(headers).get(b"x-request-id", b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else f"req_{secrets.token_hex(12)}"


def _accepts_json(accept: bytes) -> None:
    kinds = {kind.split(b";")[0].strip().lower() for kind in accept.split(b",")}
    if not kinds & _ACCEPTED:
        raise _refuse(406, "not_acceptable", "answers are application/json", "accept that, or */*")


def _check(body: bytes) -> None:
    try:
        check_json(body)
    except MalformedJson as error:
        raise _refuse(400, error.code, error.message, "mend the JSON") from error


def _too_large() -> Refused:
    return _refuse(413, "body_too_large", f"bodies hold at most {BODY_BYTES_MAX:,} bytes")


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        try:
            message = await asyncio.wait_for(receive(), _BODY_IDLE_S)
        except TimeoutError as error:
            raise _refuse(408, "request_timeout", f"no byte came for {_BODY_IDLE_S:.0f} seconds") from error
        if message["type"] != "http.request":
            raise _refuse(400, "malformed_request", "the body ended before its length")
        body += message.get("body", b"")
        if len(body) > BODY_BYTES_MAX:
            raise _too_large()
        if not message.get("more_body", False):
            return bytes(body)


def _replaying(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _say(failure: Failure, seen: _Seen, send: Send) -> None:
    content = json.dumps(failure.as_plain(seen.request_id)).encode()
    headers = [(b"content-type", PROBLEM_JSON.encode()), (b"content-length", str(len(content)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in failure.headers.items()]
    await send({"type": "http.response.start", "status": failure.status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})
