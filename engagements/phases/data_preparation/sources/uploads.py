"""Files on their way in: declared, received in pieces that may be sent again, then held against what was declared.

Each piece is bytes in the storage first and a row after, so what a row names is there; what no row names is swept.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlmodel import Session, col, select

from engagements.core.errors import Conflict, EngagementError
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.service import find
from engagements.db.columns import new_id
from engagements.db.store import Store
from engagements.delivery.under_way import claim_active
from engagements.phases.data_preparation.models import Upload, UploadPart, UploadState
from engagements.phases.data_preparation.reach import claim_row, find_row, reachable
from engagements.phases.data_preparation.sources.names import label_of
from engagements.phases.data_preparation.sources.schemas import UploadIn
from engagements.phases.data_preparation.storage import Storage

ABANDONED_AFTER: Final = timedelta(days=2)
"""Nothing came for so long: what there is of it is thrown away."""


class UploadEnded(Conflict):
    code = "upload_ended"


class UploadGap(Conflict):
    """A piece that does not begin where the last one ended, or before."""

    code = "upload_gap"


class UploadUnfinished(Conflict):
    code = "upload_unfinished"


class DigestMismatch(EngagementError):
    """What came is not what was declared. Nothing of it is kept."""

    code, status = "digest_mismatch", 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The bytes that one request brings, `first` counted from 0."""

    first: int
    size_bytes: int


def declare(session: Session, actor: Actor, engagement_id: str, data: UploadIn, *, at: datetime) -> Upload:
    """The upload of this file, or the one of the same file by the same person that is still under way.

    Raises `NotUnderWay` and `FilenameInvalid`.
    """
    engagement = claim_active(session, actor, engagement_id)
    same = reachable(Upload, actor).where(
        col(Upload.engagement_id) == engagement_id, col(Upload.sha256) == data.sha256,
        col(Upload.size_bytes) == data.size_bytes, col(Upload.created_by) == actor.id,
        col(Upload.state) == UploadState.RECEIVING,
    )  # fmt: skip
    if (row := session.exec(same).first()) is not None:
        return row
    row = Upload(
        id=new_id(Upload.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement.id,
        client_id=engagement.client_id, name=label_of(data.name), size_bytes=data.size_bytes, sha256=data.sha256,
        created_by=actor.id, created_at=at, changed_at=at,
    )  # fmt: skip
    session.add(row)
    return row


def expect(session: Session, actor: Actor, upload_id: str, span: Span) -> int:
    """How many bytes are there already, for a piece that fits. Raises `UploadEnded` and `UploadGap`."""
    row = find_row(session, actor, Upload, upload_id)
    _refuse_ended(row)
    if span.first > row.received or span.first + span.size_bytes > row.size_bytes:
        message = f"bytes {span.first} to {span.first + span.size_bytes} of {row.size_bytes} do not follow"
        raise UploadGap(message, remedy=f"go on from byte {row.received}")
    return row.received


def note_part(
    session: Session, actor: Actor, upload_id: str, *, start: int, size_bytes: int, place: str, at: datetime
) -> Upload:
    """Raises `UploadGap` where another request has brought these bytes meanwhile."""
    row = claim_row(session, actor, Upload, upload_id)
    _refuse_ended(row)
    if row.received != start:
        raise UploadGap("another request brings this file", remedy=f"go on from byte {row.received}")
    session.add(UploadPart(upload_id=row.id, start=start, size_bytes=size_bytes, place=place))
    row.received, row.changed_at = start + size_bytes, at
    return row


def assemble(store: Store, storage: Storage, actor: Actor, upload_id: str) -> None:
    """Makes one file of the parts, if it is all there and what was declared; that again is nothing new.

    Raises `UploadUnfinished`, `UploadEnded`, `DigestMismatch` and `StorageFull`; after the last two nothing is left.
    """
    with store.read() as session:
        row = find_row(session, actor, Upload, upload_id)
        if row.state is UploadState.COMPLETE:
            return
        _refuse_ended(row)
        if row.received < row.size_bytes:
            message = f"{row.received} of {row.size_bytes} bytes have come"
            raise UploadUnfinished(message, remedy=f"go on from byte {row.received}")
        places, declared = _places(session, row.id), row.sha256
    storage.put(_checked((storage.part(place) for place in places), declared))


def finish(session: Session, actor: Actor, upload_id: str, *, at: datetime) -> Upload:
    """After `assemble`: the file is there under its digest, and its parts are not needed any more."""
    row = claim_row(session, actor, Upload, upload_id)
    if row.state is not UploadState.COMPLETE:
        _refuse_ended(row)
        row.state, row.changed_at = UploadState.COMPLETE, at
        session.exec(delete(UploadPart).where(col(UploadPart.upload_id) == row.id))
    return row


def abandon(session: Session, actor: Actor, upload_id: str, *, at: datetime) -> Upload:
    """What came of it is thrown away. Raises `UploadEnded` for one that is complete."""
    row = claim_row(session, actor, Upload, upload_id)
    if row.state is not UploadState.ABANDONED:
        _refuse_ended(row)
        _let_go(session, row, at)
    return row


def sweep(store: Store, storage: Storage, *, at: datetime) -> int:
    """Gives up uploads to which nothing came for long, then throws away all parts that no row names; how many.

    A part is written before its row, so only one that has lain about is taken for lost.
    """
    with store.write() as session:
        old = select(Upload).where(
            col(Upload.state) == UploadState.RECEIVING, col(Upload.changed_at) < at - ABANDONED_AFTER
        )
        for row in session.exec(old.with_for_update(skip_locked=True)).all():
            _let_go(session, row, at)
    with store.read() as session:
        named = set(session.exec(select(UploadPart.place)).all())
    latest = (at - timedelta(minutes=10)).timestamp()
    lost = [place for place, written in storage.parts() if place not in named and written < latest]
    for place in lost:
        storage.drop_part(place)
    return len(lost)


def places_of(store: Store, upload_id: str) -> Sequence[str]:
    """Where the parts of an upload lie, in their order."""
    with store.read() as session:
        return _places(session, upload_id)


def uploads_of(session: Session, actor: Actor, engagement_id: str) -> Sequence[Upload]:
    """Those under way, newest first. Raises `NotFound`."""
    find(session, actor, Engagement, engagement_id)
    chosen = reachable(Upload, actor).where(
        col(Upload.engagement_id) == engagement_id, col(Upload.state) == UploadState.RECEIVING
    )
    return session.exec(chosen.order_by(col(Upload.id).desc()).limit(50)).all()


def _refuse_ended(row: Upload) -> None:
    if row.state is not UploadState.RECEIVING:
        raise UploadEnded(f"this upload is {row.state.value}", remedy="declare it anew to send it again")


def _places(session: Session, upload_id: str) -> Sequence[str]:
    chosen = select(UploadPart.place).where(col(UploadPart.upload_id) == upload_id)
    return session.exec(chosen.order_by(col(UploadPart.start))).all()


def _let_go(session: Session, row: Upload, at: datetime) -> None:
    row.state, row.received, row.changed_at = UploadState.ABANDONED, 0, at
    session.exec(delete(UploadPart).where(col(UploadPart.upload_id) == row.id))


def _checked(pieces: Iterator[bytes], declared: str) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
        yield piece
    if digest.hexdigest() != declared:
        message = f"the file that came has the sha256 {digest.hexdigest()}, not the one declared"
        raise DigestMismatch(message, remedy="send the file again")
