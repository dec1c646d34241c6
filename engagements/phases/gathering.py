"""The facts of one engagement as its rows have them: what the rules of the gates read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from sqlmodel import Session, col, select

from engagements.delivery.evidence import (
    Comparison,
    DatasetVersion,
    Deployment,
    DriftCheck,
    EvaluationRun,
    Evidence,
    TrainingRun,
    read_content,
)
from engagements.delivery.gate_models import EvidenceRecord, GateCondition
from engagements.delivery.models import Baseline, Criterion, PhaseRecord
from engagements.delivery.opening import phases_of
from engagements.delivery.standing import latest_baseline
from engagements.evals.verdicts import Operator, Terms
from engagements.phases.facts import Agreed, AgreedCriterion, Facts, OpenCondition, Recorded
from estimator.money import Money
from estimator.phases import Phase

Kind = TypeVar("Kind", bound=Evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """All rows that the gates of one engagement stand on, fetched once. `evidence`: what stands, newest first."""

    baseline: Baseline
    phases: Sequence[PhaseRecord]
    criteria: Sequence[Criterion]
    evidence: Sequence[Recorded[Evidence]]
    conditions: Sequence[GateCondition]

    def phase(self, phase: Phase) -> PhaseRecord | None:
        return next((row for row in self.phases if row.phase is phase), None)


def ground_of(session: Session, engagement_id: str, *, locked: bool = False) -> Ground | None:
    """None before anything was agreed. `locked`: its phases, until the transaction ends."""
    baseline = latest_baseline(session, engagement_id)
    if baseline is None:
        return None
    phases = phases_of(session, engagement_id, locked=locked)
    criteria = session.exec(select(Criterion).where(Criterion.engagement_id == engagement_id)).all()
    rows = session.exec(
        select(EvidenceRecord)
        .where(EvidenceRecord.engagement_id == engagement_id)
        .order_by(col(EvidenceRecord.created_at).desc(), col(EvidenceRecord.id).desc())
    ).all()
    replaced = {row.supersedes for row in rows}
    conditions = session.exec(
        select(GateCondition).where(GateCondition.engagement_id == engagement_id).order_by(col(GateCondition.id))
    ).all()
    return Ground(
        baseline=baseline,
        phases=phases,
        criteria=sorted(criteria, key=lambda row: (len(row.code), row.code)),
        evidence=[_read(row) for row in rows if row.id not in replaced],
        conditions=conditions,
    )


def facts_of(ground: Ground, phase: Phase, today: date) -> Facts:
    """What the gate of a phase may read: nothing that a later phase recorded."""
    seen = [each for each in ground.evidence if each.phase.number <= phase.number]
    return Facts(
        rounds={row.phase: row.round for row in ground.phases},
        agreed=_agreed(ground.baseline.plan, ground.criteria),
        datasets=_of_kind(seen, DatasetVersion),
        evaluations=_of_kind(seen, EvaluationRun),
        comparisons=_of_kind(seen, Comparison),
        runs=_of_kind(seen, TrainingRun),
        deployments=_of_kind(seen, Deployment),
        drift_checks=_of_kind(seen, DriftCheck),
        open_conditions=_open(ground, phase, today),
    )


def _read(row: EvidenceRecord) -> Recorded[Evidence]:
    return Recorded(
        id=row.id, phase=row.phase, round=row.round, measured_at=row.measured_at, content=read_content(row.content)
    )


def _of_kind(seen: Sequence[Recorded[Evidence]], kind: type[Kind]) -> list[Recorded[Kind]]:
    return [
        Recorded(id=each.id, phase=each.phase, round=each.round, measured_at=each.measured_at, content=each.content)
        for each in seen
        if isinstance(each.content, kind)
    ]


def _open(ground: Ground, phase: Phase, today: date) -> list[OpenCondition]:
    """Of the gates before it; ongoing management comes again, so that its own months count too."""
    earlier = phase.number - (0 if phase is Phase.MANAGEMENT else 1)
    return [
        OpenCondition(id=row.id, phase=row.phase, text=row.text, due=row.due, overdue=row.due < today)
        for row in ground.conditions
        if row.met_at is None and row.phase.number <= earlier
    ]


def _agreed(plan: Mapping[str, Any], criteria: Sequence[Criterion]) -> Agreed:
    cap, stop_at = plan.get("compute_cap"), plan.get("stop_at")
    return Agreed(
        criteria=tuple(_criterion(row, _bound(criteria)) for row in criteria),
        stop_at=float(stop_at) if stop_at is not None else None,
        compute_cap=Money.of(Decimal(cap["amount"]), cap["currency"]) if cap else None,
        included_rounds=plan.get("included_rounds"),
    )


def _bound(criteria: Sequence[Criterion]) -> str:
    """The sealed set; a criterion that a change added later is measured on it too."""
    return next((row.set_digest for row in criteria if row.set_digest), "")


def _criterion(row: Criterion, sealed: str) -> AgreedCriterion:
    terms = Terms(
        operator=Operator(row.operator), threshold=float(row.threshold), items=row.items,
        set_sha256=row.set_digest or sealed, paired=row.paired,
    )  # fmt: skip
    return AgreedCriterion(
        code=row.code, tier=row.tier, metric=row.metric, set_name=row.set_name, terms=terms,
        baseline=float(row.baseline) if row.baseline else None,
    )  # fmt: skip
