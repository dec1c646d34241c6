"""The parent's side of processes that answer: one a base model, shared by all adapters over it, ended with the last of
those who ask. Questions and answers are lines of JSON."""

import itertools
import json
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends.errors import AnswerInvalid, CheckpointInvalid, ProviderRefused, Unreachable
from backends.peft_local.children import environment_for
from backends.protocol import Prediction


@dataclass(slots=True, kw_only=True)
class Server:
    """One process. One question at a time: it has one device."""

    process: subprocess.Popen[bytes]
    users: int = 0
    _asking: threading.Lock = field(default_factory=threading.Lock)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def ask(self, question: Mapping[str, object]) -> Mapping[str, Any]:
        """Raises `Unreachable` where the process is gone, `AnswerInvalid` for what is no answer of it."""
        with self._asking:
            number = next(self._numbers)
            assert self.process.stdin
            assert self.process.stdout
            try:
                self.process.stdin.write(json.dumps({**question, "id": number}).encode() + b"\n")
                self.process.stdin.flush()
                line = self.process.stdout.readline()
            except (OSError, ValueError) as error:
                raise Unreachable("the process that answers is gone") from error
        if not line:
            raise Unreachable("the process that answers is gone")
        try:
            answer: Mapping[str, Any] = json.loads(line)
        except ValueError as error:
            raise AnswerInvalid("the process that answers wrote what is no JSON") from error
        if answer.get("id") != number:
            raise AnswerInvalid("the process that answers answered another question")
        return answer

    def end(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@dataclass(slots=True, kw_only=True)
class Servers:
    """Of one backend, by the base model's folder."""

    _running: dict[Path, Server] = field(default_factory=dict)
    _changing: threading.Lock = field(default_factory=threading.Lock)

    def predictor(
        self, base: Path, weights: Path | None, *, command: Sequence[str], device: str, threads: int
    ) -> "LocalPredictor":
        """A fully tuned model is a base of its own. Raises `CheckpointInvalid`, `Unreachable`."""
        whole = weights is not None and not (weights / "adapter_config.json").is_file()
        serves = weights if whole and weights is not None else base
        with self._changing:
            server = self._running.get(serves)
            if server is None or server.process.poll() is not None:
                arguments = ["--device", device.partition(":")[0], "--threads", str(threads), "--tokenizer", str(base)]
                server = Server(process=subprocess.Popen(  # noqa: S603 (arguments of ours, no shell)
                    [*command, str(serves), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL, env=environment_for(threads=threads, device=device),
                ))  # fmt: skip
                self._running[serves] = server
            server.users += 1
        predictor = LocalPredictor(server=server, weights=None if whole else weights, release=self._release)
        try:
            predictor.ready()
        except BaseException:
            predictor.close()
            raise
        return predictor

    def _release(self, server: Server) -> None:
        with self._changing:
            server.users -= 1
            if server.users == 0:
                self._running = {base: each for base, each in self._running.items() if each is not server}
                server.end()


@dataclass(slots=True, kw_only=True)
class LocalPredictor:
    """Answers with one adapter, or with the base itself. Greedy at temperature 0; otherwise by a fixed seed."""

    server: Server
    weights: Path | None
    release: Any
    _closed: bool = False

    def ready(self) -> None:
        """Loads and checks the weights. Raises `CheckpointInvalid`, `Unreachable`."""
        self._ask({"do": "load"})

    def predict_many(
        self, conversations: Sequence[Sequence[Mapping[str, object]]], *, max_tokens: int, temperature: float = 0.0
    ) -> list[Prediction]:
        began = time.monotonic()
        asked = {"conversations": conversations, "max_tokens": max_tokens, "temperature": temperature}
        answer = self._ask({"do": "answer", **asked})
        waited = time.monotonic() - began
        found = answer.get("answers")
        if not isinstance(found, list) or len(found) != len(conversations):
            raise AnswerInvalid("the process that answers left answers out")
        return [
            Prediction(
                text=each["text"], finished=each["finished"], prompt_tokens=each["prompt_tokens"],
                completion_tokens=each["completion_tokens"], seconds=waited / len(found),
            )
            for each in found
        ]  # fmt: skip

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.release(self.server)

    def _ask(self, question: Mapping[str, object]) -> Mapping[str, Any]:
        answer = self.server.ask({**question, "weights": None if self.weights is None else str(self.weights)})
        match answer.get("error"):
            case None:
                return answer
            case {"code": "checkpoint_invalid", "message": str(message)}:
                raise CheckpointInvalid(message)
            case {"code": str(code), "message": str(message)}:
                raise ProviderRefused(message, provider_code=code)
            case _:
                raise AnswerInvalid("the process that answers told of an error it did not name")
