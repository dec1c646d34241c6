"""Who answers for a phase or a deliverable: somebody of the agency who still works there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, select

from engagements.core.errors import Invalid
from engagements.core.roles import Actor, Role
from engagements.core.service import scoped
from engagements.people.models import User
from estimator.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """`left`: their access has ended, and somebody else has to take over."""

    id: str
    name: str
    left: bool


def require_owner(session: Session, actor: Actor, owner_id: str) -> None:
    """Raises `Invalid` for nobody of the agency (`owner_unknown`) and for who has left it (`owner_left`)."""
    person = session.exec(scoped(User, actor).where(col(User.id) == owner_id, col(User.client_id).is_(None))).first()
    if person is None:
        message, remedy = "nobody of the agency is called that", "name the id of a person, or leave it out"
        raise Invalid.of(Problem(code="owner_unknown", where="owner_id", message=message, remedy=remedy))
    if not person.active:
        message, remedy = f"{person.name} has left", "name somebody who still works here"
        raise Invalid.of(Problem(code="owner_left", where="owner_id", message=message, remedy=remedy))


def owners_of(session: Session, organisation_id: str, ids: Iterable[str | None]) -> Mapping[str, Owner]:
    """By id, in one query; whoever is not there is left out."""
    wanted = {owner_id for owner_id in ids if owner_id}
    if not wanted:
        return {}
    chosen = select(User.id, User.name, User.active).where(
        User.organisation_id == organisation_id, col(User.id).in_(wanted)
    )
    return {person_id: Owner(id=person_id, name=name, left=not here) for person_id, name, here in session.exec(chosen)}


def colleagues(session: Session, actor: Actor) -> list[tuple[str, str]]:
    """Ids and names of everybody who can own something, by name."""
    here = col(User.client_id).is_(None), col(User.active)
    rows = session.exec(scoped(User, actor).where(*here).order_by(User.name))
    return [(person.id, person.name) for person in rows]


def approvers_of(session: Session, organisation_id: str, client_id: str) -> list[str]:
    """Ids of the people who sign for a client."""
    chosen = select(User.id).where(
        User.organisation_id == organisation_id, User.client_id == client_id, col(User.active),
        User.role == Role.CLIENT_APPROVER,
    )  # fmt: skip
    return list(session.exec(chosen))
