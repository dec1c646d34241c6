"""The stand-in on a socket: requests, streams, and what goes wrong on the way."""

import json
import os
import re
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from backends.stand_in.faults import Fault, Faults, Kind
from backends.stand_in.ledger import Ledger
from backends.stand_in.provider import Provider, Refusal
from backends.stand_in.routes import OPENAI, Routes, Sent, pattern
from backends.stand_in.shapes import Answer, chunks
from backends.stand_in.specification import Specification

_PREFIX: Final = "/v1"
_BODY_BYTES_MAX: Final = 600 * 1024 * 1024


@dataclass(kw_only=True)
class StandIn:
    """A provider that is served. `refused`: what its requests were refused for; `asked`: every operation, in order.
    `is_cut_off`: it accepts connections and drops them. `seconds`: how long so many of the provider's seconds are."""

    provider: Provider
    routes: Routes = field(default_factory=lambda: OPENAI)
    specification: Specification | None = None
    api_key: str = ""
    base_url: str = ""
    is_cut_off: bool = False
    seconds: Callable[[float], float] = lambda provider_s: provider_s
    refused: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @cached_property
    def patterns(self) -> Mapping[str, re.Pattern[str]]:
        return {operation: pattern(operation) for operation in self.routes}

    @property
    def faults(self) -> Faults:
        return self.provider.faults

    @property
    def ledger(self) -> Ledger:
        return self.provider.ledger

    def answer(self, sent: Sent) -> Answer | bytes:
        """Raises `Refusal`."""
        if self.api_key and sent.headers.get("authorization") != f"Bearer {self.api_key}":
            raise Refusal(401, "Incorrect API key provided", code="invalid_api_key")
        if self.specification is not None and sent.headers.get("content-type", "").startswith("application/json"):
            against = self.specification.against_request(sent.operation, sent.json())
            if against:
                raise Refusal(400, against[0])
        said = self.routes[sent.operation](self.provider, sent)
        if self.specification is not None and not isinstance(said, bytes):
            against = self.specification.against_answer(sent.operation, said)
            assert not against, f"{sent.operation} would answer against the specification: {against}"
        return said


class Handler(BaseHTTPRequestHandler):
    """One connection; its class has the stand-in that it serves."""

    stand_in: StandIn
    protocol_version = "HTTP/1.1"
    # Head and body leave together and at once: apart, the second waits 40 ms for the first to be acknowledged.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit() or int(length[:12]) > _BODY_BYTES_MAX:
            self.close_connection = True
            return self._say(413, {"error": {"message": "too large", "type": "x", "param": None, "code": None}})
        content = self.rfile.read(int(length))
        if self.stand_in.is_cut_off:
            return self._reset()
        address = urlsplit(self.path)
        if address.path.startswith("/_"):
            return self._control(address.path, content)
        sent = self._sent(address.path, address.query, content)
        if sent is None:
            return self._refuse(Refusal(404, f"Unknown request URL: {self.command} {address.path}", code="unknown_url"))
        self.stand_in.asked.append(sent.operation)
        fault = self.stand_in.faults.take(sent.operation)
        return self._answer(sent) if fault is None else self._go_wrong(fault, sent)

    def _sent(self, path: str, query: str, content: bytes) -> Sent | None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = f"{self.command} {path.removeprefix(_PREFIX)}"
        for operation, whole in self.stand_in.patterns.items():
            if path.startswith(_PREFIX) and (found := whole.fullmatch(asked)):
                name = unquote(found[1]) if found.groups() else ""
                pairs = dict(parse_qsl(query, keep_blank_values=True))
                return Sent(operation=operation, name=name, query=pairs, headers=headers, content=content)
        return None

    def _answer(self, sent: Sent) -> None:
        try:
            said = self.stand_in.answer(sent)
        except Refusal as refusal:
            return self._refuse(refusal)
        if isinstance(said, bytes):
            return self._raw(200, said, "application/octet-stream")
        if sent.operation == "POST /chat/completions" and json.loads(sent.content).get("stream"):
            return self._stream(said)
        return self._say(200, said)

    def _go_wrong(self, fault: Fault, sent: Sent) -> None:
        if fault.kind is Kind.KILL_BEFORE:
            return self._kill(fault)
        if fault.kind is Kind.ANSWER and not fault.done:
            return self._complain(fault)
        try:
            said = self.stand_in.answer(sent)
        except Refusal as refusal:
            return self._refuse(refusal)
        whole = b"" if isinstance(said, bytes) else json.dumps(said).encode()
        match fault.kind:
            case Kind.ANSWER:
                return self._complain(fault)
            case Kind.KILL_AFTER:
                return self._kill(fault)
            case Kind.DROP_REPLY:
                return self._reset()
            case Kind.BODY:
                kind = "text/html" if fault.text.startswith("<") else "application/json"
                return self._raw(200, fault.text.encode(), kind)
            case Kind.TRUNCATE:
                return self._raw(200, whole[: len(whole) // 2], "application/json")
            case Kind.HANG:
                time.sleep(self.stand_in.seconds(fault.seconds))
                return self._reset()
            case _:
                return self._say(200, _altered(said, fault.value))

    def _control(self, path: str, content: bytes) -> None:
        """`POST /_faults` adds those of a JSON list, `DELETE /_faults` takes all back, `GET /_ledger` tells all."""
        match self.command, path:
            case "POST", "/_faults":
                faults = [Fault.model_validate(each) for each in json.loads(content)]
                self.stand_in.faults.add(*faults)
                self._say(200, {"added": len(faults)})
            case "DELETE", "/_faults":
                self.stand_in.faults.clear()
                self._say(200, {"added": 0})
            case "GET", "/_ledger":
                with self.stand_in.ledger.reading() as known:
                    self._raw(200, known.model_dump_json().encode(), "application/json")
            case _:
                self._refuse(Refusal(404, "no such control"))

    def _complain(self, fault: Fault) -> None:
        if fault.text:
            return self._raw(fault.status, fault.text.encode(), "text/html")
        error = {"message": fault.message, "type": "on_purpose", "param": None, "code": fault.code}
        headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
        return self._say(fault.status, {"error": error}, headers)

    def _refuse(self, refusal: Refusal) -> None:
        self.stand_in.refused.append(str(refusal))
        self._say(refusal.status, refusal.body)

    def _stream(self, whole: Answer) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for each in chunks(whole):
            self.wfile.write(f"data: {json.dumps(each)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def _say(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        self._raw(status, json.dumps(body).encode(), "application/json", headers)

    def _raw(self, status: int, body: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _kill(self, fault: Fault) -> None:
        assert fault.pid is not None, "whom to kill is part of the fault"
        os.kill(fault.pid, signal.SIGKILL)
        self._reset()

    def _reset(self) -> None:
        """RST instead of an answer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that has gone is no news; what is wrong with the stand-in itself is."""
        error = sys.exception()
        if not isinstance(error, OSError | ValueError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # as it came


def _altered(said: Answer | bytes, value: Mapping[str, object]) -> object:
    if isinstance(said, bytes):
        return dict(value)
    items = said.get("data")
    if isinstance(items, list):
        return {**said, "data": [{**each, **value} for each in items]}
    return {**said, **value}
