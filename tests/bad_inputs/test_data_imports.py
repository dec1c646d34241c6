"""The rows of the list of bad inputs that speak of files on their way in, each with its answer by `data import`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

Sixfold = Callable[..., Any]
Build = Callable[[list[bytes]], bytes]

TURN = {"messages": [{"role": "user", "content": "And then?"}, {"role": "assistant", "content": "Nothing."}]}
SOUND = json.dumps(TURN).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A file made of twelve sound rows; line and reason of the row that is dropped, or the code it is refused with."""

    build: Build
    name: str = "raw.jsonl"
    dropped: tuple[int, str] | None = None
    refused: str = ""


def added(row: bytes, code: str) -> Sent:
    """A row after the seventh sound one."""
    return Sent(build=lambda rows: b"\n".join([*rows[:7], row, *rows[7:]]), dropped=(8, code))


def table(row: bytes, code: str) -> Sent:
    """A row on the seventh line of a table."""
    rows = [b"text,label\n", *(b"\xc3\x89t\xc3\xa9 %d,a\n" % each for each in range(12))]
    return Sent(build=lambda _: b"".join([*rows[:6], row, *rows[6:]]), name="raw.csv", dropped=(7, code))


def header(content: bytes, code: str) -> Sent:
    return Sent(build=lambda _: content, name="raw.csv", refused=code)


SENT = {
    "J01": Sent(build=lambda rows: b"", refused="dataset_empty"),
    "J02": Sent(build=lambda rows: b"\n" * 5, refused="dataset_empty"),
    "J04": added(SOUND.replace(b"Nothing", b"\xff"), "row.malformed_utf8"),
    "J05": Sent(build=lambda rows: b"\n".join(rows).decode().encode("utf-16-le"), refused="not_utf8"),
    "J06": Sent(build=lambda rows: b"\r\n".join([*rows, b""])),
    "J07": Sent(build=b"\r".join, refused="row.invalid_json"),
    "J08": Sent(build=b"\n".join),
    "J09": Sent(build=lambda rows: b"\n".join([*rows, b'{"messages":[{"role":"us']), dropped=(13, "row.invalid_json")),
    "J11 null": added(b"null", "row.not_object"),
    "J11 number": added(b"7", "row.not_object"),
    "J11 text": added(b'"x"', "row.not_object"),
    "J11 list": added(b"[]", "row.not_object"),
    "J12": added(SOUND + SOUND, "row.invalid_json"),
    "J13 trailing comma": added(SOUND[:-1] + b",}", "row.invalid_json"),
    "J13 single quotes": added(SOUND.replace(b'"', b"'"), "row.invalid_json"),
    "J13 comment": added(SOUND + b" // checked", "row.invalid_json"),
    "J14 NaN": added(SOUND[:-1] + b', "x": NaN}', "row.invalid_json"),
    "J14 Infinity": added(SOUND[:-1] + b', "x": Infinity}', "row.invalid_json"),
    "J14 1e999": added(SOUND[:-1] + b', "x": 1e999}', "row.invalid_json"),
    "J17": added(SOUND.replace(b"Nothing", b"a" * 50_000_000), "row.too_large"),
    "J18": added(SOUND.replace(b"Nothing", b"\\ud800"), "row.bad_unicode"),
    "J19": added(SOUND.replace(b"Nothing", b"\\u0000"), "row.nul_char"),
    "J20 missing": added(b'{"message": []}', "row.messages_missing"),
    "J20 no list": added(b'{"messages": 7}', "row.messages_missing"),
    "J20 empty": added(b'{"messages": []}', "row.messages_missing"),
    "J21": added(SOUND.replace(b'"user"', b'"robot"'), "row.unknown_role"),
    "J23 null": added(SOUND.replace(b'"Nothing."', b"null"), "row.bad_content"),
    "J23 number": added(SOUND.replace(b'"Nothing."', b"7"), "row.bad_content"),
    "J23 empty": added(SOUND.replace(b'"Nothing."', b'""'), "row.bad_content"),
    "J36": Sent(build=lambda rows: b"PK\x03\x04" + bytes(1_000), refused="unsupported_media_type"),
    "C01": header(b"text,label\n", "dataset_empty"),
    "C03": header(b"text,label,text\na,b,c\n", "csv.duplicate_column"),
    "C04": table(b'"open,a\n', "csv.unclosed_quote"),
    "C05": table(b"x" * 200_000 + b",a\n", "csv.cell_too_large"),
    "C07": table(b"one,more,cell\n", "csv.ragged_row"),
    "C08": header("text,label\nGrüße,a\n".encode("latin-1") * 3, "not_utf8"),
    "C10": header(b",".join(b"c%d" % each for each in range(100_000)) + b"\n", "csv.too_many_columns"),
}


@pytest.mark.parametrize("case", SENT.values(), ids=SENT)
def test_a_file_is_imported_without_the_row_or_refused_with_its_code(
    sixfold: Sixfold, tmp_path: Path, case: Sent
) -> None:
    rows = [json.dumps(TURN).replace("then?", f"then, for number {number}?").encode() for number in range(12)]
    (tmp_path / case.name).write_bytes(case.build(rows))
    answer = sixfold("data", "import", case.name, "-o", "records.jsonl", "--json")
    errors = [each for each in answer.json["problems"] if each["severity"] == "error"]
    assert all(each["message"] and each["remedy"] for each in errors)
    if case.refused:
        assert (answer.code, {each["code"] for each in errors}) == (2, {case.refused})
        assert [path.name for path in tmp_path.iterdir()] == [case.name]
        return
    assert (answer.code, answer.json["kept"]) == (0, 12), answer.out
    assert [(each["line"], each["code"]) for each in errors] == ([case.dropped] if case.dropped else [])
    assert answer.json["rows_in"] == 12 + len(errors)
    assert len((tmp_path / "records.jsonl").read_bytes().splitlines()) == 12


def test_c02_a_column_that_is_missing_is_named(sixfold: Sixfold, tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_bytes(b"text,label\na,b\n")
    answer = sixfold("data", "import", "raw.csv", "--input", "body", "-o", "records.jsonl", "--json")
    assert (answer.code, answer.places) == (2, [(None, "raw.csv: input", "csv.missing_column")])


def test_c11_a_formula_is_kept_as_it_stands(sixfold: Sixfold, tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text('text,label\n"=HYPERLINK(""http://x"",""y"")",a\n')
    assert sixfold("data", "import", "raw.csv", "-o", "records.jsonl").code == 0
    (row,) = map(json.loads, (tmp_path / "records.jsonl").read_bytes().splitlines())
    assert row["messages"][0]["content"] == '=HYPERLINK("http://x","y")'


def test_j10_an_array_of_rows_is_read_row_by_row(sixfold: Sixfold, tmp_path: Path) -> None:
    (tmp_path / "raw.jsonl").write_bytes(b"[" + b",\n".join([SOUND] * 12) + b"]")
    answer = sixfold("data", "import", "raw.jsonl", "-o", "records.jsonl", "--json")
    assert (answer.code, answer.json["kept"], answer.json["problems"]) == (0, 12, [])


@pytest.mark.shared_data
def test_the_answers_are_those_of_the_list(shared_data: Path) -> None:
    rows = map(json.loads, (shared_data / "bad_inputs/bad_inputs.jsonl").read_text("utf-8").splitlines())
    owed = {row["id"]: row["code"].partition("@")[0] for row in rows}
    for name, case in SENT.items():
        given = case.refused or (case.dropped[1] if case.dropped else "ok")
        assert given == owed[name.partition(" ")[0]], name
