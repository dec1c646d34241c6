"""CSV and TSV into rows: the separator found, every line that is no row named, and nothing swallowed.

Read strictly: a quote that is never closed would otherwise take the rest of the file into one cell. The line with such
a quote is dropped, and reading goes on with the line after it.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO, Final

from engagements.phases.data_preparation.collecting.encodings import EncodedSource
from engagements.phases.data_preparation.collecting.findings import FileUnreadable, finding
from engagements.phases.data_preparation.collecting.rows import Row, damaged, undecodable
from estimator.errors import Problem
from estimator.tokens.json_row import BOM
from estimator.tokens.reading import Line, lines_of

MAX_COLUMNS: Final = 1_000
"""Far beyond any export of tickets; what has more is a matrix, or a file that is no table."""

_SEPARATORS: Final = (",", ";", "\t", "|")
_NO_SEPARATOR: Final = "\x1f"
"""For a file of one column: a character that stands in no text."""
_JUDGED_ROWS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """`escaped`: quotes inside a cell are written with a backslash and not doubled. `hint_lines`: lines before the
    header that only name the separator, as Excel writes them ("sep=;")."""

    separator: str = ","
    escaped: bool = False
    hint_lines: int = 0

    def reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        return csv.reader(
            lines, delimiter=self.separator, strict=True, doublequote=not self.escaped,
            escapechar="\\" if self.escaped else None,
        )  # fmt: skip


def dialect_of(head: bytes, *, separator: str | None = None) -> Dialect:
    """How the table that begins with these bytes is written; one that needs no guess first: the hint of Excel."""
    lines = head.removeprefix(BOM).decode(errors="replace").splitlines(keepends=True)[: 10 * _JUDGED_ROWS]
    if lines and lines[0].lower().startswith("sep=") and len(lines[0].strip()) == 5:
        return Dialect(separator=lines[0].strip()[-1], hint_lines=1)
    separators = (separator,) if separator else _SEPARATORS
    styles = (False, True) if any('\\"' in line for line in lines) else (False,)
    tried = [Dialect(separator=each, escaped=escaped) for escaped in styles for each in separators]
    best = max(tried, key=lambda dialect: _fit(dialect, lines))
    if separator is None and _fit(best, lines) <= 0:
        return Dialect(separator=_NO_SEPARATOR)
    return best


def header_of(source: EncodedSource, dialect: Dialect) -> list[str]:
    """The names of the columns; empty for an empty file.

    Raises `FileUnreadable`: a name twice, more columns than anybody can mean, a header that is no row.
    """
    with source.path.open("rb") as file:
        return _header(_table(source, file, dialect))


def read_delimited(source: EncodedSource, dialect: Dialect) -> Iterator[Row]:
    """The rows below the header; the number of a row is its first line. Raises `FileUnreadable` as `header_of`."""
    with source.path.open("rb") as file:
        table = _table(source, file, dialect)
        yield from table.rows(_header(table))


def _table(source: EncodedSource, file: BinaryIO, dialect: Dialect) -> "_Lines":
    lines = lines_of(_plain(source.chunks(file), source.problems))
    return _Lines(islice(lines, dialect.hint_lines, None), dialect)


def _fit(dialect: Dialect, lines: Sequence[str]) -> float:
    """How well the first rows agree on a number of cells; 0 and less where there is one cell only."""
    reader, widths = dialect.reader(iter(lines)), list[int]()
    try:
        for cells in reader:
            if cells:
                widths.append(len(cells))
            if len(widths) == _JUDGED_ROWS:
                break
    except csv.Error:
        # The sample may end inside a quoted cell; what broke earlier counts against the dialect.
        widths.append(0)
    if not widths or widths[0] < 2:
        return 0
    agreeing = sum(width == widths[0] for width in widths) / len(widths)
    return agreeing - dialect.escaped / 1000 + min(widths[0], 50) / 10_000


def _header(table: "_Lines") -> list[str]:
    cells = next(table.records(), None)
    if cells is None:
        return []
    if isinstance(cells, Row):
        assert cells.problem is not None
        raise FileUnreadable(cells.problem)
    names = [cell.strip() for cell in cells.cells]
    while len(names) > 1 and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        what = f"{len(names):,} columns; {MAX_COLUMNS:,} are read at most"
        raise FileUnreadable(finding("csv.too_many_columns", what, line=cells.number))
    return named_once([name or f"column_{index}" for index, name in enumerate(names, 1)], cells.number)


def named_once(names: list[str], line: int) -> list[str]:
    """The names as they are. Raises `FileUnreadable` with every name that stands there twice."""
    twice = list(dict.fromkeys(name for index, name in enumerate(names) if name in names[:index]))
    if twice:
        said = [f"the column {name[:80]!r} stands there twice" for name in twice]
        raise FileUnreadable(*(finding("csv.duplicate_column", each, line=line) for each in said))
    return names


def _plain(chunks: Iterator[bytes], problems: list[Problem]) -> Iterator[bytes]:
    """The pieces without a byte order mark; lines that end in a lone carriage return, as on old Macs, in line feeds."""
    first = next(chunks, b"")
    if first.startswith(BOM):
        problems.append(finding("row.bom_stripped", "the file begins with a byte order mark", line=1))
        first = first.removeprefix(BOM)
    if b"\r" in first and b"\n" not in first:
        yield first.replace(b"\r", b"\n")
        for chunk in chunks:
            yield chunk.replace(b"\r", b"\n")
        return
    yield first
    yield from chunks


@dataclass(frozen=True, slots=True)
class _Cells:
    number: int
    cells: list[str]


class _Lines:
    """Lines on their way into the reader. Those of the record in hand are held, so that they can be read again."""

    def __init__(self, lines: Iterator[Line], dialect: Dialect) -> None:
        self.lines, self._dialect = lines, dialect
        self._again: deque[Line] = deque()
        self._held: list[Line] = []
        self._broken: list[Problem] = []

    def records(self) -> Iterator[_Cells | Row]:
        """Records that hold something, and a damaged row for each that cannot be read."""
        reader, held = self._dialect.reader(self._feed()), self._held
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield damaged(held[0].number, self._problem(error))
                self._again.extendleft(reversed(held[1:]))
                held.clear()
                self._broken.clear()
                reader = self._dialect.reader(self._feed())
                continue
            number = held[0].number
            held.clear()
            if self._broken:
                problems = tuple(replace(each, line=each.line or number) for each in self._broken)
                self._broken.clear()
                yield damaged(number, *problems)
            elif cells:
                yield _Cells(number, cells)

    def rows(self, columns: Sequence[str]) -> Iterator[Row]:
        width = len(columns)
        for record in self.records():
            if isinstance(record, Row):
                yield record
            elif not any(record.cells):
                continue
            elif len(record.cells) == width or (len(record.cells) > width and not any(record.cells[width:])):
                yield Row(record.number, dict(zip(columns, record.cells, strict=False)))
            else:
                what = f"{len(record.cells)} cells; the header has {width}"
                yield damaged(record.number, finding("csv.ragged_row", what, line=record.number))

    def _feed(self) -> Iterator[str]:
        again, held, lines = self._again, self._held, self.lines
        while True:
            line = again.popleft() if again else next(lines, None)
            if line is None:
                return
            held.append(line)
            try:
                text = line.content.decode()
            except UnicodeDecodeError as error:
                self._broken.append(undecodable(error, line.number))
                text = line.content.decode(errors="replace")
            if line.problem:
                self._broken.append(line.problem)
            elif "\0" in text:
                self._broken.append(finding("row.nul_char", "the line holds a raw NUL byte", line=line.number))
            yield text + "\n"

    def _problem(self, error: csv.Error) -> Problem:
        line = self._held[0]
        if len(self._held) == 1 and "field larger" in str(error):
            limit = f"a cell is longer than {csv.field_size_limit():,} characters"
            return finding("csv.cell_too_large", limit, line=line.number)
        what = f"a quote is opened that is not closed as it should be ({error})"
        return finding("csv.unclosed_quote", what, line=line.number)
