"""Tables of human review: rounds, who is to see what, what they said, golden examples, and how disagreements ended."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Column, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from engagements.core.models import words
from engagements.db.columns import Record
from engagements.phases.data_preparation.review.rules import Decision, ItemState


class RoundState(StrEnum):
    """open -> closed; what is not reviewed by then stays pending."""

    OPEN = "open"
    CLOSED = "closed"


class ReviewRound(Record, table=True):
    """A queue of examples, each to be seen by `overlap` reviewers who do not see each other's answers."""

    PREFIX: ClassVar[str] = "rnd"
    __tablename__ = "review_round"
    __table_args__ = (
        UniqueConstraint("engagement_id", "number"),
        CheckConstraint("overlap > 0", name="overlap_positive"),
    )

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    number: int
    name: str = Field(max_length=200)
    guideline: str = Field(default="", sa_column=Column(Text, nullable=False))
    overlap: int = 1
    reviewers: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    target: float = Field(default=0.8, description="Agreement to be reached: Krippendorff's alpha.")
    state: RoundState = Field(default=RoundState.OPEN, sa_column=Column(words(RoundState), nullable=False))
    seed: int = 0
    selection: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSON, nullable=False), description="Which examples were asked for."
    )
    created_by: str = Field(max_length=40)
    created_at: datetime
    closed_at: datetime | None = None


class QueueItem(SQLModel, table=True):
    """An example in a round, at its `position` in the queue. A golden one has its expected answer, and goes to all.

    `reviews` counts the answers that are no skips; it never passes `needed`. Not audited one by one: the round that it
    is in is, and each review of it.
    """

    PREFIX: ClassVar[str] = "que"
    __tablename__ = "review_item"
    __table_args__ = (
        UniqueConstraint("round_id", "example_id"),
        Index("ix_review_item_queue", "round_id", "state", "position"),
        CheckConstraint("reviews >= 0 and reviews <= needed", name="never_too_many"),
    )

    id: str = Field(primary_key=True, max_length=40)
    organisation_id: str = Field(index=True, max_length=40)
    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    round_id: str = Field(foreign_key="review_round.id", max_length=40)
    example_id: str = Field(foreign_key="example.id", index=True, max_length=40)
    position: int = 0
    risk: int = 0
    needed: int = 1
    reviews: int = 0
    state: ItemState = Field(default=ItemState.OPEN, sa_column=Column(words(ItemState), nullable=False))
    golden: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


class ReviewHold(SQLModel, table=True):
    """That an item is with a reviewer, until `lease_until`: past it, it may be handed to somebody else."""

    __tablename__ = "review_hold"

    item_id: str = Field(primary_key=True, foreign_key="review_item.id", max_length=40)
    reviewer_id: str = Field(primary_key=True, index=True, max_length=40)
    lease_until: datetime


class ExampleReview(Record, table=True):
    """What one reviewer said of one example: five scores from 1 to 5, a decision, and a corrected text if any."""

    PREFIX: ClassVar[str] = "rvw"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"comment", "edited"})
    __tablename__ = "example_review"
    __table_args__ = (UniqueConstraint("item_id", "reviewer_id"), Index("ix_example_review_of", "example_id"))

    engagement_id: str = Field(foreign_key="engagement.id", index=True, max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    round_id: str = Field(foreign_key="review_round.id", max_length=40)
    item_id: str = Field(foreign_key="review_item.id", max_length=40)
    example_id: str = Field(foreign_key="example.id", max_length=40)
    reviewer_id: str = Field(max_length=40)
    reviewer_name: str = Field(max_length=255)
    accuracy: int | None = None
    consistency: int | None = None
    completeness: int | None = None
    format: int | None = None
    edge_case: int | None = None
    label: str | None = Field(default=None, max_length=400)
    decision: Decision = Field(sa_column=Column(words(Decision), nullable=False))
    comment: str = Field(default="", max_length=2000)
    edited: str | None = Field(default=None, sa_column=Column(Text), description="The record as corrected, JSON.")
    content_sha256: str = Field(max_length=64, description="Of the example as the reviewer saw it.")
    agreed_sha256: str = Field(max_length=64, description="Of the example as the reviewer would have it.")
    seconds: float | None = None
    at: datetime


class Adjudication(Record, table=True):
    """How a disagreement was ended, by somebody whose own answer was not part of it."""

    PREFIX: ClassVar[str] = "adj"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"reason", "edited"})
    __table_args__ = (UniqueConstraint("item_id"),)

    engagement_id: str = Field(foreign_key="engagement.id", index=True, max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    item_id: str = Field(foreign_key="review_item.id", max_length=40)
    example_id: str = Field(foreign_key="example.id", max_length=40)
    decision: Decision = Field(sa_column=Column(words(Decision), nullable=False))
    reason: str = Field(max_length=2000)
    edited: str | None = Field(default=None, sa_column=Column(Text))
    by: str = Field(max_length=40)
    by_name: str = Field(max_length=255)
    at: datetime
