"""Uploads and sources: the pages, and the work under way that stands on them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from litestar import Controller, Response
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from sqlmodel import Session

from engagements.core.errors import EngagementError
from engagements.core.models import Engagement
from engagements.core.roles import Permission
from engagements.core.schemas import EngagementOut, In
from engagements.core.service import find
from engagements.phases.data_preparation import words
from engagements.phases.data_preparation.jobs import queue
from engagements.phases.data_preparation.jobs.reading import job_of, jobs_of
from engagements.phases.data_preparation.jobs.schemas import JobOut
from engagements.phases.data_preparation.models import DataSource, SourceState, Upload
from engagements.phases.data_preparation.pool.standing import standing_of
from engagements.phases.data_preparation.reach import find_row
from engagements.phases.data_preparation.sources import service
from engagements.phases.data_preparation.sources.next_step import next_step
from engagements.phases.data_preparation.sources.page_forms import MappingForm, NoFields, SourceForm
from engagements.phases.data_preparation.sources.receiving import give_up
from engagements.phases.data_preparation.sources.schemas import SourceOut, UploadOut
from engagements.phases.data_preparation.sources.source_api import forget_bytes, preview_in
from engagements.phases.data_preparation.sources.uploads import uploads_of
from engagements.web.call import Call, CallOfRequest
from engagements.web.pages import go, is_fragment, page, submit, version_typed
from engagements.web.routes import get, post
from engagements.web.templates import EMPTY_FORM, Form
from estimator.errors import EstimatorError

_JOBS_SHOWN: Final = 50
_MAPPED: Final = frozenset({SourceState.NEW, SourceState.FAILED, SourceState.CANCELLED})


class DataPages(Controller):
    path = "/engagements/{engagement_id:str}/data"
    include_in_schema = False

    @get(permission=Permission.VIEW_DATA)
    def show_data(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        def shown(session: Session) -> dict[str, Any]:
            jobs = jobs_of(session, call.actor, engagement_id, limit=10, cursor=None).items
            sources = [SourceOut.of(row) for row in service.sources_of(session, call.actor, engagement_id)]
            standing = standing_of(session, call.actor, engagement_id)
            return {
                "engagement": engagement_of(session, call, engagement_id),
                "sources": sources, "standing": standing, "step": next_step(engagement_id, sources, standing),
                "live": [job for job in jobs if job.state not in queue.ENDED],
                "uploads": [UploadOut.of(row) for row in uploads_of(session, call.actor, engagement_id)],
            }  # fmt: skip

        return page(call, "pages/data/overview.html", words=words, **call.read(shown))

    @get("/sources/new", permission=Permission.PREPARE_DATA)
    def ask_source(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return _source_form(call, engagement_id)

    @post("/sources/new", permission=Permission.PREPARE_DATA)
    def add_source(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        allowed = call.request.app.state.wiring.settings.data_places
        return submit(
            call, SourceForm,
            lambda s, data: service.add_source(
                s, call.actor, engagement_id, data, places_allowed=allowed, at=call.now
            ).id,
            then=lambda made: go(f"/data-sources/{made}", said="The source was added"),
            show=lambda form, status: _source_form(call, engagement_id, form, status),
        )  # fmt: skip

    @get("/jobs", permission=Permission.VIEW_DATA)
    def show_jobs(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        engagement = call.read(lambda s: engagement_of(s, call, engagement_id))
        jobs = call.read(lambda s: jobs_of(s, call.actor, engagement_id, limit=_JOBS_SHOWN, cursor=None).items)
        subjects = call.read(lambda s: {row.id: row.name for row in service.sources_of(s, call.actor, engagement_id)})
        return page(call, "pages/data/jobs.html", words=words, engagement=engagement, jobs=jobs, subjects=subjects)


class SourcePages(Controller):
    path = "/data-sources/{source_id:str}"
    include_in_schema = False

    @get(permission=Permission.VIEW_DATA)
    def show_source(self, source_id: FromPath[str], call: Call) -> Response[str]:
        return _source(call, source_id)

    @post("/mapping", permission=Permission.PREPARE_DATA)
    def change_mapping(self, source_id: FromPath[str], call: Call) -> Response[Any]:
        return _change(
            call, source_id, MappingForm, "Saved; this is how its rows will read",
            lambda s, data: service.change_source(
                s, call.actor, source_id, data, version=version_typed(call), at=call.now
            ),
        )  # fmt: skip

    @post("/import", permission=Permission.PREPARE_DATA)
    def start_import(self, source_id: FromPath[str], call: Call) -> Response[Any]:
        return _change(
            call, source_id, NoFields, "Begun; you may leave this page",
            lambda s, _: service.ask_import(s, call.actor, source_id, at=call.now),
        )  # fmt: skip

    @post("/remove", permission=Permission.PREPARE_DATA)
    def remove(self, source_id: FromPath[str], call: Call) -> Response[Any]:
        home = call.read(lambda s: find(s, call.actor, DataSource, source_id).engagement_id)
        answer = submit(
            call, NoFields,
            lambda s, _: service.remove_source(
                s, call.actor, source_id, version=version_typed(call), at=call.now
            ).name,
            then=lambda name: go(f"/engagements/{home}/data", said=f"{name} was removed"),
            show=lambda form, status: _source(call, source_id, form, status),
        )  # fmt: skip
        if answer.status_code == 303:
            forget_bytes(call, source_id)
        return answer


class UploadPages(Controller):
    path = "/data-uploads/{upload_id:str}"
    include_in_schema = False

    @post("/abandon", permission=Permission.PREPARE_DATA)
    def abandon(self, upload_id: FromPath[str], call: Call) -> Response[Any]:
        upload = call.read(lambda s: UploadOut.of(find_row(s, call.actor, Upload, upload_id)))
        give_up(call.store, call.request.app.state.wiring.storage, call.actor, upload_id, at=call.now)
        return go(f"/engagements/{upload.engagement_id}/data", said=f"What was sent of {upload.name} is thrown away")


class JobPages(Controller):
    path = "/data-jobs/{job_id:str}"
    include_in_schema = False

    @get(permission=Permission.VIEW_DATA)
    def show_job(self, job_id: FromPath[str], call: Call) -> Response[str]:
        """The bar alone to htmx, which asks again until the job has ended and then for the page that it stands on."""
        if not is_fragment(call.request):
            return _job(call, job_id)
        job = call.read(lambda s: job_of(s, call.actor, job_id))
        answer = page(call, "pages/data/_job.html", words=words, job=job)
        if job.state in queue.ENDED:
            answer.headers["HX-Refresh"] = "true"
        return answer

    @post("/cancel", permission=Permission.PREPARE_DATA)
    def cancel(self, job_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, NoFields, lambda s, _: queue.cancel(s, call.actor, job_id, at=call.now).id,
            then=lambda made: go(f"/data-jobs/{made}", said="It stops at its next step"),
            show=lambda form, status: _job(call, job_id, form, status),
        )  # fmt: skip


def engagement_of(session: Session, call: CallOfRequest, engagement_id: str) -> EngagementOut:
    return EngagementOut.of(find(session, call.actor, Engagement, engagement_id))


def _source_form(call: CallOfRequest, engagement_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    engagement = call.read(lambda s: engagement_of(s, call, engagement_id))
    places = bool(call.request.app.state.wiring.settings.data_places)
    return page(
        call, "pages/data/source_form.html", words=words, engagement=engagement, places=places, form=form, status=status
    )


def _source(call: CallOfRequest, source_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    source, engagement, job = call.read(lambda s: _with_job(s, call, source_id))
    return page(
        call, "pages/data/source.html", words=words, source=source, engagement=engagement, job=job, form=form,
        status=status, **_preview(call, source),
    )  # fmt: skip


def _with_job(session: Session, call: CallOfRequest, source_id: str) -> tuple[SourceOut, EngagementOut, JobOut | None]:
    """With the newest work on it."""
    row = find(session, call.actor, DataSource, source_id)
    job = service.newest_job(session, row.id)
    return SourceOut.of(row), engagement_of(session, call, row.engagement_id), job


def _preview(call: CallOfRequest, source: SourceOut) -> Mapping[str, Any]:
    """Of what may still be mapped: its first rows; of a file that cannot be read, why."""
    if source.state not in _MAPPED or not source.sha256 or not call.actor.may(Permission.PREPARE_DATA):
        return {"preview": None, "unreadable": ""}
    try:
        return {"preview": preview_in(call, source), "unreadable": ""}
    except (EngagementError, EstimatorError) as error:
        return {"preview": None, "unreadable": str(error)}


def _change(
    call: CallOfRequest, source_id: str, model: type[In], said: str, effect: Callable[[Session, Any], Any]
) -> Response[Any]:
    return submit(
        call, model, lambda s, data: effect(s, data).id,
        then=lambda _: go(f"/data-sources/{source_id}", said=said),
        show=lambda form, status: _source(call, source_id, form, status),
    )  # fmt: skip


def _job(call: CallOfRequest, job_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    def shown(session: Session) -> dict[str, Any]:
        job = job_of(session, call.actor, job_id)
        source = session.get(DataSource, job.subject_id)
        engagement = engagement_of(session, call, job.engagement_id)
        return {"job": job, "engagement": engagement, "subject": source.name if source else ""}

    return page(call, "pages/data/job.html", words=words, form=form, status=status, **call.read(shown))


ROUTES: Final[Sequence[ControllerRouterHandler]] = (DataPages, SourcePages, UploadPages, JobPages)
