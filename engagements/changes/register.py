"""The register: risks, assumptions, issues, decisions. An assumption that breaks drafts a change request."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from engagements.changes import drafting
from engagements.changes.models import ChangeRequest
from engagements.changes.register_schemas import ItemIn, ItemOut, ItemPatch, OutcomeIn, score_of
from engagements.changes.schemas import ChangeIn
from engagements.core import audit
from engagements.core.errors import Conflict, Invalid
from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import Actor
from engagements.core.service import claim, find, scoped
from engagements.db.columns import new_id
from engagements.delivery.models import RaidItem, RaidKind, RaidState
from engagements.delivery.owners import require_owner
from engagements.delivery.under_way import claim_active
from estimator.errors import Problem

LETTERS: Final[Mapping[RaidKind, str]] = {
    RaidKind.RISK: "R",
    RaidKind.ASSUMPTION: "A",
    RaidKind.ISSUE: "I",
    RaidKind.DECISION: "X",
}
_OVER: Final = frozenset({EngagementState.CLOSED, EngagementState.TERMINATED})
_TITLE_MAX: Final = 200


class RegisterConflict(Conflict):
    code = "register_conflict"


def items_of(session: Session, actor: Actor, engagement_id: str) -> list[RaidItem]:
    """By kind, the gravest first, what has ended last; for a client's people what they may see. Raises `NotFound`."""
    find(session, actor, Engagement, engagement_id)
    chosen = scoped(RaidItem, actor).where(col(RaidItem.engagement_id) == engagement_id)
    if actor.client_id is not None:
        chosen = chosen.where(col(RaidItem.client_sees))
    return sorted(session.exec(chosen), key=_order)


def item_out(item: RaidItem, actor: Actor) -> ItemOut:
    fields = {name: getattr(item, name) for name in ItemOut.model_fields if name not in {"score", "trigger"}}
    fields["trigger"] = item.trigger or None
    fields["score"] = score_of(item.probability, item.impact)
    if actor.client_id is not None:
        fields |= {"owner_id": None, "change_id": None, "trigger": None}
    return ItemOut.model_validate(fields)


def add_item(session: Session, actor: Actor, engagement_id: str, data: ItemIn, *, at: datetime) -> RaidItem:
    """Raises `RegisterConflict` for an engagement that is over, `Invalid` for an owner who is nobody of ours."""
    engagement = _claimed(session, actor, engagement_id)
    _check(session, actor, data.kind, data)
    kept = data.model_dump(exclude={"trigger"})
    item = RaidItem(
        id=new_id(RaidItem.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement.id,
        client_id=engagement.client_id, code=_next_code(session, engagement.id, data.kind),
        trigger=data.trigger.model_dump(mode="json") if data.trigger else {}, created_at=at, changed_at=at, **kept,
    )  # fmt: skip
    session.add(item)
    audit.record(session, actor, f"{data.kind}.entered", item, at=at, client_sees=data.client_sees)
    return item


def edit_item(session: Session, actor: Actor, item_id: str, data: ItemPatch, *, version: int, at: datetime) -> RaidItem:
    """Raises `RegisterConflict` for what has ended."""
    item = _open(session, actor, item_id, version)
    _check(session, actor, item.kind, data)
    for name in data.model_fields_set - {"trigger"}:
        setattr(item, name, getattr(data, name))
    if "trigger" in data.model_fields_set:
        item.trigger = data.trigger.model_dump(mode="json") if data.trigger else {}
    return _recorded(session, actor, item, "changed", at=at)


def close_item(session: Session, actor: Actor, item_id: str, data: OutcomeIn, *, at: datetime) -> RaidItem:
    """Raises `RegisterConflict` for an assumption, which holds or breaks."""
    item = _open(session, actor, item_id)
    if item.kind is RaidKind.ASSUMPTION:
        raise RegisterConflict("an assumption is not closed", remedy="say that it held, or that it is broken")
    item.state, item.outcome = RaidState.CLOSED, data.outcome
    return _recorded(session, actor, item, "closed", at=at, reason=data.outcome)


def hold_item(session: Session, actor: Actor, item_id: str, data: OutcomeIn, *, at: datetime) -> RaidItem:
    """An assumption that proved true."""
    item = _assumption(session, actor, item_id)
    item.state, item.outcome = RaidState.HELD, data.outcome
    return _recorded(session, actor, item, "held", at=at, reason=data.outcome)


def break_item(session: Session, actor: Actor, item_id: str, data: OutcomeIn, *, at: datetime) -> ChangeRequest:
    """The change request that follows from an assumption that proved false. Raises `NotUnderWay`."""
    engagement = claim_active(session, actor, find(session, actor, RaidItem, item_id).engagement_id)
    item = _assumption(session, actor, item_id)
    return broken(session, actor, engagement, item, data.outcome, at=at)


def broken(
    session: Session, actor: Actor, engagement: Engagement, item: RaidItem, outcome: str, *, at: datetime
) -> ChangeRequest:
    """The same for an item that is open, of an engagement that is locked."""
    what_follows = f" Then: {item.response}." if item.response else ""
    asked = ChangeIn(
        title=f"{item.code} is broken: {item.title}"[:_TITLE_MAX], reason=f"{outcome}{what_follows}"[:2000]
    )
    key = f"assumption:{item.id}"
    change = drafting.enter(session, actor, engagement, asked, at=at, origin="assumption", trigger_key=key, item=item)
    item.state, item.outcome, item.change_id = RaidState.BROKEN, outcome, change.id
    _recorded(session, actor, item, "broken", at=at, reason=outcome)
    return change


def _claimed(session: Session, actor: Actor, engagement_id: str) -> Engagement:
    engagement = claim(session, actor, Engagement, engagement_id)
    if engagement.state in _OVER:
        raise RegisterConflict(f"this engagement is {engagement.state}", remedy="its register stays as it is")
    return engagement


def _open(session: Session, actor: Actor, item_id: str, version: int | None = None) -> RaidItem:
    item = claim(session, actor, RaidItem, item_id, version)
    if item.state is not RaidState.OPEN:
        raise RegisterConflict(f"{item.code} is {item.state}, and stays so", remedy="enter a new item")
    return item


def _assumption(session: Session, actor: Actor, item_id: str) -> RaidItem:
    item = _open(session, actor, item_id)
    if item.kind is not RaidKind.ASSUMPTION:
        raise RegisterConflict(f"{item.code} is no assumption", remedy="close it with its outcome")
    return item


def _recorded(session: Session, actor: Actor, item: RaidItem, did: str, *, at: datetime, reason: str = "") -> RaidItem:
    item.changed_at = at
    audit.record(session, actor, f"{item.kind}.{did}", item, at=at, reason=reason, client_sees=item.client_sees)
    return item


def _check(session: Session, actor: Actor, kind: RaidKind, data: ItemIn | ItemPatch) -> None:
    if data.owner_id is not None:
        require_owner(session, actor, data.owner_id)
    if data.trigger is not None and kind is not RaidKind.ASSUMPTION:
        message, remedy = f"a trigger breaks an assumption, and this is a {kind}", "leave it out"
        raise Invalid.of(Problem(code="trigger.of_assumptions", where="trigger", message=message, remedy=remedy))


def _next_code(session: Session, engagement_id: str, kind: RaidKind) -> str:
    codes = session.exec(
        select(RaidItem.code).where(RaidItem.engagement_id == engagement_id, col(RaidItem.kind) == kind)
    )
    return f"{LETTERS[kind]}{max((int(code[1:]) for code in codes), default=0) + 1}"


def _order(item: RaidItem) -> tuple[int, bool, int, int]:
    score = score_of(item.probability, item.impact) or 0
    return list(RaidKind).index(item.kind), item.state is not RaidState.OPEN, -score, int(item.code[1:])
