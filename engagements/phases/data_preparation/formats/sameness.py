"""Whether a record came back from a format as it went in, and what is missing where it did not.

Two records are the same where a model would be taught the same. Texts that differ in nothing a model sees are equal:
the ids of tool calls (names that only link), the blanks between JSON tokens of arguments and results, a weight of 1,
a content of null beside calls, a text written as a list of one part. Not compared: label and target, which only
rows of reinforcement carry, and id, group, origin and meta, which no provider's file does.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engagements.phases.data_preparation.records import Message, Record

_PLAIN: Final = {"role", "content"}
_NO_CONTENT: Final[tuple[object, ...]] = (None, "", [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What a format cannot hold of a record. `code` is what is lost (weight, tools, image, name ...)."""

    code: str
    where: str
    message: str


_MESSAGES: Final = {
    "content": "the text comes out differently",
    "image": "the image has no place",
    "messages": "the order or the number of messages changes",
    "name": "the name has no place",
    "parallel_tool_calls": "whether calls may be parallel cannot be said",
    "rejected": "the rejected answer has no place",
    "role": "the role becomes another",
    "desirable": "whether the answer is desirable cannot be said",
    "tool_call_id": "the result goes to another call",
    "tool_calls": "the calls come out differently",
    "tools": "the declared tools come out differently",
    "weight": "the weight has no place: what was left out of training is trained, or counts otherwise",
}


def losses_between(record: Record, came_back: Record) -> list[Loss]:
    """Empty exactly if both teach the same."""
    return [] if _identical(record, came_back) else list(_losses(record, came_back))


def _identical(record: Record, other: Record) -> bool:
    return (
        list(record.messages) == list(other.messages)
        and list(record.tools) == list(other.tools)
        and record.parallel_tool_calls == other.parallel_tool_calls
        and record.rejected == other.rejected
        and record.desirable == other.desirable
        and record.weight == other.weight
    )


def _losses(record: Record, other: Record) -> Iterator[Loss]:
    yield from _message_losses(normal(record.messages), normal(other.messages), "messages")
    if _as_json(list(record.tools)) != _as_json(list(other.tools)):
        yield _loss("tools", "tools")
    if _rejected(record) != _rejected(other):
        yield _loss("rejected", "rejected")
    for name in ("parallel_tool_calls", "desirable", "weight"):
        if getattr(record, name) != getattr(other, name):
            yield _loss(name, name)


def _message_losses(sent: list[dict[str, Any]], back: list[dict[str, Any]], where: str) -> Iterator[Loss]:
    if sent == back:
        return
    if len(sent) != len(back):
        yield _loss("messages", where)
        return
    for index, (message, other) in enumerate(zip(sent, back, strict=True)):
        for key in dict.fromkeys((*message, *other)):
            if message.get(key) != other.get(key):
                has_image = key == "content" and _images(message.get(key)) != _images(other.get(key))
                yield _loss("image" if has_image else key, f"{where}[{index}].{key}")


def _loss(code: str, where: str) -> Loss:
    return Loss(code=code, where=where, message=_MESSAGES.get(code, f"{code!r} has no place"))


def normal(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The messages with everything taken out that is the same however it is written."""
    ids: dict[str, str] = {}
    functions: dict[str, str] = {}
    return [_normal_message(message, ids, functions) for message in messages]


def _normal_message(message: Message, ids: dict[str, str], functions: dict[str, str]) -> dict[str, Any]:
    if message.keys() == _PLAIN and isinstance(message["content"], str) and message["role"] != "tool":
        return dict(message)
    plain = {key: value for key, value in message.items() if value is not None}
    if plain.get("weight") == 1:
        del plain["weight"]
    match plain.get("content"):
        case [{"type": "text", "text": str(text), **others}] if not others:
            plain["content"] = text
    calls = plain.pop("tool_calls", None)
    if calls:
        plain["tool_calls"] = [_normal_call(call, ids, functions) for call in calls]
        if plain.get("content") in _NO_CONTENT:
            plain.pop("content", None)
    if plain.get("role") == "tool":
        _normalise_result(plain, ids, functions)
    return plain


def _normalise_result(plain: dict[str, Any], ids: dict[str, str], functions: dict[str, str]) -> None:
    known = ids.get(str(plain.get("tool_call_id")))
    if known is not None:
        plain["tool_call_id"] = known
        if plain.get("name") == functions[known]:
            del plain["name"]
    if isinstance(plain.get("content"), str):
        plain["content"] = _value(plain["content"])


def _normal_call(call: object, ids: dict[str, str], functions: dict[str, str]) -> object:
    match call:
        case {"function": {"name": str(name), "arguments": arguments, **more}, **others}:
            link = f"call {len(functions) + 1}"
            ids[str(others.pop("id", None))] = link
            functions[link] = name
            others.setdefault("type", "function")
            return {**others, "id": link, "function": {**more, "name": name, "arguments": _value(arguments)}}
        case _:
            return call


def _value(text: object) -> object:
    """The object that a text of JSON writes; the text itself where it writes none."""
    if not isinstance(text, str) or not text.lstrip().startswith("{"):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _as_json(tools: Sequence[object]) -> str:
    return json.dumps(tools, sort_keys=True, default=dict)


def _rejected(record: Record) -> list[dict[str, Any]]:
    return [] if record.rejected is None else normal([record.rejected])


def _images(content: object) -> list[Mapping[str, Any]]:
    parts = content if isinstance(content, list) else []
    return [part for part in parts if isinstance(part, dict) and part.get("type") == "image_url"]
