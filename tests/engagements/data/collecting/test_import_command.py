"""`sixfold data import`: files in, records out, or nothing at all."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from engagements.phases.data_preparation.records import record_of

TABLE = "text,category\n" + "".join(
    f"Where is parcel {each}?,{('tracking', 'delay')[each % 2]}\n" for each in range(12)
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "tickets.csv").write_text(TABLE)
    return tmp_path / "tickets.csv"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_become_records_of_one_set(sixfold, table, tmp_path) -> None:
    chat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    (tmp_path / "chat.jsonl").write_bytes(orjson.dumps({"messages": chat}) + b"\nbroken\n")
    words = ("--kind", "historical", "--licence", "client", "--author", "support")
    answer = sixfold("data", "import", "tickets.csv", "chat.jsonl", *words, "-o", "records.jsonl", "--json")
    assert answer.code == 0, answer.err
    assert (answer.json["rows_in"], answer.json["kept"], answer.json["dropped"]) == (14, 13, {"row.invalid_json": 1})
    first, second = answer.json["files"]
    assert first["mapping"] == {"input": ["text"], "target": "category", "task": "classification"}
    assert (second["mapping"], second["dropped"]) == ({"shape": "openai_chat"}, {"row.invalid_json": 1})
    assert [(each["line"], each["where"], each["code"]) for each in answer.json["problems"]] == [
        (2, "chat.jsonl", "row.invalid_json")
    ]
    records = [record_of(orjson.loads(line)) for line in (tmp_path / "records.jsonl").read_bytes().splitlines()]
    assert len(records) == 13
    assert {(each.origin.kind, each.origin.licence, each.origin.author) for each in records} == {
        ("historical", "client", "support")
    }
    assert names(tmp_path) == ["chat.jsonl", "records.jsonl", "tickets.csv"]


def test_a_person_is_told_what_was_kept_and_what_was_dropped(sixfold, table) -> None:
    table.write_text(TABLE + "too,many,cells\n")
    answer = sixfold("data", "import", "tickets.csv", "-o", "records.jsonl")
    assert answer.code == 0
    assert "classification: text -> category" in answer.out
    assert "1  csv.ragged_row" in answer.out
    assert "line 14" in answer.err


def test_a_preview_writes_nothing(sixfold, table, tmp_path) -> None:
    answer = sixfold("data", "import", "tickets.csv", "--preview", "--json")
    (shown,) = answer.json["files"]
    assert (answer.code, len(shown["rows"]), shown["columns"]) == (0, 12, ["text", "category"])
    assert shown["rows"][0]["records"][0]["label"] == "tracking"
    assert "Where is parcel 3?" in sixfold("data", "import", "tickets.csv", "--preview").out
    assert names(tmp_path) == ["tickets.csv"]


def test_columns_are_named_at_the_terminal_or_in_a_mapping(sixfold, table, tmp_path) -> None:
    words = ("--input", "category", "--target", "text", "--task", "generation", "--system-prompt", "Be kind.")
    assert sixfold("data", "import", "tickets.csv", *words, "-o", "a.jsonl").code == 0
    mapping = {
        "input": "category",
        "target": "text",
        "group": "category",
        "task": "generation",
        "system_prompt": "Be kind.",
    }
    (tmp_path / "mapping.json").write_text(json.dumps(mapping))
    assert sixfold("data", "import", "tickets.csv", "--mapping", "mapping.json", "-o", "b.jsonl").code == 0
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    first = orjson.loads((tmp_path / "a.jsonl").read_bytes().splitlines()[0])
    assert [message["role"] for message in first["messages"]] == ["system", "user", "assistant"]


def test_everything_that_is_wrong_with_all_files_is_said_and_nothing_is_written(sixfold, table, tmp_path) -> None:
    (tmp_path / "records.jsonl").write_text("as it was")
    (tmp_path / "latin.csv").write_bytes("text,category\nGrüße,a\n".encode("latin-1"))
    (tmp_path / "empty.csv").write_bytes(b"text,category\n")
    (tmp_path / "packed.csv").write_bytes(b"\x1f\x8b" + bytes(10))
    files = ("tickets.csv", "latin.csv", "empty.csv", "packed.csv")
    answer = sixfold("data", "import", *files, "-o", "records.jsonl", "--json")
    assert (answer.code, answer.json["error"]) == (2, "import_refused")
    assert [(where, code) for _, where, code in answer.places if code != "no_target_column"] == [
        ("latin.csv", "not_utf8"), ("empty.csv", "dataset_empty"), ("packed.csv", "unsupported_media_type"),
    ]  # fmt: skip
    assert (tmp_path / "records.jsonl").read_text() == "as it was"
    assert names(tmp_path) == sorted([*files, "records.jsonl"])


def test_files_that_are_not_there_are_all_named(sixfold, tmp_path) -> None:
    answer = sixfold("data", "import", "a.csv", "b.csv", "-o", "records.jsonl", "--json")
    assert (answer.code, [where for _, where, _ in answer.places]) == (2, ["a.csv", "b.csv"])
    assert names(tmp_path) == []


@pytest.mark.parametrize("words", [(), ("--preview", "-o", "records.jsonl")])
def test_either_a_file_or_a_preview_is_asked_for(sixfold, table, words) -> None:
    assert sixfold("data", "import", "tickets.csv", *words).code == 2


def test_records_are_not_written_over_what_is_read(sixfold, table) -> None:
    assert sixfold("data", "import", "tickets.csv", "-o", "tickets.csv", "--json").json["error"] == "file_unwritable"
    assert table.read_text() == TABLE


def test_rows_of_a_query_become_records(sixfold, tmp_path) -> None:
    import sqlite3  # noqa: PLC0415  # of this test alone

    with sqlite3.connect(tmp_path / "helpdesk.db") as connection:
        connection.execute("create table ticket (body text, queue text)")
        connection.executemany(
            "insert into ticket values (?, ?)", [(f"Question {each}", "ab"[each % 2]) for each in range(8)]
        )
    connection.close()
    words = ("--query", "select body, queue from ticket order by body", "--task", "classification")
    answer = sixfold("data", "import", "sqlite:///helpdesk.db", *words, "-o", "records.jsonl", "--json")
    assert (answer.code, answer.json["kept"]) == (0, 8), answer.out


def test_an_interrupted_import_leaves_nothing(tmp_path) -> None:
    row = b"Where is the parcel that I ordered weeks ago?,tracking\n"
    (tmp_path / "tickets.csv").write_bytes(b"text,category\n" + row * 1_000_000)
    command = [sys.executable, "-m", "engagements", "data", "import", "tickets.csv", "-o", "records.jsonl"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE)
    while not any(name.endswith(".partial") for name in names(tmp_path)) and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert names(tmp_path) == ["tickets.csv"]
