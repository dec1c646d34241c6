"""The part of OpenAI's chat completions that generating examples uses, answered by the model of this machine.

Started by `process` with a socket that listens already. It ends when its standard input does: it outlives nobody.
"""

import os
import socket
import sys
import threading
from typing import Annotated, Any, Final, Literal, Protocol
from uuid import uuid4

import uvicorn
from litestar import Litestar, Request, Response, get, post
from litestar.exceptions import HTTPException
from litestar.params import JSONBody
from pydantic import BaseModel, ConfigDict, Field

from engagements.core.clock import Clock, SystemClock
from engagements.demo.model.weights import NAME, converted, laid_down

_MOST: Final = 512
"""Tokens of an answer for which nobody said how long it may be."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Message(_Strict):
    role: Literal["system", "user", "assistant"]
    content: str


class NamedShape(_Strict):
    name: str
    strict: bool = True
    schema_: Annotated[dict[str, Any], Field(alias="schema")]


class AsText(_Strict):
    type: Literal["text"]


class AsShape(_Strict):
    type: Literal["json_schema"]
    json_schema: NamedShape


class CompletionIn(_Strict):
    """What is not named here is refused, rather than left out of the answer in silence."""

    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] = 1.0
    seed: int = 0
    n: Annotated[int, Field(ge=1, le=8)] = 1
    response_format: Annotated[AsText | AsShape, Field(discriminator="type")] | None = None


class Written(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def finish_reason(self) -> str: ...
    @property
    def prompt_tokens(self) -> int: ...
    @property
    def completion_tokens(self) -> int: ...


class Writes(Protocol):
    """A model; `ValueError` for what it cannot do."""

    def write(
        self, messages: list[dict[str, str]], *, most: int, temperature: float, seed: int, shape: dict[str, Any] | None
    ) -> Written: ...


def application(model: Writes, clock: Clock) -> Litestar:
    @get("/v1/models", sync_to_thread=False)
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": NAME, "object": "model", "created": 0, "owned_by": "this machine"}]}

    @post("/v1/chat/completions", status_code=200, sync_to_thread=True)
    def complete(data: JSONBody[CompletionIn]) -> dict[str, Any]:
        if data.model != NAME:
            raise HTTPException(status_code=404, detail=f"this server has {NAME} alone")
        try:
            return _completion(model, data, created=int(clock.now().timestamp()))
        except ValueError as error:
            raise HTTPException(status_code=400, detail=str(error)) from error

    return Litestar([models, complete], exception_handlers={HTTPException: _refused}, openapi_config=None)


def main() -> None:
    """Serve on the socket that was handed over as the first argument."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers is imported
    # Deferred for that, and because the application above is tested without PyTorch.
    from engagements.demo.model.writing import LocalModel  # noqa: PLC0415

    listener = socket.socket(fileno=int(sys.argv[1]))
    served = application(LocalModel(converted(laid_down())), SystemClock())
    uvicorn.Server(uvicorn.Config(served, http="h11", ws="none", log_level="warning")).run(sockets=[listener])


def _completion(model: Writes, data: CompletionIn, *, created: int) -> dict[str, Any]:
    form = data.response_format
    answers = [
        model.write(
            [message.model_dump() for message in data.messages],
            most=data.max_completion_tokens or data.max_tokens or _MOST, temperature=data.temperature,
            seed=data.seed + number, shape=form.json_schema.schema_ if isinstance(form, AsShape) else None,
        )
        for number in range(data.n)
    ]  # fmt: skip
    read, written = answers[0].prompt_tokens, sum(each.completion_tokens for each in answers)
    return {
        "id": f"chatcmpl-{uuid4().hex}", "object": "chat.completion", "created": created, "model": NAME,
        "choices": [
            {
                "index": number, "finish_reason": each.finish_reason, "logprobs": None,
                "message": {"role": "assistant", "content": each.text, "refusal": None},
            }
            for number, each in enumerate(answers)
        ],
        "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
    }  # fmt: skip


def _refused(_: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    said = f"{error.detail}: {error.extra}" if error.extra else error.detail
    told = {"message": said, "type": "invalid_request_error", "code": None, "param": None}
    return Response({"error": told}, status_code=error.status_code)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
