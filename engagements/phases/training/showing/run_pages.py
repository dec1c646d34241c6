"""The pages of one run, live, and of the model versions that came out."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from litestar import Controller, Response
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler
from sqlmodel import Session

from engagements.core.roles import Permission
from engagements.core.service import find
from engagements.phases.training.experiment_api import parts_of
from engagements.phases.training.models import TrainingRun
from engagements.phases.training.showing import words
from engagements.phases.training.showing.page_forms import NoFields
from engagements.phases.training.showing.run_page import model_page, run_page
from engagements.phases.training.supervising import steering
from engagements.phases.training.supervising.retiring import last_day
from engagements.rendering import Formats
from engagements.web.call import Call, CallOfRequest
from engagements.web.pages import go, is_fragment, page, submit
from engagements.web.routes import get, post
from engagements.web.templates import EMPTY_FORM, Form

Seen = Annotated[str, QueryParameter(max_length=80)]


class RunPages(Controller):
    path = "/training-runs/{run_id:str}"
    include_in_schema = False

    @get(permission=Permission.VIEW_TRAINING)
    def show_run(self, run_id: FromPath[str], call: Call, seen: Seen = "") -> Response[str]:
        """`seen`: the state that the page shows, so that what may be done is sent anew when it has changed."""
        return _run(call, run_id, seen=seen)

    @get("/record", permission=Permission.VIEW_TRAINING)
    def show_record(self, run_id: FromPath[str], call: Call) -> Response[bytes]:
        record = call.read(lambda s: find(s, call.actor, TrainingRun, run_id).record)
        headers = {"Content-Disposition": f'attachment; filename="{run_id}.json"'}
        return Response(record.encode(), media_type="application/json", headers=headers)

    @post("/cancel", permission=Permission.RUN_TRAINING)
    def cancel(self, run_id: FromPath[str], call: Call) -> Response[Any]:
        return _steered(
            call, run_id, lambda s: steering.cancel(s, call.actor, run_id, at=call.now), "It is being cancelled"
        )

    @post("/pause", permission=Permission.RUN_TRAINING)
    def pause(self, run_id: FromPath[str], call: Call) -> Response[Any]:
        parts = parts_of(call)
        return _steered(
            call, run_id, lambda s: steering.pause(s, call.actor, run_id, parts=parts, at=call.now),
            "It is being set aside",
        )  # fmt: skip

    @post("/resume", permission=Permission.RUN_TRAINING)
    def resume(self, run_id: FromPath[str], call: Call) -> Response[Any]:
        return _steered(call, run_id, lambda s: steering.resume(s, call.actor, run_id, at=call.now), "It goes on")

    @post("/retry", permission=Permission.RUN_TRAINING)
    def retry(self, run_id: FromPath[str], call: Call) -> Response[Any]:
        parts = parts_of(call)
        return _steered(
            call, run_id, lambda s: steering.retry(s, call.actor, run_id, parts=parts, at=call.now),
            "It is tried again, as a run of its own",
        )  # fmt: skip


class ModelPages(Controller):
    path = "/model-versions/{model_version_id:str}"
    include_in_schema = False

    @get(permission=Permission.VIEW_DELIVERY)
    def show_version(self, model_version_id: FromPath[str], call: Call) -> Response[str]:
        parts = parts_of(call)
        shown = call.read(lambda s: model_page(s, call.actor, model_version_id, parts))
        said = parts.trainers.by_name.get(shown.version.backend)
        last = last_day(parts.book, said.provider, shown.version.base_model) if said and said.provider else None
        return page(call, "pages/training/model.html", shown=shown, last_day=last, words=words)


def formats_of(call: CallOfRequest) -> Formats:
    agency = call.request.app.state.wiring.settings.agency
    return Formats(agency.locale, agency.time_zone)


def _steered(call: CallOfRequest, run_id: str, step: Callable[[Session], TrainingRun], said: str) -> Response[Any]:
    """One step, and the page of the run that it gave; the page it was asked on where it is refused."""
    return submit(
        call, NoFields, lambda s, _: step(s).id, then=lambda made: go(f"/training-runs/{made}", said=said),
        show=lambda form, status: _run(call, run_id, form, status),
    )  # fmt: skip


def _run(
    call: CallOfRequest, run_id: str, form: Form = EMPTY_FORM, status: int = 200, *, seen: str = ""
) -> Response[str]:
    """What changes alone to htmx, which asks again until the run has ended, and then for the whole page."""
    shown = call.read(lambda s: run_page(s, call.actor, run_id, parts_of(call), formats_of(call)))
    template = "_live.html" if is_fragment(call.request) else "run.html"
    answer = page(
        call, f"pages/training/{template}", form=form, status=status, shown=shown, words=words,
        is_fragment=is_fragment(call.request), has_moved=seen != shown.standing,
    )  # fmt: skip
    if is_fragment(call.request) and shown.has_ended:
        answer.headers["HX-Refresh"] = "true"
    return answer


ROUTES: Final[Sequence[ControllerRouterHandler]] = (RunPages, ModelPages)
