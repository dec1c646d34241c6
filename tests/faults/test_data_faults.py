"""Work on data whose worker is killed or starved, and two who ask at once: it is done once, whole, as if nothing were.

A worker here is a process of its own; it is killed from outside, when the rows say how far it is.
"""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import func, select

from engagements.core import audit
from engagements.core.models import AuditEvent
from engagements.core.roles import Role
from engagements.delivery.gate_models import EvidenceRecord
from engagements.phases.data_preparation.models import (
    DataJob,
    DataJobProgress,
    DataSource,
    Example,
    ExampleFinding,
    ExampleState,
    SourceState,
)
from engagements.phases.data_preparation.versions.models import DatasetVersion, VersionMember
from engagements.phases.data_preparation.versions.references import UNNAMED_KEPT, sweep_unnamed
from engagements.tables import RECORDS

WORKER = """
import sys
from datetime import datetime
from pydantic import SecretStr
from engagements.core.clock import FixedClock
from engagements.settings import Settings
from engagements.wiring import wire

wiring = wire(
    Settings(home=sys.argv[1], database=SecretStr(sys.argv[2])),
    clock=FixedClock(at=datetime.fromisoformat(sys.argv[3])),
)
print("ready", flush=True)
sys.stdin.readline()
wiring.workshop.do_due()
"""
BYTES = {"Content-Type": "application/octet-stream"}
LABELS = ("refund", "delivery", "outage")
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
KILLED_AT = [("import", "Making examples"), ("check", "Checking examples"), ("seal", "Splitting")]


def rows_of(count: int, *, width: int = 0) -> bytes:
    """Tickets as JSON Lines, no two alike; `width`: characters more in each."""
    words = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]
    texts = [f"{' '.join(word[at : at + 6] for at in range(0, 60, 6))} {word * (width // 64)}" for word in words]
    lines = (
        {"id": f"r{number:06d}", "label": LABELS[number % 3], "messages": [
            {"role": "user", "content": text}, {"role": "assistant", "content": LABELS[number % 3]},
        ]}
        for number, text in enumerate(texts)
    )  # fmt: skip
    return b"".join(json.dumps(each).encode() + b"\n" for each in lines)


@dataclass(frozen=True, kw_only=True)
class Shop:
    """An engagement that takes data, and workers for it."""

    house: Any
    api: Any
    engagement_id: str
    folder: Path

    @property
    def home(self) -> str:
        return f"/api/v1/engagements/{self.engagement_id}"

    def source(self, content: bytes) -> str:
        declared = {"name": "a.jsonl", "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        upload = f"/api/v1/uploads/{self.made('/data/uploads', declared)}"
        self.api.ask("PUT", f"{upload}/content", content=content, headers=BYTES)
        assert self.api.post(f"{upload}/complete").status_code == 200
        told = {"kind": "historical", "licence": "theirs", "upload_id": upload.rpartition("/")[2]}
        return self.made("/data/sources", told)

    def filled(self, content: bytes) -> None:
        """A pool of accepted examples."""
        self.ask("import", self.source(content))
        self.house.wiring.workshop.do_due()
        with self.house.wiring.store.write() as session:
            session.execute(update(Example).values(state=ExampleState.ACCEPTED))

    def made(self, path: str, body: object) -> str:
        answer = self.api.post(self.home + path, body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def ask(self, what: str, source_id: str = "") -> str:
        """The id of the job."""
        if what == "import":
            return str(self.api.post(f"/api/v1/data-sources/{source_id}/import").json()["id"])
        return self.made({"check": "/data/checks", "seal": "/dataset-versions"}[what], {})

    def worker(self) -> subprocess.Popen[bytes]:
        """One that is ready and waits for a line."""
        wiring = self.house.wiring
        given = [str(self.folder), wiring.settings.database_url, self.house.clock.now().isoformat()]
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, *given], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    def job(self, job_id: str) -> DataJob:
        return self.read(DataJob, job_id)

    def read(self, kind: Any, key: str) -> Any:
        with self.house.wiring.store.read() as session:
            row = session.get_one(kind, key)
            session.expunge(row)
            return row

    def count(self, kind: Any, *wheres: Any) -> int:
        with self.house.wiring.store.read() as session:
            return int(session.exec(select(func.count()).select_from(kind).where(*wheres)).one())

    def blobs(self) -> set[str]:
        return {path.name for path in (self.folder / "storage" / "blobs").rglob("*") if path.is_file()}

    def taken_over(self) -> None:
        """After the lease has ended."""
        self.house.clock.move(timedelta(minutes=5))
        self.house.wiring.workshop.do_due()

    def untouched_trail(self) -> bool:
        with self.house.wiring.store.read() as session:
            return list(audit.verify(session, self.house.organisation_id, RECORDS)) == []


@pytest.fixture
def shop(house, sign, tmp_path) -> Shop:
    begun = sign(house.wiring, house.organisation_id)
    return Shop(house=house, api=house.api(Role.DELIVERY_LEAD), engagement_id=begun.engagement_id, folder=tmp_path)


def begin(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.close()


def killed_at(shop: Shop, job_id: str, step: str) -> None:
    """A worker that takes the job, and is killed as soon as it says that it is at this step."""
    process = shop.worker()
    begin(process)
    until = time.monotonic() + 120
    while not shop.read(DataJobProgress, job_id).step.startswith(step):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    assert shop.job(job_id).state == "running"


@pytest.mark.slow
@pytest.mark.parametrize(("what", "step"), KILLED_AT)
def test_what_a_killed_worker_had_begun_another_does_once_and_alike(shop, what, step):
    content = rows_of(6_000)
    if what == "import":
        source_id = shop.source(content)
        job_id = shop.ask("import", source_id)
    else:
        shop.filled(content)
        job_id = shop.ask(what)
    killed_at(shop, job_id, step)

    # Nobody takes it while its lease lasts.
    shop.house.wiring.workshop.do_due()
    assert shop.job(job_id).state == "running"
    shop.taken_over()

    job = shop.job(job_id)
    assert (job.state, job.error) == ("done", "")
    assert shop.count(AuditEvent, AuditEvent.entity_id == job_id, AuditEvent.action == "data_job.done") == 1
    assert shop.count(Example) == 6_000
    assert shop.untouched_trail()
    again = outcome(shop, what, job)
    if what == "import":
        assert shop.read(DataSource, source_id).state is SourceState.IMPORTED
        assert shop.count(Example, Example.state == ExampleState.PENDING) == 6_000
    elif what == "check":
        # As a check that nobody disturbed.
        second = shop.job(shop.ask("check"))
        shop.house.wiring.workshop.do_due()
        assert outcome(shop, what, shop.job(second.id)) == again
    else:
        assert (shop.count(DatasetVersion), shop.count(VersionMember), shop.count(EvidenceRecord)) == (1, 6_000, 1)
        (shop_version,) = versions(shop)
        kept = {shop_version.sha256, *(split["kept"] for split in shop_version.splits)}
        assert shop.blobs() == kept | {hashlib.sha256(content).hexdigest()}


def outcome(shop: Shop, what: str, job: DataJob) -> Any:
    if what != "check":
        return job.result
    with shop.house.wiring.store.read() as session:
        findings = session.exec(select(ExampleFinding.code, ExampleFinding.example_id)).all()
        scores = session.exec(select(Example.id, Example.score, Example.cluster)).all()
    return job.result, sorted(findings), sorted(scores)


def versions(shop: Shop) -> list[DatasetVersion]:
    with shop.house.wiring.store.read() as session:
        rows = list(session.exec(select(DatasetVersion)))
        session.expunge_all()
        return rows


@pytest.mark.parametrize("what", ["import", "seal"])
@pytest.mark.slow
def test_a_disk_that_is_full_leaves_nothing_half_there_and_room_mends_it(shop, what):
    """On SQLite the database itself has no room, on PostgreSQL the storage."""
    content = rows_of(300, width=20_000)
    if what == "import":
        source_id = shop.source(content)
        job_id = shop.ask("import", source_id)
    else:
        shop.filled(content)
        job_id = shop.ask("seal")
    before = shop.blobs()
    process = shop.worker()
    limit = 1_000_000
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
    begin(process)
    process.wait()
    process.stdout.close()

    is_sqlite = shop.house.wiring.store.is_sqlite
    if what == "import" and not is_sqlite:
        # Examples go to a server with a disk of its own.
        assert shop.job(job_id).state == "done"
        return
    assert shop.job(job_id).state != "done"
    assert shop.blobs() == before
    assert (shop.count(DatasetVersion), shop.count(VersionMember), shop.count(EvidenceRecord)) == (0, 0, 0)
    assert shop.count(Example, Example.state == ExampleState.PENDING) == 0
    if not is_sqlite:
        assert shop.job(job_id).result["code"] == "storage_full"

    if shop.job(job_id).state == "failed":
        job_id = shop.ask("import", source_id) if what == "import" else shop.ask("seal")
    shop.taken_over()

    assert shop.job(job_id).state == "done"
    assert shop.count(DatasetVersion) == (what == "seal")
    assert shop.count(Example) == 300
    assert shop.untouched_trail()


def test_of_two_who_seal_at_once_one_does_and_the_other_is_told(shop):
    shop.filled(rows_of(60))
    leads, together = [shop.house.api(Role.DELIVERY_LEAD) for _ in range(2)], Barrier(2)

    def seal(api: Any) -> tuple[int, str]:
        together.wait()
        answer = api.post(f"{shop.home}/dataset-versions", {})
        return answer.status_code, answer.json().get("code", "")

    with ThreadPoolExecutor(2) as both:
        answers = sorted(both.map(seal, leads))
    shop.house.wiring.workshop.do_due()

    assert answers == [(201, ""), (409, "job_running")]
    assert [version.number for version in versions(shop)] == [1]
    assert shop.count(EvidenceRecord) == 1


def test_two_workers_that_look_at_once_do_a_job_once(shop):
    shop.filled(rows_of(60))
    job_id = shop.ask("seal")
    workers = [shop.worker() for _ in range(2)]
    for each in workers:
        begin(each)
    assert [each.wait() for each in workers] == [0, 0]
    for each in workers:
        each.stdout.close()

    assert shop.job(job_id).state == "done"
    assert shop.read(DataJobProgress, job_id).fence == 1
    assert (shop.count(DatasetVersion), shop.count(VersionMember), shop.count(EvidenceRecord)) == (1, 60, 1)


@ON_SQLITE
def test_bytes_that_no_row_names_are_swept_after_a_month_and_no_others(shop):
    shop.filled(rows_of(60))
    shop.ask("check")
    shop.ask("seal")
    shop.house.wiring.workshop.do_due()
    named, storage = shop.blobs(), shop.house.wiring.storage
    lost = storage.put([b"of a worker that died"])
    wiring, at = shop.house.wiring, shop.house.clock.now()

    assert sweep_unnamed(wiring.store, storage, at=at) == 0
    for path in (shop.folder / "storage" / "blobs").rglob("*"):
        long_ago = (at - UNNAMED_KEPT - timedelta(days=1)).timestamp()
        os.utime(path, (long_ago, long_ago))
    assert sweep_unnamed(wiring.store, storage, at=at) == 1

    assert shop.blobs() == named
    assert not storage.has(lost.sha256)


def test_a_preparation_without_room_leaves_the_folder_as_it_was(start: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(rows_of(300, width=20_000))
    arguments = ("data", "prepare", "rows.jsonl", "--task", "classification", "-o", "out", "--json")
    limit = 1_000_000
    process = start(*arguments, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    out, error = process.communicate(timeout=120)

    assert process.code == 2, (out, error)
    assert b"Traceback" not in error
    assert not (tmp_path / "out").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.jsonl", "tmp"]
    assert list((tmp_path / "tmp").iterdir()) == []
    assert start(*arguments).wait() == 0
