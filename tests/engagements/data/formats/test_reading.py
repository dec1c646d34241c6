"""Rows of every format become records; what is no row of its format is refused by line and place."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engagements.phases.data_preparation.formats.detecting import detect
from engagements.phases.data_preparation.formats.reading import RowUnreadable
from engagements.phases.data_preparation.formats.registry import FORMATS, format_named
from engagements.phases.data_preparation.records import Record
from estimator.errors import UnknownName

CHAT = [{"role": "user", "content": "Sky?"}, {"role": "assistant", "content": "Blue."}]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def read_all(rows: list[dict[str, Any]]) -> tuple[str, list[Record]]:
    form = detect(rows)
    assert form is not None
    return form.name, [form.read(row, number) for number, row in enumerate(rows, start=1)]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"messages": CHAT}, "openai_chat"),
        ({"messages": CHAT, "rejected_message": CHAT[1]}, "openai_dpo"),
        ({"input": {"messages": CHAT[:1]}, "preferred_output": CHAT[1:], "non_preferred_output": CHAT[1:]},
         "openai_dpo"),
        ({"input": {"messages": CHAT[:1]}, "preferred_completion": CHAT[1:], "non_preferred_completion": CHAT[1:]},
         "openai_dpo"),
        ({"messages": CHAT[:1], "reference_answer": "Blue."}, "openai_rft"),
        ({"messages": CHAT[:1], "reference_answer": {"colour": "blue"}, "tools": []}, "openai_rft"),
        ({"messages": CHAT, "reference_answer": "Blue."}, "openai_chat"),
        ({"contents": [{"role": "user", "parts": [{"text": "Sky?"}]}]}, "gemini"),
        ({"input_text": "Sky?", "output_text": "Blue."}, "vertex_text"),
        ({"schemaVersion": "bedrock-conversation-2024", "messages": []}, "bedrock_converse"),
        ({"system": "Be brief.", "messages": CHAT}, "anthropic_bedrock"),
        ({"prompt": "Sky?", "completion": "Blue."}, "bedrock_prompt"),
        ({"prompt": CHAT[:1], "completion": CHAT[1:]}, "trl_prompt_completion"),
        ({"prompt": "Sky?", "completion": "Blue.", "label": True}, "kto"),
        ({"prompt": "Sky?", "chosen": "Blue.", "rejected": "Red."}, "trl_preference"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}]},
         "trl_messages"),
        ({"conversations": [{"from": "human", "value": "Sky?"}]}, "sharegpt"),
        ({"instruction": "Sky?", "output": "Blue."}, "alpaca"),
        ({"system": "", "input": "Sky?", "output": "Blue."}, "csv"),
        ({"text": "Blue."}, None),
        ({"question": "Sky?"}, None),
    ],
)  # fmt: skip
def test_a_format_is_told_by_its_rows(row: dict[str, Any], name: str | None) -> None:
    form = detect([row, row])
    assert (form.name if form else None) == name
    assert detect([]) is None
    assert detect([row, {"unheard": "of"}]) is None


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Sky?", "chosen": "Blue.", "rejected": "Red."},
        {"prompt": CHAT[:1], "chosen": CHAT[1:], "rejected": [{"role": "assistant", "content": "Red."}]},
        {"chosen": CHAT, "rejected": [CHAT[0], {"role": "assistant", "content": "Red."}]},
        {"input": {"messages": CHAT[:1]}, "preferred_completion": CHAT[1:],
         "non_preferred_completion": [{"role": "assistant", "content": "Red."}]},
        {"messages": CHAT, "rejected_message": {"role": "assistant", "content": "Red."}},
        {"conversations": [{"from": "human", "value": "Sky?"}], "chosen": {"from": "gpt", "value": "Blue."},
         "rejected": {"from": "gpt", "value": "Red."}},
    ],
)  # fmt: skip
def test_a_preference_is_read_from_whichever_of_its_spellings(row: dict[str, Any]) -> None:
    _, (record,) = read_all([row])
    assert (record.messages, record.rejected) == (CHAT, {"role": "assistant", "content": "Red."})


def test_a_prompt_that_both_sides_begin_with_is_found_as_trl_finds_it() -> None:
    _, (record,) = read_all([{"chosen": "The sky is blue.", "rejected": "The sky is green."}])
    assert [message["content"] for message in record.messages] == ["The sky is", " blue."]
    assert record.rejected == {"role": "assistant", "content": " green."}


def test_older_functions_become_tools() -> None:
    messages = [
        {"role": "user", "content": "Weather in Ulm?"},
        {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": '{"city": "Ulm"}'}},
        {"role": "function", "name": "weather", "content": "7"},
        {"role": "assistant", "content": "Seven degrees."},
    ]
    _, (record,) = read_all([{"messages": messages, "functions": [{"name": "weather"}]}])
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ulm"}'}}
    assert record.tools == [{"type": "function", "function": {"name": "weather"}}]
    assert record.messages[1] == {"role": "assistant", "content": None, "tool_calls": [call]}
    assert record.messages[2] == {"role": "tool", "tool_call_id": "call_1", "content": "7"}


def test_answers_inside_a_prompt_are_not_trained() -> None:
    later = {"role": "user", "content": "And grass?"}
    _, (record,) = read_all([{"prompt": [*CHAT, later], "completion": [{"role": "assistant", "content": "Green."}]}])
    assert [message.get("weight") for message in record.messages] == [None, 0, None, None]
    assert FORMATS["openai_chat"].losses(record) == []


def test_what_no_format_names_is_kept_as_meta_and_the_id_as_id() -> None:
    _, (named, unnamed) = read_all([{"id": 7, "messages": CHAT, "topic": "sky"}, {"messages": CHAT, "id": ""}])
    assert (named.id, named.meta, named.origin.row) == ("7", {"topic": "sky"}, 1)
    assert (unnamed.id, unnamed.meta, unnamed.origin.row) == ("row-2", {}, 2)


@pytest.mark.parametrize(
    ("name", "row", "code", "where"),
    [
        ("openai_chat", {"messages": []}, "row.messages_missing", "messages"),
        ("openai_chat", {"messages": [CHAT[0], "Blue."]}, "row.bad_message", "messages[1]"),
        ("openai_dpo", {"input": "Sky?", "preferred_output": CHAT[1:]}, "row.bad_message", "input"),
        ("openai_dpo", {"input": {"messages": CHAT}, "preferred_output": CHAT}, "row.bad_message", "preferred_output"),
        ("openai_rft", {"messages": CHAT[:1], "reference_answer": 7}, "row.bad_content", "reference_answer"),
        ("gemini", {"contents": [{"role": "user", "text": "Sky?"}]}, "row.bad_content", "contents[0]"),
        ("bedrock_converse", {"messages": [{"role": "user", "content": "Sky?"}]}, "row.bad_content", "messages[0]"),
        ("sharegpt", {"conversations": [{"from": "human"}]}, "row.bad_message", "conversations[0]"),
        ("alpaca", {"instruction": "Sky?", "output": 7}, "row.bad_content", "output"),
        ("csv", {"system": "", "input": None, "output": ""}, "row.bad_content", "input"),
    ],
)  # fmt: skip
def test_a_row_that_is_not_what_its_format_says_is_refused_with_its_line(
    name: str, row: dict[str, Any], code: str, where: str
) -> None:
    with pytest.raises(RowUnreadable) as refused:
        FORMATS[name].read(row, 9)
    assert [(each.code, each.where, each.line) for each in refused.value.problems] == [(code, where, 9)]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Together", "together_chat"),
        ("openai-dpo", "openai_dpo"),
        ("rft", "openai_rft"),
        ("vertex", "gemini"),
        ("csv", "csv"),
    ],
)
def test_a_provider_stands_for_its_usual_format(said: str, meant: str) -> None:
    assert format_named(said).name == meant


def test_a_format_that_nobody_has_is_refused_with_those_that_come_close() -> None:
    with pytest.raises(UnknownName, match="sharegpt"):
        format_named("share_gpt")


def test_a_row_of_reinforcement_ends_with_the_user_and_carries_what_graders_name() -> None:
    form = FORMATS["openai_rft"]
    target = {"colour": "blue"}
    messages = [{"role": "system", "content": "Be brief."}, *CHAT]
    record = Record(id="r", messages=messages, label="sky", target=target)
    row = json.loads(form.write(record) or b"")
    assert row == {
        "messages": [{"role": "developer", "content": "Be brief."}, CHAT[0]], "reference_answer": CHAT[1]["content"],
        "label": "sky", "target": target,
    }  # fmt: skip
    again = form.read(row, 1)
    assert (again.messages, again.label, again.target) == (messages, "sky", target)
    assert json.loads(form.read({"messages": CHAT[:1], "reference_answer": target}, 1).answer) == target
    assert form.write(Record(id="r", messages=[*CHAT, CHAT[1]])) is None
    assert form.write(Record(id="r", messages=CHAT[1:])) is None


@pytest.mark.shared_data
def test_the_bitext_pairs_of_vertex_go_through_every_format_of_single_answers(shared_data: Path) -> None:
    name, records = read_all(lines(shared_data / "sets/06_bitext_responses_300/train_300.jsonl"))
    assert (name, len(records)) == ("vertex_text", 300)
    for other in ("openai_chat", "gemini", "bedrock_prompt", "bedrock_converse", "alpaca", "sharegpt", "csv"):
        assert not any(map(FORMATS[other].losses, records))


@pytest.mark.shared_data
def test_sharegpt_conversations_are_read_whole_and_go_back_to_the_same_rows(shared_data: Path) -> None:
    rows = json.loads((shared_data / "sets/08_sharegpt_dummy/dummy_conversation.json").read_bytes())
    name, records = read_all(rows)
    assert (name, len(records)) == ("sharegpt", 500)
    assert Counter(message["role"] for record in records for message in record.messages) == {
        "user": 1000, "assistant": 1000,
    }  # fmt: skip
    written = json.loads(b"".join(FORMATS["sharegpt"].write_file(records)))
    assert [row["conversations"] for row in written] == [row["conversations"] for row in rows]


@pytest.mark.shared_data
def test_glaive_tool_calls_keep_every_call_and_result_in_each_format_with_tools(shared_data: Path) -> None:
    rows = json.loads((shared_data / "sets/15b_glaive_toolcall_demo/glaive_toolcall_en_demo.json").read_bytes())
    name, records = read_all(rows)
    turns = Counter(message["role"] for record in records for message in record.messages)
    called = sum("tool_calls" in message for record in records for message in record.messages)
    assert (name, len(records), called) == ("sharegpt", 300, 211)
    assert turns == {"user": 746, "assistant": 746 + 211, "tool": 211}
    assert sum(len(record.tools) for record in records) == 219
    for other in ("openai_chat", "together_chat", "mistral", "gemini", "bedrock_converse", "trl_messages", "sharegpt"):
        assert not any(map(FORMATS[other].losses, records))


@pytest.mark.shared_data
def test_drone_tools_lose_only_parallel_tool_calls_outside_openai(shared_data: Path) -> None:
    name, records = read_all(lines(shared_data / "sets/15_cookbook_drone_tools/drone_training.jsonl"))
    assert (name, len(records)) == ("openai_chat", 103)
    assert not any(map(FORMATS["openai_chat"].losses, records))
    lost = {loss.code for record in records for other in ("gemini", "together_chat", "trl_messages", "sharegpt")
            for loss in FORMATS[other].losses(record)}  # fmt: skip
    assert lost == {"parallel_tool_calls"}


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("f13_prompt_completion.jsonl", "bedrock_prompt"),
        ("f14_sharegpt.json", "sharegpt"),
        ("f15_alpaca.json", "alpaca"),
    ],
)
def test_files_of_other_formats_become_forty_records(shared_data: Path, file: str, name: str) -> None:
    path = shared_data / "sets/28_dirty_chat_jsonl" / file
    rows = json.loads(path.read_bytes()) if path.suffix == ".json" else lines(path)
    found, records = read_all(rows)
    assert (found, len(records)) == (name, 40)
    assert records[0].messages[-1]["content"].split()[0] == "transaction_charged_twice"
    assert not any(map(FORMATS["openai_chat"].losses, records))


@pytest.mark.shared_data
def test_functions_with_dots_in_their_names_are_predicted_to_be_refused(shared_data: Path) -> None:
    rows = lines(shared_data / "sets/13_bfcl_simple/BFCL_v4_parallel.jsonl")
    records = [
        Record(
            id=row["id"], messages=[*row["question"][0], {"role": "assistant", "content": "I cannot."}],
            tools=[{"type": "function", "function": function} for function in row["function"]],
        )
        for row in rows
    ]  # fmt: skip
    dotted = {
        number for number, row in enumerate(rows, start=1) if any("." in each["name"] for each in row["function"])
    }
    judge = FORMATS["openai_chat"].predict(records)
    assert dotted
    assert {each.line for each in judge if "is no function name" in each.message} == set(sorted(dotted)[:100])
    assert not any(map(FORMATS["gemini"].losses, records[:1]))
