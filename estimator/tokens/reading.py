"""A data set file, line by line in bounded memory: 2 GB read like 2 MB, a line of 50 MB refused without being held."""

import codecs
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from estimator.errors import DatasetUnreadable, Problem
from estimator.tokens.findings import finding
from estimator.tokens.json_row import BOM

# 65,536 tokens are about 300 kB of text; this leaves room for a picture or two inside the row.
MAX_ROW_BYTES: Final = 4 * 1024 * 1024

OnProgress = Callable[[int, int], None]

_CHUNK_BYTES: Final = 1024 * 1024
_BETWEEN_VALUES: Final = re.compile(r"[ \t\r\n,\[\]]*")
MAGIC: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "a zip archive or an Office file"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"Rar!", "rar"),
    (b"PAR1", "Parquet"),
    (b"ARROW1", "Arrow"),
    (b"%PDF", "PDF"),
    (b"SQLite format 3", "SQLite"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One row as bytes without its line end, or the reason why it is not here."""

    number: int
    content: bytes
    problem: Problem | None = None


class Source:
    """A file while it is read: its size, its digest once all of it was read, and what is wrong with it as a file.

    Raises `DatasetUnreadable` when there is no such file or it cannot be opened.
    """

    def __init__(self, path: Path, on_progress: OnProgress | None = None) -> None:
        self.path, self.problems, self._on_progress = path, list[Problem](), on_progress
        self._digest, self._done_bytes = hashlib.sha256(), 0
        try:
            with path.open("rb") as file:
                self.size_bytes = file.seek(0, 2)
        except OSError as error:
            message = f"{path.name} cannot be opened: {error.strerror}"
            remedy = "check the path and the right to read it"
            raise DatasetUnreadable(Problem(code="file_unreadable", message=message, remedy=remedy)) from error

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def chunks(self, file: BinaryIO) -> Iterator[bytes]:
        """The file in pieces of a megabyte; every byte enters the digest."""
        while chunk := file.read(_CHUNK_BYTES):
            self._digest.update(chunk)
            self._done_bytes += len(chunk)
            if self._on_progress:
                self._on_progress(self._done_bytes, self.size_bytes)
            yield chunk


def rows(source: Source) -> Iterator[Line]:
    """The rows of the file, whatever they are wrapped in; what is wrong with the file goes to `source.problems`.

    A file of another kind (an archive, UTF-16) yields nothing. A JSON array, or objects spread over many lines, is
    named as such once and its members are yielded as if each stood on a line of its own.
    """
    with source.path.open("rb") as file:
        chunks = source.chunks(file)
        head = next(chunks, b"")
        if problem := _unreadable_kind(head):
            source.problems.append(problem)
            for _ in chunks:  # The digest is of the whole file, read or not.
                pass
            return
        if head.startswith(BOM):
            source.problems.append(finding("row.bom_stripped", "the file begins with a byte order mark", line=1))
            head = head.removeprefix(BOM)
        if what := _document(head):
            source.problems.append(finding("not_jsonl", what, line=1))
            yield from _members(head, chunks)
        else:
            yield from lines_of(_chain(head, chunks))


def _unreadable_kind(head: bytes) -> Problem | None:
    for magic, kind in MAGIC:
        if head.startswith(magic):
            return finding("unsupported_media_type", f"the file is {kind}, not JSON Lines")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in head[:2] or head[1:4:2] == b"\0\0":
        return finding("not_utf8", "the file is written in UTF-16 or UTF-32")
    lines = [line for line in head.removeprefix(BOM).splitlines() if line.strip()][:2]
    if len(lines) == 2 and not any(line.lstrip().startswith((b"{", b"[")) or _is_json(line) for line in lines):
        return finding("not_jsonl", "the lines are not JSON: a table or plain text")
    return None


def _document(head: bytes) -> str:
    """What kind of JSON document the file is instead of lines; empty for lines.

    Decided on the first value alone: an array whose first member is an object, or an object over several lines.
    """
    text = head.decode(errors="replace").lstrip()
    first, _, rest = text.partition("\n")
    if _is_json(first) and (rest.strip() or not first.startswith("[")):
        return ""
    decoder = json.JSONDecoder()
    try:
        if text.startswith("["):
            member, _ = decoder.raw_decode(text[1:].lstrip())
            return "the file is one JSON array" if isinstance(member, dict) else ""
        _, end = decoder.raw_decode(text)
    except (ValueError, RecursionError):
        return "the file is one JSON document over many lines" if first.strip() in ("[", "{") else ""
    return "the objects are spread over many lines" if "\n" in text[:end] else ""


def _is_json(text: str | bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def lines_of(chunks: Iterable[bytes]) -> Iterator[Line]:
    """The lines of a file that comes in pieces; of one longer than `MAX_ROW_BYTES` no more than that is ever held."""
    number, tail, dropping = 0, b"", False
    for chunk in chunks:
        pieces = (tail + chunk).split(b"\n")
        tail = pieces.pop()
        for piece in pieces:
            number += 1
            yield _too_large(number) if dropping or len(piece) > MAX_ROW_BYTES else Line(number, piece)
            dropping = False
        if len(tail) > MAX_ROW_BYTES:
            tail, dropping = b"", True
    if dropping or tail:
        yield _too_large(number + 1) if dropping else Line(number + 1, tail)


def _members(head: bytes, chunks: Iterator[bytes]) -> Iterator[Line]:
    """The objects of an array, or of a file that simply writes one after the other, as rows numbered from 1.

    Ends at the first place that is not JSON; the rest of the file is still read for the digest.
    """
    decode = codecs.getincrementaldecoder("utf-8")().decode
    text, number = "", 1
    try:
        for chunk in _chain(head, chunks):
            text += decode(chunk)
            end = 0
            for value in _complete_values(text):
                yield Line(number, text[value].encode())
                number, end = number + 1, value.stop
            text = text[end:]
            if len(text) > MAX_ROW_BYTES:
                yield _too_large(number)
                break
        else:
            if rest := _BETWEEN_VALUES.sub("", text, count=1):
                yield Line(number, rest.encode())
    except (UnicodeError, RecursionError):
        yield Line(number, b"", finding("row.invalid_json", "the document cannot be read from here on", line=number))
    for _ in chunks:
        pass


def _complete_values(text: str) -> Iterator[slice]:
    """Where each value stands in `text`, up to the first that is not complete."""
    decoder, end = json.JSONDecoder(), 0
    while between := _BETWEEN_VALUES.match(text, end):
        try:
            _, end = decoder.raw_decode(text, between.end())
        except json.JSONDecodeError:
            return
        yield slice(between.end(), end)


def _chain(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from chunks


def _too_large(number: int) -> Line:
    limit_mib = MAX_ROW_BYTES // 1024 // 1024
    return Line(number, b"", finding("row.too_large", f"the line is longer than {limit_mib} MiB", line=number))
