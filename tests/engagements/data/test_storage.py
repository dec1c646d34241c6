"""Bytes by their digest: whole or not at all, on a disk and in an object store."""

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from pydantic import SecretStr

from engagements.core.clock import FixedClock
from engagements.phases.data_preparation.storage import BlobDamaged, Storage, StorageFull, StorageUnreachable
from engagements.settings import Settings, SettingsInvalid
from engagements.wiring import wire

NOW = datetime.now(UTC)
HELLO = b"hello\n" * 1000


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@contextmanager
def files_of_at_most(size_bytes: int) -> Iterator[None]:
    """Of this process, as a full disk would have it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "storage"


@pytest.fixture
def storage(folder: Path) -> Storage:
    made = Storage(str(folder))
    made.prepare(at=NOW)
    return made


def test_what_is_kept_is_found_by_its_digest_and_the_same_bytes_are_kept_once(storage, folder):
    first, again = storage.put([HELLO]), storage.put([HELLO[:7], HELLO[7:]])

    assert first == again
    assert (first.sha256, first.size_bytes) == (sha256(HELLO).hexdigest(), len(HELLO))
    assert b"".join(storage.read(first.sha256)) == HELLO
    assert files_below(folder) == [f"blobs/{first.sha256[:2]}/{first.sha256}"]


def test_lines_are_the_same_wherever_the_pieces_end(storage):
    text = "\n".join(f"line {number} ä" for number in range(5)).encode()

    assert list(storage.lines(storage.put([text]).sha256)) == text.split(b"\n")


def test_a_source_that_fails_in_the_middle_leaves_nothing(storage, folder):
    def broken() -> Iterator[bytes]:
        yield HELLO
        raise ConnectionError("the sender went away")

    with pytest.raises(ConnectionError):
        storage.put(broken())

    assert files_below(folder) == []


def test_a_full_disk_is_said_so_and_leaves_nothing(storage, folder):
    with files_of_at_most(2000), pytest.raises(StorageFull, match="make room"):
        storage.put([HELLO])

    assert files_below(folder) == []
    assert storage.put([HELLO]).size_bytes == len(HELLO)


@pytest.mark.parametrize("damage", [b"", b"hallo\n", HELLO[:-1], HELLO + b"x"])
def test_bytes_that_changed_are_not_handed_out_as_if_they_had_not(storage, folder, damage):
    kept = storage.put([HELLO])
    (folder / "blobs" / kept.sha256[:2] / kept.sha256).write_bytes(damage)

    with pytest.raises(BlobDamaged, match="have changed"):
        list(storage.read(kept.sha256))

    storage.put([HELLO])
    assert b"".join(storage.read(kept.sha256)) == HELLO


def test_bytes_that_are_gone_are_missed_and_deleted_once(storage):
    kept = storage.put([HELLO])
    storage.delete(kept.sha256)
    storage.delete(kept.sha256)

    assert not storage.has(kept.sha256)
    with pytest.raises(BlobDamaged, match="are gone"):
        list(storage.read(kept.sha256))


def test_what_a_dead_process_left_is_swept_after_a_day_and_not_before(storage, folder):
    for name, age in (("old", timedelta(hours=25)), ("young", timedelta(hours=23))):
        left = folder / "partial" / name
        left.write_bytes(b"half of it")
        os.utime(left, ((NOW - age).timestamp(),) * 2)

    Storage(str(folder)).prepare(at=NOW)

    assert files_below(folder) == ["partial/young"]


@pytest.mark.skipif(sys.platform != "linux", reason="names of open files as Linux shows them")
def test_a_file_is_on_the_disk_before_its_name_is(storage, folder, monkeypatch):
    said: list[str] = []
    flush, rename = os.fsync, os.rename

    def flushed(handle: int) -> None:
        said.append("flush " + Path(f"/proc/self/fd/{handle}").readlink().relative_to(folder).parts[0])
        flush(handle)

    def renamed(before: str, after: str) -> None:
        said.append("rename")
        rename(before, after)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "rename", renamed)
    storage.put([HELLO])

    assert said == ["flush partial", "rename", "flush blobs", "flush blobs"]


@pytest.mark.parametrize("url", ["gopher://here", "/dev/null/storage"])
def test_a_place_that_cannot_be_used_is_a_fault_of_the_settings(tmp_path, url):
    settings = Settings(home=tmp_path, database=SecretStr(f"sqlite:///{tmp_path}/sixfold.db"), storage=url)

    with pytest.raises(SettingsInvalid) as refused:
        wire(settings, clock=FixedClock(at=NOW))

    assert [(each.where, each.code) for each in refused.value.problems] == [("storage", "setting_invalid")]
    assert url in str(refused.value)


@pytest.fixture(scope="module")
def object_store() -> Iterator[str]:
    """The address of a server that speaks S3."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  # takes a second to load

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.mark.enable_socket
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_an_object_store_keeps_the_same_promises(object_store):
    import s3fs  # noqa: PLC0415  # takes a second to load

    options = {"endpoint_url": object_store, "key": "testing", "secret": "testing"}
    with pytest.raises(StorageUnreachable, match="no bucket 'tickets'"):
        Storage("s3://tickets/ours", **options).prepare(at=NOW)
    s3fs.S3FileSystem(**options).mkdir("tickets")
    storage = Storage("s3://tickets/ours", **options)
    storage.prepare(at=NOW)
    files = s3fs.S3FileSystem(**options)

    kept = storage.put([HELLO] * 2)
    assert kept == storage.put([HELLO, HELLO])
    assert b"".join(storage.read(kept.sha256)) == HELLO * 2
    place = f"tickets/ours/blobs/{kept.sha256[:2]}/{kept.sha256}"
    assert files.find("tickets", refresh=True) == [place]

    files.pipe_file(place, HELLO)
    with pytest.raises(BlobDamaged):
        list(storage.read(kept.sha256))
    storage.delete(kept.sha256)
    assert not storage.has(kept.sha256)

    files.pipe_file("tickets/ours/partial/left", b"half of it")
    storage.prepare(at=NOW + timedelta(hours=23))
    assert files.exists("tickets/ours/partial/left")
    storage.prepare(at=NOW + timedelta(hours=25))
    files.invalidate_cache()
    assert not files.exists("tickets/ours/partial/left")
