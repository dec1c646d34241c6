"""The formats of Hugging Face TRL: messages, prompt and completion, preference, unpaired preference (KTO).

Arguments of calls are objects, results carry the name of their function instead of an id, and prompt and completion
train on the completion alone: answers inside the prompt are read as weight 0. Source: TRL's "Dataset formats and
types".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engagements.phases.data_preparation.formats.calls import Links, functions_called, names_of_results, object_of
from engagements.phases.data_preparation.formats.prediction import Row
from engagements.phases.data_preparation.formats.reading import messages_at, record_from, said, unreadable
from engagements.phases.data_preparation.records import Message, Record

_KNOWN: Final = frozenset({"messages", "prompt", "completion", "chosen", "rejected", "label", "tools"})
_KEPT: Final = frozenset({"role", "content"})


def detects_messages(row: Row) -> bool:
    """Chat messages whose calls have objects as arguments, or whose results have a name and no id."""
    messages = row.get("messages")
    return isinstance(messages, list) and any(map(_is_trl, messages))


def _is_trl(message: object) -> bool:
    if not isinstance(message, dict):
        return False
    result = message.get("role") == "tool" and "tool_call_id" not in message
    return result or any(isinstance(each.get("arguments"), dict) for each in functions_called(message))


def read_messages(row: Row, number: int) -> Record:
    return _record(row, number, _from_trl(messages_at(row, "messages", number)))


def messages_row(record: Record) -> Row | None:
    return _with_tools({"messages": _to_trl(record.messages)}, record)


def detects_completion(row: Row) -> bool:
    return {"prompt", "completion"} <= row.keys()


def read_completion(row: Row, number: int) -> Record:
    prompt, completion = _side(row, "prompt", "user", number), _side(row, "completion", "assistant", number)
    messages = _from_trl([*map(_untrained, prompt), *completion])
    label = row.get("label")
    return _record(row, number, messages, desirable=label if isinstance(label, bool) else None)


def completion_row(record: Record) -> Row | None:
    """None where the last message is not the assistant's."""
    *asked, answer = record.messages
    if not asked or answer.get("role") != "assistant":
        return None
    *prompt, completion = _to_trl(record.messages)
    return _with_tools({"prompt": prompt, "completion": [completion]}, record)


def detects_unpaired(row: Row) -> bool:
    return detects_completion(row) and isinstance(row.get("label"), bool)


def unpaired_row(record: Record) -> Row | None:
    """None where nobody has said whether the answer is desirable."""
    row = completion_row(record)
    return None if row is None or record.desirable is None else {**row, "label": record.desirable}


def detects_preference(row: Row) -> bool:
    return {"chosen", "rejected"} <= row.keys()


def read_preference(row: Row, number: int) -> Record:
    """With a prompt, or with one that both sides begin with."""
    if "prompt" in row:
        prompt = _side(row, "prompt", "user", number)
        chosen, rejected = (_side(row, key, "assistant", number) for key in ("chosen", "rejected"))
    else:
        prompt, chosen, rejected = _implicit_prompt(row, number)
    if len(chosen) != 1 or len(rejected) != 1:
        raise unreadable("row.bad_message", "the two sides are not one answer each", number, "chosen")
    return _record(row, number, _from_trl([*prompt, *chosen]), rejected=_from_trl(rejected)[0])


def _implicit_prompt(row: Row, number: int) -> tuple[list[Message], list[Message], list[Message]]:
    chosen, rejected = row["chosen"], row["rejected"]
    if not (isinstance(chosen, str) and isinstance(rejected, str)):
        chosen, rejected = messages_at(row, "chosen", number), messages_at(row, "rejected", number)
        shared = _shared(chosen, rejected)
        return chosen[:shared], chosen[shared:], rejected[shared:]
    # TRL leaves the blank before the first different word to the answers.
    shared = _shared(chosen, rejected)
    shared -= chosen[:shared].endswith(" ")
    prompt, better, worse = said("user", chosen[:shared]), said("assistant", chosen[shared:]), rejected[shared:]
    return [prompt], [better], [said("assistant", worse)]


def _shared(one: Sequence[object], other: Sequence[object]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (left, right) in pairs if left != right), min(len(one), len(other)))


def preference_row(record: Record) -> Row | None:
    """None where there is no rejected answer, or no question before the chosen one."""
    row = completion_row(record)
    if row is None or record.rejected is None:
        return None
    taught = {"prompt": row["prompt"], "chosen": row["completion"], "rejected": _to_trl([record.rejected])}
    return _with_tools(taught, record)


def _side(row: Row, key: str, role: str, number: int) -> list[Message]:
    """Messages, or a plain text of this role."""
    found = row.get(key)
    return [said(role, found)] if isinstance(found, str) else messages_at(row, key, number)


def _untrained(message: Message) -> Message:
    return {**message, "weight": 0} if message.get("role") == "assistant" else message


def _record(row: Row, number: int, messages: list[Message], **taught: Any) -> Record:
    return record_from(row, number, messages, known=_KNOWN, tools=row.get("tools") or (), **taught)


def _with_tools(row: dict[str, Any], record: Record) -> Row:
    return {**row, "tools": list(record.tools)} if record.tools else row


def _from_trl(messages: Sequence[Message]) -> list[Message]:
    links = Links()
    return [_message_from(message, links) for message in messages]


def _message_from(message: Message, links: Links) -> Message:
    if calls := functions_called(message):
        made = [links.called(each.get("name"), each.get("arguments")) for each in calls]
        return {**message, "tool_calls": made}
    if message.get("role") == "tool":
        kept = {key: value for key, value in message.items() if key != "name"}
        return {**kept, "tool_call_id": links.answered(message.get("name"))}
    return message


def _to_trl(messages: Sequence[Message]) -> list[dict[str, Any]]:
    names = names_of_results(messages)
    return [_message_to(message, names) for message in messages]


def _message_to(message: Message, names: Mapping[str, str]) -> dict[str, Any]:
    kept = {key: value for key, value in message.items() if key in _KEPT}
    if isinstance(parts := kept.get("content"), list):
        # TRL keeps images in a column of their own.
        kept["content"] = [part for part in parts if part.get("type") == "text"]
    if calls := functions_called(message):
        functions = [{"name": each.get("name"), "arguments": object_of(each.get("arguments"))} for each in calls]
        kept["tool_calls"] = [{"type": "function", "function": function} for function in functions]
    if message.get("role") == "tool":
        name = message.get("name") or names.get(str(message.get("tool_call_id")))
        kept = {"role": "tool", **({"name": name} if name else {}), "content": message.get("content")}
    return kept
