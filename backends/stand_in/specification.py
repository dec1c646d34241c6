"""Every request and every answer against OpenAI's own description of its API, where the caller has that at hand.

It cannot see a NaN or a field it does not know (reliability reference, section 2.2): both are looked for besides.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

REQUESTS: Final = {
    "POST /fine_tuning/jobs": "CreateFineTuningJobRequest",
    "POST /chat/completions": "CreateChatCompletionRequest",
}
ANSWERS: Final = {
    "POST /files": "OpenAIFile",
    "GET /files": "ListFilesResponse",
    "GET /files/{file}": "OpenAIFile",
    "DELETE /files/{file}": "DeleteFileResponse",
    "POST /fine_tuning/jobs": "FineTuningJob",
    "GET /fine_tuning/jobs": "ListPaginatedFineTuningJobsResponse",
    "GET /fine_tuning/jobs/{job}": "FineTuningJob",
    "POST /fine_tuning/jobs/{job}/cancel": "FineTuningJob",
    "POST /fine_tuning/jobs/{job}/pause": "FineTuningJob",
    "POST /fine_tuning/jobs/{job}/resume": "FineTuningJob",
    "GET /fine_tuning/jobs/{job}/events": "ListFineTuningJobEventsResponse",
    "GET /fine_tuning/jobs/{job}/checkpoints": "ListFineTuningJobCheckpointsResponse",
    "GET /models": "ListModelsResponse",
    "GET /models/{model}": "Model",
    "POST /chat/completions": "CreateChatCompletionResponse",
}


class Specification:
    """`path`: a copy of OpenAI's document that validators can use, as YAML. The libraries that read and apply it come
    with the test tools, so they are imported when there is a copy, and not before."""

    def __init__(self, path: Path) -> None:
        read: dict[str, Any] = import_module("yaml").safe_load(path.read_text("utf-8"))
        self._components = read["components"]
        self._validator = cache(self._made)

    def against_request(self, operation: str, body: object) -> list[str]:
        """What speaks against it; nothing for an operation without a body."""
        schema = REQUESTS.get(operation)
        if schema is None:
            return []
        unknown = sorted(set(body) - self._fields(schema)) if isinstance(body, dict) else []
        against = [each for described in _graders_apart(body) for each in self._errors(schema, described)]
        return [*against, *(f"no field is called {name}" for name in unknown), *not_finite(body)]

    def against_answer(self, operation: str, body: object) -> list[str]:
        """`paused` passes: the operation that pauses answers it in its own example, and no list of statuses has it. Of
        several graders the first is looked at: they are what was asked for."""
        schema = ANSWERS.get(operation)
        return [*self._errors(schema, _as_described(body)), *not_finite(body)] if schema else []

    def _errors(self, schema: str, value: object) -> list[str]:
        return [str(error.message) for error in self._validator(schema).iter_errors(value)]

    def _made(self, schema: str) -> Any:
        whole = {"components": self._components, "$ref": f"#/components/schemas/{schema}"}
        return import_module("jsonschema_rs").Draft202012Validator(whole)

    def _fields(self, schema: str) -> set[str]:
        def below(part: Mapping[str, Any]) -> Iterator[str]:
            yield from part.get("properties", {})
            if "$ref" in part:
                yield from below(self._components["schemas"][part["$ref"].rpartition("/")[2]])
            for each in part.get("allOf", []):
                yield from below(each)

        return set(below(self._components["schemas"][schema]))


def not_finite(value: object, where: str = "") -> list[str]:
    """Python reads NaN and Infinity from JSON, and a NaN is neither above nor below a limit."""
    match value:
        case float() if not math.isfinite(value):
            return [f"{where or 'a number'} is not finite"]
        case dict():
            return [each for key, below in value.items() for each in not_finite(below, str(key))]
        case list():
            return [each for below in value for each in not_finite(below, where)]
        case _:
            return []


def _as_described(body: object) -> object:
    match body:
        case {"status": "paused", **rest}:
            return _as_described({**rest, "status": "running"})
        case {"data": list(items), **rest}:
            return {**rest, "data": [_as_described(each) for each in items]}
        case _:
            return next(_graders_apart(body))


def _graders_apart(body: object) -> Iterator[object]:
    """A job with each of the graders of a multi grader alone: the description has one there, the guide has them by
    name."""
    match body:
        case {"method": {"reinforcement": {"grader": {"type": "multi", "graders": dict(named)}}}} if (
            "type" not in named
        ):
            for each in named.values():
                yield _replaced(body, ("method", "reinforcement", "grader", "graders"), each)
        case _:
            yield body


def _replaced(body: object, path: Sequence[str], value: object) -> object:
    if not path:
        return value
    assert isinstance(body, dict)
    return {**body, path[0]: _replaced(body[path[0]], path[1:], value)}
