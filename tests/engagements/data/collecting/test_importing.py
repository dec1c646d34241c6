"""Records of a file, and the account of its rows."""

import csv
import io
import json
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engagements.phases.data_preparation.collecting.examples import Ids
from engagements.phases.data_preparation.collecting.mapping import ColumnMapping
from engagements.phases.data_preparation.records import Origin, Provenance, Task, record_of

TABLE = b"id,text,label,customer,note\n1,Where is it?,tracking,C7,first\n2,It broke,damage,C8,\n"


def test_a_row_becomes_a_record_with_its_origin_and_its_other_columns(read) -> None:
    origin = Origin(kind=Provenance.HISTORICAL, source="tickets.csv", licence="client", author="support")
    record = read(TABLE, origin=origin).records[0]
    assert record.as_json() == {
        "id": "1", "label": "tracking", "group": "C7", "meta": {"note": "first"},
        "messages": [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "tracking"}],
        "origin": {"kind": "historical", "source": "tickets.csv", "row": 2, "licence": "client", "author": "support"},
    }  # fmt: skip


def test_columns_of_author_licence_weight_and_system_have_their_place(read) -> None:
    mapping = ColumnMapping(
        input=("q",), target="a", author="who", licence="right", weight="w", system="s", system_prompt="Be kind.",
        task=Task.GENERATION,
    )  # fmt: skip
    found = read(b"q,a,who,right,w,s\nx,y,Jo,CC0,0.5,Be brief.\nx2,y2,,,,\n", mapping=mapping).records
    assert [(record.origin.author, record.origin.licence, record.weight) for record in found] == [
        ("Jo", "CC0", 0.5), ("", "", 1.0),
    ]  # fmt: skip
    assert [record.messages[0]["content"] for record in found] == ["Be brief.", "Be kind."]
    assert all(record.meta == {} for record in found)


def test_an_id_that_was_there_before_gets_a_number_and_nothing_is_lost(read) -> None:
    found = read(b"id,text,label\n7,a,x\n7,b,y\n7-2,c,z\n,d,x\n", mapping=ColumnMapping(id="id", input=("text",)))
    assert [record.id for record in found.records[:3]] == ["7", "7-2", "7-2-2"]
    assert dict(found.account.warnings)["row.duplicate_id"] == 2


def test_ids_are_told_apart_over_several_files(read) -> None:
    ids = Ids()
    assert [record.id for record in read(TABLE, ids=ids).records] == ["1", "2"]
    assert [record.id for record in read(TABLE, ids=ids).records] == ["1-2", "2-2"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.permutations([("a", "x"), ("b", "y"), ("c", "x"), ("a", "x")]), more=st.booleans())
def test_ids_without_a_column_stay_when_rows_are_moved_or_added(read, rows, more) -> None:
    before = {record.question: record.id for record in read(b"text,label\na,x\nb,y\nc,x\n").records}
    table = "".join(f"{text},{label}\n" for text, label in [*rows, *([("new", "y")] if more else [])])
    after = {record.id: record.question for record in read(f"text,label\n{table}".encode()).records}
    assert all(after[name] == text for text, name in before.items())


def test_the_task_says_what_an_answer_of_a_chat_stands_for(read) -> None:
    chat = [
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": answer}]}
        for answer in ("greeting", '{"a": 1}')
    ]
    rows = b"".join(orjson.dumps(row) + b"\n" for row in chat)
    assert [record.label for record in read(rows, "a.jsonl", task=Task.CLASSIFICATION).records] == [
        "greeting",
        '{"a": 1}',
    ]
    assert [record.target for record in read(rows, "a.jsonl", task=Task.EXTRACTION).records] == [None, {"a": 1}]
    assert [record.label for record in read(rows, "a.jsonl").records] == [None, None]


def test_a_prompt_for_all_stands_before_conversations_that_have_none(read) -> None:
    rows = b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}\n'
    (record,) = read(rows, "a.jsonl", mapping=ColumnMapping(shape="openai_chat", system_prompt="Be kind.")).records
    assert [message["role"] for message in record.messages] == ["system", "user", "assistant"]


def test_chat_rows_that_could_be_written_nowhere_are_dropped_with_their_reason(read) -> None:
    said = {"role": "user", "content": "Hi"}
    answer = {"role": "assistant", "content": "Hello"}
    rows: list[Any] = [{"messages": [said, answer]}] * 8
    rows += [{"messages": []}, {"messages": [said, "Hello"]}, {"messages": [said, {"role": "robot", "content": "x"}]}]
    rows += [{"messages": [said, {"role": "assistant", "content": 7}]}, {"messages": [said, answer], "tools": ["x"]}]
    found = read("\n".join(map(json.dumps, rows)).encode(), "a.jsonl")
    assert found.dropped == [
        (9, "row.messages_missing"), (10, "row.bad_message"), (11, "row.unknown_role"), (12, "row.bad_content"),
        (13, "row.bad_tools"),
    ]  # fmt: skip
    assert all(record.as_line() for record in found.records)


def test_records_that_were_written_are_read_again_as_they_were(read) -> None:
    first = read(TABLE)
    again = read(b"".join(record.as_line() for record in first.records), "records.jsonl")
    assert [record.as_json() for record in again.records] == [record.as_json() for record in first.records]


CELL = st.text(alphabet="ab \té\"',;=\u200b\u2028\U0001f600", max_size=5)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELL, min_size=1, max_size=5), max_size=12))
def test_of_every_row_it_is_known_what_became_of_it_and_no_cell_is_lost(read, rows) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([("text", "label", "note"), *rows])
    mapping = ColumnMapping(input=("text",), target="label", task=Task.GENERATION)
    found = read(text.getvalue().encode(), mapping=mapping)
    filled = [row for row in rows if any(row)]
    assert found.account.rows_in == len(filled)
    whole = [(row[0], row[1], row[2]) for row in filled if len(row) >= 3 and not any(row[3:])]
    kept = [row for row in whole if row[0].strip() and row[1].strip()]
    again = [record_of(orjson.loads(record.as_line())) for record in found.records]
    assert [(record.question, record.answer, record.meta["note"]) for record in again] == kept


def test_progress_is_told_in_bytes_up_to_the_end(read) -> None:
    told: list[tuple[int, int]] = []
    read(TABLE * 1, on_progress=lambda done, whole: told.append((done, whole)))
    assert told[-1] == (len(TABLE), len(TABLE))
