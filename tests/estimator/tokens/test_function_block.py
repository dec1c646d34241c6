from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.tokens import encoding_for
from estimator.tokens.function_block import function_block, functions_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


def thing(schema: dict[str, Any], *required: str, **function: Any) -> dict[str, Any]:
    return {"name": "f", "parameters": {"type": "object", "properties": schema, "required": list(required)}, **function}


def written(schema: dict[str, Any]) -> str:
    """How the only key of a function is written."""
    return (
        function_block([thing({"x": schema}, "x")])
        .split("(_: {\n")[1]
        .removesuffix("\n}) => any;\n\n} // namespace functions")
    )


def test_a_block_is_written_as_openai_writes_it() -> None:
    functions = [
        thing(
            {"city": {"type": "string", "description": "Where"}, "unit": {"type": "string", "enum": ["C", "F"]}},
            "city",
            description="Tells the weather",
        ),
        {"name": "stop"},
    ]
    assert function_block(functions) == (
        "namespace functions {\n\n"
        '// Tells the weather\ntype f = (_: {\n// Where\ncity: string,\nunit?: "C" | "F",\n}) => any;\n\n'
        "type stop = () => any;\n\n"
        "} // namespace functions"
    )


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "integer"}, "x: number,"),
        ({"type": "number", "minimum": 0}, "x: number,"),
        ({"type": "boolean"}, "x: boolean,"),
        ({"type": "null"}, "x: null,"),
        ({}, "x: any,"),
        ({"type": "object"}, "x: {},"),
        ({"type": "array", "items": {"type": "string"}}, "x: string[],"),
        ({"type": "array"}, "x: any[],"),
        ({"type": "integer", "enum": [-1, 1]}, "x: -1 | 1,"),
        ({"const": "fixed"}, 'x: "fixed",'),
        ({"type": ["string", "null"]}, "x: string | null,"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "x: string | null,"),
        ({"type": "integer", "default": 3}, "x: number, // default: 3"),
        ({"type": "string", "default": "a"}, 'x: string, // default: "a"'),
        (
            {"type": "object", "properties": {"y": {"type": "string", "description": "Deep"}}},
            "x: {\n  // Deep\n  y?: string,\n},",
        ),
        (
            {"type": "array", "items": {"type": "object", "properties": {"y": {"type": "integer"}}, "required": ["y"]}},
            "x: {\n  y: number,\n}[],",
        ),
    ],
)
def test_types_are_written_as_typescript(schema: dict[str, Any], text: str) -> None:
    assert written(schema) == text


def test_references_are_resolved_and_circles_end() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    function = thing({"list": {"$ref": "#/$defs/Node"}, "lost": {"$ref": "#/$defs/Gone"}})
    function["parameters"]["$defs"] = {"Node": node}
    assert "list?: {\n  next?: any,\n},\nlost?: any," in function_block([function])


def test_references_that_double_at_every_level_stay_small() -> None:
    levels = {
        f"L{i}": {"type": "object", "properties": {k: {"$ref": f"#/$defs/L{i + 1}"} for k in "ab"}} for i in range(40)
    }
    function = thing({"x": {"$ref": "#/$defs/L0"}})
    function["parameters"]["$defs"] = levels
    assert len(function_block([function])) < 2_000_000


# Prompt counts of the API for one user message "hello" (8 tokens) and these functions (block + 9), published by
# github.com/hmarr/openai-chat-tokens.
@pytest.mark.parametrize(
    ("function", "prompt"),
    [
        ({"name": "foo", "parameters": {"type": "object", "properties": {}}}, 31),
        ({"name": "foo", "description": "Do a foo", "parameters": {"type": "object", "properties": {}}}, 36),
        (thing({"foo": {"type": "string"}}, name="bing_bong", description="Do a bing bong"), 49),
        (
            thing(
                {"foo": {"type": "string"}, "bar": {"type": "number", "description": "A number"}},
                name="bing_bong",
                description="Do a bing bong",
            ),
            57,
        ),
        (
            thing(
                {
                    "foo": {
                        "type": "object",
                        "properties": {"bar": {"type": "string", "enum": ["a", "b", "c"]}, "baz": {"type": "boolean"}},
                    }
                },
                name="bing_bong",
                description="Do a bing bong",
            ),
            68,
        ),
    ],
)
def test_the_block_has_the_length_the_api_counted(function: dict[str, Any], prompt: int) -> None:
    assert encoding_for("gpt-3.5-turbo-0613").count(function_block([function])) + 8 + 9 == prompt


def test_tools_and_legacy_functions_give_the_same_block() -> None:
    function = thing({"x": {"type": "string"}})
    assert functions_of({"tools": [{"type": "function", "function": function}]}) == functions_of(
        {"functions": [function]}
    )


@given(st.lists(JSON, max_size=3))
def test_no_declaration_is_too_odd_to_be_written(functions: list[Any]) -> None:
    assert function_block(functions).startswith("namespace functions {\n\n")


@given(JSON)
def test_no_schema_is_too_odd_to_be_written(schema: Any) -> None:
    assert "} // namespace functions" in function_block([thing({"x": schema}), {"name": "g", "parameters": schema}])
