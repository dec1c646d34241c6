"""The versions of what was agreed, and what the engagement is worth by them."""

from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from engagements.changes.models import ChangeRequest
from engagements.changes.quoted import agreed_money
from engagements.changes.schemas import BaselineVersionOut, BaselineWhole, ValueOut
from engagements.changes.value import Value, value_of
from engagements.core.errors import NotFound
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.service import find, scoped
from engagements.delivery.models import Baseline


def versions_of(session: Session, actor: Actor, engagement_id: str) -> list[BaselineVersionOut]:
    """The latest first. Raises `NotFound` for an engagement out of reach."""
    find(session, actor, Engagement, engagement_id)
    chosen = scoped(Baseline, actor).where(Baseline.engagement_id == engagement_id)
    rows = session.exec(chosen.order_by(col(Baseline.number).desc())).all()
    made = select(ChangeRequest).where(col(ChangeRequest.id).in_([row.change_id for row in rows]))
    changes = {change.id: change for change in session.exec(made)}
    return [BaselineVersionOut(**_fields(row, changes.get(row.change_id or ""))) for row in rows]


def version_of(session: Session, actor: Actor, engagement_id: str, number: int) -> BaselineWhole:
    """Raises `NotFound`."""
    mine = scoped(Baseline, actor).where(Baseline.engagement_id == engagement_id, Baseline.number == number)
    row = session.exec(mine).first()
    if row is None:
        raise NotFound
    change = session.get(ChangeRequest, row.change_id) if row.change_id else None
    return BaselineWhole(**_fields(row, change), plan=row.plan)


def known_value(session: Session, actor: Actor, engagement_id: str) -> Value:
    """Raises `NotFound` before anything was agreed."""
    engagement = find(session, actor, Engagement, engagement_id)
    value = value_of(session, engagement.id, for_client=actor.client_id is not None)
    if value is None:
        raise NotFound("nothing has been agreed here yet")
    return value


def value_out(session: Session, actor: Actor, engagement_id: str) -> ValueOut:
    value = known_value(session, actor, engagement_id)
    return ValueOut(
        currency=value.currency,
        original_minor=value.original,
        approved_minor=value.approved,
        agreed_minor=value.agreed,
        pending_minor=value.pending,
        pending_unknown=value.pending_unknown,
        forecast_minor=value.forecast,
        approved_count=value.approved_count,
        pending_count=value.pending_count,
    )


def _fields(row: Baseline, change: ChangeRequest | None) -> dict[str, Any]:
    gates = [date.fromisoformat(each["gate_date"]) for each in row.plan["phases"] if each["gate_date"]]
    net = agreed_money(row.plan, "net")
    return {
        "id": row.id,
        "version": row.version,
        "number": row.number,
        "change_id": row.change_id,
        "change_number": change.number if change else None,
        "change_title": change.title if change else None,
        "net_minor": net.minor,
        "gross_minor": agreed_money(row.plan, "gross").minor,
        "currency": net.currency,
        "last_gate": max(gates, default=None),
        "created_at": row.created_at,
    }
