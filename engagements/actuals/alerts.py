"""Tell the agency of a threshold before the client sees it: a row, notices, an event; again after 24 hours at most."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from engagements.actuals.burn import Burn, budget_of, burn_of
from engagements.actuals.earning import lateness
from engagements.actuals.forecasting import forecast_with
from engagements.actuals.models import Alert
from engagements.actuals.thresholds import OF_COST, Passed, passed
from engagements.actuals.totals import taken_by_phase
from engagements.actuals.when import When
from engagements.core import audit
from engagements.core.models import Engagement, EngagementState
from engagements.core.outbox import EventType, tell
from engagements.core.roles import MATRIX, Actor, Permission, Role, system_actor
from engagements.core.service import claim, find
from engagements.db.columns import new_id
from engagements.delivery.models import Baseline
from engagements.delivery.opening import phases_of
from engagements.delivery.standing import latest_baseline, standing_row
from engagements.notices.telling import tell_people
from engagements.people.models import User

AGAIN_AFTER: Final = timedelta(hours=24)


def check_alerts(session: Session, engagement: Engagement, baseline: Baseline, *, when: When) -> Burn:
    """Write down every threshold that is passed now, and tell whoever has to hear. The burn it was judged by.

    A threshold that is still passed is told again after 24 hours, unless somebody acknowledged it.
    """
    burn, budget = burn_of(session, baseline, today=when.today), budget_of(baseline)
    phases = phases_of(session, engagement.id)
    taken = taken_by_phase(session, engagement.id)
    forecast = forecast_with(baseline, budget, phases, taken, today=when.today) if budget else None
    now = list(passed(burn, forecast, lateness(baseline, phases, when.today)))
    known = {(row.kind, row.phase, row.threshold): row for row in alerts_of(session, engagement.id)}
    told = [
        row for each in now if (row := _raised(session, engagement, each, known.get(each.key), at=when.at)) is not None
    ]
    for row in _loudest(told):
        _tell(session, engagement, row, at=when.at)
    _count_open(session, engagement.id)
    return burn


def alerts_of(session: Session, engagement_id: str) -> Sequence[Alert]:
    """The newest first."""
    chosen = select(Alert).where(Alert.engagement_id == engagement_id)
    return session.exec(chosen.order_by(col(Alert.told_at).desc(), col(Alert.id).desc())).all()


def open_alerts(session: Session, engagement_id: str) -> Sequence[Alert]:
    """Those that nobody has acknowledged."""
    return [row for row in alerts_of(session, engagement_id) if row.acknowledged_at is None]


def alerts_seen_by(session: Session, actor: Actor, engagement_id: str) -> Sequence[Alert]:
    """Without those about money for who may not see cost. Raises `NotFound`."""
    find(session, actor, Engagement, engagement_id)
    rows = alerts_of(session, engagement_id)
    return rows if actor.may(Permission.VIEW_COST) else [row for row in rows if row.kind not in OF_COST]


def acknowledge(session: Session, actor: Actor, alert_id: str, *, at: datetime) -> Alert:
    """It is told no more. A second time changes nothing."""
    row = claim(session, actor, Alert, alert_id)
    if row.kind in OF_COST:
        actor.require(Permission.VIEW_COST)
    if row.acknowledged_at is None:
        row.acknowledged_at, row.acknowledged_by = at, actor.id
        audit.record(session, actor, "alert.acknowledged", row, at=at)
        _count_open(session, row.engagement_id)
    return row


def sweep(session: Session, organisation_id: str, *, when: When) -> int:
    """Check every active engagement of an organisation: a gate grows late without anybody logging. How many."""
    chosen = select(Engagement).where(
        Engagement.organisation_id == organisation_id, Engagement.state == EngagementState.ACTIVE
    )
    checked = 0
    for engagement in session.exec(chosen).all():
        baseline = latest_baseline(session, engagement.id)
        if baseline is not None:
            check_alerts(session, engagement, baseline, when=when)
            checked += 1
    return checked


def _raised(
    session: Session, engagement: Engagement, each: Passed, known: Alert | None, *, at: datetime
) -> Alert | None:
    """The row where it has to be told now."""
    ours = system_actor(engagement.organisation_id)
    if known is None:
        row = Alert(
            id=new_id(Alert.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement.id,
            client_id=engagement.client_id, kind=each.kind, phase=each.phase or "", threshold=each.threshold,
            text=each.text, first_at=at, told_at=at,
        )  # fmt: skip
        session.add(row)
        audit.record(session, ours, "alert.raised", row, at=at)
        return row
    if known.acknowledged_at is not None or at - known.told_at < AGAIN_AFTER:
        return None
    known.text, known.told_at = each.text, at
    audit.record(session, ours, "alert.repeated", known, at=at)
    return known


def _loudest(rows: Iterable[Alert]) -> list[Alert]:
    """Of thresholds of one budget that are told together, the highest says it all."""
    highest: dict[tuple[str, str], Alert] = {}
    for row in rows:
        key = (row.kind, row.phase)
        if key not in highest or highest[key].threshold < row.threshold:
            highest[key] = row
    return list(highest.values())


def _tell(session: Session, engagement: Engagement, row: Alert, *, at: datetime) -> None:
    tell_people(
        session, engagement.organisation_id, _who_hears(session, engagement, row),
        topic=f"alert:{row.id}:{row.told_at:%Y-%m-%dT%H:%M}", kind=EventType.BUDGET_ALERT.value,
        text=f"{engagement.name[:200]}: {row.text}", address=f"/engagements/{engagement.id}/actuals", at=at,
        engagement_id=engagement.id,
    )  # fmt: skip
    data = {"engagement": engagement.id, "alert": row.id, "kind": row.kind.value, "threshold": row.threshold}
    tell(session, engagement.organisation_id, EventType.BUDGET_ALERT, data | {"phase": row.phase or None}, at=at)


def _who_hears(session: Session, engagement: Engagement, row: Alert) -> list[str]:
    """The engagement's owner and every account lead, as far as they may see what it is about."""
    chosen = select(User).where(
        User.organisation_id == engagement.organisation_id,
        col(User.active),
        (User.id == engagement.owner_id) | (User.role == Role.ACCOUNT_LEAD),
    )
    may_see = Permission.VIEW_COST if row.kind in OF_COST else Permission.VIEW_ACTUALS
    return [user.id for user in session.exec(chosen) if may_see in MATRIX[user.role]]


def _count_open(session: Session, engagement_id: str) -> None:
    session.flush()
    standing = standing_row(session, engagement_id)
    if standing is not None:
        standing.open_alerts = len(open_alerts(session, engagement_id))
