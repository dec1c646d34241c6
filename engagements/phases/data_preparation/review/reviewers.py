"""Who reviews, what they may reach, and the rows that an answer needs, locked in one order: round, item, example."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson
from sqlmodel import Session, col, select

from engagements.actuals.place import person_behind
from engagements.core.errors import Conflict, Invalid, NotFound
from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import MATRIX, Actor, Permission
from engagements.core.service import find, scoped
from engagements.delivery.under_way import NotUnderWay
from engagements.people.models import User
from engagements.phases.data_preparation.models import Example
from engagements.phases.data_preparation.records import Record, record_of
from engagements.phases.data_preparation.review.models import QueueItem, ReviewRound, RoundState
from estimator.errors import Problem


class NotAReviewer(Conflict):
    """The round names others."""

    code = "not_a_reviewer"


class RoundClosed(Conflict):
    code = "round_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A round that is open, and who sits before it: the person, whatever key they came with."""

    round: ReviewRound
    reviewer_id: str


def reach_round(session: Session, actor: Actor, round_id: str) -> ReviewRound:
    """For the agency's people any round; for a client's only those that name them. Raises `NotFound`."""
    found = find(session, actor, ReviewRound, round_id)
    if not actor.is_staff and person_behind(session, actor.id) not in found.reviewers:
        raise NotFound
    return found


def desk_of(session: Session, actor: Actor, round_id: str) -> Desk:
    """The round cannot be closed until the transaction ends; other reviewers are not kept from it.

    Raises `NotFound`, `NotAReviewer`, `RoundClosed` and `NotUnderWay`.
    """
    found = reach_round(session, actor, round_id)
    session.refresh(found, with_for_update={"read": True})
    reviewer_id = person_behind(session, actor.id)
    if reviewer_id not in found.reviewers:
        raise NotAReviewer("this round is reviewed by others", remedy="ask a lead to open one that names you")
    if found.state is RoundState.CLOSED:
        raise RoundClosed("this round is closed", remedy="nothing more is answered in it")
    engagement = find(session, actor, Engagement, found.engagement_id)
    if engagement.state is not EngagementState.ACTIVE:
        message = f"this engagement is {engagement.state.replace('_', ' ')} and takes no new work"
        raise NotUnderWay(message, remedy="make the engagement active again first")
    return Desk(round=found, reviewer_id=reviewer_id)


def reach_item(session: Session, actor: Actor, item_id: str) -> QueueItem:
    """Raises `NotFound`; of another tenant or client, and for a client's people of a round that does not name them."""
    chosen = select(QueueItem).where(QueueItem.id == item_id, QueueItem.organisation_id == actor.organisation_id)
    if actor.client_id is not None:
        chosen = chosen.where(QueueItem.client_id == actor.client_id)
    found = session.exec(chosen).first()
    if found is None:
        raise NotFound
    reach_round(session, actor, found.round_id)
    return found


def lock_item(session: Session, item_id: str) -> QueueItem:
    """The row as it is now, whatever was read of it before."""
    chosen = select(QueueItem).where(QueueItem.id == item_id).with_for_update()
    return session.exec(chosen.execution_options(populate_existing=True)).one()


def lock_example(session: Session, example_id: str) -> Example:
    chosen = select(Example).where(Example.id == example_id).with_for_update()
    return session.exec(chosen.execution_options(populate_existing=True)).one()


def record_in(example: Example) -> Record:
    return record_of(orjson.loads(example.payload))


def require_reviewers(session: Session, actor: Actor, engagement: Engagement, ids: Iterable[str]) -> None:
    """Somebody of the agency or of this client who may review and has not left. Raises `Invalid` naming all others."""
    named = list(ids)
    people = {row.id: row for row in session.exec(scoped(User, actor).where(col(User.id).in_(named)))}
    problems = []
    for place, person_id in enumerate(named):
        where, row = f"reviewers[{place}]", people.get(person_id)
        if row is None or row.client_id not in (None, engagement.client_id) or not row.active:
            message, remedy = "nobody of the agency or of this client is called that", "name the id of a person"
            problems.append(Problem(code="person_unknown", where=where, message=message, remedy=remedy))
        elif Permission.REVIEW_DATA not in MATRIX[row.role]:
            message = f"{row.name} may not review examples"
            problems.append(Problem(code="cannot_review", where=where, message=message, remedy="name somebody else"))
        elif person_id in named[:place]:
            message = f"{row.name} is named twice"
            problems.append(Problem(code="duplicate", where=where, message=message, remedy="name everybody once"))
    if problems:
        raise Invalid.of(*problems)


def people_who_review(session: Session, actor: Actor, client_id: str) -> list[tuple[str, str]]:
    """Ids and names of everybody whom a round of this client can name, by name."""
    may = [role for role, granted in MATRIX.items() if Permission.REVIEW_DATA in granted]
    here = (col(User.client_id).is_(None)) | (User.client_id == client_id)
    chosen = scoped(User, actor).where(col(User.active), here, col(User.role).in_(may)).order_by(User.name)
    return [(row.id, row.name if row.client_id is None else f"{row.name}, client") for row in session.exec(chosen)]


def names_of(session: Session, ids: Iterable[str]) -> Mapping[str, str]:
    """By id; whoever is not there any more is left out."""
    chosen = select(User.id, User.name).where(col(User.id).in_(set(ids)))
    return dict(session.exec(chosen).all())
