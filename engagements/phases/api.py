"""Gates, evidence and acceptance criteria over /api/v1."""

from collections.abc import Sequence
from math import isfinite
from typing import Annotated, Final

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler
from sqlmodel import Session

from engagements.core import service
from engagements.core.errors import QueryInvalid
from engagements.core.models import Engagement
from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.delivery.api import today_in
from engagements.delivery.evidence import EvidenceIn
from engagements.delivery.gate_models import EvidenceKind, EvidenceRecord
from engagements.delivery.recording import record_evidence
from engagements.evals.samples import sample_size
from engagements.phases import cosigning, deciding, reading, upkeep
from engagements.phases.schemas import (
    ChecklistItemOut,
    ConditionOut,
    CriteriaOut,
    DecideIn,
    EvidenceOut,
    GateOnBehalfIn,
    GateOut,
    GatesOut,
    MarkIn,
    MeetIn,
    RefuseIn,
    SampleSizeOut,
    SignIn,
    SittingOut,
)
from engagements.phases.views import condition_seen, item_out, sitting_out
from engagements.web.call import Call
from engagements.web.paging import LIMIT, Cursor, Limit, page_of
from engagements.web.routes import get, post, put
from estimator.phases import Phase

Rate = Annotated[float | None, QueryParameter(description="A share from 0 to 1.")]


class EvidenceOfAnEngagement(Controller):
    path = "/api/v1/engagements/{engagement_id:str}/evidence"
    tags = ("Evidence",)

    @get(permission=Permission.VIEW_DELIVERY, summary="An engagement's evidence")
    def list_evidence(
        self,
        engagement_id: FromPath[str],
        call: Call,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
        kind: Annotated[EvidenceKind | None, QueryParameter()] = None,
        phase: Annotated[Phase | None, QueryParameter()] = None,
    ) -> Page[EvidenceOut]:
        def found(session: Session) -> Page[EvidenceOut]:
            service.find(session, call.actor, Engagement, engagement_id)
            chosen = reading.evidence_of(call.actor, engagement_id, kind=kind, phase=phase)
            out = reading.evidence_as_seen(session, call.actor)
            return page_of(session, chosen, EvidenceRecord, out, limit=limit, cursor=cursor)

        return call.read(found)

    @post(permission=Permission.WORK_ON_PHASES, summary="Record evidence")
    def record(self, engagement_id: FromPath[str], data: JSONBody[EvidenceIn], call: Call) -> Response[EvidenceOut]:
        """The same `external_id` again answers with the first record; with another content it is refused."""
        return call.create(
            lambda s: reading.evidence_as_seen(s, call.actor)(
                record_evidence(s, call.actor, engagement_id, data, at=call.now)
            )
        )


class OneEvidence(Controller):
    path = "/api/v1/evidence"
    tags = ("Evidence",)

    @get("/{evidence_id:str}", permission=Permission.VIEW_DELIVERY, summary="One record of evidence")
    def show_evidence(self, evidence_id: FromPath[str], call: Call) -> Response[EvidenceOut]:
        return call.show(lambda s: reading.one_evidence(s, call.actor, evidence_id))


class GatesOfAnEngagement(Controller):
    path = "/api/v1/engagements/{engagement_id:str}"
    tags = ("Gates",)

    @get("/gates", permission=Permission.VIEW_DELIVERY, summary="All gates, in order")
    def show_gates(self, engagement_id: FromPath[str], call: Call) -> GatesOut:
        return call.read(lambda s: deciding.gates_of(s, call.actor, engagement_id, at=call.now))

    @get("/gates/{phase:str}", permission=Permission.VIEW_DELIVERY, summary="One gate and what it asks for")
    def show_gate(self, engagement_id: FromPath[str], phase: FromPath[Phase], call: Call) -> GateOut:
        return call.read(lambda s: deciding.gate_of(s, call.actor, engagement_id, phase, at=call.now))

    @post("/gates/{phase:str}/decide", permission=Permission.DECIDE_GATES, summary="Decide a gate")
    def decide(
        self, engagement_id: FromPath[str], phase: FromPath[Phase], data: JSONBody[DecideIn], call: Call
    ) -> Response[SittingOut]:
        """`phase_blocked` lists all that stands against passing. 409 for a phase that is not at its gate."""
        return call.create(
            lambda s: sitting_out(
                deciding.decide(s, call.actor, engagement_id, phase, data, at=call.now, today=today_in(call, s)),
                call.actor,
            )
        )

    @put("/checklist/{phase:str}/{item:str}", permission=Permission.WORK_ON_PHASES, summary="Mark a checklist item")
    def mark(
        self, engagement_id: FromPath[str], phase: FromPath[Phase], item: FromPath[str], data: JSONBody[MarkIn],
        call: Call,
    ) -> Response[ChecklistItemOut]:  # fmt: skip
        """A mark opens no gate."""
        return call.act(
            lambda s: item_out(
                phase, item, upkeep.mark_item(s, call.actor, engagement_id, phase, item, data, at=call.now)
            )
        )

    @get("/criteria", permission=Permission.VIEW_DELIVERY, summary="Acceptance criteria with their verdicts")
    def show_criteria(self, engagement_id: FromPath[str], call: Call) -> CriteriaOut:
        return call.read(lambda s: reading.criteria_of(s, call.actor, engagement_id, at=call.now))


class Decisions(Controller):
    path = "/api/v1/gates/{gate_id:str}"
    tags = ("Gates",)

    @post("/sign", permission=Permission.SIGN_DELIVERY, status_code=200, summary="Sign a gate for the client")
    def sign(self, gate_id: FromPath[str], data: JSONBody[SignIn], call: Call) -> Response[SittingOut]:  # noqa: ARG002  # its shape is the consent
        return call.act(
            lambda s: sitting_out(
                cosigning.sign(s, call.actor, gate_id, at=call.now, today=today_in(call, s)), call.actor
            )
        )

    @post("/refuse", permission=Permission.SIGN_DELIVERY, status_code=200, summary="Refuse a gate for the client")
    def refuse(self, gate_id: FromPath[str], data: JSONBody[RefuseIn], call: Call) -> Response[SittingOut]:
        return call.act(lambda s: sitting_out(cosigning.refuse(s, call.actor, gate_id, data, at=call.now), call.actor))

    @post("/on-behalf", permission=Permission.DECIDE_ON_BEHALF, status_code=200, summary="Record the client's answer")
    def on_behalf(self, gate_id: FromPath[str], data: JSONBody[GateOnBehalfIn], call: Call) -> Response[SittingOut]:
        return call.act(
            lambda s: sitting_out(
                cosigning.on_behalf(s, call.actor, gate_id, data, at=call.now, today=today_in(call, s)), call.actor
            )
        )


class Conditions(Controller):
    path = "/api/v1/conditions"
    tags = ("Gates",)

    @post("/{condition_id:str}/meet", permission=Permission.WORK_ON_PHASES, status_code=200, summary="Meet a condition")
    def meet(self, condition_id: FromPath[str], data: JSONBody[MeetIn], call: Call) -> Response[ConditionOut]:
        return call.act(
            lambda s: condition_seen(
                s, upkeep.meet_condition(s, call.actor, condition_id, data, at=call.now), call.actor
            )
        )


class Calculator(Controller):
    path = "/api/v1/sample-size"
    tags = ("Gates",)

    @get(permission=Permission.VIEW_DELIVERY, summary="What so many items can show")
    def show(
        self,
        baseline: Annotated[float, QueryParameter(description="A share from 0 to 1.")],
        target: Rate = None,
        items: Annotated[int | None, QueryParameter(ge=1, le=10**7)] = None,
    ) -> SampleSizeOut:
        """Exact for a fixed baseline, at 5% two-sided and a power of 80%."""
        if any(rate is not None and not (isfinite(rate) and 0 <= rate <= 1) for rate in (baseline, target)):
            raise QueryInvalid("a rate lies between 0 and 1", remedy="write 0.8 for 80%")
        return SampleSizeOut.of(sample_size(baseline, target, items))


ROUTES: Final[Sequence[ControllerRouterHandler]] = (
    EvidenceOfAnEngagement, OneEvidence, GatesOfAnEngagement, Decisions, Conditions, Calculator,
)  # fmt: skip
