"""Pages of gates: the board of all six, one gate with its evidence, the client's signature, the calculator."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

from litestar import Controller, Response
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler
from pydantic import Field, model_validator
from sqlmodel import Session

from engagements.core.errors import EngagementError
from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import Permission
from engagements.core.schemas import EngagementOut, In
from engagements.core.service import find
from engagements.delivery import words as plan_words
from engagements.delivery.api import today_in
from engagements.delivery.gate_models import GateCondition, GateDecision, GateState
from engagements.delivery.models import PhaseState
from engagements.delivery.owners import colleagues
from engagements.evals.samples import sample_size
from engagements.phases import cosigning, deciding, reading, upkeep, words
from engagements.phases.errors import PhaseBlocked
from engagements.phases.schemas import (
    ConditionOut,
    DecideIn,
    EvidenceOut,
    GateOnBehalfIn,
    GateOut,
    MarkIn,
    MeetIn,
    RefuseIn,
)
from engagements.phases.views import condition_seen, sitting_out
from engagements.proposals.proposal_pages import nested, rows_in
from engagements.web.call import Call
from engagements.web.pages import go, page, read_form, submit
from engagements.web.routes import get, post
from engagements.web.templates import EMPTY_FORM, Form
from estimator.phases import Phase

_AT_THE_GATE: Final = frozenset({PhaseState.IN_PROGRESS, PhaseState.GATE_REVIEW})
_CONDITION_ROWS: Final = 3
Typed = Annotated[str, QueryParameter(max_length=20)]


class DecideForm(DecideIn):
    """Overrides are boxes named `overridden.` and a code; conditions are rows `conditions.0.text`."""

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        data = nested(values)
        rows = [row for row in rows_in(data, "conditions") if isinstance(row, dict) and row]
        ticked = data.get("overridden")
        return {**data, "overridden": tuple(ticked) if isinstance(ticked, dict) else (), "conditions": tuple(rows)}


class AgreeForm(In):
    agree: str = Field(pattern="^yes$")


class OnBehalfForm(GateOnBehalfIn):
    """`answer`: signed or refused, by the button."""

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        data = dict(values)
        return data | {"signed": data.pop("answer", "") == "signed"}


class MarkForm(MarkIn):
    """`mark`: done, not_needed or open."""

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        data = dict(values)
        mark = data.pop("mark", "")
        return data | {"done": mark == "done", "applies": mark != "not_needed"}


class SampleForm(In):
    """Rates in per cent, as people write them."""

    baseline: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
    target: Annotated[float | None, Field(ge=0, le=100, allow_inf_nan=False)] = None
    items: Annotated[int | None, Field(ge=1, le=10**7)] = None


class GatePages(Controller):
    path = "/engagements/{engagement_id:str}"
    include_in_schema = False

    @get("/gates", permission=Permission.VIEW_DELIVERY)
    def show_board(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        engagement = call.read(lambda s: _engagement(s, call, engagement_id))
        gates = call.read(lambda s: deciding.gates_of(s, call.actor, engagement_id, at=call.now).gates)
        criteria = call.read(lambda s: reading.criteria_of(s, call.actor, engagement_id, at=call.now).criteria)
        return page(
            call, "pages/gates/gates.html", words=words, plan_words=plan_words, engagement=engagement, gates=gates,
            criteria=criteria,
        )  # fmt: skip

    @get("/gates/{phase:str}", permission=Permission.VIEW_DELIVERY)
    def show_gate(self, engagement_id: FromPath[str], phase: FromPath[Phase], call: Call) -> Response[str]:
        return _gate(call, engagement_id, phase)

    @post("/gates/{phase:str}/decide", permission=Permission.DECIDE_GATES)
    def decide(self, engagement_id: FromPath[str], phase: FromPath[Phase], call: Call) -> Response[Any]:
        return submit(
            call, DecideForm, lambda s, data: _decided(s, call, engagement_id, phase, data),
            then=lambda state: go(f"/engagements/{engagement_id}/gates/{phase}", said=_said(state)),
            show=lambda form, status: _gate(call, engagement_id, phase, form, status),
        )  # fmt: skip

    @post("/checklist/{phase:str}/{item:str}", permission=Permission.WORK_ON_PHASES)
    def mark(
        self, engagement_id: FromPath[str], phase: FromPath[Phase], item: FromPath[str], call: Call
    ) -> Response[Any]:
        return submit(
            call, MarkForm,
            lambda s, data: upkeep.mark_item(s, call.actor, engagement_id, phase, item, data, at=call.now).id,
            then=lambda _: go(f"/engagements/{engagement_id}/gates/{phase}#checklist", said="Marked"),
            show=lambda form, status: _gate(call, engagement_id, phase, form, status),
        )  # fmt: skip


class DecisionPages(Controller):
    path = "/gates/{gate_id:str}"
    include_in_schema = False

    @get("/sign", permission=Permission.SIGN_DELIVERY)
    def ask_signature(self, gate_id: FromPath[str], call: Call) -> Response[str]:
        return _decision(call, gate_id, "pages/gates/sign.html")

    @post("/sign", permission=Permission.SIGN_DELIVERY)
    def sign(self, gate_id: FromPath[str], call: Call) -> Response[Any]:
        return _answer(
            call, gate_id, AgreeForm, "pages/gates/sign.html",
            lambda s, _: cosigning.sign(s, call.actor, gate_id, at=call.now, today=today_in(call, s)),
        )  # fmt: skip

    @post("/refuse", permission=Permission.SIGN_DELIVERY)
    def refuse(self, gate_id: FromPath[str], call: Call) -> Response[Any]:
        return _answer(
            call, gate_id, RefuseIn, "pages/gates/sign.html",
            lambda s, data: cosigning.refuse(s, call.actor, gate_id, data, at=call.now),
        )  # fmt: skip

    @get("/on-behalf", permission=Permission.DECIDE_ON_BEHALF)
    def ask_answer(self, gate_id: FromPath[str], call: Call) -> Response[str]:
        return _decision(call, gate_id, "pages/gates/on_behalf.html")

    @post("/on-behalf", permission=Permission.DECIDE_ON_BEHALF)
    def record_answer(self, gate_id: FromPath[str], call: Call) -> Response[Any]:
        return _answer(
            call, gate_id, OnBehalfForm, "pages/gates/on_behalf.html",
            lambda s, data: cosigning.on_behalf(s, call.actor, gate_id, data, at=call.now, today=today_in(call, s)),
        )  # fmt: skip


class EvidencePages(Controller):
    include_in_schema = False

    @post("/conditions/{condition_id:str}/meet", permission=Permission.WORK_ON_PHASES)
    def meet(self, condition_id: FromPath[str], call: Call) -> Response[Any]:
        at = call.read(lambda s: _of_condition(s, call, condition_id))
        return submit(
            call, MeetIn, lambda s, data: upkeep.meet_condition(s, call.actor, condition_id, data, at=call.now).id,
            then=lambda _: go(f"/engagements/{at.engagement_id}/gates/{at.phase}", said="The condition is met"),
            show=lambda form, status: _gate(call, at.engagement_id, at.phase, form, status),
        )  # fmt: skip

    @get("/evidence/{evidence_id:str}", permission=Permission.VIEW_DELIVERY)
    def show_evidence(self, evidence_id: FromPath[str], call: Call) -> Response[str]:
        row = call.read(lambda s: reading.one_evidence(s, call.actor, evidence_id))
        engagement = call.read(lambda s: _engagement(s, call, row.engagement_id))
        content = json.dumps(row.content, indent=2, ensure_ascii=False)
        return page(call, "pages/gates/evidence.html", words=words, content=content, row=row, engagement=engagement)

    @get("/sample-size", permission=Permission.VIEW_DELIVERY)
    def calculate(self, call: Call, baseline: Typed = "", target: Typed = "", items: Typed = "") -> Response[str]:
        """Asked for by GET: nothing changes, and the address can be passed on."""
        values = {"baseline": baseline, "target": target, "items": items}
        if not any(values.values()):
            return page(call, "pages/gates/sample_size.html", said_of=None)
        try:
            data = read_form(SampleForm, {name: value for name, value in values.items() if value})
        except EngagementError as error:
            form = Form(values=values, faults={problem.where: problem for problem in error.problems})
            return page(call, "pages/gates/sample_size.html", form=form, status=422, said_of=None)
        target_rate = None if data.target is None else data.target / 100
        said_of = sample_size(data.baseline / 100, target_rate, data.items)
        return page(call, "pages/gates/sample_size.html", form=Form(values=values, faults={}), said_of=said_of)


def _engagement(session: Session, call: Call, engagement_id: str) -> EngagementOut:
    return EngagementOut.of(find(session, call.actor, Engagement, engagement_id))


def _of_condition(session: Session, call: Call, condition_id: str) -> ConditionOut:
    return condition_seen(session, find(session, call.actor, GateCondition, condition_id), call.actor)


def _said(state: GateState) -> str:
    return "Decided; it waits for the client's signature" if state is GateState.AWAITING_CLIENT else "Decided"


def _decided(session: Session, call: Call, engagement_id: str, phase: Phase, data: DecideIn) -> GateState:
    """Raises `PhaseBlocked` with each blocker beside the box that would overrule it."""
    try:
        return deciding.decide(
            session, call.actor, engagement_id, phase, data, at=call.now, today=today_in(call, session)
        ).state
    except PhaseBlocked as blocked:
        beside = [replace(each, where=f"overridden.{each.code.rpartition('.')[0]}") for each in blocked.problems]
        raise PhaseBlocked(blocked.message, remedy=blocked.remedy, problems=beside) from blocked


def _gate(call: Call, engagement_id: str, phase: Phase, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    def found(session: Session) -> dict[str, object]:
        engagement = _engagement(session, call, engagement_id)
        gate = deciding.gate_of(session, call.actor, engagement_id, phase, at=call.now)
        return {
            "engagement": engagement,
            "gate": gate,
            "evidence": _evidence(session, call, gate),
            "people": colleagues(session, call.actor) if call.actor.may(Permission.DECIDE_GATES) else [],
            "is_active": engagement.state is EngagementState.ACTIVE,
            "at_the_gate": gate.state in _AT_THE_GATE and gate.awaiting is None,
        }

    context = call.read(found)
    return page(
        call, "pages/gates/gate.html", form=form, status=status, words=words, plan_words=plan_words,
        condition_rows=range(_CONDITION_ROWS), **context,
    )  # fmt: skip


def _evidence(session: Session, call: Call, gate: GateOut) -> Sequence[EvidenceOut]:
    """What the requirements rest on and what was recorded in the phase, the newest first."""
    named = {row_id for each in gate.requirements for row_id in each.evidence}
    rows = reading.evidence_beside(session, call.actor, gate.engagement_id, gate.phase, named)
    out = reading.evidence_as_seen(session, call.actor)
    return [out(row) for row in rows]


def _decision(call: Call, gate_id: str, template: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    def found(session: Session) -> dict[str, object]:
        row = find(session, call.actor, GateDecision, gate_id)
        gate = deciding.gate_of(session, call.actor, row.engagement_id, row.phase, at=call.now)
        return {
            "sitting": sitting_out(row, call.actor),
            "gate": gate,
            "engagement": _engagement(session, call, row.engagement_id),
        }

    return page(call, template, form=form, status=status, words=words, **call.read(found))


def _answer(
    call: Call, gate_id: str, model: type[Any], template: str, effect: Callable[[Session, Any], GateDecision]
) -> Response[Any]:
    def answered(session: Session, data: Any) -> tuple[str, str]:
        row = effect(session, data)
        said = "Signed" if row.state is GateState.FINAL else "Refused; the phase goes on"
        return f"/engagements/{row.engagement_id}/gates/{row.phase}", said

    return submit(
        call, model, answered, then=lambda told: go(told[0], said=told[1]),
        show=lambda form, status: _decision(call, gate_id, template, form, status),
    )  # fmt: skip


ROUTES: Final[Sequence[ControllerRouterHandler]] = (GatePages, DecisionPages, EvidencePages)
