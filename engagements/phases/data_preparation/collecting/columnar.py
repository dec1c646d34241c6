"""Parquet into rows, batch by batch."""

import base64
import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import parquet

from engagements.phases.data_preparation.collecting.findings import FileUnreadable, finding
from engagements.phases.data_preparation.collecting.rows import Row, damaged, digest
from estimator.tokens.reading import Source

_BATCH_ROWS: Final = 1_000
_AS_THEY_ARE: Final = (str, int, bool, type(None))


def columns_of(path: Path) -> list[str]:
    """The names of the columns. Raises `FileUnreadable` where the file is damaged."""
    with _open(path) as file:
        return list(file.schema_arrow.names)


def read_parquet(source: Source) -> Iterator[Row]:
    """Dates as ISO 8601, decimals and bytes as text (bytes that are no UTF-8 as base64), not-a-number as null."""
    digest(source)
    number = 0
    with _open(source.path) as file:
        batches = file.iter_batches(batch_size=_BATCH_ROWS)
        while True:
            try:
                batch = next(batches, None)
                values = batch.to_pylist() if batch is not None else []
            except (pa.ArrowException, OSError, ValueError) as error:
                what = f"the file cannot be read from row {number + 1:,} on: {error}"[:300]
                yield damaged(number + 1, finding("file_damaged", what, line=number + 1))
                return
            if batch is None:
                return
            for value in values:
                number += 1
                yield _row(number, value)


def _row(number: int, value: dict[str, Any]) -> Row:
    plain = {name: each if type(each) in _AS_THEY_ARE else _plain(each) for name, each in value.items()}
    if any(type(each) is str and "\0" in each for each in plain.values()):
        return damaged(number, finding("row.nul_char", "the text holds a NUL character", line=number))
    return Row(number, plain)


def _open(path: Path) -> parquet.ParquetFile:
    try:
        return parquet.ParquetFile(path, memory_map=False)
    except (pa.ArrowException, OSError) as error:
        raise FileUnreadable(finding("file_damaged", f"the file cannot be read as Parquet: {error}"[:300])) from error


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal():
            return str(value)
        case bytes():
            return _text_of(value)
        case dict():
            return {str(key): _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return str(value)


def _text_of(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
