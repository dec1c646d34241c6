"""Rows of a file of examples in OpenAI's chat format, as a chat template takes them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


class RowInvalid(ValueError):
    """`code` says what is wrong with it."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`messages` for the template; `trained`: which of them carry labels; `line` of the file, from 1."""

    line: int
    messages: tuple[Mapping[str, Any], ...]
    trained: tuple[bool, ...]
    tools: tuple[Mapping[str, Any], ...] = ()


def lines_of(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers; a byte order mark is no part of the first."""
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            yield number, line


def rows_in(content: bytes) -> list[Row]:
    """Raises `RowInvalid` for the first that is none."""
    return [row_of(number, line) for number, line in lines_of(content)]


def row_of(number: int, line: bytes) -> Row:
    """Raises `RowInvalid`."""
    try:
        held = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RowInvalid("row.invalid_json", f"this line is no JSON: {error}") from error
    messages = held.get("messages") if isinstance(held, dict) else None
    if not isinstance(messages, list) or not messages or not all(isinstance(each, dict) for each in messages):
        raise RowInvalid("row.messages_missing", "a row is an object with a list of messages")
    if unknown := {str(each.get("role")) for each in messages} - ROLES:
        raise RowInvalid("row.unknown_role", f"no role is called {', '.join(sorted(unknown))}")
    trained = tuple(each["role"] == "assistant" and each.get("weight", 1) != 0 for each in messages)
    if not any(trained):
        raise RowInvalid("row.no_assistant", "no message of the assistant carries weight, so there is nothing to learn")
    return Row(line=number, messages=tuple(_message(each) for each in messages), trained=trained, tools=_tools(held))


def for_template(messages: Sequence[Mapping[str, object]]) -> list[Mapping[str, Any]]:
    """A conversation that is asked, written as the rows of training were. Raises `RowInvalid`."""
    return [_message(each) for each in messages]


def _message(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Content as one text; arguments of calls as objects, which is what templates write as JSON."""
    kept: dict[str, Any] = {"role": told["role"], "content": _text(told.get("content", told.get("refusal")))}
    calls = told.get("tool_calls")
    if not calls and told.get("function_call"):
        calls = [{"type": "function", "function": told["function_call"]}]
    if calls:
        kept["tool_calls"] = [_call(each) for each in calls]
    return kept | {name: told[name] for name in ("name", "tool_call_id") if told.get(name)}


def _text(content: object) -> str:
    match content:
        case None:
            return ""
        case str():
            return content
        case list():
            return "".join(_part(each) for each in content)
        case _:
            raise RowInvalid("row.bad_content", "content is a text, parts, or nothing")


def _part(part: object) -> str:
    text = (part.get("text") or part.get("refusal")) if isinstance(part, dict) else None
    if not isinstance(text, str):
        raise RowInvalid("row.bad_content", "only parts of text can be trained here")
    return text


def _call(call: object) -> Mapping[str, Any]:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(call, dict) or not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise RowInvalid("row.bad_tool_call", "a call names a function")
    arguments = function.get("arguments", "{}")
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except (ValueError, RecursionError) as error:
            raise RowInvalid("row.bad_tool_call", f"arguments are no JSON: {error}") from error
    kept = {"type": "function", "function": {"name": function["name"], "arguments": arguments}}
    return kept | ({"id": call["id"]} if call.get("id") else {})


def _tools(held: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    functions = held.get("functions") or []
    return tuple(held.get("tools") or [{"type": "function", "function": each} for each in functions])
