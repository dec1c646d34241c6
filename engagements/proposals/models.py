"""Tables of what comes before phase 1: briefs, estimates, proposals, the links to them, what was decided.

Briefs and estimates are immutable versions, counted per engagement. A sent proposal is frozen: what it says lies in
`FrozenDocument` by digest, and its row changes state only.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from engagements.core.models import words
from engagements.db.columns import Record


class BriefVersion(Record, table=True):
    """What a client wants, as it was told on a day. `content`: the brief as plain data (see `estimator.brief`)."""

    PREFIX: ClassVar[str] = "brf"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"content"})
    __tablename__ = "brief_version"
    __table_args__ = (
        UniqueConstraint("engagement_id", "number"),
        CheckConstraint("number > 0", name="number_positive"),
    )

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    number: int
    title: str = Field(max_length=200)
    content: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    sha256: str = Field(max_length=64)
    created_by: str = Field(max_length=40)
    created_at: datetime


class EstimateVersion(Record, table=True):
    """An estimate of one brief. The same brief, prices, day and seed give the same `sha256` again.

    `document`: the whole estimate as JSON, zlib. `summary`: what lists show of it (see `scoping.summary_of`).
    """

    PREFIX: ClassVar[str] = "est"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"document", "summary"})
    __tablename__ = "estimate_version"
    __table_args__ = (
        UniqueConstraint("engagement_id", "number"),
        CheckConstraint("number > 0", name="number_positive"),
    )

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    brief_id: str = Field(foreign_key="brief_version.id", index=True, max_length=40)
    number: int
    day: date
    seed: int = Field(sa_type=BigInteger)
    price_book: str = Field(max_length=64)
    document: bytes
    sha256: str = Field(max_length=64)
    summary: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_by: str = Field(max_length=40)
    created_at: datetime


class ProposalState(StrEnum):
    """draft -> in_review -> approved -> sent -> accepted | declined | expired | withdrawn | superseded.

    Facts (viewed, reminded) are events, never states. See `proposals.states` for the moves.
    """

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


class Proposal(Record, table=True):
    """One version of an offer. `lineage_id`: the first version's id, shared by its corrections.

    `number` (P-2026-0007) is assigned at the first sending and kept by later versions. `wording`: what an account lead
    may say otherwise than the estimate does (see `schemas.Wording`). What `sent_at` and below hold is frozen, but for
    `decided_at`.
    """

    PREFIX: ClassVar[str] = "pro"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"budgets"})
    __table_args__ = (
        UniqueConstraint("lineage_id", "edition"),
        UniqueConstraint("organisation_id", "number", "edition"),
        CheckConstraint("edition > 0", name="edition_positive"),
    )

    engagement_id: str = Field(foreign_key="engagement.id", index=True, max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    estimate_id: str = Field(foreign_key="estimate_version.id", index=True, max_length=40)
    lineage_id: str = Field(index=True, max_length=40)
    edition: int = Field(default=1, description="Version of the offer: 1, and one more with each correction.")
    title: str = Field(max_length=200)
    state: ProposalState = Field(default=ProposalState.DRAFT, sa_column=Column(words(ProposalState), index=True))
    state_reason: str = Field(default="", max_length=2000)
    wording: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_by: str = Field(max_length=40)
    created_at: datetime
    changed_at: datetime
    approved_by: str | None = Field(default=None, max_length=40)
    approved_at: datetime | None = None
    number: str | None = Field(default=None, max_length=40)
    sent_at: datetime | None = None
    sent_by: str | None = Field(default=None, max_length=40)
    valid_until: date | None = None
    ends_at: datetime | None = Field(default=None, description="The end of `valid_until` where the agency is.")
    price_book: str | None = Field(default=None, max_length=64)
    template_digest: str | None = Field(default=None, max_length=64)
    pdf_sha256: str | None = Field(default=None, index=True, max_length=64)
    snapshot_sha256: str | None = Field(default=None, max_length=64)
    budgets: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSON, nullable=False),
        description="By option, what delivering it takes of us (`estimator.budget`); frozen when sent, never shown.",
    )  # fmt: skip
    decided_at: datetime | None = None


class FrozenDocument(SQLModel, table=True):
    """Bytes that were sent or signed, by their sha256. Never changed, never rendered again."""

    __tablename__ = "frozen_document"

    organisation_id: str = Field(primary_key=True, max_length=40)
    sha256: str = Field(primary_key=True, max_length=64)
    media_type: str = Field(max_length=80)
    name: str = Field(max_length=200)
    content: bytes
    created_at: datetime


class ProposalLink(Record, table=True):
    """A private way to one sent proposal for one recipient. `digest` is the sha256 of its token."""

    PREFIX: ClassVar[str] = "lnk"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"digest"})
    __tablename__ = "proposal_link"

    proposal_id: str = Field(foreign_key="proposal.id", index=True, max_length=40)
    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    recipient_name: str = Field(max_length=200)
    recipient_email: str = Field(max_length=255)
    digest: str = Field(unique=True, max_length=64)
    created_by: str = Field(max_length=40)
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    first_viewed_at: datetime | None = None
    views: int = Field(default=0, description="Days on which it was opened.")
    last_viewed_on: date | None = None


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    DECLINED = "declined"


class Decision(Record, table=True):
    """What a client decided, by whom, from where, over which bytes. One per proposal: the second one loses."""

    PREFIX: ClassVar[str] = "dec"
    __table_args__ = (UniqueConstraint("proposal_id"),)

    proposal_id: str = Field(foreign_key="proposal.id", max_length=40)
    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    verdict: Verdict = Field(sa_column=Column(words(Verdict), nullable=False))
    option: str = Field(default="", max_length=40, description="The option's id; empty when declined.")
    extras: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    net_minor: int | None = Field(
        default=None, sa_type=BigInteger, description="Accepted net price in minor units of the currency."
    )
    gross_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = Field(default="", max_length=3)
    reason: str = Field(default="", max_length=2000)
    signer_name: str = Field(max_length=200)
    signer_role: str = Field(default="", max_length=200)
    signer_email: str = Field(max_length=255)
    consent: str = Field(default="", max_length=2000, description="The words that were ticked.")
    pdf_sha256: str = Field(max_length=64)
    link_id: str | None = Field(default=None, max_length=40)
    on_behalf_by: str | None = Field(default=None, max_length=40)
    evidence: str = Field(default="", max_length=2000)
    ip: str = Field(default="", max_length=64)
    agent: str = Field(default="", max_length=400)
    time_zone: str = Field(default="UTC", max_length=60)
    certificate_sha256: str | None = Field(default=None, index=True, max_length=64)
    at: datetime


class NumberSeries(SQLModel, table=True):
    """The last number given in a year, so that none is given twice; its row is locked while one is taken."""

    __tablename__ = "number_series"

    organisation_id: str = Field(primary_key=True, max_length=40)
    year: int = Field(primary_key=True)
    last: int = 0
