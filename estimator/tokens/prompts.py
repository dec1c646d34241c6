"""Tokens of an inference request: messages, tools, images.

Source of the message and tool rules: openai-cookbook, "How to count tokens with tiktoken"; its printed counts equal
those of the API for the models it names (3.5, 4, 4o, 4o-mini). For later models the 4o rules are the nearest known.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from estimator.errors import UnknownName
from estimator.tokens.encodings import Encoding, encoding_for
from estimator.tokens.function_block import functions_of
from estimator.tokens.models import base_name, model_tokens

_PRIMING: Final = 3
_FUNCTIONS_END: Final = 12
_PROPERTIES_START: Final = 3
_PER_PROPERTY: Final = 3
_ENUM_START: Final = -3
_PER_ENUM_MEMBER: Final = 3


def prompt_tokens(messages: Sequence[Mapping[str, object]], tools: Sequence[Mapping[str, object]], model: str) -> int:
    """Prompt tokens that a chat request is billed for, without images.

    Every string of a message counts, its name too. Calls of functions inside the history are not covered by the
    cookbook; their names and arguments are counted as text. Raises `UnknownName` for an unlisted model.
    """
    facts, encoding = model_tokens(model), encoding_for(model)
    total = _PRIMING + sum(facts.per_message for _ in messages)
    total += sum(facts.per_name for message in messages if message.get("name"))
    total += sum(encoding.count(text) for message in messages for text in _texts(message))
    functions = functions_of({"tools": list(tools)})
    if functions:
        total += _FUNCTIONS_END
    return total + sum(facts.per_function + _function_tokens(function, encoding) for function in functions)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTokens:
    """Billed tokens of one image. `note` says where the published rules leave room."""

    tokens: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Tiles:
    base: int
    per_tile: int


@dataclass(frozen=True, slots=True)
class _Patches:
    factor: float


# OpenAI's guide on images and vision, as read in November 2026. The longest name that begins a model's name decides.
_IMAGE_RULES: Final[dict[str, _Tiles | _Patches]] = {
    "gpt-4o": _Tiles(85, 170),
    "gpt-4.1": _Tiles(85, 170),
    "gpt-4o-mini": _Tiles(2_833, 5_667),
    "o1": _Tiles(75, 150),
    "o3": _Tiles(75, 150),
    "gpt-4.1-mini": _Patches(1.62),
    "gpt-4.1-nano": _Patches(2.46),
    "o4-mini": _Patches(1.72),
}
_MAX_SIDE, _SHORT_SIDE, _TILE = 2_048, 768, 512
_PATCH, _MAX_PATCHES = 32, 1_536
_PATCHES_NOTE: Final = "rounding and the shrinking of large images are described ambiguously (openai-python#2851)"


def image_tokens(width: int, height: int, model: str, *, detail: Literal["low", "high"] = "high") -> ImageTokens:
    """Tokens of an image of `width` x `height` pixels. Raises `UnknownName` where no rule for the model is known."""
    name = base_name(model)
    rules = [prefix for prefix in _IMAGE_RULES if name == prefix or name.startswith(f"{prefix}-")]
    if not rules:
        raise UnknownName("image_model", model, known=_IMAGE_RULES, add="leave images out, or ask the provider")
    match _IMAGE_RULES[max(rules, key=len)]:
        case _Tiles(base, per_tile):
            return ImageTokens(tokens=base + (0 if detail == "low" else per_tile * _tiles(width, height)))
        case _Patches(factor):
            patches = min(math.ceil(width / _PATCH) * math.ceil(height / _PATCH), _MAX_PATCHES)
            return ImageTokens(tokens=math.ceil(patches * factor), note=_PATCHES_NOTE)


def _tiles(width: int, height: int) -> int:
    """Tiles of 512 pixels after the image is shrunk to fit 2,048 squared and then to a short side of 768."""
    scale = min(1.0, _MAX_SIDE / max(width, height))
    scale *= min(1.0, _SHORT_SIDE / (min(width, height) * scale))
    return math.ceil(width * scale / _TILE) * math.ceil(height * scale / _TILE)


def _texts(message: Mapping[str, object]) -> list[str]:
    texts: list[str] = []
    for value in message.values():
        texts += _strings(value)
    return texts


def _strings(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case {"text": str(text)}:
            return [text]
        case {"function": {"name": str(name), "arguments": str(arguments)}} | {
            "name": str(name),
            "arguments": str(arguments),
        }:
            return [name, arguments]
        case [*parts]:
            return [text for part in parts for text in _strings(part)]
        case _:
            return []


def _function_tokens(function: object, encoding: Encoding) -> int:
    if not isinstance(function, dict):
        return 0
    total = encoding.count(f"{function.get('name', '')}:{_sentence(function)}")
    match function.get("parameters"):
        case {"properties": {} as properties} if properties:
            total += _PROPERTIES_START
            total += sum(_PER_PROPERTY + _property_tokens(key, value, encoding) for key, value in properties.items())
    return total


def _property_tokens(key: str, schema: object, encoding: Encoding) -> int:
    if not isinstance(schema, dict):
        return encoding.count(key)
    values = schema.get("enum")
    total = encoding.count(f"{key}:{schema.get('type', '')}:{_sentence(schema)}")
    if isinstance(values, list):
        total += _ENUM_START + sum(_PER_ENUM_MEMBER + encoding.count(str(value)) for value in values)
    return total


def _sentence(schema: Mapping[str, object]) -> str:
    """The description as the cookbook counts it: without its full stop."""
    description = schema.get("description")
    return description.removesuffix(".") if isinstance(description, str) else ""
