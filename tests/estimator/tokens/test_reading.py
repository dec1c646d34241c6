import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.errors import DatasetUnreadable
from estimator.tokens import reading
from estimator.tokens.reading import Source, rows

WriteFile = Callable[[bytes], Path]


def read(path: Path) -> tuple[list[tuple[int, bytes]], list[str]]:
    """Line numbers with what stands there (or the code of what is wrong), and the codes of the file."""
    source = Source(path)
    lines = [(line.number, line.problem.code.encode() if line.problem else line.content) for line in rows(source)]
    return lines, [problem.code for problem in source.problems]


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_the_last_line_counts_with_or_without_its_end(write_file: WriteFile, end: bytes) -> None:
    assert read(write_file(b'{"a":1}\n{"a":2}' + end)) == ([(1, b'{"a":1}'), (2, b'{"a":2}')], [])


def test_lines_that_span_chunks_stay_whole(write_file: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_CHUNK_BYTES", 7)
    lines = [json.dumps({"a": number}).encode() for number in range(50)]
    assert read(write_file(b"\n".join(lines))) == (list(enumerate(lines, start=1)), [])


def test_a_line_over_the_bound_is_named_and_the_next_is_read(
    write_file: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_CHUNK_BYTES", 16)
    monkeypatch.setattr(reading, "MAX_ROW_BYTES", 64)
    path = write_file(b'{"a":1}\n' + b"x" * 1_000 + b'\n{"a":2}\n' + b"y" * 1_000)
    assert read(path) == ([(1, b'{"a":1}'), (2, b"row.too_large"), (3, b'{"a":2}'), (4, b"row.too_large")], [])


def test_the_digest_and_the_progress_cover_the_whole_file(write_file: WriteFile) -> None:
    content = b'{"a":1}\n' * 300_000
    path, progress = write_file(content), list[tuple[int, int]]()
    source = Source(path, lambda done, total: progress.append((done, total)))
    assert sum(1 for _ in rows(source)) == 300_000
    assert source.sha256 == hashlib.sha256(content).hexdigest()
    assert progress[-1] == (len(content), len(content))
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x1f\x8b\x08\x00rest", "unsupported_media_type"),
        (b"PK\x03\x04rest", "unsupported_media_type"),
        (b"PAR1rest", "unsupported_media_type"),
        ('{"a": 1}\n'.encode("utf-16"), "not_utf8"),
        ('{"a": 1}\n'.encode("utf-16-le"), "not_utf8"),
        ('{"a": 1}\n'.encode("utf-16-be"), "not_utf8"),
        (b"question,answer\nWhere?,Here.\n", "not_jsonl"),
    ],
)
def test_a_file_of_another_kind_is_refused_once_and_still_digested(
    write_file: WriteFile, content: bytes, code: str
) -> None:
    source = Source(write_file(content))
    assert list(rows(source)) == []
    assert [problem.code for problem in source.problems] == [code]
    assert source.sha256 == hashlib.sha256(content).hexdigest()


def test_a_byte_order_mark_at_the_start_is_stripped_and_said(write_file: WriteFile) -> None:
    assert read(write_file(b'\xef\xbb\xbf{"a":1}\n')) == ([(1, b'{"a":1}')], ["row.bom_stripped"])


DOCUMENTS = [
    (b'[{"a":1},{"a":2}]', [b'{"a":1}', b'{"a":2}']),
    (b'[\n  {"a":1},\n  {"a":2}\n]\n', [b'{"a":1}', b'{"a":2}']),
    (b'{\n  "a": 1\n}\n{\n  "a": 2\n}\n', [b'{\n  "a": 1\n}', b'{\n  "a": 2\n}']),
    (b'[\n{"a":"\xc3\xbc"},\n{"a":', [b'{"a":"\xc3\xbc"}', b'{"a":']),
]


@pytest.mark.parametrize(("content", "members"), DOCUMENTS)
def test_a_json_document_is_named_once_and_its_members_are_rows(
    write_file: WriteFile, content: bytes, members: list[bytes]
) -> None:
    assert read(write_file(content)) == (list(enumerate(members, start=1)), ["not_jsonl"])


@pytest.mark.parametrize(("content", "members"), DOCUMENTS)
@pytest.mark.parametrize("size", [1, 2, 5])
def test_members_that_span_chunks_stay_whole(content: bytes, members: list[bytes], size: int) -> None:
    chunks = (content[start : start + size] for start in range(0, len(content), size))
    assert [line.content for line in reading._members(b"", chunks)] == members


@pytest.mark.parametrize(
    "content",
    [b"[]\n", b'[]\n{"a":1}\n', b'{"a":1}{"a":2}\n', b"{'a':1}\n{'a':2}\n", b'null\n7\n"x"\n', b'{"a":\n', b""],
)
def test_broken_lines_are_still_lines(write_file: WriteFile, content: bytes) -> None:
    lines, file_problems = read(write_file(content))
    assert [line for _, line in lines] == content.splitlines()
    assert file_problems == []


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetUnreadable) as refusal:
        Source(tmp_path / "gone.jsonl")
    assert refusal.value.problems[0].code == "file_unreadable"


@given(st.binary(max_size=400))
def test_any_bytes_are_read_to_the_end(content: bytes) -> None:
    for line in reading._members(content, iter(())):
        assert line.number >= 1
    assert b"\n".join(line.content for line in reading.lines_of([content])) == content.removesuffix(b"\n")
