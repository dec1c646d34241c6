"""Pages of the register: four tables, entering and editing an item, and how each ends."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response
from litestar.params import FromPath
from pydantic import model_validator

from engagements.changes import register
from engagements.changes.register_schemas import ItemIn, ItemPatch, OutcomeIn
from engagements.changes.views import item_shown, register_shown
from engagements.core.roles import Permission
from engagements.delivery.owners import colleagues
from engagements.web.call import Call
from engagements.web.pages import go, page, submit, version_typed
from engagements.web.routes import get, post
from engagements.web.templates import EMPTY_FORM, Form


def _typed_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """A trigger is three fields, and there where its measure is; a box that is not ticked is sent as nothing."""
    fields = {name: value for name, value in values.items() if not name.startswith("trigger.")}
    measure = str(values.get("trigger.measure", "")).strip()
    trigger = {name: values.get(f"trigger.{name}", "") for name in ("measure", "operator", "value")}
    return {**fields, "trigger": trigger if measure else None, "client_sees": values.get("client_sees") == "yes"}


class ItemForm(ItemIn):
    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return _typed_item(values)


class ItemEditForm(ItemPatch):
    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return _typed_item(values)


class RegisterPages(Controller):
    path = "/engagements/{engagement_id:str}/register"
    include_in_schema = False

    @get(permission=Permission.VIEW_DELIVERY)
    def show_register(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return _show(call, engagement_id)

    @post(permission=Permission.WORK_ON_PHASES)
    def add(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, ItemForm, lambda s, data: register.add_item(s, call.actor, engagement_id, data, at=call.now).code,
            then=lambda code: go(_home(engagement_id), said=f"{code} entered"),
            show=lambda form, status: _show(call, engagement_id, form, status),
        )  # fmt: skip

    @get("/{item_id:str}", permission=Permission.WORK_ON_PHASES)
    def show_item(self, engagement_id: FromPath[str], item_id: FromPath[str], call: Call) -> Response[str]:
        return _show_item(call, engagement_id, item_id)

    @post("/{item_id:str}", permission=Permission.WORK_ON_PHASES)
    def edit(self, engagement_id: FromPath[str], item_id: FromPath[str], call: Call) -> Response[Any]:
        version = version_typed(call)
        return submit(
            call, ItemEditForm,
            lambda s, data: register.edit_item(s, call.actor, item_id, data, version=version, at=call.now).code,
            then=lambda code: go(_home(engagement_id), said=f"{code} changed"),
            show=lambda form, status: _show_item(call, engagement_id, item_id, form, status),
        )  # fmt: skip

    @post("/{item_id:str}/close", permission=Permission.WORK_ON_PHASES)
    def close(self, engagement_id: FromPath[str], item_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, OutcomeIn, lambda s, data: register.close_item(s, call.actor, item_id, data, at=call.now).code,
            then=lambda code: go(_home(engagement_id), said=f"{code} closed"),
            show=lambda form, status: _show_item(call, engagement_id, item_id, form, status),
        )  # fmt: skip

    @post("/{item_id:str}/hold", permission=Permission.WORK_ON_PHASES)
    def hold(self, engagement_id: FromPath[str], item_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, OutcomeIn, lambda s, data: register.hold_item(s, call.actor, item_id, data, at=call.now).code,
            then=lambda code: go(_home(engagement_id), said=f"{code} held"),
            show=lambda form, status: _show_item(call, engagement_id, item_id, form, status),
        )  # fmt: skip

    @post("/{item_id:str}/break", permission=Permission.WORK_ON_PHASES)
    def break_it(self, engagement_id: FromPath[str], item_id: FromPath[str], call: Call) -> Response[Any]:
        """On to the change request that it drafts."""
        return submit(
            call, OutcomeIn, lambda s, data: register.break_item(s, call.actor, item_id, data, at=call.now).id,
            then=lambda made: go(f"/engagements/{engagement_id}/changes/{made}", said="Broken; this change follows"),
            show=lambda form, status: _show_item(call, engagement_id, item_id, form, status),
        )  # fmt: skip


def _home(engagement_id: str) -> str:
    return f"/engagements/{engagement_id}/register"


def _show(call: Call, engagement_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    shown, people = call.read(lambda s: (register_shown(s, call.actor, engagement_id), colleagues(s, call.actor)))
    return page(
        call, "pages/changes/register.html", form=form, status=status, shown=shown, people=people,
        engagement={"id": engagement_id},
    )  # fmt: skip


def _show_item(
    call: Call, engagement_id: str, item_id: str, form: Form = EMPTY_FORM, status: int = 200
) -> Response[str]:
    shown, entry, people = call.read(
        lambda s: (
            register_shown(s, call.actor, engagement_id),
            item_shown(s, call.actor, engagement_id, item_id),
            colleagues(s, call.actor),
        )
    )
    return page(
        call, "pages/changes/item.html", form=form, status=status, shown=shown, entry=entry, people=people,
        engagement={"id": engagement_id},
    )  # fmt: skip
