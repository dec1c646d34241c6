"""What every reader of a file yields, and the kinds of files there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeGuard

import orjson

from engagements.phases.data_preparation.collecting.findings import finding
from estimator.errors import Problem, Severity
from estimator.tokens.reading import Source

Values = Mapping[str, Any]

PART: Final = "part"
"""The column that holds under which key of a JSON document, or on which sheet, a row stands."""


class FileFormat(StrEnum):
    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    EXCEL = "excel"
    PARQUET = "parquet"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `number` is where a person finds it: the line of a text file, the row of a sheet, the member of a list.

    `value` is None where the row cannot be read; then one of `problems` is an error.
    """

    number: int
    value: Values | None
    problems: tuple[Problem, ...] = ()

    @property
    def problem(self) -> Problem | None:
        """The gravest."""
        return next(
            (each for each in self.problems if each.severity is Severity.ERROR), next(iter(self.problems), None)
        )


def damaged(number: int, *problems: Problem) -> Row:
    return Row(number, None, problems)


def undecodable(error: UnicodeDecodeError, number: int) -> Problem:
    """For a line that is not in the encoding of its file."""
    message = f"byte {error.object[error.start]:#04x} at position {error.start + 1} does not belong to the encoding"
    return finding("row.malformed_utf8", message, line=number)


def digest(source: Source) -> None:
    """Takes the whole file into the digest, where rows are not read from its beginning to its end."""
    with source.path.open("rb") as file:
        for _ in source.chunks(file):
            pass


def is_list_of(value: object, kind: type) -> TypeGuard[list[Any]]:
    return isinstance(value, list) and bool(value) and all(isinstance(each, kind) for each in value)


def text_of_cell(value: object) -> str:
    """What a cell says as text; an object or a list as JSON, nothing as an empty text."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            return orjson.dumps(value).decode()
