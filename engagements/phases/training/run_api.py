"""Training runs over /api/v1: looked at, followed, compared, steered."""

from collections.abc import Sequence
from typing import Annotated, Final

from litestar import Controller, Response
from litestar.params import FromPath, QueryParameter
from litestar.response import ServerSentEvent
from litestar.types import ControllerRouterHandler
from sqlmodel import Session, col

from engagements.core.models import Engagement
from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.core.service import find, scoped
from engagements.phases.training import reading
from engagements.phases.training.experiment_api import parts_of
from engagements.phases.training.models import TrainingRun
from engagements.phases.training.schemas import CompareOut, CurveOut, EventsOut, RunOut
from engagements.phases.training.supervising import steering
from engagements.web.call import Call
from engagements.web.paging import LIMIT, Cursor, Limit, page_of
from engagements.web.routes import get, post

Ids = Annotated[str, QueryParameter(min_length=1, max_length=900, description="Ids of runs, joined by commas.")]
After = Annotated[int, QueryParameter(ge=0, description="`next` of the answer before.")]
Most = Annotated[int, QueryParameter(ge=1, le=1000, description="Events in one answer.")]
_EVENTS: Final = 200


class EngagementRuns(Controller):
    path = "/api/v1/engagements/{engagement_id:str}/training-runs"
    tags = ("Training",)

    @get(permission=Permission.VIEW_TRAINING, summary="Its runs, newest first")
    def list_runs(
        self, engagement_id: FromPath[str], call: Call, limit: Limit = LIMIT, cursor: Cursor = None
    ) -> Page[RunOut]:
        def found(session: Session) -> Page[RunOut]:
            find(session, call.actor, Engagement, engagement_id)
            chosen = scoped(TrainingRun, call.actor).where(col(TrainingRun.engagement_id) == engagement_id)
            shown = lambda row: reading.run_out(session, row, parts_of(call).trainers)  # noqa: E731  # of this session
            return page_of(session, chosen, TrainingRun, shown, limit=limit, cursor=cursor)

        return call.read(found)


class Runs(Controller):
    path = "/api/v1/training-runs"
    tags = ("Training",)

    @get("/compare", permission=Permission.VIEW_TRAINING, summary="Runs beside each other")
    def compare(self, runs: Ids, call: Call) -> CompareOut:
        """What differs between them, what each was predicted to take and took, and how each scored."""
        return call.read(lambda s: reading.compare(s, call.actor, runs.split(",")))

    @get("/{run_id:str}", permission=Permission.VIEW_TRAINING, summary="One run as it stands")
    def show(self, run_id: FromPath[str], call: Call) -> RunOut:
        return call.read(lambda s: reading.one_run(s, call.actor, run_id, parts_of(call).trainers))

    @get("/{run_id:str}/events", permission=Permission.VIEW_TRAINING, summary="What it told, in order")
    def list_events(self, run_id: FromPath[str], call: Call, after: After = 0, limit: Most = _EVENTS) -> EventsOut:
        return call.read(lambda s: reading.events_after(s, call.actor, run_id, after=after, limit=limit))

    @get("/{run_id:str}/curve", permission=Permission.VIEW_TRAINING, summary="Its curve")
    def show_curve(self, run_id: FromPath[str], call: Call) -> CurveOut:
        return call.read(lambda s: reading.curve_of(s, call.actor, run_id))

    @get(
        "/{run_id:str}/follow", permission=Permission.VIEW_TRAINING, summary="Follow it", media_type="text/event-stream"
    )
    def follow(self, run_id: FromPath[str], call: Call) -> ServerSentEvent:
        """Server-sent events: `progress` with the run as JSON, and `ended`. Ask again where it stops before that."""
        trainers = parts_of(call).trainers
        call.read(lambda s: reading.one_run(s, call.actor, run_id, trainers))
        return ServerSentEvent(reading.events_of(call.store, call.actor, run_id, trainers))

    @post("/{run_id:str}/cancel", permission=Permission.RUN_TRAINING, status_code=200, summary="Cancel it")
    def cancel(self, run_id: FromPath[str], call: Call) -> Response[RunOut]:
        """It ends when its backend says so."""
        parts = parts_of(call)
        return call.act(
            lambda s: reading.run_out(s, steering.cancel(s, call.actor, run_id, at=call.now), parts.trainers)
        )

    @post("/{run_id:str}/pause", permission=Permission.RUN_TRAINING, status_code=200, summary="Set it aside")
    def pause(self, run_id: FromPath[str], call: Call) -> Response[RunOut]:
        """409 `not_offered` where its backend cannot."""
        parts = parts_of(call)
        return call.act(
            lambda s: reading.run_out(
                s, steering.pause(s, call.actor, run_id, parts=parts, at=call.now), parts.trainers
            )
        )

    @post("/{run_id:str}/resume", permission=Permission.RUN_TRAINING, status_code=200, summary="Go on with it")
    def resume(self, run_id: FromPath[str], call: Call) -> Response[RunOut]:
        """One that was paused; or one that its backend had lost, which is asked for once more."""
        parts = parts_of(call)
        return call.act(
            lambda s: reading.run_out(s, steering.resume(s, call.actor, run_id, at=call.now), parts.trainers)
        )

    @post("/{run_id:str}/retry", permission=Permission.RUN_TRAINING, summary="Try it once more")
    def retry(self, run_id: FromPath[str], call: Call) -> Response[RunOut]:
        """A new run of the same specification; the first stays as it ended."""
        parts = parts_of(call)
        return call.create(
            lambda s: reading.run_out(
                s, steering.retry(s, call.actor, run_id, parts=parts, at=call.now), parts.trainers
            )
        )


ROUTES: Final[Sequence[ControllerRouterHandler]] = (EngagementRuns, Runs)
