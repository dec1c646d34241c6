"""All engagements at a glance, in a constant number of queries however many there are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session, col, select

from engagements.core.models import Client, Engagement, EngagementState
from engagements.core.roles import Actor, Permission
from engagements.core.service import scoped
from engagements.dashboard.measures import (
    HEALTH_BADGES,
    BudgetBar,
    NextGate,
    budget_bar,
    calendars_of,
    next_gate,
    steps_of,
)
from engagements.dashboard.portfolio_query import PRESSES, Asked, Chosen, Judged
from engagements.dashboard.views import ENGAGEMENT_BADGES, PROPOSAL_BADGES, PhaseStep, planned_phases
from engagements.delivery.health import Health, health_of
from engagements.delivery.models import PhaseState
from engagements.people.models import User
from engagements.proposals.models import Proposal, ProposalState
from engagements.rendering import Badge
from estimator.phases import Phase

ROWS: Final = 50
_SEEN_BY_CLIENTS: Final = (
    ProposalState.SENT, ProposalState.ACCEPTED, ProposalState.DECLINED, ProposalState.EXPIRED,
    ProposalState.WITHDRAWN, ProposalState.SUPERSEDED,
)  # fmt: skip


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


def portfolio(session: Session, actor: Actor, chosen: Chosen, *, now: datetime, today: date) -> Portfolio:
    """One page, what needs attention first and then what changed last."""
    asked = Asked(session=session, actor=actor, now=now, today=today)
    counts = asked.counts(chosen)
    page = asked.rows(chosen, limit=ROWS, offset=(chosen.page - 1) * ROWS)
    return Portfolio(
        lines=lines_of(session, actor, page, today=today), counts=counts, total=counts.get(chosen.view, 0),
        has_clients=bool(counts[""]) or session.exec(scoped(Client, actor).limit(1)).first() is not None,
    )  # fmt: skip


def judged_all(session: Session, actor: Actor, chosen: Chosen, *, now: datetime, today: date) -> list[Judged]:
    """All of a view in the order of the page, on all its pages."""
    return Asked(session=session, actor=actor, now=now, today=today).rows(chosen)


def judged_newest(
    session: Session, actor: Actor, chosen: Chosen, *, state: str, before: str | None, limit: int, now: datetime,
    today: date,
) -> list[Judged]:  # fmt: skip
    """Newest first, those with smaller ids than `before`; `state` narrows the view further."""
    asked = Asked(session=session, actor=actor, now=now, today=today)
    further = [col(Engagement.id) < before] if before is not None else []
    further += [asked.holds(state)] if state else []
    return asked.rows(chosen, *further, limit=limit, newest=True)


def judged_among(session: Session, actor: Actor, ids: Collection[str], *, now: datetime, today: date) -> list[Judged]:
    """Of these engagements those that are there, in the order of `ids`."""
    asked = Asked(session=session, actor=actor, now=now, today=today)
    found = {each.row.id: each for each in asked.rows(Chosen(), col(Engagement.id).in_(ids))}
    return [found[one] for one in ids if one in found]


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
    reasons = health_of(each.row, today=today).reasons if each.health in PRESSES else ()
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
