"""The file of a source, read: what its first rows become, and all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

from engagements.phases.data_preparation.collecting.importing import Import
from engagements.phases.data_preparation.collecting.mapping import ColumnMapping
from engagements.phases.data_preparation.collecting.reading import open_table
from engagements.phases.data_preparation.collecting.recognising import mapping_of
from engagements.phases.data_preparation.models import DataSource
from engagements.phases.data_preparation.records import Origin
from engagements.phases.data_preparation.sources.schemas import SourceOut, SourcePreviewOut
from engagements.phases.data_preparation.sources.tables import opened
from engagements.phases.data_preparation.storage import Storage
from estimator.errors import EstimatorError, Problem
from estimator.tokens.reading import OnProgress

PREVIEWED: Final = 20
_CELL_MAX: Final = 2_000


@contextmanager
def imported(
    storage: Storage, source: DataSource | SourceOut, on_progress: OnProgress | None = None
) -> Iterator[Import]:
    """The records of a source, to be iterated within the block. Raises `BlobDamaged` and what `Import` raises."""
    mapping = ColumnMapping.from_json(source.mapping) if source.mapping else None
    with opened(storage, source) as file:
        yield Import(
            file.path, mapping=mapping, origin=_origin(source), format=file.format, encoding=file.encoding,
            on_progress=on_progress,
        )  # fmt: skip


def preview_of(storage: Storage, source: SourceOut) -> SourcePreviewOut:
    """The first rows, and what becomes of them; of a mapping that does not fit, the columns and what is wrong.

    Raises `BlobDamaged`, and `FileUnreadable` for a file that cannot be read at all.
    """
    with opened(storage, source) as file:
        table = open_table(file.path, format=file.format, encoding=file.encoding)
        rows = table.sample(PREVIEWED)
        problems = [*table.problems, *(problem for row in rows for problem in row.problems)]
        try:
            mapping = ColumnMapping.from_json(source.mapping) if source.mapping else mapping_of(table)
            with imported(storage, source) as records:
                examples = [record.as_json() for record in islice(records, PREVIEWED)]
                problems = list(records.account.problems)
        except EstimatorError as error:
            mapping, examples, problems = ColumnMapping(), [], [*problems, *error.problems]
    return SourcePreviewOut(
        format=table.format.value, encoding=table.encoding, columns=list(table.columns),
        mapping=mapping.to_json() or source.mapping, rows=[_cut(row.value or {}) for row in rows], records=examples,
        problems=[problem_json(each) for each in problems],
    )  # fmt: skip


def problem_json(problem: Problem) -> dict[str, Any]:
    """As it is kept with its source."""
    return {
        "code": problem.code, "line": problem.line, "where": problem.where, "message": problem.message,
        "remedy": problem.remedy, "severity": problem.severity.value,
    }  # fmt: skip


def _origin(source: DataSource | SourceOut) -> Origin:
    author = source.author or source.generator
    return Origin(kind=source.kind, source=source.name, author=author, licence=source.licence)


def _cut(values: Any) -> dict[str, Any]:
    return {key: value[:_CELL_MAX] if isinstance(value, str) else value for key, value in values.items()}
