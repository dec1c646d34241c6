import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.tokens import check_row
from estimator.tokens.shapes import Shape, as_chat, shape_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("keys", "shape"),
    [
        ("messages tools", Shape.CHAT),
        ("conversations system", Shape.SHAREGPT),
        ("instruction input output", Shape.ALPACA),
        ("prompt completion", Shape.PROMPT_COMPLETION),
        ("prompt chosen rejected", Shape.PREFERENCE),
        ("input preferred_output non_preferred_output", Shape.PREFERENCE),
        ("contents systemInstruction", Shape.GEMINI),
        ("text", Shape.PLAIN_TEXT),
        ("message", None),
    ],
)
def test_a_format_is_told_by_its_keys(keys: str, shape: Shape | None) -> None:
    assert shape_of(dict.fromkeys(keys.split())) is shape


def test_sharegpt_with_tools_becomes_chat() -> None:
    turns = [
        {"from": "human", "value": "Weather?"},
        {"from": "function_call", "value": '{"name": "weather", "arguments": {"city": "Ulm"}}'},
        {"from": "observation", "value": '{"c": 7}'},
        {"from": "gpt", "value": "Seven degrees."},
    ]
    row = {"conversations": turns, "system": "Be brief.", "tools": json.dumps([{"name": "weather"}])}
    chat = as_chat(row, Shape.SHAREGPT)
    assert chat == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Ulm"}'}}]},
            {"role": "tool", "content": '{"c": 7}', "tool_call_id": "call_1"},
            {"role": "assistant", "content": "Seven degrees."},
        ],
        "tools": [{"type": "function", "function": {"name": "weather"}}],
    }  # fmt: skip
    assert check_row(chat) == []


def test_alpaca_becomes_chat_with_its_history() -> None:
    row = {"instruction": "Translate", "input": "Haus", "output": "house", "history": [["Hi", "Hello"]]}
    assert as_chat(row, Shape.ALPACA) == {
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "Translate\nHaus"},
            {"role": "assistant", "content": "house"},
        ]
    }


@given(st.dictionaries(st.sampled_from(["conversations", "system", "tools"]), JSON), st.lists(JSON, max_size=3))
def test_any_sharegpt_row_is_converted_without_a_crash(row: dict[str, Any], turns: list[Any]) -> None:
    for conversations in (row.get("conversations"), turns, [{"from": "function_call", "value": turns}]):
        check_row(as_chat(row | {"conversations": conversations}, Shape.SHAREGPT))
