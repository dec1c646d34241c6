"""CSV and TSV: the separator found, every row that is none named by its line, nothing swallowed."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engagements.phases.data_preparation.collecting.findings import FileUnreadable
from engagements.phases.data_preparation.collecting.reading import open_table

CELLS = st.text(alphabet='ab ,;"\n\r\té', max_size=6)


def table(rows: list[tuple[str, ...]], separator: str = ",", **options: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, **options).writerows(rows)
    return text.getvalue().encode()


ROWS = [
    ("text", "label"),
    *((f"Where is parcel, number {each}?", "tracking; delay"[: 8 + each % 2]) for each in range(20)),
]


@pytest.mark.shared_data
def test_the_csv_spectrum_is_read_as_its_json_says(shared_data) -> None:
    folder = shared_data / "sets/27_csv_spectrum"
    files = sorted((folder / "csvs").iterdir())
    assert len(files) == 12
    for path in files:
        rows = [row.value for row in open_table(path)]
        expected = json.loads((folder / f"json/{path.stem}.json").read_text("utf-8").replace("\\r\\n", "\\n"))
        if path.stem == "location_coordinates":  # The note's own answer is of another telephone.
            expected = [{**expected, "Contact Phone Number": rows[0]["Contact Phone Number"]}]
        assert rows == expected, path.name


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_the_separator_and_the_line_end_are_found(read, separator, line_end) -> None:
    found = read(table(ROWS, separator, lineterminator=line_end))
    assert [record.question for record in found.records] == [row[0] for row in ROWS[1:]]
    assert found.account.kept == 20


def test_the_hint_of_excel_names_the_separator(read) -> None:
    found = read(b"sep=;\r\ntext;label\r\na, b;x\r\nc;y\r\n")
    assert [(record.question, record.label, record.origin.row) for record in found.records] == [
        ("a, b", "x", 3),
        ("c", "y", 4),
    ]


def test_quotes_with_a_backslash_are_read_as_quotes(read) -> None:
    found = read(b'text,label\n"he said \\"no\\", twice",x\n"b",y\n')
    assert [record.question for record in found.records] == ['he said "no", twice', "b"]


def test_a_file_of_one_column_may_hold_commas(read) -> None:
    found = read(b"text\nWell, no\nYes, and again, yes\n")
    assert [record.question for record in found.records] == ["Well, no", "Yes, and again, yes"]
    assert "no_target_column" in found.codes


def test_a_row_is_numbered_by_its_first_line(read) -> None:
    found = read(b'text,label\n"two\nlines",x\nb,y\n')
    assert [record.origin.row for record in found.records] == [2, 4]


def test_empty_cells_behind_the_last_column_are_no_cells(read) -> None:
    assert read(b"text,label,,\na,x,,\nb,y,,\n").account.kept == 2


@pytest.mark.parametrize(
    ("bad", "dropped"),
    [
        (b"a,b,c\n", [(4, "csv.ragged_row")]),
        (b"a\n", [(4, "csv.ragged_row")]),
        (b'"a,b\n', [(4, "csv.unclosed_quote")]),
        (b'"a" b,c\n', [(4, "csv.unclosed_quote")]),
        (b"x" * 200_000 + b",y\n", [(4, "csv.cell_too_large")]),
        (b"a\xff,y\n", [(4, "row.malformed_utf8")]),
        (b"a\0,y\n", [(4, "row.nul_char")]),
        (b" ,y\n", [(4, "row.bad_content")]),
        (b"a,\n", [(4, "row.no_assistant_target")]),
    ],
)
def test_a_row_that_is_none_is_dropped_by_its_line_and_the_rows_around_it_stay(read, bad, dropped) -> None:
    around = [f"é {number},label {number % 2}\n".encode() for number in range(6)]
    found = read(b"text,label\n" + b"".join(around[:2]) + bad + b"".join(around[2:]))
    assert (found.dropped, found.account.kept) == (dropped, 6)


def test_an_open_quote_at_the_beginning_swallows_neither_row_nor_time(read) -> None:
    rows = b"".join(b'"open %d,x\n' % number for number in range(200)) + b"closed,y\n" * 50
    found = read(b"text,label\n" + rows)
    assert (found.account.kept, dict(found.account.dropped)) == (50, {"csv.unclosed_quote": 200})


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (b"a,b,a,b\n1,2,3,4\n", ["csv.duplicate_column", "csv.duplicate_column"]),
        (b",".join(b"c%d" % each for each in range(100_000)) + b"\n", ["csv.too_many_columns"]),
        (b'"a,b\n1,2\n', ["csv.unclosed_quote"]),
    ],
)
def test_a_header_that_is_none_is_refused(read, content, codes) -> None:
    with pytest.raises(FileUnreadable) as refused:
        read(content)
    assert [each.code for each in refused.value.problems] == codes


@pytest.mark.parametrize("content", [b"", b"\n\n", b"text,label\n", b"\xef\xbb\xbf"])
def test_a_table_without_rows_is_empty(read, content) -> None:
    found = read(content)
    assert (found.account.rows_in, found.codes[0]) == (0, "dataset_empty")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8))
@example(rows=[("", "", "")])
def test_every_cell_comes_out_as_it_was_written(tmp_path, rows) -> None:
    (tmp_path / "t.csv").write_bytes(table([("one", "two", "three"), *rows]))
    found = [tuple(row.value.values()) for row in open_table(tmp_path / "t.csv")]
    assert found == [row for row in rows if any(row)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.lists(st.binary(max_size=30), max_size=20), separator=st.sampled_from([b",", b'"', b"\n", b'",', b"\0"]))
def test_whatever_a_file_holds_every_row_is_kept_or_dropped(read, junk, separator) -> None:
    content = b"text,label\n" + b"\xc3\xa9,x\n" + separator.join(junk)
    account = read(content, encoding="utf-8").account
    assert account.rows_in == account.kept + sum(account.dropped.values())
