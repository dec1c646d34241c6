"""The loop of OpenAI's data preparation notebook, in plain Python as it stands there: what ours is held against.

Ported from openai-cookbook, examples/Chat_finetuning_data_prep.ipynb (MIT). The tokeniser is an argument.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Encode = Callable[[str], Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notebook:
    format_errors: dict[str, int]
    missing_system: int
    missing_user: int
    messages: list[int]
    tokens: list[int]
    answers: list[int]


def notebook(dataset: Sequence[Any], encode: Encode) -> Notebook:
    missing_system = missing_user = 0
    counts: list[int] = []
    tokens: list[int] = []
    answers: list[int] = []
    for example in dataset:
        messages = example.get("messages") if isinstance(example, dict) else None
        if not messages:
            continue
        missing_system += not any(message.get("role") == "system" for message in messages)
        missing_user += not any(message.get("role") == "user" for message in messages)
        counts.append(len(messages))
        tokens.append(all_tokens(messages, encode))
        answers.append(answer_tokens(messages, encode))
    return Notebook(
        format_errors=format_errors(dataset), missing_system=missing_system, missing_user=missing_user,
        messages=counts, tokens=tokens, answers=answers,
    )  # fmt: skip


def format_errors(dataset: Sequence[Any]) -> dict[str, int]:
    errors: dict[str, int] = defaultdict(int)
    for example in dataset:
        if not isinstance(example, dict):
            errors["data_type"] += 1
            continue
        messages = example.get("messages", None)
        if not messages:
            errors["missing_messages_list"] += 1
            continue
        for message in messages:
            add_message_errors(message, errors)
        if not any(message.get("role", None) == "assistant" for message in messages):
            errors["example_missing_assistant_message"] += 1
    return dict(errors)


def add_message_errors(message: dict[str, Any], errors: dict[str, int]) -> None:
    if "role" not in message or "content" not in message:
        errors["message_missing_key"] += 1
    if any(key not in ("role", "content", "name", "function_call", "weight") for key in message):
        errors["message_unrecognized_key"] += 1
    if message.get("role") not in ("system", "user", "assistant", "function"):
        errors["unrecognized_role"] += 1
    content, function_call = message.get("content"), message.get("function_call")
    if (not content and not function_call) or not isinstance(content, str):
        errors["missing_content"] += 1


def all_tokens(messages: Sequence[dict[str, Any]], encode: Encode) -> int:
    total = 0
    for message in messages:
        total += 3
        for key, value in message.items():
            total += len(encode(value))
            if key == "name":
                total += 1
    return total + 3


def answer_tokens(messages: Sequence[dict[str, Any]], encode: Encode) -> int:
    total = 0
    for message in messages:
        if message.get("role") == "assistant" and "content" in message:
            total += len(encode(message["content"]))
    return total
