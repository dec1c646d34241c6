"""What a change comes to: two estimates of today, computed before the transaction that keeps the result.

Estimating takes a quarter of a second, so it comes first (`prepare`); the transaction takes what was prepared only if
the change, the baseline and the phases are still those it was prepared from.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session, col, select

from engagements.changes.drafting import agreed_baseline, asks_of, forget_assessment
from engagements.changes.impact import Assessment, assessed
from engagements.changes.models import ChangeRequest
from engagements.changes.patching import patched
from engagements.changes.quoted import AgreedPlan, Quoted, budget_of
from engagements.changes.reading import seen
from engagements.changes.schemas import AsksIn
from engagements.changes.states import ChangeConflict, Move, moved
from engagements.core import audit
from engagements.core.errors import Invalid
from engagements.core.roles import Actor
from engagements.core.service import find
from engagements.db.store import Store
from engagements.delivery.models import CURRENT, Baseline, Milestone, PhaseState
from engagements.delivery.opening import phases_of
from engagements.delivery.under_way import claim_in_active
from engagements.proposals.models import BriefVersion, EstimateVersion, Proposal
from engagements.proposals.scoping import brief_from
from estimator.brief import Brief
from estimator.errors import Problem
from estimator.estimating import estimate
from estimator.phases import Phase
from estimator.prices import PriceBook

_ENDED: Final = frozenset({PhaseState.DONE, PhaseState.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an assessment is made from, as it was read."""

    version: int
    baseline: int
    asks: AsksIn
    brief: Brief
    seed: int
    option: str
    agreed: AgreedPlan
    number: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    facts: Facts
    made: Assessment


def prepare(store: Store, actor: Actor, change_id: str, prices: PriceBook, *, today: date) -> Prepared:
    """Estimate what is asked. Raises `Invalid` for asking for nothing, and for what does not fit the brief."""
    with store.read() as session:
        facts = facts_of(session, actor, change_id, today=today)
    return Prepared(facts=facts, made=estimated(facts, prices))


def facts_of(session: Session, actor: Actor, change_id: str, *, today: date) -> Facts:
    change = seen(session, actor, change_id)
    moved(change, Move.ASSESS)
    baseline = agreed_baseline(session, change.engagement_id)
    brief, proposed = brief_of(session, actor, baseline)
    return Facts(
        version=change.version,
        baseline=baseline.number,
        asks=asks_of(change),
        brief=brief_from(brief.content),
        seed=proposed.seed,
        option=baseline.plan["option"]["id"],
        agreed=_agreed(session, baseline, today=today),
        number=change.number,
        title=change.title,
    )


def estimated(facts: Facts, prices: PriceBook) -> Assessment:
    """Both estimates with the seed of the proposal, the prices of today and today's day."""
    _refuse_nothing(facts)
    wanted = patched(facts.brief, facts.asks.brief, [each.model_dump(mode="json") for each in facts.asks.criteria])
    before = _quoted(facts, facts.brief, prices)
    after = before if wanted == facts.brief else _quoted(facts, wanted, prices)
    return assessed(facts.asks, facts.agreed, before, after, number=facts.number, title=facts.title)


def _quoted(facts: Facts, brief: Brief, prices: PriceBook) -> Quoted:
    """Raises `Invalid` with the findings where no route is left to stand on."""
    result = estimate(brief, prices, on=facts.agreed.today, seed=facts.seed)
    if result.quote is None:
        raise Invalid.of(*(Problem(code=f.code, message=f.message, remedy=f.remedy) for f in result.findings))
    return Quoted.of(result, facts.option, prices)


def assess(session: Session, actor: Actor, change_id: str, prepared: Prepared, *, at: datetime) -> ChangeRequest:
    """Keep what was estimated. Raises `ChangeConflict` where anything it rests on has changed meanwhile."""
    change = claim_in_active(session, actor, ChangeRequest, change_id)
    state, made = moved(change, Move.ASSESS), prepared.made
    now = facts_of(session, actor, change_id, today=prepared.facts.agreed.today)
    if now != prepared.facts:
        message = "the change, the plan or what was agreed has changed meanwhile"
        raise ChangeConflict(message, remedy="assess it again")
    forget_assessment(change)
    change.state, change.state_reason, change.on_baseline = state, "", now.baseline
    change.impact, change.plan, change.budget = made.impact.model_dump(mode="json"), made.plan, made.budget
    change.net_minor, change.gross_minor, change.currency = made.net.minor, made.gross.minor, made.net.currency
    change.days, change.assessed_by, change.changed_at = made.days, actor.id, at
    audit.record(session, actor, "change.assessed", change, at=at)
    return change


def brief_of(session: Session, actor: Actor, baseline: Baseline) -> tuple[BriefVersion, EstimateVersion]:
    """The brief that a baseline stands on, and the estimate of the proposal it goes back to."""
    proposal = find(session, actor, Proposal, baseline.proposal_id)
    proposed = find(session, actor, EstimateVersion, proposal.estimate_id)
    changed = select(ChangeRequest.brief_id).join(Baseline, col(Baseline.change_id) == col(ChangeRequest.id))
    since = changed.where(
        Baseline.engagement_id == baseline.engagement_id, Baseline.proposal_id == proposal.id,
        col(ChangeRequest.brief_id).is_not(None),
    ).order_by(col(Baseline.number).desc())  # fmt: skip
    brief_id = session.exec(since.limit(1)).first() or proposed.brief_id
    return find(session, actor, BriefVersion, brief_id), proposed


def _agreed(session: Session, baseline: Baseline, *, today: date) -> AgreedPlan:
    rows = phases_of(session, baseline.engagement_id)
    ended = frozenset(row.phase for row in rows if row.state in _ENDED)
    left = [row.phase for row in rows if row.phase not in ended]
    if not left:
        raise ChangeConflict("every phase of this plan is done", remedy="write a new proposal")
    mine = Milestone.engagement_id == baseline.engagement_id, col(Milestone.reached_on).is_not(None)
    return AgreedPlan(
        plan=baseline.plan,
        budget=budget_of(baseline.budget),
        ended=ended,
        now=next((row.phase for row in rows if row.state in CURRENT), left[0]),
        reached=frozenset(session.exec(select(Milestone.code).where(*mine))),
        today=today,
    )


def _refuse_nothing(facts: Facts) -> None:
    """Raises `Invalid` also for a phase that the plan does not hold, and for a role that nobody has a rate of."""
    problems = []
    if facts.asks.is_empty:
        message, remedy = "it asks for nothing", "name values of the brief, lines, days or criteria"
        problems.append(Problem(code="change.asks_nothing", where="asks", message=message, remedy=remedy))
    planned = {list(Phase)[each["number"] - 1] for each in facts.agreed.plan["phases"]}
    named = [*((each.phase, f"asks.lines.{n}.phase") for n, each in enumerate(facts.asks.lines)),
             *((phase, f"asks.days.{phase}") for phase in facts.asks.days)]  # fmt: skip
    for phase, where in named:
        if phase not in planned:
            message, remedy = f"{phase.label} is no phase of what was agreed", "name one of the plan"
            problems.append(Problem(code="phase.not_agreed", where=where, message=message, remedy=remedy))
    for number, line in enumerate(facts.asks.lines):
        for role in line.hours.keys() - facts.agreed.budget.rates.keys():
            message, known = f"nobody has a rate for {role}", ", ".join(sorted(facts.agreed.budget.rates))
            where = f"asks.lines.{number}.hours.{role}"
            problems.append(Problem(code="role.unknown", where=where, message=message, remedy=f"use one of {known}"))
    if problems:
        raise Invalid.of(*problems)
