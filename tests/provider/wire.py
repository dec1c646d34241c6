"""A server on a real socket whose answers a function gives, and between the two whatever can go wrong on the way.

Faults are taken one a request, the first that fits it, and then it answers as usual.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit


class Loss(StrEnum):
    """`BEFORE`: the request is not acted on. `AFTER`: it is, and the answer never arrives."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    @property
    def json(self) -> dict:
        return json.loads(self.body or b"{}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


def told(value: object, *, status: int = 200) -> Response:
    return Response(status=status, body=json.dumps(value).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Of the next request of this method whose path holds this: lost on the way, or answered like this instead."""

    method: str
    path: str
    loss: Loss | None = None
    instead: Response | None = None


@dataclass(kw_only=True)
class Wire:
    """`faults` are still to come, `seen` came. `cut`: nothing answers."""

    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    seen: list[Request] = field(default_factory=list)
    cut: bool = False

    def count(self, method: str, path: str) -> int:
        return sum(each.method == method and path in each.path for each in self.seen)

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        self.cut = True
        try:
            yield
        finally:
            self.cut = False

    def fault_for(self, request: Request) -> Fault | None:
        if self.cut:
            return Fault(method=request.method, path="", loss=Loss.BEFORE)
        for place, fault in enumerate(self.faults):
            if fault.method == request.method and fault.path in request.path:
                return self.faults.pop(place)
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news; a fault of our own reaches the test as a lost answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wire: Wire
    answer: Callable[[Request], Response]

    def log_message(self, *arguments: object) -> None:
        return None

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = _dechunked(self.rfile) if self.headers.get("Transfer-Encoding") else self.rfile.read(length)
        request = Request(method=self.command, target=self.path, headers=dict(self.headers), body=body)
        self.wire.seen.append(request)
        fault = self.wire.fault_for(request) or Fault(method="", path="")
        if fault.loss is Loss.BEFORE:
            return self._hang_up()
        response = fault.instead or self.answer(request)
        return self._hang_up() if fault.loss is Loss.AFTER else self._send(response)

    def do_POST(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in ({"Content-Length": str(len(response.body))} | dict(response.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def served(answer: Callable[[Request], Response]) -> Iterator[Wire]:
    wire = Wire()
    handler = type("Handler", (_Handler,), {"wire": wire, "answer": staticmethod(answer)})
    server = _Server(("127.0.0.1", 0), handler)
    wire.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _dechunked(stream: object) -> bytes:
    parts = []
    while size := int(stream.readline().split(b";")[0], 16):
        parts.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(parts)
