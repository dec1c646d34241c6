"""The two views of the audit trail: all of it for the agency, what concerns them for a client's people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from engagements.core.models import AuditEvent
from engagements.core.roles import Actor, Permission
from engagements.dashboard.events import Event, event_of
from engagements.dashboard.views import Pages, address

EVENTS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailFilter:
    """Which events: of one kind of record, of one record, of one person; before a place in the trail."""

    entity: str = ""
    entity_id: str = ""
    who: str = ""
    before: int | None = None

    @property
    def is_everything(self) -> bool:
        return not (self.entity or self.entity_id or self.who)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """One page of events, newest first. `entities`: the kinds of record that can be asked for."""

    events: Sequence[Event]
    entities: Sequence[str]
    pages: Pages


def trail_of(session: Session, actor: Actor, chosen: TrailFilter, *, limit: int) -> Trail:
    """Old and new values stand only in the agency's view."""
    rows = trail_page(
        session, actor, limit=limit, before=chosen.before, entity_id=chosen.entity_id or None,
        entity=chosen.entity or None, who=chosen.who or None,
    )  # fmt: skip
    with_values = actor.may(Permission.VIEW_AUDIT)
    filters = {"entity": chosen.entity, "record": chosen.entity_id, "who": chosen.who}
    older = {**filters, "before": str(rows[limit - 1].seq)} if len(rows) > limit else {}
    kinds = select(AuditEvent.entity).where(AuditEvent.organisation_id == actor.organisation_id).distinct()
    return Trail(
        events=[event_of(row, with_values=with_values) for row in rows[:limit]],
        entities=session.exec(kinds.order_by(AuditEvent.entity)).all() if with_values else (),
        pages=Pages(
            before=address("/audit", filters) if chosen.before else "", before_label="Newest",
            after=address("/audit", older) if older else "", after_label="Older",
        ),
    )  # fmt: skip


def trail_page(
    session: Session,
    actor: Actor,
    *,
    limit: int,
    before: int | None = None,
    entity_id: str | None = None,
    engagement_id: str | None = None,
    entity: str | None = None,
    who: str | None = None,
) -> Sequence[AuditEvent]:
    """Up to limit + 1 events, newest first: one more than asked says that there is another page."""
    chosen = select(AuditEvent).where(col(AuditEvent.organisation_id) == actor.organisation_id)
    if not actor.may(Permission.VIEW_AUDIT):
        chosen = chosen.where(col(AuditEvent.client_sees))
    if actor.client_id is not None:
        chosen = chosen.where(col(AuditEvent.client_id) == actor.client_id)
    if before is not None:
        chosen = chosen.where(col(AuditEvent.seq) < before)
    if entity_id is not None:
        chosen = chosen.where(col(AuditEvent.entity_id) == entity_id)
    if engagement_id is not None:
        chosen = chosen.where(col(AuditEvent.engagement_id) == engagement_id)
    if entity is not None:
        chosen = chosen.where(col(AuditEvent.entity) == entity)
    if who is not None:
        chosen = chosen.where(col(AuditEvent.actor_name).icontains(who, autoescape=True))
    return session.exec(chosen.order_by(col(AuditEvent.seq).desc()).limit(limit + 1)).all()
