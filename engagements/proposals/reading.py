"""Which proposals somebody sees, and how much of each: a client's people only what was sent, and nothing internal."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from engagements.core.errors import NotFound
from engagements.core.roles import Actor
from engagements.core.service import scoped
from engagements.db.store import Store
from engagements.delivery.models import Baseline
from engagements.proposals.document import Look, proposal_document
from engagements.proposals.drafting import composed
from engagements.proposals.frozen import frozen, sent_facts, snapshot_of
from engagements.proposals.models import Decision, FrozenDocument, Proposal, ProposalState
from engagements.proposals.schemas import DecisionOut, ProposalOut, SnapshotOut, VerificationOut
from engagements.proposals.states import UNSENT, state_at
from engagements.settings import Agency
from estimator.prices import PriceBook


def visible(actor: Actor) -> SelectOfScalar[Proposal]:
    """Drafts are out of a client's reach."""
    chosen = scoped(Proposal, actor)
    return chosen if actor.is_staff else chosen.where(col(Proposal.state).not_in(UNSENT))


def in_state(chosen: SelectOfScalar[Proposal], state: ProposalState, *, at: datetime) -> SelectOfScalar[Proposal]:
    """Of the moment, as `states.state_at` has it."""
    over = (col(Proposal.state) == ProposalState.SENT) & (col(Proposal.ends_at) <= at)
    match state:
        case ProposalState.EXPIRED:
            return chosen.where((col(Proposal.state) == state) | over)
        case ProposalState.SENT:
            return chosen.where((col(Proposal.state) == state) & ~over)
        case _:
            return chosen.where(col(Proposal.state) == state)


def seen(session: Session, actor: Actor, proposal_id: str) -> Proposal:
    """Raises `NotFound`."""
    proposal = session.exec(visible(actor).where(col(Proposal.id) == proposal_id)).first()
    if proposal is None:
        raise NotFound
    return proposal


def sent(session: Session, actor: Actor, proposal_id: str) -> Proposal:
    """Raises `NotFound` for a draft too: nothing of it is frozen."""
    proposal = seen(session, actor, proposal_id)
    if proposal.sent_at is None:
        raise NotFound("this proposal has not been sent")
    return proposal


def proposal_out(proposal: Proposal, actor: Actor, *, at: datetime) -> ProposalOut:
    fields = {name: getattr(proposal, name) for name in ProposalOut.model_fields}
    fields |= {"state": state_at(proposal, at)}
    if not actor.is_staff:
        fields |= dict.fromkeys(("state_reason", "estimate_id", "wording", "created_by", "approved_by", "price_book"))
    return ProposalOut.model_validate(fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """The bytes of a proposal; `sha256` None for a draft, whose bytes nobody may rely on."""

    content: bytes
    name: str
    sha256: str | None

    @classmethod
    def of(cls, document: FrozenDocument) -> "Paper":
        return cls(content=document.content, name=document.name, sha256=document.sha256)


def paper_of(store: Store, actor: Actor, proposal_id: str, prices: PriceBook, agency: Agency, *, at: datetime) -> Paper:
    """What was sent, byte for byte; a draft is rendered as it stands, DRAFT on every page (about a second)."""
    with store.read() as session:
        proposal = seen(session, actor, proposal_id)
        if proposal.pdf_sha256 is not None:
            return Paper.of(frozen(session, proposal.organisation_id, proposal.pdf_sha256))
        draft = composed(session, actor, proposal, prices, agency, number="", at=at)
    document = proposal_document(draft.view, Look.of(draft.agency))
    return Paper(content=document.pdf, name=f"draft-{proposal_id}.pdf", sha256=None)


def snapshot_out(proposal: Proposal, session: Session) -> SnapshotOut:
    return SnapshotOut(
        proposal_id=proposal.id,
        sha256=sent_facts(proposal).snapshot_sha256,
        snapshot=snapshot_of(session, proposal),
    )


def decision_out(session: Session, actor: Actor, proposal_id: str) -> DecisionOut:
    """Raises `NotFound` where nothing is decided."""
    proposal = sent(session, actor, proposal_id)
    decision = session.exec(scoped(Decision, actor).where(col(Decision.proposal_id) == proposal.id)).first()
    if decision is None:
        raise NotFound("nothing is decided about this proposal")
    return DecisionOut.of(decision)


def baseline_of(session: Session, actor: Actor, engagement_id: str) -> Baseline:
    """The latest. Raises `NotFound` before anything was accepted."""
    mine = scoped(Baseline, actor).where(col(Baseline.engagement_id) == engagement_id)
    baseline = session.exec(mine.order_by(col(Baseline.number).desc()).limit(1)).first()
    if baseline is None:
        raise NotFound("nothing has been accepted here yet")
    return baseline


def verified(session: Session, sha256: str, *, at: datetime) -> VerificationOut:
    """What a document is, by its digest alone, over all tenants. Raises `NotFound` for bytes that are none of ours."""
    kind: Literal["proposal", "certificate"] = "proposal"
    proposal = session.exec(select(Proposal).where(col(Proposal.pdf_sha256) == sha256)).first()
    if proposal is None:
        kind = "certificate"
        signed = select(Proposal).join(Decision, col(Decision.proposal_id) == col(Proposal.id))
        proposal = session.exec(signed.where(col(Decision.certificate_sha256) == sha256)).first()
    if proposal is None:
        raise NotFound("no document of ours has these bytes")
    view = snapshot_of(session, proposal)["view"]
    return VerificationOut(
        sha256=sha256,
        kind=kind,
        agency=view["agency"]["legal_name"],
        number=view["control"]["number"],
        edition=proposal.edition,
        state=state_at(proposal, at),
        sent_at=sent_facts(proposal).sent_at,
        decided_at=proposal.decided_at,
    )
