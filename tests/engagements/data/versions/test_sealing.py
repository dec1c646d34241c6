"""What is sealed is whole, proved, stands once and for all, and reaches gate 1."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import timedelta

import orjson
import pytest
from sqlmodel import func, select

from engagements.core.models import AuditEvent, Engagement, EngagementState, OutboxEvent
from engagements.core.outbox import EventType
from engagements.core.roles import Role
from engagements.delivery.evidence import read_content
from engagements.delivery.gate_models import EvidenceRecord
from engagements.phases.data_preparation.jobs import context, queue
from engagements.phases.data_preparation.jobs.context import JobContext, LeaseLost
from engagements.phases.data_preparation.models import DataJob, DataJobProgress, ExampleState
from engagements.phases.data_preparation.storage import Blob, Storage, StorageFull
from engagements.phases.data_preparation.versions import sealing
from engagements.phases.data_preparation.versions.models import VersionMember

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def rows_of(house, kind) -> int:
    with house.wiring.store.read() as session:
        return session.exec(select(func.count()).select_from(kind)).one()


def blobs_of(house) -> set[str]:
    folder = house.wiring.settings.home_folder / "storage" / "blobs"
    return {path.name for path in folder.rglob("*") if path.is_file()}


class Faulty(Storage):
    """Runs `fault` before the n-th time that bytes are kept."""

    def __init__(self, storage: Storage, fault, *, at: int) -> None:
        self.__dict__ |= storage.__dict__
        self.fault, self.left = fault, at

    def put(self, pieces: Iterable[bytes]) -> Blob:
        self.left -= 1
        if self.left == 0:
            self.fault()
        return super().put(pieces)


def test_a_version_holds_what_is_accepted_split_proved_and_written_down(house, pool):
    pool.add([pool.record(900)], ExampleState.PENDING)
    pool.add([pool.record(901)], ExampleState.REJECTED)

    job = pool.seal(name="tickets@v1", note="For gate 1", seed=7, task="classification")

    version = pool.version(job.result["version"])
    assert (job.state, job.result["is_new"], version.number, version.name) == ("done", True, 1, "tickets@v1")
    lines = {split["name"]: pool.lines(version, split["name"]) for split in version.splits}
    assert [len(rows) for rows in lines.values()] == [split["examples"] for split in version.splits]
    ids = [row["id"] for rows in lines.values() for row in rows]
    assert sorted(ids) == [f"row-{number:05d}" for number in range(1, 61)]
    assert set(lines) == {"train", "validation", "test"}
    head, *members = [orjson.loads(line) for line in house.wiring.storage.lines(version.sha256)]
    assert head["parent"] is None
    assert [member[0] for member in members] == sorted(ids)
    assert rows_of(house, VersionMember) == 60
    assert (version.leakage["total"], version.leakage["pairs"]) == (0, [])
    with house.wiring.store.read() as session:
        evidence = session.exec(select(EvidenceRecord)).one()
        content, named = read_content(evidence.content), (evidence.id, evidence.external_id)
        told = session.exec(select(OutboxEvent.type)).all()
        actions = session.exec(select(AuditEvent.action)).all()
    assert named == (version.evidence_id, "tickets@v1")
    assert job.result["evidence"] == version.evidence_id
    assert (content.sha256, content.card_sha256) == (version.sha256, version.card_sha256)
    assert [split.sha256 for split in content.splits] == [split["sha256"] for split in version.splits]
    assert (content.leakage.exact, content.leakage.normalised, content.leakage.near) == (0, 0, 0)
    assert (content.licence.passed, content.agreement, content.personal_data) == (True, None, None)
    assert told.count(EventType.DATASET_SEALED) == 1
    assert actions.count("dataset_version.sealed") == 1


def test_sealing_the_same_again_answers_with_the_version_that_is_there(house, pool):
    first = pool.seal(name="tickets@v1")
    before = blobs_of(house)

    again = pool.seal(name="another name", note="again")

    assert (again.state, again.result) == ("done", {**first.result, "is_new": False})
    assert [version.name for version in pool.versions()] == ["tickets@v1"]
    assert blobs_of(house) == before
    assert rows_of(house, VersionMember) == 60


@ON_SQLITE
def test_the_same_content_and_policy_have_the_same_digest_wherever_they_are_sealed(house, pool_of, begin):
    one, other = (pool_of(begin(name)).sealed(seed=7) for name in ("Draft replies", "Other replies"))
    seeded = pool_of(begin("Third replies")).sealed(seed=8)

    assert one.id != other.id
    assert one.sha256 == other.sha256
    assert seeded.sha256 != one.sha256


@ON_SQLITE
def test_examples_stay_where_they_were_as_the_set_grows(house, pool):
    before = pool.sealed()
    pool.add([pool.record(number) for number in range(61, 121)])

    after = pool.sealed()

    assert (after.number, after.parent_id) == (2, before.id)
    for split in ("train", "validation", "test"):
        kept = {row["id"] for row in pool.lines(before, split)}
        now = {row["id"] for row in pool.lines(after, split)}
        assert kept < now


@ON_SQLITE
def test_a_group_is_never_parted(house, pool):
    customers = [pool.record(number, group=f"customer {number % 9}") for number in range(200, 290)]
    pool.add(customers)

    version = pool.sealed()

    split_of = {row["id"]: name for name in ("train", "validation", "test") for row in pool.lines(version, name)}
    for customer in range(9):
        assert len({split_of[each.id] for each in customers if each.group == f"customer {customer}"}) == 1


@ON_SQLITE
def test_a_leak_that_remains_refuses_with_its_pair_and_leaves_nothing(house, pool):
    version = pool.sealed()
    sealed, trained = pool.lines(version, "test")[0], pool.lines(version, "train")[0]
    copy = pool.record(int(trained["id"][-5:]), text=sealed["messages"][0]["content"], label=sealed["label"])
    pool.change(copy)
    before = blobs_of(house)

    job = pool.seal()

    assert (job.state, job.result["code"]) == ("failed", "holdout_leak")
    assert {problem["code"] for problem in job.result["problems"]} >= {"leak.exact"}
    assert sealed["id"] in job.result["problems"][0]["message"]
    assert trained["id"] in job.result["problems"][0]["message"]
    assert len(pool.versions()) == 1
    assert blobs_of(house) == before


@ON_SQLITE
def test_what_stands_against_sealing_is_said_before_a_job_is_made(house, pool, pool_of, begin):
    nothing = pool_of(begin("Nothing accepted"), 0)
    older = pool_of(begin("Two versions"))
    older.sealed(name="one")
    older.add([older.record(100)])
    older.sealed(name="two")
    waiting = pool_of(begin("Waiting"))
    waiting.ask()
    held = pool_of(begin("On hold"))
    with house.wiring.store.write() as session:
        row = session.get_one(Engagement, held.engagement.engagement_id)
        row.state = EngagementState.ON_HOLD
        session.info["changes"].clear()
        session.flush()
        session.info["changes"].clear()
    jobs = rows_of(house, DataJob)

    refused = {
        "nothing": nothing.ask(), "twice": waiting.ask(), "named": older.ask(name="one"), "held": held.ask(),
        "shares": pool.ask(shares={"train": 0.9, "validation": 0.2, "test": 0.1}),
        "nobody": pool.ask(Role.DELIVERY_MEMBER),
    }  # fmt: skip

    assert {name: (answer.status_code, answer.json()["code"]) for name, answer in refused.items()} == {
        "nothing": (422, "dataset_empty"), "twice": (409, "job_running"), "named": (409, "already_exists"),
        "held": (409, "engagement_not_active"), "shares": (422, "fraction.out_of_range"),
        "nobody": (403, "forbidden_role"),
    }  # fmt: skip
    assert rows_of(house, DataJob) == jobs


@ON_SQLITE
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_full_disk_in_the_middle_seals_nothing_and_can_be_mended(house, pool, nth):
    def full() -> None:
        raise StorageFull("the storage is full", remedy="make room, then try again")

    before = blobs_of(house)
    whole = house.wiring.workshop.storage
    house.wiring.workshop.storage = Faulty(whole, full, at=nth)

    job = pool.seal()

    assert (job.state, job.result["code"]) == ("failed", "storage_full")
    assert pool.versions() == []
    assert (rows_of(house, VersionMember), rows_of(house, EvidenceRecord)) == (0, 0)
    assert blobs_of(house) == before
    house.wiring.workshop.storage = whole
    assert pool.sealed().number == 1


@ON_SQLITE
def test_what_changes_while_it_is_sealed_does_not_come_back_by_the_version(house, pool):
    def excluded() -> None:
        pool.change(pool.record(5), ExampleState.EXCLUDED)

    before = blobs_of(house)
    house.wiring.workshop.storage = Faulty(house.wiring.workshop.storage, excluded, at=2)

    job = pool.seal()

    assert (job.state, job.result["code"]) == ("failed", "examples_changed")
    assert pool.versions() == []
    assert blobs_of(house) == before


def test_a_worker_that_was_taken_for_dead_seals_nothing_beside_its_successor(house, pool):
    pool.ask()
    contexts = []
    for _ in range(2):
        with house.wiring.store.write() as session:
            claimed = queue.claim_next(session, at=house.clock.now())
        contexts.append(
            JobContext(
                store=house.wiring.store, clock=house.clock, storage=house.wiring.storage, job=claimed.job,
                fence=claimed.fence,
            )
        )  # fmt: skip
        house.clock.move(timedelta(minutes=5))
    dead, alive = contexts

    sealed = sealing.seal(alive)
    with pytest.raises(LeaseLost):
        sealing.seal(dead)

    assert [version.id for version in pool.versions()] == [sealed["version"]]
    assert sum(len(pool.lines(pool.versions()[0], name)) for name in ("train", "validation", "test")) == 60


@ON_SQLITE
def test_a_step_that_takes_longer_than_a_lease_is_not_taken_for_dead(house, pool, monkeypatch):
    monkeypatch.setattr(context, "RENEWED_EVERY_S", 0.01)
    pool.ask()
    with house.wiring.store.write() as session:
        claimed = queue.claim_next(session, at=house.clock.now())
    under_way = JobContext(
        store=house.wiring.store, clock=house.clock, storage=house.wiring.storage, job=claimed.job, fence=claimed.fence
    )

    with under_way.kept():
        house.clock.move(timedelta(minutes=5))
        for _ in range(500):
            time.sleep(0.01)
            with house.wiring.store.read() as session:
                if session.get_one(DataJobProgress, claimed.job.id).lease_until > house.clock.now():
                    break
        with house.wiring.store.write() as session:
            assert queue.claim_next(session, at=house.clock.now()) is None

    under_way.progress("The next step")


@ON_SQLITE
def test_a_worker_killed_in_the_middle_leaves_a_job_that_seals_once(house, pool, tmp_path):
    job_id = pool.ask().json()["id"]
    script = """
import os, signal, sys
from datetime import datetime
from pydantic import SecretStr
from engagements.core.clock import FixedClock
from engagements.phases.data_preparation.storage import Storage
from engagements.settings import Settings
from engagements.wiring import wire

kept = Storage.put
times = []
def put(self, pieces):
    times.append(1)
    if len(times) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return kept(self, pieces)
Storage.put = put
settings = Settings(home=sys.argv[1], database=SecretStr(sys.argv[2]))
wire(settings, clock=FixedClock(at=datetime.fromisoformat(sys.argv[3]))).workshop.do_due()
"""
    arguments = [str(tmp_path), house.wiring.settings.database_url, house.clock.now().isoformat()]
    killed = subprocess.run([sys.executable, "-c", script, *arguments], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert (pool.job(job_id).state, pool.versions()) == ("running", [])
    assert rows_of(house, VersionMember) == 0

    house.clock.move(timedelta(minutes=5))
    house.wiring.workshop.do_due()

    assert pool.job(job_id).state == "done"
    assert [version.number for version in pool.versions()] == [1]
    assert rows_of(house, EvidenceRecord) == 1


@ON_SQLITE
def test_evidence_that_cannot_be_recorded_never_loses_the_version(house, pool, under_way):
    address = f"/api/v1/engagements/{under_way.engagement_id}/evidence"
    theirs = {
        "external_id": "tickets@v1", "source": "by hand", "measured_at": house.clock.now().isoformat(),
        "content": {"kind": "dataset_version", "name": "tickets@v1", "sha256": "3" * 64, "splits": []},
    }  # fmt: skip
    assert house.api().post(address, theirs).status_code == 201

    job = pool.seal(name="tickets@v1")

    version = pool.versions()[0]
    assert (job.state, job.result["evidence"], version.evidence_id) == ("done", None, None)
    assert "another content" in job.result["evidence_refused"]
    again = house.api().post(f"/api/v1/dataset-versions/{version.id}/evidence")
    assert (again.status_code, again.json()["code"]) == (409, "evidence_differs")


@ON_SQLITE
def test_a_split_with_nothing_in_it_is_refused(house, pool_of, begin):
    small = pool_of(begin("Small"), 2)

    job = small.seal()

    assert (job.state, job.result["code"]) == ("failed", "too_few_examples")
    assert small.versions() == []


@ON_SQLITE
def test_the_card_says_what_is_on_record_and_that_the_rest_is_unknown(house, pool):
    version = pool.sealed(task="classification", note="First.")

    answers = {each["question"]: each["answer"] for section in version.card["sections"] for each in section["answers"]}
    tables = {table["caption"]: table["rows"] for section in version.card["sections"] for table in section["tables"]}
    assert len(version.card["sections"]) == 7
    assert answers["How many instances are there?"] == "60 examples."
    assert answers["How much of it is synthetic?"] == "0 of 60 examples are synthetic; the others are people's."
    assert answers["Was each example looked at by a person?"] == "0 of 60 examples by 0 reviewers."
    assert answers["Under which licences is it?"] == "theirs."
    assert (answers["Which languages?"], answers["How far do reviewers agree?"]) == (None, None)
    assert answers["Does a test example stand in training, or nearly?"].startswith("0 exact, 0 normalised and 0 near")
    assert tables["Sources"] == [["tickets.jsonl", "existing work", None, "theirs", 60, 60]]
    assert sum(row[1] for row in tables["Splits"]) == 60
