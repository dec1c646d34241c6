"""Tables of sealed datasets: versions, who is in them, who read a test split, and what had to be erased."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Column, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from engagements.core.models import words
from engagements.db.columns import Record
from engagements.delivery.evidence import SplitName


class DatasetVersion(Record, table=True):
    """A frozen dataset. `sha256`: of its manifest, which names every example, its digest and its split.

    `splits`: name, examples, sha256 of the JSON Lines in the storage. Never changed once written but for what an
    erasure takes away, which is noted in `erased`.
    """

    PREFIX: ClassVar[str] = "dsv"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"report", "card", "leakage"})
    __tablename__ = "dataset_version"
    __table_args__ = (UniqueConstraint("engagement_id", "number"), CheckConstraint("number > 0", name="positive"))

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    number: int
    name: str = Field(max_length=200)
    parent_id: str | None = Field(default=None, foreign_key="dataset_version.id", max_length=40)
    sha256: str = Field(max_length=64)
    policy: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), description="Task, seed, shares, rules.")
    splits: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    leakage: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    report: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    card: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    card_sha256: str = Field(max_length=64)
    evidence_id: str | None = Field(default=None, max_length=40)
    note: str = Field(default="", max_length=2000)
    erased: int = 0
    sealed_at: datetime
    sealed_by: str = Field(max_length=40)
    sealed_by_name: str = Field(max_length=255)


class VersionMember(SQLModel, table=True):
    """That an example, as it read then, is in a split of a version."""

    __tablename__ = "version_member"
    __table_args__ = (Index("ix_version_member_example", "example_id"), Index("ix_version_member_content", "sha256"))

    version_id: str = Field(primary_key=True, foreign_key="dataset_version.id", max_length=40)
    example_id: str = Field(primary_key=True, max_length=40)
    record_id: str = Field(max_length=200)
    sha256: str = Field(max_length=64)
    split: SplitName = Field(sa_column=Column(words(SplitName), nullable=False))


class SealedRead(Record, table=True):
    """That somebody opened a sealed test split, and what for; there is no other way to its texts."""

    PREFIX: ClassVar[str] = "srd"
    __tablename__ = "sealed_read"

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    version_id: str = Field(foreign_key="dataset_version.id", index=True, max_length=40)
    purpose: str = Field(max_length=200, description="The evaluation run that reads it.")
    by: str = Field(max_length=40)
    by_name: str = Field(max_length=255)
    at: datetime


class ErasureState(StrEnum):
    """open -> done, once nothing that still serves was trained on it."""

    OPEN = "open"
    DONE = "done"


class Erasure(Record, table=True):
    """A person's request to be forgotten: what was found where, what was taken away, what must be retrained.

    `request` holds the reference of the letter, never the text that was searched for.
    """

    PREFIX: ClassVar[str] = "era"

    engagement_id: str = Field(foreign_key="engagement.id", index=True, max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    request: str = Field(max_length=200)
    note: str = Field(default="", sa_column=Column(Text, nullable=False))
    found: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), description="Examples, versions, runs.")
    state: ErasureState = Field(default=ErasureState.OPEN, sa_column=Column(words(ErasureState), nullable=False))
    by: str = Field(max_length=40)
    by_name: str = Field(max_length=255)
    at: datetime
    done_at: datetime | None = None
