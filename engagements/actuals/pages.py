"""Pages of time, costs, budget, forecast and invoices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final

from litestar import Controller, Response
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler
from sqlmodel import Session

from engagements.actuals import alerts, costs, invoices, reading, states, time_entries, views
from engagements.actuals.charts import value_over_time
from engagements.actuals.models import CostKind, EntryState
from engagements.actuals.page_forms import BackForm, CostForm, LogForm, WeekForm
from engagements.actuals.rates import agreed_baseline, currency_of
from engagements.actuals.rules import hours_text
from engagements.actuals.schemas import StepIn, TimeLogged, WeekOut
from engagements.actuals.states import Step
from engagements.actuals.views import ActualsPage
from engagements.actuals.weeks import Week
from engagements.actuals.when import when_of
from engagements.core.errors import Invalid
from engagements.core.models import Client, Engagement
from engagements.core.roles import Permission
from engagements.core.service import find
from engagements.documents.charts.drawing import Drawing
from engagements.documents.palette import Palette
from engagements.rendering import Formats
from engagements.web.call import Call
from engagements.web.pages import go, page, read_form, submit, typed, version_typed
from engagements.web.routes import get, post
from engagements.web.templates import EMPTY_FORM, Form
from estimator.brief.fields import Day
from estimator.errors import EstimatorError
from estimator.phases import Phase


class ActualsPages(Controller):
    path = "/engagements/{engagement_id:str}/actuals"
    include_in_schema = False

    @get(permission=Permission.VIEW_ACTUALS)
    def show_actuals(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        shown, drawing = call.read(lambda s: _actuals(s, call, engagement_id))
        return page(call, "pages/actuals/actuals.html", shown=shown, drawing=drawing)

    @post("/alerts/{alert_id:str}", permission=Permission.VIEW_ACTUALS)
    def acknowledge(self, engagement_id: FromPath[str], alert_id: FromPath[str], call: Call) -> Response[Any]:
        call.write(lambda s: alerts.acknowledge(s, call.actor, alert_id, at=call.now).id)
        return go(f"/engagements/{engagement_id}/actuals", said="Alert acknowledged")

    @post("/invoices", permission=Permission.EXPORT_INVOICES)
    def make_invoice(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        number = call.write(lambda s: invoices.make_invoice(s, call.actor, engagement_id, when=when_of(s, call)).number)
        return go(f"/engagements/{engagement_id}/actuals", said=f"Invoice {number} handed over")

    @get("/costs/new", permission=Permission.LOG_TIME)
    def new_cost(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return _cost_form(call, engagement_id)

    @post("/costs/new", permission=Permission.LOG_TIME)
    def log_cost(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, CostForm, lambda s, data: _cost_logged(s, call, engagement_id, data),
            then=lambda said: go(f"/engagements/{engagement_id}/actuals", said=said),
            show=lambda form, status: _cost_form(call, engagement_id, form, status),
        )  # fmt: skip

    @get("/approval", permission=Permission.APPROVE_TIME)
    def show_approval(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return _approval(call, engagement_id)

    @post("/approval/approve", permission=Permission.APPROVE_TIME)
    def approve(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        return _decided(call, engagement_id, Step.APPROVE, WeekForm, "Week approved")

    @post("/approval/reject", permission=Permission.APPROVE_TIME)
    def reject(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        return _decided(call, engagement_id, Step.REJECT, BackForm, "Week sent back")


class TimePages(Controller):
    path = "/time"
    include_in_schema = False

    @get(permission=Permission.LOG_TIME)
    def show_week(self, call: Call, day: Annotated[Day | None, QueryParameter()] = None) -> Response[str]:
        return _week(call, day)

    @post(permission=Permission.LOG_TIME)
    def log_time(self, call: Call) -> Response[Any]:
        return submit(
            call, LogForm,
            lambda s, data: time_entries.log_time(
                s, call.actor, data.engagement_id, data.entry(), when=when_of(s, call)
            ),
            then=lambda logged: go(f"/time?day={logged.day}", said=_said(logged)),
            show=lambda form, status: _week(call, None, form, status),
        )  # fmt: skip

    @post("/submit", permission=Permission.LOG_TIME)
    def submit_week(self, call: Call) -> Response[Any]:
        """The week of one engagement, named in the form."""
        engagement_id = typed(call.request).get("engagement_id", "")
        week = typed(call.request).get("week", "")
        chosen = read_form(StepIn, {"week": week})
        call.write(lambda s: len(states.step_time(s, call.actor, engagement_id, Step.SUBMIT, chosen, at=call.now)))
        return go(f"/time?day={Week.parse(week).first}", said=f"Week {week} handed in")

    @post("/{entry_id:str}/remove", permission=Permission.LOG_TIME)
    def remove(self, entry_id: FromPath[str], call: Call) -> Response[Any]:
        version = version_typed(call)
        call.write(lambda s: time_entries.remove_time(s, call.actor, entry_id, version=version, when=when_of(s, call)))
        return go(f"/time?day={typed(call.request).get('day', '')}", said="Entry taken back")


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRow:
    """One engagement's phase and role: hours by day of the week, None where nothing is logged."""

    engagement: str
    engagement_id: str
    phase: str
    role: str
    hours: Sequence[Decimal | None]
    sum: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    id: str
    version: int
    day: date
    hours: Decimal
    state: EntryState
    note: str
    state_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEngagement:
    """What of the week is on one engagement."""

    id: str
    name: str
    entries: Sequence[EntryRow]

    @property
    def has_open(self) -> bool:
        return any(entry.state is EntryState.OPEN for entry in self.entries)


def _actuals(session: Session, call: Call, engagement_id: str) -> tuple[ActualsPage, Drawing | None]:
    shown = views.actuals_page(session, call.actor, engagement_id, today=when_of(session, call).today)
    agency = call.request.app.state.wiring.settings.agency
    drawn = (
        value_over_time(shown.earned, Formats(agency.locale), Palette(accent=agency.accent)) if shown.earned else None
    )
    return shown, drawn


def _said(logged: TimeLogged) -> str:
    """What was logged, and at once which budgets that brought near their end."""
    return ". ".join([f"{hours_text(logged.minutes)} logged", *(warning.text for warning in logged.warnings)])


def _week(call: Call, day: date | None, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    def found(session: Session) -> tuple[WeekOut, date]:
        today = when_of(session, call).today
        return reading.my_week(session, call.actor, day or today), today

    week, today = call.read(found)
    number = Week.parse(week.week)
    return page(
        call, "pages/actuals/time.html", week=week, days=number.days, rows=_grid(week), today=today,
        chosen=max(min(today, week.last), week.first), before=number.plus(-1).first, after=number.plus(1).first,
        day_hours=[Decimal(minutes) / 60 for minutes in week.day_minutes], hours=Decimal(week.minutes) / 60,
        roles=_roles(week), own=_own(week), form=form, status=status,
    )  # fmt: skip


def _roles(week: WeekOut) -> list[tuple[str, str]]:
    known = sorted({role for each in week.engagements for role in each.roles})
    return [(role, role.replace("_", " ").capitalize()) for role in known]


def _own(week: WeekOut) -> list[OwnEngagement]:
    found = []
    for each in week.engagements:
        entries = [
            EntryRow(
                id=entry.id, version=entry.version, day=entry.day, hours=Decimal(entry.minutes) / 60,
                state=entry.state, note=entry.note, state_reason=entry.state_reason,
            )
            for entry in week.entries
            if entry.engagement_id == each.id
        ]  # fmt: skip
        if entries:
            found.append(OwnEngagement(id=each.id, name=each.name, entries=entries))
    return found


def _grid(week: WeekOut) -> list[GridRow]:
    names = {each.id: each.name for each in week.engagements}
    found: dict[tuple[str, Phase, str], list[int]] = {}
    for entry in week.entries:
        days = found.setdefault((entry.engagement_id, entry.phase, entry.role), [0] * 7)
        days[entry.day.weekday()] += entry.minutes
    return [
        GridRow(
            engagement=names.get(engagement_id, ""), engagement_id=engagement_id, phase=phase.label,
            role=role.replace("_", " "), hours=[Decimal(minutes) / 60 if minutes else None for minutes in days],
            sum=Decimal(sum(days)) / 60,
        )
        for (engagement_id, phase, role), days in found.items()
    ]  # fmt: skip


def _cost_form(call: Call, engagement_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    def found(session: Session) -> tuple[str, str, date]:
        engagement = find(session, call.actor, Engagement, engagement_id)
        return engagement.name, currency_of(agreed_baseline(session, engagement_id)), when_of(session, call).today

    name, currency, today = call.read(found)
    kinds = [(kind.value, kind.replace("_", " ").capitalize()) for kind in CostKind]
    return page(
        call, "pages/actuals/cost_form.html", id=engagement_id, name=name, currency=currency, today=today, kinds=kinds,
        phases=views.phase_choices(), form=form, status=status,
    )  # fmt: skip


def _cost_logged(session: Session, call: Call, engagement_id: str, data: CostForm) -> str:
    engagement = find(session, call.actor, Engagement, engagement_id)
    try:
        entry = data.entry(currency_of(agreed_baseline(session, engagement.id)))
    except EstimatorError as error:
        raise Invalid.of(*error.problems) from error
    logged = costs.log_cost(session, call.actor, engagement_id, entry, when=when_of(session, call))
    return ". ".join(["Cost logged", *(warning.text for warning in logged.warnings)])


def _approval(call: Call, engagement_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    def found(session: Session) -> dict[str, object]:
        engagement = find(session, call.actor, Engagement, engagement_id)
        client = find(session, call.actor, Client, engagement.client_id)
        return {
            "engagement": {"id": engagement.id, "name": engagement.name},
            "client": {"id": client.id, "name": client.name},
            "weeks": views.handed_in(session, call.actor, engagement_id),
        }

    return page(call, "pages/actuals/approval.html", **call.read(found), form=form, status=status)


def _decided(call: Call, engagement_id: str, step: Step, model: type[WeekForm], said: str) -> Response[Any]:
    def effect(session: Session, data: WeekForm) -> int:
        reason = data.reason if isinstance(data, BackForm) else ""
        chosen = read_form(StepIn, {"week": data.week, "person_id": data.person_id})
        return len(states.step_time(session, call.actor, engagement_id, step, chosen, at=call.now, reason=reason))

    return submit(
        call, model, effect, then=lambda _: go(f"/engagements/{engagement_id}/actuals/approval", said=said),
        show=lambda form, status: _approval(call, engagement_id, form, status),
    )  # fmt: skip


ROUTES: Final[Sequence[ControllerRouterHandler]] = (ActualsPages, TimePages)
