"""A file into records, with an account of every row: what was kept, what was dropped and why, what a person should see.

A row that holds several examples (an article with its questions, a task with its instances) counts as that many.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engagements.phases.data_preparation.collecting.examples import Examples, Ids
from engagements.phases.data_preparation.collecting.findings import MappingInvalid, finding
from engagements.phases.data_preparation.collecting.from_columns import Reader, reader_of
from engagements.phases.data_preparation.collecting.from_shapes import shape_reader
from engagements.phases.data_preparation.collecting.mapping import ColumnMapping, check_columns
from engagements.phases.data_preparation.collecting.reading import Table, open_table
from engagements.phases.data_preparation.collecting.recognising import (
    mapping_of,
    mapping_of_rows,
    rows_by_id,
    with_joined,
)
from engagements.phases.data_preparation.collecting.rows import FileFormat, Row
from engagements.phases.data_preparation.records import Origin, Record, Task
from estimator.errors import EstimatorError, Problem, Severity
from estimator.tokens.reading import OnProgress

__all__ = ["Import", "PreviewRow", "RowAccount", "mapping_of", "preview"]

MAX_LISTED: Final = 100
"""Problems of one code that are listed; all are counted."""

_WITH_HEADER: Final = frozenset({FileFormat.CSV, FileFormat.TSV, FileFormat.EXCEL, FileFormat.PARQUET})


@dataclass(frozen=True, slots=True, kw_only=True)
class RowAccount:
    """rows_in == kept + sum(dropped). `problems` lists the first hundred of each code, `warnings` counts all of those
    that dropped nothing."""

    rows_in: int = 0
    kept: int = 0
    dropped: Mapping[str, int] = dataclasses.field(default_factory=dict)
    warnings: Mapping[str, int] = dataclasses.field(default_factory=dict)
    problems: Sequence[Problem] = ()


class Import:
    """Iterating yields the records of a file; `account` is complete once it was read to its end.

    With `mapping` the columns are what it says; without, the rows are a provider's format or a known set where they
    look like one, and else columns are found. Raises `FileUnreadable`, `DatasetUnreadable` and `MappingInvalid` when it
    is made, before a row is read.
    """

    def __init__(
        self,
        path: Path,
        *,
        mapping: ColumnMapping | None = None,
        task: Task | None = None,
        origin: Origin | None = None,
        format: FileFormat | None = None,  # noqa: A002  # as everybody calls it
        encoding: str | None = None,
        sheets: Sequence[str] | None = None,
        joined: Path | None = None,
        ids: Ids | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        self.table = open_table(path, format=format, encoding=encoding, sheets=sheets, on_progress=on_progress)
        self._joined = rows_by_id(joined) if joined else {}
        found = mapping or self._found_mapping(task)
        self.mapping = dataclasses.replace(found, task=task or found.task)
        self._read = _reader(self.table, self.mapping, origin or Origin(source=path.name), ids or Ids())
        self._counted = _Account()

    @property
    def account(self) -> RowAccount:
        return self._counted.closed([*self.table.problems, *self._of_the_mapping()])

    def __iter__(self) -> Iterator[Record]:
        self._counted = counted = _Account()
        for row in self.table:
            if row.problems:
                counted.note(row.problems)
            if row.value is None:
                counted.drop(row.problem)
                continue
            if self._joined:
                row = Row(row.number, with_joined(row.value, self._joined))  # noqa: PLW2901  # the same row, completed
            for found in _examples(row, self._read):
                if isinstance(found, Record):
                    counted.kept += 1
                    yield found
                else:
                    counted.note([found])
                    if found.severity is Severity.ERROR:
                        counted.drop(found)

    def _found_mapping(self, task: Task | None) -> ColumnMapping:
        values = [row.value for row in self.table.sample() if row.value is not None]
        sample = [with_joined(value, self._joined) for value in values] if self._joined else values
        return mapping_of_rows(self.table.columns, sample, task=task)

    def _of_the_mapping(self) -> Iterator[Problem]:
        if not self.mapping.shape and not self.mapping.target:
            yield finding("no_target_column", "no column was taken for a label or an answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """What would become of a row: its records, and what is to be said of it."""

    number: int
    records: Sequence[Record]
    problems: Sequence[Problem]


def preview(table: Table, mapping: ColumnMapping, *, rows: int = 20) -> list[PreviewRow]:
    """What the first rows of a table would become. Raises `MappingInvalid`."""
    read = _reader(table, mapping, Origin(source=table.path.name), Ids())
    return [_previewed(row, read) for row in table.sample(rows)]


def _previewed(row: Row, read: Reader) -> PreviewRow:
    found = list(_examples(row, read)) if row.value is not None else []
    return PreviewRow(
        number=row.number, records=[each for each in found if isinstance(each, Record)],
        problems=[*row.problems, *(each for each in found if isinstance(each, Problem))],
    )  # fmt: skip


def _reader(table: Table, mapping: ColumnMapping, origin: Origin, ids: Ids) -> Reader:
    if mapping.shape:
        return shape_reader(mapping, origin, ids)
    if not mapping.input:
        raise MappingInvalid(finding("mapping_unclear", "the mapping names neither a shape nor an input"))
    if table.format in _WITH_HEADER and table.columns:
        check_columns(mapping, table.columns)
    return reader_of(mapping, origin, ids)


def _examples(row: Row, read: Reader) -> Examples:
    try:
        yield from read(row)
    except EstimatorError as error:
        yield dataclasses.replace(error.problems[0], line=row.number)


class _Account:
    """What is counted while rows go by."""

    def __init__(self) -> None:
        self.kept = 0
        self._dropped: Counter[str] = Counter()
        self._noted: Counter[str] = Counter()
        self._warned: Counter[str] = Counter()
        self._listed: list[Problem] = []

    def note(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._noted[problem.code] += 1
            if problem.severity is Severity.WARNING:
                self._warned[problem.code] += 1
            if self._noted[problem.code] <= MAX_LISTED:
                self._listed.append(problem)

    def drop(self, problem: Problem | None) -> None:
        assert problem is not None, "a row without a value says why"
        self._dropped[problem.code] += 1

    def closed(self, of_the_file: Sequence[Problem]) -> RowAccount:
        problems = [*of_the_file, *self._listed]
        rows_in = self.kept + self._dropped.total()
        if not rows_in:
            problems.insert(0, finding("dataset_empty", "the file holds no rows"))
        warned = self._warned + Counter(each.code for each in of_the_file if each.severity is Severity.WARNING)
        return RowAccount(
            rows_in=rows_in,
            kept=self.kept,
            dropped=dict(self._dropped),
            warnings=dict(warned),
            problems=tuple(problems),
        )
