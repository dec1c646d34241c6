"""The bytes of an upload as they come over the wire: gathered into parts, each kept before the next is read."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from litestar.concurrency import sync_to_thread

from engagements.core.errors import EngagementError
from engagements.core.roles import Actor
from engagements.db.store import Store
from engagements.phases.data_preparation.models import Upload
from engagements.phases.data_preparation.reach import find_row
from engagements.phases.data_preparation.sources import uploads
from engagements.phases.data_preparation.sources.schemas import UploadOut
from engagements.phases.data_preparation.sources.uploads import Span
from engagements.phases.data_preparation.storage import Storage, StorageFull
from engagements.web.streams import BodyCut, BodySilent

PART_BYTES: Final = 4 * 1024 * 1024
"""What a request holds in memory, and what is lost at most when the server is killed."""
_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")

Made = TypeVar("Made")


class RangeInvalid(EngagementError):
    code, status = "range.invalid", 422


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """What receives one request's piece of a file."""

    store: Store
    storage: Storage
    now: Callable[[], datetime]
    actor: Actor
    upload_id: str

    def span(self, given: str | None) -> Span:
        """The bytes that Content-Range names; without one, the whole file. Raises `NotFound` and `RangeInvalid`."""
        with self.store.read() as session:
            size_bytes = find_row(session, self.actor, Upload, self.upload_id).size_bytes
        if given is None:
            return Span(first=0, size_bytes=size_bytes)
        named = _RANGE.fullmatch(given.strip())
        first, last, total = map(int, named.groups()) if named else (0, -1, -1)
        if total != size_bytes or not first <= last < total:
            remedy = f"write it like bytes 0-{size_bytes - 1}/{size_bytes}"
            raise RangeInvalid(f"Content-Range {given[:60]!r} is no part of this file", remedy=remedy)
        return Span(first=first, size_bytes=last - first + 1)

    async def receive(self, span: Span, pieces: AsyncIterator[bytes]) -> UploadOut:
        """Keeps what is new of the pieces; what was there before is passed over.

        Raises `UploadEnded`, `UploadGap`, `BodySilent`, `BodyCut` (with what came before kept) and `StorageFull` (with
        nothing of the upload kept).
        """
        at = await self._in_thread(self._expected, span)
        skip, start, part = at - span.first, at, bytearray()
        stopped: EngagementError | None = None
        try:
            async for piece in pieces:
                part += piece[skip:]
                skip = max(0, skip - len(piece))
                if len(part) >= PART_BYTES:
                    start, part = await self._in_thread(self._keep, start, bytes(part)), bytearray()
        except (BodySilent, BodyCut) as error:
            stopped = error
        if part:
            await self._in_thread(self._keep, start, bytes(part))
        if stopped is not None:
            raise stopped
        return await self._in_thread(self._shown)

    def _expected(self, span: Span) -> int:
        with self.store.read() as session:
            return uploads.expect(session, self.actor, self.upload_id, span)

    def _keep(self, start: int, part: bytes) -> int:
        try:
            place = self.storage.keep_part(part)
        except StorageFull:
            give_up(self.store, self.storage, self.actor, self.upload_id, at=self.now())
            raise
        try:
            with self.store.write() as session:
                row = uploads.note_part(
                    session, self.actor, self.upload_id, start=start, size_bytes=len(part), place=place, at=self.now()
                )
                return row.received
        except Exception:
            self.storage.drop_part(place)
            raise

    def _shown(self) -> UploadOut:
        with self.store.read() as session:
            return UploadOut.of(find_row(session, self.actor, Upload, self.upload_id))

    async def _in_thread(self, work: Callable[..., Made], *given: object) -> Made:
        return await sync_to_thread(work, *given)


def give_up(store: Store, storage: Storage, actor: Actor, upload_id: str, *, at: datetime) -> None:
    """Throws away what came of an upload, so that its room is free again."""
    places = uploads.places_of(store, upload_id)
    with store.write() as session:
        uploads.abandon(session, actor, upload_id, at=at)
    for place in places:
        storage.drop_part(place)


def put_together(store: Store, storage: Storage, actor: Actor, upload_id: str, *, at: datetime) -> None:
    """`uploads.assemble`, after whose refusal for good nothing of the upload is left."""
    try:
        uploads.assemble(store, storage, actor, upload_id)
    except (uploads.DigestMismatch, StorageFull):
        give_up(store, storage, actor, upload_id, at=at)
        raise
