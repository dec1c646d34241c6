"""Where Together, Fireworks and Mistral differ from OpenAI's chat line.

Together: a `weight` of 0 or 1 on messages of any role, a `weight` >= 0 on the row, `reasoning` on answers.
Fireworks: a `weight` on assistant messages and on the row. Mistral: weights are not documented; the ids of calls are
nine letters and digits. Sources: the providers' guides on preparing data (read November 2026), mistral-common.
"""

from collections.abc import Mapping
from typing import Any, Final

from engagements.phases.data_preparation.formats.openai_chat import OPENAI_KEYS, Keys, chat_row
from engagements.phases.data_preparation.formats.prediction import Row
from engagements.phases.data_preparation.records import Message, Record

_NO_NAMES: Final[Keys] = {role: keys - {"name", "refusal"} for role, keys in OPENAI_KEYS.items()}
_TOGETHER: Final[Keys] = {
    **{role: keys | {"weight"} for role, keys in _NO_NAMES.items()},
    "assistant": _NO_NAMES["assistant"] | {"reasoning", "reasoning_content"},
}
_FIREWORKS: Final[Keys] = {**_NO_NAMES, "assistant": _NO_NAMES["assistant"] | {"reasoning_content"}}
_MISTRAL: Final[Keys] = {role: keys - {"weight"} for role, keys in _NO_NAMES.items()}


def together_row(record: Record) -> Row:
    return _weighted(_without_parallel(chat_row(record, _TOGETHER)), record)


def fireworks_row(record: Record) -> Row:
    return _weighted(_without_parallel(chat_row(record, _FIREWORKS)), record)


def mistral_row(record: Record) -> Row:
    row = _without_parallel(chat_row(record, _MISTRAL))
    if any("tool_calls" in message for message in record.messages):
        ids: dict[str, str] = {}
        row["messages"] = [_with_short_ids(message, ids) for message in row["messages"]]
    return row


def _weighted(row: dict[str, Any], record: Record) -> dict[str, Any]:
    return row if record.weight == 1 else {**row, "weight": record.weight}


def _without_parallel(row: dict[str, Any]) -> dict[str, Any]:
    row.pop("parallel_tool_calls", None)
    return row


def _with_short_ids(message: Message, ids: dict[str, str]) -> Message:
    changed: dict[str, Any] = dict(message)
    if isinstance(calls := message.get("tool_calls"), list):
        changed["tool_calls"] = [_short(call, ids) for call in calls]
    if message.get("role") == "tool":
        changed["tool_call_id"] = ids.get(str(message.get("tool_call_id")), message.get("tool_call_id"))
    return changed


def _short(call: object, ids: dict[str, str]) -> object:
    if not isinstance(call, Mapping):
        return call
    return {**call, "id": ids.setdefault(str(call.get("id")), f"call{len(ids) + 1:05d}")}
