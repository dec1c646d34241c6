"""The text OpenAI turns function definitions into: a TypeScript namespace in front of the conversation.

What is proven and what is likely:

- proven by a billed job of 16 functions (gpt-3.5-turbo-0125, July 2024): header, blank lines, `?` for keys that are
  not required, string enums, integer as number, an open object as `{}`, a function without parameters;
- checked by others against prompt counts of the API: descriptions of functions and of keys, arrays, nested objects
  indented by two blanks (hmarr/openai-chat-tokens, 2023), enums of numbers, null, no type as `any`
  (pamelafox/openai-messages-token-helper, 2024; nested objects there came one to three tokens below this form);
- likely: descriptions inside nested objects (left out for models of mid 2023, counted by the tests of 2024),
  `// default:` behind a key, unions for `anyOf` and lists of types, `$ref` resolved in place (the renderer of
  openai/harmony and published prompts of ChatGPT write them so).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

_INDENT: Final = "  "
_MAX_RESOLVED_CHARS: Final = 100_000


def function_block(functions: Iterable[object]) -> str:
    """The namespace text for the `function` objects of `tools`, or for the members of the older `functions`."""
    blocks = ["\n".join(_function(function)) for function in functions if isinstance(function, dict)]
    return "\n\n".join(["namespace functions {", *blocks, "} // namespace functions"])


def functions_of(row: Mapping[str, object]) -> list[object]:
    """The function definitions of a request or training row, whether it says `tools` or `functions`."""
    tools, functions = row.get("tools"), row.get("functions")
    found = [tool.get("function") for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    return [*found, *(functions if isinstance(functions, list) else [])]


def _function(function: Mapping[str, object]) -> Iterator[str]:
    yield from _comment(function.get("description"), "")
    name, parameters = function.get("name", ""), function.get("parameters")
    schema = parameters if isinstance(parameters, dict) else {}
    if not schema.get("properties"):
        yield f"type {name} = () => any;"
        return
    yield f"type {name} = (_: {{"
    yield from _Schema(schema).properties(schema, "", ())
    yield "}) => any;"


class _Schema:
    """One JSON Schema being written out. References are resolved in place, as long as the text stays small: a few
    definitions that name each other twice would otherwise grow without end."""

    def __init__(self, root: Mapping[str, object]) -> None:
        self._root = root
        self._resolved_chars = 0

    def properties(self, schema: Mapping[str, object], indent: str, refs: tuple[str, ...]) -> Iterator[str]:
        properties, required = schema.get("properties"), schema.get("required")
        needed = required if isinstance(required, list) else []
        for key, value in properties.items() if isinstance(properties, dict) else ():
            inner = value if isinstance(value, dict) else {}
            yield from _comment(inner.get("description"), indent)
            mark = "" if key in needed else "?"
            default = f" // default: {json.dumps(inner['default'], ensure_ascii=False)}" if "default" in inner else ""
            yield f"{indent}{key}{mark}: {self._type(inner, indent, refs)},{default}"

    def _type(self, schema: object, indent: str, refs: tuple[str, ...]) -> str:
        match schema:
            case {"$ref": str(ref)}:
                return self._reference(ref, indent, refs)
            case {"enum": [_, *_] as values}:
                return _union(_literal(value) for value in values)
            case {"const": value}:
                return _literal(value)
            case {"anyOf": [_, *_] as options} | {"oneOf": [_, *_] as options}:
                return _union(self._type(option, indent, refs) for option in options)
            case {"allOf": [_, *_] as parts}:
                return " & ".join(self._type(part, indent, refs) for part in parts)
            case {"type": [*kinds], **others}:
                return _union(self._type(others | {"type": kind}, indent, refs) for kind in kinds)
            case {"type": "array", "items": {} as items}:
                return f"{self._type(items, indent, refs)}[]"
            case {"type": "object", "properties": {} as properties, **others} if properties:
                inner = self.properties(
                    {"properties": properties, "required": others.get("required")}, indent + _INDENT, refs
                )
                return "\n".join(["{", *inner, indent + "}"])
            case {"type": str(kind)}:
                return _PLAIN_TYPES.get(kind, "any")
            case _:
                return "any"

    def _reference(self, ref: str, indent: str, refs: tuple[str, ...]) -> str:
        target = _resolve(ref, self._root)
        if target is None or ref in refs or self._resolved_chars > _MAX_RESOLVED_CHARS:
            return "any"
        text = self._type(target, indent, (*refs, ref))
        self._resolved_chars += len(text)
        return text


_PLAIN_TYPES: Final = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
    "object": "{}",
    "array": "any[]",
}


def _comment(description: object, indent: str) -> Iterator[str]:
    if isinstance(description, str) and description:
        yield from (f"{indent}// {line}" for line in description.split("\n"))


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _union(options: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(options))


def _resolve(ref: str, root: Mapping[str, object]) -> object | None:
    """The schema a local reference such as "#/$defs/Address" points to; None where there is none."""
    found: object = root
    for part in ref.removeprefix("#/").split("/"):
        if not isinstance(found, dict) or part not in found:
            return None
        found = found[part]
    return found
