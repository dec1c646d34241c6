"""Gemini's contents on Vertex AI: the assistant is called `model`, the system prompt stands apart, content is parts.

Schemas of functions are written in Vertex's subset of OpenAPI, with types in capitals. Sources: "Prepare supervised
fine-tuning data for Gemini models" and "Tune function calling" of the Vertex AI documentation.
"""

import mimetypes
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import orjson

from engagements.phases.data_preparation.formats.calls import (
    Links,
    as_tools,
    declared_functions,
    functions_called,
    names_of_results,
    object_of,
)
from engagements.phases.data_preparation.formats.prediction import Row
from engagements.phases.data_preparation.formats.reading import messages_at, record_from, said, unreadable
from engagements.phases.data_preparation.formats.turns import conversation
from engagements.phases.data_preparation.records import Message, Record

_KNOWN: Final = frozenset({"contents", "systemInstruction", "system_instruction", "tools"})
_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)
_TYPES: Final = frozenset({"string", "number", "integer", "boolean", "object", "array"})
_RESULT: Final = "content"


def detects(row: Row) -> bool:
    return "contents" in row


def read(row: Row, number: int) -> Record:
    links = Links()
    messages: list[Message] = []
    if (instruction := row.get("systemInstruction", row.get("system_instruction"))) is not None:
        messages.append(said("system", _system_text(instruction, number)))
    for index, content in enumerate(messages_at(row, "contents", number)):
        parts = content.get("parts")
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            raise unreadable("row.bad_content", "the content has no parts", number, f"contents[{index}]")
        messages += _messages(str(content.get("role", "user")), parts, links)
    declared = row.get("tools") or ()
    functions = [
        _with_schema(function, str.lower)
        for tool in declared
        for function in tool.get("functionDeclarations", tool.get("function_declarations")) or ()
    ]
    return record_from(row, number, messages, known=_KNOWN, tools=as_tools(functions))


def _system_text(instruction: object, number: int) -> str:
    parts = instruction.get("parts") if isinstance(instruction, dict) else None
    if not isinstance(parts, list):
        raise unreadable("row.bad_content", "the system instruction has no parts", number, "systemInstruction")
    return "\n\n".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def _messages(role: str, parts: Sequence[Mapping[str, Any]], links: Links) -> Iterator[Message]:
    if role == "model":
        calls = [part["functionCall"] for part in parts if isinstance(part.get("functionCall"), dict)]
        message = said("assistant", _content([part for part in parts if "functionCall" not in part]))
        if calls:
            message["tool_calls"] = [links.called(each.get("name"), each.get("args") or {}) for each in calls]
        yield message
        return
    for answers, group in groupby(parts, key=lambda part: "functionResponse" in part):
        if answers:
            yield from (_result(part["functionResponse"], links) for part in group)
        else:
            yield said("user", _content(list(group)))


def _result(response: Mapping[str, Any], links: Links) -> Message:
    value = response.get("response")
    only = isinstance(value, dict) and value.keys() == {_RESULT} and isinstance(value[_RESULT], str)
    text = value[_RESULT] if only and value is not None else orjson.dumps(value).decode()
    return {"role": "tool", "tool_call_id": links.answered(response.get("name")), "content": text}


def _content(parts: Sequence[Mapping[str, Any]]) -> object:
    """The text of one part as a text, anything else as OpenAI's list of parts; None without a part."""
    if not parts:
        return None
    if len(parts) == 1 and parts[0].keys() == {"text"}:
        return parts[0]["text"]
    return [_part_from(part) for part in parts]


def _part_from(part: Mapping[str, Any]) -> dict[str, Any]:
    match part:
        case {"inlineData": {"mimeType": mime, "data": data}}:
            return {"type": "image_url", "image_url": {"url": f"data:{mime};base64,{data}"}}
        case {"fileData": {"fileUri": address}}:
            return {"type": "image_url", "image_url": {"url": address}}
        case _:
            return {"type": "text", "text": str(part.get("text", ""))}


def row_of(record: Record) -> Row | None:
    talk = conversation(record.messages)
    names = names_of_results(talk.turns)
    contents: list[dict[str, Any]] = []
    for results, group in groupby(talk.turns, key=lambda turn: turn.get("role") == "tool"):
        if results:
            contents.append({"role": "user", "parts": [_response(turn, names) for turn in group]})
        else:
            contents += [{"role": _role(turn), "parts": _parts(turn)} for turn in group]
    if not contents:
        return None
    row: dict[str, Any] = {}
    if talk.system is not None:
        row["systemInstruction"] = {"role": "system", "parts": [{"text": talk.system}]}
    row["contents"] = contents
    if functions := [_with_schema(function, str.upper) for function in declared_functions(record.tools)]:
        row["tools"] = [{"functionDeclarations": functions}]
    return row


def _role(message: Message) -> str:
    return "model" if message.get("role") == "assistant" else "user"


def _parts(message: Message) -> list[dict[str, Any]]:
    content = message.get("content")
    given = content if isinstance(content, list) else [] if content is None else [{"type": "text", "text": content}]
    calls = functions_called(message)
    parts = [part for each in given if (part := _part_to(each))]
    if calls and content == "":
        parts = []
    return parts + [
        {"functionCall": {"name": each.get("name"), "args": object_of(each.get("arguments"))}} for each in calls
    ]


def _part_to(part: Mapping[str, Any]) -> dict[str, Any] | None:
    """None for a picture at an address that Vertex does not read: it takes Cloud Storage and the bytes themselves."""
    match part:
        case {"type": "text", "text": text}:
            return {"text": text}
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            if inline := _DATA_URL.fullmatch(url):
                return {"inlineData": {"mimeType": inline[1], "data": inline[2]}}
            if url.startswith("gs://"):
                return {"fileData": {"mimeType": mimetypes.guess_type(url)[0] or "image/png", "fileUri": url}}
    return None


def _response(message: Message, names: Mapping[str, str]) -> dict[str, Any]:
    name = names.get(str(message.get("tool_call_id"))) or message.get("name") or ""
    value = object_of(message.get("content"))
    # A result that is nothing but our own wrapper would come back without it.
    wrapped = not isinstance(value, dict) or value.keys() == {_RESULT}
    return {"functionResponse": {"name": name, "response": {_RESULT: message.get("content")} if wrapped else value}}


def _with_schema(function: Mapping[str, Any], spelling: Any) -> dict[str, Any]:
    if "parameters" not in function:
        return dict(function)
    return {**function, "parameters": _respelt(function["parameters"], spelling)}


def _respelt(schema: object, spelling: Any) -> object:
    """The schema with its type names spelt anew, wherever a schema may stand in a schema."""
    if not isinstance(schema, Mapping):
        return schema
    return {key: _respelt_member(key, value, spelling) for key, value in schema.items()}


def _respelt_member(key: str, value: object, spelling: Any) -> object:
    match key, value:
        case "type", str(name) if name.lower() in _TYPES:
            return spelling(name)
        case "properties", {**members}:
            return {name: _respelt(member, spelling) for name, member in members.items()}
        case "items", _:
            return _respelt(value, spelling)
        case "anyOf", [*options]:
            return [_respelt(option, spelling) for option in options]
        case _:
            return value
