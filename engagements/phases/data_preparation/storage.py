"""Where bytes lie that are too many for the database: by their sha256, in a folder or in any place fsspec knows.

A blob is there whole or not at all: it is written under a name of its own and moved to its digest at the end. The same
bytes are kept once. What is read is held against its digest. On a disk of our own, file and folder are flushed before
anybody is told that the bytes are kept; an object store does so itself.
"""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import fsspec
from fsspec.implementations.local import LocalFileSystem

from engagements.core.errors import EngagementError

PARTIAL_KEPT: Final = timedelta(days=1)
"""No upload of ours takes so long; what is older was left by a process that died."""
_PIECE_BYTES: Final = 1024 * 1024
_OF_BUCKETS: Final = frozenset({"s3", "s3a", "gs", "gcs", "abfs"})
NO_ROOM: Final = frozenset({errno.EFBIG, errno.ENOSPC, errno.EDQUOT})
"""Of an `OSError`: there is none on the disk, or none for us."""


class StorageUnreachable(EngagementError):
    """The place that the settings name is not there, or does not let us in."""

    code, status = "not_configured", 409


class StorageFull(EngagementError):
    """No room; nothing was kept of what was being written."""

    code, status = "storage_full", 507


class BlobDamaged(EngagementError):
    """The bytes under a digest are gone, or are not those bytes any more."""

    code, status = "digest_mismatch", 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    sha256: str
    size_bytes: int


class Storage:
    """`url`: a folder, or an address such as `s3://bucket/prefix`; `options` go to its file system.

    Raises `StorageUnreachable` for an address of a kind that is not installed. Nothing is opened before `prepare`.
    """

    def __init__(self, url: str, **options: Any) -> None:
        self._url = url
        try:
            self._files, self._root = fsspec.core.url_to_fs(url, **options)
        except (ImportError, ValueError, TypeError) as error:
            raise _unreachable(url, error) from error
        self._is_local = isinstance(self._files, LocalFileSystem)
        # Object stores have no folders to make, and s3fs would make a bucket that was only misspelt.
        self._bucket = self._root.partition("/")[0] if _protocols(self._files) & _OF_BUCKETS else ""

    def prepare(self, *, at: datetime) -> None:
        """Looks whether the place is there, and sweeps what dead processes left. Raises `StorageUnreachable`."""
        try:
            self._find_bucket()
            self._make_folder(self._partials)
            for place in self._left_over():
                self._sweep(place, before=at - PARTIAL_KEPT)
        except Exception as error:  # each file system has errors of its own; none of them lets us in
            raise _unreachable(self._url, error) from error

    def put(self, pieces: Iterable[bytes]) -> Blob:
        """Keeps the bytes. Raises `StorageFull`; whatever `pieces` raises leaves nothing behind either."""
        partial = f"{self._partials}/{secrets.token_hex(16)}"
        try:
            blob = self._written(partial, pieces)
            self._keep(partial, blob.sha256)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            raise StorageFull("the storage is full", remedy="make room, then try again") from error
        finally:
            with suppress(OSError):
                self._files.rm(partial)
        return blob

    def read(self, sha256: str) -> Iterator[bytes]:
        """The bytes, in pieces of a megabyte. Raises `BlobDamaged`: at once where they are gone, else at their end."""
        digest = hashlib.sha256()
        try:
            file = self._files.open(self._place(sha256), "rb")
        except FileNotFoundError as error:
            raise _damaged(f"the bytes kept as {sha256[:12]} are gone") from error
        with file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
                yield piece
        if digest.hexdigest() != sha256:
            raise _damaged(f"the bytes kept as {sha256[:12]} have changed")

    def lines(self, sha256: str) -> Iterator[bytes]:
        """The bytes, line by line, without the line ends."""
        tail = b""
        for piece in self.read(sha256):
            *lines, tail = (tail + piece).split(b"\n")
            yield from lines
        if tail:
            yield tail

    def has(self, sha256: str) -> bool:
        return bool(self._files.exists(self._place(sha256)))

    def delete(self, sha256: str) -> None:
        """What is not there any more is deleted already."""
        with suppress(FileNotFoundError):
            self._files.rm(self._place(sha256))

    @property
    def _partials(self) -> str:
        return f"{self._root}/partial"

    def _place(self, sha256: str) -> str:
        return f"{self._root}/blobs/{sha256[:2]}/{sha256}"

    def _written(self, partial: str, pieces: Iterable[bytes]) -> Blob:
        digest, size = hashlib.sha256(), 0
        self._make_folder(self._partials)
        with self._files.open(partial, "wb") as out:
            for piece in pieces:
                out.write(piece)
                digest.update(piece)
                size += len(piece)
            if self._is_local:
                out.flush()
                os.fsync(out.fileno())
        return Blob(sha256=digest.hexdigest(), size_bytes=size)

    def keep_part(self, content: bytes) -> str:
        """Bytes of something that is not whole yet; where they lie. Raises `StorageFull`, and keeps nothing then."""
        place = f"parts/{secrets.token_hex(16)}"
        try:
            self._make_folder(f"{self._root}/parts")
            with self._files.open(f"{self._root}/{place}", "wb") as out:
                out.write(content)
        except OSError as error:
            self.drop_part(place)
            if error.errno not in NO_ROOM:
                raise
            raise StorageFull("the storage is full", remedy="make room, then try again") from error
        return place

    def part(self, place: str) -> bytes:
        """Raises `FileNotFoundError`."""
        content: bytes = self._files.cat_file(f"{self._root}/{place}")
        return content

    def drop_part(self, place: str) -> None:
        with suppress(OSError):
            self._files.rm(f"{self._root}/{place}")

    def parts(self) -> list[tuple[str, float]]:
        """Where parts lie that are there, and when each was written, in seconds since 1970."""
        folder = f"{self._root}/parts"
        with suppress(FileNotFoundError):
            found = self._files.ls(folder, detail=True, refresh=True)
            return [(f"parts/{each['name'].rpartition('/')[2]}", _written_at(each)) for each in found]
        return []

    def blobs(self) -> list[tuple[str, float]]:
        """The digests of all that is kept, and when each was written, in seconds since 1970."""
        self._files.invalidate_cache()
        found = self._files.find(f"{self._root}/blobs", detail=True)
        return [(name.rpartition("/")[2], _written_at(entry)) for name, entry in found.items()]

    @contextmanager
    def as_file(self, sha256: str) -> Iterator[Path]:
        """The bytes as a file to be read, for as long as the block lasts; a copy where they do not lie in a folder.

        Raises `BlobDamaged` where the bytes are gone; a copy is held against its digest as `read` does.
        """
        if self._is_local:
            if not self.has(sha256):
                raise _damaged(f"the bytes kept as {sha256[:12]} are gone")
            yield Path(self._place(sha256))
            return
        with TemporaryDirectory(prefix="sixfold-") as folder:
            copy = Path(folder) / sha256
            with copy.open("wb") as out:
                out.writelines(self.read(sha256))
            yield copy

    def _keep(self, partial: str, sha256: str) -> None:
        """Also over bytes of that name that are there: should those be damaged, they are whole again."""
        place = self._place(sha256)
        folder = place.rpartition("/")[0]
        self._make_folder(folder)
        self._files.mv(partial, place)
        if self._is_local:
            _flush_folder(folder)
            _flush_folder(folder.rpartition("/")[0])

    def _find_bucket(self) -> None:
        if self._bucket and not self._files.exists(self._bucket):
            raise FileNotFoundError(f"there is no bucket {self._bucket!r}")

    def _make_folder(self, path: str) -> None:
        if not self._bucket:
            self._files.makedirs(path, exist_ok=True)

    def _left_over(self) -> list[str]:
        self._files.invalidate_cache()
        try:
            return list(self._files.ls(self._partials, detail=False))
        except FileNotFoundError:
            return []

    def _sweep(self, place: str, *, before: datetime) -> None:
        with suppress(FileNotFoundError):  # another process may sweep, or its upload end, at the same time
            if self._files.isfile(place) and _aware(self._files.modified(place)) < before:
                self._files.rm(place)


def _protocols(files: Any) -> set[str]:
    return {files.protocol} if isinstance(files.protocol, str) else set(files.protocol)


def _flush_folder(path: str) -> None:
    """A rename is on the disk when its folder is."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _unreachable(url: str, error: Exception) -> StorageUnreachable:
    said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    remedy = "set SIXFOLD_STORAGE to a folder or an address such as s3://bucket/prefix, and SIXFOLD_STORAGE_OPTIONS"
    return StorageUnreachable(f"the storage at {url} cannot be used: {said}", remedy=remedy)


def _damaged(message: str) -> BlobDamaged:
    return BlobDamaged(message, remedy="restore the file from a backup; nothing that was made from it is changed")


def _written_at(entry: Mapping[str, Any]) -> float:
    """Of a listed file; file systems name the moment differently, and some give none."""
    at = entry.get("mtime") or entry.get("LastModified") or 0.0
    return float(at) if isinstance(at, (int, float)) else float(at.timestamp())
