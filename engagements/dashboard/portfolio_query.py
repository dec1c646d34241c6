"""What the database is asked about engagements in one list: those that match, how each is doing, and how many are.

It judges by the rules of `delivery.health` and of `needs_of`, so that thousands need not be read to show fifty; what is
shown is judged again, with its reasons.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol, cast

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_
from sqlalchemy import select as sa_select
from sqlmodel import Session, col
from sqlmodel.sql.expression import SelectOfScalar

from engagements.core.models import Client, Engagement, EngagementActivity, EngagementState
from engagements.core.roles import Actor, Permission
from engagements.core.service import scoped
from engagements.core.text import name_key
from engagements.delivery.health import Health, Measured, level_of
from engagements.delivery.models import PhaseState, Standing
from engagements.proposals.models import Proposal, ProposalState

SILENT_AFTER: Final = timedelta(days=14)
OFFER_ENDS_SOON: Final = timedelta(days=7)
ATTENTION: Final = "attention"
_LIVE: Final = frozenset({EngagementState.PROPOSED, EngagementState.ACTIVE, EngagementState.CLOSING})
_ENDED: Final = frozenset({EngagementState.CLOSED, EngagementState.TERMINATED})
PRESSES: Final = frozenset({Health.LATE, Health.AT_RISK})
_CALM: Final = 3
"""The urgency of what needs nobody: late is 0, at risk 1, what else needs somebody 2."""


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
    """An engagement found, how it is doing (None once it has ended), and what else it needs."""

    row: Found
    health: Health | None
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which engagements: `view` is "", `attention`, a health or a state; `search` a part of a name; `page` from 1."""

    view: str = ""
    search: str = ""
    owner: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PressingOffer:
    """A proposal that waits for somebody: to be approved, or to be decided before it ends."""

    state: ProposalState
    ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """For one reader at one moment."""

    session: Session
    actor: Actor
    now: datetime
    today: date

    def rows(
        self, chosen: Chosen, *further: ColumnElement[bool], limit: int | None = None, offset: int = 0,
        newest: bool = False,
    ) -> list[Judged]:  # fmt: skip
        """Of a view, most urgent first, or newest first."""
        urgent = (self.urgency(), col(EngagementActivity.at).desc(), col(Engagement.id).desc())
        query = self._of(chosen, _COLUMNS).where(*further, *([self.holds(chosen.view)] if chosen.view else []))
        query = query.order_by(*((col(Engagement.id).desc(),) if newest else urgent)).limit(limit).offset(offset)
        rows = cast("Sequence[Found]", self.session.execute(query).all())
        pressing = self._pressing_among([row.id for row in rows])
        return [_judge(row, pressing.get(row.id), now=self.now, today=self.today) for row in rows]

    def counts(self, chosen: Chosen) -> dict[str, int]:
        """By view, of all that match; one query."""
        state, level = col(Engagement.state), self.level()
        grouped = self._of(
            chosen, (state, level.label("level"), (self.urgency() < _CALM).label("presses"), func.count())
        )
        counts: Counter[str] = Counter({"": 0, ATTENTION: 0})
        for in_state, health, pressing, number in self.session.execute(grouped.group_by(state, "level", "presses")):
            counts.update({"": number, in_state.value: number, ATTENTION: number if pressing else 0})
            counts.update({health: number} if health else {})
        return dict(counts)

    def holds(self, view: str) -> ColumnElement[bool]:
        """An unknown view holds nothing."""
        if view == ATTENTION:
            return self.urgency() < _CALM
        if view in set(Health):
            return self.level() == view
        return col(Engagement.state) == EngagementState(view) if view in set(EngagementState) else false()

    def level(self) -> ColumnElement[str]:
        """`delivery.health.level_of`; null once it has ended."""
        planned, today = col(Standing.planned_gate), self.today
        late = or_(and_(col(Standing.phase).is_not(None), planned < today), planned > col(Standing.late_gate))
        spent, hours = col(Standing.spent_minor), col(Standing.budget_minutes)
        at_risk = or_(
            col(Standing.state) == PhaseState.BLOCKED,
            planned > col(Standing.agreed_gate),
            col(Standing.next_due) < today,
            and_(col(Standing.budget_minor) > 0, spent > col(Standing.budget_minor)),
            and_(col(Standing.allowed_minor) > 0, spent > col(Standing.allowed_minor)),
            and_(hours > 0, col(Standing.minutes) > hours),
            col(Standing.open_alerts) > 0,
        )
        return case(
            (col(Engagement.state).in_(_ENDED), None),
            (col(Standing.engagement_id).is_(None), Health.UNKNOWN.value),
            (late, Health.LATE.value),
            (at_risk, Health.AT_RISK.value),
            else_=Health.ON_TRACK.value,
        )

    def urgency(self) -> ColumnElement[int]:
        live = col(Engagement.state).in_(_LIVE)
        needs = or_(
            col(Engagement.state) == EngagementState.ON_HOLD,
            and_(live, or_(col(Engagement.owner_id).is_(None), col(EngagementActivity.at) < self.now - SILENT_AFTER)),
            col(Engagement.id).in_(self._pressing().with_only_columns(col(Proposal.engagement_id)))
            if self._sees_offers
            else false(),
        )
        level = self.level()
        return case((level == Health.LATE.value, 0), (level == Health.AT_RISK.value, 1), (needs, 2), else_=_CALM)

    @property
    def _sees_offers(self) -> bool:
        return self.actor.is_staff and self.actor.may(Permission.VIEW_PROPOSALS)

    def _pressing(self) -> SelectOfScalar[Proposal]:
        """Proposals that wait for a second person, or end soon."""
        soon = col(Proposal.ends_at) < self.now + OFFER_ENDS_SOON
        sent = and_(col(Proposal.state) == ProposalState.SENT, soon)
        return scoped(Proposal, self.actor).where(or_(col(Proposal.state) == ProposalState.IN_REVIEW, sent))

    def _pressing_among(self, engagements: Collection[str]) -> dict[str, PressingOffer]:
        if not engagements or not self._sees_offers:
            return {}
        columns = col(Proposal.engagement_id), col(Proposal.state), col(Proposal.ends_at)
        mine = self._pressing().where(col(Proposal.engagement_id).in_(engagements)).with_only_columns(*columns)
        return {
            one: PressingOffer(state=ProposalState(state), ends_at=ends_at)
            for one, state, ends_at in self.session.execute(mine)
        }

    def _of(self, chosen: Chosen, columns: Sequence[Any]) -> Select[*tuple[Any, ...]]:
        """All that match search and owner. Outer join: without a standing nothing was agreed yet."""
        query: Select[*tuple[Any, ...]] = (
            sa_select(*columns)
            .select_from(Engagement)
            .join(Client, col(Client.id) == col(Engagement.client_id))
            .join(EngagementActivity, col(EngagementActivity.engagement_id) == col(Engagement.id))
            .outerjoin(Standing, col(Standing.engagement_id) == col(Engagement.id))
            .where(col(Engagement.organisation_id) == self.actor.organisation_id)
        )
        if self.actor.client_id is not None:
            query = query.where(col(Engagement.client_id) == self.actor.client_id)
        if chosen.owner:
            query = query.where(col(Engagement.owner_id) == chosen.owner)
        if chosen.search:
            by_client = col(Client.name_key).contains(name_key(chosen.search), autoescape=True)
            by_name = func.lower(col(Engagement.name)).contains(chosen.search.lower(), autoescape=True)
            query = query.where(or_(by_client, by_name))
        return query


_COLUMNS: Final[Sequence[Any]] = (
    col(Engagement.id), col(Engagement.name), col(Engagement.client_id), col(Client.name).label("client"),
    col(Engagement.state).label("in_state"), col(Engagement.state_reason), col(Engagement.owner_id),
    col(EngagementActivity.at).label("active_at"), col(Standing.steps), col(Standing.phase), col(Standing.state),
    col(Standing.planned_gate), col(Standing.agreed_gate), col(Standing.late_gate), col(Standing.next_due),
    col(Standing.currency), col(Standing.budget_minor), col(Standing.budget_late_minor), col(Standing.spent_minor),
    col(Standing.spent_unknown), col(Standing.allowed_minor), col(Standing.earned_minor), col(Standing.minutes),
    col(Standing.budget_minutes), col(Standing.open_alerts),
)  # fmt: skip
"""The columns of `Found`."""


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
    return Judged(row=row, health=health, needs=needs)
