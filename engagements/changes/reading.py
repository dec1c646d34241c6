"""Which changes somebody sees, and how much of each: a client's people only what was sent, and never cost or hours."""

import hashlib
import json
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from engagements.changes.models import ChangeRequest, ChangeState
from engagements.changes.schemas import ChangeOut, ImpactOut
from engagements.changes.states import PENDING
from engagements.core.errors import NotFound
from engagements.core.roles import Actor, ActorKind, Permission
from engagements.core.service import scoped
from engagements.delivery.models import Baseline
from engagements.delivery.standing import latest_baseline, standing_row

_INTERNAL: Final = (
    "origin", "raid_id", "asks", "state_reason", "created_by", "assessed_by", "approved_by", "evidence",
)  # fmt: skip


def visible(actor: Actor) -> SelectOfScalar[ChangeRequest]:
    """What was never sent is out of a client's reach."""
    chosen = scoped(ChangeRequest, actor)
    return chosen if actor.client_id is None else chosen.where(col(ChangeRequest.sent_at).is_not(None))


def seen(session: Session, actor: Actor, change_id: str, engagement_id: str | None = None) -> ChangeRequest:
    """Raises `NotFound`, also for a change of another engagement where one is named."""
    change = session.exec(visible(actor).where(col(ChangeRequest.id) == change_id)).first()
    if change is None or engagement_id not in {None, change.engagement_id}:
        raise NotFound
    return change


def change_out(session: Session, actor: Actor, change: ChangeRequest) -> ChangeOut:
    latest = latest_baseline(session, change.engagement_id)
    return change_as_seen(actor, change, latest)


def change_as_seen(actor: Actor, change: ChangeRequest, latest: Baseline | None) -> ChangeOut:
    """`latest`: the baseline that holds now, by which it is stale or not."""
    was_assessed = change.state in PENDING - {ChangeState.DRAFT}
    fields = {name: getattr(change, name) for name in ChangeOut.model_fields if name not in {"stale", "impact"}}
    fields["stale"] = was_assessed and latest is not None and latest.number != change.on_baseline
    fields["impact"] = impact_for(actor, change)
    if actor.client_id is not None:
        fields |= dict.fromkeys(_INTERNAL)
    return ChangeOut.model_validate(fields)


def impact_for(actor: Actor, change: ChangeRequest) -> ImpactOut | None:
    """As far as this actor may see it; None before the assessment."""
    if not change.impact:
        return None
    hidden = {} if actor.client_id is None else {"hours": None}
    if actor.kind is not ActorKind.SYSTEM and not actor.may(Permission.VIEW_COST):
        hidden["cost"] = None
    return ImpactOut.model_validate({**change.impact, **hidden})


def digest_of(change: ChangeRequest) -> str:
    """sha256 of what the client sees of a change, as canonical JSON: words, price, days, criteria."""
    impact = ImpactOut.model_validate({**change.impact, "hours": None, "cost": None}).model_dump(mode="json")
    names = (
        "engagement_id",
        "number",
        "title",
        "reason",
        "on_baseline",
        "net_minor",
        "gross_minor",
        "currency",
        "days",
    )
    content = {**{name: getattr(change, name) for name in names}, "impact": impact}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def count_open(session: Session, engagement_id: str, *, at: datetime) -> None:
    """The changes' part of what lists show: how many are neither agreed nor out of the world."""
    session.flush()
    mine = col(ChangeRequest.engagement_id) == engagement_id, col(ChangeRequest.state).in_(PENDING)
    row = standing_row(session, engagement_id)
    if row is not None:
        row.open_changes = session.exec(select(func.count(col(ChangeRequest.id))).where(*mine)).one()
        row.changed_at = at
