"""What is handed over: written, looked at by a second person, submitted, and decided by the client over its bytes.

    draft -> internal_review -> submitted -> accepted | accepted_with_reservations | rejected -> draft (edition + 1)
    internal_review -a new file-> draft

What was accepted is locked by its sha256 for good.
"""

from datetime import datetime
from typing import Final

from sqlmodel import Session

from engagements.core import audit
from engagements.core.errors import Conflict, EngagementError, Invalid, SecondPersonRequired
from engagements.core.models import Engagement
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor
from engagements.delivery.models import DeliverableRecord, DeliverableState
from engagements.delivery.opening import phases_of
from engagements.delivery.owners import approvers_of, require_owner
from engagements.delivery.schemas import (
    DeliverableAcceptIn,
    DeliverableOnBehalfIn,
    DeliverablePatch,
    DeliverableRejectIn,
)
from engagements.delivery.under_way import claim_in_active
from engagements.notices.telling import tell_people
from engagements.people.models import User
from estimator.errors import Problem

_S: Final = DeliverableState
_ACCEPTED: Final = frozenset({_S.ACCEPTED, _S.ACCEPTED_WITH_RESERVATIONS})
_NEXT: Final = {
    _S.DRAFT: "say where the file lies, and hand it in for review",
    _S.INTERNAL_REVIEW: "a second person submits it",
    _S.SUBMITTED: "the client decides",
    _S.REJECTED: "write the next edition and say where its file lies",
    _S.ACCEPTED: "it is accepted, and stays as it is",
    _S.ACCEPTED_WITH_RESERVATIONS: "it is accepted, and stays as it is",
}


class DeliverableConflict(Conflict):
    """The state of a deliverable says no."""

    code = "deliverable_conflict"


class DeliverableLocked(EngagementError):
    """What was accepted is never changed."""

    code, status = "deliverable_locked", 423


class DigestMismatch(Invalid):
    code = "digest_mismatch"


def change(
    session: Session, actor: Actor, deliverable_id: str, data: DeliverablePatch, *, version: int, at: datetime
) -> DeliverableRecord:
    """A new file voids the review, and makes the next edition of what was returned.

    Raises `NotUnderWay`, `DeliverableLocked`, `DeliverableConflict` for a new file of what the client looks at,
    `Invalid` for who cannot own it.
    """
    row = claim_in_active(session, actor, DeliverableRecord, deliverable_id, version)
    changes = data.model_dump(exclude_unset=True)
    if row.state in _ACCEPTED:
        message = f"{row.code} was accepted, and what was accepted stays as it is"
        raise DeliverableLocked(message, remedy="what changes now is a change of the engagement")
    if changes.get("owner_id") is not None:
        require_owner(session, actor, changes["owner_id"])
    if changes.keys() & {"link", "sha256"}:
        _take_a_new_file(row)
    row.sqlmodel_update(changes)
    audit.record(session, actor, "deliverable.changed", row, at=at)
    return row


def hand_in(session: Session, actor: Actor, deliverable_id: str, *, at: datetime) -> DeliverableRecord:
    """For a second person's review. Raises `NotUnderWay`, `DeliverableConflict`, and `Invalid` without a file."""
    row = claim_in_active(session, actor, DeliverableRecord, deliverable_id)
    _require(row, _S.DRAFT, "handed in for review")
    missing = [name for name in ("link", "sha256") if not getattr(row, name)]
    if missing:
        raise Invalid.of(*map(_missing, missing))
    row.state, row.prepared_by = _S.INTERNAL_REVIEW, actor.id
    audit.record(session, actor, "deliverable.handed_in", row, at=at)
    return row


def submit(session: Session, actor: Actor, deliverable_id: str, *, at: datetime) -> DeliverableRecord:
    """To the client. Raises `NotUnderWay`, `DeliverableConflict`, `SecondPersonRequired` for who handed it in."""
    row = claim_in_active(session, actor, DeliverableRecord, deliverable_id)
    _require(row, _S.INTERNAL_REVIEW, "submitted")
    if row.prepared_by == actor.id:
        message = f"you handed {row.code} in, and somebody else looks at it before the client does"
        raise SecondPersonRequired(message, remedy="ask a colleague to submit it")
    row.state, row.submitted_at = _S.SUBMITTED, at
    row.decided_at, row.decided_by_name, row.reason, row.on_behalf_by, row.evidence = None, "", "", None, ""
    audit.record(session, actor, "deliverable.submitted", row, at=at, client_sees=True)
    _tell(session, EventType.DELIVERABLE_SUBMITTED, row, at=at)
    tell_people(
        session, row.organisation_id, approvers_of(session, row.organisation_id, row.client_id),
        topic=f"submitted:{row.id}:{row.edition}", kind=EventType.DELIVERABLE_SUBMITTED.value,
        text=f"{row.code} {row.name} waits for your decision", address=f"/deliverables/{row.id}", at=at,
        engagement_id=row.engagement_id,
    )  # fmt: skip
    return row


def accept(
    session: Session, actor: Actor, deliverable_id: str, data: DeliverableAcceptIn, *, at: datetime
) -> DeliverableRecord:
    """By the client. Raises `NotUnderWay`, `DeliverableConflict`, and `DigestMismatch` for another file."""
    row = claim_in_active(session, actor, DeliverableRecord, deliverable_id)
    state = _S.ACCEPTED_WITH_RESERVATIONS if data.reservations else _S.ACCEPTED
    _require(row, _S.SUBMITTED, "accepted")
    if data.sha256 != row.sha256:
        message, remedy = "the file you have seen is not the one that was submitted", "load this page again"
        raise DigestMismatch.of(Problem(code="digest_mismatch", where="sha256", message=message, remedy=remedy))
    return _decide(session, actor, row, state, actor.name, data.reservations, at=at)


def reject(
    session: Session, actor: Actor, deliverable_id: str, data: DeliverableRejectIn, *, at: datetime
) -> DeliverableRecord:
    """Returned by the client. Raises `NotUnderWay` and `DeliverableConflict`."""
    row = claim_in_active(session, actor, DeliverableRecord, deliverable_id)
    _require(row, _S.SUBMITTED, "returned")
    return _decide(session, actor, row, _S.REJECTED, actor.name, data.reason, at=at)


def on_behalf(
    session: Session, actor: Actor, deliverable_id: str, data: DeliverableOnBehalfIn, *, at: datetime
) -> DeliverableRecord:
    """What the client decided elsewhere, recorded by us with its evidence. Raises what `reject` raises."""
    row = claim_in_active(session, actor, DeliverableRecord, deliverable_id)
    _require(row, _S.SUBMITTED, "decided")
    row.on_behalf_by, row.evidence = actor.id, data.evidence
    return _decide(session, actor, row, data.verdict, data.name, data.reason, at=at)


def _take_a_new_file(row: DeliverableRecord) -> None:
    match row.state:
        case DeliverableState.SUBMITTED:
            message = f"the client looks at edition {row.edition} of {row.code}"
            raise DeliverableConflict(message, remedy="wait for the decision; the next edition comes after it")
        case DeliverableState.REJECTED:
            row.state, row.edition = _S.DRAFT, row.edition + 1
            row.link = row.sha256 = ""
        case _:
            row.state = _S.DRAFT


def _require(row: DeliverableRecord, state: DeliverableState, done: str) -> None:
    if row.state is not state:
        message = f"{row.code} is {row.state.replace('_', ' ')} and cannot be {done}"
        raise DeliverableConflict(message, remedy=_NEXT[row.state])


def _missing(name: str) -> Problem:
    what = {"link": "where the file lies is not said", "sha256": "the file's sha256 is not said"}[name]
    return Problem(code="field_missing", where=name, message=what, remedy="add it first")


def _decide(
    session: Session, actor: Actor, row: DeliverableRecord, state: DeliverableState, name: str, reason: str, *,
    at: datetime,
) -> DeliverableRecord:  # fmt: skip
    row.state, row.decided_at, row.decided_by_name, row.reason = state, at, name, reason
    audit.record(session, actor, f"deliverable.{state}", row, at=at, reason=reason, client_sees=True)
    _tell(session, EventType.DELIVERABLE_DECIDED, row, at=at)
    phases = phases_of(session, row.engagement_id)
    owners = {each.owner_id for each in phases if each.phase is row.phase}
    concerned = {row.owner_id, row.prepared_by, session.get_one(Engagement, row.engagement_id).owner_id, *owners}
    people = [each for each in concerned if each and each.startswith(User.PREFIX) and each != actor.id]
    tell_people(
        session, row.organisation_id, people, topic=f"decided:{row.id}:{row.edition}",
        kind=EventType.DELIVERABLE_DECIDED.value, text=f"{row.code} {row.name}: {state.replace('_', ' ')}",
        address=f"/deliverables/{row.id}", at=at, engagement_id=row.engagement_id,
    )  # fmt: skip
    return row


def _tell(session: Session, kind: EventType, row: DeliverableRecord, *, at: datetime) -> None:
    told = {
        "engagement": row.engagement_id, "deliverable": row.id, "state": row.state.value, "edition": row.edition,
    }  # fmt: skip
    tell(session, row.organisation_id, kind, told, at=at)
