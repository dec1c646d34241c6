"""Sources over /api/v1: added, described, previewed, imported, removed, and what became of their rows."""

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody
from sqlmodel import Session

from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.core.service import find
from engagements.phases.data_preparation.jobs.schemas import JobOut, job_out
from engagements.phases.data_preparation.models import DataSource
from engagements.phases.data_preparation.sources import service
from engagements.phases.data_preparation.sources.losses import losses_csv
from engagements.phases.data_preparation.sources.schemas import SourceIn, SourceOut, SourcePatch, SourcePreviewOut
from engagements.web.call import Call, CallOfRequest
from engagements.web.routes import delete, get, patch, post


class EngagementSources(Controller):
    path = "/api/v1/engagements/{engagement_id:str}/data/sources"
    tags = ("Data",)

    @get(permission=Permission.VIEW_DATA, summary="Its sources, newest first")
    def list_sources(self, engagement_id: FromPath[str], call: Call) -> Page[SourceOut]:
        return call.read(
            lambda s: Page(items=[SourceOut.of(row) for row in service.sources_of(s, call.actor, engagement_id)])
        )

    @post(permission=Permission.PREPARE_DATA, summary="Add a source")
    def add_source(self, engagement_id: FromPath[str], data: JSONBody[SourceIn], call: Call) -> Response[SourceOut]:
        """From an upload that is complete, or from a place that the installation allows (`data_places`)."""
        allowed = call.request.app.state.wiring.settings.data_places
        return call.create(
            lambda s: SourceOut.of(
                service.add_source(s, call.actor, engagement_id, data, places_allowed=allowed, at=call.now)
            )
        )


class Sources(Controller):
    path = "/api/v1/data-sources/{source_id:str}"
    tags = ("Data",)

    @get(permission=Permission.VIEW_DATA, summary="One source, and what became of its rows")
    def show_source(self, source_id: FromPath[str], call: Call) -> Response[SourceOut]:
        return call.show(lambda s: SourceOut.of(find(s, call.actor, DataSource, source_id)))

    @patch(permission=Permission.PREPARE_DATA, summary="What it is, and which of its columns is what")
    def change_source(self, source_id: FromPath[str], data: JSONBody[SourcePatch], call: Call) -> Response[SourceOut]:
        """409 once it is imported."""
        return call.change(
            lambda s, v: SourceOut.of(service.change_source(s, call.actor, source_id, data, version=v, at=call.now))
        )

    @get("/preview", permission=Permission.PREPARE_DATA, summary="Its first rows as examples")
    def preview(self, source_id: FromPath[str], call: Call) -> SourcePreviewOut:
        """409 `source_fetching` while there is nothing to be read yet."""
        return preview_in(call, call.read(lambda s: SourceOut.of(find(s, call.actor, DataSource, source_id))))

    @post("/import", permission=Permission.PREPARE_DATA, summary="Make examples of its rows")
    def start_import(self, source_id: FromPath[str], call: Call) -> Response[JobOut]:
        return call.create(lambda s: job_out(s, service.ask_import(s, call.actor, source_id, at=call.now)))

    @get("/problems.csv", permission=Permission.VIEW_DATA, summary="Rows left out, as CSV", media_type="text/csv")
    def export_problems(self, source_id: FromPath[str], call: Call) -> Response[str]:
        source = call.read(lambda s: SourceOut.of(find(s, call.actor, DataSource, source_id)))
        headers = {"Content-Disposition": 'attachment; filename="problems.csv"'}
        return Response(losses_csv(source), media_type="text/csv; charset=utf-8", headers=headers)

    @delete(permission=Permission.PREPARE_DATA, summary="Remove it with its examples", status_code=204)
    def remove_source(self, source_id: FromPath[str], call: Call) -> Response[None]:
        """409 where a sealed dataset or a review holds one of them."""
        answer = call.remove(
            lambda s, v: _none(service.remove_source(s, call.actor, source_id, version=v, at=call.now))
        )
        forget_bytes(call, source_id)
        return answer


def preview_in(call: CallOfRequest, source: SourceOut) -> SourcePreviewOut:
    """Raises `SourceFetching`, `BlobDamaged` and `FileUnreadable`."""
    # The readers of spreadsheets and encodings are loaded when a file is looked at.
    from engagements.phases.data_preparation.sources.reading import preview_of  # noqa: PLC0415

    if not source.sha256:
        raise service.SourceFetching(f"this source is {source.state.value}", remedy="wait until its file is there")
    return preview_of(call.request.app.state.wiring.storage, source)


def forget_bytes(call: CallOfRequest, source_id: str) -> None:
    """The file of a source that was removed, unless another was made from the same."""

    def orphan(session: Session) -> str:
        row = find(session, call.actor, DataSource, source_id)
        return row.sha256 if row.sha256 and service.is_orphaned(session, row.sha256) else ""

    if sha256 := call.read(orphan):
        call.request.app.state.wiring.storage.delete(sha256)


def _none(_: object) -> None:
    return None
