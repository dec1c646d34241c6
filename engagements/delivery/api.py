"""Over /api/v1: phases, the plan with its new dates, milestones and deliverables."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from sqlmodel import Session

from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.delivery import deliverables, milestones, moves, phases
from engagements.delivery.board import Board, board_of, deliverable_of, milestone_of, phase_of
from engagements.delivery.days import today_of
from engagements.delivery.export import plan_csv
from engagements.delivery.models import DeliverableRecord, Milestone, PhaseRecord
from engagements.delivery.schemas import (
    BlockIn,
    DeliverableAcceptIn,
    DeliverableOnBehalfIn,
    DeliverableOut,
    DeliverablePatch,
    DeliverableRejectIn,
    MilestoneIn,
    MilestoneOut,
    PhaseOut,
    PhasePatch,
    PlanOut,
    ReachIn,
    RescheduleIn,
    RescheduleOut,
    StartIn,
)
from engagements.delivery.shown import reschedule_out
from engagements.web.call import Call, CallOfRequest
from engagements.web.routes import get, patch, post
from estimator.phases import Phase


def today_in(call: CallOfRequest, session: Session) -> date:
    """The day it is where the agency is, at the moment of the request."""
    return today_of(session, call.actor, call.request.app.state.wiring.settings.agency, call.now)


def board_in(call: CallOfRequest, session: Session, engagement_id: str) -> Board:
    return board_of(session, call.actor, engagement_id, today=today_in(call, session))


class Phases(Controller):
    path = "/api/v1"
    tags = ("Plan",)

    @get("/engagements/{engagement_id:str}/phases", permission=Permission.VIEW_DELIVERY, summary="Its phases, in order")
    def list_phases(self, engagement_id: FromPath[str], call: Call) -> Page[PhaseOut]:
        board = call.read(lambda s: board_in(call, s, engagement_id))
        return Page(items=[PhaseOut.of(line) for line in board.phases])

    @patch("/phases/{phase_id:str}", permission=Permission.EDIT_PLAN, summary="Who owns a phase")
    def change_phase(self, phase_id: FromPath[str], data: JSONBody[PhasePatch], call: Call) -> Response[PhaseOut]:
        return call.change(
            lambda s, v: _phase(call, s, phases.change_owner(s, call.actor, phase_id, data, version=v, at=call.now))
        )

    @post(
        "/engagements/{engagement_id:str}/phases/{phase:str}/start", permission=Permission.EDIT_PLAN,
        summary="Begin its work",
    )  # fmt: skip
    def start(
        self, engagement_id: FromPath[str], phase: FromPath[Phase], data: JSONBody[StartIn], call: Call
    ) -> Response[PhaseOut]:
        return _act(
            call,
            lambda s, today: phases.start(s, call.actor, engagement_id, phase, data, at=call.now, today=today),
        )

    @post(
        "/engagements/{engagement_id:str}/phases/{phase:str}/block", permission=Permission.EDIT_PLAN,
        summary="Say that it cannot go on",
    )  # fmt: skip
    def block(
        self, engagement_id: FromPath[str], phase: FromPath[Phase], data: JSONBody[BlockIn], call: Call
    ) -> Response[PhaseOut]:
        return _act(
            call,
            lambda s, today: phases.block(s, call.actor, engagement_id, phase, data, at=call.now, today=today),
        )

    @post(
        "/engagements/{engagement_id:str}/phases/{phase:str}/unblock", permission=Permission.EDIT_PLAN,
        summary="Go on after a block",
    )  # fmt: skip
    def unblock(self, engagement_id: FromPath[str], phase: FromPath[Phase], call: Call) -> Response[PhaseOut]:
        return _act(call, lambda s, _: phases.unblock(s, call.actor, engagement_id, phase, at=call.now))

    @post(
        "/engagements/{engagement_id:str}/phases/{phase:str}/review", permission=Permission.EDIT_PLAN,
        summary="Hand it in for its gate",
    )  # fmt: skip
    def hand_in(self, engagement_id: FromPath[str], phase: FromPath[Phase], call: Call) -> Response[PhaseOut]:
        return _act(call, lambda s, _: phases.hand_in(s, call.actor, engagement_id, phase, at=call.now))

    @post(
        "/engagements/{engagement_id:str}/phases/{phase:str}/resume", permission=Permission.EDIT_PLAN,
        summary="Take it back from its gate",
    )  # fmt: skip
    def take_back(self, engagement_id: FromPath[str], phase: FromPath[Phase], call: Call) -> Response[PhaseOut]:
        return _act(call, lambda s, _: phases.take_back(s, call.actor, engagement_id, phase, at=call.now))


class Plan(Controller):
    path = "/api/v1/engagements/{engagement_id:str}"
    tags = ("Plan",)

    @get("/plan", permission=Permission.VIEW_DELIVERY, summary="The plan: agreed, planned and actual")
    def show_plan(self, engagement_id: FromPath[str], call: Call) -> PlanOut:
        return call.read(lambda s: PlanOut.of(board_in(call, s, engagement_id)))

    @get("/plan.csv", permission=Permission.VIEW_DELIVERY, summary="The plan as CSV", media_type="text/csv")
    def export_plan(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return csv_response(plan_csv(call.read(lambda s: board_in(call, s, engagement_id))))

    @post("/plan/reschedule", permission=Permission.EDIT_PLAN, summary="Move days, with a reason", status_code=200)
    def reschedule(
        self, engagement_id: FromPath[str], data: JSONBody[RescheduleIn], call: Call
    ) -> Response[RescheduleOut]:
        """Everything after it moves along. With `dry_run` nothing is written, and the answer says what would be."""
        return call.act(
            lambda s: reschedule_out(
                moves.reschedule(s, call.actor, engagement_id, data, at=call.now, today=today_in(call, s))
            )
        )

    @get("/milestones", permission=Permission.VIEW_DELIVERY, summary="Its milestones, by day")
    def list_milestones(self, engagement_id: FromPath[str], call: Call) -> Page[MilestoneOut]:
        board = call.read(lambda s: board_in(call, s, engagement_id))
        return Page(items=[MilestoneOut.of(line) for line in board.milestones])

    @post("/milestones", permission=Permission.EDIT_PLAN, summary="Add a day that counts")
    def add_milestone(
        self, engagement_id: FromPath[str], data: JSONBody[MilestoneIn], call: Call
    ) -> Response[MilestoneOut]:
        def added(session: Session) -> MilestoneOut:
            today = today_in(call, session)
            row = milestones.add_milestone(session, call.actor, engagement_id, data, at=call.now, today=today)
            return MilestoneOut.of(milestone_of(session, call.actor, row, today=today))

        return call.create(added)

    @get("/deliverables", permission=Permission.VIEW_DELIVERY, summary="What is handed over")
    def list_deliverables(self, engagement_id: FromPath[str], call: Call) -> Page[DeliverableOut]:
        board = call.read(lambda s: board_in(call, s, engagement_id))
        return Page(items=[DeliverableOut.of(line) for line in board.deliverables])


class Milestones(Controller):
    path = "/api/v1/milestones/{milestone_id:str}"
    tags = ("Plan",)

    @post("/reach", permission=Permission.EDIT_PLAN, summary="It is reached, or was received", status_code=200)
    def reach(self, milestone_id: FromPath[str], data: JSONBody[ReachIn], call: Call) -> Response[MilestoneOut]:
        """409 for a payment: its gate or its month reaches it."""

        def reached(session: Session) -> MilestoneOut:
            today = today_in(call, session)
            row: Milestone = milestones.reach(session, call.actor, milestone_id, data, at=call.now, today=today)
            return MilestoneOut.of(milestone_of(session, call.actor, row, today=today))

        return call.act(reached)


class Deliverables(Controller):
    path = "/api/v1/deliverables/{deliverable_id:str}"
    tags = ("Plan",)

    @patch(permission=Permission.EDIT_PLAN, summary="Its owner, and its file")
    def change(
        self, deliverable_id: FromPath[str], data: JSONBody[DeliverablePatch], call: Call
    ) -> Response[DeliverableOut]:
        """423 once it is accepted."""
        return call.change(
            lambda s, v: _deliverable(
                call, s, deliverables.change(s, call.actor, deliverable_id, data, version=v, at=call.now)
            )
        )

    @post("/review", permission=Permission.EDIT_PLAN, summary="Hand it in for a second person")
    def hand_in(self, deliverable_id: FromPath[str], call: Call) -> Response[DeliverableOut]:
        return _decided(call, lambda s: deliverables.hand_in(s, call.actor, deliverable_id, at=call.now))

    @post("/submit", permission=Permission.EDIT_PLAN, summary="Submit it to the client")
    def submit(self, deliverable_id: FromPath[str], call: Call) -> Response[DeliverableOut]:
        """By a second person: 403 for whoever handed it in."""
        return _decided(call, lambda s: deliverables.submit(s, call.actor, deliverable_id, at=call.now))

    @post("/accept", permission=Permission.SIGN_DELIVERY, summary="Accept it, for the client")
    def accept(
        self, deliverable_id: FromPath[str], data: JSONBody[DeliverableAcceptIn], call: Call
    ) -> Response[DeliverableOut]:
        return _decided(call, lambda s: deliverables.accept(s, call.actor, deliverable_id, data, at=call.now))

    @post("/reject", permission=Permission.SIGN_DELIVERY, summary="Return it, for the client")
    def reject(
        self, deliverable_id: FromPath[str], data: JSONBody[DeliverableRejectIn], call: Call
    ) -> Response[DeliverableOut]:
        return _decided(call, lambda s: deliverables.reject(s, call.actor, deliverable_id, data, at=call.now))

    @post(
        "/on-behalf",
        permission=Permission.DECIDE_ON_BEHALF,
        summary="Record what the client decided elsewhere",
        status_code=200,
    )
    def on_behalf(
        self, deliverable_id: FromPath[str], data: JSONBody[DeliverableOnBehalfIn], call: Call
    ) -> Response[DeliverableOut]:
        return _decided(call, lambda s: deliverables.on_behalf(s, call.actor, deliverable_id, data, at=call.now))


def csv_response(text: str) -> Response[str]:
    headers = {"Content-Disposition": 'attachment; filename="plan.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _phase(call: CallOfRequest, session: Session, row: PhaseRecord) -> PhaseOut:
    return PhaseOut.of(phase_of(session, call.actor, row, today=today_in(call, session)))


def _act(call: CallOfRequest, effect: Callable[[Session, date], PhaseRecord]) -> Response[PhaseOut]:
    return call.act(lambda s: _phase(call, s, effect(s, today_in(call, s))))


def _deliverable(call: CallOfRequest, session: Session, row: DeliverableRecord) -> DeliverableOut:
    return DeliverableOut.of(deliverable_of(session, call.actor, row, today=today_in(call, session)))


def _decided(call: CallOfRequest, effect: Callable[[Session], DeliverableRecord]) -> Response[DeliverableOut]:
    return call.act(lambda s: _deliverable(call, s, effect(s)))


ROUTES: Final[Sequence[ControllerRouterHandler]] = (Phases, Plan, Milestones, Deliverables)
