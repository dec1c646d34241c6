"""Rows of the raw file of a source, and the same file without some of them."""

from collections.abc import Collection, Iterator
from typing import Any, Final

import orjson

from engagements.phases.data_preparation.collecting.reading import open_table
from engagements.phases.data_preparation.collecting.rows import FileFormat, Row
from engagements.phases.data_preparation.models import DataSource
from engagements.phases.data_preparation.storage import Blob, Storage

REWRITTEN_AS: Final = {"format": "jsonl", "encoding": "utf-8"}


def raw_rows(storage: Storage, source: DataSource) -> Iterator[Row]:
    """Raises `BlobDamaged`, and `EstimatorError` for a file that is no table."""
    with storage.as_file(source.sha256) as path:
        form = FileFormat(source.format) if source.format else None
        yield from open_table(path, format=form, encoding=source.encoding or None)


def without_rows(storage: Storage, source: DataSource, erased: Collection[int]) -> Blob:
    """The file as JSON Lines, whatever it was: in place of each erased row, and of one that cannot be read, stands {}.

    So every other row keeps its number. Raises what `raw_rows` raises, and `StorageFull`.
    """
    return storage.put(
        _line({} if row.number in erased or row.value is None else row.value) for row in raw_rows(storage, source)
    )


def _line(value: Any) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
