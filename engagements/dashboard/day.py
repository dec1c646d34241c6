"""Which day it is for whoever asks."""

from datetime import date

from sqlmodel import Session

from engagements.delivery.days import today_of
from engagements.web.call import CallOfRequest


def day_of(session: Session, call: CallOfRequest) -> date:
    """The day it is where the agency is."""
    return today_of(session, call.actor, call.request.app.state.wiring.settings.agency, call.now)
