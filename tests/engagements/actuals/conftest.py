"""What the tests of actuals share: people who work on an engagement, each with a session, and time that they log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from engagements.core.roles import Role

DAY = "2026-11-23"
WORK = {"phase": "data_preparation", "role": "data_engineer", "day": DAY, "minutes": 90}


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with a session, asking the API as their own browser does."""

    id: str
    reader: Any

    def ask(self, method: str, path: str, json: object = None, *, version: int | None = None) -> httpx.Response:
        headers = {"Cookie": f"sixfold_session={self.reader.cookie}", "X-CSRF-Token": self.reader.csrf}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        self.reader.client.cookies.clear()
        return self.reader.client.request(method, f"/api/v1{path}", headers=headers, json=json)

    def post(self, path: str, json: object = None) -> httpx.Response:
        return self.ask("POST", path, {} if json is None else json)

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path)


@pytest.fixture
def person(reader) -> Callable[[Role], Person]:
    def signed_in(role: Role) -> Person:
        found = reader(role)
        return Person(id=found.actor.id, reader=found)

    return signed_in


@dataclass(frozen=True, kw_only=True)
class Team:
    """A member who logs and leads who approve, on one engagement under way, on a day after its acceptance."""

    house: Any
    home: str
    engagement_id: str
    member: Person
    lead: Person
    account: Person

    def log(self, who: Person | None = None, **fields: object) -> httpx.Response:
        return (who or self.member).post(f"{self.home}/time", WORK | fields)

    def cost(self, **fields: object) -> httpx.Response:
        whole = {"phase": "data_preparation", "kind": "compute", "day": DAY, "amount_minor": 5_000, "currency": "EUR"}
        return self.account.post(f"{self.home}/costs", whole | fields)

    def step(self, who: Person, step: str, **chosen: object) -> httpx.Response:
        return who.post(f"{self.home}/time/{step}", chosen)

    def handed_over(self) -> Any:
        """An entry that was logged, handed in and approved."""
        entry = self.log().json()
        assert self.step(self.member, "submit", ids=[entry["id"]]).status_code == 200
        assert self.step(self.lead, "approve", ids=[entry["id"]]).status_code == 200
        return entry


@pytest.fixture
def team(house, under_way, person) -> Team:
    house.clock.move(timedelta(days=4))
    return Team(
        house=house, home=f"/engagements/{under_way.engagement_id}", engagement_id=under_way.engagement_id,
        member=person(Role.DELIVERY_MEMBER), lead=person(Role.DELIVERY_LEAD), account=person(Role.ACCOUNT_LEAD),
    )  # fmt: skip
