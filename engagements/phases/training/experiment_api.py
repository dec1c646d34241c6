"""Experiments over /api/v1: planned, shown before they are kept, started, cancelled."""

from collections.abc import Sequence
from typing import Final

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from sqlmodel import Session

from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.phases.training import reading
from engagements.phases.training.models import Experiment
from engagements.phases.training.plans import planning, previewing, starting
from engagements.phases.training.plans.planning import Drafted
from engagements.phases.training.schemas import ExperimentIn, ExperimentOut, ExperimentPatch, PlanOut
from engagements.phases.training.supervising import steering
from engagements.phases.training.supervising.parts import Parts
from engagements.web.call import Call, CallOfRequest
from engagements.web.paging import LIMIT, Cursor, Limit, page_of
from engagements.web.routes import get, patch, post


class EngagementExperiments(Controller):
    path = "/api/v1/engagements/{engagement_id:str}/experiments"
    tags = ("Training",)

    @get(permission=Permission.VIEW_TRAINING, summary="Its experiments, newest first")
    def list_experiments(
        self, engagement_id: FromPath[str], call: Call, limit: Limit = LIMIT, cursor: Cursor = None
    ) -> Page[ExperimentOut]:
        def found(session: Session) -> Page[ExperimentOut]:
            chosen = reading.experiments_in(session, call.actor, engagement_id)
            shown = lambda row: reading.experiment_out(session, row)  # noqa: E731  # of this session
            return page_of(session, chosen, Experiment, shown, limit=limit, cursor=cursor)

        return call.read(found)

    @post("/preview", permission=Permission.RUN_TRAINING, status_code=200, summary="What an experiment would take")
    def preview(self, engagement_id: FromPath[str], data: JSONBody[ExperimentIn], call: Call) -> PlanOut:
        """Its runs with what each is predicted to take, and everything that speaks against it. Nothing is kept."""
        return previewing.plan_out(draft(call, engagement_id, data))

    @post(permission=Permission.RUN_TRAINING, summary="Plan an experiment")
    def plan(self, engagement_id: FromPath[str], data: JSONBody[ExperimentIn], call: Call) -> Response[ExperimentOut]:
        """Nothing is sent and nothing spent. 422 with everything that speaks against it, of every run."""
        drafted: list[Drafted] = []
        return call.create(
            lambda s: reading.experiment_out(s, planning.keep(s, call.actor, engagement_id, drafted[0], at=call.now)),
            prepare=lambda: drafted.append(draft(call, engagement_id, data)),
        )


class Experiments(Controller):
    path = "/api/v1/experiments/{experiment_id:str}"
    tags = ("Training",)

    @get(permission=Permission.VIEW_TRAINING, summary="One experiment with its runs")
    def show(self, experiment_id: FromPath[str], call: Call) -> ExperimentOut:
        return call.read(lambda s: reading.one_experiment(s, call.actor, experiment_id))

    @patch(permission=Permission.RUN_TRAINING, summary="Name it anew, or let it go first")
    def change(
        self, experiment_id: FromPath[str], data: JSONBody[ExperimentPatch], call: Call
    ) -> Response[ExperimentOut]:
        return call.change(
            lambda s, version: reading.experiment_out(
                s, steering.change(s, call.actor, experiment_id, data, version=version, at=call.now)
            )
        )

    @post("/start", permission=Permission.RUN_TRAINING, status_code=200, summary="Start it")
    def start(self, experiment_id: FromPath[str], call: Call) -> Response[ExperimentOut]:
        """Money is spent from here on, up to the cap."""
        return call.act(
            lambda s: reading.experiment_out(
                s, starting.start(s, call.actor, experiment_id, parts=parts_of(call), at=call.now)
            ),
            prepare=lambda: call.read(lambda s: starting.check_data(s, call.actor, experiment_id, parts_of(call))),
        )

    @post("/cancel", permission=Permission.RUN_TRAINING, status_code=200, summary="Cancel it with all its runs")
    def cancel(self, experiment_id: FromPath[str], call: Call) -> Response[ExperimentOut]:
        """Runs under way end when their backends say so; what they cost is posted."""
        return call.act(
            lambda s: reading.experiment_out(s, steering.cancel_experiment(s, call.actor, experiment_id, at=call.now))
        )


def parts_of(call: CallOfRequest) -> Parts:
    found: Parts = call.request.app.state.wiring.supervisor.parts
    return found


def draft(call: CallOfRequest, engagement_id: str, data: ExperimentIn) -> Drafted:
    """In a transaction that only reads, for files are written and counted meanwhile."""
    return call.read(lambda s: planning.draft(s, call.actor, engagement_id, data, at=call.now, parts=parts_of(call)))


ROUTES: Final[Sequence[ControllerRouterHandler]] = (EngagementExperiments, Experiments)
