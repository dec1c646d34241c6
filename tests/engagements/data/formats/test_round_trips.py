"""Every format gives back what it holds, byte for byte through its file, and says what it does not hold."""

import csv
import io
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engagements.phases.data_preparation.formats.format import Format
from engagements.phases.data_preparation.formats.reading import RowUnreadable
from engagements.phases.data_preparation.formats.registry import FORMATS
from engagements.phases.data_preparation.formats.sameness import normal
from engagements.phases.data_preparation.records import Origin, Provenance, Record

ANY = [
    "system", "many", "name", "weight", "user_weight", "row_weight", "tools", "parallel", "image", "parts", "rejected",
    "desirable",
]  # fmt: skip
CHAT = {"system", "many", "tools", "image", "parts"}
PAIR = {"system", "many", "name", "weight", "tools", "parallel", "image", "parts", "rejected"}

HOLDS: Mapping[str, set[str]] = {
    "openai_chat": CHAT | {"name", "weight", "parallel"},
    "azure_chat": CHAT | {"name", "weight", "parallel"},
    "together_chat": CHAT | {"weight", "user_weight", "row_weight"},
    "fireworks_chat": CHAT | {"weight", "row_weight"},
    "mistral": CHAT,
    "openai_dpo": PAIR,
    "openai_rft": {"system", "many", "name", "weight", "image", "parts"},
    "together_dpo": PAIR,
    "fireworks_dpo": PAIR,
    "gemini": CHAT,
    "vertex_text": set(),
    "bedrock_converse": CHAT - {"image"},
    "bedrock_prompt": set(),
    "anthropic_bedrock": {"system", "many"},
    "trl_messages": CHAT - {"image"},
    "trl_prompt_completion": {"system", "weight", "parts"},
    "trl_preference": {"system", "many", "tools", "parts", "rejected"},
    "kto": {"system", "weight", "parts", "desirable"},
    "alpaca": {"system", "many"},
    "sharegpt": {"system", "many", "tools", "rejected", "desirable"},
    "csv": {"system"},
}
"""What each format holds beside one question and its answer in text."""
NEEDS = {"openai_dpo": "rejected", "together_dpo": "rejected", "fireworks_dpo": "rejected",
         "trl_preference": "rejected", "kto": "desirable"}  # fmt: skip
CARRIED = {"openai_rft": b'"label":"label-4711"'}
"""What else stands in the file, for graders to name."""

KEYS = [
    "role", "content", "name", "weight", "tool_calls", "tool_call_id", "function", "arguments", "id", "type", "text",
    "image_url", "url", "from", "value", "parts", "functionCall", "parameters", "toolUse",
]  # fmt: skip
ROW_KEYS = [
    "messages", "tools", "functions", "weight", "input", "preferred_output", "non_preferred_output", "contents",
    "systemInstruction", "system", "toolConfig", "prompt", "completion", "label", "chosen", "rejected",
    "conversations", "instruction", "output", "history", "rejected_message",
]  # fmt: skip

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30) | st.sampled_from(
    [
        '=HYPERLINK("x")',
        "\uff1d1",
        "'-1",
        "''+1",
        "\tx",
        "\r\n",
        'a "quoted", text',
        "line\nline",
        "{}",
        '{"a": 1}',
        "\0",
    ]
)
PLAIN_TEXT = TEXT.filter(lambda text: not text.lstrip().startswith("{"))
PIXEL = "data:image/png;base64,iVBORw0KGgo="


@st.composite
def records(draw: st.DrawFn, features: set[str]) -> Record:
    """A record with exactly these features, its texts drawn."""

    def said(role: str, **more: Any) -> dict[str, Any]:
        return {"role": role, "content": draw(TEXT), **more}

    question = said("user")
    if "image" in features:
        question["content"] = [{"type": "text", "text": draw(TEXT)}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    elif "parts" in features:
        question["content"] = [{"type": "text", "text": draw(TEXT)} for _ in range(2)]
    if "name" in features:
        question["name"] = "ana"
    if "user_weight" in features:
        question["weight"] = 0
    messages = [said("system")] if "system" in features else []
    if "weight" in features:
        messages += [said("user"), said("assistant", weight=0)]
    elif "many" in features:
        messages += [said("user"), said("assistant")]
    messages.append(question)
    if "tools" in features:
        messages += draw(calls())
    messages.append(said("assistant"))
    schema = {
        "type": "object",
        "properties": {"type": {"type": "string"}, "n": {"type": "array", "items": {"type": "integer"}}},
    }
    return Record(
        id="record-4711", messages=messages, group="group-4711", meta={"secret": "meta-4711"}, label="label-4711",
        origin=Origin(kind=Provenance.EXPERT, source="source-4711", author="author-4711"),
        tools=[{"type": "function", "function": {"name": "find", "description": draw(TEXT), "parameters": schema}}]
        if "tools" in features
        else (),
        parallel_tool_calls=False if "parallel" in features else None,
        rejected=said("assistant") if "rejected" in features else None,
        desirable=draw(st.booleans()) if "desirable" in features else None,
        weight=2.5 if "row_weight" in features else 1.0,
    )  # fmt: skip


@st.composite
def calls(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One or two calls in one message, each with its result; ids, arguments and results drawn."""
    number = draw(st.integers(1, 2))
    ids = [f"{draw(st.sampled_from('abc'))}{index}" for index in range(number)]
    arguments = st.dictionaries(PLAIN_TEXT, TEXT | st.integers(-(2**53), 2**53) | st.booleans() | st.none(), max_size=3)
    made = [
        {
            "id": each,
            "type": "function",
            "function": {"name": "find", "arguments": orjson.dumps(draw(arguments)).decode()},
        }
        for each in ids
    ]
    results = [{"role": "tool", "tool_call_id": each, "content": draw(TEXT)} for each in ids]
    return [{"role": "assistant", "content": None, "tool_calls": made}, *results]


def read_back(form: Format, content: bytes) -> Record:
    """The record of one row as it stands in the file."""
    if form.name == "csv":
        rows = csv.DictReader(io.StringIO((form.head + content + form.tail).decode(), newline=""))
        (row,) = rows
        return form.read(row, 1)
    return form.read(orjson.loads(content), 1)


def taught(record: Record) -> dict[str, Any]:
    return {
        "messages": normal(record.messages),
        "tools": [dict(each) for each in record.tools],
        "parallel_tool_calls": record.parallel_tool_calls,
        "rejected": record.rejected,
        "desirable": record.desirable,
        "weight": record.weight,
    }


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_what_a_format_holds_comes_back_equal_and_nothing_else_is_in_the_file(name: str, data: st.DataObject) -> None:
    form = FORMATS[name]
    features = data.draw(st.sets(st.sampled_from(sorted(HOLDS[name])) if HOLDS[name] else st.nothing()))
    record = data.draw(records(features | {NEEDS[name]} if name in NEEDS else features))
    content = form.write(record)
    assert form.losses(record) == []
    assert content is not None
    assert taught(read_back(form, content)) == taught(record)
    assert b"-4711" not in content.replace(CARRIED.get(name, b"-4711-"), b"")


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_losses_are_named_exactly_where_the_record_comes_back_different(name: str, data: st.DataObject) -> None:
    form = FORMATS[name]
    record = data.draw(records(data.draw(st.sets(st.sampled_from(ANY)))))
    content = form.write(record)
    comes_back = content is not None and taught(read_back(form, content)) == taught(record)
    assert (form.losses(record) == []) == comes_back


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("feature", ANY)
def test_a_feature_that_a_format_lacks_is_a_loss(name: str, feature: str) -> None:
    form = FORMATS[name]
    need = {NEEDS[name]} if name in NEEDS else set()
    record = example({feature} | need)
    assert (form.losses(record) == []) == (feature in HOLDS[name])


def example(features: set[str]) -> Record:
    """One fixed record with these features."""
    question: dict[str, Any] = {"role": "user", "content": "Where is it?"}
    if "image" in features:
        question["content"] = [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": PIXEL}},
        ]
    if "parts" in features:
        question["content"] = [{"type": "text", "text": "Where"}, {"type": "text", "text": "is it?"}]
    if "name" in features:
        question["name"] = "ana"
    if "user_weight" in features:
        question["weight"] = 0
    first = {"role": "assistant", "content": "Hello"} | ({"weight": 0} if "weight" in features else {})
    messages = [{"role": "system", "content": "Be brief."}] if "system" in features else []
    messages += [{"role": "user", "content": "Hi"}, first] if features & {"many", "weight"} else []
    messages.append(question)
    if "tools" in features:
        function = {"name": "find", "arguments": '{"id": 7}'}
        messages += [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c9", "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": "c9", "content": '{"at": "Ulm"}'},
        ]
    messages.append({"role": "assistant", "content": "In Ulm."})
    return Record(
        id="1", messages=messages, weight=2.5 if "row_weight" in features else 1.0,
        tools=[{"type": "function", "function": {"name": "find"}}] if "tools" in features else (),
        parallel_tool_calls=False if "parallel" in features else None,
        rejected={"role": "assistant", "content": "No idea."} if "rejected" in features else None,
        desirable=True if "desirable" in features else None,
    )  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6) | st.just("{"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=10,
)
BROKEN = st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5)


@given(messages=st.lists(BROKEN, max_size=4), tools=st.lists(JSON, max_size=2), rejected=st.none() | BROKEN)
@settings(max_examples=50, deadline=None)
def test_what_is_no_chat_is_left_out_or_foreseen_and_never_a_crash(
    messages: list[dict[str, Any]], tools: list[Any], rejected: dict[str, Any] | None
) -> None:
    record = Record(id="1", messages=messages, tools=tools, rejected=rejected, desirable=True)
    for form in FORMATS.values():
        form.predict([record])


@given(row=st.dictionaries(st.sampled_from(ROW_KEYS), JSON | st.lists(BROKEN, max_size=3), max_size=4))
@settings(max_examples=60, deadline=None)
def test_any_row_is_read_or_refused_as_unreadable(row: dict[str, Any]) -> None:
    for form in FORMATS.values():
        form.detects(row)
        with suppress(RowUnreadable):
            form.read(row, 1)
