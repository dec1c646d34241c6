"""A larger model that is none: a real server on a socket which answers chat completions as its prompt asks.

It holds every request against OpenAI's own description of the API where that is at hand (`openai-subset.strict.yaml`
of the shared test data), refuses what that refuses and any field that it does not know, and answers the same prompt
with the same text. Faults are taken one a request, in their order, and then it answers as usual.

    python tests/provider/stand_in.py --port 8123 [--specification openai-subset.strict.yaml]
"""

import argparse
import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

MODEL = "large-1"
_WORDS = (
    "meter", "invoice", "contract", "tariff", "reading", "solar", "move", "deposit", "refund", "outage", "engineer",
    "letter", "portal", "password", "kitchen", "garage", "neighbour", "landlord", "boiler", "winter", "summer",
    "Tuesday", "Friday", "yesterday", "twice", "again", "never", "seven", "forty", "hundred", "broken", "missing",
    "late", "wrong", "strange", "double", "quiet", "green", "bright", "cold", "urgent", "please", "kindly", "why",
    "when", "where", "how", "much", "cancel", "change", "check", "confirm", "explain", "restore", "transfer",
    "postpone", "repeat", "apologise", "remember", "photograph", "install",
)  # fmt: skip


class Fault(StrEnum):
    """What goes wrong with one request."""

    NONE = "none"
    TOO_MANY = "too_many"
    NO_MONEY = "no_money"
    BROKEN = "broken"
    SLOW = "slow"
    RESET = "reset"
    CUT = "cut"
    NOT_JSON = "not_json"
    HALF_JSON = "half_json"
    PROSE = "prose"
    NO_USAGE = "no_usage"
    HUGE_USAGE = "huge_usage"
    WRONG_MODEL = "wrong_model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it came."""

    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def text(self) -> str:
        return "\n".join(message["content"] for message in self.body["messages"])

    @property
    def is_judging(self) -> bool:
        return "Grade the example" in self.text


def grade_of(score: int) -> str:
    """The judge's answer, in the form that it was asked for."""
    return json.dumps({"score": score, "reason": "usable" if score > 2 else "not usable"})


@dataclass(kw_only=True)
class StandIn:
    """`refused`: what the specification says against requests that came; a test asserts that it is empty.

    `retry_after_s`: what a 429 asks for. `slow_s`: how long a slow answer takes. `delay_s`: how long any takes.
    `grade`: the judge's answer to an example; by default it knows no more than whether there is an output.
    """

    base_url: str = ""
    specification: Path | None = None
    model: str = MODEL
    retry_after_s: str = "0"
    slow_s: float = 5.0
    delay_s: float = 0.0
    grade: Callable[[Mapping[str, Any]], str] = lambda example: grade_of(4 if example["output"] else 1)
    faults: list[Fault] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    billed_tokens: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, asked: Asked) -> Fault:
        with self._lock:
            self.asked.append(asked)
            return self.faults.pop(0) if self.faults else Fault.NONE

    def said_against(self, body: object) -> list[str]:
        if self.specification is None:
            return [] if isinstance(body, dict) and {"model", "messages"} <= set(body) else ["model and messages"]
        return list(_faults_of(self.specification, "CreateChatCompletionRequest", body))

    def answer(self, asked: Asked, fault: Fault) -> dict[str, Any]:
        """A chat completion as the specification has it."""
        most = asked.body.get("max_completion_tokens") or asked.body.get("max_tokens") or 1_000
        content = "Certainly! Here they are." if fault is Fault.PROSE else self._content(asked)
        reason = "length" if fault is Fault.CUT else "stop"
        content = content[: len(content) // 2] if fault is Fault.CUT else content
        usage = {"prompt_tokens": len(asked.text) // 4 + 8, "completion_tokens": min(most, len(content) // 4 + 1)}
        if fault is Fault.HUGE_USAGE:
            usage["completion_tokens"] = most * 50
        usage["total_tokens"] = sum(usage.values())
        with self._lock:
            self.billed_tokens += usage["total_tokens"]
        message = {"role": "assistant", "content": content, "refusal": None}
        whole: dict[str, Any] = {
            "id": f"chatcmpl-{len(self.asked)}", "object": "chat.completion", "created": 1_795_000_000,
            "model": "tiny-0" if fault is Fault.WRONG_MODEL else asked.body["model"],
            "choices": [{"index": 0, "finish_reason": reason, "logprobs": None, "message": message}], "usage": usage,
        }  # fmt: skip
        if fault is Fault.NO_USAGE:
            del whole["usage"]
        if self.specification is not None:
            against = list(_faults_of(self.specification, "CreateChatCompletionResponse", whole))
            assert not against, against
        return whole

    def _content(self, asked: Asked) -> str:
        if asked.is_judging:
            data = re.search(r"<data>\n(.*)\n</data>", asked.text, re.DOTALL)
            assert data
            return self.grade(json.loads(data[1])[0])
        wish = re.search(r"Write (\d+) new", asked.text)
        category = re.search(r"^Category: (.*)$", asked.text, re.MULTILINE)
        if wish is None or category is None:
            return "I do not know what to do."
        return json.dumps({"examples": list(self._examples(asked, int(wish[1]), category[1]))})

    def _examples(self, asked: Asked, count: int, category: str) -> Iterator[dict[str, Any]]:
        digest = hashlib.sha256(f"{asked.body.get('seed')}{asked.text}".encode()).digest()
        random = Random(int.from_bytes(digest[:8]))
        is_label = '"output" is exactly the name' in asked.text
        for _ in range(count):
            words = " ".join(random.choices(_WORDS, k=14))
            yield {"input": f"{words}?", "output": category if is_label else f"About {category}: {words[:40]}."}


@cache
def _specification(path: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415  # comes with the test tools, and only the strict server needs it

    read: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return read


@cache
def _validator(path: Path, schema: str) -> Any:
    import jsonschema_rs  # noqa: PLC0415  # comes with the test tools, and only the strict server needs it

    whole = {"components": _specification(path)["components"], "$ref": f"#/components/schemas/{schema}"}
    return jsonschema_rs.Draft202012Validator(whole)


@cache
def _fields(path: Path, schema: str) -> frozenset[str]:
    """All properties of a schema and of those it is made of: an unknown one passes the schema, and is a mistake."""
    schemas = _specification(path)["components"]["schemas"]

    def below(part: Mapping[str, Any]) -> Iterator[str]:
        yield from part.get("properties", {})
        if "$ref" in part:
            yield from below(schemas[part["$ref"].rpartition("/")[2]])
        for each in part.get("allOf", []):
            yield from below(each)

    return frozenset(below(schemas[schema]))


def _faults_of(path: Path, schema: str, value: object) -> Iterator[str]:
    yield from (str(error.message) for error in _validator(path, schema).iter_errors(value))
    if isinstance(value, dict):
        yield from (f"no field is called {name}" for name in sorted(set(value) - _fields(path, schema)))


class _Handler(BaseHTTPRequestHandler):
    stand_in: StandIn
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/chat/completions":
            return self._send(404, {"error": {"message": "no such path", "type": "invalid_request_error"}})
        if against := self.stand_in.said_against(body):
            self.stand_in.refused += against
            return self._send(400, {"error": {"message": against[0], "type": "invalid_request_error"}})
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(headers=headers, body=body)
        time.sleep(self.stand_in.delay_s)
        return self._answer(asked, self.stand_in.take(asked))

    def _answer(self, asked: Asked, fault: Fault) -> None:
        match fault:
            case Fault.TOO_MANY:
                error = {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded", "param": None}
                self._send(429, {"error": error}, {"Retry-After": self.stand_in.retry_after_s})
            case Fault.NO_MONEY:
                error = {"message": "pay", "type": "insufficient_quota", "code": "insufficient_quota"}
                self._send(429, {"error": error})
            case Fault.BROKEN:
                self._send(500, {"error": {"message": "oh", "type": "server_error", "code": None}})
            case Fault.RESET:
                self.stand_in.answer(asked, fault)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
            case Fault.NOT_JSON:
                self._raw(200, b"<html>Welcome</html>", "text/html")
            case Fault.HALF_JSON:
                self._raw(200, json.dumps(self.stand_in.answer(asked, fault)).encode()[:60], "application/json")
            case _:
                if fault is Fault.SLOW:
                    time.sleep(self.stand_in.slow_s)
                self._send(200, self.stand_in.answer(asked, fault))

    def _send(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        self._raw(status, json.dumps(body).encode(), "application/json", headers)

    def _raw(self, status: int, body: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A caller that has gone is no news."""


@contextmanager
def serving(*, specification: Path | None = None, port: int = 0) -> Iterator[StandIn]:
    """A stand-in on a free port of this machine, in a thread, until the context ends."""
    stand_in = StandIn(specification=specification)
    with _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"stand_in": stand_in})) as server:
        stand_in.base_url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield stand_in
        server.shutdown()
        thread.join()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--specification", type=Path)
    parser.add_argument("--delay", type=float, default=0.0)
    said = parser.parse_args(arguments)
    with serving(specification=said.specification, port=said.port) as stand_in:
        stand_in.delay_s = said.delay
        print(stand_in.base_url, flush=True)  # noqa: T201
        threading.Event().wait()


if __name__ == "__main__":
    main()
