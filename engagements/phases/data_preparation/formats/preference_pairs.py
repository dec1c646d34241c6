"""Preference pairs as OpenAI, Together and Fireworks take them: what was asked, the better answer, the worse one.

Source: OpenAI's guide on direct preference optimisation. Its API description of March 2025 calls the answers
`preferred_completion` and `non_preferred_completion`, OpenPipe adds `rejected_message` to a chat line: both are read.
"""

from typing import Any, Final

from engagements.phases.data_preparation.formats.openai_chat import OPENAI_KEYS, chat_row
from engagements.phases.data_preparation.formats.openai_chat import read as read_chat
from engagements.phases.data_preparation.formats.prediction import Row
from engagements.phases.data_preparation.formats.reading import messages_at, record_from, unreadable
from engagements.phases.data_preparation.records import Message, Record

_NAMES: Final = (("preferred_output", "non_preferred_output"), ("preferred_completion", "non_preferred_completion"))
_KNOWN: Final = frozenset({"input", *_NAMES[0], *_NAMES[1]})
_TEXT_KEYS: Final = frozenset({"role", "content"})


def detects(row: Row) -> bool:
    return any(better in row for better, _ in _NAMES) or {"messages", "rejected_message"} <= row.keys()


def read(row: Row, number: int) -> Record:
    if "rejected_message" in row:
        return _read_openpipe(row, number)
    better, worse = next((names for names in _NAMES if names[0] in row), _NAMES[0])
    asked = row.get("input")
    if not isinstance(asked, dict):
        raise unreadable("row.bad_message", '"input" is not an object with messages', number, "input")
    messages = [*messages_at(asked, "messages", number), _only_answer(row, better, number)]
    return record_from(
        row, number, messages, known=_KNOWN, tools=asked.get("tools") or (),
        parallel_tool_calls=asked.get("parallel_tool_calls"), rejected=_only_answer(row, worse, number),
    )  # fmt: skip


def _only_answer(row: Row, key: str, number: int) -> Message:
    answers = messages_at(row, key, number)
    if len(answers) != 1:
        raise unreadable("row.bad_message", f'"{key}" holds {len(answers)} messages instead of one', number, key)
    return answers[0]


def _read_openpipe(row: Row, number: int) -> Record:
    rejected = row["rejected_message"]
    if not isinstance(rejected, dict):
        raise unreadable("row.bad_message", '"rejected_message" is not an object', number, "rejected_message")
    record = read_chat({key: value for key, value in row.items() if key != "rejected_message"}, number)
    return record.replaced(rejected=rejected)


def row_of(record: Record) -> Row | None:
    """None where there is no worse answer, or where one of the two is not the text of an assistant."""
    *asked, better = record.messages
    if not asked or record.rejected is None or not (_is_text(better) and _is_text(record.rejected)):
        return None
    question: dict[str, Any] = chat_row(record.replaced(messages=asked), OPENAI_KEYS)
    return {
        "input": question,
        "preferred_output": [_answer(better)],
        "non_preferred_output": [_answer(record.rejected)],
    }


def _is_text(message: Message) -> bool:
    return (
        message.get("role") == "assistant" and isinstance(message.get("content"), str) and not message.get("tool_calls")
    )


def _answer(message: Message) -> Message:
    return {key: value for key, value in message.items() if key in _TEXT_KEYS}
