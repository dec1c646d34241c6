"""Sending freezes: number, view, price book, templates and bytes are kept, and the edition before is superseded.

Rendering takes a second, so it comes before the transaction (`prepare`); the transaction takes what was prepared only
if it is still what would be sent, else `Stale` says to prepare again (`until_fresh` does).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from engagements.core import audit
from engagements.core.errors import Invalid
from engagements.core.models import Organisation
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor, system_actor
from engagements.core.service import claim, find
from engagements.db.columns import new_id
from engagements.db.store import Store, StoreBusy
from engagements.people.secrets import digest, new_token
from engagements.proposals.agency import agency_of, today
from engagements.proposals.baseline import plans_of
from engagements.proposals.document import Look, proposal_document
from engagements.proposals.drafting import Composed, composed, problems_of
from engagements.proposals.frozen import JSON, PDF, freeze, snapshot_bytes
from engagements.proposals.models import NumberSeries, Proposal, ProposalLink, ProposalState
from engagements.proposals.schemas import LinkIn, ReasonIn, Recipient, SendIn, Wording
from engagements.proposals.states import REPLACEABLE, UNSENT, Move, ProposalConflict, end_of, moved
from engagements.settings import Agency
from estimator.budget import budgets_of
from estimator.plain import Plain, plain
from estimator.prices import PriceBook

_TRIES: Final = 8
Answer = TypeVar("Answer")


class Stale(Exception):
    """The proposal or the next number changed while this was prepared; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A proposal ready to be sent: `version` of the draft it shows, the number it carries, what will be frozen."""

    proposal_id: str
    version: int
    number: str
    year: int
    composed: Composed
    pdf: bytes
    pdf_sha256: str
    template_digest: str
    snapshot: bytes
    budgets: dict[str, Plain]


@dataclass(slots=True, kw_only=True)
class Preparation:
    """Holds what `prepare` made until the transaction takes it."""

    made: Prepared | None = None

    def take(
        self, store: Store, actor: Actor, proposal_id: str, prices: PriceBook, agency: Agency, *, at: datetime
    ) -> None:
        self.made = prepare(store, actor, proposal_id, prices, agency, at=at)

    @property
    def prepared(self) -> Prepared:
        assert self.made is not None, "what is sent was prepared before"
        return self.made


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """A link and the token that opens it, which is told once."""

    link: ProposalLink
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    proposal: Proposal
    links: tuple[NewLink, ...]


def until_fresh(attempt: Callable[[], Answer]) -> Answer:
    """`prepare` and `send` again as long as somebody else was quicker. Raises `StoreBusy` after `_TRIES`."""
    for _ in range(_TRIES):
        try:
            return attempt()
        except Stale:
            continue
    raise StoreBusy("other proposals were sent all the while")


def prepare(
    store: Store, actor: Actor, proposal_id: str, prices: PriceBook, agency: Agency, *, at: datetime
) -> Prepared:
    """Render what would be sent now. About a second, so outside any transaction.

    Raises `Invalid` with everything that stands against sending, `ProposalConflict` unless it is approved.
    """
    with store.read() as session:
        proposal = find(session, actor, Proposal, proposal_id)
        moved(proposal, Move.SEND, at)
        own = agency_of(session.get_one(Organisation, proposal.organisation_id), agency)
        year = today(own, at).year
        number = proposal.number or _numbered(year, _last(session, proposal.organisation_id, year) + 1)
        ready = composed(session, actor, proposal, prices, agency, number=number, at=at)
        version, note = proposal.version, Wording.model_validate(proposal.wording).note
    if problems := problems_of(ready):
        raise Invalid(f"this proposal may not be sent as it is: {problems[0].message}", problems=problems)
    document = proposal_document(ready.view, Look.of(ready.agency))
    content = {**document.snapshot, "note": note or "", "plans": plans_of(ready.estimate)}
    return Prepared(
        proposal_id=proposal_id,
        version=version,
        number=number,
        year=year,
        composed=ready,
        pdf=document.pdf,
        pdf_sha256=document.sha256,
        template_digest=str(document.snapshot["template_digest"]),
        snapshot=snapshot_bytes(content),
        budgets={option: plain(budget) for option, budget in budgets_of(ready.estimate, prices).items()},
    )


def send(session: Session, actor: Actor, proposal_id: str, prepared: Prepared, data: SendIn, *, at: datetime) -> Sent:
    """Freeze what was prepared and open it to its recipients. Raises `Stale` and `ProposalConflict`."""
    proposal = claim(session, actor, Proposal, proposal_id)
    state = moved(proposal, Move.SEND, at)
    if proposal.version != prepared.version:
        raise Stale
    if proposal.number is None:
        _take_number(session, proposal, prepared)
    elif proposal.number != prepared.number:
        raise Stale
    replaced = _claim_replaced(session, actor, proposal)
    _freeze(session, proposal, prepared, at=at)
    proposal.state, proposal.sent_at, proposal.sent_by, proposal.changed_at = state, at, actor.id, at
    audit.record(session, actor, "proposal.sent", proposal, at=at, client_sees=True)
    for earlier in replaced:
        earlier.state, earlier.changed_at = ProposalState.SUPERSEDED, at
        audit.record(session, actor, "proposal.superseded", earlier, at=at, client_sees=True)
    links = tuple(_open_link(session, actor, proposal, each, data.expires_days, at=at) for each in data.recipients)
    tell_of(session, EventType.PROPOSAL_SENT, proposal, at=at)
    return Sent(proposal=proposal, links=links)


def add_link(session: Session, actor: Actor, proposal_id: str, data: LinkIn, *, at: datetime) -> NewLink:
    """A further private link to what was sent. Drafts are out of reach: raises `ProposalConflict`."""
    proposal = claim(session, actor, Proposal, proposal_id)
    if proposal.state in UNSENT or proposal.state in {ProposalState.SUPERSEDED, ProposalState.WITHDRAWN}:
        message = f"a proposal that is {proposal.state.replace('_', ' ')} is open to nobody"
        raise ProposalConflict(message, remedy="send it first, or link to the current edition")
    return _open_link(session, actor, proposal, data, data.expires_days, at=at)


def revoke_link(session: Session, actor: Actor, link_id: str, *, version: int, at: datetime) -> None:
    """Taking back what was taken back before changes nothing."""
    link = claim(session, actor, ProposalLink, link_id, version)
    if link.revoked_at is None:
        link.revoked_at = at
        audit.record(session, actor, "link.revoked", link, at=at)


def withdraw(session: Session, actor: Actor, proposal_id: str, data: ReasonIn, *, at: datetime) -> Proposal:
    proposal = claim(session, actor, Proposal, proposal_id)
    proposal.state = moved(proposal, Move.WITHDRAW, at)
    proposal.state_reason, proposal.changed_at = data.reason, at
    audit.record(session, actor, "proposal.withdrawn", proposal, at=at, reason=data.reason, client_sees=True)
    tell_of(session, EventType.PROPOSAL_WITHDRAWN, proposal, at=at)
    return proposal


def due_to_expire(session: Session, *, at: datetime) -> bool:
    return session.exec(_over(at).limit(1)).first() is not None


def expire_due(session: Session, *, at: datetime, limit: int = 100) -> list[Proposal]:
    """Write down which offers have ended, of all tenants; reading them says so already (`states.state_at`)."""
    due = list(session.exec(_over(at).order_by(col(Proposal.id)).limit(limit).with_for_update(skip_locked=True)))
    for proposal in due:
        proposal.state, proposal.changed_at = ProposalState.EXPIRED, at
        ours = system_actor(proposal.organisation_id)
        audit.record(session, ours, "proposal.expired", proposal, at=at, client_sees=True)
        tell_of(session, EventType.PROPOSAL_EXPIRED, proposal, at=at)
    return due


def _over(at: datetime) -> SelectOfScalar[Proposal]:
    return select(Proposal).where(col(Proposal.state) == ProposalState.SENT, col(Proposal.ends_at) <= at)


def tell_of(session: Session, kind: EventType, proposal: Proposal, *, at: datetime) -> None:
    data = {"proposal": proposal.id, "engagement": proposal.engagement_id}
    tell(session, proposal.organisation_id, kind, data, at=at)


def _numbered(year: int, place: int) -> str:
    return f"P-{year}-{place:04d}"


def _last(session: Session, organisation_id: str, year: int) -> int:
    series = session.get(NumberSeries, (organisation_id, year))
    return series.last if series else 0


def _take_number(session: Session, proposal: Proposal, prepared: Prepared) -> None:
    """The next of the year's, which the document carries already; its row stays locked until the sending is over."""
    place = (proposal.organisation_id, prepared.year)
    series = session.get(NumberSeries, place, with_for_update=True, populate_existing=True)
    if series is None:
        series = NumberSeries(organisation_id=proposal.organisation_id, year=prepared.year)
        session.add(series)
    if _numbered(prepared.year, series.last + 1) != prepared.number:
        raise Stale
    series.last += 1
    try:
        session.flush()
    except IntegrityError as error:
        raise Stale from error
    proposal.number = prepared.number


def _freeze(session: Session, proposal: Proposal, prepared: Prepared, *, at: datetime) -> None:
    control, name = prepared.composed.view.control, f"{prepared.number}-v{proposal.edition}"
    tenant = proposal.organisation_id
    freeze(session, tenant, prepared.pdf, media_type=PDF, name=f"{name}.pdf", at=at)
    snapshot = freeze(session, tenant, prepared.snapshot, media_type=JSON, name=f"{name}.json", at=at)
    proposal.title = prepared.composed.view.title
    proposal.valid_until = control.valid_until
    proposal.ends_at = end_of(control.valid_until, prepared.composed.agency.time_zone)
    proposal.price_book = prepared.composed.estimate.prices_digest
    proposal.template_digest = prepared.template_digest
    proposal.budgets = prepared.budgets
    proposal.pdf_sha256, proposal.snapshot_sha256 = prepared.pdf_sha256, snapshot.sha256


def _claim_replaced(session: Session, actor: Actor, proposal: Proposal) -> list[Proposal]:
    """The editions that this one takes the place of, locked, so that none is accepted meanwhile."""
    mine = col(Proposal.lineage_id) == proposal.lineage_id, col(Proposal.edition) < proposal.edition
    earlier = session.exec(select(Proposal.id).where(*mine).order_by(col(Proposal.edition))).all()
    claimed = [claim(session, actor, Proposal, each) for each in earlier]
    if accepted := next((each for each in claimed if each.state is ProposalState.ACCEPTED), None):
        message = f"version {accepted.edition} has been accepted meanwhile"
        raise ProposalConflict(message, remedy="what changes now is a change of the engagement")
    return [each for each in claimed if each.state in REPLACEABLE]


def _open_link(
    session: Session, actor: Actor, proposal: Proposal, to: Recipient, expires_days: int, *, at: datetime
) -> NewLink:
    token = new_token()
    link = ProposalLink(
        id=new_id(ProposalLink.PREFIX), organisation_id=proposal.organisation_id, proposal_id=proposal.id,
        engagement_id=proposal.engagement_id, client_id=proposal.client_id, recipient_name=to.name,
        recipient_email=to.email, digest=digest(token), created_by=actor.id, created_at=at,
        expires_at=at + timedelta(days=expires_days),
    )  # fmt: skip
    session.add(link)
    audit.record(session, actor, "link.created", link, at=at, client_sees=True)
    return NewLink(link=link, token=token)
