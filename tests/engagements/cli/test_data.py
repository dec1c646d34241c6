"""`sixfold data`: what a person reads on the terminal, and what is refused with a place and a remedy."""

import json
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from engagements.phases.data_preparation.records import Record

Sixfold = Callable[..., Any]
WORDS = ["meter", "parcel", "window", "garden", "silver", "engine", "ladder", "pepper", "signal", "basket"]


def records(path: Path, count: int = 40) -> Path:
    """Records that share no more than a word, of two labels."""
    path.write_bytes(b"".join(record(number).as_line() for number in range(count)))
    return path


def record(number: int) -> Record:
    text, label = " ".join(f"{word}{number * (at + 7)}" for at, word in enumerate(WORDS)), f"label {number % 2}"
    said = ({"role": "user", "content": text}, {"role": "assistant", "content": label})
    return Record(id=f"row-{number}", messages=said, label=label)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "tickets.csv"
    path.write_text("text,label\nwhere is it,parcel\nit is broken,repair\n", "utf-8")
    return path


@pytest.mark.parametrize(
    "words",
    [
        ("split", "tickets.csv", "-o", "out"), ("export", "tickets.csv", "--format", "openai_chat", "-o", "out"),
        ("review", "tickets.csv", "--hand-out", "out", "--reviewers", "ana,bo"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("table")
def test_a_table_where_records_are_asked_for_is_refused_once(
    sixfold: Sixfold, tmp_path: Path, words: tuple[str, ...]
) -> None:
    answer = sixfold("data", *words, "--json")
    assert answer.code == 2
    (problem,) = answer.json["problems"]
    assert problem["code"] == "not_jsonl"
    assert "sixfold data import" in problem["remedy"]
    assert not (tmp_path / "out").exists()


def test_lines_of_another_kind_are_said_to_lack_what_they_lack(sixfold: Sixfold, tmp_path: Path) -> None:
    (tmp_path / "chat.jsonl").write_text('{"messages": []}\n' * 3, "utf-8")
    answer = sixfold("data", "split", "chat.jsonl", "-o", "out")
    assert answer.code == 2
    assert "3 lines: 1, 2, 3" in answer.err
    assert "'id' is missing" in answer.err


@pytest.mark.parametrize(
    "words",
    [
        ("prepare", "tickets.csv", "-o", "file/out"), ("split", "records.jsonl", "-o", "file/out"),
        ("review", "records.jsonl", "--hand-out", "file/out", "--reviewers", "ana,bo"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("table")
def test_a_folder_that_cannot_be_made_is_bad_input(sixfold: Sixfold, tmp_path: Path, words: tuple[str, ...]) -> None:
    records(tmp_path / "records.jsonl")
    (tmp_path / "file").write_bytes(b"mine")
    answer = sixfold("data", *words, "--json")
    assert (answer.code, answer.json["error"]) == (2, "file_unwritable")
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_a_refusal_leaves_no_folder_and_none_above_it(sixfold: Sixfold, tmp_path: Path) -> None:
    assert sixfold("data", "prepare", "gone.csv", "-o", "a/b/c").code == 2
    assert not (tmp_path / "a").exists()


def test_a_target_in_the_way_is_told_before_the_work_begins(sixfold: Sixfold, table: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "card.html").mkdir(parents=True)
    table.unlink()  # would be missed first if anything were read
    answer = sixfold("data", "prepare", table, "-o", "out", "--json")
    assert [problem["where"] for problem in answer.json["problems"]] == ["out/card.html"]


def test_an_encoding_that_is_named_is_taken(sixfold: Sixfold, tmp_path: Path) -> None:
    lines = "".join(f"Straße {number} {WORDS[number % 10]},Gebühr {number % 2}\n" for number in range(30))
    (tmp_path / "tickets.csv").write_bytes(f"text,label\n{lines}".encode("cp1252"))
    refused = sixfold("data", "prepare", "tickets.csv", "-o", "out", "--json")
    taken = sixfold("data", "prepare", "tickets.csv", "-o", "out", "--encoding", "cp1252", "--json")
    assert (refused.code, taken.code) == (2, 0)
    assert taken.json["policy"]["encoding"] == "cp1252"
    assert set(taken.json["splits"]["train"]["labels"]) == {"Gebühr 0", "Gebühr 1"}
    assert sixfold("data", "check", "tickets.csv", "--encoding", "cp1252", "--json").json["records"] == 30


def test_texts_without_an_answer_are_refused_with_what_to_name(sixfold: Sixfold, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("".join(f"note {number}\n" for number in range(5)), "utf-8")
    answer = sixfold("data", "prepare", "notes.txt", "-o", "out", "--json")
    first = answer.json["problems"][0]
    assert (first["code"], first["message"]) == ("nothing_to_prepare", "none of 5 rows can be used")
    assert "name the columns" in first["remedy"]


def test_of_many_problems_of_a_code_the_first_are_shown_and_all_counted(sixfold: Sixfold, tmp_path: Path) -> None:
    rows = [{"messages": [{"role": f"role{number}", "content": "x"}]} for number in range(30)]
    sound = [row for row in records(tmp_path / "r.jsonl", 12).read_text("utf-8").splitlines() if row]
    (tmp_path / "r.jsonl").write_text("\n".join([*map(json.dumps, rows), *sound]) + "\n", "utf-8")
    answer = sixfold("data", "prepare", "r.jsonl", "-o", "out")
    assert answer.code == 0
    assert answer.err.count("has the role 'role") == 4
    assert "and 26 more like it" in " ".join(answer.err.split())
    assert "30 to mend" in answer.err
    assert "30  row.unknown_role" in answer.out


def test_a_long_path_is_shown_whole(sixfold: Sixfold, tmp_path: Path) -> None:
    name = "a-file-with-a-name-that-is-longer-than-a-column-of-a-table-has-room-for.csv"
    (tmp_path / name).write_bytes(b"")
    answer = sixfold("data", "import", name, "-o", name)
    assert "…" not in answer.err
    assert all(part in answer.err for part in ("a-file-with-a-name", "has-room-for.csv"))


def test_a_split_describes_itself_until_its_files_are_others(sixfold: Sixfold, tmp_path: Path) -> None:
    assert sixfold("data", "split", records(tmp_path / "records.jsonl"), "--seed", "5", "-o", "out").code == 0
    assert said(sixfold)["Are there recommended splits?"].endswith("76/12/12 per cent. Seed 5.")
    assert said(sixfold)["Does a test example stand in training, or nearly?"].startswith("0 exact")
    with (tmp_path / "out" / "train.jsonl").open("ab") as file:
        file.write(record(99).as_line())
    assert said(sixfold)["Are there recommended splits?"] is None


def said(sixfold: Sixfold) -> dict[str, Any]:
    sections = sixfold("data", "card", "out", "--json").json["sections"]
    return {each["question"]: each["answer"] for section in sections for each in section["answers"]}


def test_the_card_of_a_folder_says_what_its_page_says(sixfold: Sixfold, tmp_path: Path) -> None:
    records(tmp_path / "records.jsonl")
    assert sixfold("data", "prepare", "records.jsonl", "-o", "out", "--personal-data", "redact").code == 0
    page = unescape(sixfold("data", "card", "out", "--html").out)
    for question, answer in said(sixfold).items():
        assert question in page
        assert answer is None or answer in page
    assert "Proof that nothing leaked" in page


def test_redaction_reaches_what_came_along_in_other_columns(sixfold: Sixfold, tmp_path: Path) -> None:
    rows = [
        {**json.loads(record(number).as_line()), "meta": {"sent_by": f"jo{number}@example.com"}} for number in range(12)
    ]
    (tmp_path / "r.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    assert sixfold("data", "prepare", "r.jsonl", "-o", "out", "--personal-data", "redact").code == 0
    written = b"".join((tmp_path / "out" / f"{name}.jsonl").read_bytes() for name in ("train", "validation", "test"))
    assert written.count(b"sent_by") == 12
    assert b"@example.com" not in written
