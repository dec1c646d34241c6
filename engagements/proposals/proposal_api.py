"""Proposals over /api/v1: from the draft to the baseline, for whoever is signed in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody, QueryParameter
from sqlmodel import Session, col

from engagements.core import service
from engagements.core.models import Engagement
from engagements.core.roles import Actor, Permission
from engagements.core.schemas import Page
from engagements.proposals import certificate, deciding, drafting, portal, reading, sending
from engagements.proposals.models import Proposal, ProposalLink, ProposalState
from engagements.proposals.reading import Paper, proposal_out
from engagements.proposals.schemas import (
    AcceptIn,
    BaselineOut,
    DecisionOut,
    DeclineIn,
    DifferenceOut,
    DifferencesOut,
    LinkIn,
    LinkOut,
    NewLinkOut,
    OnBehalfIn,
    ProblemOut,
    ProblemsOut,
    ProposalIn,
    ProposalOut,
    ProposalPatch,
    ReasonIn,
    SendIn,
    SentOut,
    SnapshotOut,
)
from engagements.settings import Agency
from engagements.web.call import Call
from engagements.web.paging import LIMIT, Cursor, Limit, page_of
from engagements.web.routes import delete, get, patch, post
from estimator.prices import PriceBook

LINK_PATH = "/p/"
"""Where the client's page is: a link is this and the token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What an installation writes proposals with."""

    prices: PriceBook
    agency: Agency
    base_url: str


def desk_of(call: Call) -> Desk:
    wiring = call.request.app.state.wiring
    return Desk(prices=wiring.prices, agency=wiring.settings.agency, base_url=wiring.settings.base_url)


def new_link_out(new: sending.NewLink, base_url: str) -> NewLinkOut:
    return NewLinkOut(**LinkOut.of(new.link).model_dump(), url=f"{base_url}{LINK_PATH}{new.token}")


def pdf_response(paper: Paper) -> Response[bytes]:
    headers = {"Content-Disposition": f'inline; filename="{paper.name}"'}
    if paper.sha256:
        headers["ETag"] = f'"{paper.sha256}"'
    return Response(paper.content, media_type="application/pdf", headers=headers)


def certify(call: Call, actor: Actor, proposal_id: str) -> None:
    """After a decision that is made: its certificate, now if it can be."""
    desk = desk_of(call)
    certificate.attempt(call.store, actor, proposal_id, desk.agency, desk.base_url, at=call.now)


def certificate_now(call: Call, actor: Actor, proposal_id: str) -> Paper:
    desk = desk_of(call)
    return certificate.certificate_of(call.store, actor, proposal_id, desk.agency, desk.base_url, at=call.now)


def _as_seen(call: Call) -> Callable[[Proposal], ProposalOut]:
    return lambda proposal: proposal_out(proposal, call.actor, at=call.now)


class EngagementProposals(Controller):
    path = "/api/v1/engagements/{engagement_id:str}"
    tags = ("Proposals",)

    @get("/proposals", permission=Permission.VIEW_PROPOSALS, summary="An engagement's proposals")
    def list_of_engagement(
        self, engagement_id: FromPath[str], call: Call, limit: Limit = LIMIT, cursor: Cursor = None
    ) -> Page[ProposalOut]:
        def found(session: Session) -> Page[ProposalOut]:
            service.find(session, call.actor, Engagement, engagement_id)
            chosen = reading.visible(call.actor).where(col(Proposal.engagement_id) == engagement_id)
            return page_of(session, chosen, Proposal, _as_seen(call), limit=limit, cursor=cursor)

        return call.read(found)

    @post("/proposals", permission=Permission.EDIT_ESTIMATES, summary="Draft a proposal")
    def draft(self, engagement_id: FromPath[str], data: JSONBody[ProposalIn], call: Call) -> Response[ProposalOut]:
        out = _as_seen(call)
        return call.create(lambda s: out(drafting.draft(s, call.actor, engagement_id, data, at=call.now)))

    @get("/baseline", permission=Permission.VIEW_PROPOSALS, summary="What was agreed last")
    def show_baseline(self, engagement_id: FromPath[str], call: Call) -> Response[BaselineOut]:
        return call.show(lambda s: BaselineOut.of(reading.baseline_of(s, call.actor, engagement_id)))


class Proposals(Controller):
    path = "/api/v1/proposals"
    tags = ("Proposals",)

    @get(permission=Permission.VIEW_PROPOSALS, summary="List proposals")
    def list_proposals(
        self,
        call: Call,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
        client: Annotated[str | None, QueryParameter(max_length=40)] = None,
        in_state: Annotated[ProposalState | None, QueryParameter(name="state")] = None,
    ) -> Page[ProposalOut]:
        chosen = reading.visible(call.actor)
        if client:
            chosen = chosen.where(col(Proposal.client_id) == client)
        if in_state:
            chosen = reading.in_state(chosen, in_state, at=call.now)
        return call.read(lambda s: page_of(s, chosen, Proposal, _as_seen(call), limit=limit, cursor=cursor))

    @get("/{proposal_id:str}", permission=Permission.VIEW_PROPOSALS, summary="One proposal")
    def show(self, proposal_id: FromPath[str], call: Call) -> Response[ProposalOut]:
        return call.show(lambda s: _as_seen(call)(reading.seen(s, call.actor, proposal_id)))

    @patch("/{proposal_id:str}", permission=Permission.EDIT_ESTIMATES, summary="Change a draft")
    def change(self, proposal_id: FromPath[str], data: JSONBody[ProposalPatch], call: Call) -> Response[ProposalOut]:
        """An approved proposal becomes a draft again. 423 once it has been sent."""
        out = _as_seen(call)
        return call.change(
            lambda s, v: out(drafting.change_draft(s, call.actor, proposal_id, data, version=v, at=call.now))
        )

    @get("/{proposal_id:str}/problems", permission=Permission.VIEW_COST, summary="What stands against sending it")
    def problems(self, proposal_id: FromPath[str], call: Call) -> ProblemsOut:
        desk = desk_of(call)
        found = call.read(
            lambda s: drafting.problems_of_draft(s, call.actor, proposal_id, desk.prices, desk.agency, at=call.now)
        )
        return ProblemsOut(problems=[ProblemOut.of(each) for each in found])

    @post(
        "/{proposal_id:str}/request-approval",
        permission=Permission.EDIT_ESTIMATES,
        summary="Ask for approval",
        status_code=200,
    )
    def request_approval(self, proposal_id: FromPath[str], call: Call) -> Response[ProposalOut]:
        out = _as_seen(call)
        return call.act(lambda s: out(drafting.request_approval(s, call.actor, proposal_id, at=call.now)))

    @post(
        "/{proposal_id:str}/approve",
        permission=Permission.APPROVE_PROPOSALS,
        summary="Approve for sending",
        status_code=200,
    )
    def approve(self, proposal_id: FromPath[str], call: Call) -> Response[ProposalOut]:
        """By a second person: 403 for whoever wrote any of it."""
        out = _as_seen(call)
        return call.act(lambda s: out(drafting.approve(s, call.actor, proposal_id, at=call.now)))

    @post(
        "/{proposal_id:str}/reject",
        permission=Permission.APPROVE_PROPOSALS,
        summary="Back to its author",
        status_code=200,
    )
    def reject(self, proposal_id: FromPath[str], data: JSONBody[ReasonIn], call: Call) -> Response[ProposalOut]:
        out = _as_seen(call)
        return call.act(lambda s: out(drafting.reject(s, call.actor, proposal_id, data, at=call.now)))

    @post(
        "/{proposal_id:str}/send",
        permission=Permission.SEND_PROPOSALS,
        summary="Number, freeze and send",
        status_code=200,
    )
    def send(self, proposal_id: FromPath[str], data: JSONBody[SendIn], call: Call) -> Response[SentOut]:
        """422 with everything that stands against it. The links are told this once."""
        desk, ready = desk_of(call), sending.Preparation()

        def prepare() -> None:
            ready.take(call.store, call.actor, proposal_id, desk.prices, desk.agency, at=call.now)

        def effect(session: Session) -> SentOut:
            sent = sending.send(session, call.actor, proposal_id, ready.prepared, data, at=call.now)
            links = [new_link_out(each, desk.base_url) for each in sent.links]
            return SentOut(version=sent.proposal.version, proposal=_as_seen(call)(sent.proposal), links=links)

        return sending.until_fresh(lambda: call.act(effect, prepare=prepare))

    @post("/{proposal_id:str}/revise", permission=Permission.SEND_PROPOSALS, summary="Draft the next edition")
    def revise(self, proposal_id: FromPath[str], call: Call) -> Response[ProposalOut]:
        """What was sent stays as it is until the next edition is sent, and is superseded then."""
        out = _as_seen(call)
        return call.create(lambda s: out(drafting.revise(s, call.actor, proposal_id, at=call.now)))

    @post("/{proposal_id:str}/withdraw", permission=Permission.SEND_PROPOSALS, summary="Take it back", status_code=200)
    def withdraw(self, proposal_id: FromPath[str], data: JSONBody[ReasonIn], call: Call) -> Response[ProposalOut]:
        out = _as_seen(call)
        return call.act(lambda s: out(sending.withdraw(s, call.actor, proposal_id, data, at=call.now)))

    @post("/{proposal_id:str}/links", permission=Permission.SEND_PROPOSALS, summary="A further private link")
    def add_link(self, proposal_id: FromPath[str], data: JSONBody[LinkIn], call: Call) -> Response[NewLinkOut]:
        base = desk_of(call).base_url
        return call.create(
            lambda s: new_link_out(sending.add_link(s, call.actor, proposal_id, data, at=call.now), base)
        )

    @get("/{proposal_id:str}/links", permission=Permission.VIEW_COST, summary="Who can open it, and who has")
    def list_links(
        self, proposal_id: FromPath[str], call: Call, limit: Limit = LIMIT, cursor: Cursor = None
    ) -> Page[LinkOut]:
        def found(session: Session) -> Page[LinkOut]:
            reading.seen(session, call.actor, proposal_id)
            chosen = service.scoped(ProposalLink, call.actor).where(col(ProposalLink.proposal_id) == proposal_id)
            return page_of(session, chosen, ProposalLink, LinkOut.of, limit=limit, cursor=cursor)

        return call.read(found)


class Links(Controller):
    path = "/api/v1/links"
    tags = ("Proposals",)

    @delete("/{link_id:str}", permission=Permission.SEND_PROPOSALS, summary="Take a link back")
    def revoke(self, link_id: FromPath[str], call: Call) -> Response[None]:
        return call.remove(lambda s, v: sending.revoke_link(s, call.actor, link_id, version=v, at=call.now))


class SentProposals(Controller):
    path = "/api/v1/proposals/{proposal_id:str}"
    tags = ("Proposals",)

    @get("/document", permission=Permission.VIEW_PROPOSALS, summary="The PDF", media_type="application/pdf")
    def document(self, proposal_id: FromPath[str], call: Call) -> Response[bytes]:
        """What was sent, byte for byte; a draft is rendered as it stands."""
        desk = desk_of(call)
        paper = reading.paper_of(call.store, call.actor, proposal_id, desk.prices, desk.agency, at=call.now)
        return pdf_response(paper)

    @get("/snapshot", permission=Permission.VIEW_PROPOSALS, summary="What was frozen")
    def snapshot(self, proposal_id: FromPath[str], call: Call) -> SnapshotOut:
        return call.read(lambda s: reading.snapshot_out(reading.sent(s, call.actor, proposal_id), s))

    @get("/differences", permission=Permission.VIEW_PROPOSALS, summary="What it says otherwise than the edition before")
    def differences(self, proposal_id: FromPath[str], call: Call) -> DifferencesOut:
        def found(session: Session) -> DifferencesOut:
            proposal = reading.sent(session, call.actor, proposal_id)
            differences = portal.differences(session, call.actor, proposal)
            return DifferencesOut(differences=[DifferenceOut.of(each) for each in differences])

        return call.read(found)

    @post("/accept", permission=Permission.DECIDE_PROPOSALS, summary="Accept an option")
    def accept(self, proposal_id: FromPath[str], data: JSONBody[AcceptIn], call: Call) -> Response[DecisionOut]:
        answer = call.create(lambda s: DecisionOut.of(deciding.accept(s, call.actor, proposal_id, data, at=call.now)))
        certify(call, call.actor, proposal_id)
        return answer

    @post("/decline", permission=Permission.DECIDE_PROPOSALS, summary="Decline")
    def decline(self, proposal_id: FromPath[str], data: JSONBody[DeclineIn], call: Call) -> Response[DecisionOut]:
        answer = call.create(lambda s: DecisionOut.of(deciding.decline(s, call.actor, proposal_id, data, at=call.now)))
        certify(call, call.actor, proposal_id)
        return answer

    @post("/on-behalf", permission=Permission.DECIDE_ON_BEHALF, summary="Record a client's decision")
    def on_behalf(self, proposal_id: FromPath[str], data: JSONBody[OnBehalfIn], call: Call) -> Response[DecisionOut]:
        answer = call.create(
            lambda s: DecisionOut.of(deciding.on_behalf(s, call.actor, proposal_id, data, at=call.now))
        )
        certify(call, call.actor, proposal_id)
        return answer

    @get("/decision", permission=Permission.VIEW_PROPOSALS, summary="What was decided")
    def decision(self, proposal_id: FromPath[str], call: Call) -> Response[DecisionOut]:
        return call.show(lambda s: reading.decision_out(s, call.actor, proposal_id))

    @get("/certificate", permission=Permission.VIEW_PROPOSALS, summary="The certificate", media_type="application/pdf")
    def show_certificate(self, proposal_id: FromPath[str], call: Call) -> Response[bytes]:
        return pdf_response(certificate_now(call, call.actor, proposal_id))
