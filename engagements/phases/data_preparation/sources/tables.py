"""The file of a source, as the table it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engagements.phases.data_preparation.collecting.rows import FileFormat
from engagements.phases.data_preparation.models import DataSource
from engagements.phases.data_preparation.sources.schemas import SourceOut
from engagements.phases.data_preparation.storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """`format` None where its name does not say it: then its content does."""

    path: Path
    format: FileFormat | None
    encoding: str | None


@contextmanager
def opened(storage: Storage, source: DataSource | SourceOut) -> Iterator[SourceFile]:
    """For as long as the block lasts. Raises `BlobDamaged` where the bytes are gone."""
    with storage.as_file(source.sha256) as path:
        format_ = FileFormat(source.format) if source.format else None
        yield SourceFile(path=path, format=format_, encoding=source.encoding or None)
