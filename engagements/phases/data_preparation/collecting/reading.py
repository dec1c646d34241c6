"""A file as a table: which kind it is, in which encoding, with which columns; and its rows, one after the other.

The kind is told by the bytes of the file, and by its name only where several kinds look alike. What can be refused is
refused when the file is opened; rows that cannot be read come out as rows without a value, with the reason.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from engagements.phases.data_preparation.collecting import delimited, json_document, json_lines, plain_text
from engagements.phases.data_preparation.collecting.encodings import UTF8, EncodedSource, encoding_of
from engagements.phases.data_preparation.collecting.findings import FileUnreadable, finding
from engagements.phases.data_preparation.collecting.rows import FileFormat, Row
from estimator.errors import Problem
from estimator.tokens.json_row import BOM
from estimator.tokens.reading import MAGIC, OnProgress
from estimator.tokens.shapes import shape_of

SAMPLE_ROWS: Final = 1_000

_HEAD_BYTES: Final = 1024 * 1024
_BY_SUFFIX: Final = {
    ".jsonl": FileFormat.JSONL, ".ndjson": FileFormat.JSONL, ".json": FileFormat.JSON, ".csv": FileFormat.CSV,
    ".tsv": FileFormat.TSV, ".tab": FileFormat.TSV, ".xlsx": FileFormat.EXCEL, ".xlsm": FileFormat.EXCEL,
    ".parquet": FileFormat.PARQUET, ".txt": FileFormat.TEXT, ".text": FileFormat.TEXT, ".conll": FileFormat.TEXT,
    ".md": FileFormat.TEXT,
}  # fmt: skip
SUFFIXES: Final = frozenset(_BY_SUFFIX)
"""Of the files that a folder is searched for."""
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DELIMITED: Final = frozenset({FileFormat.CSV, FileFormat.TSV})
_BINARY: Final = frozenset({FileFormat.EXCEL, FileFormat.PARQUET})


class Table:
    """A file that was found readable. Iterating reads it from its beginning; `sha256` and all of `problems` are known
    once it was read to its end."""

    def __init__(
        self, path: Path, *, kind: FileFormat, encoding: str, sheets: Sequence[str] | None,
        on_progress: OnProgress | None,
    ) -> None:  # fmt: skip
        self.path, self.format, self.encoding = path, kind, encoding
        self._sheets, self._on_progress = sheets, on_progress
        self._source = self._opened(None)
        self._dialect = self._found_dialect()
        self.columns = self._columns()

    @property
    def size_bytes(self) -> int:
        return self._source.size_bytes

    @property
    def sha256(self) -> str:
        return self._source.sha256

    @property
    def problems(self) -> Sequence[Problem]:
        """What is wrong with the file as a whole; not with its rows."""
        return self._source.problems

    def __iter__(self) -> Iterator[Row]:
        self._source = self._opened(self._on_progress)
        return self._rows(self._source)

    def sample(self, rows: int = SAMPLE_ROWS) -> list[Row]:
        """The first rows, damaged ones among them."""
        return list(islice(self._rows(self._opened(None)), rows))

    def _rows(self, source: EncodedSource) -> Iterator[Row]:
        match self.format:
            case FileFormat.JSONL:
                return json_lines.read_json_lines(source)
            case FileFormat.JSON:
                return json_document.read_json_document(source)
            case FileFormat.CSV | FileFormat.TSV:
                return delimited.read_delimited(source, self._dialect)
            case FileFormat.TEXT:
                tagged = plain_text.is_tagged(self._head())
                return plain_text.read_tagged(source) if tagged else plain_text.read_lines(source)
            case FileFormat.EXCEL:
                # openpyxl and pyarrow take a while to load; only who reads such a file pays for it.
                from engagements.phases.data_preparation.collecting.spreadsheets import read_workbook  # noqa: PLC0415

                return read_workbook(source, self._sheets)
            case FileFormat.PARQUET:
                from engagements.phases.data_preparation.collecting.columnar import read_parquet  # noqa: PLC0415

                return read_parquet(source)

    def _found_dialect(self) -> delimited.Dialect:
        if self.format not in _DELIMITED:
            return delimited.Dialect()
        return delimited.dialect_of(self._head(), separator="\t" if self.format is FileFormat.TSV else None)

    def _columns(self) -> list[str]:
        if self.format in _DELIMITED:
            return delimited.header_of(self._opened(None), self._dialect)
        if self.format is FileFormat.PARQUET:
            from engagements.phases.data_preparation.collecting.columnar import columns_of  # noqa: PLC0415  # as above

            return columns_of(self.path)
        return list(dict.fromkeys(key for row in self.sample(100) for key in row.value or ()))

    def _opened(self, on_progress: OnProgress | None) -> EncodedSource:
        source = EncodedSource(self.path, on_progress)
        source.encoding = self.encoding or UTF8
        return source

    def _head(self) -> bytes:
        with self.path.open("rb") as file:
            return next(self._opened(None).chunks(file), b"")


def open_table(
    path: Path,
    *,
    format: FileFormat | None = None,  # noqa: A002  # as everybody calls it
    encoding: str | None = None,
    sheets: Sequence[str] | None = None,
    on_progress: OnProgress | None = None,
) -> Table:
    """The table that a file holds. `encoding` names one, or is "detect"; `sheets` are those of a workbook.

    Raises `FileUnreadable` (an archive, a picture, no UTF-8, a workbook that would burst, a header with a name twice)
    and `DatasetUnreadable` where there is no such file.
    """
    EncodedSource(path)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    found = _binary_format(path, head)
    if found is None:
        hint = format or _BY_SUFFIX.get(path.suffix.lower())
        encoding = encoding_of(path, head, rows_decide=hint is FileFormat.JSONL, named=encoding)
        text = head.decode(encoding, errors="replace").encode(errors="replace").removeprefix(BOM)
        found = format or _text_format(text, hint, whole=len(head) < _HEAD_BYTES)
    if format is not None and format is not found:
        raise FileUnreadable(finding("unsupported_media_type", f"the file is {found}, not {format}"))
    return Table(path, kind=found, encoding=encoding or "", sheets=sheets, on_progress=on_progress)


def _binary_format(path: Path, head: bytes) -> FileFormat | None:
    """Told by the first bytes; None for text. Raises `FileUnreadable` for everything that is no table."""
    if head.startswith(b"PAR1"):
        return FileFormat.PARQUET
    if head.startswith(b"PK\x03\x04"):
        from engagements.phases.data_preparation.collecting.spreadsheets import check_workbook  # noqa: PLC0415  # heavy

        check_workbook(path)
        return FileFormat.EXCEL
    if head.startswith(_OLE):
        what = "the file is an Excel workbook of the old kind (.xls), or one with a password"
        raise FileUnreadable(finding("unsupported_media_type", what))
    for magic, kind in MAGIC:
        if head.startswith(magic):
            raise FileUnreadable(finding("unsupported_media_type", f"the file is {kind} and no table"))
    return None


def _text_format(head: bytes, hint: FileFormat | None, *, whole: bool) -> FileFormat:
    text = head.lstrip()
    if hint in _BINARY:
        what = f"the name says {hint}, and the file is plain text"
        raise FileUnreadable(finding("unsupported_media_type", what))
    if hint in _DELIMITED:
        return hint
    if text[:1] in (b"{", b"["):
        return _json_format(text, hint, whole=whole)
    if hint is None and text and delimited.dialect_of(head).separator in (",", ";", "\t", "|"):
        return FileFormat.TEXT if plain_text.is_tagged(head) else FileFormat.CSV
    return hint or FileFormat.TEXT


def _json_format(text: bytes, hint: FileFormat | None, *, whole: bool) -> FileFormat:
    """Rows one after the other, or one document: an array, or an object that holds rows and is none itself."""
    if hint in (FileFormat.JSONL, FileFormat.TEXT):
        return hint
    if text.startswith(b"["):
        lines = text.splitlines()[:2]
        of_lists = len(lines) == 2 and lines[0].rstrip().endswith(b"]") and lines[1].startswith(b"[")
        return FileFormat.JSONL if of_lists else FileFormat.JSON
    letters = text.decode(errors="replace")
    try:
        value, end = json.JSONDecoder().raw_decode(letters)
    except (ValueError, RecursionError):
        # Longer than what was looked at. A row begins with the keys of one.
        return FileFormat.JSONL if text.startswith(_ROW_STARTS) else FileFormat.JSON
    is_alone = whole and not letters[end:].strip()
    return FileFormat.JSON if is_alone and not shape_of(value) else FileFormat.JSONL


_ROW_STARTS: Final = (b'{"messages"', b'{"conversations"', b'{"contents"', b'{"prompt"')
