"""A change request until it is assessed: drafted, edited, taken back."""

from datetime import datetime

from sqlmodel import Session, col, func, select

from engagements.changes.models import ChangeRequest, ChangeState
from engagements.changes.reading import count_open
from engagements.changes.schemas import AsksIn, ChangeIn, ChangePatch
from engagements.changes.states import ChangeConflict, Move, moved
from engagements.core import audit
from engagements.core.models import Engagement
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor
from engagements.core.service import claim
from engagements.db.columns import new_id
from engagements.delivery.models import Baseline, RaidItem
from engagements.delivery.standing import latest_baseline
from engagements.delivery.under_way import claim_active, claim_in_active
from engagements.proposals.schemas import ReasonIn


def draft(session: Session, actor: Actor, engagement_id: str, data: ChangeIn, *, at: datetime) -> ChangeRequest:
    """Raises `NotUnderWay`, and `ChangeConflict` where nothing was agreed yet."""
    engagement = claim_active(session, actor, engagement_id)
    return enter(session, actor, engagement, data, at=at)


def enter(
    session: Session,
    actor: Actor,
    engagement: Engagement,
    data: ChangeIn,
    *,
    at: datetime,
    origin: str = "manual",
    trigger_key: str | None = None,
    item: RaidItem | None = None,
) -> ChangeRequest:
    """A draft in an engagement that is locked. `item`: the assumption it follows from."""
    change = ChangeRequest(
        id=new_id(ChangeRequest.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement.id,
        client_id=engagement.client_id, number=_next(session, engagement.id), title=data.title, reason=data.reason,
        origin=origin, trigger_key=trigger_key, raid_id=item.id if item else None,
        asks=data.asks.model_dump(mode="json"),
        on_baseline=agreed_baseline(session, engagement.id).number, created_by=actor.id, created_at=at, changed_at=at,
    )  # fmt: skip
    session.add(change)
    audit.record(session, actor, "change.drafted", change, at=at)
    count_open(session, engagement.id, at=at)
    return change


def edit(
    session: Session, actor: Actor, change_id: str, data: ChangePatch, *, version: int, at: datetime
) -> ChangeRequest:
    """What was assessed or approved is a draft again. Raises `ChangeFrozen` once it was sent."""
    change = claim_in_active(session, actor, ChangeRequest, change_id, version)
    change.state = moved(change, Move.EDIT)
    for name in data.model_fields_set & {"title", "reason"}:
        setattr(change, name, getattr(data, name))
    if "asks" in data.model_fields_set:
        change.asks = data.asks.model_dump(mode="json")
    forget_assessment(change)
    change.changed_at = at
    audit.record(session, actor, "change.changed", change, at=at)
    return change


def withdraw(session: Session, actor: Actor, change_id: str, data: ReasonIn, *, at: datetime) -> ChangeRequest:
    """Also where the engagement rests or has ended; a client who was sent it is told."""
    change = claim(session, actor, ChangeRequest, change_id)
    was_sent = change.state is ChangeState.SENT
    change.state, change.state_reason = moved(change, Move.WITHDRAW), data.reason
    change.changed_at = at
    audit.record(session, actor, "change.withdrawn", change, at=at, reason=data.reason, client_sees=was_sent)
    if was_sent:
        told = {"change": change.id, "engagement": change.engagement_id, "state": change.state.value}
        tell(session, change.organisation_id, EventType.CHANGE_DECIDED, told, at=at)
    count_open(session, change.engagement_id, at=at)
    return change


def forget_assessment(change: ChangeRequest) -> None:
    """An edit or a rejection makes what was estimated void."""
    change.impact, change.plan, change.budget = {}, {}, {}
    change.net_minor = change.gross_minor = change.days = None
    change.assessed_by = change.approved_by = None


def agreed_baseline(session: Session, engagement_id: str) -> Baseline:
    """What a change would change. Raises `ChangeConflict` where nothing was agreed yet."""
    baseline = latest_baseline(session, engagement_id)
    if baseline is None:
        raise ChangeConflict("nothing was agreed here yet", remedy="have a proposal accepted first")
    return baseline


def asks_of(change: ChangeRequest) -> AsksIn:
    return AsksIn.model_validate(change.asks)


def _next(session: Session, engagement_id: str) -> int:
    mine = col(ChangeRequest.engagement_id) == engagement_id
    return (session.exec(select(func.max(ChangeRequest.number)).where(mine)).one() or 0) + 1
