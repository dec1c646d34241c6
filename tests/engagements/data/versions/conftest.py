"""A pool of accepted examples, and a dataset sealed of it."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from sqlmodel import select

from engagements.core import audit
from engagements.core.roles import Role, system_actor
from engagements.db.columns import new_id
from engagements.phases.data_preparation.models import DataJob, DataSource, Example, ExampleState, SourceState
from engagements.phases.data_preparation.records import Origin, Provenance, Record
from engagements.phases.data_preparation.versions.models import DatasetVersion

LABELS = ("invoice", "meter", "contract", "outage")
WORDS = tuple(
    first + last for first in ("bal", "cer", "dun", "fig", "hol", "jak", "lem", "mor") for last in ("ta", "win", "zek")
) + tuple(first + last for first in ("pra", "quo", "rys", "sno", "tvu", "vyx") for last in ("bed", "gof", "kil"))


def record_of_row(number: int, *, text: str = "", label: str = "", group: str | None = None) -> Record:
    """Twelve words by chance: no two are nearly the same."""
    chosen = random.Random(number).sample(WORDS, 12)
    kind = label or LABELS[number % len(LABELS)]
    return Record(
        id=f"row-{number:05d}",
        messages=[
            {"role": "user", "content": text or f"{kind}: {' '.join(chosen)}"},
            {"role": "assistant", "content": kind},
        ],
        label=kind,
        group=group,
        origin=Origin(source="tickets.jsonl", row=number, licence="theirs"),
    )


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Examples of one engagement; `source_id`: where they came from."""

    house: Any
    engagement: Any
    source_id: str

    record = staticmethod(record_of_row)

    def add(self, records: Sequence[Record], state: ExampleState = ExampleState.ACCEPTED) -> list[str]:
        """The ids of the examples."""
        at = self.house.clock.now()
        rows = [
            Example(
                id=new_id(Example.PREFIX), organisation_id=self.engagement.organisation_id,
                engagement_id=self.engagement.engagement_id, client_id=self.engagement.client_id,
                source_id=self.source_id, row_number=record.origin.row or 1, record_id=record.id,
                sha256=record.content_sha256, payload=orjson.dumps(record.as_json()).decode(), label=record.label,
                group_key=record.group, state=state, created_at=at, changed_at=at,
            )
            for record in records
        ]  # fmt: skip
        ids = [row.id for row in rows]
        with self.house.wiring.store.write() as session:
            session.add_all(rows)
        return ids

    def change(self, record: Record, state: ExampleState = ExampleState.ACCEPTED) -> None:
        """The example of this id reads so now."""
        with self.house.wiring.store.write() as session:
            row = session.exec(select(Example).where(Example.record_id == record.id)).one()
            row.payload, row.sha256 = orjson.dumps(record.as_json()).decode(), record.content_sha256
            row.label, row.state = record.label, state

    def ask(self, role: Role = Role.DELIVERY_LEAD, **choices: Any) -> Any:
        return self.house.api(role).post(
            f"/api/v1/engagements/{self.engagement.engagement_id}/dataset-versions", choices
        )

    def seal(self, **choices: Any) -> DataJob:
        """The job, after it was done."""
        asked = self.ask(**choices)
        assert asked.status_code == 201, asked.text
        self.house.wiring.workshop.do_due()
        return self.job(asked.json()["id"])

    def job(self, job_id: str) -> DataJob:
        with self.house.wiring.store.read() as session:
            row = session.get_one(DataJob, job_id)
            session.expunge(row)
            return row

    def version(self, version_id: str) -> DatasetVersion:
        with self.house.wiring.store.read() as session:
            row = session.get_one(DatasetVersion, version_id)
            session.expunge(row)
            return row

    def sealed(self, **choices: Any) -> DatasetVersion:
        """A new version of what is accepted."""
        job = self.seal(**choices)
        assert job.state == "done", (job.result, job.error)
        return self.version(job.result["version"])

    def versions(self) -> list[DatasetVersion]:
        with self.house.wiring.store.read() as session:
            rows = list(session.exec(select(DatasetVersion).order_by(DatasetVersion.number)))
            session.expunge_all()
            return rows

    def lines(self, version: DatasetVersion, split: str) -> list[dict[str, Any]]:
        kept = next(each["kept"] for each in version.splits if each["name"] == split)
        return [orjson.loads(line) for line in self.house.wiring.storage.lines(kept)]


@pytest.fixture
def pool_of(house) -> Callable[..., Pool]:
    """A pool of an engagement with so many accepted examples; its raw file is kept too."""

    def made(engagement: Any, examples: int = 60) -> Pool:
        at, owner = house.clock.now(), system_actor(engagement.organisation_id)
        records = [record_of_row(number) for number in range(1, examples + 1)]
        raw = house.wiring.storage.put(record.as_line() for record in records)
        source = DataSource(
            id=new_id(DataSource.PREFIX), organisation_id=engagement.organisation_id,
            engagement_id=engagement.engagement_id, client_id=engagement.client_id, name="tickets.jsonl",
            kind=Provenance.EXISTING_WORK, licence="theirs", format="jsonl", encoding="utf-8", sha256=raw.sha256,
            size_bytes=raw.size_bytes, state=SourceState.IMPORTED, rows_in=examples, kept=examples, created_by=owner.id,
            created_at=at, changed_at=at,
        )  # fmt: skip
        source_id = source.id
        with house.wiring.store.write() as session:
            session.add(source)
            audit.record(session, owner, "data_source.added", source, at=at)
        pool = Pool(house=house, engagement=engagement, source_id=source_id)
        pool.add(records)
        return pool

    return made


@pytest.fixture
def pool(pool_of, under_way) -> Pool:
    return pool_of(under_way)
