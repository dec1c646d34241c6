"""What is decided about a change: inside by a second person, then by the client, over what they saw.

Agreeing writes the decision, the next baseline, the plan that follows from it, the audit events and the message to the
outside together, or nothing.
"""

import hashlib
import json
from datetime import date, datetime
from typing import Final

from sqlmodel import Session, col, select

from engagements.changes.assessing import brief_of
from engagements.changes.drafting import agreed_baseline, asks_of, forget_assessment
from engagements.changes.models import ChangeRequest, ChangeState
from engagements.changes.patching import patched
from engagements.changes.reading import count_open, digest_of
from engagements.changes.schemas import AgreeIn, DeclineIn, OnBehalfIn
from engagements.changes.states import INSIDE, ChangeConflict, Move, moved, require_fresh
from engagements.core import audit
from engagements.core.errors import Invalid, NotFound, SecondPersonRequired
from engagements.core.models import AuditEvent, Engagement
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor
from engagements.core.service import claim
from engagements.db.columns import new_id
from engagements.delivery.models import Baseline
from engagements.delivery.opening import lay_plan
from engagements.delivery.owners import approvers_of
from engagements.delivery.under_way import claim_in_active
from engagements.notices.telling import tell_people
from engagements.people.models import ApiKey
from engagements.proposals.models import BriefVersion
from engagements.proposals.schemas import ReasonIn
from engagements.proposals.scoping import brief_from, newest
from estimator.errors import Problem
from estimator.plain import plain

_WRITING: Final = ("change.drafted", "change.changed", "change.assessed")


def approve(session: Session, actor: Actor, change_id: str, *, at: datetime) -> ChangeRequest:
    """Raises `SecondPersonRequired` for whoever wrote or assessed it, with a key of theirs too; `ChangeStale`."""
    change = claim_in_active(session, actor, ChangeRequest, change_id)
    state = moved(change, Move.APPROVE)
    require_fresh(change, agreed_baseline(session, change.engagement_id))
    if _person(session, actor.id) in {_person(session, each) for each in _authors(session, change)}:
        message = "who wrote or assessed a change does not approve it"
        raise SecondPersonRequired(message, remedy="ask another account lead, finance or an administrator")
    change.state, change.approved_by, change.changed_at = state, actor.id, at
    audit.record(session, actor, "change.approved", change, at=at)
    return change


def reject(session: Session, actor: Actor, change_id: str, data: ReasonIn, *, at: datetime) -> ChangeRequest:
    """Back to its author, as a draft that has to be assessed again."""
    change = claim_in_active(session, actor, ChangeRequest, change_id)
    change.state, change.state_reason = moved(change, Move.REJECT), data.reason
    forget_assessment(change)
    change.changed_at = at
    audit.record(session, actor, "change.rejected", change, at=at, reason=data.reason)
    _tell_staff(session, change, f"Change {change.number} came back: {data.reason}", at=at)
    return change


def send(session: Session, actor: Actor, change_id: str, *, at: datetime) -> ChangeRequest:
    """From now on the client sees it, frozen. Raises `ChangeStale`."""
    change = claim_in_active(session, actor, ChangeRequest, change_id)
    state = moved(change, Move.SEND)
    require_fresh(change, agreed_baseline(session, change.engagement_id))
    change.state, change.sent_at, change.changed_at = state, at, at
    change.sha256 = digest_of(change)
    audit.record(session, actor, "change.sent", change, at=at, client_sees=True)
    told = {"change": change.id, "engagement": change.engagement_id, "state": change.state.value}
    tell(session, change.organisation_id, EventType.CHANGE_SENT, told, at=at)
    tell_people(
        session, change.organisation_id, approvers_of(session, change.organisation_id, change.client_id),
        topic=f"change:{change.id}:sent", kind=EventType.CHANGE_SENT.value,
        text=f"A change waits for your decision: {change.title}"[:400], address=address_of(change),
        engagement_id=change.engagement_id, at=at,
    )  # fmt: skip
    count_open(session, change.engagement_id, at=at)
    return change


def agree(session: Session, actor: Actor, change_id: str, data: AgreeIn, *, at: datetime, today: date) -> ChangeRequest:
    """Raises `ChangeConflict` for other bytes than were sent, `ChangeStale`, `NotUnderWay`."""
    change = claim_in_active(session, actor, ChangeRequest, change_id)
    state = _decidable(actor, change, Move.AGREE)
    if data.sha256 != change.sha256:
        message = "what you have seen is not what was sent"
        raise ChangeConflict(message, remedy="load the change again and read it")
    change.signer_name, change.signer_email = data.name, data.email
    return _agreed(session, actor, change, state, at=at, today=today)


def decline(session: Session, actor: Actor, change_id: str, data: DeclineIn, *, at: datetime) -> ChangeRequest:
    """Also where the engagement rests: saying no needs no work."""
    change = claim(session, actor, ChangeRequest, change_id)
    state = _decidable(actor, change, Move.DECLINE)
    change.signer_name, change.signer_email = data.name, data.email
    return _declined(session, actor, change, state, data.reason, at=at)


def on_behalf(
    session: Session, actor: Actor, change_id: str, data: OnBehalfIn, *, at: datetime, today: date
) -> ChangeRequest:
    """What the client decided elsewhere, recorded by the agency with its evidence."""
    change = claim_in_active(session, actor, ChangeRequest, change_id)
    state = moved(change, Move.AGREE if data.verdict == "agreed" else Move.DECLINE)
    if data.verdict == "declined" and not data.reason:
        problem = Problem(code="field_missing", where="reason", message="no reason is given", remedy="say why")
        raise Invalid.of(problem)
    change.signer_name, change.signer_email = data.name, data.email
    change.on_behalf_by, change.evidence = actor.id, data.evidence
    if data.verdict == "declined":
        return _declined(session, actor, change, state, data.reason, at=at)
    return _agreed(session, actor, change, state, at=at, today=today)


def address_of(change: ChangeRequest) -> str:
    return f"/engagements/{change.engagement_id}/changes/{change.id}"


def _decidable(actor: Actor, change: ChangeRequest, move: Move) -> ChangeState:
    if change.state in INSIDE and actor.client_id is not None:
        raise NotFound
    return moved(change, move)


def _agreed(
    session: Session, actor: Actor, change: ChangeRequest, state: ChangeState, *, at: datetime, today: date
) -> ChangeRequest:
    before = agreed_baseline(session, change.engagement_id)
    require_fresh(change, before)
    change.state, change.decided_at, change.changed_at = state, at, at
    change.brief_id = _brief_after(session, actor, change, before, at=at)
    baseline = Baseline(
        id=new_id(Baseline.PREFIX), organisation_id=change.organisation_id, engagement_id=change.engagement_id,
        client_id=change.client_id, proposal_id=before.proposal_id, decision_id=before.decision_id,
        change_id=change.id, number=before.number + 1, plan=change.plan, budget=change.budget, created_at=at,
    )  # fmt: skip
    change.baseline_id = baseline.id
    session.add(baseline)
    audit.record(session, actor, "change.agreed", change, at=at, client_sees=True)
    audit.record(session, actor, "baseline.made", baseline, at=at, client_sees=True)
    lay_plan(session, actor, baseline, at=at, today=today)
    _tell_decided(session, change, at=at)
    return change


def _declined(
    session: Session, actor: Actor, change: ChangeRequest, state: ChangeState, reason: str, *, at: datetime
) -> ChangeRequest:
    change.state, change.state_reason, change.decided_at, change.changed_at = state, reason, at, at
    audit.record(session, actor, "change.declined", change, at=at, reason=reason, client_sees=True)
    _tell_decided(session, change, at=at)
    return change


def _brief_after(
    session: Session, actor: Actor, change: ChangeRequest, before: Baseline, *, at: datetime
) -> str | None:
    """The brief that holds from now on, as its next version; None for a change that leaves it as it is."""
    asks = asks_of(change)
    if not (asks.brief or asks.criteria):
        return None
    row, _ = brief_of(session, actor, before)
    brief = patched(brief_from(row.content), asks.brief, [each.model_dump(mode="json") for each in asks.criteria])
    content = plain(brief)
    assert isinstance(content, dict)
    last = newest(session, actor, BriefVersion, change.engagement_id)
    assert last is not None, "what was agreed stands on a brief"
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    following = BriefVersion(
        id=new_id(BriefVersion.PREFIX), organisation_id=change.organisation_id, engagement_id=change.engagement_id,
        client_id=change.client_id, number=last.number + 1, title=brief.project.title, content=content, sha256=digest,
        created_by=actor.id, created_at=at,
    )  # fmt: skip
    session.add(following)
    audit.record(session, actor, "brief.written", following, at=at)
    return following.id


def _tell_decided(session: Session, change: ChangeRequest, *, at: datetime) -> None:
    told = {"change": change.id, "engagement": change.engagement_id, "state": change.state.value}
    tell(session, change.organisation_id, EventType.CHANGE_DECIDED, told, at=at)
    _tell_staff(session, change, f"Change {change.number} was {change.state} by {change.signer_name}", at=at)
    count_open(session, change.engagement_id, at=at)


def _tell_staff(session: Session, change: ChangeRequest, text: str, *, at: datetime) -> None:
    owner = session.get_one(Engagement, change.engagement_id).owner_id
    wrote = {owner, change.approved_by, _person(session, change.created_by)}
    tell_people(
        session, change.organisation_id, [each for each in wrote if each is not None and each.startswith("usr_")],
        topic=f"change:{change.id}:{change.state}:{at.isoformat()}", kind=EventType.CHANGE_DECIDED.value,
        text=text[:400], address=address_of(change), engagement_id=change.engagement_id, at=at,
    )  # fmt: skip


def _authors(session: Session, change: ChangeRequest) -> set[str]:
    """Whoever wrote or assessed any of it, as the trail has it."""
    mine = AuditEvent.organisation_id == change.organisation_id, AuditEvent.entity_id == change.id
    wrote = select(AuditEvent.actor_id).where(*mine, col(AuditEvent.action).in_(_WRITING))
    return {change.created_by, *session.exec(wrote)}


def _person(session: Session, actor_id: str) -> str:
    """The person behind a key, so that nobody is two people by making one."""
    key = session.get(ApiKey, actor_id)
    return key.created_by if key is not None and key.created_by.startswith("usr_") else actor_id
