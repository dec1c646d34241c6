"""Over /api/v1: change requests, what an engagement is worth, its baselines, and the register."""

from collections.abc import Callable, Sequence
from typing import Final

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from sqlmodel import Session, col

from engagements.changes import assessing, baselines, deciding, drafting, reading, register
from engagements.changes.assessing import Prepared
from engagements.changes.models import ChangeRequest
from engagements.changes.register_schemas import ItemIn, ItemOut, ItemPatch, OutcomeIn, RegisterOut
from engagements.changes.schemas import (
    AgreeIn,
    BaselinesOut,
    BaselineWhole,
    ChangeIn,
    ChangeOut,
    ChangePatch,
    DeclineIn,
    OnBehalfIn,
    ValueOut,
)
from engagements.core import service
from engagements.core.models import Engagement
from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.delivery.days import today_of
from engagements.delivery.models import RaidItem
from engagements.delivery.standing import latest_baseline
from engagements.proposals.proposal_api import desk_of
from engagements.proposals.schemas import ReasonIn
from engagements.web.call import Call
from engagements.web.paging import LIMIT, Cursor, Limit, page_of
from engagements.web.routes import get, patch, post

Answered = Callable[[Session], ChangeOut]


def as_seen(call: Call, step: Callable[[Session], ChangeRequest]) -> Answered:
    """A step with its answer, as the caller may see it."""
    return lambda session: reading.change_out(session, call.actor, step(session))


class Preparation:
    """Holds what `prepare` estimated until the transaction takes it."""

    def __init__(self, call: Call, change_id: str) -> None:
        self._call, self._change_id = call, change_id
        self.made: Prepared | None = None

    def take(self) -> None:
        call, desk = self._call, desk_of(self._call)
        today = call.read(lambda s: today_of(s, call.actor, desk.agency, call.now))
        self.made = assessing.prepare(call.store, call.actor, self._change_id, desk.prices, today=today)

    def keep(self, session: Session) -> ChangeRequest:
        assert self.made is not None, "what is kept was estimated before"
        return assessing.assess(session, self._call.actor, self._change_id, self.made, at=self._call.now)


class EngagementChanges(Controller):
    path = "/api/v1/engagements/{engagement_id:str}"
    tags = ("Changes",)

    @get("/changes", permission=Permission.VIEW_DELIVERY, summary="An engagement's change requests")
    def list_changes(
        self, engagement_id: FromPath[str], call: Call, limit: Limit = LIMIT, cursor: Cursor = None
    ) -> Page[ChangeOut]:
        """Newest first; a client's people see what was sent."""

        def found(session: Session) -> Page[ChangeOut]:
            service.find(session, call.actor, Engagement, engagement_id)
            chosen = reading.visible(call.actor).where(col(ChangeRequest.engagement_id) == engagement_id)
            latest = latest_baseline(session, engagement_id)
            return page_of(
                session, chosen, ChangeRequest, lambda row: reading.change_as_seen(call.actor, row, latest),
                limit=limit, cursor=cursor,
            )  # fmt: skip

        return call.read(found)

    @post("/changes", permission=Permission.EDIT_CHANGES, summary="Draft a change request")
    def draft(self, engagement_id: FromPath[str], data: JSONBody[ChangeIn], call: Call) -> Response[ChangeOut]:
        return call.create(as_seen(call, lambda s: drafting.draft(s, call.actor, engagement_id, data, at=call.now)))

    @get("/value", permission=Permission.VIEW_DELIVERY, summary="What the engagement is worth")
    def show_value(self, engagement_id: FromPath[str], call: Call) -> ValueOut:
        """Original, approved, pending and forecast, kept apart. 404 before anything was agreed."""
        return call.read(lambda s: baselines.value_out(s, call.actor, engagement_id))

    @get("/baselines", permission=Permission.VIEW_DELIVERY, summary="Versions of what was agreed")
    def list_baselines(self, engagement_id: FromPath[str], call: Call) -> BaselinesOut:
        """The latest first; none is ever edited."""
        return call.read(lambda s: BaselinesOut(baselines=baselines.versions_of(s, call.actor, engagement_id)))

    @get("/baselines/{number:int}", permission=Permission.VIEW_DELIVERY, summary="One version of what was agreed")
    def show_version(self, engagement_id: FromPath[str], number: FromPath[int], call: Call) -> Response[BaselineWhole]:
        return call.show(lambda s: baselines.version_of(s, call.actor, engagement_id, number))

    @get("/register", permission=Permission.VIEW_DELIVERY, summary="Risks, assumptions, issues, decisions")
    def list_items(self, engagement_id: FromPath[str], call: Call) -> RegisterOut:
        """A client's people see the items that are meant for them."""
        actor = call.actor
        return call.read(
            lambda s: RegisterOut(
                items=[register.item_out(row, actor) for row in register.items_of(s, actor, engagement_id)]
            )
        )

    @post("/register", permission=Permission.WORK_ON_PHASES, summary="Enter an item into the register")
    def add_item(self, engagement_id: FromPath[str], data: JSONBody[ItemIn], call: Call) -> Response[ItemOut]:
        return call.create(
            lambda s: register.item_out(register.add_item(s, call.actor, engagement_id, data, at=call.now), call.actor)
        )


class Changes(Controller):
    path = "/api/v1/changes/{change_id:str}"
    tags = ("Changes",)

    @get(permission=Permission.VIEW_DELIVERY, summary="One change request")
    def show(self, change_id: FromPath[str], call: Call) -> Response[ChangeOut]:
        return call.show(as_seen(call, lambda s: reading.seen(s, call.actor, change_id)))

    @patch(permission=Permission.EDIT_CHANGES, summary="Edit it")
    def edit(self, change_id: FromPath[str], data: JSONBody[ChangePatch], call: Call) -> Response[ChangeOut]:
        """What was assessed or approved is a draft again. 423 once it was sent."""
        return call.change(
            lambda s, v: reading.change_out(
                s, call.actor, drafting.edit(s, call.actor, change_id, data, version=v, at=call.now)
            )
        )

    @post("/assess", permission=Permission.EDIT_CHANGES, summary="Estimate what it comes to", status_code=200)
    def assess(self, change_id: FromPath[str], call: Call) -> Response[ChangeOut]:
        """Hours, cost, price, days and criteria, estimated again with the prices of today."""
        ready = Preparation(call, change_id)
        return call.act(as_seen(call, ready.keep), prepare=ready.take)

    @post("/approve", permission=Permission.APPROVE_CHANGES, summary="Approve it inside", status_code=200)
    def approve(self, change_id: FromPath[str], call: Call) -> Response[ChangeOut]:
        """By a second person: 403 for whoever wrote or assessed it."""
        return call.act(as_seen(call, lambda s: deciding.approve(s, call.actor, change_id, at=call.now)))

    @post("/reject", permission=Permission.APPROVE_CHANGES, summary="Back to its author", status_code=200)
    def reject(self, change_id: FromPath[str], data: JSONBody[ReasonIn], call: Call) -> Response[ChangeOut]:
        return call.act(as_seen(call, lambda s: deciding.reject(s, call.actor, change_id, data, at=call.now)))

    @post("/send", permission=Permission.SEND_CHANGES, summary="Send it to the client, frozen", status_code=200)
    def send(self, change_id: FromPath[str], call: Call) -> Response[ChangeOut]:
        return call.act(as_seen(call, lambda s: deciding.send(s, call.actor, change_id, at=call.now)))

    @post("/agree", permission=Permission.SIGN_DELIVERY, summary="Agree to it, for the client", status_code=200)
    def agree(self, change_id: FromPath[str], data: JSONBody[AgreeIn], call: Call) -> Response[ChangeOut]:
        """Makes the next baseline. 409 where another change was agreed since it was assessed."""
        agency = desk_of(call).agency

        def step(session: Session) -> ChangeRequest:
            today = today_of(session, call.actor, agency, call.now)
            return deciding.agree(session, call.actor, change_id, data, at=call.now, today=today)

        return call.act(as_seen(call, step))

    @post("/decline", permission=Permission.SIGN_DELIVERY, summary="Decline it, for the client", status_code=200)
    def decline(self, change_id: FromPath[str], data: JSONBody[DeclineIn], call: Call) -> Response[ChangeOut]:
        return call.act(as_seen(call, lambda s: deciding.decline(s, call.actor, change_id, data, at=call.now)))

    @post("/on-behalf", permission=Permission.DECIDE_ON_BEHALF, summary="Record the client's decision", status_code=200)
    def on_behalf(self, change_id: FromPath[str], data: JSONBody[OnBehalfIn], call: Call) -> Response[ChangeOut]:
        """What the client decided elsewhere, with the evidence of it."""
        agency = desk_of(call).agency

        def step(session: Session) -> ChangeRequest:
            today = today_of(session, call.actor, agency, call.now)
            return deciding.on_behalf(session, call.actor, change_id, data, at=call.now, today=today)

        return call.act(as_seen(call, step))

    @post("/withdraw", permission=Permission.EDIT_CHANGES, summary="Take it back", status_code=200)
    def withdraw(self, change_id: FromPath[str], data: JSONBody[ReasonIn], call: Call) -> Response[ChangeOut]:
        return call.act(as_seen(call, lambda s: drafting.withdraw(s, call.actor, change_id, data, at=call.now)))


class Register(Controller):
    path = "/api/v1/register/{item_id:str}"
    tags = ("Changes",)

    @patch(permission=Permission.WORK_ON_PHASES, summary="Edit an item")
    def edit(self, item_id: FromPath[str], data: JSONBody[ItemPatch], call: Call) -> Response[ItemOut]:
        def step(session: Session, version: int) -> RaidItem:
            return register.edit_item(session, call.actor, item_id, data, version=version, at=call.now)

        return call.change(lambda s, v: register.item_out(step(s, v), call.actor))

    @post(
        "/close", permission=Permission.WORK_ON_PHASES, summary="Close a risk, an issue or a decision", status_code=200
    )
    def close(self, item_id: FromPath[str], data: JSONBody[OutcomeIn], call: Call) -> Response[ItemOut]:
        actor, at = call.actor, call.now
        return call.act(lambda s: register.item_out(register.close_item(s, actor, item_id, data, at=at), actor))

    @post("/hold", permission=Permission.WORK_ON_PHASES, summary="An assumption held", status_code=200)
    def hold(self, item_id: FromPath[str], data: JSONBody[OutcomeIn], call: Call) -> Response[ItemOut]:
        actor, at = call.actor, call.now
        return call.act(lambda s: register.item_out(register.hold_item(s, actor, item_id, data, at=at), actor))

    @post("/break", permission=Permission.WORK_ON_PHASES, summary="An assumption is broken", status_code=200)
    def break_it(self, item_id: FromPath[str], data: JSONBody[OutcomeIn], call: Call) -> Response[ChangeOut]:
        """The change request that it drafts."""
        return call.act(as_seen(call, lambda s: register.break_item(s, call.actor, item_id, data, at=call.now)))


ROUTES: Final[Sequence[ControllerRouterHandler]] = (EngagementChanges, Changes, Register)
