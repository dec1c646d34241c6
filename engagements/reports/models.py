"""Tables: status reports as they were issued."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Column, UniqueConstraint
from sqlmodel import Field

from engagements.core.models import words
from engagements.db.columns import Record
from engagements.delivery.health import Health


class StatusReport(Record, table=True):
    """One issue of the report. `facts`: what it was written from, so that the next says what moved since.

    `pdf_sha256`: its bytes in `FrozenDocument`; never rendered again.
    """

    PREFIX: ClassVar[str] = "rep"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"facts"})
    __tablename__ = "status_report"
    __table_args__ = (
        UniqueConstraint("engagement_id", "number"),
        CheckConstraint("number > 0", name="number_positive"),
    )

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    number: int
    day: date
    since: date | None = None
    health: Health = Field(sa_column=Column(words(Health), nullable=False))
    summary: str = Field(default="", max_length=2000)
    facts: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    pdf_sha256: str = Field(max_length=64)
    created_by: str = Field(max_length=40)
    created_at: datetime
