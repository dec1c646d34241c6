"""Everything that happened to one engagement, in order and in plain words, built on the audit trail."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from engagements.changes.models import ChangeRequest
from engagements.core.models import AuditEvent, Engagement
from engagements.core.roles import Actor
from engagements.core.schemas import EngagementOut
from engagements.core.service import find
from engagements.dashboard.events import Event, event_of
from engagements.dashboard.views import Pages, Tab, address
from engagements.db.columns import Record
from engagements.delivery.gate_models import EvidenceRecord, GateCondition, GateDecision
from engagements.delivery.models import DeliverableRecord, Milestone, PhaseRecord, RaidItem

ROWS: Final = 100
"""Events read for one page; what happened at one moment stands there as one line."""
RECENT: Final = 60
"""The same for the short list of what happened last, which shows `LINES` of them."""
LINES: Final = 8

KINDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "gates": ("Gates and evidence", ("gate", "condition", "evidence", "checklist", "criterion")),
    "plan": ("Phases and plan", ("phase", "plan", "milestone", "deliverable", "baseline")),
    "cost": ("Time and cost", ("time", "cost", "rate", "lock", "alert", "invoice", "entry")),
    "changes": ("Changes and register", ("change", "risk", "assumption", "issue", "decision", "raid")),
    "offers": ("Proposals", ("brief", "estimate", "proposal", "link", "certificate")),
    "reports": ("Reports", ("report",)),
}
"""By key: the name of a kind and the nouns of its actions."""

_NAMES: Final[Mapping[type[Record], Callable[[Any], str]]] = {
    PhaseRecord: lambda row: row.phase.label,
    GateDecision: lambda row: f"of {row.phase.label.lower()}: {row.verdict.replace('_', ' ')}",
    GateCondition: lambda row: row.text,
    EvidenceRecord: lambda row: f"{row.kind.replace('_', ' ')} of {row.phase.label.lower()}",
    DeliverableRecord: lambda row: f"{row.code} {row.name}",
    Milestone: lambda row: f"{row.code} {row.name}",
    ChangeRequest: lambda row: f"{row.number}: {row.title}",
    RaidItem: lambda row: f"{row.code} {row.title}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Newest first."""

    engagement: EngagementOut
    events: Sequence[Event]
    kinds: Sequence[Tab]
    pages: Pages


def timeline_of(
    session: Session, actor: Actor, engagement_id: str, *, kind: str = "", before: int | None = None
) -> Timeline:
    """The whole story for the agency, their own part for a client's people. Raises `NotFound`."""
    engagement = find(session, actor, Engagement, engagement_id)
    chosen = visible(actor, engagement_id)
    if kind:
        _, nouns = KINDS.get(kind, ("", ()))
        chosen = chosen.where(or_(*(col(AuditEvent.action).startswith(f"{noun}.") for noun in nouns or ("-",))))
    if before is not None:
        chosen = chosen.where(col(AuditEvent.seq) < before)
    rows = session.exec(chosen.order_by(col(AuditEvent.seq).desc()).limit(ROWS + 1)).all()
    path = f"/engagements/{engagement_id}/timeline"
    older = {"kind": kind, "before": str(rows[ROWS - 1].seq)} if len(rows) > ROWS else {}
    return Timeline(
        engagement=EngagementOut.of(engagement), events=told(session, rows[:ROWS]), kinds=list(_tabs(path, kind)),
        pages=Pages(
            before=address(path, {"kind": kind}) if before else "", before_label="Newest",
            after=address(path, older) if older else "", after_label="Older",
        ),
    )  # fmt: skip


def recent_events(session: Session, actor: Actor, engagement_id: str) -> Sequence[Event]:
    """What happened last, newest first."""
    newest = visible(actor, engagement_id).order_by(col(AuditEvent.seq).desc()).limit(RECENT)
    return told(session, session.exec(newest).all())[:LINES]


def visible(actor: Actor, engagement_id: str) -> SelectOfScalar[AuditEvent]:
    """The events of an engagement that this reader may see."""
    chosen = select(AuditEvent).where(
        AuditEvent.organisation_id == actor.organisation_id, AuditEvent.engagement_id == engagement_id
    )
    if not actor.is_staff:
        chosen = chosen.where(col(AuditEvent.client_sees), AuditEvent.client_id == actor.client_id)
    return chosen


def told(session: Session, rows: Sequence[AuditEvent]) -> list[Event]:
    """As lines, without values: what one step did to many records of a kind is one line."""
    names = _names(session, rows)
    lines = []
    for _, alike in groupby(rows, key=lambda row: (row.action, row.actor_id, row.at, row.reason)):
        first, *further = alike
        lines.append(event_of(first, with_values=False, subject=names.get(first.entity_id, ""), count=1 + len(further)))
    return lines


def _names(session: Session, rows: Sequence[AuditEvent]) -> dict[str, str]:
    """What the records of these events are called today; a query for each kind of record among them."""
    names: dict[str, str] = {}
    for table, name in _NAMES.items():
        ids = {row.entity_id for row in rows if row.entity == table.__name__}
        if ids:
            names |= {row.id: name(row) for row in session.exec(select(table).where(col(table.id).in_(ids)))}
    return names


def _tabs(path: str, kind: str) -> Iterator[Tab]:
    for key, label in {"": "Everything", **{key: label for key, (label, _) in KINDS.items()}}.items():
        yield Tab(label=label, address=address(path, {"kind": key}), count=None, is_current=key == kind)
