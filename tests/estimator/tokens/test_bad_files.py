"""What the answers to bad files owe, by the labels of the list of bad inputs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from estimator.tokens import DatasetCount, count_dataset

Row = dict[str, Any]
SoundRow = Callable[..., Row]
WriteFile = Callable[..., Path]


def count(path: Path) -> DatasetCount:
    return count_dataset(path, model="gpt-4o-mini-2024-07-18")


def places(counted: DatasetCount) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.code) for problem in counted.problems]


SOUND = json.dumps(
    {"messages": [{"role": "user", "content": "And then?"}, {"role": "assistant", "content": "Nothing."}]}
).encode()

# A row that is added to twelve sound ones, and the code it must get; labels are those of the list of bad inputs.
BAD_ROWS = {
    "J09 cut off": (b'{"messages":[{"role":"us', "row.invalid_json"),
    "J11 null": (b"null", "row.not_object"),
    "J11 number": (b"7", "row.not_object"),
    "J11 text": (b'"x"', "row.not_object"),
    "J11 list": (b"[]", "row.not_object"),
    "J12 two objects": (SOUND + SOUND, "row.invalid_json"),
    "J13 trailing comma": (SOUND[:-1] + b",}", "row.invalid_json"),
    "J13 single quotes": (SOUND.replace(b'"', b"'"), "row.invalid_json"),
    "J13 comment": (SOUND + b" // checked", "row.invalid_json"),
    "J14 NaN": (SOUND[:-1] + b',"x":NaN}', "row.invalid_json"),
    "J14 Infinity": (SOUND[:-1] + b',"x":Infinity}', "row.invalid_json"),
    "J14 1e999": (SOUND[:-1] + b',"x":1e999}', "row.invalid_json"),
    "J18 lone surrogate": (SOUND.replace(b"?", b"\\ud800"), "row.bad_unicode"),
    "J19 NUL": (SOUND.replace(b"?", b"\\u0000"), "row.nul_char"),
    "J20 messages missing": (b"{}", "row.messages_missing"),
    "J20 messages no list": (b'{"messages":7}', "row.messages_missing"),
    "J20 messages empty": (b'{"messages":[]}', "row.messages_missing"),
    "J21 role robot": (SOUND.replace(b'"user"', b'"robot"'), "row.unknown_role"),
    "J23 content null": (SOUND.replace(b'"Nothing."', b"null"), "row.bad_content"),
    "J23 content 7": (SOUND.replace(b'"Nothing."', b"7"), "row.bad_content"),
    "J23 content empty": (SOUND.replace(b'"Nothing."', b'""'), "row.bad_content"),
    "J27 completion": (b'{"prompt":"a","completion":"b"}', "row.mixed_format"),
    "J27 preference": (b'{"input":{},"preferred_output":[],"non_preferred_output":[]}', "row.mixed_format"),
    "J28 key label": (SOUND[:-1] + b',"label":"x"}', "row.unknown_key"),
    "J32 too long": (SOUND.replace(b"Nothing.", b"and so on " * 30_000 + b"."), "row.too_many_tokens"),
    "J33 key": (SOUND.replace(b"?", b" sk-live-4eC39HqLyjWDarjtT1zdp7dc"), "row.sensitive"),
    "J33 IBAN": (SOUND.replace(b"?", b" DE89370400440532013000"), "row.sensitive"),
    "J33 e-mail": (SOUND.replace(b"?", b" jo@example.com"), "row.sensitive"),
}


def twelve_rows(sound_row: SoundRow) -> list[bytes]:
    return [json.dumps(sound_row(f"Question number {number}?")).encode() for number in range(12)]


@pytest.mark.parametrize(("row", "code"), BAD_ROWS.values(), ids=BAD_ROWS.keys())
@pytest.mark.parametrize("line", [1, 7, 13])
def test_a_bad_row_is_named_by_its_line(
    write_file: WriteFile, sound_row: SoundRow, row: bytes, code: str, line: int
) -> None:
    rows = twelve_rows(sound_row)
    counted = count(write_file(b"\n".join([*rows[: line - 1], row, *rows[line - 1 :]])))
    assert places(counted) == [(line, code)]
    assert counted.rows == 13


# What a whole file is, how it is made from twelve sound rows, and what must be said of it.
BAD_FILES: dict[str, tuple[Callable[[list[bytes]], bytes], list[tuple[int | None, str]]]] = {
    "J01 empty": (lambda rows: b"", [(None, "dataset_empty")]),
    "J02 blank lines": (lambda rows: b"\n \n\n\t\n\n", [(None, "dataset_empty")]),
    "J04 byte FF": (lambda rows: b"\n".join(rows).replace(b"r 2?", b"r 2\xff"), [(3, "row.malformed_utf8")]),
    "J05 UTF-16": (lambda rows: b"\n".join(rows).decode().encode("utf-16"), [(None, "not_utf8")]),
    "J07 lone CR": (b"\r".join, [(1, "row.invalid_json")]),
    "J10 array": (lambda rows: b"[" + b",".join(rows) + b"]", [(1, "not_jsonl")]),
    "J29 copy of line 12": (lambda rows: b"\n".join([*rows, rows[11]]), [(13, "row.duplicate_of")]),
    "J36 zip": (lambda rows: b"PK\x03\x04" + bytes(1_000), [(None, "unsupported_media_type")]),
    "BOM at the start": (lambda rows: b"\xef\xbb\xbf" + b"\n".join(rows), [(1, "row.bom_stripped")]),
    "J06 CRLF": (lambda rows: b"\r\n".join([*rows, b""]), []),
    "J08 no newline at the end": (b"\n".join, []),
    "blank lines at the end": (lambda rows: b"\n".join([*rows, b"", b""]), []),
}


@pytest.mark.parametrize(("build", "found"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_file_is_answered_with_its_code(
    write_file: WriteFile,
    sound_row: SoundRow,
    build: Callable[[list[bytes]], bytes],
    found: list[tuple[int | None, str]],
) -> None:
    assert places(count(write_file(build(twelve_rows(sound_row))))) == found


def test_a_copy_names_the_line_of_its_original(write_file: WriteFile, sound_row: SoundRow) -> None:
    rows = twelve_rows(sound_row)
    (problem,) = count(write_file(b"\n".join([*rows, rows[11]]))).problems
    assert problem.message == "the same example as line 12"


def test_a_line_of_50_mb_is_refused_and_the_rest_is_counted(write_file: WriteFile, sound_row: SoundRow) -> None:
    rows = twelve_rows(sound_row)
    huge = rows[0].replace(b"?", b"a" * 50_000_000)
    counted = count(write_file(b"\n".join([*rows[:6], huge, *rows[6:]])))
    assert places(counted) == [(7, "row.too_large")]
    assert (counted.rows, counted.examples) == (13, 12)
