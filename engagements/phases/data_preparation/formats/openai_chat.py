"""OpenAI's chat line, which Azure, Together, Fireworks and Mistral share; each may hold a little more or less of it.

The older `functions` and `function_call` become tools and calls on the way in. Source: OpenAI's API description of
21 March 2025 (FineTuneChatRequestInput) and its fine-tuning guide.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engagements.phases.data_preparation.formats.calls import Links, as_tools
from engagements.phases.data_preparation.formats.prediction import Row
from engagements.phases.data_preparation.formats.reading import messages_at, record_from
from engagements.phases.data_preparation.records import Message, Record

KNOWN: Final = frozenset({"messages", "tools", "parallel_tool_calls", "functions", "weight"})

Keys = Mapping[str, frozenset[str]]
OPENAI_KEYS: Final[Keys] = {
    "system": frozenset({"role", "content", "name"}),
    "user": frozenset({"role", "content", "name"}),
    "assistant": frozenset({"role", "content", "name", "refusal", "weight", "tool_calls"}),
    "tool": frozenset({"role", "content", "tool_call_id"}),
}
"""What a message of each role may hold at OpenAI; a role that is not listed keeps all it has."""


def read(row: Row, number: int) -> Record:
    messages = messages_at(row, "messages", number)
    tools, weight = row.get("tools") or (), row.get("weight", 1.0)
    if "functions" in row or any(map(_is_old, messages)):
        messages, tools = _modern(messages), [*tools, *as_tools(row.get("functions") or ())]
    return record_from(
        row, number, messages, known=KNOWN, tools=tools, parallel_tool_calls=row.get("parallel_tool_calls"),
        weight=float(weight) if isinstance(weight, int | float) else 1.0,
    )  # fmt: skip


def row_of(record: Record) -> Row:
    return chat_row(record, OPENAI_KEYS)


def chat_row(record: Record, keys: Keys) -> dict[str, Any]:
    """The messages with the keys that their role may have, and the tools."""
    row: dict[str, Any] = {"messages": [_kept(message, keys) for message in record.messages]}
    if record.tools:
        row["tools"] = list(record.tools)
    if record.parallel_tool_calls is not None:
        row["parallel_tool_calls"] = record.parallel_tool_calls
    return row


def _kept(message: Message, keys: Keys) -> Message:
    allowed = keys.get(str(message.get("role")))
    if allowed is None or message.keys() <= allowed:
        return message
    return {key: value for key, value in message.items() if key in allowed}


def _is_old(message: Message) -> bool:
    return "function_call" in message or message.get("role") == "function"


def _modern(messages: Sequence[Message]) -> list[Message]:
    links = Links()
    return [_modern_message(message, links) if _is_old(message) else message for message in messages]


def _modern_message(message: Message, links: Links) -> Message:
    kept = {key: value for key, value in message.items() if key != "function_call"}
    function = message.get("function_call")
    if isinstance(function, dict):
        kept["tool_calls"] = [links.called(function.get("name"), function.get("arguments", ""))]
    if message.get("role") == "function":
        kept["role"], kept["tool_call_id"] = "tool", links.answered(kept.pop("name", None))
    return kept
