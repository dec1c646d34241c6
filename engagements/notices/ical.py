"""A calendar as RFC 5545 has it: all-day events with stable names, and what fell away as cancelled."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from icalendar import Calendar, Event, vDuration, vText

REFRESH: Final = timedelta(hours=1)
CONTENT_TYPE: Final = "text/calendar"
_PRODUCT: Final = "-//Sixfold//Delivery//EN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day worth knowing. `uid` never changes; `sequence` grows with each change of what it stands for."""

    uid: str
    sequence: int
    on: date
    title: str
    text: str
    url: str
    changed_at: datetime
    is_cancelled: bool = False


def calendar_of(name: str, days: Iterable[Day]) -> bytes:
    """The same bytes for the same days, so that their digest says whether anything changed."""
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("name", vText(name))
    calendar.add("x-wr-calname", vText(name))
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for day in days:
        calendar.add_component(_event(day))
    content: bytes = calendar.to_ical()
    return content


def _event(day: Day) -> Event:
    event = Event()
    event.add("uid", day.uid)
    event.add("dtstamp", day.changed_at.astimezone(UTC))
    event.add("last-modified", day.changed_at.astimezone(UTC))
    event.add("sequence", day.sequence)
    event.add("dtstart", day.on)
    event.add("dtend", day.on + timedelta(days=1))
    event.add("summary", day.title)
    event.add("description", day.text)
    event.add("url", day.url)
    event.add("status", "CANCELLED" if day.is_cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    return event
