"""JSON Lines and JSON documents: rows whatever they are wrapped in, and a reason for every line that is none."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engagements.phases.data_preparation.collecting.findings import FileUnreadable
from engagements.phases.data_preparation.collecting.reading import open_table
from engagements.phases.data_preparation.collecting.rows import FileFormat

ROWS = [{"text": f"Where is parcel {number}?", "label": "tracking" if number % 2 else "delay"} for number in range(12)]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(max_size=8).filter(lambda text: "\0" not in text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def lines(rows: list[Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def values(path: Path, **options: Any) -> list[Any]:
    return [row.value for row in open_table(path, **options)]


WRAPPED = {
    "lines": ("rows.jsonl", lines(ROWS)),
    "no last line end": ("rows.jsonl", lines(ROWS)[:-1]),
    "CRLF": ("rows.jsonl", lines(ROWS).replace(b"\n", b"\r\n")),
    "an array": ("rows.json", json.dumps(ROWS).encode()),
    "an array over many lines": ("rows.json", json.dumps(ROWS, indent=2).encode()),
    "an array named as lines": ("rows.jsonl", json.dumps(ROWS, indent=2).encode()),
    "objects over many lines": ("rows.jsonl", b"\n".join(json.dumps(row, indent=2).encode() for row in ROWS)),
    "lines named as a document": ("rows.json", lines(ROWS)),
    "in an object": ("rows.json", json.dumps({"version": "1.1", "data": ROWS, "by": "us"}).encode()),
    "columns": ("rows.json", json.dumps({key: [row[key] for row in ROWS] for key in ("text", "label")}).encode()),
    "with a mark": ("rows.json", b"\xef\xbb\xbf" + json.dumps(ROWS).encode()),
    "UTF-16": ("rows.json", json.dumps(ROWS).encode("utf-16")),
    "no name at all": ("rows", lines(ROWS)),
}


@pytest.mark.parametrize(("name", "content"), WRAPPED.values(), ids=WRAPPED)
def test_rows_are_found_in_whatever_they_are_wrapped(tmp_path, name, content) -> None:
    (tmp_path / name).write_bytes(content)
    table = open_table(tmp_path / name)
    assert [row.value for row in table] == ROWS
    assert {each.code for each in table.problems} <= {"row.bom_stripped"}
    assert list(table.columns) == ["text", "label"]


def test_lists_below_their_keys_say_where_they_stand(tmp_path) -> None:
    content = {"train": [["a", "x"], ["b", "y"]], "test": [["c", "x"]]}
    (tmp_path / "splits.json").write_text(json.dumps(content))
    assert values(tmp_path / "splits.json") == [
        {"part": "train", "column_1": "a", "column_2": "x"},
        {"part": "train", "column_1": "b", "column_2": "y"},
        {"part": "test", "column_1": "c", "column_2": "x"},
    ]


def test_lists_of_texts_that_are_no_columns_are_rows_of_their_key(tmp_path) -> None:
    (tmp_path / "kb.json").write_text(json.dumps({"refund": ["a", "b"], "delay": ["c"]}))
    assert [row["part"] for row in values(tmp_path / "kb.json")] == ["refund", "refund", "delay"]


def test_a_document_that_breaks_off_keeps_the_rows_before(read) -> None:
    read = read(json.dumps(ROWS).encode()[:-30], "rows.json")
    assert (read.account.kept, dict(read.account.dropped)) == (11, {"row.invalid_json": 1})


@pytest.mark.parametrize("rest", [b'{"a": 1}', b"]", b"nonsense"])
def test_what_follows_a_document_is_named(read, rest) -> None:
    found = read(json.dumps(ROWS).encode() + rest, "rows.json")
    assert (found.account.kept, dict(found.account.dropped)) == (12, {"row.invalid_json": 1})


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (b'{"text": "\xff", "label": "a"}', "row.malformed_utf8"),
        (b'{"text": "\\ud800", "label": "a"}', "row.bad_unicode"),
        (b'{"text": "a\\u0000b", "label": "a"}', "row.nul_char"),
        (b'{"text": "a", "label": NaN}', "row.invalid_json"),
        (b'{"text": "a", "label": 1e999}', "row.invalid_json"),
        (b'{"text": ' + b"[" * 70 + b"]" * 70 + b"}", "row.too_deep"),
        (b"7", "row.not_object"),
    ],
)
@pytest.mark.parametrize("form", ["lines", "array"])
def test_a_row_that_cannot_be_read_is_dropped_with_its_place_and_the_others_stay(read, row, code, form) -> None:
    good = [json.dumps({**each, "name": "Åse"}, ensure_ascii=False).encode() for each in ROWS]
    rows = [*good[:7], row, *good[7:]]
    content = b"\n".join(rows) if form == "lines" else b"[" + b",".join(rows) + b"]"
    found = read(content, "rows.jsonl" if form == "lines" else "rows.json")
    assert (found.account.kept, found.dropped) == (12, [(8, code)])


def test_a_key_that_is_written_twice_is_said_and_the_row_stays(read) -> None:
    found = read(lines(ROWS) + b'{"text": "a", "text": "b", "label": "delay"}\n', "rows.jsonl")
    assert (found.account.kept, dict(found.account.warnings)) == (13, {"row.duplicate_key": 1})


LONG = {
    "a line": ("long.jsonl", lines(ROWS) + b'{"text": "', lines(ROWS)),
    "a value": ("long.json", b'[{"text": "a", "label": "b"}, {"text": "', b""),
    "a cell": ("long.csv", b"text,label\na,b\n", b"\nc,d\n"),
    "a text": ("long.txt", b"a\n", b"\nb\n"),
}


@pytest.mark.parametrize(("name", "before", "after"), LONG.values(), ids=LONG)
def test_a_line_of_24_mb_is_refused_in_flat_memory(tmp_path, read_path, name, before, after) -> None:
    with (tmp_path / name).open("wb") as file:
        file.write(before)
        for _ in range(24):
            file.write(b"x" * 1_000_000)
        file.write(after)
    tracemalloc.start()
    read = read_path(tmp_path / name)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read.account.dropped["row.too_large"] == 1
    assert read.account.kept >= 1
    assert peak_bytes < 20_000_000


@pytest.mark.slow
def test_a_line_of_2_gb_is_refused_in_flat_memory(tmp_path, read_path) -> None:
    with (tmp_path / "long.jsonl").open("wb") as file:
        file.write(lines(ROWS) + b'{"text": "' + b"x" * 1_000_000)
        file.truncate(2_000_000_000)
        file.seek(0, 2)
        file.write(b"\n" + lines(ROWS))
    tracemalloc.start()
    read = read_path(tmp_path / "long.jsonl")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    (tmp_path / "long.jsonl").unlink()
    assert (read.account.kept, dict(read.account.dropped)) == (24, {"row.too_large": 1})
    assert peak_bytes < 40_000_000


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1), min_size=1, max_size=6),
    indent=st.sampled_from([None, 1]),
)
def test_an_array_and_lines_hold_the_same_rows(tmp_path, rows, indent) -> None:
    (tmp_path / "a.json").write_text(json.dumps(rows, indent=indent), "utf-8")
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert values(tmp_path / "a.json", format=FileFormat.JSON) == rows
    assert values(tmp_path / "a.jsonl", format=FileFormat.JSONL) == rows


@pytest.mark.parametrize(
    ("head", "said"),
    [(b"\x1f\x8b", "gzip"), (b"%PDF-1.7", "PDF"), (b"SQLite format 3\0", "SQLite"), (b"\x89PNG\r\n", "a picture"),
     (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"), (b"PK\x03\x04", "archive")],
)  # fmt: skip
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv", "rows.xlsx"])
def test_a_file_of_another_kind_is_refused_before_a_row_is_read(tmp_path, head, said, name) -> None:
    (tmp_path / name).write_bytes(head + bytes(100))
    with pytest.raises(FileUnreadable, match=said) as refused:
        open_table(tmp_path / name)
    assert {each.code for each in refused.value.problems} <= {"unsupported_media_type", "file_damaged"}
