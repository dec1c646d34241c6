"""Examples, and what the checks found over /api/v1."""

from collections.abc import Sequence
from typing import Annotated, Final

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler
from sqlmodel import Session

from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.phases.data_preparation.jobs.schemas import JobOut, job_out
from engagements.phases.data_preparation.models import ExampleState
from engagements.phases.data_preparation.pool import service, standing
from engagements.phases.data_preparation.pool.schemas import (
    AcknowledgeIn,
    AcknowledgementOut,
    CheckIn,
    EditOut,
    ExampleEditIn,
    ExampleOut,
    ExcludedOut,
    ExcludeIn,
    ReportOut,
    StandingOut,
)
from engagements.phases.data_preparation.pool.service import Chosen, example_of
from engagements.web.call import Call
from engagements.web.paging import LIMIT, Cursor, Limit
from engagements.web.routes import get, patch, post

State = Annotated[ExampleState | None, QueryParameter(name="state", description="As it stands in review.")]
Label = Annotated[str | None, QueryParameter(max_length=400, description="Of this class.")]
SourceId = Annotated[str | None, QueryParameter(max_length=40, description="From this source.")]
Finding = Annotated[str | None, QueryParameter(max_length=80, description="With a finding of this code.")]
Cluster = Annotated[str | None, QueryParameter(max_length=40, description="In this cluster of duplicates.")]
ScoreMax = Annotated[int | None, QueryParameter(ge=0, le=100, description="At most so many points, lowest first.")]


class Pool(Controller):
    path = "/api/v1/engagements/{engagement_id:str}/data"
    tags = ("Data",)

    @get(permission=Permission.VIEW_DATA, summary="How its pool of examples stands")
    def show_standing(self, engagement_id: FromPath[str], call: Call) -> StandingOut:
        return call.read(lambda s: standing.standing_of(s, call.actor, engagement_id))

    @get("/examples", permission=Permission.VIEW_DATA, summary="Its examples, as they came in")
    def list_examples(
        self, engagement_id: FromPath[str], call: Call, limit: Limit = LIMIT, cursor: Cursor = None,
        review_state: State = None, label: Label = None, source_id: SourceId = None, finding: Finding = None,
        cluster: Cluster = None, score_max: ScoreMax = None,
    ) -> Page[ExampleOut]:  # fmt: skip
        chosen = Chosen(
            state=review_state, label=label, source_id=source_id, finding=finding, cluster=cluster, score_max=score_max
        )
        return call.read(
            lambda s: service.examples_of(s, call.actor, engagement_id, chosen, limit=limit, cursor=cursor)
        )

    @post(
        "/exclude-duplicates", permission=Permission.PREPARE_DATA, summary="Leave out what repeats an example",
        status_code=200,
    )  # fmt: skip
    def exclude_duplicates(self, engagement_id: FromPath[str], call: Call) -> Response[ExcludedOut]:
        return call.act(
            lambda s: ExcludedOut(excluded=service.exclude_duplicates(s, call.actor, engagement_id, at=call.now))
        )

    @post("/checks", permission=Permission.PREPARE_DATA, summary="Check the pool")
    def check(self, engagement_id: FromPath[str], data: JSONBody[CheckIn], call: Call) -> Response[JobOut]:
        return call.create(lambda s: job_out(s, standing.ask_check(s, call.actor, engagement_id, data, at=call.now)))

    @get("/checks/newest", permission=Permission.VIEW_DATA, summary="The report of the newest check")
    def show_report(self, engagement_id: FromPath[str], call: Call) -> ReportOut:
        def read(session: Session) -> ReportOut:
            job = standing.report_of(session, call.actor, engagement_id)
            report = standing.report_in(call.request.app.state.wiring.storage, job)
            return ReportOut(job_id=job.id, checked_at=job.ended_at or job.created_at, report=dict(report))

        return call.read(read)

    @post("/acknowledge", permission=Permission.PREPARE_DATA, summary="Answer for the personal data that was found")
    def acknowledge(
        self, engagement_id: FromPath[str], data: JSONBody[AcknowledgeIn], call: Call
    ) -> Response[AcknowledgementOut]:
        """Until then nothing is sealed."""
        return call.create(
            lambda s: AcknowledgementOut.of(standing.acknowledge(s, call.actor, engagement_id, data, at=call.now))
        )


class Examples(Controller):
    path = "/api/v1/examples/{example_id:str}"
    tags = ("Data",)

    @get(permission=Permission.VIEW_DATA, summary="One example")
    def show_example(self, example_id: FromPath[str], call: Call) -> Response[ExampleOut]:
        return call.show(lambda s: example_of(s, call.actor, example_id))

    @get("/edits", permission=Permission.VIEW_DATA, summary="What it read before, and who changed it")
    def list_edits(self, example_id: FromPath[str], call: Call) -> Page[EditOut]:
        return call.read(lambda s: Page(items=list(service.edits_of(s, call.actor, example_id))))

    @patch(permission=Permission.PREPARE_DATA, summary="Edit it; what it read before is kept")
    def edit(self, example_id: FromPath[str], data: JSONBody[ExampleEditIn], call: Call) -> Response[ExampleOut]:
        """409 for one in a sealed test split."""
        return call.change(
            lambda s, v: ExampleOut.shown(
                service.edit_example(s, call.actor, example_id, data, version=v, at=call.now), sealed=False
            )
        )

    @post("/exclude", permission=Permission.PREPARE_DATA, summary="Leave it out", status_code=200)
    def exclude(self, example_id: FromPath[str], data: JSONBody[ExcludeIn], call: Call) -> Response[ExampleOut]:
        return call.act(
            lambda s: ExampleOut.shown(service.exclude(s, call.actor, example_id, data, at=call.now), sealed=False)
        )

    @post("/include", permission=Permission.PREPARE_DATA, summary="Take it in again", status_code=200)
    def include(self, example_id: FromPath[str], call: Call) -> Response[ExampleOut]:
        return call.act(
            lambda s: ExampleOut.shown(service.include(s, call.actor, example_id, at=call.now), sealed=False)
        )


ROUTES: Final[Sequence[ControllerRouterHandler]] = (Pool, Examples)
