"""Which format a row is written in, and the two formats that become chat without loss: ShareGPT and Alpaca."""

from collections import deque
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

import orjson


class Shape(StrEnum):
    """The value is how the format is called in messages."""

    CHAT = "chat"
    SHAREGPT = "ShareGPT"
    ALPACA = "Alpaca"
    PREFERENCE = "preference pairs"
    PROMPT_COMPLETION = "prompt and completion"
    PLAIN_TEXT = "plain text"
    GEMINI = "Gemini contents"


CONVERTED: Final = frozenset({Shape.SHAREGPT, Shape.ALPACA})

# Keys that tell a format, the most telling first. Sources: the vendors' guides and the TRL and LLaMA-Factory docs.
_SIGNS: Final = (
    (Shape.PREFERENCE, {"preferred_output"}),
    (Shape.PREFERENCE, {"preferred_completion"}),
    (Shape.PREFERENCE, {"chosen", "rejected"}),
    (Shape.CHAT, {"messages"}),
    (Shape.SHAREGPT, {"conversations"}),
    (Shape.ALPACA, {"instruction", "output"}),
    (Shape.PROMPT_COMPLETION, {"prompt", "completion"}),
    (Shape.GEMINI, {"contents"}),
)
_ROLES: Final = {"human": "user", "gpt": "assistant", "observation": "tool", "function_call": "assistant"}


def shape_of(row: Mapping[str, object]) -> Shape | None:
    """The format of a row by its keys; None where no known format has such keys."""
    if "messages" in row and "preferred_output" not in row:
        return Shape.CHAT
    for shape, signs in _SIGNS:
        if signs <= row.keys():
            return shape
    return Shape.PLAIN_TEXT if row.keys() == {"text"} else None


def as_chat(row: Mapping[str, object], shape: Shape) -> Mapping[str, object]:
    """The row as a chat example. What cannot be read is handed on as it is, for the check of the chat row to name."""
    match shape:
        case Shape.SHAREGPT:
            return _from_sharegpt(row)
        case Shape.ALPACA:
            return _from_alpaca(row)
        case _:
            return row


def _from_sharegpt(row: Mapping[str, object]) -> dict[str, object]:
    turns = row["conversations"]
    if not isinstance(turns, list):
        return {"messages": turns}
    system = row.get("system")
    messages = [{"role": "system", "content": system}] if isinstance(system, str) and system else []
    chat: dict[str, object] = {"messages": [*messages, *_sharegpt_messages(turns)]}
    if tools := _declared_tools(row.get("tools")):
        chat["tools"] = tools
    return chat


def _sharegpt_messages(turns: list[object]) -> Iterator[object]:
    """Results answer the calls before them in their order; one too many answers the last call."""
    made, unanswered = 0, deque[str]()
    for turn in turns:
        if not isinstance(turn, dict):
            yield turn
            continue
        speaker, value = turn.get("from"), turn.get("value")
        message: dict[str, object] = {"role": _ROLES.get(str(speaker), speaker)}
        if speaker == "function_call":
            functions = _calls(value)
            ids = [f"call_{number}" for number in range(made + 1, made + 1 + len(functions))]
            made, unanswered = made + len(functions), deque(ids)
            calls = zip(ids, functions, strict=True)
            message["tool_calls"] = [{"id": each, "type": "function", "function": function} for each, function in calls]
        else:
            message["content"] = value
        if speaker == "observation":
            message["tool_call_id"] = unanswered.popleft() if unanswered else f"call_{made}"
        yield message


def _calls(value: object) -> list[dict[str, object]]:
    """What a turn calls: one function, or a list of them (LLaMA-Factory reads both)."""
    written = _loads(value)
    return [_call(each) for each in written] if isinstance(written, list) and written else [_call(value)]


def _call(value: object) -> dict[str, object]:
    """Name and arguments of a call, often written as JSON text; `arguments` become text where they are an object."""
    call = _loads(value)
    if not isinstance(call, dict):
        return {"name": "", "arguments": value}
    arguments = call.get("arguments")
    text = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
    return {"name": call.get("name"), "arguments": text}


def _declared_tools(tools: object) -> list[object]:
    declared = _loads(tools) if isinstance(tools, str) else tools
    return [{"type": "function", "function": tool} for tool in declared] if isinstance(declared, list) else []


def _loads(text: object) -> object:
    try:
        return orjson.loads(text) if isinstance(text, str) else text
    except orjson.JSONDecodeError:
        return None


def _from_alpaca(row: Mapping[str, object]) -> dict[str, object]:
    """Source of the mapping: LLaMA-Factory, which joins instruction and input by a line feed."""
    messages: list[dict[str, object]] = []
    if row.get("system"):
        messages.append({"role": "system", "content": row["system"]})
    history = row.get("history")
    for turn in history if isinstance(history, list) else []:
        question, answer = turn if isinstance(turn, list) and len(turn) == 2 else (turn, None)
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    asked = [row["instruction"], row.get("input")]
    question = "\n".join(text for text in asked if isinstance(text, str) and text)
    return {
        "messages": [*messages, {"role": "user", "content": question}, {"role": "assistant", "content": row["output"]}]
    }
