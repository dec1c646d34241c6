"""What every entry needs to know of where it is made: the engagement, what was agreed, whose time it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlmodel import Session, col

from engagements.actuals.models import TimeLock
from engagements.actuals.rates import agreed_baseline, agreed_on
from engagements.actuals.rules import check_engagement
from engagements.actuals.when import When
from engagements.core.errors import Forbidden, Invalid
from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import Actor, ActorKind, Permission
from engagements.core.service import claim, find, scoped
from engagements.delivery.models import Baseline, PhaseState
from engagements.delivery.opening import phases_of
from engagements.people.models import ApiKey, User
from estimator.errors import Problem
from estimator.phases import Phase

WORK: Final = frozenset({EngagementState.ACTIVE})
COSTS: Final = frozenset({EngagementState.ACTIVE, EngagementState.ON_HOLD, EngagementState.CLOSING})
"""A cost was incurred whether work goes on or not, so it is taken until the engagement has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An engagement that takes entries. `agreed_on`: the day of its first acceptance, by the agency's calendar."""

    engagement: Engagement
    baseline: Baseline
    agreed_on: date
    phases: Mapping[Phase, PhaseState]


def place_of(
    session: Session, actor: Actor, engagement_id: str, when: When, *, takes: frozenset[EngagementState]
) -> Place:
    """The engagement locked, so that its entries are made one after another.

    Raises `NotFound`, `NothingAgreed` and `NotUnderWay`.
    """
    engagement = claim(session, actor, Engagement, engagement_id)
    check_engagement(engagement.state, takes=takes)
    baseline = agreed_baseline(session, engagement.id)
    return Place(
        engagement=engagement,
        baseline=baseline,
        agreed_on=agreed_on(session, engagement.id, when),
        phases={row.phase: row.state for row in phases_of(session, engagement.id)},
    )


def logger_of(session: Session, actor: Actor, person_id: str | None) -> User:
    """Whose time is logged, locked: one's own, or for a lead and for a key of a lead's anybody's of the agency.

    Raises `Invalid` for somebody who is not there or has left, `Forbidden` for another's time.
    """
    if person_id is None and actor.kind is ActorKind.KEY:
        message, remedy = "a key is no person", "name whose time it is in person_id"
        raise Invalid.of(Problem(code="field_missing", where="person_id", message=message, remedy=remedy))
    person = session.exec(scoped(User, actor).where(col(User.id) == (person_id or actor.id)).with_for_update()).first()
    if person is None or person.role.is_client or not person.active:
        message, remedy = "nobody of the agency is called that, or they have left", "name the id of a person"
        raise Invalid.of(Problem(code="person_unknown", where="person_id", message=message, remedy=remedy))
    require_own(session, actor, person.id)
    return person


def require_own(session: Session, actor: Actor, person_id: str) -> None:
    """One's own, or a lead. Raises `Forbidden`."""
    if person_behind(session, actor.id) != person_id and not actor.may(Permission.APPROVE_TIME):
        message = "this is somebody else's time"
        raise Forbidden(message, remedy="ask them, or a lead")


def person_behind(session: Session, actor_id: str) -> str:
    """The person who made a key, so that nobody is two people by making one."""
    key = session.get(ApiKey, actor_id)
    return key.created_by if key is not None and key.created_by.startswith(f"{User.PREFIX}_") else actor_id


def locked_until(session: Session, actor: Actor) -> date | None:
    lock = session.exec(scoped(TimeLock, actor)).first()
    return lock.until if lock else None


def engagement_of(session: Session, actor: Actor, engagement_id: str) -> Engagement:
    """Raises `NotFound`."""
    return find(session, actor, Engagement, engagement_id)
