"""What a proposal's page shows to the agency: its state, what stands against it, who can open it, its history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session, col, select

from engagements.core import service
from engagements.core.errors import Invalid
from engagements.core.models import AuditEvent, Contact
from engagements.core.roles import Actor
from engagements.proposals import drafting, portal, reading
from engagements.proposals.differences import Difference, differences_of
from engagements.proposals.frozen import snapshot_of
from engagements.proposals.models import BriefVersion, EstimateVersion, Proposal, ProposalLink, ProposalState
from engagements.proposals.proposal_api import Desk
from engagements.proposals.schemas import DecisionOut, LinkOut, ProposalOut
from engagements.proposals.scoping import PricesChanged
from engagements.proposals.scoping_pages import Place
from engagements.proposals.states import MOVES, UNSENT
from engagements.rendering import Badge
from estimator.errors import EstimatorError, Problem
from estimator.money import Money
from estimator.plain import plain

_EVENTS_SHOWN: Final = 40


BADGES: Final[Mapping[ProposalState, Badge]] = {
    ProposalState.DRAFT: Badge(tone="quiet", label="Draft"),
    ProposalState.IN_REVIEW: Badge(tone="warn", label="In review"),
    ProposalState.APPROVED: Badge(tone="accent", label="Approved"),
    ProposalState.SENT: Badge(tone="accent", label="Sent"),
    ProposalState.ACCEPTED: Badge(tone="good", label="Accepted"),
    ProposalState.DECLINED: Badge(tone="bad", label="Declined"),
    ProposalState.EXPIRED: Badge(tone="warn", label="Expired"),
    ProposalState.WITHDRAWN: Badge(tone="quiet", label="Withdrawn"),
    ProposalState.SUPERSEDED: Badge(tone="quiet", label="Superseded"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A line of the history, as the macro `trail` has it."""

    who: str
    did: str
    subject: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateChoice:
    """An estimate that a proposal can be made of."""

    id: str
    number: int
    title: str
    on: date
    headline: str
    price: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A proposal in a list, with the badge of its state."""

    proposal: ProposalOut
    badge: Badge


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRecord:
    """`can`: the names of the moves that the state allows. `problems` and `differences` of a draft are of now."""

    proposal: ProposalOut
    badge: Badge
    place: Place
    estimate: EstimateChoice
    can: frozenset[str]
    problems: Sequence[Problem]
    differences: Sequence[Difference]
    links: Sequence[LinkOut]
    editions: Sequence[Line]
    decision: DecisionOut | None
    events: Sequence[Event]

    @property
    def is_unsent(self) -> bool:
        return self.proposal.state in UNSENT


def record_of(session: Session, actor: Actor, proposal_id: str, desk: Desk, *, at: datetime) -> ProposalRecord:
    """Raises `NotFound`."""
    row = reading.seen(session, actor, proposal_id)
    out = reading.proposal_out(row, actor, at=at)
    links = session.exec(service.scoped(ProposalLink, actor).where(col(ProposalLink.proposal_id) == row.id)).all()
    decision = portal.decision_of(session, actor, row)
    return ProposalRecord(
        proposal=out,
        badge=BADGES[out.state],
        place=Place.of(session, actor, row.engagement_id),
        estimate=_choice(session, actor, service.find(session, actor, EstimateVersion, row.estimate_id)),
        can=frozenset(move.name for move, states in MOVES.items() if out.state in states),
        problems=_problems(session, actor, row, desk, at=at),
        differences=_differences(session, actor, row, desk, at=at),
        links=[LinkOut.of(link) for link in links],
        editions=[_line(each, actor, at=at) for each in drafting.editions(session, actor, row)],
        decision=DecisionOut.of(decision) if decision else None,
        events=_events(session, actor, row, links),
    )


def lines_of(session: Session, actor: Actor, engagement_id: str, *, at: datetime) -> Sequence[Line]:
    """An engagement's proposals, the newest first."""
    chosen = reading.visible(actor).where(col(Proposal.engagement_id) == engagement_id)
    return [_line(row, actor, at=at) for row in session.exec(chosen.order_by(col(Proposal.id).desc()))]


def estimates_of(session: Session, actor: Actor, engagement_id: str) -> Sequence[EstimateChoice]:
    """An engagement's estimates that have a price, the newest first."""
    chosen = service.scoped(EstimateVersion, actor).where(col(EstimateVersion.engagement_id) == engagement_id)
    rows = session.exec(chosen.order_by(col(EstimateVersion.number).desc())).all()
    return [_choice(session, actor, row) for row in rows if row.summary["recommended"] is not None]


def contacts_of(session: Session, actor: Actor, client_id: str) -> Sequence[tuple[str, str, str]]:
    """Name, e-mail and role of the client's contacts."""
    rows = session.exec(service.scoped(Contact, actor).where(col(Contact.client_id) == client_id)).all()
    return [(row.name, row.email, row.role) for row in rows]


def _line(row: Proposal, actor: Actor, *, at: datetime) -> Line:
    out = reading.proposal_out(row, actor, at=at)
    return Line(proposal=out, badge=BADGES[out.state])


def _choice(session: Session, actor: Actor, row: EstimateVersion) -> EstimateChoice:
    summary = row.summary
    best = next((each for each in summary["options"] if each["id"] == summary["recommended"]), None)
    price = Money.parse(best["net"]["amount"], best["net"]["currency"]) if best else None
    title = service.find(session, actor, BriefVersion, row.brief_id).title
    return EstimateChoice(
        id=row.id, number=row.number, title=title, on=row.day, headline=summary["headline"], price=price
    )


def _problems(session: Session, actor: Actor, row: Proposal, desk: Desk, *, at: datetime) -> Sequence[Problem]:
    if row.state not in UNSENT:
        return []
    return drafting.problems_of_draft(session, actor, row.id, desk.prices, desk.agency, at=at)


def _differences(session: Session, actor: Actor, row: Proposal, desk: Desk, *, at: datetime) -> Sequence[Difference]:
    """Against the edition it supersedes; of a draft, as it would be sent now."""
    before = drafting.sent_before(session, actor, row)
    if before is None or row.state not in UNSENT:
        return portal.differences(session, actor, row)
    try:
        view = drafting.composed(session, actor, row, desk.prices, desk.agency, number=row.number or "", at=at).view
    except (EstimatorError, Invalid, PricesChanged):
        # What stands in the way is among the problems.
        return []
    content = plain(view)
    assert isinstance(content, dict)
    return differences_of(snapshot_of(session, before)["view"], content, desk.agency.locale)


def _events(session: Session, actor: Actor, row: Proposal, links: Sequence[ProposalLink]) -> Sequence[Event]:
    chosen = select(AuditEvent).where(
        col(AuditEvent.organisation_id) == actor.organisation_id,
        col(AuditEvent.entity_id).in_([row.id, *(link.id for link in links)]),
    )
    found = session.exec(chosen.order_by(col(AuditEvent.seq).desc()).limit(_EVENTS_SHOWN))
    return [
        Event(who=event.actor_name, did=_did(event.action), subject="", at=event.at, reason=event.reason)
        for event in found
    ]


def _did(action: str) -> str:
    """`proposal.sent` reads "sent the proposal"."""
    noun, _, verb = action.replace("_", " ").partition(".")
    return f"{verb} the {noun}"
