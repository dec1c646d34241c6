"""What an hour of a role costs us and is sold for, from a day on. The first rates come with the baseline's budget."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from engagements.actuals.models import EntryState, RateSnapshot, TimeEntry
from engagements.actuals.rules import spent_of
from engagements.actuals.schemas import RateIn
from engagements.actuals.when import When
from engagements.core import audit
from engagements.core.errors import AlreadyExists, Conflict
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.service import claim, find
from engagements.db.columns import new_id
from engagements.delivery.models import Baseline
from engagements.delivery.standing import latest_baseline, minor


class NothingAgreed(Conflict):
    """No proposal was accepted yet."""

    code = "nothing_agreed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Of one hour, in minor units; None: no rate holds."""

    cost_minor: int | None
    price_minor: int | None


NO_RATE = Rate(cost_minor=None, price_minor=None)


def agreed_baseline(session: Session, engagement_id: str) -> Baseline:
    """What holds now. Raises `NothingAgreed`."""
    baseline = latest_baseline(session, engagement_id)
    if baseline is None:
        raise NothingAgreed("nothing was agreed for this engagement yet", remedy="have its proposal accepted first")
    return baseline


def agreed_on(session: Session, engagement_id: str, when: When) -> date:
    """The day of the first acceptance, by the agency's calendar. Raises `NothingAgreed`."""
    chosen = select(Baseline).where(Baseline.engagement_id == engagement_id)
    first = session.exec(chosen.order_by(col(Baseline.number)).limit(1)).first()
    return when.day_of((first or agreed_baseline(session, engagement_id)).created_at)


def currency_of(baseline: Baseline) -> str:
    """Of our costs: the budget's, or the plan's where no budget was kept."""
    return str(baseline.budget.get("currency") or baseline.plan["currency"])


def rates_of(session: Session, engagement_id: str) -> list[RateSnapshot]:
    """In order of role and day."""
    chosen = select(RateSnapshot).where(RateSnapshot.engagement_id == engagement_id)
    return list(session.exec(chosen.order_by(col(RateSnapshot.role), col(RateSnapshot.from_day))))


def ensure_rates(
    session: Session, actor: Actor, baseline: Baseline, *, begin: date, at: datetime
) -> list[RateSnapshot]:
    """The rates of an engagement; roles of the budget that have none yet get theirs, from `begin` on."""
    there = rates_of(session, baseline.engagement_id)
    known, laid = {row.role for row in there}, []
    for role, cost in sorted(baseline.budget.get("rates", {}).items()):
        if role in known:
            continue
        currency = baseline.budget["currency"]
        row = RateSnapshot(
            id=new_id(RateSnapshot.PREFIX), organisation_id=baseline.organisation_id,
            engagement_id=baseline.engagement_id, client_id=baseline.client_id, role=role, from_day=begin,
            cost_minor=minor(cost, currency), price_minor=minor(baseline.budget["prices"][role], currency),
            currency=currency, source=f"baseline {baseline.number}", created_at=at,
        )  # fmt: skip
        session.add(row)
        laid.append(row)
        audit.record(session, actor, "rate.laid", row, at=at)
    return [*there, *laid]


def rate_on(rates: Iterable[RateSnapshot], role: str, day: date) -> Rate:
    """The rate that held on a day: the latest that began on it or before."""
    began = [row for row in rates if row.role == role and row.from_day <= day]
    if not began:
        return NO_RATE
    holds = max(began, key=lambda row: row.from_day)
    return Rate(cost_minor=holds.cost_minor, price_minor=holds.price_minor)


def rates_seen(session: Session, actor: Actor, engagement_id: str) -> list[RateSnapshot]:
    """Raises `NotFound`."""
    return rates_of(session, find(session, actor, Engagement, engagement_id).id)


def add_rate(session: Session, actor: Actor, engagement_id: str, data: RateIn, *, when: When) -> RateSnapshot:
    """A rate from a day on. Entries that had none get it; no other entry changes. Raises `AlreadyExists`."""
    engagement = claim(session, actor, Engagement, engagement_id)
    baseline = agreed_baseline(session, engagement.id)
    begin = agreed_on(session, engagement.id, when)
    rates = ensure_rates(session, actor, baseline, begin=begin, at=when.at)
    if any(row.role == data.role and row.from_day == data.from_day for row in rates):
        message = f"a rate of {data.role} begins on {data.from_day} already"
        raise AlreadyExists(message, remedy="let the new one begin on another day")
    row = RateSnapshot(
        **data.model_dump(), id=new_id(RateSnapshot.PREFIX), organisation_id=engagement.organisation_id,
        engagement_id=engagement.id, client_id=engagement.client_id, currency=currency_of(baseline), created_at=when.at,
    )  # fmt: skip
    session.add(row)
    audit.record(session, actor, "rate.added", row, at=when.at)
    _price_the_unpriced(session, actor, [*rates, row], data.role, at=when.at)
    return row


def _price_the_unpriced(
    session: Session, actor: Actor, rates: Sequence[RateSnapshot], role: str, *, at: datetime
) -> None:
    unpriced = select(TimeEntry).where(
        TimeEntry.engagement_id == rates[-1].engagement_id, TimeEntry.role == role,
        col(TimeEntry.cost_minor).is_(None), TimeEntry.state != EntryState.INVOICED,
    )  # fmt: skip
    for entry in session.exec(unpriced.with_for_update()).all():
        price(entry, rates)
        if entry.cost_minor is not None:
            audit.record(session, actor, "time.priced", entry, at=at)


def price(entry: TimeEntry, rates: Iterable[RateSnapshot]) -> None:
    """Lay the rate that held on its day into an entry."""
    rate = rate_on(rates, entry.role, entry.day)
    entry.cost_minor, entry.price_minor = rate.cost_minor, rate.price_minor
    entry.spent_minor = spent_of(entry.minutes, rate.cost_minor)
