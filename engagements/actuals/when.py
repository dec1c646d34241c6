"""The moment of a call, and the day it is then where the agency is."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from engagements.core.models import Organisation
from engagements.proposals.agency import agency_of
from engagements.web.call import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """`at` is aware; `zone` the agency's time zone, by which days and weeks are counted."""

    at: datetime
    zone: str

    @property
    def today(self) -> date:
        return self.day_of(self.at)

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.zone)).date()


def when_of(session: Session, call: Call) -> When:
    organisation = session.get_one(Organisation, call.actor.organisation_id)
    own = agency_of(organisation, call.request.app.state.wiring.settings.agency)
    return When(at=call.now, zone=own.time_zone)
