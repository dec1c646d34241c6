"""Which day it is where the agency is, and how far apart two days are in working days."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from engagements.core.models import Organisation
from engagements.core.roles import Actor
from engagements.delivery.models import Baseline
from engagements.settings import Agency
from estimator.calendar import WorkCalendar

ONE_DAY = timedelta(days=1)


def today_of(session: Session, actor: Actor, agency: Agency, at: datetime) -> date:
    """The day it is where the agency is; a tenant's own time zone goes before the installation's."""
    organisation = session.get_one(Organisation, actor.organisation_id)
    zone = organisation.branding.get("time_zone") or agency.time_zone
    return at.astimezone(ZoneInfo(zone)).date()


def calendar_of(baseline: Baseline) -> WorkCalendar:
    """The working days that the plan was agreed on."""
    return WorkCalendar(**baseline.plan["calendar"])


def working_days_from(calendar: WorkCalendar, start: date, end: date) -> int:
    """Working days after `start` up to and with `end`; below 0 where `end` comes first."""
    if end < start:
        return -working_days_from(calendar, end, start)
    return calendar.count(start + ONE_DAY, end)
