"""The client's half of a gate: their approver signs or refuses, here or another way that we record with evidence."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from engagements.core import audit
from engagements.core.errors import Invalid
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.service import find
from engagements.delivery.gate_models import GateDecision, GateState
from engagements.delivery.models import PhaseRecord, PhaseState
from engagements.delivery.under_way import claim_in_active
from engagements.phases.deciding import drop_conditions
from engagements.phases.errors import GateConflict
from engagements.phases.gathering import Ground, ground_of
from engagements.phases.passing import move, pass_gate, tell_of
from engagements.phases.schemas import GateOnBehalfIn, RefuseIn
from estimator.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who signs or refuses; `evidence`: where it can be seen, where it was not done here."""

    name: str
    evidence: str = ""


def sign(session: Session, actor: Actor, gate_id: str, *, at: datetime, today: date) -> GateDecision:
    """Raises `NotFound`, `NotUnderWay`, and `GateConflict` where nothing waits for a signature."""
    return _signed(session, actor, gate_id, Hand(name=actor.name), at=at, today=today)


def refuse(session: Session, actor: Actor, gate_id: str, data: RefuseIn, *, at: datetime) -> GateDecision:
    """The phase goes back to work. Raises what `sign` raises."""
    return _refused(session, actor, gate_id, data.reason, Hand(name=actor.name), at=at)


def on_behalf(
    session: Session, actor: Actor, gate_id: str, data: GateOnBehalfIn, *, at: datetime, today: date
) -> GateDecision:
    """What the client decided another way. Raises what `sign` raises, and `Invalid` for a refusal without a reason."""
    hand = Hand(name=data.name, evidence=data.evidence)
    if data.signed:
        return _signed(session, actor, gate_id, hand, at=at, today=today)
    if not data.reason:
        problem = Problem(code="field_missing", where="reason", message="no reason is given", remedy="say why")
        raise Invalid.of(problem)
    return _refused(session, actor, gate_id, data.reason, hand, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Awaiting:
    engagement: Engagement
    ground: Ground
    phase: PhaseRecord
    decision: GateDecision


def _awaiting(session: Session, actor: Actor, gate_id: str) -> _Awaiting:
    decision = claim_in_active(session, actor, GateDecision, gate_id)
    ground = ground_of(session, decision.engagement_id, locked=True)
    row = ground.phase(decision.phase) if ground else None
    assert ground is not None and row is not None, "a gate that was decided has a phase"  # noqa: PT018  # one fact
    if decision.state is not GateState.AWAITING_CLIENT or row.state is not PhaseState.GATE_REVIEW:
        raise GateConflict("this decision waits for nobody's signature", remedy="look at how the gate stands now")
    engagement = find(session, actor, Engagement, decision.engagement_id)
    return _Awaiting(engagement=engagement, ground=ground, phase=row, decision=decision)


def _signed(session: Session, actor: Actor, gate_id: str, hand: Hand, *, at: datetime, today: date) -> GateDecision:
    waiting = _awaiting(session, actor, gate_id)
    decision = _answered(waiting.decision, actor, GateState.FINAL, hand, at=at)
    audit.record(session, actor, "gate.signed", decision, at=at, client_sees=True)
    pass_gate(session, actor, waiting.engagement, waiting.ground, waiting.phase, at=at, today=today)
    tell_of(session, actor, waiting.engagement, waiting.phase, decision, at=at)
    return decision


def _refused(session: Session, actor: Actor, gate_id: str, reason: str, hand: Hand, *, at: datetime) -> GateDecision:
    waiting = _awaiting(session, actor, gate_id)
    decision = _answered(waiting.decision, actor, GateState.REFUSED, hand, at=at)
    decision.cosign_reason = reason
    audit.record(session, actor, "gate.refused", decision, at=at, reason=reason, client_sees=True)
    drop_conditions(session, actor, decision, at=at)
    move(session, actor, waiting.phase, PhaseState.IN_PROGRESS, "phase.refused", at=at, reason=reason)
    tell_of(session, actor, waiting.engagement, waiting.phase, decision, at=at)
    return decision


def _answered(decision: GateDecision, actor: Actor, state: GateState, hand: Hand, *, at: datetime) -> GateDecision:
    decision.state, decision.cosigned_at, decision.cosigned_by = state, at, actor.id
    decision.cosigned_by_name, decision.cosign_evidence = hand.name, hand.evidence
    return decision
