"""ShareGPT and Alpaca, as LLaMA-Factory and the tools around it read them; reading itself is the estimator's.

Source: LLaMA-Factory's data README and converter.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from engagements.phases.data_preparation.formats.calls import declared_functions, functions_called, object_of
from engagements.phases.data_preparation.formats.prediction import Row
from engagements.phases.data_preparation.formats.reading import messages_at, record_from, unreadable
from engagements.phases.data_preparation.formats.turns import all_texts, conversation, roles
from engagements.phases.data_preparation.records import Message, Record, text_of
from estimator.tokens.shapes import Shape, as_chat

_SHAREGPT: Final = frozenset({"conversations", "system", "tools", "kto_tag", "chosen", "rejected"})
_ALPACA: Final = frozenset({"instruction", "input", "output", "system", "history"})
_SPEAKERS: Final = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}


def detects_sharegpt(row: Row) -> bool:
    return "conversations" in row


def read_sharegpt(row: Row, number: int) -> Record:
    answers = [answer for key in ("chosen", "rejected") if isinstance(answer := row.get(key), dict)]
    paired = len(answers) == 2
    turns = [*messages_at(row, "conversations", number), *(answers if paired else ())]
    for index, turn in enumerate(turns):
        if not {"from", "value"} <= turn.keys():
            raise unreadable("row.bad_message", "the turn has no from or no value", number, f"conversations[{index}]")
    chat = as_chat({**row, "conversations": turns}, Shape.SHAREGPT)
    messages = messages_at(chat, "messages", number)
    rejected = messages.pop() if paired else None
    tag = row.get("kto_tag")
    return record_from(
        row, number, messages, known=_SHAREGPT, tools=chat.get("tools") or (), rejected=rejected,
        desirable=tag if isinstance(tag, bool) else None,
    )  # fmt: skip


def sharegpt_row(record: Record) -> Row | None:
    talk = conversation(record.messages)
    turns = list(_turns(talk.turns))
    row: dict[str, Any] = {"conversations": turns}
    if record.rejected is not None:
        if len(turns) < 2 or "content" not in record.rejected:
            return None
        row["chosen"], row["rejected"] = turns.pop(), *_turns([record.rejected])
    if talk.system is not None:
        row["system"] = talk.system
    if record.tools:
        row["tools"] = orjson.dumps(declared_functions(record.tools)).decode()
    if record.desirable is not None:
        row["kto_tag"] = record.desirable
    return row if turns else None


def _turns(messages: Sequence[Message]) -> Iterator[dict[str, Any]]:
    for message in messages:
        if calls := functions_called(message):
            made = [{"name": each.get("name"), "arguments": object_of(each.get("arguments"))} for each in calls]
            value: object = orjson.dumps(made[0] if len(made) == 1 else made).decode()
            yield {"from": "function_call", "value": value}
        else:
            role = str(message.get("role"))
            yield {"from": _SPEAKERS.get(role, role), "value": text_of(message)}


def detects_alpaca(row: Row) -> bool:
    return {"instruction", "output"} <= row.keys()


def read_alpaca(row: Row, number: int) -> Record:
    for key in ("instruction", "output"):
        if not isinstance(row.get(key), str):
            raise unreadable("row.bad_content", f'"{key}" is no text', number, key)
    chat = as_chat(row, Shape.ALPACA)
    return record_from(row, number, messages_at(chat, "messages", number), known=_ALPACA)


def alpaca_row(record: Record) -> Row | None:
    """None unless questions and answers take turns, all of them text."""
    talk = conversation(record.messages)
    pairs = len(talk.turns) // 2
    if not pairs or roles(talk.turns) != ["user", "assistant"] * pairs or not all_texts(talk.turns):
        return None
    texts = [turn["content"] for turn in talk.turns]
    row: dict[str, Any] = {"instruction": texts[-2], "input": "", "output": texts[-1]}
    if talk.system is not None:
        row["system"] = talk.system
    if pairs > 1:
        row["history"] = [list(pair) for pair in zip(texts[:-2:2], texts[1:-2:2], strict=True)]
    return row


def is_dropped(row: Mapping[str, Any]) -> str:
    """Why LLaMA-Factory leaves the row out, in the words of its log; empty where it does not."""
    turns = row["conversations"]
    sides = ({"human", "observation"}, {"gpt", "function_call"})
    if any(turn["from"] not in sides[index % 2] for index, turn in enumerate(turns)):
        return "Invalid role tag in"
    ranked = "chosen" in row
    return "Invalid message count in" if (len(turns) % 2 == 0) is ranked else ""
