"""What token accounting needs to know about each OpenAI model: encoding, training context, overheads of a prompt.

The table is our own. tiktoken guesses by prefix: it answers cl100k_base for "ft:gpt-4.1-...", which is wrong, fails on
"ft:o4-mini-..." and accepts names that do not exist. A name that is not listed here is an `UnknownName`.

Sources: encodings from tiktoken 0.14 (`tiktoken.model`), training contexts from OpenAI's fine-tuning guide (read
November 2026), prompt overheads from openai-cookbook, "How to count tokens with tiktoken".
"""

from dataclasses import dataclass
from typing import Final

from estimator.errors import UnknownName


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTokens:
    """`training_limit`: tokens of one training example that are kept; None where no limit is published."""

    encoding: str
    training_limit: int | None = None
    per_message: int = 3
    per_name: int = 1
    per_function: int = 7


_CL100K: Final = "cl100k_base"
_O200K: Final = "o200k_base"
_TUNABLE_4: Final = ModelTokens(encoding=_O200K, training_limit=65_536)
_TUNABLE_3_5: Final = ModelTokens(encoding=_CL100K, training_limit=16_385, per_function=10)
_GPT_4: Final = ModelTokens(encoding=_CL100K, per_function=10)

_MODELS: Final[dict[ModelTokens, str]] = {
    _TUNABLE_4: "gpt-4o gpt-4o-2024-05-13 gpt-4o-2024-08-06 gpt-4o-2024-11-20 gpt-4o-mini gpt-4o-mini-2024-07-18 "
    "gpt-4.1 gpt-4.1-2025-04-14 gpt-4.1-mini gpt-4.1-mini-2025-04-14 gpt-4.1-nano gpt-4.1-nano-2025-04-14",
    _TUNABLE_3_5: "gpt-3.5-turbo gpt-3.5-turbo-0125 gpt-3.5-turbo-1106 "
    "gpt-35-turbo gpt-35-turbo-0125 gpt-35-turbo-1106",
    ModelTokens(encoding=_CL100K, training_limit=4_096, per_function=10): "gpt-3.5-turbo-0613 gpt-35-turbo-0613",
    ModelTokens(encoding=_CL100K, per_message=4, per_name=-1, per_function=10): "gpt-3.5-turbo-0301",
    _GPT_4: "gpt-4 gpt-4-0314 gpt-4-0613 gpt-4-32k gpt-4-32k-0314 gpt-4-32k-0613 gpt-4-1106-preview gpt-4-0125-preview "
    "gpt-4-turbo gpt-4-turbo-preview gpt-4-turbo-2024-04-09 gpt-3.5-turbo-16k gpt-3.5-turbo-16k-0613 "
    "davinci-002 babbage-002",
    ModelTokens(encoding=_O200K): "chatgpt-4o-latest o1 o1-2024-12-17 o1-mini o1-mini-2024-09-12 o1-preview "
    "o1-preview-2024-09-12 o3 o3-2025-04-16 o3-mini o3-mini-2025-01-31 o4-mini o4-mini-2025-04-16 gpt-5 "
    "gpt-5-2025-08-07 gpt-5-mini gpt-5-mini-2025-08-07 gpt-5-nano gpt-5-nano-2025-08-07",
}


_BY_NAME: Final = {name: tokens for tokens, names in _MODELS.items() for name in names.split()}


def base_name(model: str) -> str:
    """The base of a tune: OpenAI writes "ft:<base>:<org>:<suffix>:<id>", Azure "<base>.ft-<id>"."""
    return model.removeprefix("ft:").partition(":")[0].partition(".ft-")[0]


def model_tokens(model: str) -> ModelTokens:
    """The accounting facts of a base model or of a tune of it.

    Raises `UnknownName`: the count of a model nobody listed would be wrong in silence.
    """
    if facts := _BY_NAME.get(base_name(model)):
        return facts
    raise UnknownName(
        "model", model, known=_BY_NAME, add="count with its own tokenizer.json, or list the model with its encoding"
    )
