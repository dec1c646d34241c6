"""The job that brings raw material from a place that the installation allows into the storage."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from sqlmodel import Session

from engagements.core import audit
from engagements.db.columns import new_id
from engagements.phases.data_preparation.jobs.context import JobContext
from engagements.phases.data_preparation.models import DataSource, SourceState
from engagements.phases.data_preparation.sources.importing import put_away, source_of
from engagements.phases.data_preparation.sources.places import allowed, is_database
from engagements.phases.data_preparation.sources.service import format_of
from engagements.phases.data_preparation.storage import Blob

_PIECE_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    name: str
    blob: Blob


def fetch_source(context: JobContext) -> Mapping[str, Any]:
    """One source a file: the first is the one that was asked for, others of a folder stand beside it.

    Raises `PlaceNotAllowed` where the setting allows it no more, and what the place itself raises.
    """
    source = source_of(context)
    with put_away(context, source.id), TemporaryDirectory(prefix="sixfold-") as folder:
        context.progress("Fetching")
        address = allowed(source.place, context.places)
        paths = _fetched(address, context.job.options.get("query", ""), Path(folder))
        found = list(_kept(context, paths))
        with context.write() as session:
            return {"source_ids": _describe(session, context, source.id, found)}


def _fetched(address: str, query: str, into: Path) -> list[Path]:
    # File systems, hubs and databases are loaded where something is fetched.
    from engagements.phases.data_preparation.collecting.databases import fetch_query  # noqa: PLC0415
    from engagements.phases.data_preparation.collecting.places import fetch  # noqa: PLC0415

    return [fetch_query(address, query, into)] if is_database(address) else fetch(address, into)


def _kept(context: JobContext, paths: Sequence[Path]) -> Iterator[Fetched]:
    for done, path in enumerate(paths, start=1):
        context.progress("Keeping what was fetched", done, len(paths))
        yield Fetched(name=path.name, blob=context.storage.put(_pieces(context, path)))


def _pieces(context: JobContext, path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            context.progress("Keeping what was fetched")
            yield piece


def _describe(session: Session, context: JobContext, source_id: str, found: Sequence[Fetched]) -> list[str]:
    """Notes what was fetched; the ids of the sources."""
    first = session.get_one(DataSource, source_id)
    told = first.model_dump(exclude={"id", "version", "name", "format", "sha256", "size_bytes", "state"})
    rows = [first, *(DataSource(**told, id=new_id(DataSource.PREFIX), name=each.name) for each in found[1:])]
    for row, each in zip(rows, found, strict=True):
        row.name = each.name if len(found) > 1 else row.name
        row.sha256, row.size_bytes = each.blob.sha256, each.blob.size_bytes
        row.format = first.format if row is first and first.format else format_of(each.name)
        row.state, row.changed_at = SourceState.NEW, context.clock.now()
        session.add(row)
        audit.record(session, context.actor, "data_source.fetched", row, at=context.clock.now())
    return [row.id for row in rows]
