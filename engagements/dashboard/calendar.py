"""What a calendar shows of engagements: gates, milestones, conditions, and what a client owes. No prices, no hours."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import Actor
from engagements.core.service import find, scoped
from engagements.dashboard.work import gate_address, plan_address
from engagements.db.columns import Record
from engagements.delivery.gate_models import GateCondition
from engagements.delivery.models import Milestone, MilestoneKind, PhaseRecord, PhaseState, Standing
from engagements.notices.feeds import opened
from engagements.notices.ical import Day, calendar_of

_MILESTONES: Final = {
    MilestoneKind.PAYMENT: "Payment due",
    MilestoneKind.CLIENT_INPUT: "Needed from the client",
    MilestoneKind.OTHER: "Milestone",
}

Row = TypeVar("Row", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Of:
    """The engagement that a day belongs to."""

    name: str
    changed_at: datetime
    is_terminated: bool


def calendar_for(session: Session, token: str, *, at: datetime, base_url: str) -> bytes:
    """The calendar of an address, as RFC 5545 has it. Raises `NotFound` and `LinkExpired`."""
    feed, owner = opened(session, token, at=at)
    mine = _engagements(session, owner, feed.engagement_id)
    days = sorted(_days(session, owner, mine, base_url), key=lambda day: (day.on, day.uid))
    return calendar_of(feed.name, days)


def _engagements(session: Session, actor: Actor, engagement_id: str | None) -> dict[str, _Of]:
    """The one that was named; otherwise all of a client, and of the agency's those that somebody answers for."""
    if engagement_id is not None:
        named = find(session, actor, Engagement, engagement_id)
        chosen = scoped(Engagement, actor).where(col(Engagement.id) == named.id)
    else:
        chosen = _all_of(actor)
    rows = session.execute(
        chosen.join(Standing, col(Standing.engagement_id) == col(Engagement.id)).with_only_columns(
            col(Engagement.id), col(Engagement.name), col(Engagement.state), col(Standing.changed_at)
        )
    )
    return {
        row.id: _Of(
            name=row.name, changed_at=row.changed_at, is_terminated=row.state == EngagementState.TERMINATED
        )
        for row in rows
    }  # fmt: skip


def _all_of(actor: Actor) -> SelectOfScalar[Engagement]:
    chosen = scoped(Engagement, actor)
    if not actor.is_staff:
        return chosen
    phases = select(PhaseRecord.engagement_id).where(PhaseRecord.owner_id == actor.id)
    return chosen.where(or_(col(Engagement.owner_id) == actor.id, col(Engagement.id).in_(phases)))


def _days(session: Session, actor: Actor, engagements: dict[str, _Of], base_url: str) -> Iterator[Day]:
    for phase in _rows(session, actor, PhaseRecord, engagements):
        on, of = phase.actual_end or phase.planned_gate, engagements[phase.engagement_id]
        if on is not None:
            fell_away = phase.state is PhaseState.STOPPED or (of.is_terminated and phase.actual_end is None)
            title = f"Gate of {phase.phase.label.lower()}"
            text = f"Phase {phase.phase.number} is {phase.state.replace('_', ' ')}."
            yield _day(phase, of, on, title, text, base_url + gate_address(phase), fell_away, at=phase.changed_at)
    for milestone in _rows(session, actor, Milestone, engagements):
        on, of = milestone.reached_on or milestone.planned_on, engagements[milestone.engagement_id]
        if on is not None:
            title = f"{_MILESTONES[milestone.kind]}: {milestone.name}"
            text = "Reached." if milestone.reached_on else "Planned."
            fell_away, url = of.is_terminated and milestone.reached_on is None, plan_address(milestone.engagement_id)
            yield _day(milestone, of, on, title, text, base_url + url, fell_away)
    for condition in _rows(session, actor, GateCondition, engagements):
        of = engagements[condition.engagement_id]
        text = "Met." if condition.met_at else f"A condition of the gate of {condition.phase.label.lower()}."
        fell_away = of.is_terminated and condition.met_at is None
        title, url = f"Condition due: {condition.text}", base_url + gate_address(condition)
        yield _day(condition, of, condition.due, title, text, url, fell_away)


def _rows(session: Session, actor: Actor, kind: type[Row], engagements: dict[str, _Of]) -> Iterator[Row]:
    of: Any = kind
    yield from session.exec(scoped(kind, actor).where(of.engagement_id.in_(engagements)))


def _day(
    row: Record, of: _Of, on: date, title: str, text: str, url: str, fell_away: bool, *, at: datetime | None = None
) -> Day:
    return Day(
        uid=f"{row.id}@sixfold", sequence=row.version, on=on, title=f"{title} ({of.name})", text=text, url=url,
        changed_at=at or of.changed_at, is_cancelled=fell_away,
    )  # fmt: skip
