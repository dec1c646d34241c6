"""One JSON document into rows, without holding more of it than one row.

[{...}, {...}]                       each object is a row
[["text", "label"], ...]             columns column_1, column_2
{"train": [{...}], "test": [{...}]}  rows of all lists, each with its key in the column `part`
{"data": [{...}], "version": ...}    rows of the list
{"text": [...], "label": [...]}      columns of equal length; this one document is held whole
{"anatomy": "...", "law": "..."}     columns part and value
"""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import orjson

from engagements.phases.data_preparation.collecting.encodings import EncodedSource
from engagements.phases.data_preparation.collecting.findings import finding
from engagements.phases.data_preparation.collecting.json_lines import row_from
from engagements.phases.data_preparation.collecting.rows import PART, Row, damaged
from estimator.tokens.json_row import read_row
from estimator.tokens.reading import MAX_ROW_BYTES

MAX_HELD_BYTES: Final = 256 * 1024 * 1024
"""Of a document that is written column by column, so that its first row is known only at its end."""

_WRAPPERS: Final = frozenset({"data", "rows", "examples", "records", "items", "instances", "samples", "results"})
"""Keys that say no more than that here come the rows."""
_SCALARS_MAX: Final = 1_000
"""So many single values one after the other are rows, and no description of the rows to come."""
_BLANKS: Final = re.compile(r"[ \t\r\n]*+")


def read_json_document(source: EncodedSource) -> Iterator[Row]:
    """Ends at the first place that is no JSON, with a row that says so."""
    with source.path.open("rb") as file:
        chunks = source.chunks(file)
        cursor = _Cursor(chunks)
        try:
            yield from _numbered(_rows(cursor))
            if cursor.peek():
                yield damaged(
                    cursor.read + 1, finding("row.invalid_json", "a second value follows", line=cursor.read + 1)
                )
        except _Unreadable as error:
            yield damaged(cursor.read + 1, finding(error.code, str(error), line=cursor.read + 1))
        for _ in chunks:  # The digest is of the whole file, read or not.
            pass


class _Unreadable(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Cursor:
    """A place in a JSON text that comes in pieces. `read` counts the values that were taken as rows."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._decoder = chunks, json.JSONDecoder()
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._text, self._at, self._ended = "", 0, False
        self.read = 0
        self._fill()
        self._text = self._text.removeprefix("\ufeff")

    def peek(self) -> str:
        """The next character that is no blank; empty at the end."""
        while True:
            blanks = _BLANKS.match(self._text, self._at)
            self._at = blanks.end() if blanks else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._fill()

    def skip(self, expected: str) -> None:
        if self.peek() != expected:
            raise _Unreadable("row.invalid_json", f"{expected!r} is missing; the document was probably cut off")
        self._at += 1

    def value(self) -> bytes:
        """The JSON text of the next value. Raises `_Unreadable` where there is none, or where it is too large."""
        self.peek()
        while True:
            try:
                _, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._ended:
                    raise _Unreadable("row.invalid_json", f"not JSON: {error.msg.lower()}") from None
            except RecursionError:
                raise _Unreadable("row.too_deep", "nested too deep to be read") from None
            else:
                if end < len(self._text) or self._ended:
                    taken, self._at = self._text[self._at : end], end
                    return taken.encode(errors="surrogateescape")
            if len(self._text) - self._at > MAX_ROW_BYTES:
                raise _Unreadable("row.too_large", f"a value is longer than {MAX_ROW_BYTES // 1024 // 1024} MiB")
            self._fill()

    def rest(self) -> bytes:
        """All that follows. Raises `_Unreadable` where that is more than may be held."""
        pieces = [self._text[self._at :].encode(errors="surrogateescape")]
        size = len(pieces[0])
        for chunk in self._chunks:
            pieces.append(chunk)
            size += len(chunk)
            if size > MAX_HELD_BYTES:
                what = f"columns one after the other in more than {MAX_HELD_BYTES // 1024 // 1024} MiB"
                raise _Unreadable("row.too_large", what)
        self._text, self._at, self._ended = "", 0, True
        return b"".join(pieces)

    def begins_with_scalars(self) -> bool:
        """Whether a list of single values stands here, of which nothing has been taken yet."""
        self.peek()
        inside = self._text[self._at + 1 : self._at + 4096].lstrip()
        return self._text[self._at] == "[" and inside[:1] not in ("", "[", "{", "]")

    def mark(self) -> int:
        return self._at

    def back_to(self, mark: int) -> None:
        """Only as long as no more than the first piece was read."""
        self._at = mark

    def _fill(self) -> None:
        chunk = next(self._chunks, b"")
        self._ended = not chunk
        self._text = self._text[self._at :] + self._decode(chunk, final=self._ended)
        self._at = 0


def _numbered(values: Iterator[tuple[str, bytes]]) -> Iterator[Row]:
    """Rows from values and the keys they stand under; what the first is, all have to be."""
    first: type | None = None
    for number, (part, content) in enumerate(values, 1):
        read = read_row(content)
        first = first or type(read.value)
        row = row_from(number, read if first is dict else replace(read, value=_as_object(read.value)))
        yield row if row.value is None or not part else Row(number, {PART: part, **row.value}, row.problems)


def _as_object(value: object) -> dict[str, object]:
    if isinstance(value, list):
        return {f"column_{index}": each for index, each in enumerate(value, 1)}
    return value if isinstance(value, dict) else {"value": value}


def _rows(cursor: _Cursor) -> Iterator[tuple[str, bytes]]:
    match cursor.peek():
        case "[":
            yield from _members(cursor, "")
        case "{":
            yield from _parts(cursor)
        case "":
            return
        case _:
            yield "", cursor.value()


def _members(cursor: _Cursor, part: str) -> Iterator[tuple[str, bytes]]:
    cursor.skip("[")
    while (sign := cursor.peek()) != "]":
        if sign == ",":
            cursor.skip(",")
            continue
        content = cursor.value()
        cursor.read += 1
        yield part, content
    cursor.skip("]")


def _parts(cursor: _Cursor) -> Iterator[tuple[str, bytes]]:
    start = cursor.mark()
    alone: list[tuple[str, bytes]] | None = []
    cursor.skip("{")
    first = True
    while (sign := cursor.peek()) != "}":
        if sign == ",":
            cursor.skip(",")
            continue
        key = json.loads(cursor.value())
        cursor.skip(":")
        part = "" if key in _WRAPPERS else key
        match cursor.peek():
            case "[" if first and cursor.begins_with_scalars():
                cursor.back_to(start)
                yield from _columns(cursor)
                return
            case "[":
                alone = None
                yield from _members(cursor, part)
            case "{":
                alone = None
                cursor.read += 1
                yield part, cursor.value()
            case _:
                content = cursor.value()
                if alone is not None:
                    alone.append((part or key, content))
                    if len(alone) > _SCALARS_MAX:
                        yield from alone
                        alone.clear()
        first = False
    cursor.skip("}")
    yield from alone or ()


def _columns(cursor: _Cursor) -> Iterator[tuple[str, bytes]]:
    read = read_row(cursor.rest())
    if not isinstance(read.value, dict):
        raise _Unreadable(read.problems[0].code, read.problems[0].message)
    lists = {key: value for key, value in read.value.items() if isinstance(value, list)}
    if len(lists) > 1 and len({len(each) for each in lists.values()}) == 1 and len(lists) == len(read.value):
        for values in zip(*lists.values(), strict=True):
            yield "", orjson.dumps(dict(zip(lists, values, strict=True)))
        return
    for key, value in read.value.items():
        for each in value if isinstance(value, list) else [value]:
            yield key, orjson.dumps(each)
