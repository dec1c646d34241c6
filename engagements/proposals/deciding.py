"""What a client decides about what was sent: once, over the very bytes, in one transaction with all that follows.

Accepting writes the decision, the baseline that delivery measures itself against, the engagement's move, the audit
events and the message to the outside together, or nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col

from engagements.core import audit
from engagements.core.errors import Invalid, NotFound
from engagements.core.models import Engagement, EngagementState
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor
from engagements.core.service import claim, scoped
from engagements.db.columns import new_id
from engagements.delivery.models import Baseline
from engagements.delivery.opening import lay_plan
from engagements.proposals.baseline import agreed_plan
from engagements.proposals.frozen import sent_facts, snapshot_of
from engagements.proposals.models import Decision, Proposal, ProposalState, Verdict
from engagements.proposals.schemas import AcceptIn, DeclineIn, OnBehalfIn
from engagements.proposals.sending import tell_of
from engagements.proposals.states import UNSENT, Move, ProposalConflict, QuoteSuperseded, moved
from estimator.errors import Problem
from estimator.money import Money, sum_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who decides, as told; by which link, or on whose behalf with what evidence."""

    name: str
    role: str
    email: str
    time_zone: str
    link_id: str | None = None
    on_behalf_by: str | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    net: Money
    gross: Money
    extras: tuple[str, ...] = field(default=())


def accept(
    session: Session, actor: Actor, proposal_id: str, data: AcceptIn, *, at: datetime, link_id: str | None = None
) -> Decision:
    """Raises `QuoteExpired`, `QuoteSuperseded`, `ProposalConflict` (decided before, or other bytes), `Invalid`."""
    proposal = _claimed(session, actor, proposal_id)
    state = moved(proposal, Move.ACCEPT, at)
    if data.sha256 != proposal.pdf_sha256:
        message = "the document you have seen is not the one that was sent"
        raise ProposalConflict(message, remedy="load the proposal again and read it")
    signer = Signer(name=data.name, role=data.role, email=data.email, time_zone=data.time_zone, link_id=link_id)
    return _accepted(session, actor, proposal, state, data.option, data.extras, signer, at=at)


def decline(
    session: Session, actor: Actor, proposal_id: str, data: DeclineIn, *, at: datetime, link_id: str | None = None
) -> Decision:
    """Raises what `accept` raises of the state."""
    proposal = _claimed(session, actor, proposal_id)
    state = moved(proposal, Move.DECLINE, at)
    signer = Signer(name=data.name, role=data.role, email=data.email, time_zone=data.time_zone, link_id=link_id)
    return _declined(session, actor, proposal, state, data.reason, signer, at=at)


def on_behalf(session: Session, actor: Actor, proposal_id: str, data: OnBehalfIn, *, at: datetime) -> Decision:
    """A client's decision that came another way, recorded by the agency with its evidence."""
    proposal = _claimed(session, actor, proposal_id)
    signer = Signer(
        name=data.name, role=data.role, email=data.email, time_zone=data.time_zone, on_behalf_by=actor.id,
        evidence=data.evidence,
    )  # fmt: skip
    match data.verdict:
        case Verdict.ACCEPTED:
            state = moved(proposal, Move.ACCEPT, at)
            return _accepted(session, actor, proposal, state, data.option, data.extras, signer, at=at)
        case Verdict.DECLINED:
            state = moved(proposal, Move.DECLINE, at)
            if data.reason is None:
                problem = Problem(code="field_missing", where="reason", message="no reason is given", remedy="say why")
                raise Invalid.of(problem)
            return _declined(session, actor, proposal, state, data.reason, signer, at=at)


def _claimed(session: Session, actor: Actor, proposal_id: str) -> Proposal:
    """Locked until the decision is made. Raises `NotFound` for a client where it was never sent, `QuoteSuperseded`."""
    proposal = claim(session, actor, Proposal, proposal_id)
    if proposal.state in UNSENT and not actor.is_staff:
        raise NotFound
    refuse_superseded(session, actor, proposal)
    return proposal


def refuse_superseded(session: Session, actor: Actor, proposal: Proposal) -> None:
    """Raises `QuoteSuperseded` with the edition that holds now."""
    if proposal.state is ProposalState.SUPERSEDED:
        sent = col(Proposal.lineage_id) == proposal.lineage_id, col(Proposal.sent_at).is_not(None)
        newest = scoped(Proposal, actor).where(*sent).order_by(col(Proposal.edition).desc()).limit(1)
        raise QuoteSuperseded(session.exec(newest).one())


def consent_words(snapshot: dict[str, Any]) -> str:
    """What an acceptance agrees to: the offer by its number, electronic signature, authority."""
    view = snapshot["view"]
    control, terms = view["control"], view["terms"]
    offer = f"{control['number']}, version {control['version']}"
    return (
        f"I accept the offer {offer}, for {view['client']['legal_name']}, with the option chosen above and under its "
        f"terms. {terms['consent']} {terms['authority']}"
    )


def price_of(snapshot: dict[str, Any], option: str, extras: tuple[str, ...]) -> Price:
    """What an option with its extras costs, computed again from the frozen lines.

    Raises `Invalid`: `option.unknown`, `extra.unknown`, and `money.total_mismatch` where the frozen total is another.
    """
    price = snapshot["view"]["price"]
    currency, ids = price["currency"], [each["id"] for each in price["options"]]
    optional = {line["name"]: _money(line["amount"]) for line in price["optional"]}
    _refuse_unknown(option, ids, extras, list(optional))
    index = ids.index(option)
    listed = [_money(line["amounts"][index]) for line in price["lines"] if line["amounts"][index] is not None]
    net = sum_of(listed, currency) - _money(price["discounts"][index])
    if net != _money(price["nets"][index]) or _gross(price, net) != _money(price["grosses"][index]):
        message = f"the lines of {option} sum to {net}"
        problem = Problem(code="money.total_mismatch", where="option", message=message, remedy="ask for a correction")
        raise Invalid.of(problem)
    whole = sum_of([net, *(optional[name] for name in extras)], currency)
    return Price(net=whole, gross=_gross(price, whole), extras=extras)


def _refuse_unknown(option: str, options: list[str], extras: tuple[str, ...], optional: list[str]) -> None:
    problems = []
    if option not in options:
        message, remedy = f"this offer has no option {option!r}", f"choose {', '.join(options)}"
        problems.append(Problem(code="option.unknown", where="option", message=message, remedy=remedy))
    for number, name in enumerate(extras):
        if name not in optional or name in extras[:number]:
            message, remedy = (
                f"{name!r} is no optional line, or stands twice",
                f"choose of {', '.join(optional) or '-'}",
            )
            problems.append(Problem(code="extra.unknown", where=f"extras.{number}", message=message, remedy=remedy))
    if problems:
        raise Invalid.of(*problems)


def _gross(price: dict[str, Any], net: Money) -> Money:
    """Net and each tax on it, rounded half up by tax, as the quote has it."""
    return sum_of((net, *(net.times(Decimal(tax["share"])) for tax in price["taxes"])), net.currency)


def _money(plain: dict[str, str]) -> Money:
    return Money.of(Decimal(plain["amount"]), plain["currency"])


def _accepted(
    session: Session, actor: Actor, proposal: Proposal, state: ProposalState, option: str, extras: tuple[str, ...],
    signer: Signer, *, at: datetime,
) -> Decision:  # fmt: skip
    engagement = claim(session, actor, Engagement, proposal.engagement_id)
    if engagement.state in {EngagementState.CLOSED, EngagementState.TERMINATED}:
        raise ProposalConflict(f"this engagement is {engagement.state}", remedy="ask the agency for a new one")
    snapshot = snapshot_of(session, proposal)
    price = price_of(snapshot, option, extras)
    decision = _decision(actor, proposal, Verdict.ACCEPTED, signer, at=at)
    decision.option, decision.extras = option, list(extras)
    decision.net_minor, decision.gross_minor, decision.currency = price.net.minor, price.gross.minor, price.net.currency
    decision.consent = consent_words(snapshot)
    _decide(session, actor, proposal, state, decision, at=at)
    _make_baseline(session, actor, proposal, decision, agreed_plan(snapshot, option, extras), price, at=at)
    if engagement.state is EngagementState.PROPOSED:
        engagement.state, engagement.changed_at = EngagementState.ACTIVE, at
        audit.record(session, actor, "engagement.changed", engagement, at=at, client_sees=True)
        told = {"engagement": engagement.id, "state": engagement.state.value}
        tell(session, engagement.organisation_id, EventType.ENGAGEMENT_CHANGED, told, at=at)
    tell_of(session, EventType.PROPOSAL_ACCEPTED, proposal, at=at)
    return decision


def _declined(
    session: Session, actor: Actor, proposal: Proposal, state: ProposalState, reason: str, signer: Signer, *,
    at: datetime,
) -> Decision:  # fmt: skip
    decision = _decision(actor, proposal, Verdict.DECLINED, signer, at=at)
    decision.reason = proposal.state_reason = reason
    _decide(session, actor, proposal, state, decision, at=at)
    tell_of(session, EventType.PROPOSAL_DECLINED, proposal, at=at)
    return decision


def _decision(actor: Actor, proposal: Proposal, verdict: Verdict, signer: Signer, *, at: datetime) -> Decision:
    return Decision(
        id=new_id(Decision.PREFIX), organisation_id=proposal.organisation_id, proposal_id=proposal.id,
        engagement_id=proposal.engagement_id, client_id=proposal.client_id, verdict=verdict, signer_name=signer.name,
        signer_role=signer.role, signer_email=signer.email, pdf_sha256=sent_facts(proposal).pdf_sha256,
        link_id=signer.link_id, on_behalf_by=signer.on_behalf_by, evidence=signer.evidence, ip=actor.origin.ip,
        agent=actor.origin.agent, time_zone=signer.time_zone, at=at,
    )  # fmt: skip


def _decide(
    session: Session, actor: Actor, proposal: Proposal, state: ProposalState, decision: Decision, *, at: datetime
) -> None:
    proposal.state, proposal.decided_at, proposal.changed_at = state, at, at
    session.add(decision)
    audit.record(session, actor, "decision.made", decision, at=at, reason=decision.reason)
    action = f"proposal.{decision.verdict}"
    audit.record(session, actor, action, proposal, at=at, reason=decision.reason, client_sees=True)


def _make_baseline(
    session: Session, actor: Actor, proposal: Proposal, decision: Decision, plan: dict[str, Any], price: Price, *,
    at: datetime,
) -> None:  # fmt: skip
    mine = scoped(Baseline, actor).where(col(Baseline.engagement_id) == decision.engagement_id)
    last = session.exec(mine.order_by(col(Baseline.number).desc()).limit(1)).first()
    agreed = {"net": f"{price.net.amount:f}", "gross": f"{price.gross.amount:f}", "currency": price.net.currency}
    baseline = Baseline(
        id=new_id(Baseline.PREFIX), organisation_id=decision.organisation_id, engagement_id=decision.engagement_id,
        client_id=decision.client_id, proposal_id=decision.proposal_id, decision_id=decision.id,
        number=last.number + 1 if last else 1, plan={**plan, "agreed": agreed},
        budget=proposal.budgets.get(decision.option, {}), created_at=at,
    )  # fmt: skip
    session.add(baseline)
    audit.record(session, actor, "baseline.made", baseline, at=at, client_sees=True)
    signed_on = at.astimezone(ZoneInfo(decision.time_zone)).date()
    lay_plan(session, actor, baseline, at=at, today=signed_on)
