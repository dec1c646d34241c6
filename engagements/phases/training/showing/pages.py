"""The pages of training: experiments of an engagement, a new one with what it would take, one with its runs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from litestar import Controller, Response
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from sqlmodel import Session

from engagements.core.errors import EngagementError, NotFound
from engagements.core.roles import Permission
from engagements.phases.training.experiment_api import draft, parts_of
from engagements.phases.training.plans import planning, starting
from engagements.phases.training.showing import knobs, plan_page, run_pages, words
from engagements.phases.training.showing.experiment_page import experiment_page, overview
from engagements.phases.training.showing.page_forms import AXES_MAX, ExperimentForm, NoFields, at_fields, to_look_at
from engagements.phases.training.showing.plan_page import ShownPlan
from engagements.phases.training.showing.run_pages import formats_of
from engagements.phases.training.supervising import steering
from engagements.web.call import Call, CallOfRequest
from engagements.web.pages import again, go, is_fragment, page, read_form, submit, typed
from engagements.web.routes import get, post
from engagements.web.templates import EMPTY_FORM, Form
from estimator.errors import EstimatorError

_OPTIONS: Final[Mapping[str, Any]] = {
    "designs": [(key.value, label, note) for key, (label, note) in words.DESIGNS.items()],
    "strategies": [(key.value, label, note) for key, (label, note) in words.STRATEGIES.items()],
    "metrics": list(words.METRICS.items()),
    "axes": [*knobs.AXES, ("seed", "Seed"), ("model", "Model"), ("backend", "Backend")],
    "axes_max": AXES_MAX,
}


class TrainingPages(Controller):
    path = "/engagements/{engagement_id:str}/training"
    include_in_schema = False

    @get(permission=Permission.VIEW_DELIVERY)
    def show_training(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        shown = call.read(lambda s: overview(s, call.actor, engagement_id, parts_of(call).trainers))
        return page(call, "pages/training/overview.html", shown=shown, words=words)

    @get("/new", permission=Permission.RUN_TRAINING)
    def ask_experiment(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return _form(call, engagement_id)

    @post("/preview", permission=Permission.RUN_TRAINING, status_code=200)
    def preview(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        """What it would take, beside the form; without JavaScript on the page of the form. Nothing is kept."""
        values = typed(call.request)
        return _form(
            call, engagement_id, Form(values=values, faults={}), looked=_looked(call, engagement_id, values)
        )  # fmt: skip

    @post("/new", permission=Permission.RUN_TRAINING)
    def plan(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        values = typed(call.request)
        try:
            drafted = draft(call, engagement_id, read_form(ExperimentForm, values))
            made = call.write(lambda s: planning.keep(s, call.actor, engagement_id, drafted, at=call.now).id)
        except NotFound:
            raise
        except (EngagementError, EstimatorError) as error:
            return _form(call, engagement_id, _again(values, error), status=_status(error))
        return go(f"/experiments/{made}", said="Planned; nothing is sent and nothing spent yet")


class ExperimentPages(Controller):
    path = "/experiments/{experiment_id:str}"
    include_in_schema = False

    @get(permission=Permission.VIEW_DELIVERY)
    def show_experiment(self, experiment_id: FromPath[str], call: Call) -> Response[str]:
        return _experiment(call, experiment_id)

    @post("/start", permission=Permission.RUN_TRAINING)
    def start(self, experiment_id: FromPath[str], call: Call) -> Response[Any]:
        parts = parts_of(call)
        call.read(lambda s: starting.check_data(s, call.actor, experiment_id, parts))
        return submit(
            call, NoFields, lambda s, _: starting.start(s, call.actor, experiment_id, parts=parts, at=call.now).id,
            then=lambda made: go(f"/experiments/{made}", said="Started; its runs wait for their backends"),
            show=lambda form, status: _experiment(call, experiment_id, form, status),
        )  # fmt: skip

    @post("/cancel", permission=Permission.RUN_TRAINING)
    def cancel(self, experiment_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, NoFields, lambda s, _: steering.cancel_experiment(s, call.actor, experiment_id, at=call.now).id,
            then=lambda made: go(f"/experiments/{made}", said="It is being cancelled"),
            show=lambda form, status: _experiment(call, experiment_id, form, status),
        )  # fmt: skip


def _experiment(call: CallOfRequest, experiment_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    """How far it is alone to htmx, which asks again until it is over, and then for the whole page."""
    shown = call.read(lambda s: experiment_page(s, call.actor, experiment_id, formats_of(call)))
    template = "_runs.html" if is_fragment(call.request) else "experiment.html"
    answer = page(call, f"pages/training/{template}", form=form, status=status, shown=shown, words=words)
    if is_fragment(call.request) and shown.is_over:
        answer.headers["HX-Refresh"] = "true"
    return answer


def _form(
    call: CallOfRequest, engagement_id: str, form: Form = EMPTY_FORM, *, looked: ShownPlan | Form = EMPTY_FORM,
    status: int = 200,
) -> Response[str]:  # fmt: skip
    """`looked`: the plan, or what is missing for one."""

    def found(session: Session) -> plan_page.Choices:
        return plan_page.choices(
            session, call.actor, engagement_id, form.values, parts_of(call), today=call.now.date()
        )  # fmt: skip

    template = "_plan.html" if is_fragment(call.request) else "new.html"
    return page(
        call, f"pages/training/{template}", form=form, status=status, choices=call.read(found), words=words,
        plan=looked if isinstance(looked, ShownPlan) else None,
        missing=looked if isinstance(looked, Form) else EMPTY_FORM, is_fragment=is_fragment(call.request), **_OPTIONS,
    )  # fmt: skip


def _looked(call: CallOfRequest, engagement_id: str, values: Mapping[str, str]) -> ShownPlan | Form:
    try:
        drafted = draft(call, engagement_id, read_form(ExperimentForm, to_look_at(values)))
    except NotFound:
        raise
    except (EngagementError, EstimatorError) as error:
        return _again(to_look_at(values), error)
    return plan_page.shown(drafted, values, formats_of(call))


def _again(values: Mapping[str, str], error: EngagementError | EstimatorError) -> Form:
    """The form as it was typed, with everything that is wrong at its field."""
    faults = at_fields(error.problems, values)
    if isinstance(error, EngagementError) and not faults:
        return again(values, error)
    return Form(values=values, faults=faults)


def _status(error: EngagementError | EstimatorError) -> int:
    return error.status if isinstance(error, EngagementError) else 422


ROUTES: Final[Sequence[ControllerRouterHandler]] = (TrainingPages, ExperimentPages, *run_pages.ROUTES)
