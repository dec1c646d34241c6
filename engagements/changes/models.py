"""Tables of changes. A baseline is never edited: a change that is approved makes the next one."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, UniqueConstraint
from sqlmodel import Field

from engagements.core.models import words
from engagements.db.columns import Record


class ChangeState(StrEnum):
    """draft -> assessed -> approved (inside) -> sent -> agreed (by the client: the new baseline is made then).

    assessed -> draft (rejected inside); sent -> declined; anything that is not decided -> withdrawn.
    """

    DRAFT = "draft"
    ASSESSED = "assessed"
    APPROVED = "approved"
    SENT = "sent"
    AGREED = "agreed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class ChangeRequest(Record, table=True):
    """`on_baseline`: the number it was assessed against; on any other it is stale. `asks`: what is to be different.

    `impact`: hours, cost, price, days, criteria and risk as they were re-estimated; `cost` in it is never shown to
    clients. `brief_id`: the brief that holds from its agreement on, where it changes the brief.
    """

    PREFIX: ClassVar[str] = "chg"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"impact", "plan", "budget"})
    __tablename__ = "change_request"
    __table_args__ = (
        UniqueConstraint("engagement_id", "number"),
        UniqueConstraint("engagement_id", "trigger_key"),
        CheckConstraint("number > 0", name="number_positive"),
    )

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    number: int
    title: str = Field(max_length=200)
    reason: str = Field(max_length=2000)
    origin: str = Field(
        default="manual", max_length=20, description="manual, assumption, rounds, compute or late_input"
    )
    raid_id: str | None = Field(default=None, max_length=40)
    trigger_key: str | None = Field(
        default=None, max_length=80, description="What opened it, such as rounds:3, so that nothing opens two."
    )
    asks: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    state: ChangeState = Field(default=ChangeState.DRAFT, sa_column=Column(words(ChangeState), nullable=False))
    state_reason: str = Field(default="", max_length=2000)
    on_baseline: int
    brief_id: str | None = Field(default=None, max_length=40)
    impact: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    plan: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    budget: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    net_minor: int | None = Field(default=None, sa_type=BigInteger, description="What the price changes by.")
    gross_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = Field(default="", max_length=3)
    days: int | None = Field(default=None, description="Working days by which the end moves.")
    created_by: str = Field(max_length=40)
    created_at: datetime
    changed_at: datetime
    assessed_by: str | None = Field(default=None, max_length=40)
    approved_by: str | None = Field(default=None, max_length=40)
    sent_at: datetime | None = None
    sha256: str = Field(default="", max_length=64, description="Of what the client saw, frozen at the sending.")
    decided_at: datetime | None = None
    signer_name: str = Field(default="", max_length=200)
    signer_email: str = Field(default="", max_length=255)
    on_behalf_by: str | None = Field(default=None, max_length=40)
    evidence: str = Field(default="", max_length=2000)
    baseline_id: str | None = Field(default=None, max_length=40, description="The baseline it made.")
