"""A value against a JSON Schema, as far as schemas of tools and of extracted objects go.

Understood: type, enum, const, properties, required, additionalProperties, items, minItems, maxItems, minLength,
maxLength, pattern, minimum, maximum, exclusiveMinimum, exclusiveMaximum, anyOf, oneOf, allOf, and $ref within the
schema. What is not understood asks nothing. Source of the rules: JSON Schema 2020-12, Validation.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

_DEPTH_MAX: Final = 32
_SHOWN_CHARS: Final = 40


def departures(value: object, schema: Schema) -> Iterator[str]:
    """What in `value` is not as the schema says, each with its place; nothing for a value that is."""
    return _departures(value, schema, schema, "", 0)


def _departures(value: object, schema: object, root: Schema, where: str, depth: int) -> Iterator[str]:
    if schema is False:
        yield _said(where, "is not allowed")
    if not isinstance(schema, Mapping) or depth > _DEPTH_MAX:
        return
    if isinstance(reference := schema.get("$ref"), str):
        yield from _departures(value, _referred(reference, root), root, where, depth + 1)
    yield from _of_type(value, schema, where)
    match value:
        case Mapping():
            yield from _of_object(value, schema, root, where, depth)
        case list():
            yield from _of_list(value, schema, root, where, depth)
        case str():
            yield from _of_text(value, schema, where)
        case int() | float() if not isinstance(value, bool):
            yield from _of_number(value, schema, where)
    yield from _of_choice(value, schema, root, where, depth)


def _of_type(value: object, schema: Schema, where: str) -> Iterator[str]:
    kinds = schema.get("type")
    allowed = [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else []
    if allowed and not any(_is(value, str(kind)) for kind in allowed):
        yield _said(where, f"is {_kind(value)}, not {' or '.join(map(str, allowed))}")
    if isinstance(members := schema.get("enum"), list) and value not in members:
        yield _said(where, f"is {_shown(value)}, none of {', '.join(map(_shown, members[:5]))}")
    if "const" in schema and value != schema["const"]:
        yield _said(where, f"is {_shown(value)}, not {_shown(schema['const'])}")


def _of_object(value: Mapping[str, Any], schema: Schema, root: Schema, where: str, depth: int) -> Iterator[str]:
    declared = schema.get("properties")
    properties: Mapping[str, Any] = declared if isinstance(declared, Mapping) else {}
    required = schema.get("required")
    for name in required if isinstance(required, list) else ():
        if name not in value:
            yield _said(where, f"lacks {name!r}")
    for name, member in value.items():
        place = f"{where}.{name}" if where else str(name)
        rule = properties.get(name, schema.get("additionalProperties", True))
        if rule is False:
            yield _said(place, "is not in the schema")
        else:
            yield from _departures(member, rule, root, place, depth + 1)


def _of_list(value: list[Any], schema: Schema, root: Schema, where: str, depth: int) -> Iterator[str]:
    if len(value) < _number(schema, "minItems", 0):
        yield _said(where, f"has {len(value)} members, fewer than {schema['minItems']}")
    if len(value) > _number(schema, "maxItems", len(value)):
        yield _said(where, f"has {len(value)} members, more than {schema['maxItems']}")
    for index, member in enumerate(value):
        yield from _departures(member, schema.get("items", True), root, f"{where}[{index}]", depth + 1)


def _of_text(value: str, schema: Schema, where: str) -> Iterator[str]:
    if not _number(schema, "minLength", 0) <= len(value) <= _number(schema, "maxLength", len(value)):
        yield _said(where, f"has {len(value)} characters")
    if isinstance(pattern := schema.get("pattern"), str) and not _matches(pattern, value):
        yield _said(where, f"is {_shown(value)}, not like {pattern[:_SHOWN_CHARS]}")


def _of_number(value: float, schema: Schema, where: str) -> Iterator[str]:
    if not _number(schema, "minimum", value) <= value <= _number(schema, "maximum", value):
        yield _said(where, f"is {value}, out of range")
    elif "exclusiveMinimum" in schema and value <= _number(schema, "exclusiveMinimum", value - 1):
        yield _said(where, f"is {value}, not above {schema['exclusiveMinimum']}")
    elif "exclusiveMaximum" in schema and value >= _number(schema, "exclusiveMaximum", value + 1):
        yield _said(where, f"is {value}, not below {schema['exclusiveMaximum']}")


def _of_choice(value: object, schema: Schema, root: Schema, where: str, depth: int) -> Iterator[str]:
    for part in _list(schema, "allOf"):
        yield from _departures(value, part, root, where, depth + 1)
    for word in ("anyOf", "oneOf"):
        fits = [next(_departures(value, part, root, where, depth + 1), None) is None for part in _list(schema, word)]
        if fits and not any(fits):
            yield _said(where, "fits none of the alternatives")
        elif word == "oneOf" and sum(fits) > 1:
            yield _said(where, "fits more than one of the alternatives")


def _referred(reference: str, root: Schema) -> object:
    """The part of the schema that "#/$defs/name" points to; True, which asks nothing, where there is none."""
    part: object = root
    for step in reference.removeprefix("#/").split("/"):
        part = part.get(step.replace("~1", "/").replace("~0", "~"), True) if isinstance(part, Mapping) else True
    return part


def _is(value: object, kind: str) -> bool:
    match kind:
        case "integer" if isinstance(value, float):
            return value.is_integer()
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return _kind(value) == kind


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _matches(pattern: str, value: str) -> bool:
    """JSON Schema's patterns are not anchored. One that Python cannot read asks nothing."""
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return True


def _number(schema: Schema, name: str, otherwise: float) -> float:
    value = schema.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


def _list(schema: Schema, name: str) -> list[Any]:
    value = schema.get(name)
    return value if isinstance(value, list) else []


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN_CHARS]


def _said(where: str, what: str) -> str:
    return f"{where or 'the value'} {what}"
