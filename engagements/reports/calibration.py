"""Finished engagements as calibration compares them: what the first baseline predicted, and what was recorded.

What changes added later counts as more than was predicted; how many engagements had any is said beside the figures.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlmodel import Session, col, func, select

from engagements.actuals.totals import Taken, taken_by_phase
from engagements.changes.quoted import budget_of
from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import Actor
from engagements.core.service import find, scoped
from engagements.delivery.gate_models import EvidenceKind, EvidenceRecord
from engagements.delivery.models import Baseline, PhaseRecord, PhaseState
from engagements.proposals.models import BriefVersion, EstimateVersion, Proposal
from engagements.proposals.scoping import brief_from, document_of
from estimator.brief import Brief, Drivers
from estimator.budget import LEVELS, Budget, Spread
from estimator.calibration import Calibration, Finished, Outcome, calibrate
from estimator.money import minor_digits
from estimator.phases import Phase
from estimator.simulation import Triangle, triangular_quantiles

_NEWEST: Final = 200
"""Engagements that are looked at: older ones say little of how we work now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """`changed`: engagements among them whose baseline a change has moved. `unread`: without a budget to compare."""

    calibration: Calibration
    changed: int
    unread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Foretold:
    """`tokens_per_run`: what the chosen route bills for one run; None where nobody knew."""

    brief: Brief
    tokens_per_run: float | None


def calibration_of(session: Session, actor: Actor) -> Calibrated:
    """Over the newest closed engagements that the actor may see."""
    chosen = scoped(Engagement, actor).where(Engagement.state == EngagementState.CLOSED)
    closed = session.exec(chosen.order_by(col(Engagement.changed_at).desc()).limit(_NEWEST)).all()
    read = [each for row in closed if (each := _finished(session, actor, row)) is not None]
    mine = col(Baseline.engagement_id).in_([row.id for row in closed]), col(Baseline.change_id).is_not(None)
    changed = session.exec(select(func.count(func.distinct(col(Baseline.engagement_id)))).where(*mine)).one()
    return Calibrated(calibration=calibrate(read), changed=changed, unread=len(closed) - len(read))


def _finished(session: Session, actor: Actor, engagement: Engagement) -> Finished | None:
    mine = scoped(Baseline, actor).where(Baseline.engagement_id == engagement.id, Baseline.number == 1)
    baseline = session.exec(mine).first()
    if baseline is None or not baseline.budget:
        return None
    budget, foretold = budget_of(baseline.budget), _foretold(session, actor, baseline)
    taken = _of_done_phases(session, engagement.id)
    whole = {phase.phase for phase in budget.phases} <= taken.keys() and not any(
        each.unknown for each in taken.values()
    )
    return Finished(
        name=engagement.name,
        hours=dict(_hours(budget, taken)),
        cost=dict(_costs(budget, taken)),
        total_cost=_outcome(budget.cost, sum(map(_cost, taken.values())), budget) if whole else None,
        counts=_counts(session, engagement.id, foretold),
        drivers={
            name: getattr(foretold.brief.drivers, name) for name in Drivers.model_fields if name != "integrations"
        },
    )


def _of_done_phases(session: Session, engagement_id: str) -> Mapping[Phase, Taken]:
    """A phase that was never finished says nothing of what it takes; management ends with the engagement."""
    rows = session.exec(select(PhaseRecord).where(PhaseRecord.engagement_id == engagement_id))
    done = {row.phase for row in rows if row.state is PhaseState.DONE or row.phase is Phase.MANAGEMENT}
    return {phase: taken for phase, taken in taken_by_phase(session, engagement_id).items() if phase in done}


def _hours(budget: Budget, taken: Mapping[Phase, Taken]) -> Iterator[tuple[Phase, Outcome]]:
    for each in budget.phases:
        if each.phase in taken:
            yield each.phase, Outcome(predicted=each.hours, actual=taken[each.phase].minutes / 60)


def _costs(budget: Budget, taken: Mapping[Phase, Taken]) -> Iterator[tuple[Phase, Outcome]]:
    """Left out where the cost of an entry is unknown: what is known is then a floor."""
    for each in budget.phases:
        if each.phase in taken and not taken[each.phase].unknown:
            yield each.phase, _outcome(each.cost, _cost(taken[each.phase]), budget)


def _cost(taken: Taken) -> int:
    return taken.spent_minor


def _outcome(predicted: Spread, actual_minor: int, budget: Budget) -> Outcome:
    return Outcome(predicted=predicted, actual=actual_minor / 10 ** minor_digits(budget.currency))


def _counts(session: Session, engagement_id: str, foretold: _Foretold) -> Mapping[str, Outcome]:
    """Training runs as evidence names them, and what they trained on; tokens only where every run says its own."""
    mine = EvidenceRecord.engagement_id == engagement_id, EvidenceRecord.kind == EvidenceKind.TRAINING_RUN
    replaced = select(EvidenceRecord.supersedes).where(*mine, col(EvidenceRecord.supersedes).is_not(None))
    contents = session.exec(select(EvidenceRecord.content).where(*mine, col(EvidenceRecord.id).not_in(replaced))).all()
    low, likely, high = (float(getattr(foretold.brief.training.runs, point)) for point in ("low", "likely", "high"))
    runs, told = Triangle(low=low, likely=likely, high=high), [each.get("trained_tokens") for each in contents]
    counts = {"training_runs": Outcome(predicted=_spread(runs), actual=float(len(contents)))}
    tokens = [each for each in told if each is not None]
    if tokens and len(tokens) == len(told) and foretold.tokens_per_run:
        predicted = _spread(runs.scaled(foretold.tokens_per_run))
        counts["trained_tokens"] = Outcome(predicted=predicted, actual=float(sum(tokens)))
    return counts


def _spread(triangle: Triangle) -> Spread:
    return Spread(mean=triangle.mean, quantiles=tuple(triangular_quantiles(triangle, np.array(LEVELS)).tolist()))


def _foretold(session: Session, actor: Actor, baseline: Baseline) -> _Foretold:
    proposal = find(session, actor, Proposal, baseline.proposal_id)
    estimate = find(session, actor, EstimateVersion, proposal.estimate_id)
    document = document_of(estimate)
    chosen = next((route for route in document["routes"] if route["key"] == document["chosen"]), None)
    tokens = chosen["tokens"]["value"] if chosen else None
    return _Foretold(
        brief=brief_from(find(session, actor, BriefVersion, estimate.brief_id).content),
        tokens_per_run=float(tokens) if tokens is not None else None,
    )
