"""Rows of reinforcement: what was asked, and beside the messages what the answer is held against.

`reference_answer` is the text of the record's answer, `label` its class and `target` its object of extraction, where
there are any. Graders name them as `{{item.reference_answer}}`, `{{item.label}}` and `{{item.target.FIELD}}`. The
system's words are the developer's there. Source: OpenAI's description of its API (FineTuneReinforcementRequestInput:
`messages` and `tools` are the only reserved names of a row) and its guide on reinforcement fine-tuning.
"""

from typing import Any, Final

import orjson

from engagements.phases.data_preparation.formats.openai_chat import OPENAI_KEYS, Keys, chat_row
from engagements.phases.data_preparation.formats.prediction import Row
from engagements.phases.data_preparation.formats.reading import messages_at, record_from, said, unreadable
from engagements.phases.data_preparation.records import Message, Record

ANSWER: Final = "reference_answer"
_KNOWN: Final = frozenset({"messages", "tools", ANSWER, "label", "target"})
_KEYS: Final[Keys] = {**OPENAI_KEYS, "developer": OPENAI_KEYS["system"]}


def detects(row: Row) -> bool:
    return ANSWER in row and isinstance(messages := row.get("messages"), list) and _asks(messages)


def read(row: Row, number: int) -> Record:
    """A reference of several values is an object of extraction, and the answer its JSON."""
    asked = [_as_role(each, "developer", "system") for each in messages_at(row, "messages", number)]
    answer, target, label = row.get(ANSWER), row.get("target"), row.get("label")
    if isinstance(answer, dict):
        answer, target = orjson.dumps(answer).decode(), answer
    if not isinstance(answer, str):
        raise unreadable("row.bad_content", f'"{ANSWER}" is neither a text nor an object', number, ANSWER)
    return record_from(
        row, number, [*asked, said("assistant", answer)], known=_KNOWN, tools=row.get("tools") or (),
        target=target if isinstance(target, dict) else None, label=label if isinstance(label, str) else None,
    )  # fmt: skip


def row_of(record: Record) -> Row | None:
    """None where the last answer is no text, or the user did not speak before it."""
    *asked, answer = record.messages
    if not _asks(asked) or answer.get("role") != "assistant" or not isinstance(answer.get("content"), str):
        return None
    if answer.get("tool_calls"):
        return None
    question = record.replaced(messages=[_as_role(each, "system", "developer") for each in asked])
    row: dict[str, Any] = chat_row(question.replaced(parallel_tool_calls=None), _KEYS)
    row[ANSWER] = answer["content"]
    if record.label is not None:
        row["label"] = record.label
    if record.target is not None:
        row["target"] = record.target
    return row


def _asks(messages: list[Message]) -> bool:
    return bool(messages) and isinstance(messages[-1], dict) and messages[-1].get("role") == "user"


def _as_role(message: Message, before: str, after: str) -> Message:
    return {**message, "role": after} if message.get("role") == before else message
