"""What the pages of changes and of the register show: badges, amounts as money, before beside after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlmodel import Session, col

from engagements.changes import reading, register
from engagements.changes.baselines import versions_of
from engagements.changes.models import ChangeRequest, ChangeState
from engagements.changes.register_schemas import ItemOut
from engagements.changes.schemas import BaselineVersionOut, ChangeOut, ImpactOut
from engagements.changes.value import value_of
from engagements.core.errors import NotFound
from engagements.core.roles import Actor
from engagements.delivery.models import RaidKind, RaidState
from engagements.delivery.owners import Owner, owners_of
from engagements.delivery.standing import latest_baseline
from engagements.proposals.scoping_pages import Place
from engagements.rendering import Badge
from estimator.money import Money

_BADGES: Final[Mapping[ChangeState, tuple[str, str]]] = {
    ChangeState.DRAFT: ("quiet", "Draft"),
    ChangeState.ASSESSED: ("accent", "Assessed"),
    ChangeState.APPROVED: ("accent", "Approved inside"),
    ChangeState.SENT: ("warn", "With the client"),
    ChangeState.AGREED: ("good", "Agreed"),
    ChangeState.DECLINED: ("bad", "Declined"),
    ChangeState.WITHDRAWN: ("quiet", "Withdrawn"),
}
_ITEM_BADGES: Final[Mapping[RaidState, tuple[str, str]]] = {
    RaidState.OPEN: ("accent", "Open"),
    RaidState.CLOSED: ("quiet", "Closed"),
    RaidState.HELD: ("good", "Held"),
    RaidState.BROKEN: ("bad", "Broken"),
}
KINDS: Final[Mapping[RaidKind, str]] = {
    RaidKind.RISK: "Risks",
    RaidKind.ASSUMPTION: "Assumptions",
    RaidKind.ISSUE: "Issues",
    RaidKind.DECISION: "Decisions",
}
_LISTED: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A change in a list. Amounts None until it is assessed."""

    change: ChangeOut
    badge: Badge
    net: Money | None
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """Net. `unknown`: pending changes without a price, which `forecast` leaves out."""

    original: Money
    approved: Money
    pending: Money
    forecast: Money
    agreed: Money
    approved_count: int
    pending_count: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    baseline: BaselineVersionOut
    net: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    place: Place
    tiles: Tiles | None
    lines: Sequence[Line]
    versions: Sequence[Version]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One amount of the whole engagement, before and after."""

    label: str
    before: Money
    after: Money

    @property
    def difference(self) -> Money:
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLine:
    label: str
    net: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    phase: str
    role: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A value of the brief that is asked for otherwise, its place in words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    phase: str
    before: date
    after: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One change, as far as the reader may see it. `cost` and `hours` are empty where they may not."""

    place: Place
    change: ChangeOut
    badge: Badge
    net: Money | None
    gross: Money | None
    prices: Sequence[Compared]
    cost: Sequence[Compared]
    asked: Sequence[Wanted]
    lines: Sequence[PriceLine]
    hours: Sequence[Worked]
    dates: Sequence[Dated]
    impact: ImpactOut | None
    item: ItemOut | None
    wrote: str
    address: str

    @property
    def compared(self) -> Sequence[Compared]:
        return [*self.prices, *self.cost]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`threshold`: the value of an assumption's trigger, as it is typed."""

    item: ItemOut
    badge: Badge
    owner: str
    threshold: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    kind: RaidKind
    label: str
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterShown:
    place: Place
    tables: Sequence[Table]


def changes_shown(session: Session, actor: Actor, engagement_id: str) -> Changes:
    """Raises `NotFound`."""
    place = Place.of(session, actor, engagement_id)
    chosen = reading.visible(actor).where(col(ChangeRequest.engagement_id) == engagement_id)
    rows = session.exec(chosen.order_by(col(ChangeRequest.number).desc()).limit(_LISTED)).all()
    latest = latest_baseline(session, engagement_id)
    versions = versions_of(session, actor, engagement_id)
    return Changes(
        place=place,
        tiles=_tiles(session, actor, engagement_id),
        lines=[_line(reading.change_as_seen(actor, row, latest)) for row in rows],
        versions=[Version(baseline=each, net=Money(each.net_minor, each.currency)) for each in versions],
    )


def change_shown(session: Session, actor: Actor, engagement_id: str, change_id: str) -> Shown:
    """Raises `NotFound`, also for a change of another engagement."""
    row = reading.seen(session, actor, change_id, engagement_id)
    change = reading.change_out(session, actor, row)
    impact = change.impact
    item = next((each for each in register.items_of(session, actor, engagement_id) if each.id == row.raid_id), None)
    owners = owners_of(session, actor.organisation_id, [row.created_by])
    return Shown(
        place=Place.of(session, actor, engagement_id),
        change=change,
        badge=Badge(tone=_BADGES[change.state][0], label=_BADGES[change.state][1]),
        net=_money(change.net_minor, change.currency),
        gross=_money(change.gross_minor, change.currency),
        prices=_prices(impact) if impact else (),
        cost=_cost(impact) if impact else (),
        asked=[
            Wanted(label=_place(each.path), before=each.before, after=each.after)
            for each in (impact.asked if impact else ())
        ],
        lines=[PriceLine(label=each.label, net=Money(each.net_minor, impact.currency)) for each in impact.lines]
        if impact
        else (),
        hours=_hours(impact) if impact else (),
        dates=_dates(impact) if impact else (),
        impact=impact,
        item=register.item_out(item, actor) if item else None,
        wrote=owners[row.created_by].name if row.created_by in owners else "",
        address=_address(change),
    )


def register_shown(session: Session, actor: Actor, engagement_id: str) -> RegisterShown:
    """Raises `NotFound`."""
    rows = register.items_of(session, actor, engagement_id)
    owners = owners_of(session, actor.organisation_id, [row.owner_id for row in rows])
    entries = [(row.kind, _entry(register.item_out(row, actor), owners)) for row in rows]
    return RegisterShown(
        place=Place.of(session, actor, engagement_id),
        tables=[
            Table(kind=kind, label=label, entries=[entry for of, entry in entries if of is kind])
            for kind, label in KINDS.items()
        ],
    )


def item_shown(session: Session, actor: Actor, engagement_id: str, item_id: str) -> Entry:
    """Raises `NotFound`, also for an item of another engagement."""
    shown = register_shown(session, actor, engagement_id)
    found = next((each for table in shown.tables for each in table.entries if each.item.id == item_id), None)
    if found is None:
        raise NotFound
    return found


def _entry(item: ItemOut, owners: Mapping[str, Owner]) -> Entry:
    owner = owners.get(item.owner_id or "")
    tone, label = _ITEM_BADGES[item.state]
    named = f"{owner.name} (has left)" if owner and owner.left else owner.name if owner else item.owner_name
    threshold = f"{item.trigger.value:g}" if item.trigger else ""
    return Entry(item=item, badge=Badge(tone=tone, label=label), owner=named, threshold=threshold)


def _tiles(session: Session, actor: Actor, engagement_id: str) -> Tiles | None:
    value = value_of(session, engagement_id, for_client=actor.client_id is not None)
    if value is None:
        return None
    original, approved, pending, forecast, agreed = (
        Money(minor, value.currency)
        for minor in (value.original, value.approved, value.pending, value.forecast, value.agreed)
    )
    return Tiles(
        original=original, approved=approved, pending=pending, forecast=forecast, agreed=agreed,
        approved_count=value.approved_count, pending_count=value.pending_count, unknown=value.pending_unknown,
    )  # fmt: skip


def _line(change: ChangeOut) -> Line:
    tone, label = _BADGES[change.state]
    net = _money(change.net_minor, change.currency)
    return Line(change=change, badge=Badge(tone=tone, label=label), net=net, address=_address(change))


def _address(change: ChangeOut) -> str:
    return f"/engagements/{change.engagement_id}/changes/{change.id}"


def _money(minor: int | None, currency: str) -> Money | None:
    return None if minor is None else Money(minor, currency)


def _prices(impact: ImpactOut) -> list[Compared]:
    return [
        _compared("Price without tax", impact.net_before_minor, impact.net_after_minor, impact.currency),
        _compared("Price with tax", impact.gross_before_minor, impact.gross_after_minor, impact.currency),
    ]


def _cost(impact: ImpactOut) -> list[Compared]:
    cost = impact.cost
    if cost is None:
        return []
    return [
        _compared("Our cost, mean", cost.mean_before_minor, cost.mean_after_minor, impact.currency),
        _compared("Our cost, four times in five", cost.p80_before_minor, cost.p80_after_minor, impact.currency),
    ]


def _compared(label: str, before: int, after: int, currency: str) -> Compared:
    return Compared(label=label, before=Money(before, currency), after=Money(after, currency))


def _hours(impact: ImpactOut) -> list[Worked]:
    return [
        Worked(phase=each.phase.label, role=each.role, before=each.before, after=each.after)
        for each in impact.hours or ()
    ]


def _place(path: str) -> str:
    """data.labelling.examples: Data, labelling, examples."""
    words = path.replace("_", " ").replace(".", ", ")
    return words[:1].upper() + words[1:]


def _dates(impact: ImpactOut) -> list[Dated]:
    """Gates that move, and the latest one in any case."""
    last = impact.dates[-1:]
    return [
        Dated(phase=each.phase.label, before=each.gate_before, after=each.gate_after)
        for each in impact.dates
        if each.gate_before != each.gate_after or each in last
    ]
