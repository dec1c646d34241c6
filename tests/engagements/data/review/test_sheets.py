"""Review by sheets: what is handed out, what a spreadsheet makes of it, and what is collected."""

import csv
import io
import json
from collections.abc import Mapping

import openpyxl
import pytest

from engagements.phases.data_preparation.records import Record, record_of

FIVES = dict.fromkeys(("accuracy", "consistency", "completeness", "format", "edge_case"), "5")


def record(number: int, label: str = "billing") -> Record:
    messages = ({"role": "user", "content": f"=1+{number}, where is it?"}, {"role": "assistant", "content": label})
    return Record(id=f"row-{number}", messages=messages, label=label)


@pytest.fixture
def records(tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"".join(record(number).as_line() for number in range(6)))
    return path


@pytest.fixture
def sheets(sixfold, records, tmp_path):
    """Handed out to Ana and Bo, both of whom see everything."""
    folder = tmp_path / "sheets"
    answer = sixfold("data", "review", records, "--hand-out", folder, "--reviewers", "ana,bo", "--seed", 7)
    assert answer.code == 0, answer.err
    return folder


def fill(path, cells, *, separator: str = ",", encoding: str = "utf-8-sig") -> None:
    """Writes into each row what `cells` says of its id, as a spreadsheet saves it."""
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), delimiter=separator)
    writer.writeheader()
    writer.writerows(row | dict(cells(row["id"])) for row in rows)
    path.write_bytes(out.getvalue().encode(encoding))


def accepts(_: str) -> Mapping[str, str]:
    return FIVES | {"decision": "accept"}


def test_sheets_are_handed_out_so_that_no_cell_is_a_formula(sheets):
    rows = list(csv.DictReader(io.StringIO((sheets / "ana.csv").read_bytes().decode("utf-8-sig"))))
    assert sorted(row["id"] for row in rows) == [f"row-{number}" for number in range(6)]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    assert rows[0]["conversation"].startswith("user:\n=1+")
    assert {row["decision"] for row in rows} == {""}


def test_what_comes_back_from_other_spreadsheets_is_collected_and_edits_are_taken(sixfold, sheets, records, tmp_path):
    def of_bo(record_id):
        return accepts("") | ({"corrected_label": "refund"} if record_id == "row-2" else {})

    def of_ana(record_id):
        return accepts("") | {"row-2": {"corrected_label": "refund"}, "row-4": {"decision": "reject"}}.get(
            record_id, {}
        )

    fill(sheets / "ana.csv", of_ana, separator=";", encoding="cp1252")
    fill(sheets / "bo.csv", of_bo)
    book = openpyxl.Workbook()
    for row in csv.reader(io.StringIO((sheets / "bo.csv").read_bytes().decode("utf-8-sig"))):
        book.active.append([int(cell) if cell.isdigit() else cell for cell in row])
    (sheets / "bo.csv").unlink()
    book.save(sheets / "bo.xlsx")
    out = tmp_path / "accepted.jsonl"
    answer = sixfold("data", "review", records, "--collect", sheets, "-o", out, "--json")
    assert answer.code == 1, "one disagreement is left"
    found = answer.json
    assert (found["accepted"], found["rejected"], found["missing"]) == (5, [], {"ana": 0, "bo": 0})
    assert [(each["id"], each["why"]) for each in found["disputed"]] == [("row-4", "1 accept it, 1 rejects it")]
    assert [(each["about"], each["items"]) for each in found["measures"][:2]] == [("label", 6), ("decision", 6)]
    kept = [record_of(json.loads(line)) for line in out.read_text().splitlines()]
    assert [each.id for each in kept] == ["row-0", "row-1", "row-2", "row-3", "row-5"]
    assert (kept[2].label, kept[2].answer) == ("refund", "refund")


def test_bad_cells_are_named_all_at_once_and_nothing_is_written(sixfold, sheets, records, tmp_path):
    def of_ana(record_id):
        return {
            "row-0": {"accuracy": "6"}, "row-1": {"decision": "maybe"}, "row-2": {"format": ""},
            "row-3": {"sha256": "0" * 64}, "row-4": {"id": "row-99"},
        }.get(record_id, {})  # fmt: skip

    fill(sheets / "ana.csv", lambda record_id: accepts("") | of_ana(record_id))
    out = tmp_path / "accepted.jsonl"
    answer = sixfold("data", "review", records, "--collect", sheets, "-o", out, "--json")
    assert answer.code == 2
    assert sorted((where, code) for _, where, code in answer.places) == [
        ("ana.csv, accuracy", "score_out_of_range"),
        ("ana.csv, decision", "decision_unknown"),
        ("ana.csv, format", "score_out_of_range"),
        ("ana.csv, id", "id_unknown"),
        ("ana.csv, sha256", "content_changed"),
    ]
    assert all(line for line, _, _ in answer.places)
    assert not out.exists()


def test_rows_that_are_empty_still_are_missing_and_no_agreement(sixfold, sheets, records, tmp_path):
    fill(sheets / "ana.csv", accepts)
    answer = sixfold("data", "review", records, "--collect", sheets, "-o", tmp_path / "accepted.jsonl")
    assert answer.code == 1
    assert "bo has 6 rows left" in answer.out
    assert "unmeasured" in answer.out
    assert (tmp_path / "accepted.jsonl").read_bytes() == b""


def test_names_that_cannot_name_a_file_are_refused(sixfold, records, tmp_path):
    names = "ana,../bo,Ana"
    answer = sixfold(
        "data", "review", records, "--hand-out", tmp_path / "x", "--reviewers", names, "--overlap", 4, "--json"
    )
    assert answer.code == 2
    assert [code for _, _, code in answer.places] == ["name_invalid", "duplicate", "overlap_too_high"]
    assert not (tmp_path / "x").exists()
