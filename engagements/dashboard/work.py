"""What waits for one person, over all their engagements: for the agency's people their work, for a client's theirs.

Each kind of work is one query; who may not do a kind of work has none of it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Select, func
from sqlmodel import Session, col, or_

from engagements.actuals.models import CostEntry, EntryState, TimeEntry
from engagements.changes.models import ChangeRequest, ChangeState
from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import Actor, Permission
from engagements.core.service import scoped
from engagements.db.columns import Record
from engagements.delivery.gate_models import GateCondition, GateDecision, GateState
from engagements.delivery.models import (
    CURRENT,
    DeliverableRecord,
    DeliverableState,
    Milestone,
    MilestoneKind,
    PhaseRecord,
    PhaseState,
    RaidItem,
    RaidState,
)
from engagements.notices.telling import unread_of
from engagements.proposals.models import Proposal, ProposalState

EACH_MAX: Final = 100
"""Of each kind; who has more than that has other worries than a longer list."""
INPUTS_AHEAD: Final = timedelta(days=30)
"""How long before its day a client is asked for an input."""
_OPEN: Final = (EngagementState.PROPOSED, EngagementState.ACTIVE, EngagementState.CLOSING)

Row = TypeVar("Row", bound=Record)


class WorkKind(StrEnum):
    """In the order in which a list shows them."""

    GATE_TO_SIGN = "gate_to_sign"
    DELIVERABLE_TO_ACCEPT = "deliverable_to_accept"
    CHANGE_TO_DECIDE = "change_to_decide"
    PROPOSAL_TO_DECIDE = "proposal_to_decide"
    INPUT_OWED = "input_owed"
    GATE_TO_DECIDE = "gate_to_decide"
    CONDITION_DUE = "condition_due"
    REGISTER_ITEM_DUE = "register_item_due"
    DELIVERABLE_TO_REVIEW = "deliverable_to_review"
    CHANGE_TO_APPROVE = "change_to_approve"
    CHANGE_TO_SEND = "change_to_send"
    TIME_TO_APPROVE = "time_to_approve"
    TIME_TO_SUBMIT = "time_to_submit"
    PHASE_OWNED = "phase_owned"
    UNREAD_NOTICES = "unread_notices"


_ORDER: Final = {kind: place for place, kind in enumerate(WorkKind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """One thing to do. `address`: the page where it is done; `due` None: no day is set."""

    kind: WorkKind
    title: str
    address: str
    engagement_id: str | None = None
    engagement: str = ""
    due: date | None = None
    is_overdue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Who asks, on which day, and about which engagement: None for all of theirs."""

    session: Session
    actor: Actor
    today: date
    engagement_id: str | None

    def among(self, kind: type[Row], *conditions: ColumnElement[bool]) -> Select[Any]:
        """Rows of a kind, of engagements that are open, each with its engagement's name."""
        of: Any = kind
        chosen = scoped(kind, self.actor).join(Engagement, col(Engagement.id) == of.engagement_id)
        chosen = chosen.where(col(Engagement.state).in_(_OPEN), *conditions)
        if self.engagement_id is not None:
            chosen = chosen.where(col(Engagement.id) == self.engagement_id)
        return chosen.add_columns(col(Engagement.name))

    def rows(self, kind: type[Row], *conditions: ColumnElement[bool]) -> Iterator[tuple[Row, Callable[..., WorkItem]]]:
        """Each row with what makes an item of it."""
        for row, engagement in self.session.execute(self.among(kind, *conditions).limit(EACH_MAX)):
            yield row, _maker(row.engagement_id, engagement, self.today)


def _maker(engagement_id: str, engagement: str, today: date) -> Callable[..., WorkItem]:
    def made(kind: WorkKind, title: str, address: str, *, due: date | None = None) -> WorkItem:
        return WorkItem(
            kind=kind, title=title, address=address, engagement_id=engagement_id, engagement=engagement, due=due,
            is_overdue=due is not None and due < today,
        )  # fmt: skip

    return made


def work_of(session: Session, actor: Actor, *, today: date, engagement_id: str | None = None) -> Sequence[WorkItem]:
    """What is overdue first, then by day, then by kind. `engagement_id`: only what is of this engagement."""
    reader = _Reader(session=session, actor=actor, today=today, engagement_id=engagement_id)
    kinds = _OF_STAFF if actor.is_staff else _OF_CLIENTS
    items = [item for permission, found in kinds if actor.may(permission) for item in found(reader)]
    if engagement_id is None and (unread := unread_of(session, actor.id)):
        title = f"{unread} unread {'notice' if unread == 1 else 'notices'}"
        items.append(WorkItem(kind=WorkKind.UNREAD_NOTICES, title=title, address="/notices"))
    return sorted(items, key=lambda item: (not item.is_overdue, item.due or date.max, _ORDER[item.kind]))


def plan_address(engagement_id: str) -> str:
    return f"/engagements/{engagement_id}/plan"


def gate_address(row: PhaseRecord | GateDecision | GateCondition) -> str:
    return f"/engagements/{row.engagement_id}/gates/{row.phase}"


def deliverable_address(row: DeliverableRecord) -> str:
    return f"/deliverables/{row.id}"


def change_address(row: ChangeRequest) -> str:
    return f"/engagements/{row.engagement_id}/changes/{row.id}"


# --- of the agency's people -----------------------------------------------------------------------------------------


def _phases(reader: _Reader) -> Iterator[WorkItem]:
    mine = col(PhaseRecord.owner_id) == reader.actor.id
    for row, item in reader.rows(PhaseRecord, mine, col(PhaseRecord.state).in_(CURRENT)):
        title = f"{row.phase.label}: {row.state.replace('_', ' ')}"
        yield item(WorkKind.PHASE_OWNED, title, plan_address(row.engagement_id), due=row.planned_gate)


def _gates(reader: _Reader) -> Iterator[WorkItem]:
    for row, item in reader.rows(PhaseRecord, col(PhaseRecord.state) == PhaseState.GATE_REVIEW):
        title = f"Decide the gate of {row.phase.label.lower()}"
        yield item(WorkKind.GATE_TO_DECIDE, title, gate_address(row), due=row.planned_gate)


def _conditions(reader: _Reader) -> Iterator[WorkItem]:
    mine = col(GateCondition.owner_id) == reader.actor.id
    for row, item in reader.rows(GateCondition, mine, col(GateCondition.met_at).is_(None)):
        yield item(WorkKind.CONDITION_DUE, f"Meet the condition: {row.text}", gate_address(row), due=row.due)


def _register(reader: _Reader) -> Iterator[WorkItem]:
    mine = col(RaidItem.owner_id) == reader.actor.id
    open_with_day = col(RaidItem.state) == RaidState.OPEN, col(RaidItem.due).is_not(None)
    for row, item in reader.rows(RaidItem, mine, *open_with_day):
        title = f"{row.kind.capitalize()} {row.code}: {row.title}"
        yield item(WorkKind.REGISTER_ITEM_DUE, title, f"/engagements/{row.engagement_id}/register", due=row.due)


def _to_review(reader: _Reader) -> Iterator[WorkItem]:
    """A second person looks at what is handed over: never who prepared it."""
    waits = col(DeliverableRecord.state) == DeliverableState.INTERNAL_REVIEW
    for row, item in reader.rows(DeliverableRecord, waits, col(DeliverableRecord.prepared_by) != reader.actor.id):
        title = f"Review {row.code} {row.name}"
        yield item(WorkKind.DELIVERABLE_TO_REVIEW, title, deliverable_address(row), due=row.due)


def _changes_to_approve(reader: _Reader) -> Iterator[WorkItem]:
    waits = col(ChangeRequest.state) == ChangeState.ASSESSED
    theirs = or_(col(ChangeRequest.assessed_by).is_(None), col(ChangeRequest.assessed_by) != reader.actor.id)
    for row, item in reader.rows(ChangeRequest, waits, theirs):
        yield item(WorkKind.CHANGE_TO_APPROVE, f"Approve change {row.number}: {row.title}", change_address(row))


def _changes_to_send(reader: _Reader) -> Iterator[WorkItem]:
    for row, item in reader.rows(ChangeRequest, col(ChangeRequest.state) == ChangeState.APPROVED):
        yield item(WorkKind.CHANGE_TO_SEND, f"Send change {row.number}: {row.title}", change_address(row))


def _time_to_submit(reader: _Reader) -> Iterator[WorkItem]:
    mine = col(TimeEntry.person_id) == reader.actor.id
    past = reader.among(
        TimeEntry, mine, col(TimeEntry.state) == EntryState.OPEN, col(TimeEntry.day) < reader.today
    )  # fmt: skip
    minutes = reader.session.execute(past.with_only_columns(func.sum(col(TimeEntry.minutes)))).scalar_one()
    if minutes:
        yield WorkItem(
            kind=WorkKind.TIME_TO_SUBMIT, title=f"Submit {minutes / 60:.1f} hours that you logged", address="/time"
        )


def _time_to_approve(reader: _Reader) -> Iterator[WorkItem]:
    waiting: dict[tuple[str, str], int] = {}
    for kind, by in ((TimeEntry, col(TimeEntry.person_id)), (CostEntry, col(CostEntry.created_by))):
        chosen = reader.among(kind, col(kind.state) == EntryState.SUBMITTED, by != reader.actor.id)
        engagement = col(kind.engagement_id), col(Engagement.name)
        for engagement_id, name, count in reader.session.execute(
            chosen.with_only_columns(*engagement, func.count()).group_by(*engagement)
        ):
            waiting[engagement_id, name] = waiting.get((engagement_id, name), 0) + count
    for (engagement_id, name), count in waiting.items():
        title = f"Approve {count} {'entry' if count == 1 else 'entries'} of time and cost"
        address = f"/engagements/{engagement_id}/actuals/approval"
        yield _maker(engagement_id, name, reader.today)(WorkKind.TIME_TO_APPROVE, title, address)


# --- of a client's people -------------------------------------------------------------------------------------------


def _gates_to_sign(reader: _Reader) -> Iterator[WorkItem]:
    for row, item in reader.rows(GateDecision, col(GateDecision.state) == GateState.AWAITING_CLIENT):
        yield item(WorkKind.GATE_TO_SIGN, f"Sign the gate of {row.phase.label.lower()}", f"/gates/{row.id}/sign")


def _to_accept(reader: _Reader) -> Iterator[WorkItem]:
    for row, item in reader.rows(DeliverableRecord, col(DeliverableRecord.state) == DeliverableState.SUBMITTED):
        title = f"Accept or return {row.code} {row.name}"
        yield item(WorkKind.DELIVERABLE_TO_ACCEPT, title, deliverable_address(row), due=row.due)


def _changes_to_decide(reader: _Reader) -> Iterator[WorkItem]:
    for row, item in reader.rows(ChangeRequest, col(ChangeRequest.state) == ChangeState.SENT):
        yield item(WorkKind.CHANGE_TO_DECIDE, f"Decide change {row.number}: {row.title}", change_address(row))


def _offers(reader: _Reader) -> Iterator[WorkItem]:
    for row, item in reader.rows(Proposal, col(Proposal.state) == ProposalState.SENT):
        due = row.ends_at.date() if row.ends_at else None
        yield item(WorkKind.PROPOSAL_TO_DECIDE, f"Decide proposal {row.number}", f"/proposals/{row.id}", due=due)


def _inputs_owed(reader: _Reader) -> Iterator[WorkItem]:
    owed = col(Milestone.kind) == MilestoneKind.CLIENT_INPUT, col(Milestone.reached_on).is_(None)
    soon = col(Milestone.planned_on) <= reader.today + INPUTS_AHEAD
    for row, item in reader.rows(Milestone, *owed, soon):
        title = f"Provide: {row.name}"
        yield item(WorkKind.INPUT_OWED, title, plan_address(row.engagement_id), due=row.planned_on)


_Kinds = Sequence[tuple[Permission, Callable[[_Reader], Iterator[WorkItem]]]]
_OF_STAFF: Final[_Kinds] = (
    (Permission.VIEW_DELIVERY, _phases),
    (Permission.DECIDE_GATES, _gates),
    (Permission.VIEW_DELIVERY, _conditions),
    (Permission.VIEW_ACTUALS, _register),
    (Permission.EDIT_PLAN, _to_review),
    (Permission.APPROVE_CHANGES, _changes_to_approve),
    (Permission.SEND_CHANGES, _changes_to_send),
    (Permission.LOG_TIME, _time_to_submit),
    (Permission.APPROVE_TIME, _time_to_approve),
)
_OF_CLIENTS: Final[_Kinds] = (
    (Permission.SIGN_DELIVERY, _gates_to_sign),
    (Permission.SIGN_DELIVERY, _to_accept),
    (Permission.SIGN_DELIVERY, _changes_to_decide),
    (Permission.DECIDE_PROPOSALS, _offers),
    (Permission.VIEW_DELIVERY, _inputs_owed),
)
