"""Calls of tools between formats: arguments as text and as objects, results linked by id, by name or by order."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from engagements.phases.data_preparation.records import Message


def object_of(text: object) -> object:
    """The JSON object that a text writes; what is no such text stays as it is."""
    if not isinstance(text, str):
        return text
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value if isinstance(value, dict) else text


def text_of_arguments(arguments: object) -> str:
    """Arguments as OpenAI has them: JSON text."""
    return arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()


def call(identity: str, name: object, arguments: object) -> dict[str, Any]:
    """A call as OpenAI has it."""
    function = {"name": name, "arguments": text_of_arguments(arguments)}
    return {"id": identity, "type": "function", "function": function}


def functions_called(message: Message) -> list[Mapping[str, Any]]:
    """Name and arguments of the calls of one message."""
    calls = message.get("tool_calls")
    found = [each.get("function") for each in calls if isinstance(each, dict)] if isinstance(calls, list) else []
    return [function for function in found if isinstance(function, dict)]


def names_of_results(messages: Iterable[Message]) -> dict[str, str]:
    """Which function each call id belongs to, for formats that link a result by the name of its function."""
    return {
        str(each.get("id")): str((each.get("function") or {}).get("name"))
        for message in messages
        for each in message.get("tool_calls") or ()
        if isinstance(each, dict)
    }


class Links:
    """Gives every call of a conversation an id, and every result the id of the call that it answers.

    A result answers the first open call of its name; without a name, or where none has it, the first open call.
    """

    def __init__(self) -> None:
        self._calls = 0
        self._open: deque[tuple[str, str]] = deque()

    def called(self, name: object, arguments: object) -> dict[str, Any]:
        self._calls += 1
        identity = f"call_{self._calls}"
        self._open.append((identity, str(name)))
        return call(identity, name, arguments)

    def answered(self, name: object = None) -> str:
        found = next((each for each in self._open if each[1] == name), self._open[0] if self._open else None)
        if found is None:
            return f"call_{self._calls}"
        self._open.remove(found)
        return found[0]


def declared_functions(tools: Sequence[object]) -> list[dict[str, Any]]:
    """The function of every tool."""
    found = (tool.get("function") for tool in tools if isinstance(tool, Mapping))
    return [dict(function) for function in found if isinstance(function, Mapping)]


def as_tools(functions: Iterable[object]) -> list[dict[str, Any]]:
    """Functions as OpenAI's `tools` declares them."""
    return [{"type": "function", "function": function} for function in functions if isinstance(function, dict)]
