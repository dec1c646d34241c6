"""Pages of the plan: the chart with its tables, what can be done with a phase, new days, milestones, deliverables."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, assert_never

from litestar import Controller, Response
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler
from pydantic import model_validator
from sqlmodel import Session

from engagements.core.errors import NotFound
from engagements.core.models import Engagement
from engagements.core.roles import Permission
from engagements.core.schemas import EngagementOut, In
from engagements.core.service import find
from engagements.delivery import deliverables, milestones, moves, phases, words
from engagements.delivery.api import board_in, today_in
from engagements.delivery.board import Board, deliverable_of, milestone_of
from engagements.delivery.drawing import timeline
from engagements.delivery.lines import DeliverableLine, MilestoneLine, PhaseLine
from engagements.delivery.models import DeliverableRecord, Milestone, PhaseRecord
from engagements.delivery.owners import colleagues
from engagements.delivery.schemas import (
    BlockIn,
    DeliverableAcceptIn,
    DeliverableOnBehalfIn,
    DeliverablePatch,
    DeliverableRejectIn,
    MilestoneIn,
    PhasePatch,
    ReachIn,
    RescheduleIn,
    RescheduleOut,
    StartIn,
)
from engagements.delivery.shown import reschedule_out
from engagements.delivery.steps import DONE, Step
from engagements.documents.palette import Palette
from engagements.rendering import Formats
from engagements.settings import Agency
from engagements.web.call import Call, CallOfRequest
from engagements.web.pages import go, page, submit, typed, version_typed
from engagements.web.routes import get, post
from engagements.web.templates import EMPTY_FORM, Form
from estimator.phases import Phase

MaybePhase = Annotated[Phase | None, QueryParameter(name="phase", description="The phase to move.")]


class NoFields(In):
    """A button alone."""


class RescheduleForm(RescheduleIn):
    """`step`: preview or save, by the button that was pressed; `seen`: the version of the phase on the page."""

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        fields = {name: value for name, value in values.items() if name not in {"step", "seen"}}
        seen = {"version": values["seen"]} if values.get("seen") else {}
        return {**fields, **seen, "dry_run": values.get("step") != "save"}


class PlanPages(Controller):
    path = "/engagements/{engagement_id:str}/plan"
    include_in_schema = False

    @get(permission=Permission.VIEW_DELIVERY)
    def show_plan(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        engagement, board = _engagement_and_board(call, engagement_id)
        agency: Agency = call.request.app.state.wiring.settings.agency
        chart = timeline(
            board, Formats(agency.locale), Palette(accent=agency.accent), for_client=not call.actor.is_staff
        )
        return page(call, "pages/delivery/plan.html", engagement=engagement, board=board, chart=chart, words=words)

    @get("/reschedule", permission=Permission.EDIT_PLAN)
    def ask_days(self, engagement_id: FromPath[str], call: Call, moved: MaybePhase = None) -> Response[str]:
        return _days_form(call, engagement_id, moved)

    @post("/reschedule", permission=Permission.EDIT_PLAN)
    def reschedule(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        """The same form with what would move, until it is saved."""
        return submit(
            call, RescheduleForm,
            lambda s, data: reschedule_out(
                moves.reschedule(s, call.actor, engagement_id, data, at=call.now, today=today_in(call, s))
            ),
            then=lambda done: _moved(call, engagement_id, done),
            show=lambda form, status: _days_form(call, engagement_id, _phase_typed(form), form, status),
        )  # fmt: skip

    @get("/phases/{phase:str}", permission=Permission.EDIT_PLAN)
    def show_phase(self, engagement_id: FromPath[str], phase: FromPath[Phase], call: Call) -> Response[str]:
        return _phase_page(call, engagement_id, phase)

    @post("/phases/{phase:str}/owner", permission=Permission.EDIT_PLAN)
    def set_owner(self, engagement_id: FromPath[str], phase: FromPath[Phase], call: Call) -> Response[Any]:
        line = _line(_engagement_and_board(call, engagement_id)[1], phase)
        return submit(
            call, PhasePatch,
            lambda s, data: phases.change_owner(
                s, call.actor, line.id, data, version=version_typed(call), at=call.now
            ).id,
            then=lambda _: go(f"/engagements/{engagement_id}/plan", said="Owner saved"),
            show=lambda form, status: _phase_page(call, engagement_id, phase, form, status),
        )  # fmt: skip

    @post("/phases/{phase:str}/{step:str}", permission=Permission.EDIT_PLAN)
    def take_step(
        self, engagement_id: FromPath[str], phase: FromPath[Phase], step: FromPath[Step], call: Call
    ) -> Response[Any]:
        model, effect = _step(call, engagement_id, phase, step)
        return submit(
            call, model, lambda s, data: effect(s, data).id,
            then=lambda _: go(f"/engagements/{engagement_id}/plan", said=f"{phase.label} was {DONE[step]}"),
            show=lambda form, status: _phase_page(call, engagement_id, phase, form, status),
        )  # fmt: skip

    @get("/milestones/new", permission=Permission.EDIT_PLAN)
    def new_milestone(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return _milestone_form(call, engagement_id)

    @post("/milestones/new", permission=Permission.EDIT_PLAN)
    def add_milestone(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, MilestoneIn,
            lambda s, data: milestones.add_milestone(
                s, call.actor, engagement_id, data, at=call.now, today=today_in(call, s)
            ).code,
            then=lambda code: go(f"/engagements/{engagement_id}/plan#milestones", said=f"{code} added"),
            show=lambda form, status: _milestone_form(call, engagement_id, form, status),
        )  # fmt: skip


class MilestonePages(Controller):
    path = "/milestones/{milestone_id:str}/reach"
    include_in_schema = False

    @get(permission=Permission.EDIT_PLAN)
    def ask_day(self, milestone_id: FromPath[str], call: Call) -> Response[str]:
        return _reach_form(call, milestone_id)

    @post(permission=Permission.EDIT_PLAN)
    def reach(self, milestone_id: FromPath[str], call: Call) -> Response[Any]:
        home = f"/engagements/{_milestone(call, milestone_id)[1].id}/plan#milestones"
        return submit(
            call, ReachIn,
            lambda s, data: _reached(milestones.reach(
                s, call.actor, milestone_id, data, at=call.now, today=today_in(call, s)
            )),
            then=lambda said: go(home, said=said),
            show=lambda form, status: _reach_form(call, milestone_id, form, status),
        )  # fmt: skip


class DeliverablePages(Controller):
    path = "/deliverables/{deliverable_id:str}"
    include_in_schema = False

    @get(permission=Permission.VIEW_DELIVERY)
    def show(self, deliverable_id: FromPath[str], call: Call) -> Response[str]:
        return _deliverable_page(call, deliverable_id)

    @post("/file", permission=Permission.EDIT_PLAN)
    def change(self, deliverable_id: FromPath[str], call: Call) -> Response[Any]:
        return _decide(
            call, deliverable_id, DeliverablePatch, "Saved",
            lambda s, data: deliverables.change(
                s, call.actor, deliverable_id, data, version=version_typed(call), at=call.now
            ),
        )  # fmt: skip

    @post("/review", permission=Permission.EDIT_PLAN)
    def hand_in(self, deliverable_id: FromPath[str], call: Call) -> Response[Any]:
        return _decide(
            call, deliverable_id, NoFields, "Handed in for review",
            lambda s, _: deliverables.hand_in(s, call.actor, deliverable_id, at=call.now),
        )  # fmt: skip

    @post("/submit", permission=Permission.EDIT_PLAN)
    def submit_it(self, deliverable_id: FromPath[str], call: Call) -> Response[Any]:
        return _decide(
            call, deliverable_id, NoFields, "Submitted to the client",
            lambda s, _: deliverables.submit(s, call.actor, deliverable_id, at=call.now),
        )  # fmt: skip

    @post("/accept", permission=Permission.SIGN_DELIVERY)
    def accept(self, deliverable_id: FromPath[str], call: Call) -> Response[Any]:
        return _decide(
            call, deliverable_id, DeliverableAcceptIn, "Thank you: it is accepted",
            lambda s, data: deliverables.accept(s, call.actor, deliverable_id, data, at=call.now),
        )  # fmt: skip

    @post("/reject", permission=Permission.SIGN_DELIVERY)
    def reject(self, deliverable_id: FromPath[str], call: Call) -> Response[Any]:
        return _decide(
            call, deliverable_id, DeliverableRejectIn, "Returned with your reason",
            lambda s, data: deliverables.reject(s, call.actor, deliverable_id, data, at=call.now),
        )  # fmt: skip

    @post("/on-behalf", permission=Permission.DECIDE_ON_BEHALF)
    def on_behalf(self, deliverable_id: FromPath[str], call: Call) -> Response[Any]:
        return _decide(
            call, deliverable_id, DeliverableOnBehalfIn, "The client\'s decision is recorded",
            lambda s, data: deliverables.on_behalf(s, call.actor, deliverable_id, data, at=call.now),
        )  # fmt: skip


def _engagement_and_board(call: CallOfRequest, engagement_id: str) -> tuple[EngagementOut, Board]:
    return call.read(
        lambda s: (
            EngagementOut.of(find(s, call.actor, Engagement, engagement_id)), board_in(call, s, engagement_id)
        )
    )  # fmt: skip


def _line(board: Board, phase: Phase) -> PhaseLine:
    """Raises `NotFound` for a phase that is no part of the engagement."""
    line = next((line for line in board.phases if line.phase is phase), None)
    if line is None:
        raise NotFound
    return line


def _step(
    call: CallOfRequest, engagement_id: str, phase: Phase, step: Step
) -> tuple[type[In], Callable[[Session, Any], PhaseRecord]]:
    """What a step reads from its form, and what it does."""
    actor, at = call.actor, call.now
    match step:
        case Step.START:
            return StartIn, lambda s, data: phases.start(
                s, actor, engagement_id, phase, data, at=at, today=today_in(call, s)
            )
        case Step.BLOCK:
            return BlockIn, lambda s, data: phases.block(
                s, actor, engagement_id, phase, data, at=at, today=today_in(call, s)
            )
        case Step.UNBLOCK:
            return NoFields, lambda s, _: phases.unblock(s, actor, engagement_id, phase, at=at)
        case Step.REVIEW:
            return NoFields, lambda s, _: phases.hand_in(s, actor, engagement_id, phase, at=at)
        case Step.RESUME:
            return NoFields, lambda s, _: phases.take_back(s, actor, engagement_id, phase, at=at)
        case _:
            assert_never(step)


def _phase_page(
    call: CallOfRequest, engagement_id: str, phase: Phase, form: Form = EMPTY_FORM, status: int = 200
) -> Response[str]:
    engagement, board = _engagement_and_board(call, engagement_id)
    people = call.read(lambda s: colleagues(s, call.actor))
    return page(
        call, "pages/delivery/phase.html", engagement=engagement, line=_line(board, phase), board=board,
        people=people, words=words, form=form, status=status,
    )  # fmt: skip


def _moved(call: CallOfRequest, engagement_id: str, done: RescheduleOut) -> Response[Any]:
    if done.change_id is not None:
        return go(f"/engagements/{engagement_id}/plan", said="The plan has moved")
    form = Form(values=typed(call.request), faults={})
    return _days_form(call, engagement_id, _phase_typed(form), form, preview=done)


def _phase_typed(form: Form) -> Phase | None:
    return next((phase for phase in Phase if phase.value == form.value("phase")), None)


def _days_form(
    call: CallOfRequest, engagement_id: str, phase: Phase | None, form: Form = EMPTY_FORM, status: int = 200,
    preview: RescheduleOut | None = None,
) -> Response[str]:  # fmt: skip
    engagement, board = _engagement_and_board(call, engagement_id)
    movable = [line for line in board.phases if line.planned_gate and not line.actual_end]
    chosen = next((line for line in movable if line.phase is phase), movable[0] if movable else None)
    return page(
        call, "pages/delivery/reschedule.html", engagement=engagement, board=board, movable=movable, chosen=chosen,
        preview=preview, form=form, status=status,
    )  # fmt: skip


def _milestone_form(
    call: CallOfRequest, engagement_id: str, form: Form = EMPTY_FORM, status: int = 200
) -> Response[str]:
    engagement, board = _engagement_and_board(call, engagement_id)
    return page(call, "pages/delivery/milestone.html", engagement=engagement, board=board, form=form, status=status)


def _milestone(call: CallOfRequest, milestone_id: str) -> tuple[MilestoneLine, EngagementOut]:
    def found(session: Session) -> tuple[MilestoneLine, EngagementOut]:
        row = find(session, call.actor, Milestone, milestone_id)
        line = milestone_of(session, call.actor, row, today=today_in(call, session))
        return line, EngagementOut.of(find(session, call.actor, Engagement, row.engagement_id))

    return call.read(found)


def _reach_form(call: CallOfRequest, milestone_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    line, engagement = _milestone(call, milestone_id)
    today = call.read(lambda s: today_in(call, s))
    return page(
        call, "pages/delivery/reach.html", line=line, engagement=engagement, today=today, form=form, status=status
    )


def _reached(row: Milestone) -> str:
    return f"{row.code} is marked. {row.note}".strip()


def _deliverable(call: CallOfRequest, deliverable_id: str) -> tuple[DeliverableLine, EngagementOut]:
    def found(session: Session) -> tuple[DeliverableLine, EngagementOut]:
        row = find(session, call.actor, DeliverableRecord, deliverable_id)
        line = deliverable_of(session, call.actor, row, today=today_in(call, session))
        return line, EngagementOut.of(find(session, call.actor, Engagement, row.engagement_id))

    return call.read(found)


def _deliverable_page(
    call: CallOfRequest, deliverable_id: str, form: Form = EMPTY_FORM, status: int = 200
) -> Response[str]:
    line, engagement = _deliverable(call, deliverable_id)
    people: Sequence[tuple[str, str]] = call.read(lambda s: colleagues(s, call.actor)) if call.actor.is_staff else ()
    return page(
        call, "pages/delivery/deliverable.html", line=line, engagement=engagement, people=people, words=words,
        form=form, status=status,
    )  # fmt: skip


def _decide(
    call: CallOfRequest, deliverable_id: str, model: type[In], said: str,
    effect: Callable[[Session, Any], DeliverableRecord],
) -> Response[Any]:  # fmt: skip
    return submit(
        call, model, lambda s, data: effect(s, data).id,
        then=lambda _: go(f"/deliverables/{deliverable_id}", said=said),
        show=lambda form, status: _deliverable_page(call, deliverable_id, form, status),
    )  # fmt: skip


ROUTES: Final[Sequence[ControllerRouterHandler]] = (PlanPages, MilestonePages, DeliverablePages)
