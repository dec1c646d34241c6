"""Costs that are not time over /api/v1."""

from collections.abc import Sequence
from typing import Annotated

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody, QueryParameter
from sqlmodel import Session, col

from engagements.actuals import costs, csv_files, reading, states
from engagements.actuals.models import CostEntry, EntryState
from engagements.actuals.place import engagement_of
from engagements.actuals.schemas import (
    CostBackIn,
    CostIn,
    CostList,
    CostLogged,
    CostOut,
    CostPatch,
    CostStepIn,
    CsvIn,
    ImportOut,
)
from engagements.actuals.states import Step
from engagements.actuals.time_api import csv_answer
from engagements.actuals.when import when_of
from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.core.service import find, scoped
from engagements.web.call import Call
from engagements.web.paging import LIMIT, Cursor, Limit, page_of
from engagements.web.routes import delete, get, patch, post
from estimator.phases import Phase


class CostsOfEngagement(Controller):
    path = "/api/v1/engagements/{engagement_id:str}"
    tags = ("Time and cost",)

    @get("/costs", permission=Permission.VIEW_COST, summary="Costs that are not time")
    def list_costs(
        self, engagement_id: FromPath[str], call: Call, limit: Limit = LIMIT, cursor: Cursor = None,
        of_phase: Annotated[Phase | None, QueryParameter(name="phase")] = None,
        in_state: Annotated[EntryState | None, QueryParameter(name="state")] = None,
    ) -> Page[CostOut]:  # fmt: skip
        chosen = scoped(CostEntry, call.actor).where(CostEntry.engagement_id == engagement_id)
        for column, wanted in ((CostEntry.phase, of_phase), (CostEntry.state, in_state)):
            chosen = chosen.where(col(column) == wanted) if wanted is not None else chosen

        def found(session: Session) -> Page[CostOut]:
            engagement_of(session, call.actor, engagement_id)
            return page_of(session, chosen, CostEntry, CostOut.of, limit=limit, cursor=cursor)

        return call.read(found)

    @post("/costs", permission=Permission.LOG_TIME, summary="Log a cost")
    def log_cost(self, engagement_id: FromPath[str], data: JSONBody[CostIn], call: Call) -> Response[CostLogged]:
        """A known `external_id` with the same content is answered with the entry it made first; with other, 409."""
        return call.create(lambda s: costs.log_cost(s, call.actor, engagement_id, data, when=when_of(s, call)))

    @post("/costs/submit", permission=Permission.LOG_TIME, summary="Hand costs in")
    def submit_costs(self, engagement_id: FromPath[str], data: JSONBody[CostStepIn], call: Call) -> Response[CostList]:
        return _stepped(call, engagement_id, Step.SUBMIT, data.ids)

    @post("/costs/approve", permission=Permission.APPROVE_TIME, summary="Approve costs")
    def approve_costs(self, engagement_id: FromPath[str], data: JSONBody[CostStepIn], call: Call) -> Response[CostList]:
        return _stepped(call, engagement_id, Step.APPROVE, data.ids)

    @post("/costs/reject", permission=Permission.APPROVE_TIME, summary="Send costs back")
    def reject_costs(self, engagement_id: FromPath[str], data: JSONBody[CostBackIn], call: Call) -> Response[CostList]:
        return _stepped(call, engagement_id, Step.REJECT, data.ids, data.reason)

    @post("/costs/reopen", permission=Permission.APPROVE_TIME, summary="Open approved costs again")
    def reopen_costs(self, engagement_id: FromPath[str], data: JSONBody[CostBackIn], call: Call) -> Response[CostList]:
        return _stepped(call, engagement_id, Step.REOPEN, data.ids, data.reason)

    @post("/costs/import", permission=Permission.LOG_TIME, summary="Log costs from CSV", status_code=200)
    def import_costs(self, engagement_id: FromPath[str], data: JSONBody[CsvIn], call: Call) -> Response[ImportOut]:
        """All of the file or nothing; 422 lists every fault with its line."""
        return call.act(lambda s: csv_files.import_costs(s, call.actor, engagement_id, data, when=when_of(s, call)))

    @get("/costs.csv", permission=Permission.VIEW_COST, summary="Costs as CSV", media_type="text/csv")
    def export_costs(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return csv_answer(call.read(lambda s: reading.cost_file(s, call.actor, engagement_id)), "costs")


class Costs(Controller):
    path = "/api/v1/costs"
    tags = ("Time and cost",)

    @get("/{cost_id:str}", permission=Permission.VIEW_COST, summary="One cost")
    def show_cost(self, cost_id: FromPath[str], call: Call) -> Response[CostOut]:
        return call.show(lambda s: CostOut.of(find(s, call.actor, CostEntry, cost_id)))

    @patch("/{cost_id:str}", permission=Permission.LOG_TIME, summary="Change an open cost")
    def change_cost(self, cost_id: FromPath[str], data: JSONBody[CostPatch], call: Call) -> Response[CostLogged]:
        """`amount_minor` fills in what was not known."""
        return call.change(
            lambda s, v: costs.change_cost(s, call.actor, cost_id, data, version=v, when=when_of(s, call))
        )

    @delete("/{cost_id:str}", permission=Permission.LOG_TIME, summary="Take an open cost back")
    def remove_cost(self, cost_id: FromPath[str], call: Call) -> Response[None]:
        return call.remove(lambda s, v: costs.remove_cost(s, call.actor, cost_id, version=v, when=when_of(s, call)))


def _stepped(call: Call, engagement_id: str, step: Step, ids: Sequence[str], reason: str = "") -> Response[CostList]:
    return call.act(
        lambda s: CostList(
            items=[
                CostOut.of(row)
                for row in states.step_costs(s, call.actor, engagement_id, step, ids, at=call.now, reason=reason)
            ]
        )
    )
