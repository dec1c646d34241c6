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
from engagements.dashboard.portfolio import judged_all, judged_newest, lines_of
from engagements.dashboard.portfolio_query import Chosen
from engagements.dashboard.schemas import PortfolioLineOut
from engagements.delivery.health import Health
from engagements.web.paging import cursor_after, last_id
from estimator.csv_cells import guarded

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
    chosen = Chosen(view=wanted.health or "", search=wanted.search, owner=wanted.owner)
    found = judged_newest(
        session, actor, chosen, state=wanted.in_state or "", before=before, limit=limit + 1, now=now, today=today
    )
    page = found[:limit]
    return Page(
        items=[PortfolioLineOut.told(line, actor) for line in lines_of(session, actor, page, today=today)],
        next=cursor_after(page[-1].row.id) if len(found) > limit else None,
    )


def portfolio_csv(session: Session, actor: Actor, chosen: Chosen, *, now: datetime, today: date) -> str:
    """Exactly what the page lists, on all its pages and in its order. With a byte order mark, so that spreadsheets
    read names rightly; lines end as RFC 4180 says."""
    lines = lines_of(session, actor, judged_all(session, actor, chosen, now=now, today=today), today=today)
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
