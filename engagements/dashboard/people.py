"""Who may come in, as pages show it: people, invitations that are open, keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col

from engagements.core.errors import CannotGrant
from engagements.core.models import Client
from engagements.core.roles import Actor, Permission, Role, require_grantable
from engagements.core.service import find, scoped
from engagements.dashboard.portfolio import names_of
from engagements.people.models import ApiKey, Invitation, User
from engagements.rendering import Badge

_LISTED: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`client` None for the agency's own."""

    id: str
    version: int
    name: str
    email: str
    role: Role
    client_id: str | None
    client: str | None
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvitation:
    id: str
    email: str
    role: Role
    client: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """`opens`: whether it is neither revoked nor past its time."""

    id: str
    name: str
    role: Role
    client: str | None
    last_four: str
    made_by: str | None
    created_at: datetime
    expires_at: datetime | None
    opens: bool
    state: Badge


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    staff: Sequence[Person]
    of_clients: Sequence[Person]
    invitations: Sequence[OpenInvitation]


def people_of(session: Session, actor: Actor, *, now: datetime) -> People:
    """A client's people see those of their client; who may not see people sees the invitations only."""
    may_see = actor.may(Permission.VIEW_PEOPLE)
    chosen = scoped(User, actor).order_by(col(User.active).desc(), col(User.name)).limit(_LISTED)
    rows = session.exec(chosen).all() if may_see else []
    invited = scoped(Invitation, actor).where(
        col(Invitation.accepted_at).is_(None), col(Invitation.revoked_at).is_(None), col(Invitation.expires_at) > now
    )
    may_invite = actor.may(Permission.INVITE_COLLEAGUES)
    waiting = session.exec(invited.order_by(col(Invitation.id).desc()).limit(_LISTED)).all() if may_invite else []
    clients = _client_names(session, actor, [*rows, *waiting])
    everybody = [_person(row, clients) for row in rows]
    return People(
        staff=[person for person in everybody if person.client_id is None],
        of_clients=[person for person in everybody if person.client_id is not None],
        invitations=[
            OpenInvitation(
                id=row.id, email=row.email, role=row.role, client=clients.get(row.client_id or ""),
                expires_at=row.expires_at,
            )
            for row in waiting
        ],
    )  # fmt: skip


def person_of(session: Session, actor: Actor, person_id: str) -> Person:
    """Raises `NotFound`."""
    row = find(session, actor, User, person_id)
    return _person(row, _client_names(session, actor, [row]))


def keys_of(session: Session, actor: Actor, *, now: datetime) -> Sequence[Key]:
    """Newest first."""
    rows = session.exec(scoped(ApiKey, actor).order_by(col(ApiKey.id).desc()).limit(_LISTED)).all()
    clients = _client_names(session, actor, rows)
    makers = names_of(session, actor, {row.created_by for row in rows})
    return [
        Key(
            id=row.id, name=row.name, role=row.role, client=clients.get(row.client_id or ""), last_four=row.last_four,
            made_by=makers.get(row.created_by), created_at=row.created_at, expires_at=row.expires_at,
            opens=_state(row, now).tone == "good", state=_state(row, now),
        )
        for row in rows
    ]  # fmt: skip


def grantable_roles(actor: Actor, through: Permission) -> Sequence[tuple[str, str]]:
    """The roles that somebody may hand out, by value and name."""
    return [(role.value, role.label) for role in Role if _may_grant(actor, role, through)]


def _may_grant(actor: Actor, role: Role, through: Permission) -> bool:
    try:
        require_grantable(actor, role, through)
    except CannotGrant:
        return False
    return True


def _state(row: ApiKey, now: datetime) -> Badge:
    if row.revoked_at is not None:
        return Badge(tone="bad", label="Revoked")
    if row.expires_at is not None and row.expires_at <= now:
        return Badge(tone="quiet", label="Run out")
    return Badge(tone="good", label="Opens")


def _person(row: User, clients: Mapping[str, str]) -> Person:
    return Person(
        id=row.id, version=row.version, name=row.name, email=row.email, role=row.role, client_id=row.client_id,
        client=clients.get(row.client_id or ""), active=row.active, created_at=row.created_at,
    )  # fmt: skip


def _client_names(session: Session, actor: Actor, rows: Sequence[User | Invitation | ApiKey]) -> dict[str, str]:
    wanted = {row.client_id for row in rows if row.client_id}
    if not wanted:
        return {}
    return {client.id: client.name for client in session.exec(scoped(Client, actor).where(col(Client.id).in_(wanted)))}
