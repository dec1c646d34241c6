"""Conversations on Amazon Bedrock: Converse for Nova, where content is a list of blocks, and Anthropic's messages.

Sources: "Preparing data for SFT on Amazon Nova 2" and "Prepare data for fine-tuning text-to-text models" of the AWS
documentation; Anthropic's cookbook on tuning Claude 3 Haiku on Bedrock.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import orjson

from engagements.phases.data_preparation.formats.calls import (
    as_tools,
    call,
    declared_functions,
    object_of,
)
from engagements.phases.data_preparation.formats.prediction import Row
from engagements.phases.data_preparation.formats.reading import messages_at, record_from, said, text_at, unreadable
from engagements.phases.data_preparation.formats.turns import all_texts, conversation
from engagements.phases.data_preparation.records import Message, Record

SCHEMA: Final = "bedrock-conversation-2024"
_CONVERSE: Final = frozenset({"schemaVersion", "system", "messages", "toolConfig"})
_ANTHROPIC: Final = frozenset({"system", "messages"})
_S3: Final = re.compile(r"s3://.+\.(png|jpeg|gif|webp)")


def detects_converse(row: Row) -> bool:
    return row.get("schemaVersion") == SCHEMA


def read_converse(row: Row, number: int) -> Record:
    messages: list[Message] = []
    if system := row.get("system"):
        messages.append(said("system", "\n\n".join(str(block.get("text", "")) for block in system)))
    for index, message in enumerate(messages_at(row, "messages", number)):
        blocks = message.get("content")
        if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
            raise unreadable("row.bad_content", "the content is no list of blocks", number, f"messages[{index}]")
        messages += _messages(str(message.get("role")), blocks)
    tools = (row.get("toolConfig") or {}).get("tools") or ()
    functions = [_function(tool.get("toolSpec") or {}) for tool in tools]
    return record_from(row, number, messages, known=_CONVERSE, tools=as_tools(functions))


def _messages(role: str, blocks: Sequence[Mapping[str, Any]]) -> list[Message]:
    found: list[Message] = []
    for results, group in groupby(blocks, key=lambda block: "toolResult" in block):
        if results:
            found += [_result(block["toolResult"]) for block in group]
        else:
            found.append(_message(role, list(group)))
    return found


def _message(role: str, blocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    spoken = [block for block in blocks if "toolUse" not in block]
    message = said(role, _content(spoken))
    if uses := [block["toolUse"] for block in blocks if "toolUse" in block]:
        message["tool_calls"] = [call(str(use.get("toolUseId")), use.get("name"), use.get("input")) for use in uses]
    return message


def _content(blocks: Sequence[Mapping[str, Any]]) -> object:
    if not blocks:
        return None
    if len(blocks) == 1 and blocks[0].keys() == {"text"}:
        return blocks[0]["text"]
    return [_part(block) for block in blocks]


def _part(block: Mapping[str, Any]) -> dict[str, Any]:
    match block:
        case {"image": {"source": {"s3Location": {"uri": str(address)}}}}:
            return {"type": "image_url", "image_url": {"url": address}}
        case {"image": {"format": str(kind), "source": {"bytes": str(data)}}}:
            return {"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{data}"}}
        case _:
            return {"type": "text", "text": str(block.get("text", ""))}


def _result(result: Mapping[str, Any]) -> Message:
    texts = [
        block["text"] if "text" in block else orjson.dumps(block.get("json")).decode()
        for block in result.get("content") or ()
    ]
    return {"role": "tool", "tool_call_id": str(result.get("toolUseId")), "content": "\n".join(texts)}


def _function(spec: Mapping[str, Any]) -> dict[str, Any]:
    function = {key: value for key, value in spec.items() if key != "inputSchema"}
    schema = spec.get("inputSchema")
    return {**function, "parameters": schema["json"]} if isinstance(schema, dict) and "json" in schema else function


def converse_row(record: Record) -> Row | None:
    talk = conversation(record.messages)
    messages: list[dict[str, Any]] = []
    for results, group in groupby(talk.turns, key=lambda turn: turn.get("role") == "tool"):
        if results:
            messages.append({"role": "user", "content": [_result_block(turn) for turn in group]})
        else:
            messages += [{"role": turn.get("role"), "content": _blocks(turn)} for turn in group]
    if not messages:
        return None
    row: dict[str, Any] = {"schemaVersion": SCHEMA}
    if talk.system is not None:
        row["system"] = [{"text": talk.system}]
    row["messages"] = messages
    if record.tools:
        row["toolConfig"] = {"tools": [{"toolSpec": _spec(each)} for each in declared_functions(record.tools)]}
    return row


def _blocks(message: Message) -> list[dict[str, Any]]:
    content = message.get("content")
    given = content if isinstance(content, list) else [] if content is None else [{"type": "text", "text": content}]
    uses = [_use(each) for each in message.get("tool_calls") or ()]
    spoken = [] if uses and content == "" else [block for part in given if (block := _block(part))]
    return spoken + uses


def _block(part: Mapping[str, Any]) -> dict[str, Any] | None:
    """None for a picture at an address that Nova does not read: it takes S3."""
    match part:
        case {"type": "text", "text": text}:
            return {"text": text}
        case {"type": "image_url", "image_url": {"url": str(url)}} if found := _S3.fullmatch(url):
            return {"image": {"format": found[1], "source": {"s3Location": {"uri": url}}}}
    return None


def _use(each: Mapping[str, Any]) -> dict[str, Any]:
    function = each.get("function") or {}
    use = {"toolUseId": each.get("id"), "name": function.get("name"), "input": object_of(function.get("arguments"))}
    return {"toolUse": use}


def _result_block(message: Message) -> dict[str, Any]:
    value = object_of(message.get("content"))
    block = {"json": value} if isinstance(value, dict) else {"text": message.get("content")}
    return {"toolResult": {"toolUseId": message.get("tool_call_id"), "content": [block]}}


def _spec(function: Mapping[str, Any]) -> dict[str, Any]:
    spec = {key: value for key, value in function.items() if key in ("name", "description")}
    return {**spec, "inputSchema": {"json": function["parameters"]}} if "parameters" in function else spec


def detects_anthropic(row: Row) -> bool:
    return isinstance(row.get("system"), str) and "messages" in row


def read_anthropic(row: Row, number: int) -> Record:
    messages = messages_at(row, "messages", number)
    if "system" in row:
        messages = [said("system", text_at(row, "system", number)), *messages]
    return record_from(row, number, messages, known=_ANTHROPIC)


def anthropic_row(record: Record) -> Row | None:
    """None where anything but text is said."""
    talk = conversation(record.messages)
    if not talk.turns or not all_texts(talk.turns):
        return None
    messages = [said(str(turn.get("role")), turn["content"]) for turn in talk.turns]
    return {"messages": messages} if talk.system is None else {"system": talk.system, "messages": messages}
