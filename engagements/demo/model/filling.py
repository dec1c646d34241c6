"""JSON of a given schema with a model's words in it: what it fixes is put, what it leaves open is written. Pure.

A model of this size does not keep to a form that it is only told of; of five answers none was JSON. Servers of larger
models do the same under the name of structured outputs.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class ShapeRefused(ValueError):
    """A schema that says something this does not follow."""


class Pen(Protocol):
    """Writes on, behind what stands there."""

    def put(self, text: str) -> None:
        """These very words."""

    def choose(self, options: Sequence[str]) -> None:
        """The likeliest of these."""

    def write_string(self) -> None:
        """The inside of a JSON string, of the model's own."""


def fill(shape: Mapping[str, Any], pen: Pen) -> None:
    """Objects with all their properties, arrays of a fixed length, strings, and enums. Raises `ShapeRefused`."""
    match shape:
        case {"enum": [_, *_] as options}:
            pen.choose([json.dumps(option, ensure_ascii=False) for option in options])
        case {"type": "object", "properties": {}}:
            _fill_all("{}", [(f"{json.dumps(name)}: ", part) for name, part in shape["properties"].items()], pen)
        case {"type": "array", "items": {}, "minItems": int(count), "maxItems": most} if count == most:
            _fill_all("[]", [("", shape["items"])] * count, pen)
        case {"type": "string"}:
            pen.put('"')
            pen.write_string()
            pen.put('"')
        case _:
            raise ShapeRefused(f"this server does not follow {json.dumps(shape)[:200]}")


def _fill_all(brackets: str, parts: Sequence[tuple[str, Mapping[str, Any]]], pen: Pen) -> None:
    before = brackets[0]
    for name, part in parts:
        pen.put(before + name)
        fill(part, pen)
        before = ", "
    pen.put(brackets[1] if parts else brackets)
