"""What one training run is billed: tokens of an example, epochs, truncation.

The rule is OpenAI's. It is not documented; it reproduces the `trained_tokens` of two public jobs to the token
(25 multi-turn examples on gpt-4o-mini: 6,104; 103 examples with 16 tools on gpt-3.5-turbo: 145,983).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from estimator.errors import BriefInvalid, Problem
from estimator.tokens.function_block import function_block, functions_of

if TYPE_CHECKING:
    from estimator.tokens.encodings import Encoding

Epochs = Literal["auto"] | int

_PER_EXAMPLE: Final = 1
_PER_MESSAGE: Final = 3
_ROLE_AND_CONTENT: Final = 2

# openai-cookbook, "Data preparation and analysis for chat model fine-tuning"; confirmed by the two jobs above.
_TARGET_EPOCHS: Final = 3
_MIN_TARGET_EXAMPLES, _MAX_TARGET_EXAMPLES = 100, 25_000
_MIN_AUTO_EPOCHS, _MAX_AUTO_EPOCHS = 1, 25

# OpenAI API description of March 2025: `n_epochs` is "auto" or 1 to 50.
_MAX_EPOCHS: Final = 50


@dataclass(frozen=True, slots=True)
class ExampleTexts:
    """What is counted of one example: `fixed_tokens` beside the tokens of each text. `answers` are the content and
    the calls of assistant messages, `prompts` everything else, `repeated` what tends to return row after row."""

    fixed_tokens: int
    repeated: list[str]
    prompts: list[str]
    answers: list[str]


def example_texts(
    example: Mapping[str, object], render: Callable[[list[object]], str] = function_block
) -> ExampleTexts:
    """The texts of a chat example: roles, contents, names, calls and the function block.

    Rule: 1 + sum over messages of (3 + role + content + name + calls) + function block. A message of weight 0 is
    billed like any other. `name` is likely, not proven; images have tokens nobody has published and count nothing.
    `render` writes the function block.
    """
    found = example.get("messages")
    messages = [message for message in found if isinstance(message, dict)] if isinstance(found, list) else []
    repeated: list[str] = []
    prompts: list[str] = []
    answers: list[str] = []
    of_role = {"assistant": answers, "system": repeated}
    for message in messages:
        role, name = str(message.get("role")), message.get("name")
        repeated.append(role)
        of_role.get(role, prompts).extend(content_texts(message))
        if isinstance(name, str):
            repeated.append(name)
    if len(example) > 1 and (functions := functions_of(example)):
        repeated.append(render(functions))
    return ExampleTexts(_PER_EXAMPLE + _PER_MESSAGE * len(messages), repeated, prompts, answers)


def billed_training_tokens(example: Mapping[str, object], encoding: "Encoding", *, limit: int | None = None) -> int:
    """Tokens of one chat example as OpenAI bills it per epoch; cut off at the model's training context `limit`."""
    texts = example_texts(example)
    counted = sum(encoding.count(text) for text in (*texts.repeated, *texts.prompts, *texts.answers))
    return truncated(texts.fixed_tokens + counted, limit)


def truncated(tokens: int, limit: int | None) -> int:
    return tokens if limit is None else min(tokens, limit)


def auto_epochs(examples: int) -> int:
    """The epochs OpenAI chooses for `examples` >= 1: 3, more for very small sets, fewer for very large ones."""
    if examples * _TARGET_EPOCHS < _MIN_TARGET_EXAMPLES:
        return min(_MAX_AUTO_EPOCHS, _MIN_TARGET_EXAMPLES // examples)
    if examples * _TARGET_EPOCHS > _MAX_TARGET_EXAMPLES:
        return max(_MIN_AUTO_EPOCHS, _MAX_TARGET_EXAMPLES // examples)
    return _TARGET_EPOCHS


def epochs_of(setting: Epochs, examples: int) -> int:
    """The number of epochs a setting means for this many examples. Raises `BriefInvalid` outside "auto" and 1..50."""
    if setting == "auto":
        return auto_epochs(examples)
    if not 1 <= setting <= _MAX_EPOCHS:
        message, remedy = f"{setting} epochs cannot be trained", f'use "auto" or a whole number from 1 to {_MAX_EPOCHS}'
        raise BriefInvalid(Problem(code="epochs.out_of_range", message=message, remedy=remedy))
    return setting


def trained_tokens(tokens_per_example: Iterable[int], *, epochs: int, limit: int | None = None) -> int:
    """epochs x the sum of what is kept of each example."""
    return epochs * sum(truncated(tokens, limit) for tokens in tokens_per_example)


def content_texts(message: Mapping[str, object]) -> list[str]:
    """Content, refusal and calls of one message, those that are there."""
    content = message.get("content")
    if isinstance(content, str) and len(message) == _ROLE_AND_CONTENT:
        return [content]
    parts = content if isinstance(content, list) else [content]
    calls = message.get("tool_calls")
    found = [_part_text(part) for part in parts]
    found += [message.get("refusal"), *_call_texts(message.get("function_call"))]
    for call in calls if isinstance(calls, list) else []:
        found += _call_texts(call.get("function") if isinstance(call, dict) else None)
    return [text for text in found if isinstance(text, str) and text]


def _part_text(part: object) -> object:
    match part:
        case {"text": str(text)} | {"refusal": str(text)}:
            return text
        case _:
            return part


def _call_texts(function: object) -> list[object]:
    return [function.get("name"), function.get("arguments")] if isinstance(function, dict) else []
