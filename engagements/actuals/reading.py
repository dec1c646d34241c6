"""Lists of entries, as whoever asks may see them; a person's week; the files that they are exported as."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from sqlmodel import Session, col

from engagements.actuals import csv_files
from engagements.actuals.models import CostEntry, EntryState, Invoice, TimeEntry
from engagements.actuals.place import WORK, engagement_of, locked_until
from engagements.actuals.rates import rates_of
from engagements.actuals.schemas import WeekEngagementOut, WeekOut
from engagements.actuals.time_entries import shown, time_of_week
from engagements.actuals.weeks import Week
from engagements.core.errors import Conflict
from engagements.core.models import Engagement
from engagements.core.roles import Actor, ActorKind, Permission
from engagements.core.service import scoped
from engagements.delivery.models import PhaseState
from engagements.delivery.opening import phases_of
from engagements.delivery.standing import latest_baseline
from engagements.people.models import User
from estimator.money import Money

_TIME_FILE: Final = (
    "id", "day", "phase", "person_id", "person", "role", "minutes", "note", "billable", "state", "cost_minor",
    "price_minor", "spent_minor", "currency", "source", "external_id", "adjusts", "invoice_id",
)  # fmt: skip
_COST_FILE: Final = (
    "id", "day", "phase", "kind", "amount", "currency", "quantity", "unit", "note", "billable", "state", "source",
    "external_id", "invoice_id",
)  # fmt: skip
_LINE_FILE: Final = (
    "invoice", "day", "kind", "text", "phase", "first_day", "last_day", "quantity", "unit", "unit_price", "net",
    "currency",
)  # fmt: skip


def my_week(session: Session, actor: Actor, day: date) -> WeekOut:
    """Of whoever asks, in the ISO week of a day. Raises `Conflict` for a key, which works no hours."""
    if actor.kind is ActorKind.KEY:
        raise Conflict("a key is no person and has no week", remedy="sign in, or list an engagement's time")
    return week_of(session, actor, actor.id, Week.of(day))


def week_of(session: Session, actor: Actor, person_id: str, week: Week) -> WeekOut:
    entries = time_of_week(session, actor, person_id, week)
    day_minutes = [sum(each.minutes for each in entries if each.day == day) for day in week.days]
    return WeekOut(
        person_id=person_id,
        week=str(week),
        first=week.first,
        last=week.last,
        locked_until=locked_until(session, actor),
        day_minutes=day_minutes,
        minutes=sum(day_minutes),
        entries=[shown(each, actor) for each in entries],
        engagements=_worked_on(session, actor, entries),
    )


def _worked_on(session: Session, actor: Actor, entries: Sequence[TimeEntry]) -> list[WeekEngagementOut]:
    """Those that take time now, and those that the week has time of already."""
    there = {each.engagement_id for each in entries}
    chosen = scoped(Engagement, actor).where(
        col(Engagement.state).in_([state.value for state in WORK]) | col(Engagement.id).in_(there)
    )
    found = []
    for engagement in session.exec(chosen.order_by(col(Engagement.name))).all():
        baseline = latest_baseline(session, engagement.id)
        if baseline is None:
            continue
        own = [each for each in entries if each.engagement_id == engagement.id and each.adjusts is None]
        phases = [row.phase for row in phases_of(session, engagement.id) if row.state is not PhaseState.PLANNED]
        laid = {row.role for row in rates_of(session, engagement.id)}
        found.append(
            WeekEngagementOut(
                id=engagement.id, name=engagement.name, state=engagement.state.value, phases=phases,
                submitted=any(each.state is not EntryState.OPEN for each in own),
                roles=sorted(laid | set(baseline.budget.get("rates", {}))),
            )
        )  # fmt: skip
    return found


def time_file(session: Session, actor: Actor, engagement_id: str) -> str:
    engagement_of(session, actor, engagement_id)
    chosen = scoped(TimeEntry, actor).where(TimeEntry.engagement_id == engagement_id)
    entries = session.exec(chosen.order_by(col(TimeEntry.day), col(TimeEntry.id))).all()
    names = person_names(session, actor)
    hidden = () if actor.may(Permission.VIEW_COST) else ("cost_minor", "price_minor", "spent_minor", "currency")
    columns = [name for name in _TIME_FILE if name not in hidden]
    return csv_files.written(
        columns, ({**each.model_dump(), "person": names.get(each.person_id, "")} for each in entries)
    )


def cost_file(session: Session, actor: Actor, engagement_id: str) -> str:
    engagement_of(session, actor, engagement_id)
    chosen = scoped(CostEntry, actor).where(CostEntry.engagement_id == engagement_id)
    entries = session.exec(chosen.order_by(col(CostEntry.day), col(CostEntry.id))).all()
    return csv_files.written(
        _COST_FILE, ({**each.model_dump(), "amount": _written(each.amount_minor, each.currency)} for each in entries)
    )


def line_file(invoice: Invoice) -> str:
    """The lines of an invoice, amounts with a point, as accounts import them."""
    return csv_files.written(
        _LINE_FILE,
        (
            {
                **line, "invoice": invoice.number, "day": invoice.day, "currency": invoice.currency,
                "unit_price": _written(line["unit_minor"], invoice.currency),
                "net": _written(line["net_minor"], invoice.currency),
            }
            for line in invoice.lines
        ),
    )  # fmt: skip


def _written(minor: int | None, currency: str) -> Decimal | None:
    return None if minor is None else Money(minor, currency).amount


def person_names(session: Session, actor: Actor) -> dict[str, str]:
    """Of everybody of the agency, those who have left among them."""
    return {user.id: user.name for user in session.exec(scoped(User, actor).where(col(User.client_id).is_(None)))}
