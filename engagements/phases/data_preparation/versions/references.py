"""Which bytes of the storage somebody still needs: the same ones are kept once, whoever brought them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from engagements.db.store import Store
from engagements.phases.data_preparation.models import (
    DataJob,
    DataSource,
    JobKind,
    JobState,
    SourceState,
    Upload,
    UploadState,
)
from engagements.phases.data_preparation.storage import Storage
from engagements.phases.data_preparation.versions.models import DatasetVersion

UNNAMED_KEPT: Final = timedelta(days=30)
"""The month that the GDPR gives for an erasure (Art. 12(3)); a database that was restored from too old a backup has it
to be replaced by the right one, and an upload to be made a source of."""


def is_needed(session: Session, sha256: str) -> bool:
    """Whether a source that is there, or a version of any engagement, rests on these bytes."""
    raw = select(DataSource.id).where(col(DataSource.sha256) == sha256, col(DataSource.state) != SourceState.REMOVED)
    if session.exec(raw).first() is not None:
        return True
    versions = session.exec(select(DatasetVersion.sha256, DatasetVersion.splits))
    return any(sha256 in {manifest, *(split["kept"] for split in splits)} for manifest, splits in versions)


def sweep_unnamed(store: Store, storage: Storage, *, at: datetime) -> int:
    """Throws away what a process that died had kept and no row ever named, and uploads of no source; how many.

    Nobody would find them to erase a person from them.
    """
    before = (at - UNNAMED_KEPT).timestamp()
    # Where a file system gives no moment, nobody knows what is on its way.
    old = [sha256 for sha256, written in storage.blobs() if 0 < written < before]
    if not old:
        return 0
    with store.read() as session:
        named = set(_named(session, at=at))
    lost = [sha256 for sha256 in old if sha256 not in named]
    for sha256 in lost:
        storage.delete(sha256)
    return len(lost)


def _named(session: Session, *, at: datetime) -> Iterator[str]:
    yield from session.exec(select(DataSource.sha256).where(col(DataSource.state) != SourceState.REMOVED))
    waiting = (col(Upload.state) == UploadState.COMPLETE, col(Upload.changed_at) > at - UNNAMED_KEPT)
    yield from session.exec(select(Upload.sha256).where(*waiting))
    for manifest, splits in session.exec(select(DatasetVersion.sha256, DatasetVersion.splits)):
        yield manifest
        yield from (split["kept"] for split in splits)
    reports = select(DataJob.result).where(col(DataJob.kind) == JobKind.CHECK, col(DataJob.state) == JobState.DONE)
    yield from (result.get("report_sha256", "") for result in session.exec(reports))
