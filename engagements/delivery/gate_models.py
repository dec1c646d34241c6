"""Tables of what gates stand on: evidence, decisions, conditions, and the marks on checklists."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Column, Index, UniqueConstraint
from sqlmodel import Field

from engagements.core.models import words
from engagements.db.columns import Record
from estimator.phases import Phase


class EvidenceKind(StrEnum):
    """What can be measured; the content of each is a type of `delivery.evidence`."""

    DATASET_VERSION = "dataset_version"
    EVALUATION_RUN = "evaluation_run"
    COMPARISON = "comparison"
    TRAINING_RUN = "training_run"
    DEPLOYMENT = "deployment"
    DRIFT_CHECK = "drift_check"


class EvidenceRecord(Record, table=True):
    """One measurement, never edited: what replaces it names it in `supersedes`. `sha256`: of `content`, canonical.

    `external_id` is the measuring tool's own name for it, so that a lost answer is not recorded twice.
    """

    PREFIX: ClassVar[str] = "evi"
    __tablename__ = "evidence_record"
    __table_args__ = (UniqueConstraint("engagement_id", "kind", "external_id"),)

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    phase: Phase = Field(sa_column=Column(words(Phase), nullable=False))
    round: int = Field(default=1, description="Of the phase, when it was recorded.")
    kind: EvidenceKind = Field(sa_column=Column(words(EvidenceKind), nullable=False))
    external_id: str = Field(max_length=200)
    content: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    sha256: str = Field(max_length=64)
    source: str = Field(max_length=200, description="The tool that measured it, with its version.")
    measured_at: datetime
    supersedes: str | None = Field(default=None, max_length=40)
    recorded_by: str = Field(max_length=40)
    created_at: datetime


class Verdict(StrEnum):
    """What a gate decides (Cooper's stage gates)."""

    GO = "go"
    GO_WITH_CONDITIONS = "go_with_conditions"
    HOLD = "hold"
    RECYCLE = "recycle"
    STOP = "stop"


class GateState(StrEnum):
    """awaiting_client -> final | refused (by the client); what needs no second signature is final at once."""

    AWAITING_CLIENT = "awaiting_client"
    FINAL = "final"
    REFUSED = "refused"


class GateDecision(Record, table=True):
    """One sitting of a gate. `findings`: every requirement as it stood then, with number, evidence and its sha256.

    `overridden`: codes of the must-meet blockers that were overruled, with `override_reason`; both are shown to the
    client. Passing once: at most one decision of a phase and round lets it pass.
    """

    PREFIX: ClassVar[str] = "gat"
    __tablename__ = "gate_decision"
    __table_args__ = (
        UniqueConstraint("engagement_id", "phase", "sitting"),
        CheckConstraint("sitting > 0", name="sitting_positive"),
    )

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    phase: Phase = Field(sa_column=Column(words(Phase), nullable=False))
    round: int
    sitting: int = Field(description="1 for the first decision about this phase, and one more with each.")
    verdict: Verdict = Field(sa_column=Column(words(Verdict), nullable=False))
    state: GateState = Field(sa_column=Column(words(GateState), nullable=False))
    reason: str = Field(default="", max_length=2000)
    findings: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    overridden: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    override_reason: str = Field(default="", max_length=2000)
    review_on: date | None = None
    decided_by: str = Field(max_length=40)
    decided_by_name: str = Field(max_length=255)
    at: datetime
    cosigned_at: datetime | None = None
    cosigned_by: str = Field(default="", max_length=40)
    cosigned_by_name: str = Field(default="", max_length=255)
    cosign_evidence: str = Field(default="", max_length=2000, description="Where the client signed, if not here.")
    cosign_reason: str = Field(default="", max_length=2000, description="Why the client refused.")


class GateCondition(Record, table=True):
    """What a gate was passed on; it has to be met before the next gate."""

    PREFIX: ClassVar[str] = "cnd"
    __tablename__ = "gate_condition"
    __table_args__ = (Index("ix_gate_condition_open", "engagement_id", "met_at"),)

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    gate_id: str = Field(foreign_key="gate_decision.id", index=True, max_length=40)
    phase: Phase = Field(sa_column=Column(words(Phase), nullable=False))
    text: str = Field(max_length=2000)
    owner_id: str | None = Field(default=None, max_length=40)
    due: date
    met_at: datetime | None = None
    met_by: str = Field(default="", max_length=40)
    note: str = Field(default="", max_length=2000, description="How it was met.")


class ChecklistMark(Record, table=True):
    """That somebody saw to an item of a phase's checklist, or says why it does not apply. It opens no gate."""

    PREFIX: ClassVar[str] = "chk"
    __tablename__ = "checklist_mark"
    __table_args__ = (UniqueConstraint("engagement_id", "phase", "item"),)

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    phase: Phase = Field(sa_column=Column(words(Phase), nullable=False))
    item: str = Field(max_length=60, description="The item's key in the checklist of the phase.")
    done: bool = True
    applies: bool = True
    note: str = Field(default="", max_length=2000)
    by: str = Field(max_length=40)
    by_name: str = Field(max_length=255)
    at: datetime
