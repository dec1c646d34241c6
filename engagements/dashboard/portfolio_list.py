"""The portfolio as programs and spreadsheets take it: a page at a time, or all that is listed."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session

from engagements.core.models import EngagementState
from engagements.core.roles import Actor
from engagements.core.schemas import Page
from engagements.dashboard.portfolio import Chosen, in_view, judged, lines_of
from engagements.dashboard.schemas import PortfolioLineOut
from engagements.delivery.export import guarded
from engagements.delivery.health import Health
from engagements.web.paging import cursor_after, last_id

_COLUMNS: Final = tuple(PortfolioLineOut.model_fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which engagements a program asks for; None and "" are any."""

    health: Health | None = None
    in_state: EngagementState | None = None
    owner: str = ""
    search: str = ""


def portfolio_page(
    session: Session, actor: Actor, wanted: Wanted, *, limit: int, cursor: str | None, now: datetime, today: date
) -> Page[PortfolioLineOut]:
    """Newest first. Raises `QueryInvalid` for a cursor of somebody else's."""
    before = last_id(cursor) if cursor is not None else None
    every = judged(session, actor, wanted.search, wanted.owner, now=now, today=today)
    chosen = in_view(in_view(every, wanted.health or ""), wanted.in_state or "")
    older = [one for one in chosen if before is None or one.row.id < before]
    page = sorted(older, key=lambda one: one.row.id, reverse=True)[:limit]
    return Page(
        items=[PortfolioLineOut.told(line, actor) for line in lines_of(session, actor, page, today=today)],
        next=cursor_after(page[-1].row.id) if len(older) > limit else None,
    )


def portfolio_csv(session: Session, actor: Actor, chosen: Chosen, *, now: datetime, today: date) -> str:
    """Exactly what the page lists, on all its pages and in its order. With a byte order mark, so that spreadsheets
    read names rightly; lines end as RFC 4180 says."""
    every = judged(session, actor, chosen.search, chosen.owner, now=now, today=today)
    lines = lines_of(session, actor, in_view(every, chosen.view), today=today)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    writer.writerows(_cells(PortfolioLineOut.told(line, actor)) for line in lines)
    return "\N{ZERO WIDTH NO-BREAK SPACE}" + text.getvalue()


def _cells(out: PortfolioLineOut) -> Iterator[object]:
    for value in out.model_dump(mode="json").values():
        match value:
            case list():
                yield guarded(" ".join(value))
            case str():
                yield guarded(value)
            case _:
                yield "" if value is None else value
