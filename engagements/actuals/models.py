"""Tables of actuals. Money in minor units of `currency`; what nobody knows is null, never 0.

Entries go open -> submitted -> approved -> invoiced and lock as they go. Their rates are snapshots: a later rate
changes no entry.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Index, UniqueConstraint
from sqlmodel import Field

from engagements.core.models import words
from engagements.db.columns import Record
from estimator.phases import Phase


class EntryState(StrEnum):
    """open -> submitted -> approved -> invoiced; submitted -> open (rejected); approved -> open (reopened)."""

    OPEN = "open"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    INVOICED = "invoiced"


class RateSnapshot(Record, table=True):
    """What an hour of a role costs us and is sold for, from a day on. The first come with the baseline."""

    PREFIX: ClassVar[str] = "rat"
    __tablename__ = "rate_snapshot"
    __table_args__ = (
        UniqueConstraint("engagement_id", "role", "from_day"),
        CheckConstraint("cost_minor >= 0 and price_minor >= 0", name="not_negative"),
    )

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    role: str = Field(max_length=60)
    from_day: date
    cost_minor: int = Field(sa_type=BigInteger)
    price_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    source: str = Field(max_length=400)
    created_at: datetime


class TimeEntry(Record, table=True):
    """Minutes of one person on one day. `day` is the person's calendar day, without a clock.

    `cost_minor` and `price_minor` are those of an hour, from the rate that held on the day; null while the role has no
    rate. `spent_minor` is what it cost, rounded half up once. An entry that `adjusts` an invoiced one adds minutes to
    it, or takes some back.
    """

    PREFIX: ClassVar[str] = "tim"
    __tablename__ = "time_entry"
    __table_args__ = (
        UniqueConstraint("engagement_id", "source", "external_id"),
        CheckConstraint("minutes <> 0 and minutes between -1440 and 1440", name="within_a_day"),
        CheckConstraint("minutes > 0 or adjusts is not null", name="taken_back_from"),
        Index("ix_time_entry_week", "person_id", "day"),
        Index("ix_time_entry_phase", "engagement_id", "phase", "day"),
    )

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    phase: Phase = Field(sa_column=Column(words(Phase), nullable=False))
    person_id: str = Field(max_length=40)
    role: str = Field(max_length=60)
    day: date
    minutes: int
    note: str = Field(default="", max_length=2000)
    billable: bool = True
    state: EntryState = Field(default=EntryState.OPEN, sa_column=Column(words(EntryState), nullable=False))
    state_reason: str = Field(default="", max_length=2000)
    cost_minor: int | None = Field(default=None, sa_type=BigInteger)
    price_minor: int | None = Field(default=None, sa_type=BigInteger)
    spent_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = Field(max_length=3)
    source: str = Field(default="manual", max_length=20, description="manual, import or machine")
    external_id: str | None = Field(default=None, max_length=200)
    adjusts: str | None = Field(default=None, index=True, max_length=40)
    approved_by: str | None = Field(default=None, max_length=40)
    invoice_id: str | None = Field(default=None, index=True, max_length=40)
    created_by: str = Field(max_length=40)
    created_at: datetime


class CostKind(StrEnum):
    COMPUTE = "compute"
    LABELLING = "labelling"
    API_USAGE = "api_usage"
    LICENCE = "licence"
    OTHER = "other"


class CostEntry(Record, table=True):
    """A cost that is not time. `amount_minor` null: it was incurred and nobody knows yet how much; below 0: a credit.

    `price`: the dated price it rests on, as {"per", "amount", "currency", "source", "as_of"}, where a machine posts it.
    """

    PREFIX: ClassVar[str] = "cst"
    __tablename__ = "cost_entry"
    __table_args__ = (
        UniqueConstraint("engagement_id", "source", "external_id"),
        Index("ix_cost_entry_phase", "engagement_id", "phase", "day"),
    )

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    phase: Phase = Field(sa_column=Column(words(Phase), nullable=False))
    kind: CostKind = Field(sa_column=Column(words(CostKind), nullable=False))
    day: date
    amount_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = Field(max_length=3)
    quantity: str = Field(default="", max_length=40)
    unit: str = Field(default="", max_length=40)
    price: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    note: str = Field(default="", max_length=2000)
    billable: bool = False
    state: EntryState = Field(default=EntryState.OPEN, sa_column=Column(words(EntryState), nullable=False))
    state_reason: str = Field(default="", max_length=2000)
    source: str = Field(default="manual", max_length=20, description="manual, import or machine")
    external_id: str | None = Field(default=None, max_length=200)
    approved_by: str | None = Field(default=None, max_length=40)
    invoice_id: str | None = Field(default=None, index=True, max_length=40)
    created_by: str = Field(max_length=40)
    created_at: datetime


class TimeLock(Record, table=True):
    """Days up to which nobody logs time any more: one row of an organisation. `until` null: none are closed."""

    PREFIX: ClassVar[str] = "lck"
    __tablename__ = "time_lock"
    __table_args__ = (UniqueConstraint("organisation_id"),)

    until: date | None = None
    reason: str = Field(default="", max_length=2000)
    changed_at: datetime


class AlertKind(StrEnum):
    COST = "cost"
    HOURS = "hours"
    FORECAST = "forecast"
    GATE_LATE = "gate_late"


class Alert(Record, table=True):
    """A threshold that was passed. One of each kind, phase and threshold; told again at most once in 24 hours."""

    PREFIX: ClassVar[str] = "alr"
    __table_args__ = (UniqueConstraint("engagement_id", "kind", "phase", "threshold"),)

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    kind: AlertKind = Field(sa_column=Column(words(AlertKind), nullable=False))
    phase: str = Field(default="", max_length=40, description="A phase, or empty for the whole engagement.")
    threshold: int = Field(description="Per cent of the budget; days for a late gate.")
    text: str = Field(max_length=400)
    first_at: datetime
    told_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str = Field(default="", max_length=40)


class Invoice(Record, table=True):
    """Lines handed to the accounts; frozen: what they hold is locked. No payment is known here."""

    PREFIX: ClassVar[str] = "inv"
    __tablename__ = "invoice"
    __table_args__ = (UniqueConstraint("organisation_id", "number"),)

    engagement_id: str = Field(foreign_key="engagement.id", index=True, max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    number: int
    day: date
    lines: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    net_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    sha256: str = Field(max_length=64)
    created_by: str = Field(max_length=40)
    created_at: datetime
