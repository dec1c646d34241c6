"""What others are told: a row of the outbox, written in the transaction that made it true and delivered after it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from engagements.core.models import OutboxEvent
from engagements.db.columns import new_id


class EventType(StrEnum):
    """What a webhook can be told of. Later phases add theirs here."""

    PROPOSAL_SENT = "proposal.sent"
    PROPOSAL_VIEWED = "proposal.viewed"
    PROPOSAL_ACCEPTED = "proposal.accepted"
    PROPOSAL_DECLINED = "proposal.declined"
    PROPOSAL_WITHDRAWN = "proposal.withdrawn"
    PROPOSAL_EXPIRED = "proposal.expired"
    ENGAGEMENT_CHANGED = "engagement.changed"
    PHASE_CHANGED = "phase.changed"
    PLAN_CHANGED = "plan.changed"
    EVIDENCE_RECORDED = "evidence.recorded"
    GATE_DECIDED = "gate.decided"
    DELIVERABLE_SUBMITTED = "deliverable.submitted"
    DELIVERABLE_DECIDED = "deliverable.decided"
    BUDGET_ALERT = "budget.alert"
    INVOICE_EXPORTED = "invoice.exported"
    CHANGE_SENT = "change.sent"
    CHANGE_DECIDED = "change.decided"
    REPORT_ISSUED = "report.issued"
    DATA_JOB_ENDED = "data.job_ended"
    REVIEW_ROUND_CLOSED = "data.round_closed"
    DATASET_SEALED = "data.sealed"
    ERASURE_OPENED = "data.erasure_opened"
    TRAINING_RUN_ENDED = "training.run_ended"
    EXPERIMENT_ENDED = "training.experiment_ended"
    MODEL_RETIRING = "training.model_retiring"


def tell(
    session: Session, organisation_id: str, kind: EventType, data: Mapping[str, object], *, at: datetime
) -> OutboxEvent:
    """Ids and states, never texts or personal data: who is told can ask for the rest with a key."""
    event = OutboxEvent(id=new_id("evt"), organisation_id=organisation_id, type=kind.value, at=at, data=dict(data))
    session.add(event)
    return event
