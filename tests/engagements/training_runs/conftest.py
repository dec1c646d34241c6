"""An engagement whose data is sealed and whose training has begun, and backends that train nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlmodel import select

from backends.errors import Problem
from backends.events import Poll
from backends.fake import FakeBackend
from backends.memory import Memory
from backends.protocol import Backend, Capabilities, Handle
from backends.spec import TrainingSpec
from engagements.app import connected
from engagements.client import Sixfold
from engagements.core import audit
from engagements.core.roles import Role, system_actor
from engagements.db.columns import new_id
from engagements.phases.data_preparation.models import DataSource, Example, ExampleState, SourceState
from engagements.phases.data_preparation.records import Origin, Provenance, Record
from engagements.phases.training.models import TrainingProgress, TrainingRun
from engagements.phases.training.supervising.supervisor import Supervisor
from engagements.phases.training.trainers import Trainers
from engagements.settings import TrainingBackend
from estimator.phases import Phase

QUEUES = ("billing", "meter", "contract", "outage")
MOMENT = timedelta(seconds=20)
FREE = {"amount": "0", "currency": "EUR", "source": "a machine of our own", "as_of": "2026-11-01"}


def record_of(number: int) -> Record:
    queue = QUEUES[number % len(QUEUES)]
    words = " ".join(f"{stem}{number * factor % 997}" for factor, stem in enumerate(("tal", "wor", "mip", "sed"), 3))
    return Record(
        id=f"row-{number:05d}", label=queue, origin=Origin(source="tickets.jsonl", row=number, licence="theirs"),
        messages=[{"role": "user", "content": f"{queue} {words}"}, {"role": "assistant", "content": queue}],
    )  # fmt: skip


class InProcess(httpx.BaseTransport):
    """Hands requests of the typed client to the application that the tests have started."""

    def __init__(self, house: Any) -> None:
        self._inner = house.client._transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer: httpx.Response = self._inner.handle_request(request)
        return answer


@dataclass(kw_only=True)
class Bench:
    """One engagement at phase 3. `world`: where its backends keep what they know; a new wiring finds it there."""

    house: Any
    lead: Any
    engagement_id: str
    version_id: str
    world: Path

    @property
    def home(self) -> str:
        return f"/api/v1/engagements/{self.engagement_id}"

    def typed(self) -> Sixfold:
        """The typed client of whoever leads."""
        key = self.lead.headers["X-API-Key"]
        return Sixfold("http://sixfold.local", key, transport=InProcess(self.house), backoff_s=0.0)

    @property
    def supervisor(self) -> Supervisor:
        found: Supervisor = self.house.client.app.state.wiring.supervisor
        return found

    def body(self, **fields: Any) -> dict[str, Any]:
        told = {
            "name": "First", "dataset_version_id": self.version_id, "metric": "exact_match", "cap_minor": 1_000,
            "base": {"backend": "fake", "model": "tiny", "hyperparameters": {"epochs": 3}},
        }  # fmt: skip
        return {name: value for name, value in (told | fields).items() if value is not ...}

    def plan(self, **fields: Any) -> dict[str, Any]:
        answer = self.lead.post(f"{self.home}/experiments", self.body(**fields))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def start(self, experiment: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.lead.post(f"/api/v1/experiments/{experiment['id']}/start")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def begin(self, **fields: Any) -> dict[str, Any]:
        return self.start(self.plan(**fields))

    def finish(self, experiment: Mapping[str, Any], *, moments: int = 60) -> dict[str, Any]:
        """Time passes until it has ended."""
        for _ in range(moments):
            self.supervisor.do_due()
            found = self.experiment(experiment)
            if found["state"] in {"done", "cancelled"}:
                return found
            self.house.clock.move(MOMENT)
        raise AssertionError(f"it does not end: {found}")

    def moment(self) -> int:
        """A moment passes, and all that is due then is done; how many steps it was."""
        self.house.clock.move(MOMENT)
        return self.supervisor.do_due()

    def experiment(self, experiment: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self.lead.get(f"/api/v1/experiments/{experiment['id']}").json())

    def run(self, run_id: str) -> dict[str, Any]:
        answer = self.lead.get(f"/api/v1/training-runs/{run_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def runs(self, experiment: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [self.run(each["id"]) for each in self.experiment(experiment)["runs"]]

    def rows(self, kind: type[Any]) -> list[Any]:
        with self.house.wiring.store.read() as session:
            found = list(session.exec(select(kind).order_by(*kind.__table__.primary_key.columns)))
            session.expunge_all()
            return found

    def set_up(self, backends: Mapping[str, TrainingBackend], **made: Backend) -> None:
        """Points the installation at these, as the settings would; `made`: instances that stand in for their kinds."""
        wiring, parts = self.house.wiring, self.house.wiring.supervisor.parts
        trainers = Trainers(by_name=dict(backends), environment={}, folder=self.world)
        trainers._made.update(made)
        supervisor = Supervisor(parts=replace(parts, trainers=trainers), workers=0)
        connected(self.house.client.app, replace(wiring, trainers=trainers, supervisor=supervisor))

    def another_process(self) -> Supervisor:
        """A supervisor that shares the database and the world with ours, and nothing else."""
        parts = self.supervisor.parts
        trainers = Trainers(by_name=parts.trainers.by_name, environment={}, folder=self.world)
        return Supervisor(parts=replace(parts, trainers=trainers), workers=0)

    def progress(self, run_id: str) -> TrainingProgress:
        return next(each for each in self.rows(TrainingProgress) if each.run_id == run_id)

    def row(self, run_id: str) -> TrainingRun:
        return next(each for each in self.rows(TrainingRun) if each.id == run_id)


@dataclass(kw_only=True)
class Scripted:
    """The backend that trains nothing, but for what a test has it answer first: errors are raised, polls are told."""

    inner: FakeBackend
    starts: list[Exception] = field(default_factory=list)
    polls: list[Exception | Poll] = field(default_factory=list)
    answers: list[Exception] = field(default_factory=list)
    can: Capabilities | None = None
    told: Callable[[Poll], Poll] = lambda poll: poll
    asked: list[str] = field(default_factory=list)
    name: str = "fake"

    @property
    def capabilities(self) -> Capabilities:
        return self.can or self.inner.capabilities

    def problems(self, spec: TrainingSpec, *, today: date) -> tuple[Problem, ...]:
        return self.inner.problems(spec, today=today)

    def start(self, spec: TrainingSpec, memory: Memory, *, now: datetime) -> Handle:
        self.asked.append("start")
        memory.remember("token", spec.run_id)
        if self.starts:
            raise self.starts.pop(0)
        return self.inner.start(spec, memory, now=now)

    def poll(self, handle: Handle, *, cursor: str = "") -> Poll:
        self.asked.append("poll")
        if self.polls:
            answer = self.polls.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return self.told(self.inner.poll(handle, cursor=cursor))

    def cancel(self, handle: Handle) -> None:
        self.asked.append("cancel")
        self.inner.cancel(handle)

    def predictor(self, model: str) -> Any:
        self.asked.append("predictor")
        if self.answers:
            raise self.answers.pop(0)
        return self.inner.predictor(model)


def said_of_fake(**settings: Any) -> TrainingBackend:
    return TrainingBackend.model_validate({"kind": "fake", "hour": FREE, "at_once": 4} | settings)


@pytest.fixture
def fake() -> Callable[..., TrainingBackend]:
    """What the settings say of a backend that trains nothing, on a machine that is paid for."""
    return said_of_fake


@pytest.fixture
def scripted(bench) -> Callable[..., Scripted]:
    """Sets up a backend that answers as it is told to."""

    def made(*, moments: int = 4, **fields: Any) -> Scripted:
        backend = Scripted(inner=FakeBackend(folder=bench.world / "fake", moments=moments), **fields)
        bench.set_up({"fake": said_of_fake()}, fake=backend)
        return backend

    return made


@pytest.fixture
def make_bench(house, tmp_path) -> Callable[..., Bench]:
    """Of an engagement whose data is sealed; `lead`: who works there."""

    def made(engagement: Any, lead: Any, version_id: str = "") -> Bench:
        found = Bench(
            house=house, lead=lead, engagement_id=engagement.engagement_id, world=tmp_path / "world",
            version_id=version_id or sealed(house, engagement),
        )  # fmt: skip
        found.set_up({"fake": said_of_fake()})
        return found

    return made


@pytest.fixture
def bench(house, begin, work_to_training, make_bench) -> Bench:
    engagement = begin()
    version_id = sealed(house, engagement)
    return make_bench(engagement, work_to_training(engagement.engagement_id), version_id)


def sealed(house: Any, engagement: Any, *, examples: int = 60) -> str:
    """A version of so many accepted examples, with scores; its id."""
    at, owner = house.clock.now(), system_actor(engagement.organisation_id)
    records = [record_of(number) for number in range(1, examples + 1)]
    raw = house.wiring.storage.put(record.as_line() for record in records)
    source = DataSource(
        id=new_id(DataSource.PREFIX), organisation_id=engagement.organisation_id,
        engagement_id=engagement.engagement_id, client_id=engagement.client_id, name="tickets.jsonl",
        kind=Provenance.EXISTING_WORK, licence="theirs", format="jsonl", encoding="utf-8", sha256=raw.sha256,
        size_bytes=raw.size_bytes, state=SourceState.IMPORTED, rows_in=examples, kept=examples, created_by=owner.id,
        created_at=at, changed_at=at,
    )  # fmt: skip
    rows = [
        Example(
            id=new_id(Example.PREFIX), organisation_id=engagement.organisation_id,
            engagement_id=engagement.engagement_id, client_id=engagement.client_id, source_id=source.id,
            row_number=number, record_id=record.id, sha256=record.content_sha256,
            payload=orjson.dumps(record.as_json()).decode(), label=record.label, state=ExampleState.ACCEPTED,
            score=number, created_at=at, changed_at=at,
        )
        for number, record in enumerate(records, start=1)
    ]  # fmt: skip
    with house.wiring.store.write() as session:
        session.add(source)
        audit.record(session, owner, "data_source.added", source, at=at)
        session.flush()
        session.add_all(rows)
    asked = house.api(Role.DELIVERY_LEAD).post(
        f"/api/v1/engagements/{engagement.engagement_id}/dataset-versions", {"task": "classification"}
    )
    assert asked.status_code == 201, asked.text
    house.wiring.workshop.do_due()
    job = house.api().get(f"/api/v1/data-jobs/{asked.json()['id']}").json()
    assert job["state"] == "done", job
    return str(job["result"]["version"])


@pytest.fixture
def work_to_training(house) -> Callable[[str], Any]:
    """Starts phase 3; the gates before it are passed by the one who may overrule what they lack."""

    def worked(engagement_id: str) -> Any:
        lead, home = house.api(Role.ADMINISTRATOR), f"/api/v1/engagements/{engagement_id}"
        for phase in (Phase.DATA_PREPARATION, Phase.BASELINE_EVALUATION):
            started = lead.post(f"{home}/phases/{phase}/start")
            assert started.status_code in {200, 201}, started.text
            blockers = lead.get(f"{home}/gates/{phase}").json()["blockers"]
            verdict = {
                "verdict": "go", "override_reason": "As a test has it.",
                "overridden": [each["code"].split(".")[0] for each in blockers],
            }  # fmt: skip
            decided = lead.post(f"{home}/gates/{phase}/decide", verdict if blockers else {"verdict": "go"})
            assert decided.status_code == 201, decided.text
            if decided.json()["state"] == "awaiting_client":
                signed = {"signed": True, "name": "Ana Brandt", "evidence": "her e-mail"}
                assert lead.post(f"/api/v1/gates/{decided.json()['id']}/on-behalf", signed).status_code == 200
        assert lead.post(f"{home}/phases/{Phase.TRAINING}/start").status_code in {200, 201}
        return lead

    return worked
