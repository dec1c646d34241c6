"""Columns: found from their names and contents, or named; refused with everything that is wrong."""

from typing import Any

import pytest

from engagements.phases.data_preparation.collecting.findings import MappingInvalid
from engagements.phases.data_preparation.collecting.importing import preview
from engagements.phases.data_preparation.collecting.mapping import ColumnMapping, find_mapping
from engagements.phases.data_preparation.collecting.reading import open_table
from engagements.phases.data_preparation.records import Task

LABELS = ("refund", "delay", "damage")


def sample(**columns: Any) -> tuple[list[str], list[dict[str, Any]]]:
    """Twelve rows; a column is a text with the number of the row in it, or a choice of labels."""
    rows = [
        {
            name: value[number % len(value)] if isinstance(value, tuple) else f"{value} {number}"
            for name, value in columns.items()
        }
        for number in range(12)
    ]
    return list(columns), rows


LONG = "I ordered a lamp three weeks ago and nobody can tell me where the parcel is now"
# Columns, and what is found: input, target, id, group, task.
FOUND = {
    "plain": (sample(text=LONG, label=LABELS), ("text", "label", "", "", "classification")),
    "named by others": (sample(Utterance=LONG, Intent=LABELS), ("Utterance", "Intent", "", "", "classification")),
    "words in the names": (
        sample(ticket_id="T", customerId=("C1", "C2"), ticket_text=LONG, expert_label=LABELS),
        ("ticket_text", "expert_label", "ticket_id", "customerId", "classification"),
    ),
    "no telling names": (sample(column_1=LONG, column_2=LABELS), ("column_1", "column_2", "", "", "classification")),
    "an answer": (sample(question=LONG, answer=f"Dear customer, {LONG}"), ("question", "answer", "", "", "generation")),
    "an object": (
        sample(text=LONG, entities=([{"type": "item", "text": "lamp"}],)), ("text", "entities", "", "", "extraction"),
    ),
    "an object as text": (sample(text=LONG, output=('{"a": 1}',)), ("text", "output", "", "", "extraction")),
    "no target": (sample(text=LONG), ("text", "", "", "", "generation")),
    "many answers to one": (
        sample(mr=("name[Alimentum]", "name[Aromi]"), ref=LONG), ("mr", "ref", "", "mr", "generation"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("columns", "found"), FOUND.values(), ids=FOUND)
def test_columns_are_found(columns, found) -> None:
    mapping = find_mapping(*columns)
    assert (mapping.input[0], mapping.target, mapping.id, mapping.group, mapping.task) == found


def test_what_is_named_is_taken_and_the_rest_is_found() -> None:
    columns, rows = sample(subject="Parcel", body=LONG, queue=LABELS, reply=LONG, customer_id=("C1", "C2"))
    mapping = find_mapping(columns, rows, input=["subject", "body"], target="reply")
    assert (mapping.input, mapping.target, mapping.group) == (("subject", "body"), "reply", "customer_id")
    assert mapping.task is Task.GENERATION
    assert find_mapping(columns, rows, task=Task.CLASSIFICATION).target == "queue"
    assert find_mapping(columns, rows, task=Task.GENERATION).target == "reply"


def test_every_column_that_is_not_there_is_named_at_once() -> None:
    columns, rows = sample(text=LONG, label=LABELS)
    with pytest.raises(MappingInvalid) as refused:
        find_mapping(columns, rows, input="txt", target="category", group="customer", task=Task.TOOLS)
    found = [(each.code, each.where) for each in refused.value.problems]
    assert found == [
        ("csv.missing_column", "input"), ("csv.missing_column", "target"), ("csv.missing_column", "group"),
        ("mapping_invalid", "task"),
    ]  # fmt: skip
    assert "'text'" in refused.value.problems[0].message


def test_a_mapping_comes_back_from_json() -> None:
    mapping = ColumnMapping(input=("subject", "body"), target="reply", system_prompt="Be kind.", task=Task.GENERATION)
    assert ColumnMapping.from_json(mapping.to_json()) == mapping
    assert ColumnMapping.from_json({"input": "text"}).input == ("text",)


def test_what_is_no_mapping_is_refused_with_all_that_is_wrong() -> None:
    with pytest.raises(MappingInvalid) as refused:
        ColumnMapping.from_json({"inputs": "text", "task": "poetry", "target": 7, "input": [1]})
    assert [each.where for each in refused.value.problems] == ["inputs", "task", "target", "input"]


def test_a_preview_shows_records_and_what_would_be_dropped(tmp_path) -> None:
    (tmp_path / "t.csv").write_text("text,label,channel\nHello,a,mail\n,b,chat\nBye,c\n")
    table = open_table(tmp_path / "t.csv")
    rows = preview(table, ColumnMapping(input=("text",), target="label", task=Task.CLASSIFICATION), rows=3)
    assert [[record.label for record in row.records] for row in rows] == [["a"], [], []]
    assert [[each.code for each in row.problems] for row in rows] == [[], ["row.bad_content"], ["csv.ragged_row"]]
    assert rows[0].records[0].meta == {"channel": "mail"}


def test_a_mapping_of_columns_that_the_file_does_not_have_is_refused(read) -> None:
    with pytest.raises(MappingInvalid):
        read(b"text,label\na,b\n", mapping=ColumnMapping(input=("body",)))
    with pytest.raises(MappingInvalid):
        read(b"text,label\na,b\n", mapping=ColumnMapping(shape="poetry"))
