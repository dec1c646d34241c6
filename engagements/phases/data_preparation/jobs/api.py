"""Long work: how far it is, and stopping it over /api/v1."""

from collections.abc import Sequence
from typing import Final

from litestar import Controller, Response
from litestar.params import FromPath
from litestar.response import ServerSentEvent
from litestar.types import ControllerRouterHandler

from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.phases.data_preparation.jobs import queue
from engagements.phases.data_preparation.jobs.reading import events_of, job_of, jobs_of
from engagements.phases.data_preparation.jobs.schemas import JobOut, job_out
from engagements.web.call import Call
from engagements.web.paging import LIMIT, Cursor, Limit
from engagements.web.routes import get, post


class EngagementJobs(Controller):
    path = "/api/v1/engagements/{engagement_id:str}/data/jobs"
    tags = ("Data",)

    @get(permission=Permission.VIEW_DATA, summary="Its long work, newest first")
    def list_jobs(
        self, engagement_id: FromPath[str], call: Call, limit: Limit = LIMIT, cursor: Cursor = None
    ) -> Page[JobOut]:
        return call.read(lambda s: jobs_of(s, call.actor, engagement_id, limit=limit, cursor=cursor))


class Jobs(Controller):
    path = "/api/v1/data-jobs/{job_id:str}"
    tags = ("Data",)

    @get(permission=Permission.VIEW_DATA, summary="How far a job is")
    def show_job(self, job_id: FromPath[str], call: Call) -> JobOut:
        return call.read(lambda s: job_of(s, call.actor, job_id))

    @post("/cancel", permission=Permission.PREPARE_DATA, summary="Stop it at its next step", status_code=200)
    def cancel(self, job_id: FromPath[str], call: Call) -> Response[JobOut]:
        return call.act(lambda s: job_out(s, queue.cancel(s, call.actor, job_id, at=call.now)))

    @get("/events", permission=Permission.VIEW_DATA, summary="Follow it", media_type="text/event-stream")
    def follow(self, job_id: FromPath[str], call: Call) -> ServerSentEvent:
        """Server-sent events: `progress` with the job as JSON, and `ended`. Ask again where it stops before that."""
        call.read(lambda s: job_of(s, call.actor, job_id))
        return ServerSentEvent(events_of(call.store, call.actor, job_id))


ROUTES: Final[Sequence[ControllerRouterHandler]] = (EngagementJobs, Jobs)
