"""Status reports over /api/v1: drafted, issued, read as they were issued."""

from typing import Annotated

from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from sqlmodel import Session

from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.core.service import find
from engagements.proposals.proposal_api import pdf_response
from engagements.proposals.sending import until_fresh
from engagements.reports import issuing, reading
from engagements.reports.issuing import Desk, Edition, Preparation
from engagements.reports.models import StatusReport
from engagements.reports.schemas import ReportIn, ReportOut
from engagements.web.call import Call
from engagements.web.paging import LIMIT, Cursor, Limit, page_of
from engagements.web.routes import get, post

_PDF = "application/pdf"


def desk_of(call: Call) -> Desk:
    settings = call.request.app.state.wiring.settings
    return Desk(agency=settings.agency, base_url=settings.base_url)


class EngagementReports(Controller):
    path = "/api/v1/engagements/{engagement_id:str}/reports"
    tags = ("Status reports",)

    @get(permission=Permission.VIEW_DELIVERY, summary="The status reports that were issued")
    def list_of_engagement(
        self, engagement_id: FromPath[str], call: Call, limit: Limit = LIMIT, cursor: Cursor = None
    ) -> Page[ReportOut]:
        def found(session: Session) -> Page[ReportOut]:
            chosen = reading.reports_of(session, call.actor, engagement_id)
            return page_of(session, chosen, StatusReport, ReportOut.of, limit=limit, cursor=cursor)

        return call.read(found)

    @post(permission=Permission.ISSUE_REPORTS, summary="Issue a status report")
    def issue(self, engagement_id: FromPath[str], data: JSONBody[ReportIn], call: Call) -> Response[ReportOut]:
        """Numbered, rendered and frozen; the client's people are told. 409 for the second of two that say the same."""
        desk, ready = desk_of(call), Preparation()

        def prepare() -> None:
            ready.take(call.store, call.actor, engagement_id, desk, data.summary, at=call.now)

        def effect(session: Session) -> ReportOut:
            return ReportOut.of(issuing.issue(session, call.actor, engagement_id, ready.prepared, at=call.now))

        return until_fresh(lambda: call.create(effect, prepare=prepare))

    @get("/preview", permission=Permission.ISSUE_REPORTS, summary="The next report as a draft", media_type=_PDF)
    def preview(
        self,
        engagement_id: FromPath[str],
        call: Call,
        edition: FromQuery[Edition] = Edition.CLIENT,
        summary: Annotated[str, QueryParameter(max_length=2000)] = "",
    ) -> Response[bytes]:
        """The internal edition shows our cost; 403 for who may not see it."""
        paper = reading.draft_of(call.store, call.actor, engagement_id, desk_of(call), edition, summary, at=call.now)
        return pdf_response(paper)


class Reports(Controller):
    path = "/api/v1/reports/{report_id:str}"
    tags = ("Status reports",)

    @get(permission=Permission.VIEW_DELIVERY, summary="One status report")
    def show(self, report_id: FromPath[str], call: Call) -> Response[ReportOut]:
        return call.show(lambda s: ReportOut.of(find(s, call.actor, StatusReport, report_id)))

    @get("/document", permission=Permission.VIEW_DELIVERY, summary="The PDF", media_type=_PDF)
    def document(self, report_id: FromPath[str], call: Call) -> Response[bytes]:
        """What was issued, byte for byte."""
        return pdf_response(call.read(lambda s: reading.paper_of(s, call.actor, report_id)))
