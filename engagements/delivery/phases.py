"""A phase moves on: it is started, blocked and unblocked, handed in for its gate and taken back; and who owns it."""

from datetime import date, datetime

from sqlmodel import Session

from engagements.core import audit
from engagements.core.errors import Invalid
from engagements.core.models import Engagement
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor
from engagements.delivery import standing
from engagements.delivery.models import PhaseRecord
from engagements.delivery.opening import phases_of
from engagements.delivery.owners import require_owner
from engagements.delivery.schemas import BlockIn, PhasePatch, StartIn
from engagements.delivery.steps import Step, stepped
from engagements.delivery.under_way import claim_active, claim_in_active
from engagements.notices.telling import tell_people
from estimator.errors import Problem
from estimator.phases import Phase


def start(
    session: Session, actor: Actor, engagement_id: str, phase: Phase, data: StartIn, *, at: datetime, today: date
) -> PhaseRecord:
    """Raises `NotUnderWay`, `PhaseConflict`, and `Invalid` for a day to come or before the phase before had ended."""
    engagement, rows = _claimed(session, actor, engagement_id)
    row = _stepped(rows, phase, Step.START)
    begun_on = data.begun_on or today
    ended = [each.actual_end for each in rows if each.phase.number < phase.number and each.actual_end]
    _refuse_the_day(begun_on, "begun_on", earliest=max(ended, default=None), latest=today)
    row.actual_begin = row.actual_begin or begun_on
    return _recorded(session, actor, engagement, row, "phase.started", at=at)


def block(
    session: Session, actor: Actor, engagement_id: str, phase: Phase, data: BlockIn, *, at: datetime, today: date
) -> PhaseRecord:
    """Raises `NotUnderWay`, `PhaseConflict`, and `Invalid` for a day to come or before the phase began."""
    engagement, rows = _claimed(session, actor, engagement_id)
    row = _stepped(rows, phase, Step.BLOCK)
    since = data.since or today
    _refuse_the_day(since, "since", earliest=row.actual_begin, latest=today)
    row.blocked_reason, row.blocked_since = data.reason, since
    _recorded(session, actor, engagement, row, "phase.blocked", at=at, reason=data.reason)
    concerned = {engagement.owner_id, row.owner_id} - {None, actor.id}
    tell_people(
        session, engagement.organisation_id, [each for each in concerned if each],
        topic=f"blocked:{row.id}:{row.version}", kind=EventType.PHASE_CHANGED.value,
        text=f"{engagement.name}: {phase.label} is blocked", address=f"/engagements/{engagement.id}/plan", at=at,
        engagement_id=engagement.id,
    )  # fmt: skip
    return row


def unblock(session: Session, actor: Actor, engagement_id: str, phase: Phase, *, at: datetime) -> PhaseRecord:
    """Raises `NotUnderWay` and `PhaseConflict`."""
    engagement, rows = _claimed(session, actor, engagement_id)
    row = _stepped(rows, phase, Step.UNBLOCK)
    row.blocked_reason, row.blocked_since = "", None
    return _recorded(session, actor, engagement, row, "phase.unblocked", at=at)


def hand_in(session: Session, actor: Actor, engagement_id: str, phase: Phase, *, at: datetime) -> PhaseRecord:
    """The work is done as far as we see, and its gate decides. Raises `NotUnderWay` and `PhaseConflict`."""
    engagement, rows = _claimed(session, actor, engagement_id)
    row = _stepped(rows, phase, Step.REVIEW)
    return _recorded(session, actor, engagement, row, "phase.handed_in", at=at)


def take_back(session: Session, actor: Actor, engagement_id: str, phase: Phase, *, at: datetime) -> PhaseRecord:
    """Out of the gate's review, back to work. Raises `NotUnderWay` and `PhaseConflict`."""
    engagement, rows = _claimed(session, actor, engagement_id)
    row = _stepped(rows, phase, Step.RESUME)
    return _recorded(session, actor, engagement, row, "phase.taken_back", at=at)


def change_owner(
    session: Session, actor: Actor, phase_id: str, data: PhasePatch, *, version: int, at: datetime
) -> PhaseRecord:
    """Raises `NotFound`, `NotUnderWay`, `VersionMismatch`, and `Invalid` for who cannot own a phase."""
    row = claim_in_active(session, actor, PhaseRecord, phase_id, version)
    if data.owner_id is not None:
        require_owner(session, actor, data.owner_id)
    row.owner_id, row.changed_at = data.owner_id, at
    audit.record(session, actor, "phase.owner_set", row, at=at)
    standing.refresh(session, row.engagement_id, at=at)
    if data.owner_id not in {None, actor.id}:
        tell_people(
            session, row.organisation_id, [data.owner_id] if data.owner_id else [],
            topic=f"owner:{row.id}:{row.version}", kind=EventType.PHASE_CHANGED.value,
            text=f"{row.phase.label} is yours now", address=f"/engagements/{row.engagement_id}/plan", at=at,
            engagement_id=row.engagement_id,
        )  # fmt: skip
    return row


def _claimed(session: Session, actor: Actor, engagement_id: str) -> tuple[Engagement, list[PhaseRecord]]:
    return claim_active(session, actor, engagement_id), phases_of(session, engagement_id, locked=True)


def _stepped(rows: list[PhaseRecord], phase: Phase, step: Step) -> PhaseRecord:
    by_phase = {row.phase: row for row in rows}
    state = stepped({each: row.state for each, row in by_phase.items()}, phase, step)
    by_phase[phase].state = state
    return by_phase[phase]


def _recorded(
    session: Session, actor: Actor, engagement: Engagement, row: PhaseRecord, action: str, *, at: datetime,
    reason: str = "",
) -> PhaseRecord:  # fmt: skip
    row.changed_at = at
    audit.record(session, actor, action, row, at=at, reason=reason, client_sees=True)
    told = {"engagement": engagement.id, "phase": row.phase.value, "state": row.state.value}
    tell(session, engagement.organisation_id, EventType.PHASE_CHANGED, told, at=at)
    standing.refresh(session, engagement.id, at=at)
    return row


def _refuse_the_day(day: date, where: str, *, earliest: date | None, latest: date) -> None:
    """A day on which something is said to have happened lies in the past, and not before what came before it."""
    if day > latest:
        message, remedy = f"{day} is still to come", "name a day that has been"
        raise Invalid.of(Problem(code="date.in_future", where=where, message=message, remedy=remedy))
    if earliest is not None and day < earliest:
        message, remedy = f"{day} is before {earliest}, when what came before was done", f"name {earliest} or later"
        raise Invalid.of(Problem(code="date.order", where=where, message=message, remedy=remedy))
