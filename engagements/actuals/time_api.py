"""Time over /api/v1: of an engagement, one entry, one's own week, and the days that are closed."""

from typing import Annotated

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody, QueryParameter
from sqlmodel import Session, col

from engagements.actuals import csv_files, reading, states, time_entries
from engagements.actuals.lock import set_time_lock, time_lock
from engagements.actuals.models import EntryState, TimeEntry
from engagements.actuals.place import engagement_of
from engagements.actuals.schemas import (
    AdjustIn,
    BackIn,
    CsvIn,
    ImportOut,
    StepIn,
    TimeIn,
    TimeList,
    TimeLockIn,
    TimeLockOut,
    TimeLogged,
    TimeOut,
    TimePatch,
    WeekOut,
)
from engagements.actuals.states import Step
from engagements.actuals.when import when_of
from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.core.service import find, scoped
from engagements.web.call import Call
from engagements.web.paging import LIMIT, Cursor, Limit, page_of
from engagements.web.routes import delete, get, patch, post, put
from estimator.brief.fields import Day
from estimator.phases import Phase

CSV_TYPE = "text/csv; charset=utf-8"


def csv_answer(text: str, name: str) -> Response[str]:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(text, media_type=CSV_TYPE, headers=headers)


class TimeOfEngagement(Controller):
    path = "/api/v1/engagements/{engagement_id:str}"
    tags = ("Time and cost",)

    @get("/time", permission=Permission.VIEW_ACTUALS, summary="Time that was logged")
    def list_time(
        self, engagement_id: FromPath[str], call: Call, limit: Limit = LIMIT, cursor: Cursor = None,
        person: Annotated[str | None, QueryParameter(max_length=40)] = None,
        of_phase: Annotated[Phase | None, QueryParameter(name="phase")] = None,
        in_state: Annotated[EntryState | None, QueryParameter(name="state")] = None,
    ) -> Page[TimeOut]:  # fmt: skip
        """Rates and cost are null for who may not see cost."""
        chosen = scoped(TimeEntry, call.actor).where(TimeEntry.engagement_id == engagement_id)
        for column, wanted in ((TimeEntry.person_id, person), (TimeEntry.phase, of_phase), (TimeEntry.state, in_state)):
            chosen = chosen.where(col(column) == wanted) if wanted is not None else chosen

        def found(session: Session) -> Page[TimeOut]:
            engagement_of(session, call.actor, engagement_id)
            return page_of(
                session, chosen, TimeEntry, lambda row: time_entries.shown(row, call.actor), limit=limit, cursor=cursor
            )

        return call.read(found)

    @post("/time", permission=Permission.LOG_TIME, summary="Log time")
    def log_time(self, engagement_id: FromPath[str], data: JSONBody[TimeIn], call: Call) -> Response[TimeLogged]:
        """`warnings` says at once which budgets this brought to 80 % or over. 409 for a week that was handed in."""
        return call.create(lambda s: time_entries.log_time(s, call.actor, engagement_id, data, when=when_of(s, call)))

    @post("/time/submit", permission=Permission.LOG_TIME, summary="Hand time in")
    def submit_time(self, engagement_id: FromPath[str], data: JSONBody[StepIn], call: Call) -> Response[TimeList]:
        """From then on the person's week of this engagement takes no entries, until it is rejected or reopened."""
        return _stepped(call, engagement_id, Step.SUBMIT, data)

    @post("/time/approve", permission=Permission.APPROVE_TIME, summary="Approve time")
    def approve_time(self, engagement_id: FromPath[str], data: JSONBody[StepIn], call: Call) -> Response[TimeList]:
        """403 `second_person_required` for one's own, and for what one logged for others."""
        return _stepped(call, engagement_id, Step.APPROVE, data)

    @post("/time/reject", permission=Permission.APPROVE_TIME, summary="Send time back")
    def reject_time(self, engagement_id: FromPath[str], data: JSONBody[BackIn], call: Call) -> Response[TimeList]:
        return _stepped(call, engagement_id, Step.REJECT, data, data.reason)

    @post("/time/reopen", permission=Permission.APPROVE_TIME, summary="Open approved time again")
    def reopen_time(self, engagement_id: FromPath[str], data: JSONBody[BackIn], call: Call) -> Response[TimeList]:
        """Never what was invoiced: that is adjusted."""
        return _stepped(call, engagement_id, Step.REOPEN, data, data.reason)

    @post("/time/import", permission=Permission.LOG_TIME, summary="Log time from CSV", status_code=200)
    def import_time(self, engagement_id: FromPath[str], data: JSONBody[CsvIn], call: Call) -> Response[ImportOut]:
        """All of the file or nothing; 422 lists every fault with its line."""
        return call.act(lambda s: csv_files.import_time(s, call.actor, engagement_id, data, when=when_of(s, call)))

    @get("/time.csv", permission=Permission.VIEW_ACTUALS, summary="Time as CSV", media_type="text/csv")
    def export_time(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return csv_answer(call.read(lambda s: reading.time_file(s, call.actor, engagement_id)), "time")


class Time(Controller):
    path = "/api/v1/time"
    tags = ("Time and cost",)

    @get("/{entry_id:str}", permission=Permission.VIEW_ACTUALS, summary="One entry")
    def show_time(self, entry_id: FromPath[str], call: Call) -> Response[TimeOut]:
        return call.show(lambda s: time_entries.shown(find(s, call.actor, TimeEntry, entry_id), call.actor))

    @patch("/{entry_id:str}", permission=Permission.LOG_TIME, summary="Change an open entry")
    def change_time(self, entry_id: FromPath[str], data: JSONBody[TimePatch], call: Call) -> Response[TimeLogged]:
        return call.change(
            lambda s, v: time_entries.change_time(s, call.actor, entry_id, data, version=v, when=when_of(s, call))
        )

    @delete("/{entry_id:str}", permission=Permission.LOG_TIME, summary="Take an open entry back")
    def remove_time(self, entry_id: FromPath[str], call: Call) -> Response[None]:
        return call.remove(
            lambda s, v: time_entries.remove_time(s, call.actor, entry_id, version=v, when=when_of(s, call))
        )

    @post("/{entry_id:str}/adjust", permission=Permission.LOG_TIME, summary="Adjust what was invoiced")
    def adjust_time(self, entry_id: FromPath[str], data: JSONBody[AdjustIn], call: Call) -> Response[TimeLogged]:
        """An entry of its own, to be approved and invoiced like any other."""
        return call.create(lambda s: time_entries.adjust_time(s, call.actor, entry_id, data, when=when_of(s, call)))


class MyWeek(Controller):
    path = "/api/v1/me/week"
    tags = ("Time and cost",)

    @get(permission=Permission.LOG_TIME, summary="My week over all engagements")
    def show_week(self, call: Call, day: Annotated[Day | None, QueryParameter()] = None) -> WeekOut:
        """The ISO week of a day, this week where none is named."""
        return call.read(lambda s: reading.my_week(s, call.actor, day or when_of(s, call).today))


class TimeLocks(Controller):
    path = "/api/v1/time-lock"
    tags = ("Time and cost",)

    @get(permission=Permission.VIEW_ACTUALS, summary="Up to which day time is closed")
    def show_lock(self, call: Call) -> Response[TimeLockOut]:
        return call.show(lambda s: time_lock(s, call.actor))

    @put(permission=Permission.APPROVE_TIME, summary="Close days, or open them again")
    def set_lock(self, data: JSONBody[TimeLockIn], call: Call) -> Response[TimeLockOut]:
        return call.change(lambda s, v: set_time_lock(s, call.actor, data, version=v, when=when_of(s, call)))


def _stepped(call: Call, engagement_id: str, step: Step, data: StepIn, reason: str = "") -> Response[TimeList]:
    return call.act(
        lambda s: TimeList(
            items=[
                time_entries.shown(row, call.actor)
                for row in states.step_time(s, call.actor, engagement_id, step, data, at=call.now, reason=reason)
            ]
        )
    )
