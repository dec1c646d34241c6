"""All engagements at a glance, in a constant number of queries however many there are.

One query reads of each engagement what it is judged by; the judging is pure, so lists, counts and exports agree.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any, Final, Protocol, cast

from sqlalchemy import Select, and_, func, or_
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from engagements.core.models import Client, Engagement, EngagementActivity, EngagementState
from engagements.core.roles import Actor, Permission
from engagements.core.service import scoped
from engagements.core.text import name_key
from engagements.dashboard.measures import (
    HEALTH_BADGES,
    BudgetBar,
    NextGate,
    budget_bar,
    calendars_of,
    next_gate,
    steps_of,
)
from engagements.dashboard.views import ENGAGEMENT_BADGES, PROPOSAL_BADGES, Badge, PhaseStep, planned_phases
from engagements.delivery.health import Health, Measured, health_of, level_of
from engagements.delivery.models import PhaseState, Standing
from engagements.people.models import User
from engagements.proposals.models import Proposal, ProposalState
from estimator.phases import Phase

ROWS: Final = 50
SILENT_AFTER: Final = timedelta(days=14)
OFFER_ENDS_SOON: Final = timedelta(days=7)
ATTENTION: Final = "attention"
_LIVE: Final = frozenset({EngagementState.PROPOSED, EngagementState.ACTIVE, EngagementState.CLOSING})
_ENDED: Final = frozenset({EngagementState.CLOSED, EngagementState.TERMINATED})
_URGENCY: Final[Mapping[Health | None, int]] = {Health.LATE: 0, Health.AT_RISK: 1}
_SEEN_BY_CLIENTS: Final = (
    ProposalState.SENT, ProposalState.ACCEPTED, ProposalState.DECLINED, ProposalState.EXPIRED,
    ProposalState.WITHDRAWN, ProposalState.SUPERSEDED,
)  # fmt: skip


class Found(Measured, Protocol):
    """One row of the query: an engagement with its client and its standing, whose columns are None without one."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def client(self) -> str: ...
    @property
    def in_state(self) -> EngagementState: ...
    @property
    def state_reason(self) -> str: ...
    @property
    def owner_id(self) -> str | None: ...
    @property
    def active_at(self) -> datetime: ...
    @property
    def steps(self) -> str | None: ...
    @property
    def currency(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An engagement found, how it is doing (None once it has ended), and what else it needs.

    `urgency`: 0 presses most; 3 needs nobody.
    """

    row: Found
    health: Health | None
    needs: tuple[str, ...]
    urgency: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One engagement. `health` None: it has ended. `why`: what it needs, the reasons of its health first.

    `proposal` None: there is none, or the reader may not see it; `budget` in money only for who may see cost.
    """

    id: str
    name: str
    client_id: str
    client: str
    state: Badge
    in_state: EngagementState
    health: Badge | None
    judged: Health | None
    phases: tuple[PhaseStep, ...]
    phase: Phase | None
    phase_state: PhaseState | None
    gate: NextGate | None
    budget: BudgetBar | None
    earned_minor: int | None
    proposal: Badge | None
    owner_id: str | None
    owner: str | None
    changed_at: datetime
    why: tuple[str, ...]

    @property
    def is_under_way(self) -> bool:
        return self.judged is not None and self.judged is not Health.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """`counts` by view: "" for all, `attention`, each health and each state; `total`: in the view that is open."""

    lines: Sequence[Line]
    counts: Mapping[str, int]
    total: int
    has_clients: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which engagements: `view` is "", `attention`, a health or a state; `search` a part of a name; `page` from 1."""

    view: str = ""
    search: str = ""
    owner: str = ""
    page: int = 1


def portfolio(session: Session, actor: Actor, chosen: Chosen, *, now: datetime, today: date) -> Portfolio:
    """One page, what needs attention first and then what changed last."""
    everything = judged(session, actor, chosen.search, chosen.owner, now=now, today=today)
    listed = in_view(everything, chosen.view)
    page = listed[(chosen.page - 1) * ROWS : chosen.page * ROWS]
    return Portfolio(
        lines=lines_of(session, actor, page, today=today), counts=_counts(everything), total=len(listed),
        has_clients=bool(everything) or session.exec(scoped(Client, actor).limit(1)).first() is not None,
    )  # fmt: skip


def judged(
    session: Session, actor: Actor, search: str = "", owner: str = "", *, now: datetime, today: date
) -> list[Judged]:
    """All that match, most urgent first; two queries."""
    chosen = _matching(actor, search)
    if owner:
        chosen = chosen.where(col(Engagement.owner_id) == owner)
    pressing = _pressing_offers(session, actor, now)
    rows = cast("Sequence[Found]", session.execute(chosen.order_by(col(EngagementActivity.at).desc())).all())
    return sorted((_judge(row, pressing.get(row.id), now=now, today=today) for row in rows), key=attrgetter("urgency"))


def judged_among(session: Session, actor: Actor, ids: Collection[str], *, now: datetime, today: date) -> list[Judged]:
    """Of these engagements those that are there, in the order of `ids`."""
    pressing = _pressing_offers(session, actor, now, ids)
    rows = session.execute(_matching(actor, "").where(col(Engagement.id).in_(ids))).all()
    found = {row.id: row for row in cast("Sequence[Found]", rows)}
    return [_judge(found[one], pressing.get(one), now=now, today=today) for one in ids if one in found]


def in_view(everything: Sequence[Judged], view: str) -> Sequence[Judged]:
    """An unknown view holds nothing."""
    return [each for each in everything if _holds(view)(each)] if view else everything


def _holds(view: str) -> Callable[[Judged], bool]:
    if view == ATTENTION:
        return lambda each: each.urgency < 3
    if view in set(Health):
        return lambda each: each.health == view
    return lambda each: each.row.in_state == view


def lines_of(session: Session, actor: Actor, chosen: Sequence[Judged], *, today: date) -> Sequence[Line]:
    """Three queries for any number of engagements."""
    ids = [each.row.id for each in chosen]
    owners = names_of(session, actor, {each.row.owner_id for each in chosen if each.row.owner_id})
    offers, calendars = latest_proposals(session, actor, ids), calendars_of(session, ids)
    return [
        Line(
            id=row.id, name=row.name, client_id=row.client_id, client=row.client, in_state=row.in_state,
            state=ENGAGEMENT_BADGES[row.in_state], health=HEALTH_BADGES[each.health] if each.health else None,
            judged=each.health,
            phases=steps_of(row.steps) if row.steps else planned_phases(row.in_state), phase=row.phase,
            phase_state=row.state,
            gate=next_gate(row, calendars[row.id], today=today) if each.health and row.id in calendars else None,
            budget=budget_bar(row, row.currency, actor) if row.steps else None,
            earned_minor=row.earned_minor if actor.may(Permission.VIEW_COST) else None,
            proposal=PROPOSAL_BADGES[offers[row.id].state] if row.id in offers else None,
            owner_id=row.owner_id, owner=owners.get(row.owner_id or ""), changed_at=row.active_at,
            why=_why(each, today),
        )
        for each in chosen
        for row in [each.row]
    ]  # fmt: skip


def _why(each: Judged, today: date) -> tuple[str, ...]:
    reasons = health_of(each.row, today=today).reasons if each.health in _URGENCY else ()
    return (*reasons, *each.needs)


def names_of(session: Session, actor: Actor, people: Collection[str]) -> dict[str, str]:
    """Names of people of the tenant by id, also of those whom a client's people may not list."""
    if not people:
        return {}
    chosen = select(User.id, User.name).where(User.organisation_id == actor.organisation_id, col(User.id).in_(people))
    return dict(session.exec(chosen).all())


def latest_proposals(session: Session, actor: Actor, engagements: Collection[str]) -> dict[str, Proposal]:
    """By engagement, the newest that the reader may see: a client's people see what was sent, never a draft."""
    if not engagements or not actor.may(Permission.VIEW_PROPOSALS):
        return {}
    chosen = scoped(Proposal, actor).where(col(Proposal.engagement_id).in_(engagements))
    if actor.client_id is not None:
        chosen = chosen.where(col(Proposal.state).in_(_SEEN_BY_CLIENTS))
    return {offer.engagement_id: offer for offer in session.exec(chosen.order_by(col(Proposal.id)))}


@dataclass(frozen=True, slots=True, kw_only=True)
class PressingOffer:
    """A proposal that waits for somebody: to be approved, or to be decided before it ends."""

    state: ProposalState
    ends_at: datetime | None


def needs_of(row: Found, offer: PressingOffer | None, *, now: datetime) -> list[str]:
    """What an engagement needs from somebody, beside what its health says, in words."""
    needs = []
    if row.in_state is EngagementState.ON_HOLD:
        needs.append(f"On hold: {row.state_reason}")
    if row.in_state in _LIVE and row.owner_id is None:
        needs.append("Nobody owns it.")
    if row.in_state in _LIVE and row.active_at < now - SILENT_AFTER:
        needs.append(f"Nothing has happened for {(now - row.active_at).days} days.")
    if offer and offer.state is ProposalState.IN_REVIEW:
        needs.append("The proposal waits for a second person.")
    if offer and offer.state is ProposalState.SENT and offer.ends_at:
        left = max((offer.ends_at - now).days, 0)
        needs.append(f"The offer ends in {left} {'day' if left == 1 else 'days'}." if left else "The offer ends today.")
    return needs


def _judge(row: Found, offer: PressingOffer | None, *, now: datetime, today: date) -> Judged:
    health = None if row.in_state in _ENDED else level_of(row if row.steps else None, today=today)
    needs = tuple(needs_of(row, offer, now=now))
    return Judged(row=row, health=health, needs=needs, urgency=_URGENCY.get(health, 2 if needs else 3))


def _matching(actor: Actor, search: str) -> Select[*tuple[Any, ...]]:
    """The one query. Outer join: without a standing nothing was agreed yet."""
    chosen: Select[*tuple[Any, ...]] = (
        sa_select(
            col(Engagement.id), col(Engagement.name), col(Engagement.client_id), col(Client.name).label("client"),
            col(Engagement.state).label("in_state"), col(Engagement.state_reason), col(Engagement.owner_id),
            col(EngagementActivity.at).label("active_at"), col(Standing.steps), col(Standing.phase),
            col(Standing.state), col(Standing.planned_gate), col(Standing.agreed_gate), col(Standing.late_gate),
            col(Standing.next_due), col(Standing.currency), col(Standing.budget_minor),
            col(Standing.budget_late_minor), col(Standing.spent_minor), col(Standing.spent_unknown),
            col(Standing.allowed_minor), col(Standing.earned_minor),
            col(Standing.minutes), col(Standing.budget_minutes), col(Standing.open_alerts),
        )
        .join(Client, col(Client.id) == col(Engagement.client_id))
        .join(EngagementActivity, col(EngagementActivity.engagement_id) == col(Engagement.id))
        .outerjoin(Standing, col(Standing.engagement_id) == col(Engagement.id))
        .where(col(Engagement.organisation_id) == actor.organisation_id)
    )  # fmt: skip
    if actor.client_id is not None:
        chosen = chosen.where(col(Engagement.client_id) == actor.client_id)
    if search:
        by_client = col(Client.name_key).contains(name_key(search), autoescape=True)
        chosen = chosen.where(
            or_(by_client, func.lower(col(Engagement.name)).contains(search.lower(), autoescape=True))
        )
    return chosen


def _pressing_offers(
    session: Session, actor: Actor, now: datetime, engagements: Collection[str] | None = None
) -> dict[str, PressingOffer]:
    """By engagement; nothing for who may not see proposals."""
    if not actor.may(Permission.VIEW_PROPOSALS) or not actor.is_staff:
        return {}
    ends_soon = and_(col(Proposal.state) == ProposalState.SENT, col(Proposal.ends_at) < now + OFFER_ENDS_SOON)
    chosen = scoped(Proposal, actor).where(or_(col(Proposal.state) == ProposalState.IN_REVIEW, ends_soon))
    if engagements is not None:
        chosen = chosen.where(col(Proposal.engagement_id).in_(engagements))
    rows = session.execute(
        chosen.with_only_columns(col(Proposal.engagement_id), col(Proposal.state), col(Proposal.ends_at))
    )
    return {one: PressingOffer(state=ProposalState(state), ends_at=ends_at) for one, state, ends_at in rows}


def _counts(everything: Sequence[Judged]) -> dict[str, int]:
    counted = Counter[str](each.row.in_state.value for each in everything)
    counted.update(each.health.value for each in everything if each.health)
    return {"": len(everything), ATTENTION: sum(each.urgency < 3 for each in everything)} | dict(counted)
