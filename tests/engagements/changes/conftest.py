"""A change request on its way: the people it takes, and the steps in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from engagements.core.roles import Role

ASKS: Mapping[str, Any] = {"brief": {"data.labelling.examples": 4800, "drivers.integrations": 3}}
SIGNER: Mapping[str, Any] = {"name": "Ana Brandt", "email": "ana@example.com"}


@dataclass(frozen=True, kw_only=True)
class Office:
    """Who it takes to change what was agreed: a lead who writes, one who approves, and the client's approver."""

    lead: Any
    second: Any
    client: Any
    engagement_id: str

    def drafted(self, asks: Mapping[str, Any] = ASKS, title: str = "Label more") -> dict[str, Any]:
        body = {"title": title, "reason": "The pilot found two further kinds of request.", "asks": asks}
        return self._made(self.lead.post(f"/api/v1/engagements/{self.engagement_id}/changes", body), 201)

    def step(self, change: Mapping[str, Any], word: str, body: object = None, *, by: Any = None) -> dict[str, Any]:
        return self._made((by or self.lead).post(f"/api/v1/changes/{change['id']}/{word}", body), 200)

    def assessed(self, asks: Mapping[str, Any] = ASKS, title: str = "Label more") -> dict[str, Any]:
        return self.step(self.drafted(asks, title), "assess")

    def sent(self, asks: Mapping[str, Any] = ASKS, title: str = "Label more") -> dict[str, Any]:
        approved = self.step(self.assessed(asks, title), "approve", by=self.second)
        return self.step(approved, "send")

    def agreement(self, change: Mapping[str, Any]) -> dict[str, Any]:
        return {**SIGNER, "sha256": change["sha256"], "agree": True}

    def agreed(self, asks: Mapping[str, Any] = ASKS, title: str = "Label more") -> dict[str, Any]:
        change = self.sent(asks, title)
        return self.step(change, "agree", self.agreement(change), by=self.client)

    def read(self, path: str, *, by: Any = None) -> Any:
        answer = (by or self.lead).get(path.format(self.engagement_id))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _made(self, answer: Any, status: int) -> dict[str, Any]:
        assert answer.status_code == status, answer.text
        return dict(answer.json())


@pytest.fixture
def office(house, under_way) -> Office:
    return Office(
        lead=house.api(Role.ACCOUNT_LEAD), second=house.api(Role.ACCOUNT_LEAD),
        client=house.api(Role.CLIENT_APPROVER, client_id=under_way.client_id), engagement_id=under_way.engagement_id,
    )  # fmt: skip
