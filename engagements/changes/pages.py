"""Pages of change requests: the list with what the engagement is worth, one change step by step, the client's answer.

The pages of the register are in `register_pages`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from litestar import Controller, Response
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from pydantic import model_validator
from sqlmodel import Session

from engagements.changes import deciding, drafting, reading
from engagements.changes.api import Preparation
from engagements.changes.forms import ChangeForm, asking, fits_the_form, typed_again
from engagements.changes.models import ChangeRequest
from engagements.changes.register_pages import RegisterPages
from engagements.changes.schemas import AgreeIn, ChangePatch, DeclineIn, OnBehalfIn
from engagements.changes.views import change_shown, changes_shown
from engagements.core.errors import Conflict, EngagementError, Invalid, SecondPersonRequired
from engagements.core.roles import Permission
from engagements.delivery.days import today_of
from engagements.proposals.proposal_api import desk_of
from engagements.proposals.schemas import ReasonIn
from engagements.proposals.scoping_pages import Place
from engagements.web.call import Call
from engagements.web.pages import again, go, page, submit, version_typed
from engagements.web.routes import get, post
from engagements.web.templates import EMPTY_FORM, Form

_REFUSED: Final = (Conflict, Invalid, SecondPersonRequired)
Step = Callable[[Session], ChangeRequest]


class ChangesPages(Controller):
    path = "/engagements/{engagement_id:str}/changes"
    include_in_schema = False

    @get(permission=Permission.VIEW_DELIVERY)
    def list_changes(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        shown = call.read(lambda s: changes_shown(s, call.actor, engagement_id))
        return page(call, "pages/changes/changes.html", shown=shown, engagement={"id": engagement_id})

    @get("/new", permission=Permission.EDIT_CHANGES)
    def ask(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return _form(call, engagement_id)

    @post("/new", permission=Permission.EDIT_CHANGES)
    def draft(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, ChangeForm, lambda s, data: drafting.draft(s, call.actor, engagement_id, data, at=call.now).id,
            then=lambda made: go(_address(engagement_id, made), said="Drafted; nobody outside has seen it"),
            show=lambda form, status: _form(call, engagement_id, form=form, status=status),
        )  # fmt: skip


class ChangePages(Controller):
    path = "/engagements/{engagement_id:str}/changes/{change_id:str}"
    include_in_schema = False

    @get(permission=Permission.VIEW_DELIVERY)
    def show_change(self, engagement_id: FromPath[str], change_id: FromPath[str], call: Call) -> Response[str]:
        return _show(call, engagement_id, change_id)

    @get("/edit", permission=Permission.EDIT_CHANGES)
    def ask_again(self, engagement_id: FromPath[str], change_id: FromPath[str], call: Call) -> Response[str]:
        return _form(call, engagement_id, change_id)

    @post("/edit", permission=Permission.EDIT_CHANGES)
    def edit(self, engagement_id: FromPath[str], change_id: FromPath[str], call: Call) -> Response[Any]:
        version = version_typed(call)

        def edited(session: Session, data: ChangeForm) -> str:
            asked = ChangePatch(title=data.title, reason=data.reason, asks=data.asks)
            return drafting.edit(session, call.actor, change_id, asked, version=version, at=call.now).id

        return submit(
            call, ChangeForm, edited,
            then=lambda made: go(_address(engagement_id, made), said="Saved; assess it again"),
            show=lambda form, status: _form(call, engagement_id, change_id, form=form, status=status),
        )  # fmt: skip

    @post("/assess", permission=Permission.EDIT_CHANGES)
    def assess(self, engagement_id: FromPath[str], change_id: FromPath[str], call: Call) -> Response[Any]:
        ready = Preparation(call, change_id)
        return _step(call, engagement_id, change_id, ready.keep, "Assessed", prepare=ready.take)

    @post("/approve", permission=Permission.APPROVE_CHANGES)
    def approve(self, engagement_id: FromPath[str], change_id: FromPath[str], call: Call) -> Response[Any]:
        return _step(
            call,
            engagement_id,
            change_id,
            lambda s: deciding.approve(s, call.actor, change_id, at=call.now),
            "Approved",
        )

    @post("/reject", permission=Permission.APPROVE_CHANGES)
    def reject(self, engagement_id: FromPath[str], change_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, ReasonIn, lambda s, data: deciding.reject(s, call.actor, change_id, data, at=call.now).id,
            then=lambda made: go(_address(engagement_id, made), said="Back with its author"),
            show=lambda form, status: _show(call, engagement_id, change_id, form, status),
        )  # fmt: skip

    @post("/send", permission=Permission.SEND_CHANGES)
    def send(self, engagement_id: FromPath[str], change_id: FromPath[str], call: Call) -> Response[Any]:
        said = "Sent; the client sees it from now on"
        return _step(
            call, engagement_id, change_id, lambda s: deciding.send(s, call.actor, change_id, at=call.now), said
        )

    @post("/withdraw", permission=Permission.EDIT_CHANGES)
    def withdraw(self, engagement_id: FromPath[str], change_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, ReasonIn, lambda s, data: drafting.withdraw(s, call.actor, change_id, data, at=call.now).id,
            then=lambda made: go(_address(engagement_id, made), said="Withdrawn"),
            show=lambda form, status: _show(call, engagement_id, change_id, form, status),
        )  # fmt: skip


class DecisionPages(Controller):
    path = "/engagements/{engagement_id:str}/changes/{change_id:str}"
    include_in_schema = False

    @get("/agree", permission=Permission.SIGN_DELIVERY)
    def ask_agreement(self, engagement_id: FromPath[str], change_id: FromPath[str], call: Call) -> Response[str]:
        """What is about to be agreed, once more; only the form that follows agrees."""
        return _show(call, engagement_id, change_id, template="agree")

    @post("/agree", permission=Permission.SIGN_DELIVERY)
    def agree(self, engagement_id: FromPath[str], change_id: FromPath[str], call: Call) -> Response[Any]:
        agency = desk_of(call).agency

        def agreed(session: Session, data: AgreeIn) -> str:
            today = today_of(session, call.actor, agency, call.now)
            return deciding.agree(session, call.actor, change_id, data, at=call.now, today=today).id

        return submit(
            call, AgreeForm, agreed,
            then=lambda made: go(_address(engagement_id, made), said="Agreed; the plan has moved"),
            show=lambda form, status: _show(call, engagement_id, change_id, form, status, template="agree"),
        )  # fmt: skip

    @get("/decline", permission=Permission.SIGN_DELIVERY)
    def ask_refusal(self, engagement_id: FromPath[str], change_id: FromPath[str], call: Call) -> Response[str]:
        return _show(call, engagement_id, change_id, template="decline")

    @post("/decline", permission=Permission.SIGN_DELIVERY)
    def decline(self, engagement_id: FromPath[str], change_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, DeclineIn, lambda s, data: deciding.decline(s, call.actor, change_id, data, at=call.now).id,
            then=lambda made: go(_address(engagement_id, made), said="Declined; all stays as it was agreed"),
            show=lambda form, status: _show(call, engagement_id, change_id, form, status, template="decline"),
        )  # fmt: skip

    @get("/on-behalf", permission=Permission.DECIDE_ON_BEHALF)
    def ask_decision(self, engagement_id: FromPath[str], change_id: FromPath[str], call: Call) -> Response[str]:
        return _show(call, engagement_id, change_id, template="on_behalf")

    @post("/on-behalf", permission=Permission.DECIDE_ON_BEHALF)
    def record_decision(self, engagement_id: FromPath[str], change_id: FromPath[str], call: Call) -> Response[Any]:
        agency = desk_of(call).agency

        def recorded(session: Session, data: OnBehalfIn) -> str:
            today = today_of(session, call.actor, agency, call.now)
            return deciding.on_behalf(session, call.actor, change_id, data, at=call.now, today=today).id

        return submit(
            call, OnBehalfIn, recorded,
            then=lambda made: go(_address(engagement_id, made), said="The client's decision is recorded"),
            show=lambda form, status: _show(call, engagement_id, change_id, form, status, template="on_behalf"),
        )  # fmt: skip


class AgreeForm(AgreeIn):
    """The box that is ticked says yes."""

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return {**values, "agree": values.get("agree") == "yes"}


def _address(engagement_id: str, change_id: str) -> str:
    return f"/engagements/{engagement_id}/changes/{change_id}"


def _show(
    call: Call,
    engagement_id: str,
    change_id: str,
    form: Form = EMPTY_FORM,
    status: int = 200,
    *,
    template: str = "change",
) -> Response[str]:
    shown = call.read(lambda s: change_shown(s, call.actor, engagement_id, change_id))
    return page(
        call, f"pages/changes/{template}.html", form=form, status=status, shown=shown, engagement={"id": engagement_id}
    )


def _step(
    call: Call, engagement_id: str, change_id: str, step: Step, said: str, *, prepare: Callable[[], None] | None = None
) -> Response[Any]:
    """A button: done and back, or the page again with what stands against it."""
    try:
        if prepare is not None:
            prepare()
        call.write(lambda s: step(s).id)
    except _REFUSED as error:
        return _show(call, engagement_id, change_id, _fault(error), error.status)
    return go(_address(engagement_id, change_id), said=said)


def _fault(error: EngagementError) -> Form:
    return again({}, error)


def _form(
    call: Call, engagement_id: str, change_id: str | None = None, *, form: Form = EMPTY_FORM, status: int = 200
) -> Response[str]:
    def found(session: Session) -> dict[str, Any]:
        place = Place.of(session, call.actor, engagement_id)
        row = reading.seen(session, call.actor, change_id, engagement_id) if change_id else None
        asked = asking(session, call.actor, engagement_id)
        change = reading.change_out(session, call.actor, row) if row else None
        values = typed_again(row.asks, asked.currency) if row else {}
        whole = row is None or fits_the_form(row.asks)
        return {"place": place, "asking": asked, "change": change, "asked": values, "is_whole": whole}

    return page(
        call, "pages/changes/form.html", form=form, status=status, engagement={"id": engagement_id}, **call.read(found)
    )


ROUTES: Final[Sequence[ControllerRouterHandler]] = (ChangesPages, ChangePages, DecisionPages, RegisterPages)
