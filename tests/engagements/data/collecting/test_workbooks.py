"""Workbooks and Parquet: streamed, weighed before they are unpacked, formulas read as their results."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from engagements.phases.data_preparation.collecting.findings import FileUnreadable
from engagements.phases.data_preparation.collecting.reading import open_table

ROWS = [("text", "label"), ("Where is it?", "tracking"), ("It broke", "damage")]


def workbook(**sheets: list[Any]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    for name, rows in (sheets or {"Tickets": ROWS}).items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def edited(content: bytes, member: str, edit: Callable[[bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            after.writestr(name, edit(before.read(name)) if name == member else before.read(name))
    return out.getvalue()


def refused(tmp_path: Path, content: bytes, name: str = "raw.xlsx", **options: Any) -> list[str]:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileUnreadable) as error:
        open_table(tmp_path / name, **options)
    return [each.code for each in error.value.problems]


def test_rows_of_a_workbook_are_numbered_as_they_are_shown(read) -> None:
    found = read(workbook(Tickets=[(), *ROWS, (None, None), ("Hello", "greeting")]), "raw.xlsx")
    assert [(record.question, record.label, record.origin.row) for record in found.records] == [
        ("Where is it?", "tracking", 3), ("It broke", "damage", 4), ("Hello", "greeting", 6),
    ]  # fmt: skip


def test_dates_numbers_and_truth_values_come_out_as_json_has_them(read) -> None:
    row = ("a", "x", datetime(2026, 11, 23, 9, 0), date(2026, 11, 23), 3.0, 2.5, True, 7)  # noqa: DTZ001  # as cells are
    found = read(workbook(Tickets=[("text", "label", "at", "on", "n", "f", "ok", "count"), row]), "raw.xlsx")
    meta = found.records[0].meta
    assert (meta["at"], meta["on"][:10]) == ("2026-11-23T09:00:00", "2026-11-23")
    assert (meta["n"], meta["f"], meta["ok"], meta["count"]) == (3, 2.5, True, 7)


def test_a_formula_is_read_as_the_result_that_was_saved_with_it(read) -> None:
    content = workbook(Tickets=[("text", "label", "sum"), ("a", "x", "=1+2"), ("b", "y", "=2+3")])
    saved = edited(
        content,
        "xl/worksheets/sheet1.xml",
        lambda sheet: sheet.replace(b"<v />", b"<v>3</v>", 1).replace(b"<v></v>", b"<v>3</v>", 1),
    )
    found = read(saved, "raw.xlsx")
    assert [record.meta["sum"] for record in found.records] == [3, None]
    (problem,) = found.account.problems
    assert (problem.code, problem.line, problem.where) == ("row.formula_without_value", 3, "sum")
    assert "=2+3" in problem.message


def test_the_first_sheet_with_rows_is_read_and_the_others_are_named(read) -> None:
    content = workbook(Cover=[], Tickets=ROWS, Notes=[("a",), ("b",)])
    found = read(content, "raw.xlsx")
    assert found.account.kept == 2
    assert "'Notes'" in next(each.message for each in found.account.problems if each.code == "sheets_not_read")


def test_sheets_that_are_chosen_are_read_together_and_say_where_rows_stand(read, tmp_path) -> None:
    content = workbook(May=ROWS, June=ROWS[:2])
    found = read(content, "raw.xlsx", sheets=["May", "June"])
    assert [record.meta["part"] for record in found.records] == ["May", "May", "June"]
    assert refused(tmp_path, content, sheets=["May", "July"]) == ["sheet_unknown"]


@pytest.mark.parametrize(
    ("rows", "codes"),
    [
        ([("a", "a")], ["csv.duplicate_column"]),
        ([tuple(f"c{each}" for each in range(1_001))], ["csv.too_many_columns"]),
    ],
)
def test_a_header_that_is_none_is_refused(tmp_path, rows, codes) -> None:
    assert refused(tmp_path, workbook(Tickets=[*rows, ("x", "y")])) == codes


def test_a_cell_beyond_the_header_drops_its_row(read) -> None:
    found = read(workbook(Tickets=[*ROWS, ("a", "b", "c")]), "raw.xlsx")
    assert (found.account.kept, found.dropped) == (2, [(4, "csv.ragged_row")])


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path) -> None:
    bomb = edited(workbook(), "xl/worksheets/sheet1.xml", lambda sheet: sheet + b" " * 20_000_000)
    assert len(bomb) < 50_000
    assert refused(tmp_path, bomb) == ["file_too_large"]


def test_an_archive_that_declares_more_than_anybody_can_hold_is_refused(tmp_path) -> None:
    content = bytearray(workbook())
    for entry in re.finditer(b"PK\x01\x02", bytes(content)):
        # Compressed and inflated size in the directory of the archive.
        content[entry.start() + 20 : entry.start() + 28] = (0x30000000).to_bytes(4, "little") * 2
    assert "file_too_large" in refused(tmp_path, bytes(content))


@pytest.mark.parametrize("cut", [10, 200, 2000])
def test_a_workbook_that_was_cut_off_is_refused(tmp_path, cut) -> None:
    assert refused(tmp_path, workbook()[:-cut]) == ["file_damaged"]


def test_an_archive_that_is_no_workbook_is_refused(tmp_path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("rows.jsonl", '{"text": "a"}')
    assert refused(tmp_path, out.getvalue()) == ["unsupported_media_type"]
    assert refused(tmp_path, b"text,label\na,b\n") == ["unsupported_media_type"]


def test_parquet_is_read_with_its_types(read, tmp_path) -> None:
    table = pa.table({
        "text": ["Where is it?", None, "It broke"], "label": ["a", "b", "c"],
        "at": [datetime(2026, 11, 23, tzinfo=UTC)] * 3, "price": [Decimal("1.10")] * 3,
        "share": [0.5, float("nan"), 1.0], "raw": [b"ab", b"\xff", b""],
        "tags": [["x"], [], None], "who": [{"name": "Jo"}] * 3,
    })  # fmt: skip
    parquet.write_table(table, tmp_path / "t.parquet")
    found = read((tmp_path / "t.parquet").read_bytes(), "raw.parquet")
    assert (found.account.kept, found.dropped) == (2, [(2, "row.bad_content")])
    assert found.records[0].meta == {
        "at": "2026-11-23T00:00:00+00:00", "price": "1.10", "share": 0.5, "raw": "ab", "tags": ["x"],
        "who": {"name": "Jo"},
    }  # fmt: skip
    assert len(found.reading.table.sha256) == 64


def test_parquet_that_was_cut_off_is_refused(tmp_path) -> None:
    parquet.write_table(pa.table({"text": ["a"]}), tmp_path / "t.parquet")
    assert refused(tmp_path, (tmp_path / "t.parquet").read_bytes()[:-3], "raw.parquet") == ["file_damaged"]
