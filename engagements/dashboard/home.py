"""The home of one engagement, for the agency: where it stands and why, its figures, what waits, what happened last."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlmodel import Session

from engagements.actuals.forecasting import forecast_of
from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import Actor, Permission
from engagements.core.schemas import EngagementOut
from engagements.core.service import find, moves_from
from engagements.dashboard.events import Event
from engagements.dashboard.measures import dated_steps
from engagements.dashboard.portfolio import Line, judged_among, lines_of
from engagements.dashboard.records import Scoping, scoping_of
from engagements.dashboard.timeline import recent_events
from engagements.dashboard.work import WorkItem, work_of
from engagements.delivery.opening import phases_of
from estimator.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeForecast:
    """What it will have cost and when its last gate passes: as likely as not, and four times in five (P80).

    Cost only for who may see it; days None where every gate has passed.
    """

    cost: Money | None
    cost_late: Money | None
    end: date | None
    end_late: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """`line.phases` carries the days of each phase; `mine`: what waits for the reader in this engagement."""

    engagement: EngagementOut
    forecast: HomeForecast | None
    line: Line
    events: Sequence[Event]
    scoping: Scoping
    mine: Sequence[WorkItem]
    moves: Sequence[EngagementState]


def home_of(session: Session, actor: Actor, engagement_id: str, *, now: datetime, today: date) -> Home:
    """Raises `NotFound`."""
    row = find(session, actor, Engagement, engagement_id)
    found = judged_among(session, actor, [row.id], now=now, today=today)
    (line,) = lines_of(session, actor, found, today=today)
    if phases := phases_of(session, row.id):
        line = replace(line, phases=dated_steps(phases))
    return Home(
        engagement=EngagementOut.of(row), forecast=_forecast(session, actor, line, today=today), line=line,
        events=recent_events(session, actor, row.id),
        scoping=scoping_of(session, actor, row.id),
        mine=work_of(session, actor, today=today, engagement_id=row.id), moves=sorted(moves_from(row.state)),
    )  # fmt: skip


def _forecast(session: Session, actor: Actor, line: Line, *, today: date) -> HomeForecast | None:
    found = forecast_of(session, line.id, today=today) if line.is_under_way else None
    if found is None:
        return None
    shown, end = actor.may(Permission.VIEW_COST), found.end
    return HomeForecast(
        cost=Money(found.total.p50, found.currency) if shown else None,
        cost_late=Money(found.total.p80, found.currency) if shown else None,
        end=end.p50 if end else None, end_late=end.p80 if end else None,
    )  # fmt: skip
