"""How engagements stand, for the client's people: what is done, what is in flight, what waits for them.

Cost, margin, hours, and what is kept inside the agency are never read here. The agency's own people see the same by
`as_client`: the same functions, asked as the client's approver would ask.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, TypeVar, assert_never

from sqlmodel import Session, col

from engagements.changes.models import ChangeRequest, ChangeState
from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import Actor, Permission, Role
from engagements.core.service import find, scoped
from engagements.dashboard.measures import dated_steps
from engagements.dashboard.portfolio import latest_proposals, names_of
from engagements.dashboard.views import ENGAGEMENT_BADGES, PhaseStep, planned_phases
from engagements.dashboard.work import WorkItem, WorkKind, change_address, deliverable_address, gate_address, work_of
from engagements.db.columns import Record
from engagements.delivery.models import CURRENT, DeliverableRecord, DeliverableState, PhaseRecord, PhaseState
from engagements.proposals.models import Proposal, ProposalState
from engagements.rendering import Badge
from engagements.reports.models import StatusReport

LISTED: Final = 200
_ACCEPTED: Final = frozenset({DeliverableState.ACCEPTED, DeliverableState.ACCEPTED_WITH_RESERVATIONS})

Row = TypeVar("Row", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A sentence without its full stop, a day with what it is the day of, and the page that shows more."""

    text: str
    day: date | None = None
    day_is: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStanding:
    """`proposal_id` "": nothing to open yet. `is_under_way`: whether there is a plan that its pages show."""

    id: str
    name: str
    in_state: EngagementState
    state: Badge
    phases: tuple[PhaseStep, ...]
    contact: str | None
    proposal_id: str
    is_under_way: bool
    done: Sequence[Said]
    in_flight: Sequence[Said]
    needs_you: Sequence[WorkItem]


def as_client(session: Session, actor: Actor, engagement_id: str) -> Actor:
    """Whoever asks, narrowed to what the approver of the engagement's client may see. Raises `NotFound`."""
    if not actor.is_staff:
        return actor
    engagement = find(session, actor, Engagement, engagement_id)
    return replace(actor, role=Role.CLIENT_APPROVER, client_id=engagement.client_id)


def standings(
    session: Session, actor: Actor, *, today: date, engagement_id: str | None = None
) -> Sequence[ClientStanding]:
    """Of all engagements that a client's people may see, or of one. Raises `NotFound` for that one."""
    if engagement_id is not None:
        rows: Sequence[Engagement] = [find(session, actor, Engagement, engagement_id)]
    else:
        rows = session.exec(scoped(Engagement, actor).order_by(col(Engagement.id).desc()).limit(LISTED)).all()
    ids = [row.id for row in rows]
    offers = latest_proposals(session, actor, ids)
    names = names_of(session, actor, {row.owner_id for row in rows if row.owner_id})
    facts = _delivery(session, actor, ids)
    waits = _waits(session, actor, today, engagement_id)
    return [
        standing_of(row, offers.get(row.id), facts[row.id], waits[row.id], actor, contact=names.get(row.owner_id or ""))
        for row in rows
    ]


def standing_for(session: Session, actor: Actor, engagement_id: str, *, today: date) -> ClientStanding:
    """Of one engagement, as its client is told. Raises `NotFound`."""
    reader = as_client(session, actor, engagement_id)
    (standing,) = standings(session, reader, today=today, engagement_id=engagement_id)
    return standing


@dataclass(slots=True, kw_only=True)
class Delivery:
    """What a client may know of one engagement's delivery; empty before anything was agreed."""

    phases: list[PhaseRecord] = field(default_factory=list)
    deliverables: list[DeliverableRecord] = field(default_factory=list)
    changes: list[ChangeRequest] = field(default_factory=list)
    reports: list[StatusReport] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Waits:
    """What waits for this reader, and what for somebody else of the client."""

    mine: list[WorkItem] = field(default_factory=list)
    theirs: list[WorkItem] = field(default_factory=list)


def _delivery(session: Session, actor: Actor, engagements: Collection[str]) -> Mapping[str, Delivery]:
    found: defaultdict[str, Delivery] = defaultdict(Delivery)
    for phase in _of(session, actor, PhaseRecord, engagements):
        found[phase.engagement_id].phases.append(phase)
    for deliverable in _of(session, actor, DeliverableRecord, engagements):
        found[deliverable.engagement_id].deliverables.append(deliverable)
    for change in _of(session, actor, ChangeRequest, engagements):
        found[change.engagement_id].changes.append(change)
    for report in _of(session, actor, StatusReport, engagements):
        found[report.engagement_id].reports.append(report)
    for delivery in found.values():
        delivery.phases.sort(key=lambda row: row.phase.number)
    return found


def _of(session: Session, actor: Actor, kind: type[Row], engagements: Collection[str]) -> Iterator[Row]:
    of: Any = kind
    yield from session.exec(scoped(kind, actor).where(of.engagement_id.in_(engagements)).order_by(col(kind.id)))


def _waits(session: Session, actor: Actor, today: date, engagement_id: str | None) -> Mapping[str, Waits]:
    waits: defaultdict[str, Waits] = defaultdict(Waits)
    mine = work_of(session, actor, today=today, engagement_id=engagement_id)
    for item in mine:
        waits[item.engagement_id or ""].mine.append(item)
    if not actor.may(Permission.SIGN_DELIVERY):
        approver = replace(actor, role=Role.CLIENT_APPROVER)
        for item in work_of(session, approver, today=today, engagement_id=engagement_id):
            if item not in mine:
                waits[item.engagement_id or ""].theirs.append(item)
    return waits


def standing_of(
    row: Engagement, offer: Proposal | None, delivery: Delivery, waits: Waits, actor: Actor, *, contact: str | None
) -> ClientStanding:
    """`offer`: the newest proposal that was sent."""
    if delivery.phases:
        done, in_flight = _done(delivery), [*_in_flight(delivery), *_elsewhere(waits.theirs)]
    else:
        done, in_flight = _of_the_offer(offer, decides=actor.may(Permission.DECIDE_PROPOSALS))
    needs_you = [item for item in waits.mine if item.kind is not WorkKind.UNREAD_NOTICES]
    match row.state:
        case EngagementState.ON_HOLD:
            in_flight = [Said(text=f"On hold: {row.state_reason}")]
        case EngagementState.CLOSED | EngagementState.TERMINATED:
            in_flight, needs_you = [], []
        case _:
            pass
    return ClientStanding(
        id=row.id, name=row.name, in_state=row.state, state=ENGAGEMENT_BADGES[row.state],
        phases=dated_steps(delivery.phases) if delivery.phases else planned_phases(row.state), contact=contact,
        proposal_id=offer.id if offer else "", is_under_way=bool(delivery.phases), done=done, in_flight=in_flight,
        needs_you=needs_you,
    )  # fmt: skip


def _done(delivery: Delivery) -> list[Said]:
    """Newest first."""
    said = [
        Said(text=f"{row.phase.label} is done", day=row.actual_end, address=gate_address(row))
        for row in delivery.phases
        if row.state is PhaseState.DONE
    ]
    for handed in delivery.deliverables:
        if handed.state in _ACCEPTED and handed.decided_at is not None:
            text = f"{handed.code} {handed.name} is accepted"
            said.append(Said(text=text, day=handed.decided_at.date(), address=deliverable_address(handed)))
    for change in delivery.changes:
        if change.state is ChangeState.AGREED and change.decided_at is not None:
            text = f"Change {change.number}, {change.title}, is agreed"
            said.append(Said(text=text, day=change.decided_at.date(), address=change_address(change)))
    for report in delivery.reports[-3:]:
        address = f"/reports/{report.id}"
        said.append(Said(text=f"Status report {report.number} is out", day=report.day, address=address))
    return sorted(said, key=lambda one: one.day or date.min, reverse=True)


def _in_flight(delivery: Delivery) -> Iterator[Said]:
    for row in delivery.phases:
        if row.state in CURRENT:
            yield Said(text=_current(row), day=row.planned_gate, day_is="gate", address=gate_address(row))
            yield from _being_made(delivery, row)
    if all(row.state is PhaseState.DONE for row in delivery.phases):
        yield Said(text="All phases are done")


def _being_made(delivery: Delivery, phase: PhaseRecord) -> Iterator[Said]:
    for row in delivery.deliverables:
        if row.phase is phase.phase and row.state not in {*_ACCEPTED, DeliverableState.SUBMITTED}:
            yield Said(text=f"{row.code} {row.name}", day=row.due, day_is="due", address=deliverable_address(row))


def _current(row: PhaseRecord) -> str:
    phase = f"Phase {row.phase.number}, {row.phase.label.lower()}"
    match row.state:
        case PhaseState.READY:
            return f"{phase}, is ready to begin"
        case PhaseState.BLOCKED:
            return f"{phase}, is held up"
        case PhaseState.GATE_REVIEW:
            return f"{phase}, is at its gate"
        case _:
            return f"{phase}, is in progress"


def _elsewhere(items: Sequence[WorkItem]) -> Iterator[Said]:
    for item in items:
        yield Said(text=f"{item.title}: waits for your approver", day=item.due, day_is="due", address=item.address)


def _of_the_offer(offer: Proposal | None, *, decides: bool) -> tuple[list[Said], list[Said]]:
    """Before anything is agreed. What waits for a decision is in the reader's work already."""
    if offer is None:
        return [], [Said(text="The proposal is being prepared")]
    name, there = f"Proposal {offer.number}" if offer.number else "The proposal", f"/proposals/{offer.id}"
    match offer.state:
        case ProposalState.SENT:
            waiting = [] if decides else [Said(text=f"{name} is being decided by your approver", address=there)]
            return [Said(text="The proposal is written", address=there)], waiting
        case ProposalState.ACCEPTED:
            return [Said(text=f"{name} is accepted", address=there)], [Said(text="The plan is being laid out")]
        case ProposalState.DECLINED:
            return [Said(text=f"{name} was declined", address=there)], []
        case ProposalState.EXPIRED:
            return [], [Said(text=f"{name} has run out; ask for it to be renewed", address=there)]
        case ProposalState.WITHDRAWN | ProposalState.SUPERSEDED:
            return [], [Said(text="A new proposal is being prepared")]
        case ProposalState.DRAFT | ProposalState.IN_REVIEW | ProposalState.APPROVED:
            return [], [Said(text="The proposal is being prepared")]
        case _:
            assert_never(offer.state)
