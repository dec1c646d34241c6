"""Delivery under faults: killed, crowded and without room, a gate and a report are there whole, once, or not at all."""

import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from engagements.core.audit import verify
from engagements.core.models import AuditEvent, OutboxEvent
from engagements.core.roles import Role
from engagements.db.store import Store
from engagements.db.upkeep import findings, sqlite_file
from engagements.delivery.gate_models import GateDecision
from engagements.delivery.models import PhaseRecord, PhaseState
from engagements.proposals.frozen import frozen
from engagements.reports.models import StatusReport
from engagements.tables import RECORDS

Serve = Callable[..., Any]
KILLED_AFTER = 5

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


@dataclass(kw_only=True)
class Site:
    """A served process over an engagement whose first phase is under way, and a lead with a key."""

    served: Any
    key: str
    engagement_id: str
    organisation_id: str
    acknowledged: set[str] = field(default_factory=set)

    def post(self, path: str, body: object, once: str = "") -> httpx.Response:
        headers = {"Idempotency_Key": once} if once else {}
        path = f"/api/v1/engagements/{self.engagement_id}{path}"
        return self.served.ask("POST", path, body, X_API_Key=self.key, **headers)

    def hold(self, name: str) -> httpx.Response:
        """A sitting that decides nothing yet, of which there may be many."""
        until = (date.today() + timedelta(days=30)).isoformat()  # noqa: DTZ011  # any day after the server's own
        return self.post(
            "/gates/data_preparation/decide", {"verdict": "hold", "reason": name, "review_on": until}, name
        )

    def report(self, name: str) -> httpx.Response:
        return self.post("/reports", {"summary": name}, name)


@pytest.fixture
def site(house: Any, under_way: Any, serve: Serve, database_url: str) -> Site:
    lead = house.api(Role.ACCOUNT_LEAD)
    begun = lead.post(f"/api/v1/engagements/{under_way.engagement_id}/phases/data_preparation/start", {})
    assert begun.is_success, begun.text
    return Site(
        served=serve(database=database_url), key=lead.headers["X-API-Key"], engagement_id=under_way.engagement_id,
        organisation_id=house.organisation_id,
    )  # fmt: skip


def assert_whole(url: str, organisation_id: str) -> dict[str, str]:
    """What a step writes together is there together. Returns ids by what the steps were called."""
    if database := sqlite_file(url):
        assert findings(database) == []
    store = Store(url)
    with store.read() as session:
        assert list(verify(session, organisation_id, RECORDS)) == []
        reports = session.exec(select(StatusReport).order_by(col(StatusReport.number))).all()
        sittings = session.exec(select(GateDecision).order_by(col(GateDecision.sitting))).all()
        assert [report.number for report in reports] == list(range(1, len(reports) + 1))
        assert [sitting.sitting for sitting in sittings] == list(range(1, len(sittings) + 1))
        assert all(frozen(session, organisation_id, report.pdf_sha256).content for report in reports)
        for rows, action, told in ((reports, "report.issued", "report"), (sittings, "gate.decided", "gate")):
            ids = {row.id for row in rows}
            audited = session.exec(select(AuditEvent.entity_id).where(AuditEvent.action == action)).all()
            events = session.exec(select(OutboxEvent).where(OutboxEvent.type == action)).all()
            assert sorted(audited) == sorted(ids)
            assert {event.data[told] for event in events} == ids
        names = {report.summary: report.id for report in reports} | {each.reason: each.id for each in sittings}
        assert len(names) == len(reports) + len(sittings)
    store.close()
    return names


def test_killed_while_gates_are_decided_and_reports_issued_each_is_whole_and_once(
    site: Site, serve: Serve, database_url: str
) -> None:
    steps = [
        (f"{kind}-{number}", step)
        for number in range(20)
        for kind, step in (("hold", site.hold), ("report", site.report))
    ]
    tried: list[str] = []

    def work() -> None:
        for name, step in steps:
            tried.append(name)
            try:
                answer = step(name)
            except httpx.TransportError:
                return
            assert answer.status_code == 201, answer.text
            site.acknowledged.add(name)

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        while len(site.acknowledged) < KILLED_AFTER:
            assert not working.done() or working.result() is None
            time.sleep(0.01)
        os.kill(site.served.process.pid, signal.SIGKILL)
        working.result()
    site.served.process.wait()
    there = assert_whole(database_url, site.organisation_id)
    assert site.acknowledged <= there.keys() <= set(tried)
    site.served = serve(database=database_url)
    for name, step in steps[: len(tried)]:
        while (answer := step(name)).status_code in {409, 503}:
            assert answer.json()["code"] in {"idempotency_in_progress", "busy"}, answer.text
        assert answer.status_code == 201, answer.text
        assert there.get(name, answer.json()["id"]) == answer.json()["id"]
    assert assert_whole(database_url, site.organisation_id).keys() == set(tried)


def test_two_processes_that_pass_one_gate_at_once_pass_it_once(site: Site, house: Any, database_url: str) -> None:
    """The served one and this one, over one database."""
    here = house.api(Role.ACCOUNT_LEAD)
    address = f"/api/v1/engagements/{site.engagement_id}/gates/data_preparation"
    gate = site.served.ask("GET", address, X_API_Key=site.key).json()
    go = {
        "verdict": "go", "overridden": [blocker["requirement"] for blocker in gate["blockers"]],
        "override_reason": "The evidence was lost with the old tool.",
    }  # fmt: skip
    together = threading.Barrier(2)

    def there() -> httpx.Response:
        together.wait(60)
        return site.post("/gates/data_preparation/decide", go)

    def at_home() -> httpx.Response:
        together.wait(60)
        return here.post(f"{address}/decide", go)

    with ThreadPoolExecutor(2) as pool:
        answers = [each.result() for each in (pool.submit(there), pool.submit(at_home))]
    assert sorted(answer.status_code for answer in answers) == [201, 409], [answer.text for answer in answers]
    assert len(assert_whole(database_url, site.organisation_id)) == 1
    store = Store(database_url)
    with store.read() as session:
        states = {row.phase.number: row.state for row in session.exec(select(PhaseRecord))}
    store.close()
    assert [states[number] for number in (1, 2, 3)] == [PhaseState.DONE, PhaseState.READY, PhaseState.PLANNED]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of 12 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_report_without_room_is_not_issued_at_all_and_with_room_it_is_issued_once(
    site: Site, serve: Serve, small_disk: Path, database_url: str
) -> None:
    home, there = small_disk / "home", sqlite_file(database_url)
    home.mkdir()
    assert there is not None
    with closing(sqlite3.connect(there)) as connection:
        connection.execute("vacuum into ?", (str(home / "sixfold.db"),))
    url = f"sqlite:///{home / 'sixfold.db'}"
    site.served = serve(home=str(home))
    assert site.hold("first").status_code == 201
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(max(shutil.disk_usage(small_disk).free - 40_000, 0)))
    refused = site.report("without-room")
    assert (refused.status_code, refused.json()["code"]) == (507, "storage_full"), refused.text
    assert assert_whole(url, site.organisation_id).keys() == {"first"}
    ballast.unlink()
    issued = [site.report("without-room") for _ in range(2)]
    assert [answer.status_code for answer in issued] == [201, 201]
    assert issued[0].json() == issued[1].json()
    assert assert_whole(url, site.organisation_id).keys() == {"first", "without-room"}
