"""What the pages of one client and the forms of an engagement show, read in a constant number of queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session, col, select

from engagements.core.models import Client, Contact, Engagement
from engagements.core.roles import Actor, Permission
from engagements.core.schemas import ClientOut, ContactOut
from engagements.core.service import find, scoped
from engagements.dashboard.portfolio import Line, judged_among, lines_of
from engagements.dashboard.views import PROPOSAL_BADGES
from engagements.people.models import User
from engagements.proposals.models import BriefVersion, EstimateVersion, Proposal
from engagements.rendering import Badge

_LISTED: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRecord:
    client: ClientOut
    contacts: Sequence[ContactOut]
    engagements: Sequence[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A brief or an estimate in a list."""

    id: str
    number: int
    title: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A proposal in a list. `number` None until it is sent."""

    id: str
    number: str | None
    edition: int
    title: str
    state: Badge
    changed_at: datetime
    valid_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoping:
    """What came before phase 1, newest first; proposals only where the reader may see them."""

    briefs: Sequence[Version]
    estimates: Sequence[Version]
    proposals: Sequence[Offer]


def client_record(session: Session, actor: Actor, client_id: str, *, now: datetime, today: date) -> ClientRecord:
    """Raises `NotFound`."""
    client = find(session, actor, Client, client_id)
    contacts = session.exec(scoped(Contact, actor).where(col(Contact.client_id) == client.id).order_by(Contact.name))
    chosen = scoped(Engagement, actor).where(col(Engagement.client_id) == client.id)
    newest = chosen.with_only_columns(col(Engagement.id)).order_by(col(Engagement.id).desc()).limit(_LISTED)
    found = judged_among(session, actor, session.execute(newest).scalars().all(), now=now, today=today)
    return ClientRecord(
        client=ClientOut.of(client), contacts=[ContactOut.of(contact) for contact in contacts],
        engagements=lines_of(session, actor, found, today=today),
    )  # fmt: skip


def colleagues(session: Session, actor: Actor) -> Sequence[tuple[str, str]]:
    """Ids and names of the agency's people who can own an engagement."""
    chosen = select(User.id, User.name).where(
        User.organisation_id == actor.organisation_id, col(User.active), col(User.client_id).is_(None)
    )
    return [(person_id, name) for person_id, name in session.exec(chosen.order_by(User.name))]


def open_clients(session: Session, actor: Actor) -> Sequence[tuple[str, str]]:
    """Ids and names of the clients for whom an engagement can be opened."""
    chosen = scoped(Client, actor).where(col(Client.archived).is_(other=False)).order_by(Client.name)
    return [(client.id, client.name) for client in session.exec(chosen)]


def scoping_of(session: Session, actor: Actor, engagement_id: str) -> Scoping:
    briefs = select(BriefVersion.id, BriefVersion.number, BriefVersion.title, BriefVersion.created_at).where(
        BriefVersion.organisation_id == actor.organisation_id, BriefVersion.engagement_id == engagement_id
    )
    estimates = select(EstimateVersion.id, EstimateVersion.number, EstimateVersion.created_at).where(
        EstimateVersion.organisation_id == actor.organisation_id, EstimateVersion.engagement_id == engagement_id
    )
    chosen = scoped(Proposal, actor).where(col(Proposal.engagement_id) == engagement_id)
    sees_offers = actor.may(Permission.VIEW_PROPOSALS)
    offers = session.exec(chosen.order_by(col(Proposal.id).desc())).all() if sees_offers else []
    return Scoping(
        briefs=[
            Version(id=brief_id, number=number, title=title, made_at=at)
            for brief_id, number, title, at in session.exec(briefs.order_by(col(BriefVersion.number).desc()))
        ],
        estimates=[
            Version(id=estimate_id, number=number, title=f"Estimate {number}", made_at=at)
            for estimate_id, number, at in session.exec(estimates.order_by(col(EstimateVersion.number).desc()))
        ],
        proposals=[
            Offer(
                id=offer.id, number=offer.number, edition=offer.edition, title=offer.title,
                state=PROPOSAL_BADGES[offer.state], changed_at=offer.changed_at, valid_until=offer.valid_until,
            )
            for offer in offers
        ],
    )  # fmt: skip
