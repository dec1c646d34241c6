"""Tables: what a person is told, letters on their way, and the private addresses of calendars."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from engagements.core.models import words
from engagements.db.columns import Record


class Notice(SQLModel, table=True):
    """One thing for one person. `topic` names what it is about, so that the same is not told twice."""

    PREFIX: ClassVar[str] = "ntc"
    __table_args__ = (
        UniqueConstraint("person_id", "topic"),
        Index("ix_notice_unread", "person_id", "read_at"),
    )

    id: str = Field(primary_key=True, max_length=40)
    organisation_id: str = Field(index=True, max_length=40)
    person_id: str = Field(max_length=40)
    engagement_id: str | None = Field(default=None, max_length=40)
    topic: str = Field(max_length=200)
    kind: str = Field(max_length=60, description="As events are named: gate.passed, budget.alert, …")
    text: str = Field(max_length=400)
    address: str = Field(default="", max_length=400, description="The page that shows more.")
    at: datetime
    read_at: datetime | None = None
    posted: bool = Field(default=False, index=True, description="Whether the post has seen to it (see `post`).")


class NoticeChoice(SQLModel, table=True):
    """Whether a person wants letters too; without a row they do."""

    __tablename__ = "notice_choice"

    person_id: str = Field(primary_key=True, max_length=40)
    organisation_id: str = Field(index=True, max_length=40)
    by_email: bool = True
    changed_at: datetime


class LetterState(StrEnum):
    """waiting -> sent | given_up."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given_up"


class Letter(SQLModel, table=True):
    """An e-mail on its way. `fence` counts claims: only the last claimant may settle it."""

    PREFIX: ClassVar[str] = "let"
    __table_args__ = (UniqueConstraint("organisation_id", "topic"), Index("ix_letter_due", "state", "due_at"))

    id: str = Field(primary_key=True, max_length=40)
    organisation_id: str = Field(index=True, max_length=40)
    topic: str = Field(max_length=240, description="So that the same letter is not sent twice.")
    to_name: str = Field(max_length=200)
    to_email: str = Field(max_length=255)
    subject: str = Field(max_length=200)
    text: str = Field(max_length=10_000)
    state: LetterState = Field(default=LetterState.WAITING, sa_column=Column(words(LetterState), nullable=False))
    tries: int = 0
    due_at: datetime
    fence: int = 0
    lease_until: datetime | None = None
    failure: str = Field(default="", max_length=200)
    settled_at: datetime | None = None
    created_at: datetime


class Feed(Record, table=True):
    """A calendar's private address. `digest`: the sha256 of its token, which is told once."""

    PREFIX: ClassVar[str] = "fee"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"digest"})

    person_id: str = Field(index=True, max_length=40)
    client_id: str | None = Field(default=None, max_length=40)
    engagement_id: str | None = Field(default=None, max_length=40, description="Only this one; null for all of theirs.")
    name: str = Field(max_length=200)
    digest: str = Field(unique=True, max_length=64)
    created_at: datetime
    revoked_at: datetime | None = None
