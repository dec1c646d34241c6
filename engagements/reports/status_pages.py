"""Pages of status reports: those that were issued, the next one before it is, one as pictures of its pages."""

import re
from typing import Annotated, Any

from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, QueryParameter
from sqlmodel import Session, col

from engagements.core.errors import Conflict, Invalid, NotFound
from engagements.core.roles import Permission
from engagements.core.service import find
from engagements.documents.pictures import Previews, leaves_of, picture_of
from engagements.proposals.proposal_api import pdf_response
from engagements.proposals.scoping_pages import Place
from engagements.proposals.sending import until_fresh
from engagements.reports import issuing, reading, words
from engagements.reports.issuing import Edition, Preparation
from engagements.reports.models import StatusReport
from engagements.reports.schemas import ReportIn, ReportOut
from engagements.reports.status_api import desk_of
from engagements.web.call import Call
from engagements.web.pages import again, go, page, read_form, typed
from engagements.web.routes import get, post
from engagements.web.templates import EMPTY_FORM, Form


class EngagementReportPages(Controller):
    path = "/engagements/{engagement_id:str}/reports"
    include_in_schema = False

    @get(permission=Permission.VIEW_DELIVERY)
    def list_reports(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return _listed(call, engagement_id)

    @post(permission=Permission.ISSUE_REPORTS)
    def issue(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        ready, values = Preparation(), typed(call.request)

        def attempt() -> str:
            ready.take(call.store, call.actor, engagement_id, desk_of(call), data.summary, at=call.now)
            return call.write(lambda s: issuing.issue(s, call.actor, engagement_id, ready.prepared, at=call.now).id)

        try:
            data = read_form(ReportIn, values)
            made = until_fresh(attempt)
        except (Conflict, Invalid) as error:
            return _listed(call, engagement_id, again(values, error), error.status)
        return go(f"/reports/{made}", said="The report is issued, and the client's people are told")

    @get("/preview", permission=Permission.ISSUE_REPORTS)
    def preview(
        self,
        engagement_id: FromPath[str],
        call: Call,
        edition: FromQuery[Edition] = Edition.CLIENT,
        summary: Annotated[str, QueryParameter(max_length=2000)] = "",
    ) -> Response[bytes]:
        return pdf_response(
            reading.draft_of(call.store, call.actor, engagement_id, desk_of(call), edition, summary, at=call.now)
        )


class ReportPages(Controller):
    path = "/reports/{report_id:str}"
    include_in_schema = False

    @get(permission=Permission.VIEW_DELIVERY)
    def show_report(self, report_id: FromPath[str], call: Call) -> Response[str]:
        def found(session: Session) -> tuple[ReportOut, Place]:
            report = find(session, call.actor, StatusReport, report_id)
            return ReportOut.of(report), Place.of(session, call.actor, report.engagement_id)

        report, place = call.read(found)
        return page(call, "pages/reports/report.html", words=words.HEALTH_WORDS, report=report, place=place)

    @get("/document", permission=Permission.VIEW_DELIVERY)
    def document(self, report_id: FromPath[str], call: Call) -> Response[bytes]:
        return pdf_response(call.read(lambda s: reading.paper_of(s, call.actor, report_id)))

    @get("/pages", permission=Permission.VIEW_DELIVERY)
    def list_pages(self, report_id: FromPath[str], call: Call) -> Response[str]:
        """The pages as pictures, for htmx to put into the report's page."""
        return page(call, "pages/reports/_leaves.html", leaves=leaves_of(_bytes_of(call, report_id)), report=report_id)

    @get("/pages/{name:str}", permission=Permission.VIEW_DELIVERY)
    def show_page(self, report_id: FromPath[str], name: FromPath[str], call: Call) -> Response[bytes]:
        """`3.png` is the third page. Raises `NotFound` for a page that the document has not."""
        number = re.fullmatch(r"([1-9][0-9]{0,3})\.png", name)
        picture = picture_of(_bytes_of(call, report_id), int(number[1])) if number else None
        if picture is None:
            raise NotFound
        return Response(picture, media_type="image/png", headers={"Cache-Control": "private, max-age=86400"})


def _bytes_of(call: Call, report_id: str) -> bytes:
    """Read once for all its pages; the row is asked for each time, for who may see it."""
    previews: Previews = call.request.app.state.wiring.previews
    digest = call.read(lambda s: find(s, call.actor, StatusReport, report_id).pdf_sha256)
    return previews.get(digest, lambda: call.read(lambda s: reading.paper_of(s, call.actor, report_id)).content)


def _listed(call: Call, engagement_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    def found(session: Session) -> dict[str, object]:
        chosen = reading.reports_of(session, call.actor, engagement_id).order_by(col(StatusReport.number).desc())
        return {
            "reports": [ReportOut.of(row) for row in session.exec(chosen)],
            "place": Place.of(session, call.actor, engagement_id),
            "ahead": reading.ahead(session, call.actor, engagement_id, desk_of(call), at=call.now),
        }

    return page(
        call, "pages/reports/reports.html", form=form, status=status, words=words.HEALTH_WORDS, **call.read(found)
    )
