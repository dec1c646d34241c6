"""What the tests of data preparation share: a file that is sent, a source that is made of it, a pool that is filled."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from engagements.core.roles import Role

BYTES = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Somebody who prepares the data of one engagement through the API; jobs are done when they are asked for."""

    house: Any
    api: Any
    engagement_id: str

    @property
    def home(self) -> str:
        return f"/api/v1/engagements/{self.engagement_id}/data"

    def upload(self, content: bytes, *, name: str = "tickets.csv") -> str:
        declared = {"name": name, "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        upload_id = self.api.post(f"{self.home}/uploads", declared).json()["id"]
        self.api.ask("PUT", f"/api/v1/uploads/{upload_id}/content", content=content, headers=BYTES)
        assert self.api.post(f"/api/v1/uploads/{upload_id}/complete").status_code == 200
        return str(upload_id)

    def add(self, content: bytes, *, name: str = "tickets.csv", **fields: Any) -> dict[str, Any]:
        """A source that waits for its import."""
        told = {"kind": "historical", "licence": "the client's own", "upload_id": self.upload(content, name=name)}
        answer = self.api.post(f"{self.home}/sources", told | fields)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def source(self, source_id: str) -> dict[str, Any]:
        return dict(self.api.get(f"/api/v1/data-sources/{source_id}").json())

    def ask_import(self, source_id: str) -> str:
        answer = self.api.post(f"/api/v1/data-sources/{source_id}/import")
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def fill(self, content: bytes, *, name: str = "tickets.csv", **fields: Any) -> dict[str, Any]:
        """A source that is imported."""
        source = self.add(content, name=name, **fields)
        self.ask_import(source["id"])
        self.house.wiring.workshop.do_due()
        return self.source(source["id"])

    def check(self, **asked: Any) -> dict[str, Any]:
        """The job, done."""
        answer = self.api.post(f"{self.home}/checks", asked)
        assert answer.status_code == 201, answer.text
        self.house.wiring.workshop.do_due()
        return self.job(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        return dict(self.api.get(f"/api/v1/data-jobs/{job_id}").json())

    def examples(self, query: str = "") -> list[dict[str, Any]]:
        answer = self.api.get(f"{self.home}/examples?limit=200{query}")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])


@pytest.fixture
def desk(house, under_way) -> Desk:
    return Desk(house=house, api=house.api(Role.DELIVERY_MEMBER), engagement_id=under_way.engagement_id)


@pytest.fixture
def tickets() -> Callable[..., bytes]:
    """A spreadsheet of so many questions with their category, as CSV."""

    def written(rows: int = 40) -> bytes:
        lines = [f"{n},Where is parcel number {n} of my order?,{('refund', 'delivery')[n % 2]}" for n in range(rows)]
        return "\r\n".join(["id,text,category", *lines, ""]).encode()

    return written
