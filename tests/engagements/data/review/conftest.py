"""A pool of examples, people who review, and rounds opened over them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import pytest

from engagements.core import audit
from engagements.core.roles import Actor, Role, system_actor
from engagements.db.columns import new_id
from engagements.people.identities import actor_of
from engagements.people.users import add_user
from engagements.phases.data_preparation.models import DataSource, Example, ExampleState
from engagements.phases.data_preparation.records import Provenance, Record
from engagements.phases.data_preparation.review import adjudicating, reviewing, rounds
from engagements.phases.data_preparation.review.models import QueueItem, ReviewRound
from engagements.phases.data_preparation.review.schemas import AdjudicateIn, AnswerIn, HandedOut, RoundIn

FIVES = {"accuracy": 5, "consistency": 5, "completeness": 5, "format": 5, "edge_case": 5}


def record(number: int, label: str | None = "billing") -> Record:
    messages = (
        {"role": "user", "content": f"Where is my invoice number {number}?"},
        {"role": "assistant", "content": label or f"It was sent to you on day {number}."},
    )
    return Record(id=f"row-{number}", messages=messages, label=label)


@dataclass(kw_only=True)
class Pool:
    """Everything of one engagement; each call is one transaction, at the clock of the house."""

    house: Any
    engagement_id: str
    client_id: str
    lead: Actor

    @property
    def at(self):
        return self.house.clock.now()

    def write(self, effect: Callable[..., Any]) -> Any:
        with self.house.wiring.store.write() as session:
            return effect(session)

    def read(self, effect: Callable[..., Any]) -> Any:
        with self.house.wiring.store.read() as session:
            return effect(session)

    def person(self, name: str, role: Role = Role.DELIVERY_MEMBER) -> Actor:
        home = system_actor(self.house.organisation_id)
        client_id = self.client_id if role.is_client else None
        with self.house.wiring.store.write() as session:
            email = f"{name.lower()}@example.com"
            made = add_user(session, home, name=name, email=email, role=role, client_id=client_id, at=self.at)
            return actor_of(made)

    def fill(self, count: int, **fields: Any) -> list[str]:
        """Ids of new pending examples; `fields` may be functions of their number."""
        owners = {
            "organisation_id": self.house.organisation_id, "engagement_id": self.engagement_id,
            "client_id": self.client_id,
        }  # fmt: skip
        source = DataSource(
            id=new_id("src"), **owners, name="tickets.csv", kind=Provenance.EXISTING_WORK, licence="theirs",
            sha256="0" * 64, size_bytes=4, created_by="system", created_at=self.at, changed_at=self.at,
        )  # fmt: skip
        ids = []
        with self.house.wiring.store.write() as session:
            session.add(source)
            audit.record(session, self.lead, "data_source.added", source, at=self.at)
            for number in range(count):
                made = {name: value(number) if callable(value) else value for name, value in fields.items()}
                kept = record(number, made.pop("label", "billing")).replaced(id=new_id("row"))
                row = Example(
                    id=new_id("exa"), **owners, source_id=source.id, row_number=number + 1, record_id=kept.id,
                    sha256=kept.content_sha256, payload=orjson.dumps(kept.as_json()).decode(), label=kept.label,
                    created_at=self.at, changed_at=self.at, **made,
                )  # fmt: skip
                session.add(row)
                ids.append(row.id)
        return ids

    def open(self, reviewers: Sequence[Actor], **fields: Any) -> str:
        data = RoundIn.model_validate({"name": "First look", "reviewers": [each.id for each in reviewers], **fields})
        return self.write(lambda s: rounds.open_round(s, self.lead, self.engagement_id, data, at=self.at).id)

    def next(self, person: Actor, round_id: str, count: int = 1) -> HandedOut:
        self.house.clock.at += timedelta(seconds=1)
        return self.write(lambda s: reviewing.next_items(s, person, round_id, count=count, at=self.at))

    def answer(self, person: Actor, item: Any, decision: str = "accept", **fields: Any) -> str:
        scores = {} if decision == "skip" else FIVES
        data = AnswerIn.model_validate(
            {**scores, "decision": decision, "content_sha256": item.content_sha256, "seconds": 10, **fields}
        )
        self.house.clock.at += timedelta(seconds=1)
        return self.write(lambda s: reviewing.submit(s, person, item.id, data, at=self.at).id)

    def work_through(self, person: Actor, round_id: str, decide: Callable[..., Mapping[str, Any]]) -> int:
        """Answers all that is handed out, as `decide` says of each item; how many it was."""
        done = 0
        while handed := self.next(person, round_id).items:
            self.answer(person, handed[0], **decide(handed[0]))
            done += 1
        return done

    def adjudicate(self, person: Actor, item_id: str, decision: str = "accept", **fields: Any) -> str:
        sha256 = self.example(self.item(item_id).example_id).sha256
        data = AdjudicateIn.model_validate(
            {"decision": decision, "reason": "So it is.", "content_sha256": sha256, **fields}
        )
        return self.write(lambda s: adjudicating.adjudicate(s, person, item_id, data, at=self.at).id)

    def item(self, item_id: str) -> QueueItem:
        return self._of(QueueItem, item_id)

    def example(self, example_id: str) -> Example:
        return self._of(Example, example_id)

    def round(self, round_id: str) -> ReviewRound:
        return self._of(ReviewRound, round_id)

    def states(self, ids: Sequence[str]) -> list[ExampleState]:
        return [self.example(each).state for each in ids]

    def _of(self, kind: Any, row_id: str) -> Any:
        with self.house.wiring.store.read() as session:
            row = session.get_one(kind, row_id)
            session.expunge(row)
            return row


@pytest.fixture
def pool(house, under_way) -> Pool:
    made = Pool(
        house=house, engagement_id=under_way.engagement_id, client_id=under_way.client_id,
        lead=system_actor(house.organisation_id),
    )  # fmt: skip
    made.lead = made.person("Nele", Role.DELIVERY_LEAD)
    return made
