"""Excel workbooks (.xlsx) into rows, sheet by sheet, without holding a sheet.

A workbook is a zip archive: how large it becomes is read in its directory before anything is inflated.
"""

import math
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import date, datetime, time, timedelta
from itertools import repeat
from pathlib import Path
from typing import IO, Any, Final

import openpyxl

from engagements.phases.data_preparation.collecting.delimited import MAX_COLUMNS, named_once
from engagements.phases.data_preparation.collecting.findings import FileUnreadable, finding
from engagements.phases.data_preparation.collecting.rows import PART, Row, damaged, digest
from estimator.errors import Problem
from estimator.tokens.reading import Source

MAX_INFLATED_BYTES: Final = 1024 * 1024 * 1024
"""A sheet of 1,048,576 rows with 1,000 characters each."""
MAX_STRINGS_BYTES: Final = 256 * 1024 * 1024
"""Of the table of shared texts, which is held while the sheets are read."""
MAX_RATIO: Final = 100
"""Inflated to deflated; the bound of Apache POI (ZipSecureFile, MIN_INFLATE_RATIO 0.01)."""
RATIO_GRACE_BYTES: Final = 1024 * 1024
"""Small parts may shrink as far as they like."""

_CHUNK_BYTES: Final = 1024 * 1024
_STRINGS: Final = "xl/sharedStrings.xml"


def check_workbook(path: Path) -> None:
    """Raises `FileUnreadable` for an archive that is no workbook, or that would grow beyond all measure."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        code = "file_damaged" if path.suffix.lower() in (".xlsx", ".xlsm") else "unsupported_media_type"
        raise FileUnreadable(finding(code, f"the file is an archive that cannot be read: {error}")) from error
    names = {member.filename for member in members}
    if "xl/workbook.xml" not in names:
        what = "a binary workbook (.xlsb)" if "xl/workbook.bin" in names else "a zip archive and no workbook"
        raise FileUnreadable(finding("unsupported_media_type", f"the file is {what}"))
    if problems := list(_too_large(members)):
        raise FileUnreadable(*problems)


def sheets_of(path: Path) -> list[str]:
    """The names of the sheets with cells in them, in their order."""
    with _opened(path, data_only=True) as book:
        return [sheet.title for sheet in book.worksheets]


def read_workbook(source: Source, sheets: Sequence[str] | None = None) -> Iterator[Row]:
    """The rows of the named sheets, else of the first that holds any; several carry their name in the column `part`.

    The first row with something in it names the columns. Formulas are read as the results that were saved with them.
    """
    digest(source)
    with ExitStack() as open_books:
        values = open_books.enter_context(_opened(source.path, data_only=True))
        formulas = (
            open_books.enter_context(_opened(source.path, data_only=False)) if _has_formulas(source.path) else None
        )
        names = [sheet.title for sheet in values.worksheets]
        unread = list(names)
        for name in _chosen(sheets, names):
            unread.remove(name)
            rows = _rows(values[name], formulas[name] if formulas else None)
            first = next(rows, None)
            if first is None:
                continue
            part = name if sheets and len(sheets) > 1 else ""
            for row in _with_first(first, rows):
                yield row if row.value is None or not part else Row(row.number, {PART: part, **row.value}, row.problems)
            if not sheets:
                break
        if not sheets and unread:
            what = f"sheets that were not read: {', '.join(repr(name[:40]) for name in unread[:10])}"
            source.problems.append(finding("sheets_not_read", what))


def _too_large(members: Sequence[zipfile.ZipInfo]) -> Iterator[Problem]:
    total = sum(member.file_size for member in members)
    if total > MAX_INFLATED_BYTES:
        yield _bomb(f"{total // 1024 // 1024:,} MiB", MAX_INFLATED_BYTES)
    for member in members:
        if member.filename == _STRINGS and member.file_size > MAX_STRINGS_BYTES:
            yield _bomb(f"{member.file_size // 1024 // 1024:,} MiB of texts", MAX_STRINGS_BYTES)
        if member.file_size > RATIO_GRACE_BYTES and member.file_size > MAX_RATIO * max(member.compress_size, 1):
            ratio = math.floor(member.file_size / max(member.compress_size, 1))
            what = (
                f"{member.filename[:80]!r} grows {ratio:,} times when it is unpacked; {MAX_RATIO} times at most is read"
            )
            yield finding("file_too_large", what)


def _bomb(size: str, limit: int) -> Problem:
    return finding("file_too_large", f"unpacked the file holds {size}; {limit // 1024 // 1024:,} MiB at most are read")


@contextmanager
def _opened(path: Path, *, data_only: bool) -> Iterator[Any]:
    """As a file that is open already: of a path, openpyxl asks for an ending, which names in a storage do not have."""
    with path.open("rb") as file, closing(_read(file, data_only=data_only)) as book:
        yield book


def _read(file: IO[bytes], *, data_only: bool) -> Any:
    try:
        # What it cannot keep of the looks of a workbook is no matter here.
        with warnings.catch_warnings(action="ignore"):
            return openpyxl.load_workbook(file, read_only=True, data_only=data_only, keep_links=False)
    except Exception as error:  # openpyxl raises whatever it runs into; a workbook is a client's file.
        raise FileUnreadable(finding("file_damaged", f"the workbook cannot be read: {error}"[:300])) from error


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(_mentions(archive, name) for name in sheets if name.endswith(".xml"))


def _mentions(archive: zipfile.ZipFile, name: str) -> bool:
    tail = b""
    with archive.open(name) as sheet:
        while piece := sheet.read(_CHUNK_BYTES):
            if b"<f>" in tail + piece or b"<f " in tail + piece:
                return True
            tail = piece[-3:]
    return False


def _chosen(sheets: Sequence[str] | None, names: Sequence[str]) -> Sequence[str]:
    if sheets is None:
        return names
    if absent := [name for name in sheets if name not in names]:
        there = ", ".join(repr(name[:40]) for name in names[:20])
        raise FileUnreadable(
            *(finding("sheet_unknown", f"there is no sheet {name!r}; there are {there}") for name in absent)
        )
    return sheets


def _rows(sheet: Any, formulas: Any) -> Iterator[Row]:
    names: list[str] | None = None
    sheet.reset_dimensions()  # Many programs write wrong ones.
    if formulas is not None:
        formulas.reset_dimensions()
    written = formulas.iter_rows(values_only=True) if formulas is not None else repeat(())
    for number, (cells, behind) in enumerate(zip(sheet.iter_rows(values_only=True), written, strict=False), 1):
        if all(cell is None for cell in cells) and all(cell is None for cell in behind):
            continue
        if names is None:
            names = _names(cells, number)
        else:
            yield _row(number, names, cells, behind)


def _names(cells: Sequence[object], number: int) -> list[str]:
    names = ["" if cell is None else str(_plain(cell)).strip() for cell in cells]
    while len(names) > 1 and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        what = f"{len(names):,} columns; {MAX_COLUMNS:,} are read at most"
        raise FileUnreadable(finding("csv.too_many_columns", what, line=number))
    return named_once([name or f"column_{index}" for index, name in enumerate(names, 1)], number)


def _row(number: int, names: Sequence[str], cells: Sequence[object], behind: Sequence[object]) -> Row:
    if any(cell is not None for cell in cells[len(names) :]):
        what = f"{len(cells)} cells; the header has {len(names)}"
        return damaged(number, finding("csv.ragged_row", what, line=number))
    filled = [*cells, *repeat(None, len(names) - len(cells))]
    missing = [
        finding("row.formula_without_value", f"no result was saved for {formula!s:.60}", where=name, line=number)
        for name, cell, formula in zip(names, cells, behind, strict=False)
        if cell is None and formula is not None
    ]
    value = {name: _plain(cell) for name, cell in zip(names, filled, strict=False)}
    return Row(number, value, tuple(missing))


def _plain(cell: object) -> object:
    match cell:
        case None | bool() | str():
            return cell
        case int():
            return cell if abs(cell) < 2**63 else str(cell)
        case float():
            return int(cell) if cell.is_integer() and abs(cell) < 2**53 else cell
        case datetime() | date() | time():
            return cell.isoformat()
        case timedelta():
            return cell.total_seconds()
        case _:
            return str(cell)


def _with_first(first: Row, rows: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rows
