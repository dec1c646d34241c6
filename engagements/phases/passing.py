"""What follows from a gate: the next phase or the end, payments reached, the test set bound, those concerned told."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, assert_never

from sqlmodel import Session, col, select

from engagements.core import audit
from engagements.core.models import Engagement, EngagementState
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor
from engagements.db.columns import new_id
from engagements.delivery import standing
from engagements.delivery.gate_models import GateDecision, GateState
from engagements.delivery.models import Milestone, MilestoneKind, PhaseRecord, PhaseState
from engagements.delivery.owners import approvers_of
from engagements.notices.telling import tell_people
from engagements.phases.facts import Facts
from engagements.phases.gathering import Ground, facts_of
from engagements.phases.months import months_over
from estimator.money import Money
from estimator.phases import Phase


def pass_gate(
    session: Session,
    actor: Actor,
    engagement: Engagement,
    ground: Ground,
    row: PhaseRecord,
    *,
    at: datetime,
    today: date,
) -> None:
    """The phase is done and the next one ready; a monthly review begins the next month until the last is over."""
    facts = facts_of(ground, row.phase, today)
    if row.phase is Phase.MANAGEMENT:
        over = months_over(row.actual_begin or today, today)
        _reach(session, actor, _months(session, engagement.id, over), at=at, today=today)
        if over < (ground.baseline.plan["option"]["management_months"] or 0):
            row.round += 1
            move(session, actor, row, PhaseState.IN_PROGRESS, "phase.reviewed", at=at)
            return
    row.actual_end = today
    move(session, actor, row, PhaseState.DONE, "phase.passed", at=at)
    _bind(session, actor, ground, facts, at=at)
    _reach(session, actor, _of_gate(session, engagement.id, row.phase.number), at=at, today=today)
    following = next((each for each in ground.phases if each.state is PhaseState.PLANNED), None)
    if following is not None:
        move(session, actor, following, PhaseState.READY, "phase.ready", at=at)
    else:
        _close(session, actor, engagement, "every phase has passed its gate", at=at)


def stop(
    session: Session, actor: Actor, engagement: Engagement, ground: Ground, row: PhaseRecord, decision: GateDecision, *,
    at: datetime, today: date,
) -> None:  # fmt: skip
    """The phase ends here, and the engagement is closed out. After the baselines the agreed stop price is due."""
    row.actual_end = today
    move(session, actor, row, PhaseState.STOPPED, "phase.stopped", at=at, reason=decision.reason)
    if row.phase is Phase.BASELINE_EVALUATION:
        _stop_price(session, actor, engagement, ground.baseline.plan, at=at, today=today)
    _close(session, actor, engagement, decision.reason, at=at)


def move(
    session: Session, actor: Actor, row: PhaseRecord, state: PhaseState, action: str, *, at: datetime, reason: str = ""
) -> None:
    row.state, row.changed_at = state, at
    audit.record(session, actor, action, row, at=at, reason=reason, client_sees=True)
    told = {"engagement": row.engagement_id, "phase": row.phase.value, "state": state.value, "round": row.round}
    tell(session, row.organisation_id, EventType.PHASE_CHANGED, told, at=at)


def tell_of(
    session: Session, actor: Actor, engagement: Engagement, row: PhaseRecord, decision: GateDecision, *, at: datetime
) -> None:
    """After all else: lists, webhooks, the engagement's owner, the phase's, and the client's approvers."""
    standing.refresh(session, engagement.id, at=at)
    told = {
        "engagement": engagement.id, "phase": row.phase.value, "gate": decision.id, "verdict": decision.verdict.value,
        "state": decision.state.value,
    }  # fmt: skip
    tell(session, engagement.organisation_id, EventType.GATE_DECIDED, told, at=at)
    people = {engagement.owner_id, row.owner_id}
    if decision.state is GateState.AWAITING_CLIENT:
        people |= set(approvers_of(session, engagement.organisation_id, engagement.client_id))
    tell_people(
        session, engagement.organisation_id, [each for each in people - {None, actor.id} if each],
        topic=f"gate:{decision.id}:{decision.state}", kind=EventType.GATE_DECIDED.value,
        text=f"{engagement.name}: gate of {row.phase.label.lower()}, {_words(decision)}"[:400],
        address=f"/engagements/{engagement.id}/gates/{row.phase}", at=at, engagement_id=engagement.id,
    )  # fmt: skip


def _words(decision: GateDecision) -> str:
    verdict = decision.verdict.replace("_", " ")
    match decision.state:
        case GateState.AWAITING_CLIENT:
            return f"{verdict}; it waits for the client's signature"
        case GateState.REFUSED:
            return f"{verdict}; the client refused"
        case GateState.FINAL:
            return verdict
        case _:
            assert_never(decision.state)


def _bind(session: Session, actor: Actor, ground: Ground, facts: Facts, *, at: datetime) -> None:
    """From here on only evidence over the sealed set counts; a criterion agreed later is bound at the next gate."""
    for row in ground.criteria:
        if not row.set_digest and facts.sealed_sha256:
            row.set_digest = facts.sealed_sha256
            audit.record(session, actor, "criterion.bound", row, at=at, client_sees=True)


def _of_gate(session: Session, engagement_id: str, gate: int) -> Sequence[Milestone]:
    mine = col(Milestone.engagement_id) == engagement_id, col(Milestone.reached_on).is_(None)
    return session.exec(select(Milestone).where(*mine, Milestone.gate == gate)).all()


def _months(session: Session, engagement_id: str, over: int) -> Sequence[Milestone]:
    mine = col(Milestone.engagement_id) == engagement_id, col(Milestone.reached_on).is_(None)
    return session.exec(select(Milestone).where(*mine, col(Milestone.month) <= over)).all()


def _reach(session: Session, actor: Actor, milestones: Iterable[Milestone], *, at: datetime, today: date) -> None:
    for milestone in milestones:
        milestone.reached_on = today
        audit.record(session, actor, "milestone.reached", milestone, at=at, client_sees=True)


def _stop_price(
    session: Session, actor: Actor, engagement: Engagement, plan: dict[str, Any], *, at: datetime, today: date
) -> None:
    """What is still due of the price for stopping, after the payments that were reached; its tax in proportion."""
    price = plan.get("stop_price")
    if not price:
        return
    mine = Milestone.engagement_id == engagement.id, col(Milestone.reached_on).is_not(None)
    reached = session.exec(select(Milestone).where(*mine, Milestone.kind == MilestoneKind.PAYMENT)).all()
    due = Money.of(Decimal(price["amount"]), price["currency"]).minor - sum(row.net_minor or 0 for row in reached)
    if due <= 0:
        return
    net, gross = Decimal(plan["net"]["amount"]), Decimal(plan["gross"]["amount"])
    row = Milestone(
        id=new_id(Milestone.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement.id,
        client_id=engagement.client_id, code="S1", kind=MilestoneKind.PAYMENT, name="Stopped as agreed", gate=2,
        phase=Phase.BASELINE_EVALUATION, planned_on=today, reached_on=today, net_minor=due,
        gross_minor=Money(due, price["currency"]).times(gross / net).minor, currency=price["currency"],
    )  # fmt: skip
    session.add(row)
    audit.record(session, actor, "milestone.reached", row, at=at, client_sees=True)


def _close(session: Session, actor: Actor, engagement: Engagement, reason: str, *, at: datetime) -> None:
    engagement.state, engagement.state_reason, engagement.changed_at = EngagementState.CLOSING, reason, at
    audit.record(session, actor, "engagement.changed", engagement, at=at, reason=reason, client_sees=True)
    told = {"engagement": engagement.id, "state": engagement.state.value}
    tell(session, engagement.organisation_id, EventType.ENGAGEMENT_CHANGED, told, at=at)
