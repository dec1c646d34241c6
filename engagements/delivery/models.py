"""Tables of the plan of an engagement: what was agreed, and where it stands.

A baseline is never edited: an approved change makes the next number. Everything else moves and leaves audit events.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from engagements.core.models import words
from engagements.db.columns import Record
from estimator.phases import Phase


class Baseline(Record, table=True):
    """What was agreed, as delivery measures itself against it. Made by an acceptance or by an approved change.

    `plan`: phases, dates, prices, criteria (see `proposals.baseline`). `budget`: our cost and its spread by phase
    (`estimator.budget.Budget` as plain data); never shown to clients.
    """

    PREFIX: ClassVar[str] = "bas"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"plan", "budget"})
    __table_args__ = (
        UniqueConstraint("engagement_id", "number"),
        CheckConstraint("number > 0", name="number_positive"),
    )

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    proposal_id: str = Field(foreign_key="proposal.id", max_length=40)
    decision_id: str = Field(foreign_key="decision.id", max_length=40)
    change_id: str | None = Field(
        default=None, max_length=40, description="The change that made it; null for the first."
    )
    number: int = 1
    plan: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    budget: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_at: datetime


class PhaseState(StrEnum):
    """planned -> ready -> in_progress <-> blocked; in_progress -> gate_review -> done, stopped or again in_progress.

    Of an engagement under way exactly one phase is current: ready, in_progress, blocked or gate_review.
    """

    PLANNED = "planned"
    READY = "ready"
    IN_PROGRESS = "in_progress"
    BLOCKED = "blocked"
    GATE_REVIEW = "gate_review"
    DONE = "done"
    STOPPED = "stopped"


CURRENT = frozenset({PhaseState.READY, PhaseState.IN_PROGRESS, PhaseState.BLOCKED, PhaseState.GATE_REVIEW})


class PhaseRecord(Record, table=True):
    """One phase of one engagement. `round` counts from 1; a gate that recycles begins the next.

    `planned_*`: the plan as it is today; the baseline has what was agreed. None for ongoing management, which has no
    end. `cosigned`: whether the client's approver signs its gate with us, as the proposal says.
    """

    PREFIX: ClassVar[str] = "pha"
    __tablename__ = "phase_record"
    __table_args__ = (UniqueConstraint("engagement_id", "phase"), CheckConstraint("round > 0", name="round_positive"))

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    phase: Phase = Field(sa_column=Column(words(Phase), nullable=False))
    state: PhaseState = Field(default=PhaseState.PLANNED, sa_column=Column(words(PhaseState), nullable=False))
    round: int = 1
    owner_id: str | None = Field(default=None, index=True, max_length=40)
    cosigned: bool = False
    planned_begin: date | None = None
    planned_work_end: date | None = None
    planned_gate: date | None = None
    actual_begin: date | None = None
    actual_end: date | None = None
    blocked_reason: str = Field(default="", max_length=2000)
    blocked_since: date | None = None
    changed_at: datetime


class PlanChange(Record, table=True):
    """Why dates moved: written once for each rescheduling.

    `moves`: by phase, its days `begin`, `work_end` and `gate`, each as [before, after]. `along`: what moved with them,
    by the code of a milestone or deliverable, [before, after].
    """

    PREFIX: ClassVar[str] = "mov"
    __tablename__ = "plan_change"

    engagement_id: str = Field(foreign_key="engagement.id", index=True, max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    phase: Phase = Field(sa_column=Column(words(Phase), nullable=False), description="The phase that was moved first.")
    reason: str = Field(max_length=2000)
    by_client: bool = Field(default=False, description="Whether something was late that the client owes.")
    moves: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    along: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_by: str = Field(max_length=40)
    created_at: datetime


class MilestoneKind(StrEnum):
    """`payment`: due by a gate or a month of management; `client_input`: what we need; `other`: a day worth a mark."""

    PAYMENT = "payment"
    CLIENT_INPUT = "client_input"
    OTHER = "other"


class Milestone(Record, table=True):
    """A day that counts. A payment is reached when its `gate` (0: acceptance) passes or its `month` is over."""

    PREFIX: ClassVar[str] = "mil"
    __table_args__ = (UniqueConstraint("engagement_id", "code"),)

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    code: str = Field(max_length=20, description="M1, M2, …")
    kind: MilestoneKind = Field(sa_column=Column(words(MilestoneKind), nullable=False))
    name: str = Field(max_length=400)
    phase: Phase | None = Field(default=None, sa_column=Column(words(Phase)))
    gate: int | None = None
    month: int | None = None
    agreed_on: date | None = None
    planned_on: date | None = None
    reached_on: date | None = None
    note: str = Field(default="", max_length=2000, description="What a late input of the client did to the plan.")
    net_minor: int | None = Field(default=None, sa_type=BigInteger)
    gross_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = Field(default="", max_length=3)


class DeliverableState(StrEnum):
    """draft -> internal_review -> submitted -> accepted, with reservations too, or rejected -> draft (edition + 1)."""

    DRAFT = "draft"
    INTERNAL_REVIEW = "internal_review"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    ACCEPTED_WITH_RESERVATIONS = "accepted_with_reservations"
    REJECTED = "rejected"


class DeliverableRecord(Record, table=True):
    """Something handed over. Once it is accepted `sha256` locks what was accepted."""

    PREFIX: ClassVar[str] = "dlv"
    __tablename__ = "deliverable_record"
    __table_args__ = (UniqueConstraint("engagement_id", "code"),)

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    phase: Phase = Field(sa_column=Column(words(Phase), nullable=False))
    code: str = Field(max_length=20, description="D1, D2, …")
    name: str = Field(max_length=200)
    format: str = Field(default="", max_length=200)
    acceptance: str = Field(default="", max_length=400)
    reviewer: str = Field(default="", max_length=200)
    due: date | None = None
    owner_id: str | None = Field(default=None, max_length=40)
    state: DeliverableState = Field(
        default=DeliverableState.DRAFT, sa_column=Column(words(DeliverableState), nullable=False)
    )
    edition: int = 1
    link: str = Field(default="", max_length=500, description="Where it lies.")
    sha256: str = Field(default="", max_length=64)
    prepared_by: str = Field(default="", max_length=40, description="Who handed it in; somebody else submits it.")
    submitted_at: datetime | None = None
    decided_at: datetime | None = None
    decided_by_name: str = Field(default="", max_length=200)
    on_behalf_by: str | None = Field(default=None, max_length=40)
    evidence: str = Field(default="", max_length=2000, description="Where the client decided, if not here.")
    reason: str = Field(default="", max_length=2000, description="Why it was returned, or what it was accepted with.")


class Criterion(Record, table=True):
    """An acceptance criterion: metric, set and digest, threshold, items, interval rule, baseline.

    Rates are shares from 0 to 1, kept as text so that they stay exact. `set_digest` is filled when the set is sealed;
    from then on only evidence over that set counts.
    """

    PREFIX: ClassVar[str] = "cri"
    __table_args__ = (UniqueConstraint("engagement_id", "code"),)

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    code: str = Field(max_length=20, description="C1, C2, …")
    tier: str = Field(max_length=10, description="must, should or stretch")
    metric: str = Field(max_length=200)
    set_name: str = Field(max_length=200)
    set_digest: str = Field(default="", max_length=64)
    operator: str = Field(max_length=20, description="at least, or at most")
    threshold: str = Field(max_length=30)
    items: int
    rule: str = Field(max_length=400, description="How the interval decides, in words.")
    baseline: str | None = Field(default=None, max_length=30)
    paired: bool = Field(default=False, description="Whether a paired gain over the baseline has to be shown too.")
    created_at: datetime


class RaidKind(StrEnum):
    RISK = "risk"
    ASSUMPTION = "assumption"
    ISSUE = "issue"
    DECISION = "decision"


class RaidState(StrEnum):
    """open -> closed; an assumption -> held | broken (which opens a change request)."""

    OPEN = "open"
    CLOSED = "closed"
    HELD = "held"
    BROKEN = "broken"


class RaidItem(Record, table=True):
    """A risk, an assumption, an issue or a decision. `probability` and `impact`: low, normal, high; "" where not rated.

    `trigger` of an assumption: {"measure": …, "operator": "at_most", "value": …}, read by `changes.triggers`.
    """

    PREFIX: ClassVar[str] = "rai"
    __tablename__ = "raid_item"
    __table_args__ = (UniqueConstraint("engagement_id", "code"),)

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    kind: RaidKind = Field(sa_column=Column(words(RaidKind), nullable=False))
    code: str = Field(max_length=20, description="R1, A1, I1, X1 (a decision), …")
    title: str = Field(max_length=400)
    text: str = Field(default="", max_length=2000)
    probability: str = Field(default="", max_length=10)
    impact: str = Field(default="", max_length=10)
    response: str = Field(default="", max_length=2000, description="Mitigation, or what happens if it is false.")
    owner_id: str | None = Field(default=None, max_length=40)
    owner_name: str = Field(default="", max_length=200, description="Where the owner is a role, or of the client.")
    due: date | None = None
    trigger: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    client_sees: bool = False
    state: RaidState = Field(default=RaidState.OPEN, sa_column=Column(words(RaidState), nullable=False))
    outcome: str = Field(default="", max_length=2000)
    change_id: str | None = Field(default=None, max_length=40)
    created_at: datetime
    changed_at: datetime


class Standing(SQLModel, table=True):
    """Of one engagement under way, what lists show of it: kept by `delivery.standing` in each transaction.

    Derived; `standing.computed` of the same rows gives the same. Money in minor units of `currency`.
    """

    __tablename__ = "standing"
    __table_args__ = (Index("ix_standing_of", "organisation_id", "engagement_id"),)

    engagement_id: str = Field(primary_key=True, foreign_key="engagement.id", max_length=40)
    organisation_id: str = Field(max_length=40)
    client_id: str = Field(max_length=40)
    steps: str = Field(max_length=60, description="The states of the phases in order, by their first letters.")
    phase: Phase | None = Field(default=None, sa_column=Column(words(Phase)))
    state: PhaseState | None = Field(default=None, sa_column=Column(words(PhaseState)))
    phase_owner_id: str | None = Field(default=None, max_length=40)
    planned_gate: date | None = None
    agreed_gate: date | None = None
    late_gate: date | None = Field(default=None, description="The day agreed four times in five (P80).")
    planned_end: date | None = None
    agreed_end: date | None = None
    next_due: date | None = Field(default=None, description="The first day a condition or a client's input is due.")
    currency: str = Field(default="", max_length=3)
    budget_minor: int | None = Field(default=None, sa_type=BigInteger, description="Our cost agreed, mean.")
    budget_late_minor: int | None = Field(default=None, sa_type=BigInteger, description="The same at P80.")
    allowed_minor: int | None = Field(
        default=None, sa_type=BigInteger, description="Our cost agreed for what is done and the current phase, mean."
    )
    spent_minor: int = Field(default=0, sa_type=BigInteger)
    spent_unknown: int = Field(default=0, description="Entries whose cost nobody knows; then `spent_minor` is a floor.")
    earned_minor: int = Field(default=0, sa_type=BigInteger)
    minutes: int = 0
    budget_minutes: int | None = None
    open_changes: int = 0
    open_alerts: int = 0
    changed_at: datetime
