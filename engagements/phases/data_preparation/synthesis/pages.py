"""Generated examples: the pages. What is missing, the plan with its cost, the run as it goes, what came of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from litestar import Controller, Response
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from sqlmodel import Session, col

from engagements.actuals.rates import currency_of
from engagements.core.errors import EngagementError
from engagements.core.models import Engagement
from engagements.core.roles import Permission
from engagements.core.schemas import EngagementOut
from engagements.core.service import find, scoped
from engagements.delivery.standing import latest_baseline
from engagements.phases.data_preparation.records import Task
from engagements.phases.data_preparation.synthesis import curve, planning, reading, starting
from engagements.phases.data_preparation.synthesis.answers import Dropped
from engagements.phases.data_preparation.synthesis.api import draft, endpoints_of, gaps_out
from engagements.phases.data_preparation.synthesis.controls import ControlKind
from engagements.phases.data_preparation.synthesis.forms import NoFields, SynthesisForm
from engagements.phases.data_preparation.synthesis.models import ENDED, SynthesisRun, SynthesisState
from engagements.phases.data_preparation.synthesis.prompts import OUTPUT_RULES, PERSONAS
from engagements.phases.data_preparation.synthesis.schemas import TARGET
from engagements.rendering import Badge
from engagements.web.call import Call, CallOfRequest
from engagements.web.pages import again, go, is_fragment, page, read_form, submit, typed
from engagements.web.routes import get, post
from engagements.web.templates import EMPTY_FORM, Form
from estimator.money import Money

_RUNS_SHOWN: Final = 50
_TO_MEND: Final = frozenset({409, 422})

STATES: Final[Mapping[SynthesisState, Badge]] = {
    SynthesisState.PLANNED: Badge(tone="warn", label="Planned"),
    SynthesisState.RUNNING: Badge(tone="accent", label="Under way"),
    SynthesisState.DONE: Badge(tone="good", label="Done"),
    SynthesisState.STOPPED: Badge(tone="quiet", label="Stopped"),
    SynthesisState.FAILED: Badge(tone="bad", label="Failed"),
}
REASONS: Final[Mapping[str, str]] = {
    Dropped.WRONG_MODEL: "Another model answered",
    Dropped.NO_TEXT: "No text in the answer",
    Dropped.CUT: "The answer was cut off",
    Dropped.TOO_LARGE: "The answer is too large",
    Dropped.NOT_JSON: "The answer is no JSON",
    Dropped.WRONG_SHAPE: "Not the shape that was asked for",
    Dropped.TOO_MANY: "More than was asked for",
    Dropped.WRONG_LABEL: "Another category than asked for",
    Dropped.DUPLICATE: "A copy of another example",
    Dropped.NEAR_DUPLICATE: "Nearly a copy of another example",
    Dropped.NEAR_TEST: "Nearly a copy of a sealed test example",
    Dropped.CHECK_FAILED: "Fails a check of the data",
    Dropped.JUDGED_LOW: "Graded too low by the judge",
    Dropped.SEED_GONE: "Made from an example that may not be shown any more",
}


KINDS: Final[Mapping[str, str]] = {
    ControlKind.GOOD: "An accepted example, as it is",
    ControlKind.EMPTY: "An accepted example without its answer",
    ControlKind.SHUFFLED: "With the answer of another example",
    ControlKind.WRONG_LABEL: "With the category of another example",
}


class SynthesisPages(Controller):
    path = "/engagements/{engagement_id:str}/synthesis"
    include_in_schema = False

    @get(permission=Permission.VIEW_DATA)
    def show_synthesis(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        def shown(session: Session) -> dict[str, Any]:
            chosen = scoped(SynthesisRun, call.actor).where(col(SynthesisRun.engagement_id) == engagement_id)
            rows = session.exec(chosen.order_by(col(SynthesisRun.id).desc()).limit(_RUNS_SHOWN))
            return {
                "engagement": _engagement(session, call, engagement_id),
                "missing": gaps_out(session, call, engagement_id, TARGET),
                "curve": curve.newest_curve(session, call.actor, engagement_id),
                "runs": [reading.run_out(row) for row in rows],
            }

        return page(call, "pages/synthesis/overview.html", target=TARGET, **_WORDS, **call.read(shown))

    @post("/learning-curve", permission=Permission.PREPARE_DATA)
    def ask_curve(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        call.write(lambda s: curve.ask_curve(s, call.actor, engagement_id, at=call.now))
        return go(f"/engagements/{engagement_id}/synthesis#curve", said="It is being drawn; load the page again soon")

    @get("/new", permission=Permission.PREPARE_DATA)
    def ask_plan(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return _form(call, engagement_id)

    @post("/new", permission=Permission.PREPARE_DATA)
    def plan(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        values = typed(call.request)
        try:
            data = read_form(SynthesisForm, values)
            drafted = draft(call, engagement_id, data)
            made = call.write(lambda s: planning.keep(s, call.actor, engagement_id, drafted, at=call.now).id)
        except EngagementError as error:
            if error.status not in _TO_MEND:
                raise
            return _form(call, engagement_id, again(values, error), error.status)
        return go(f"/synthesis-runs/{made}", said="Planned; nothing is sent yet")


class RunPages(Controller):
    path = "/synthesis-runs/{synthesis_id:str}"
    include_in_schema = False

    @get(permission=Permission.VIEW_DATA)
    def show_run(self, synthesis_id: FromPath[str], call: Call) -> Response[str]:
        """How far it is alone to htmx, which asks again until the run has ended and then for the whole page."""
        if not is_fragment(call.request):
            return _run(call, synthesis_id)
        run = call.read(lambda s: reading.one_run(s, call.actor, synthesis_id))
        answer = page(call, "pages/synthesis/_standing.html", run=run, **_WORDS)
        if run.state in ENDED:
            answer.headers["HX-Refresh"] = "true"
        return answer

    @post("/start", permission=Permission.PREPARE_DATA)
    def start(self, synthesis_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, NoFields,
            lambda s, _: starting.start(s, call.actor, synthesis_id, endpoints=endpoints_of(call), at=call.now).id,
            then=lambda made: go(f"/synthesis-runs/{made}", said="Started; you may leave this page"),
            show=lambda form, status: _run(call, synthesis_id, form, status),
        )  # fmt: skip

    @post("/stop", permission=Permission.PREPARE_DATA)
    def stop(self, synthesis_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, NoFields, lambda s, _: starting.stop(s, call.actor, synthesis_id, at=call.now).id,
            then=lambda made: go(f"/synthesis-runs/{made}", said="It sends nothing more"),
            show=lambda form, status: _run(call, synthesis_id, form, status),
        )  # fmt: skip


def money_of(minor: int | None, currency: str) -> Money | None:
    return None if minor is None else Money(minor, currency)


_WORDS: Final[dict[str, Any]] = {"states": STATES, "reasons": REASONS, "kinds": KINDS, "money_of": money_of}


def _engagement(session: Session, call: CallOfRequest, engagement_id: str) -> EngagementOut:
    return EngagementOut.of(find(session, call.actor, Engagement, engagement_id))


def _form(call: CallOfRequest, engagement_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    def shown(session: Session) -> dict[str, object]:
        baseline = latest_baseline(session, engagement_id)
        return {
            "engagement": _engagement(session, call, engagement_id),
            "missing": gaps_out(session, call, engagement_id, TARGET),
            "currency": currency_of(baseline) if baseline else "",
        }

    endpoints = [(name, name) for name in endpoints_of(call).names]
    tasks = [(task.value, task.value.capitalize()) for task in Task if task in OUTPUT_RULES]
    return page(
        call, "pages/synthesis/new.html", form=form, status=status, endpoints=endpoints, tasks=tasks,
        personas=PERSONAS, target=TARGET, **call.read(shown),
    )  # fmt: skip


def _run(call: CallOfRequest, run_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    def shown(session: Session) -> dict[str, object]:
        run = reading.one_run(session, call.actor, run_id)
        return {
            "run": run,
            "engagement": _engagement(session, call, run.engagement_id),
            "preview": reading.preview_of(session, call.actor, run_id),
            "kept": reading.kept_of(session, call.actor, run_id),
        }

    return page(call, "pages/synthesis/run.html", form=form, status=status, **_WORDS, **call.read(shown))


ROUTES: Final[Sequence[ControllerRouterHandler]] = (SynthesisPages, RunPages)
