"""The sitting: who decides a gate, on what was found, in one transaction with all that follows from it.

Two who decide at once hold the engagement's row one after the other, and the second finds the state changed.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import assert_never

from sqlmodel import Session, col, select

from engagements.core import audit
from engagements.core.errors import Invalid
from engagements.core.models import Engagement
from engagements.core.roles import Actor, Permission
from engagements.db.columns import new_id
from engagements.delivery.gate_models import GateCondition, GateDecision, GateState, Verdict
from engagements.delivery.models import CURRENT, PhaseRecord, PhaseState
from engagements.delivery.owners import owners_of
from engagements.delivery.under_way import claim_active
from engagements.phases.errors import GateConflict, PhaseBlocked, PhaseSkipped
from engagements.phases.gates import requirements_of
from engagements.phases.gathering import Ground, facts_of, ground_of
from engagements.phases.passing import move, pass_gate, stop, tell_of
from engagements.phases.reading import current_blockers, gate_of, gates_of
from engagements.phases.requirements import Requirement, blockers_of
from engagements.phases.schemas import DecideIn
from engagements.phases.views import plain_findings
from estimator.errors import Problem
from estimator.phases import Phase

__all__ = ["current_blockers", "decide", "gate_of", "gates_of"]

PASSES = frozenset({Verdict.GO, Verdict.GO_WITH_CONDITIONS})


def decide(
    session: Session, actor: Actor, engagement_id: str, phase: Phase, data: DecideIn, *, at: datetime, today: date
) -> GateDecision:
    """Raises `NotUnderWay`, `PhaseSkipped`, `GateConflict`, `Invalid`, `Forbidden` (overrides), `PhaseBlocked`."""
    engagement = claim_active(session, actor, engagement_id)
    ground = ground_of(session, engagement.id, locked=True)
    row = sittable(ground, phase)
    assert ground is not None, "what can sit was agreed"
    before = _sittings(session, engagement.id, phase)
    _refuse_another(session, actor, row, before, data, at=at)
    requirements = requirements_of(phase, facts_of(ground, phase, today))
    if problems := [*_problems(session, actor, data, requirements, today)]:
        raise Invalid.of(*problems)
    if data.verdict in PASSES:
        _refuse_blocked(actor, data, requirements)
    decision = _decided(actor, row, data, requirements, sitting=len(before) + 1, at=at)
    session.add(decision)
    audit.record(session, actor, "gate.decided", decision, at=at, reason=data.reason, client_sees=True)
    if decision.overridden:
        audit.record(session, actor, "gate.overridden", decision, at=at, reason=data.override_reason, client_sees=True)
    _conditions(session, actor, decision, data, at=at)
    _follow(session, actor, engagement, ground, row, decision, at=at, today=today)
    tell_of(session, actor, engagement, row, decision, at=at)
    return decision


def sittable(ground: Ground | None, phase: Phase) -> PhaseRecord:
    """The phase whose gate can be decided now. Raises `PhaseSkipped` and `GateConflict`."""
    row = ground.phase(phase) if ground else None
    if ground is None or row is None:
        raise GateConflict(f"{phase.label} was not agreed", remedy="it is no part of what the client accepted")
    current = next((each for each in ground.phases if each.state in CURRENT), None)
    match row.state:
        case PhaseState.IN_PROGRESS | PhaseState.GATE_REVIEW:
            return row
        case PhaseState.PLANNED:
            before = f"the gate of {current.phase.label.lower()} comes first" if current else "no phase is current"
            raise PhaseSkipped(f"{phase.label} has not begun", remedy=before)
        case PhaseState.READY:
            raise GateConflict(f"{phase.label} has not been started", remedy="start the phase, then decide its gate")
        case PhaseState.BLOCKED:
            raise GateConflict(f"{phase.label} is blocked: {row.blocked_reason}", remedy="unblock it first")
        case PhaseState.DONE | PhaseState.STOPPED:
            raise GateConflict(f"the gate of {phase.label.lower()} is decided", remedy="what was decided stays")
        case _:
            assert_never(row.state)


def _sittings(session: Session, engagement_id: str, phase: Phase) -> Sequence[GateDecision]:
    mine = GateDecision.engagement_id == engagement_id, GateDecision.phase == phase
    return session.exec(select(GateDecision).where(*mine).order_by(col(GateDecision.sitting))).all()


def _refuse_another(
    session: Session, actor: Actor, row: PhaseRecord, before: Sequence[GateDecision], data: DecideIn, *, at: datetime
) -> None:
    """A decision in between, or one that waits for the client; one that was taken back waits no more."""
    if data.sitting is not None and data.sitting != len(before) + 1:
        message = f"somebody decided this gate in between: this would be sitting {len(before) + 1}"
        raise GateConflict(message, remedy="look at what was decided, then decide again")
    last = before[-1] if before else None
    if last is None or last.state is not GateState.AWAITING_CLIENT:
        return
    if row.state is PhaseState.GATE_REVIEW:
        remedy = "wait for their answer, or take the phase back from its gate"
        raise GateConflict("this gate waits for the client's signature", remedy=remedy)
    last.state, last.cosign_reason = GateState.REFUSED, "taken back by the agency before the client had answered"
    audit.record(session, actor, "gate.taken_back", last, at=at, client_sees=True)
    drop_conditions(session, actor, last, at=at)


def drop_conditions(session: Session, actor: Actor, decision: GateDecision, *, at: datetime) -> None:
    """What a gate was to be passed on, where it was not passed."""
    for condition in session.exec(select(GateCondition).where(GateCondition.gate_id == decision.id)).all():
        session.delete(condition)
        audit.record(session, actor, "condition.dropped", condition, at=at)


def _problems(
    session: Session, actor: Actor, data: DecideIn, requirements: Sequence[Requirement], today: date
) -> Iterator[Problem]:
    """Everything that does not fit the verdict."""
    passes = data.verdict in PASSES
    blocking = {each.code for each in requirements if each.blocks}
    for place, code in enumerate(data.overridden):
        if not passes or code not in blocking:
            message, remedy = f"{code!r} does not stand in the way of this verdict", "leave it out"
            yield Problem(code="override.unknown", where=f"overridden.{place}", message=message, remedy=remedy)
    if data.overridden and not data.override_reason:
        yield _missing("override_reason", "nobody says why it is overruled", "say why; the client reads it")
    if data.verdict is Verdict.GO_WITH_CONDITIONS and not data.conditions:
        yield _missing("conditions", "there is no condition", "name one with its day, or decide go")
    if data.verdict is not Verdict.GO_WITH_CONDITIONS and data.conditions:
        message, remedy = f"{data.verdict} has no conditions", "decide go_with_conditions, or leave them out"
        yield Problem(code="conditions.not_wanted", where="conditions", message=message, remedy=remedy)
    if not passes and not data.reason:
        yield _missing("reason", "no reason is given", "say why")
    if data.verdict is Verdict.HOLD and data.review_on is None:
        yield _missing("review_on", "no day to look at it again", "name the day of the review")
    if data.review_on is not None and data.review_on <= today:
        message, remedy = f"{data.review_on.isoformat()} is not to come", "name a day after today"
        yield Problem(code="date.past", where="review_on", message=message, remedy=remedy)
    yield from _condition_problems(session, actor, data, today)


def _condition_problems(session: Session, actor: Actor, data: DecideIn, today: date) -> Iterator[Problem]:
    known = owners_of(session, actor.organisation_id, (each.owner_id for each in data.conditions))
    for place, condition in enumerate(data.conditions):
        if condition.due < today:
            message, remedy = f"{condition.due.isoformat()} is past", "name today or a day to come"
            yield Problem(code="date.past", where=f"conditions.{place}.due", message=message, remedy=remedy)
        owner = known.get(condition.owner_id or "")
        if condition.owner_id and (owner is None or owner.left):
            message = f"{owner.name} has left" if owner else "nobody of the agency is called that"
            remedy, where = "name somebody who works here", f"conditions.{place}.owner_id"
            yield Problem(code="owner_unknown", where=where, message=message, remedy=remedy)


def _missing(where: str, message: str, remedy: str) -> Problem:
    return Problem(code="field_missing", where=where, message=message, remedy=remedy)


def _refuse_blocked(actor: Actor, data: DecideIn, requirements: Sequence[Requirement]) -> None:
    """Evidence that a gate must have is measured or overruled by name, never ticked."""
    if data.overridden:
        actor.require(Permission.OVERRIDE_GATES)
    left = [each for each in blockers_of(requirements) if each.requirement not in data.overridden]
    if not left:
        return
    problems = [Problem(code=each.code, message=each.message, remedy=each.remedy) for each in left]
    count = f"{len(left)} {'thing stands' if len(left) == 1 else 'things stand'} against passing this gate"
    listed = "; ".join(f"{each.requirement}: {each.message}" for each in left)
    remedy = "meet them, or have them overruled with a reason by who may"
    raise PhaseBlocked(f"{count}: {listed}", remedy=remedy, problems=problems)


def _decided(
    actor: Actor, row: PhaseRecord, data: DecideIn, requirements: Sequence[Requirement], *, sitting: int, at: datetime
) -> GateDecision:
    waits = data.verdict in PASSES and row.cosigned
    return GateDecision(
        id=new_id(GateDecision.PREFIX), organisation_id=row.organisation_id, engagement_id=row.engagement_id,
        client_id=row.client_id, phase=row.phase, round=row.round, sitting=sitting, verdict=data.verdict,
        state=GateState.AWAITING_CLIENT if waits else GateState.FINAL, reason=data.reason,
        findings=plain_findings(requirements), overridden=sorted(set(data.overridden)),
        override_reason=data.override_reason if data.overridden else "", review_on=data.review_on,
        decided_by=actor.id, decided_by_name=actor.name, at=at,
    )  # fmt: skip


def _conditions(session: Session, actor: Actor, decision: GateDecision, data: DecideIn, *, at: datetime) -> None:
    session.flush()
    for wanted in data.conditions:
        condition = GateCondition(
            id=new_id(GateCondition.PREFIX), organisation_id=decision.organisation_id,
            engagement_id=decision.engagement_id, client_id=decision.client_id, gate_id=decision.id,
            phase=decision.phase, text=wanted.text, owner_id=wanted.owner_id, due=wanted.due,
        )  # fmt: skip
        session.add(condition)
        audit.record(session, actor, "condition.set", condition, at=at, client_sees=True)


def _follow(
    session: Session, actor: Actor, engagement: Engagement, ground: Ground, row: PhaseRecord, decision: GateDecision, *,
    at: datetime, today: date,
) -> None:  # fmt: skip
    match decision.verdict:
        case Verdict.GO | Verdict.GO_WITH_CONDITIONS:
            if decision.state is GateState.FINAL:
                pass_gate(session, actor, engagement, ground, row, at=at, today=today)
            else:
                move(session, actor, row, PhaseState.GATE_REVIEW, "phase.awaits_client", at=at)
        case Verdict.HOLD:
            move(session, actor, row, PhaseState.GATE_REVIEW, "phase.held", at=at, reason=decision.reason)
        case Verdict.RECYCLE:
            row.round += 1
            move(session, actor, row, PhaseState.IN_PROGRESS, "phase.recycled", at=at, reason=decision.reason)
        case Verdict.STOP:
            stop(session, actor, engagement, ground, row, decision, at=at, today=today)
        case _:
            assert_never(decision.verdict)
