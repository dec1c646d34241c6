"""Generated examples over /api/v1."""

from collections.abc import Sequence
from typing import Annotated, Final

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler
from sqlmodel import Session, col

from engagements.core.errors import NotFound
from engagements.core.models import Engagement
from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.core.service import find, scoped
from engagements.phases.data_preparation.synthesis import curve, planning, reading, seeds, starting
from engagements.phases.data_preparation.synthesis.endpoints import Endpoints
from engagements.phases.data_preparation.synthesis.models import SynthesisRun
from engagements.phases.data_preparation.synthesis.planning import Drafted
from engagements.phases.data_preparation.synthesis.schemas import (
    TARGET,
    CurveOut,
    GapOut,
    GapsOut,
    PreviewOut,
    SynthesisIn,
    SynthesisOut,
)
from engagements.web.call import Call, CallOfRequest
from engagements.web.paging import LIMIT, Cursor, Limit, page_of
from engagements.web.routes import get, post

Target = Annotated[int, QueryParameter(ge=1, le=100_000, description="Examples that each category shall have.")]


class SynthesisOfAnEngagement(Controller):
    path = "/api/v1/engagements/{engagement_id:str}/data"
    tags = ("Data",)

    @get("/gaps", permission=Permission.VIEW_DATA, summary="Categories with too few examples")
    def list_gaps(self, engagement_id: FromPath[str], call: Call, target: Target = TARGET) -> GapsOut:
        return call.read(lambda s: gaps_out(s, call, engagement_id, target))

    @get("/synthesis-runs", permission=Permission.VIEW_DATA, summary="Runs that generate examples")
    def list_runs(
        self, engagement_id: FromPath[str], call: Call, limit: Limit = LIMIT, cursor: Cursor = None
    ) -> Page[SynthesisOut]:
        """Newest first; of one under way, ask for the run itself to see how far it is."""

        def found(session: Session) -> Page[SynthesisOut]:
            find(session, call.actor, Engagement, engagement_id)
            chosen = scoped(SynthesisRun, call.actor).where(col(SynthesisRun.engagement_id) == engagement_id)
            return page_of(session, chosen, SynthesisRun, reading.run_out, limit=limit, cursor=cursor)

        return call.read(found)

    @post("/synthesis-runs", permission=Permission.PREPARE_DATA, summary="Plan a run")
    def plan_run(self, engagement_id: FromPath[str], data: JSONBody[SynthesisIn], call: Call) -> Response[SynthesisOut]:
        """Nothing is sent and nothing spent: the answer says what would be asked and what it could cost at most."""
        drafted: list[Drafted] = []
        return call.create(
            lambda s: reading.run_out(planning.keep(s, call.actor, engagement_id, drafted[0], at=call.now)),
            prepare=lambda: drafted.append(draft(call, engagement_id, data)),
        )

    @get("/learning-curve", permission=Permission.VIEW_DATA, summary="What more examples would buy")
    def show_curve(self, engagement_id: FromPath[str], call: Call) -> CurveOut:
        """Of the curve that was asked for last. 404 where nobody asked."""
        return call.read(lambda s: _drawn(curve.newest_curve(s, call.actor, engagement_id)))

    @post("/learning-curve", permission=Permission.PREPARE_DATA, summary="Have a learning curve drawn")
    def ask_curve(self, engagement_id: FromPath[str], call: Call) -> Response[CurveOut]:
        """A job trains a plain classifier on parts of the accepted examples."""
        return call.create(lambda s: curve.ask_curve(s, call.actor, engagement_id, at=call.now))


class SynthesisRuns(Controller):
    path = "/api/v1/synthesis-runs/{synthesis_id:str}"
    tags = ("Data",)

    @get(permission=Permission.VIEW_DATA, summary="One run")
    def show_run(self, synthesis_id: FromPath[str], call: Call) -> Response[SynthesisOut]:
        return call.show(lambda s: reading.one_run(s, call.actor, synthesis_id))

    @get("/preview", permission=Permission.VIEW_DATA, summary="The first prompt of a run")
    def preview_run(self, synthesis_id: FromPath[str], call: Call) -> PreviewOut:
        return call.read(lambda s: reading.preview_of(s, call.actor, synthesis_id))

    @post("/start", permission=Permission.PREPARE_DATA, status_code=200, summary="Start a planned run")
    def start_run(self, synthesis_id: FromPath[str], call: Call) -> Response[SynthesisOut]:
        """Money is spent from here on, up to the cap."""
        return call.act(
            lambda s: reading.run_out(
                starting.start(s, call.actor, synthesis_id, endpoints=endpoints_of(call), at=call.now)
            )
        )

    @post("/stop", permission=Permission.PREPARE_DATA, status_code=200, summary="Stop a run")
    def stop_run(self, synthesis_id: FromPath[str], call: Call) -> Response[SynthesisOut]:
        """What was paid for is kept."""
        return call.act(lambda s: reading.run_out(starting.stop(s, call.actor, synthesis_id, at=call.now)))


def endpoints_of(call: CallOfRequest) -> Endpoints:
    found: Endpoints = call.request.app.state.wiring.endpoints
    return found


def draft(call: CallOfRequest, engagement_id: str, data: SynthesisIn) -> Drafted:
    """In a transaction that only reads, for it may take seconds."""
    book = call.request.app.state.wiring.prices
    return call.read(
        lambda s: planning.draft(
            s, call.actor, engagement_id, data, endpoints=endpoints_of(call), book=book, at=call.now
        )
    )


def gaps_out(session: Session, call: CallOfRequest, engagement_id: str, target: int) -> GapsOut:
    """Raises `NotFound`."""
    gaps = planning.gaps_in(session, call.actor, engagement_id, declared=(), target=target, per_gap_max=target)
    shares = seeds.shares_of(session, engagement_id)
    return GapsOut(
        endpoints=endpoints_of(call).names, gaps=[GapOut.of(gap) for gap in gaps], examples=shares.examples,
        generated=shares.generated, accepted=shares.accepted, accepted_generated=shares.accepted_generated,
    )  # fmt: skip


def _drawn(found: CurveOut | None) -> CurveOut:
    """Raises `NotFound`."""
    if found is None:
        raise NotFound("no learning curve was asked for yet")
    return found


ROUTES: Final[Sequence[ControllerRouterHandler]] = (SynthesisOfAnEngagement, SynthesisRuns)
