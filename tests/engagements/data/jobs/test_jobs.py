"""Long work: done once whoever does it, taken up again, cancelled, followed to its end."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlmodel import select

from engagements.client import Sixfold
from engagements.core.audit import verify
from engagements.phases.data_preparation.jobs import queue
from engagements.phases.data_preparation.jobs.context import LEASE, Cancelled, JobContext, LeaseLost
from engagements.phases.data_preparation.models import DataSource, Example, SourceState
from engagements.phases.data_preparation.sources.importing import import_source
from engagements.tables import RECORDS

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def claimed(house) -> JobContext:
    """The next job, as a worker holds it."""
    with house.wiring.store.write() as session:
        found = queue.claim_next(session, at=house.clock.now())
    assert found is not None
    parts = house.wiring
    return JobContext(store=parts.store, clock=house.clock, storage=parts.storage, job=found.job, fence=found.fence)


def pool_of(house) -> list[tuple[str, str, str]]:
    with house.wiring.store.read() as session:
        rows = session.exec(select(Example).order_by(Example.id)).all()
        return [(row.id, row.payload, row.state) for row in rows]


def test_two_workers_never_do_one_job_twice(house, desk, tickets):
    """The first is taken for dead while it works; whatever it still tries, it writes nothing."""
    source = desk.add(tickets(30))
    desk.ask_import(source["id"])
    slow = claimed(house)
    with house.wiring.store.write() as session:
        assert queue.claim_next(session, at=house.clock.now()) is None
    house.clock.at += LEASE + timedelta(seconds=1)
    assert house.wiring.workshop.do_due() == 1
    done = pool_of(house)
    with pytest.raises(LeaseLost):
        import_source(slow)
    assert pool_of(house) == done
    assert len(done) == 30
    assert desk.source(source["id"])["state"] == "imported"
    with house.wiring.store.read() as session:
        assert not list(verify(session, house.organisation_id, RECORDS))


@only_sqlite
def test_what_a_killed_worker_left_is_done_again_and_comes_out_the_same(house, desk, tickets):
    content = tickets(2500)
    source = desk.add(content)
    job_id = desk.ask_import(source["id"])

    class Killed(BaseException):
        """Nothing of the work's own runs any more."""

    class Mortal(JobContext):
        def progress(self, step: str, done: int = 0, total: int | None = None) -> None:
            if len(pool_of(house)) >= 2000:
                raise Killed
            super().progress(step, done, total)

    held = claimed(house)
    with pytest.raises(Killed):
        import_source(Mortal(**{name: getattr(held, name) for name in ("store", "clock", "storage", "job", "fence")}))
    half = pool_of(house)
    assert 0 < len(half) < 2500
    assert {state for _, _, state in half} == {"excluded"}
    assert desk.job(job_id)["state"] == "running"
    house.clock.at += LEASE + timedelta(seconds=1)
    house.wiring.workshop.do_due()
    assert desk.job(job_id)["state"] == "done"
    again = pool_of(house)
    assert [row[:2] for row in again[: len(half)]] == [row[:2] for row in half]
    assert len(again) == 2500
    assert {state for _, _, state in again} == {"pending"}


@only_sqlite
def test_a_job_that_runs_is_cancelled_at_its_next_step(house, desk, tickets):
    source = desk.add(tickets(30))
    job_id = desk.ask_import(source["id"])
    context = claimed(house)
    context.progress("Reading the file")
    desk.api.post(f"/api/v1/data-jobs/{job_id}/cancel")
    with pytest.raises(Cancelled):
        import_source(replace(context))
    with house.wiring.store.read() as session:
        assert session.get_one(DataSource, source["id"]).state is SourceState.CANCELLED
    assert pool_of(house) == []


@only_sqlite
def test_a_job_that_kills_its_workers_is_given_up(house, desk, tickets):
    source = desk.add(tickets(3))
    job_id = desk.ask_import(source["id"])
    for _ in range(queue.ATTEMPTS_MAX):
        claimed(house)
        house.clock.at += LEASE + timedelta(seconds=1)
    assert house.wiring.workshop.do_due() == 0
    assert (desk.job(job_id)["state"], desk.job(job_id)["result"]["code"]) == ("failed", "worker_died")
    desk.ask_import(source["id"])
    house.wiring.workshop.do_due()
    assert desk.source(source["id"])["state"] == "imported"


@only_sqlite
def test_of_one_kind_one_job_at_a_time(desk, tickets):
    source = desk.add(tickets(3))
    desk.ask_import(source["id"])
    second = desk.api.post(f"/api/v1/data-sources/{source['id']}/import")
    assert (second.status_code, second.json()["code"]) == (409, "job_running")
    assert len(desk.api.get(f"{desk.home}/jobs").json()["items"]) == 1


@only_sqlite
def test_a_job_is_followed_to_its_end_by_the_client(house, desk, tickets):
    class InProcess(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            return house.client._transport.handle_request(request)

    source = desk.add(tickets(30))
    job_id = desk.ask_import(source["id"])
    house.wiring.workshop.do_due()
    sixfold = Sixfold("http://sixfold.local", desk.api.headers["X-API-Key"], transport=InProcess())
    followed = list(sixfold.jobs.follow(job_id))
    assert [(job.state, job.result["kept"]) for job in followed] == [("done", 30)]
    raw = desk.api.get(f"/api/v1/data-jobs/{job_id}/events", headers={"Accept": "text/event-stream"})
    assert raw.headers["content-type"].startswith("text/event-stream")
    assert "event: ended" in raw.text
    assert desk.api.get("/api/v1/data-jobs/job_01m83vk6rf7nd3tqtq04tvqnj8/events").status_code == 404


def allow(house: Any, *places: str) -> Any:
    """The workshop of an installation whose setting names these places."""
    allowed = tuple(map(SecretStr, places))
    settings = house.wiring.settings.model_copy(update={"data_places": allowed})
    house.client.app.state.wiring = replace(house.wiring, settings=settings)
    house.wiring.workshop.places = allowed
    return house.wiring.workshop


@only_sqlite
def test_a_folder_that_the_installation_names_is_fetched_file_by_file(house, desk, tickets, tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "a.csv").write_bytes(tickets(3))
    (folder / "b.jsonl").write_bytes(b'{"text": "Where is it?", "label": "delivery"}\n')
    workshop = allow(house, str(tmp_path))
    told = {"kind": "historical", "licence": "theirs", "place": str(folder)}
    answer = desk.api.post(f"{desk.home}/sources", told)
    assert (answer.status_code, answer.json()["state"]) == (201, "fetching"), answer.text
    outside = desk.api.post(f"{desk.home}/sources", told | {"place": f"{folder}/../../etc"})
    assert outside.json()["code"] == "base_url.not_allowed"
    workshop.do_due()
    sources = desk.api.get(f"{desk.home}/sources").json()["items"]
    assert {(each["name"], each["format"], each["state"]) for each in sources} == {
        ("a.csv", "csv", "new"), ("b.jsonl", "jsonl", "new"),
    }  # fmt: skip
    for each in sources:
        desk.ask_import(each["id"])
    workshop.do_due()
    assert len(desk.examples()) == 4


@only_sqlite
def test_a_database_that_the_installation_names_is_asked_with_the_login_of_the_setting(house, desk, tmp_path):
    path = tmp_path / "desk.db"
    with closing(sqlite3.connect(path)) as theirs, theirs:
        theirs.execute("create table ticket (id integer, body text, topic text)")
        rows = [(1, "Where is it?", "delivery"), (2, "Is it paid?", "billing")]
        theirs.executemany("insert into ticket values (?, ?, ?)", rows)
    workshop = allow(house, f"sqlite:///{path}?timeout=5")
    mapping = {"task": "classification", "input": ["body"], "target": "topic", "id": "id"}
    told = {"kind": "historical", "licence": "theirs", "place": f"sqlite:///{path}", "mapping": mapping}
    without = desk.api.post(f"{desk.home}/sources", told)
    assert (without.status_code, without.json()["errors"][0]["pointer"]) == (422, "/query")
    source = desk.api.post(f"{desk.home}/sources", told | {"query": "select * from ticket order by id"}).json()
    workshop.do_due()
    desk.ask_import(source["id"])
    workshop.do_due()
    assert sorted(each["label"] for each in desk.examples()) == ["billing", "delivery"]
    assert "timeout" not in desk.api.get(f"/api/v1/data-sources/{source['id']}").text
