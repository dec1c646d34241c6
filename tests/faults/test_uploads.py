"""Uploads and imports whose server is killed, starved or left alone: nothing is half there, and it goes on."""

import hashlib
import os
import resource
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlmodel import select

from engagements.core.models import Engagement, Organisation
from engagements.core.roles import Role, system_actor
from engagements.core.schemas import ClientIn, EngagementIn, EngagementPatch
from engagements.core.service import change_engagement, create_client, open_engagement
from engagements.db.store import Store
from engagements.people.service import create_key

Serve = Callable[..., Any]
MEGABYTE = 1024 * 1024

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


@dataclass(kw_only=True)
class Desk:
    """Somebody with a key, and an engagement that takes data."""

    served: Any
    key: str
    engagement_id: str

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        return self.served.ask(method, f"/api/v1{path}", body, X_API_Key=self.key, **headers)

    def declare(self, content: bytes) -> str:
        body = {"name": "big.jsonl", "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        answer = self.ask("POST", f"/engagements/{self.engagement_id}/data/uploads", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def put(self, upload_id: str, content: bytes, first: int = 0) -> httpx.Response:
        headers = {
            "X-API-Key": self.key, "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}",
        }  # fmt: skip
        url = f"{self.served.said['url']}/api/v1/uploads/{upload_id}/content"
        return self.served.client.put(url, content=content[first:], headers=headers, timeout=60)

    def put_and_stop(self, upload_id: str, content: bytes, sent: int) -> socket.socket:
        """Announces all of it and sends only so many bytes; the connection stays open."""
        host, port = self.served.said["url"].removeprefix("http://").split(":")
        connection = socket.create_connection((host, int(port)), timeout=30)
        head = (
            f"PUT /api/v1/uploads/{upload_id}/content HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {self.key}\r\n"
            f"Content-Type: application/octet-stream\r\nContent-Length: {len(content)}\r\n"
            f"Content-Range: bytes 0-{len(content) - 1}/{len(content)}\r\n\r\n"
        )
        connection.sendall(head.encode() + content[:sent])
        return connection

    def there(self, upload_id: str) -> dict[str, Any]:
        return dict(self.ask("GET", f"/uploads/{upload_id}").json())

    def wait_for(self, upload_id: str, received: int) -> None:
        until = time.monotonic() + 20
        while self.there(upload_id)["received"] < received:
            assert time.monotonic() < until, self.there(upload_id)
            time.sleep(0.05)

    def job_when(self, job_id: str, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        until = time.monotonic() + 100
        while not fits(job := dict(self.ask("GET", f"/data-jobs/{job_id}").json())):
            assert time.monotonic() < until, job
            time.sleep(0.05)
        return job


def opened(served: Any, home: Path) -> Desk:
    store, at = Store(f"sqlite:///{home / 'sixfold.db'}"), datetime.now(UTC)
    with store.write() as session:
        owner = system_actor(session.exec(select(Organisation.id)).one())
        _, key = create_key(session, owner, name="Test", role=Role.ADMINISTRATOR, at=at)
        client = create_client(session, owner, ClientIn(name="Nordwind", country="DE"), at=at)
        row = open_engagement(session, owner, EngagementIn(client_id=client.id, name="Replies"), at=at)
        engagement_id = row.id
    with store.write() as session:
        version = session.get_one(Engagement, engagement_id).version
        change_engagement(session, owner, engagement_id, EngagementPatch(state="active"), version=version, at=at)
    store.close()
    return Desk(served=served, key=key, engagement_id=engagement_id)


@pytest.fixture
def desk(serve: Serve, tmp_path: Path) -> Desk:
    return opened(serve(data_workers="0"), tmp_path / "home")


def again(desk: Desk, serve: Serve, **settings: str) -> Desk:
    """After the server was killed."""
    os.killpg(desk.served.process.pid, signal.SIGKILL)
    desk.served.process.wait()
    return Desk(served=serve(**settings), key=desk.key, engagement_id=desk.engagement_id)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def content_of(size_bytes: int) -> bytes:
    return (b'{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}\n' * (
        size_bytes // 86 + 1
    ))[:size_bytes]  # fmt: skip


@pytest.mark.parametrize("percent", [50, 99])
def test_a_server_killed_in_an_upload_shows_no_file_and_the_upload_goes_on(desk, serve, tmp_path, percent):
    content = content_of(20 * MEGABYTE)
    upload_id = desk.declare(content)
    sent = len(content) * percent // 100
    # What was kept comes in parts of four megabytes.
    kept = sent // (4 * MEGABYTE) * 4 * MEGABYTE
    connection = desk.put_and_stop(upload_id, content, sent)
    desk.wait_for(upload_id, kept)
    desk = again(desk, serve, data_workers="0")
    connection.close()
    assert not files_in(tmp_path / "home" / "storage" / "blobs")
    assert kept <= (received := desk.there(upload_id)["received"]) <= sent
    assert desk.ask("POST", f"/uploads/{upload_id}/complete").json()["code"] == "upload_unfinished"
    assert desk.put(upload_id, content, received).json()["received"] == len(content)
    assert desk.ask("POST", f"/uploads/{upload_id}/complete").json()["state"] == "complete"
    (blob,) = files_in(tmp_path / "home" / "storage" / "blobs")
    assert blob.read_bytes() == content
    assert files_in(tmp_path / "home" / "storage" / "parts") == []


def test_an_upload_cut_at_99_per_cent_goes_on_there(desk):
    content = content_of(3 * MEGABYTE)
    upload_id = desk.declare(content)
    sent = len(content) * 99 // 100
    connection = desk.put_and_stop(upload_id, content, sent)
    connection.close()
    desk.wait_for(upload_id, sent)
    assert desk.put(upload_id, content, sent).json()["received"] == len(content)
    assert desk.ask("POST", f"/uploads/{upload_id}/complete").status_code == 200


def test_a_lost_answer_is_asked_for_again_and_there_is_one_source(desk):
    content = content_of(1000)
    upload_id = desk.declare(content)
    desk.put(upload_id, content)
    for _ in range(2):
        assert desk.ask("POST", f"/uploads/{upload_id}/complete", Idempotency_Key="once").status_code == 200
    body = {"kind": "historical", "licence": "theirs", "upload_id": upload_id}
    path = f"/engagements/{desk.engagement_id}/data/sources"
    first, second = (desk.ask("POST", path, body, Idempotency_Key="one-source").json() for _ in range(2))
    assert first == second
    assert len(desk.ask("GET", path).json()["items"]) == 1


def test_a_full_disk_is_507_and_leaves_room_for_the_next_small_file(serve, tmp_path):
    desk = opened(serve(data_workers="0"), tmp_path / "home")
    limit = 6 * MEGABYTE
    resource.prlimit(desk.served.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
    content = content_of(10 * MEGABYTE)
    upload_id = desk.declare(content)
    assert desk.put(upload_id, content).json()["received"] == len(content)
    answer = desk.ask("POST", f"/uploads/{upload_id}/complete")
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert files_in(tmp_path / "home" / "storage") == []
    assert desk.there(upload_id)["state"] == "abandoned"
    assert desk.served.ask("GET", "/health").status_code == 200
    small = content_of(1000)
    small_id = desk.declare(small)
    desk.put(small_id, small)
    assert desk.ask("POST", f"/uploads/{small_id}/complete").json()["state"] == "complete"


def test_memory_stays_flat_and_others_are_served_while_a_large_file_comes(desk):
    content = content_of(160 * MEGABYTE)
    upload_id = desk.declare(content)
    process = psutil.Process(desk.served.process.pid)
    before = process.memory_info().rss
    with ThreadPoolExecutor(1) as aside:
        sending = aside.submit(desk.put, upload_id, content)
        highest = before
        while not sending.done():
            assert desk.served.ask("GET", "/health").status_code == 200
            highest = max(highest, process.memory_info().rss)
            time.sleep(0.02)
    assert sending.result().json()["received"] == len(content)
    assert highest - before < 64 * MEGABYTE


@pytest.mark.slow
def test_an_import_whose_server_is_killed_comes_out_as_one_that_was_not(serve, tmp_path):
    desk = opened(serve(), tmp_path / "home")
    rows = b"".join(
        b'{"id":"r%d","messages":[{"role":"user","content":"Where is parcel %d?"},'
        b'{"role":"assistant","content":"On its way."}]}\n' % (number, number)
        for number in range(60_000)
    )
    upload_id = desk.declare(rows)
    desk.put(upload_id, rows)
    desk.ask("POST", f"/uploads/{upload_id}/complete")
    body = {"kind": "historical", "licence": "theirs", "upload_id": upload_id}
    source_id = desk.ask("POST", f"/engagements/{desk.engagement_id}/data/sources", body).json()["id"]
    job_id = desk.ask("POST", f"/data-sources/{source_id}/import").json()["id"]
    desk.job_when(job_id, lambda job: job["done"] > 0)
    desk = again(desk, serve)
    assert desk.ask("GET", f"/data-sources/{source_id}").json()["state"] == "importing"
    job = desk.job_when(job_id, lambda job: job["state"] not in {"queued", "running"})
    assert (job["state"], job["result"]["kept"]) == ("done", 60_000)
    standing = desk.ask("GET", f"/engagements/{desk.engagement_id}/data").json()
    assert standing["states"] == {"pending": 60_000, "accepted": 0, "rejected": 0, "excluded": 0}
