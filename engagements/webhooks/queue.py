"""What the database decides: which events become deliveries, who tries the next one, what came of it.

A claim is a conditional UPDATE, under a lock on its endpoint, that sets a lease and raises the fence; whoever lost the
lease meanwhile settles nothing. A process that dies between sending and settling leaves a lease that ends, and the next
claim sends the same id again: at least once, never silently not at all.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, func, or_, update
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from engagements.core.models import OutboxEvent
from engagements.db.columns import new_id
from engagements.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from engagements.webhooks.sending import Message, Outcome, body_of

LEASE: Final = timedelta(seconds=90)
"""Four times the deadline of an attempt, so that a look-up of a name and clocks that differ a little fit in."""

PAUSES: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""Between one attempt and the next, three days in all: the schedule that Standard Webhooks 1.0 recommends."""

_SPREAD: Final = 0.2
_EVENTS_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery that is ours to try until the lease ends. `tries` counts this attempt."""

    id: str
    fence: int
    tries: int
    message: Message


def fan_out(session: Session, *, at: datetime) -> int:
    """Make deliveries of up to a hundred events that wait, oldest first; returns how many events that were."""
    waiting = select(OutboxEvent).where(col(OutboxEvent.fanned_out).is_(False)).order_by(col(OutboxEvent.id))
    events = session.exec(waiting.limit(_EVENTS_AT_ONCE).with_for_update(skip_locked=True)).all()
    for event in events:
        for endpoint in _listening(session, event):
            session.add(delivery_of(event, endpoint, at=at))
        event.fanned_out = True
    return len(events)


def _listening(session: Session, event: OutboxEvent) -> list[WebhookEndpoint]:
    # Locked, so that an endpoint is not removed under a delivery that is being made for it.
    there = select(WebhookEndpoint).where(
        col(WebhookEndpoint.organisation_id) == event.organisation_id, col(WebhookEndpoint.active)
    )
    endpoints = session.exec(there.with_for_update(read=True)).all()
    return [endpoint for endpoint in endpoints if not endpoint.event_types or event.type in endpoint.event_types]


def delivery_of(event: OutboxEvent, endpoint: WebhookEndpoint, *, at: datetime) -> WebhookDelivery:
    return WebhookDelivery(
        id=new_id(WebhookDelivery.PREFIX),
        organisation_id=endpoint.organisation_id,
        endpoint_id=endpoint.id,
        event_id=event.id,
        event_type=event.type,
        due_at=at,
        created_at=at,
    )


def claim_next(session: Session, *, at: datetime) -> Claimed | None:
    """The delivery that has been due longest, or None. Only one attempt at a time goes to an endpoint.

    The endpoint is locked before it is looked at: what another sender claimed of it a moment ago shows only to a
    statement that begins after that sender's transaction has ended.
    """
    while endpoint_id := session.exec(_due(at)).first():
        taken = session.exec(_taken(endpoint_id, at)).first()
        if taken is not None:
            message = _message(session, taken.id, at=at)
            return Claimed(id=taken.id, fence=taken.fence, tries=taken.tries, message=message)
    return None


def _due(at: datetime) -> SelectOfScalar[str]:
    """The endpoint of the delivery that has been due longest; endpoints that others look at are passed."""
    called = aliased(WebhookEndpoint)
    return (
        select(called.id)
        .join(WebhookDelivery, col(WebhookDelivery.endpoint_id) == col(called.id))
        .where(_free(at))
        .order_by(col(WebhookDelivery.due_at))
        .limit(1)
        .with_for_update(of=called, skip_locked=True, key_share=True)
    )


def _taken(endpoint_id: str, at: datetime) -> ReturningUpdate[str, int, int]:
    mine = col(WebhookDelivery.endpoint_id) == endpoint_id
    oldest = select(WebhookDelivery.id).where(mine, _free(at)).order_by(col(WebhookDelivery.due_at)).limit(1)
    return (
        update(WebhookDelivery)
        .where(col(WebhookDelivery.id) == oldest.scalar_subquery())
        .values(
            lease_until=at + LEASE,
            fence=col(WebhookDelivery.fence) + 1,
            attempts=col(WebhookDelivery.attempts) + 1,
            tries=col(WebhookDelivery.tries) + 1,
        )
        .returning(col(WebhookDelivery.id), col(WebhookDelivery.fence), col(WebhookDelivery.tries))
    )


def _free(at: datetime) -> ColumnElement[bool]:
    """Due, its endpoint switched on and not being called for it or for another delivery.

    One endpoint that does not answer therefore keeps one sender busy, not all of them.
    """
    other = aliased(WebhookDelivery)
    busy = exists().where(col(other.endpoint_id) == WebhookDelivery.endpoint_id, col(other.lease_until) > at)
    switched_on = exists().where(
        col(WebhookEndpoint.id) == WebhookDelivery.endpoint_id, col(WebhookEndpoint.active).is_(True)
    )
    return and_(is_waiting(), col(WebhookDelivery.due_at) <= at, switched_on, ~busy)


def is_waiting() -> ColumnElement[bool]:
    return col(WebhookDelivery.state) == DeliveryState.WAITING


def _message(session: Session, delivery_id: str, *, at: datetime) -> Message:
    event, endpoint = session.exec(
        select(OutboxEvent, WebhookEndpoint)
        .join(WebhookDelivery, col(WebhookDelivery.event_id) == OutboxEvent.id)
        .join(WebhookEndpoint, col(WebhookDelivery.endpoint_id) == WebhookEndpoint.id)
        .where(col(WebhookDelivery.id) == delivery_id)
    ).one()
    in_grace = endpoint.previous_until is not None and endpoint.previous_until > at
    return Message(
        id=event.id,
        url=endpoint.url,
        secrets=(endpoint.secret, endpoint.previous_secret) if in_grace else (endpoint.secret,),
        body=body_of(event.id, event.type, event.at, event.data),
    )


def settle(session: Session, claimed: Claimed, outcome: Outcome, *, at: datetime, chance: float) -> bool:
    """Write down what came of an attempt. False: the lease was lost meanwhile, and nothing was written.

    `chance` from 0 up to 1 spreads the next attempts of many deliveries.
    """
    pause = None if outcome.delivered else pause_after(claimed.tries, outcome, chance=chance)
    state = DeliveryState.WAITING if pause is not None else DeliveryState.GIVEN_UP
    kept = (
        update(WebhookDelivery)
        .where(col(WebhookDelivery.id) == claimed.id, col(WebhookDelivery.fence) == claimed.fence)
        .values(
            state=DeliveryState.DELIVERED if outcome.delivered else state,
            due_at=at + (pause or timedelta()),
            lease_until=None,
            response_status=outcome.status,
            failure=outcome.failure[:200],
            settled_at=None if pause is not None else at,
        )
    )
    return session.exec(kept).rowcount == 1


def pause_after(tries: int, outcome: Outcome, *, chance: float) -> timedelta | None:
    """How long until the next attempt, up to a fifth longer by chance; None: given up.

    A receiver that says when to come again is not asked before.
    """
    if tries > len(PAUSES):
        return None
    pause = PAUSES[tries - 1] * (1 + _SPREAD * chance)
    return max(pause, timedelta(seconds=outcome.retry_after_s or 0))


def backlog(session: Session) -> int:
    """Events and deliveries that wait."""
    events = select(func.count()).select_from(OutboxEvent).where(col(OutboxEvent.fanned_out).is_(False))
    deliveries = select(func.count()).select_from(WebhookDelivery).where(is_waiting())
    return session.exec(events).one() + session.exec(deliveries).one()


def is_something_due(session: Session, *, at: datetime) -> bool:
    """Asked before every claim, so that a quiet server takes no lock."""
    events = exists().where(col(OutboxEvent.fanned_out).is_(False))
    return bool(session.exec(select(or_(events, exists().where(_free(at))))).one())
