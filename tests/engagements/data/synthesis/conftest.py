"""An engagement with examples in it, and a larger model to ask: a stand-in on a socket, or none."""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import select

from engagements.app import connected as connected_to
from engagements.core import audit
from engagements.core.roles import Role, system_actor
from engagements.db.columns import new_id
from engagements.delivery.evidence import SplitName
from engagements.phases.data_preparation.models import (
    DataSource,
    Example,
    ExampleState,
    JobKind,
    SourceState,
)
from engagements.phases.data_preparation.records import Origin, Provenance, Record
from engagements.phases.data_preparation.synthesis.endpoints import Endpoint, Endpoints
from engagements.phases.data_preparation.synthesis.synthesiser import Synthesiser
from engagements.phases.data_preparation.versions.models import DatasetVersion, VersionMember

LICENCE = "own work"


@pytest.fixture(scope="session")
def provider() -> ModuleType:
    """The module of the stand-in, which lies beside the tests of every package."""
    place = Path(__file__).resolve().parents[3] / "provider" / "stand_in.py"
    spec = importlib.util.spec_from_file_location("stand_in", place)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["stand_in"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def strict(provider: ModuleType, shared_data: Path, socket_enabled: None) -> Iterator[Any]:
    """A stand-in that knows the official specification; for tests marked `shared_data`."""
    with provider.serving(specification=shared_data / "openai_api" / "openai-subset.strict.yaml") as stand_in:
        yield stand_in


@pytest.fixture
def stand_in(provider: ModuleType, socket_enabled: None) -> Iterator[Any]:
    with provider.serving() as served:
        yield served


def endpoint_to(base_url: str, **fields: Any) -> Endpoint:
    said = {
        "name": "inhouse", "base_url": base_url, "key": SecretStr("sk-of-the-test"), "key_env": "MODEL_KEY",
        "provider": "", "limit_field": "max_completion_tokens", "json_mode": True, "json_schema": False,
        "timeout_s": 10.0, "local_hosts": frozenset({"127.0.0.1"}),
    }  # fmt: skip
    return Endpoint(**(said | fields))


@dataclass(kw_only=True)
class Bench:
    """An engagement under way whose pool can be filled, whose runs can be planned and done."""

    house: Any
    api: Any
    engagement_id: str
    client_id: str
    source_id: str

    def fill(self, label: str | None, texts: list[str], *, state: ExampleState = ExampleState.ACCEPTED,
             group: str | None = None, answer: str | None = None) -> list[str]:  # fmt: skip
        at, ids = self.house.clock.now(), []
        with self.house.wiring.store.write() as session:
            for number, text in enumerate(texts):
                record = Record(
                    id=new_id("rec"), label=label, group=group, origin=Origin(licence=LICENCE),
                    messages=[
                        {"role": "user", "content": text}, {"role": "assistant", "content": answer or label or text},
                    ],
                )  # fmt: skip
                row = Example(
                    id=new_id(Example.PREFIX), organisation_id=self.house.organisation_id,
                    engagement_id=self.engagement_id, client_id=self.client_id, source_id=self.source_id,
                    row_number=number + 1, record_id=record.id, sha256=record.content_sha256,
                    payload=record.as_line().decode(), label=label, group_key=group, state=state, created_at=at,
                    changed_at=at,
                )  # fmt: skip
                session.add(row)
                ids.append(row.id)
        return ids

    def seal(self, example_ids: list[str], split: SplitName = SplitName.TEST) -> str:
        at = self.house.clock.now()
        row = DatasetVersion(
            id=new_id(DatasetVersion.PREFIX), organisation_id=self.house.organisation_id,
            engagement_id=self.engagement_id, client_id=self.client_id, number=1, name="v1", sha256="0" * 64, policy={},
            splits=[], leakage={}, report={}, card={}, card_sha256="0" * 64, sealed_at=at, sealed_by="system",
            sealed_by_name="Sixfold",
        )  # fmt: skip
        with self.house.wiring.store.write() as session:
            session.add(row)
            audit.record(session, system_actor(self.house.organisation_id), "dataset.sealed", row, at=at)
            version_id = row.id
            session.flush()
            for each in example_ids:
                session.add(
                    VersionMember(version_id=version_id, example_id=each, record_id=each, sha256="0" * 64, split=split)
                )
        return version_id

    def body(self, **fields: Any) -> dict[str, Any]:
        said: dict[str, Any] = {
            "endpoint": "inhouse", "model": "large-1", "task": "classification", "licence": LICENCE, "target": 6,
            "per_request": 2, "concurrency": 2, "cap_minor": 10_000,
            "price": {"input": "2", "output": "8", "currency": "EUR", "source": "our contract", "as_of": "2026-11-01"},
        }  # fmt: skip
        return {name: value for name, value in (said | fields).items() if value is not ...}

    def plan(self, **fields: Any) -> Any:
        answer = self.api.post(self.runs, self.body(**fields))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def start(self, run: Mapping[str, Any]) -> None:
        answer = self.api.post(f"/api/v1/synthesis-runs/{run['id']}/start")
        assert answer.status_code == 200, answer.text

    def run(self, **fields: Any) -> Any:
        """Planned, started, done and read again."""
        planned = self.plan(**fields)
        self.start(planned)
        self.house.wiring.workshop.do_due()
        return self.read(planned)

    def read(self, run: Mapping[str, Any]) -> Any:
        return self.api.get(f"/api/v1/synthesis-runs/{run['id']}").json()

    @property
    def runs(self) -> str:
        return f"/api/v1/engagements/{self.engagement_id}/data/synthesis-runs"

    def rows(self, kind: type[Any]) -> list[Any]:
        with self.house.wiring.store.read() as session:
            found = list(session.exec(select(kind).order_by(*kind.__table__.primary_key.columns)))
            session.expunge_all()
            return found


@pytest.fixture
def bench(house, under_way) -> Bench:
    """No endpoint is set up; `connect` sets one."""
    at = house.clock.now()
    source = DataSource(
        id=new_id(DataSource.PREFIX), organisation_id=house.organisation_id, engagement_id=under_way.engagement_id,
        client_id=under_way.client_id, name="tickets.csv", kind=Provenance.EXISTING_WORK, licence=LICENCE,
        sha256="0" * 64, size_bytes=1, state=SourceState.IMPORTED, created_by="system", created_at=at, changed_at=at,
    )  # fmt: skip
    with house.wiring.store.write() as session:
        session.add(source)
        audit.record(session, system_actor(house.organisation_id), "data_source.added", source, at=at)
        source_id = source.id
    return Bench(
        house=house, api=house.api(Role.DELIVERY_MEMBER), engagement_id=under_way.engagement_id,
        client_id=under_way.client_id, source_id=source_id,
    )  # fmt: skip


@pytest.fixture
def connect(bench: Bench) -> Callable[..., Bench]:
    """Points the engagement's installation at a stand-in, as the settings would."""

    def connected(stand_in: Any, **fields: Any) -> Bench:
        wiring = bench.house.wiring
        endpoints = Endpoints(by_name={"inhouse": endpoint_to(stand_in.base_url, **fields)})
        work = Synthesiser(endpoints=endpoints, agency=wiring.settings.agency, backoff_s=0.01)
        wiring.workshop.work = {**wiring.workshop.work, JobKind.SYNTHESISE: work}
        connected_to(bench.house.client.app, replace(wiring, endpoints=endpoints))
        return bench

    return connected
