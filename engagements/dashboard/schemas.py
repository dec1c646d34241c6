"""What the API says of the portfolio, of one's work, and of how an engagement stands for its client.

Money in minor units of `currency`; null is unknown or not for this reader.
"""

from datetime import date, datetime

from engagements.core.models import EngagementState
from engagements.core.roles import Actor, Permission
from engagements.core.schemas import Out
from engagements.dashboard.portfolio import Line
from engagements.dashboard.standing import ClientStanding
from engagements.dashboard.work import WorkKind
from engagements.delivery.health import Health
from engagements.delivery.models import PhaseState
from estimator.phases import Phase


class PortfolioLineOut(Out):
    """`health` null: the engagement has ended. Days are counted from today; below 0 the gate is past its day."""

    id: str
    name: str
    client_id: str
    client: str
    state: EngagementState
    health: Health | None
    reasons: list[str]
    phase: Phase | None
    phase_state: PhaseState | None
    gate_on: date | None
    working_days: int | None
    calendar_days: int | None
    currency: str | None
    budget_minor: int | None
    spent_minor: int | None
    spent_is_floor: bool
    earned_minor: int | None
    hours: float | None
    budget_hours: float | None
    owner_id: str | None
    owner: str | None
    changed_at: datetime

    @classmethod
    def told(cls, line: Line, actor: Actor) -> "PortfolioLineOut":
        gate, bar = line.gate, line.budget
        budget = bar.budget if bar and actor.may(Permission.VIEW_COST) else None
        return cls(
            id=line.id, name=line.name, client_id=line.client_id, client=line.client, state=line.in_state,
            health=line.judged, reasons=list(line.why), phase=line.phase,
            phase_state=line.phase_state, gate_on=gate.day if gate else None,
            working_days=gate.working_days if gate else None, calendar_days=gate.calendar_days if gate else None,
            currency=budget.currency if budget else None, budget_minor=budget.minor if budget else None,
            spent_minor=bar.spent.minor if bar and bar.spent else None, spent_is_floor=bool(bar and bar.is_floor),
            earned_minor=line.earned_minor if budget else None, hours=bar.hours if bar else None,
            budget_hours=bar.budget_hours if bar else None, owner_id=line.owner_id, owner=line.owner,
            changed_at=line.changed_at,
        )  # fmt: skip


class WorkItemOut(Out):
    """One thing that waits. `address`: the path of the page where it is done; `due` null: no day is set."""

    kind: WorkKind
    title: str
    engagement_id: str | None
    engagement: str
    due: date | None
    is_overdue: bool
    address: str


class SaidOut(Out):
    """Something done or in flight; `day_is` says of what `day` is the day: gate, due, or "" where it was done."""

    text: str
    day: date | None
    day_is: str
    address: str


class StepOut(Out):
    """`state`: planned, current, done or blocked; `day`: when it ended or, until then, when its gate is planned."""

    number: int
    name: str
    state: str
    said: str
    day: date | None


class StandingOut(Out):
    """How an engagement stands, as its client's people are told: done, in flight, and what needs them."""

    engagement_id: str
    name: str
    state: EngagementState
    contact: str | None
    phases: list[StepOut]
    done: list[SaidOut]
    in_flight: list[SaidOut]
    needs_you: list[WorkItemOut]

    @classmethod
    def told(cls, standing: ClientStanding) -> "StandingOut":
        return cls(
            engagement_id=standing.id, name=standing.name, state=standing.in_state, contact=standing.contact,
            phases=[
                StepOut(number=step.number, name=step.label, state=step.state, said=step.said, day=step.day)
                for step in standing.phases
            ],
            done=[SaidOut.of(said) for said in standing.done],
            in_flight=[SaidOut.of(said) for said in standing.in_flight],
            needs_you=[WorkItemOut.of(item) for item in standing.needs_you],
        )  # fmt: skip
