"""One row per engagement of what lists show of it, refreshed in the transaction of each change.

Each package keeps its own part: `refresh` the plan, `actuals.totals` what was spent, `changes` what is open.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlmodel import Session, col, func, select

from engagements.delivery.gate_models import GateCondition
from engagements.delivery.models import CURRENT, Baseline, Milestone, MilestoneKind, PhaseRecord, PhaseState, Standing
from estimator.money import Money
from estimator.phases import Phase

LETTERS: Final = {
    PhaseState.PLANNED: "p",
    PhaseState.READY: "r",
    PhaseState.IN_PROGRESS: "i",
    PhaseState.BLOCKED: "b",
    PhaseState.GATE_REVIEW: "g",
    PhaseState.DONE: "d",
    PhaseState.STOPPED: "s",
}
"""How `Standing.steps` writes the states of the phases."""


def latest_baseline(session: Session, engagement_id: str) -> Baseline | None:
    """What holds now; None before anything was accepted."""
    chosen = select(Baseline).where(Baseline.engagement_id == engagement_id)
    return session.exec(chosen.order_by(col(Baseline.number).desc()).limit(1)).first()


def standing_row(session: Session, engagement_id: str) -> Standing | None:
    """Locked until the transaction ends, so that what two writers add to it is never lost."""
    return session.exec(select(Standing).where(Standing.engagement_id == engagement_id).with_for_update()).first()


def refresh(session: Session, engagement_id: str, *, at: datetime) -> None:
    """The plan's part of the row: phases, dates, budget, what was earned. Nothing before a baseline is there."""
    session.flush()
    baseline = latest_baseline(session, engagement_id)
    if baseline is None:
        return
    row = standing_row(session, engagement_id)
    if row is None:
        row = Standing(
            engagement_id=engagement_id, organisation_id=baseline.organisation_id, client_id=baseline.client_id,
            steps="", changed_at=at,
        )  # fmt: skip
        session.add(row)
    row.sqlmodel_update(plan_part(session, baseline))
    row.changed_at = at


def plan_part(session: Session, baseline: Baseline) -> dict[str, Any]:
    """By column of `Standing`, computed from the rows as they are."""
    chosen = select(PhaseRecord).where(PhaseRecord.engagement_id == baseline.engagement_id)
    phases = sorted(session.exec(chosen), key=lambda row: row.phase.number)
    current = next((row for row in phases if row.state in CURRENT), None)
    agreed = {planned["number"]: planned for planned in baseline.plan["phases"]}
    own = agreed.get(current.phase.number, {}) if current else {}
    return {
        "steps": "".join(LETTERS[row.state] for row in phases),
        "phase": current.phase if current else None,
        "state": current.state if current else None,
        "phase_owner_id": current.owner_id if current else None,
        "planned_gate": current.planned_gate if current else None,
        "agreed_gate": _day(own.get("gate_date")),
        "late_gate": _day(own.get("gate_late")),
        "planned_end": max((row.planned_gate for row in phases if row.planned_gate), default=None),
        "agreed_end": max((day for each in agreed.values() if (day := _day(each["gate_date"]))), default=None),
        "next_due": _next_due(session, baseline.engagement_id),
        **_budget_part(baseline.budget, phases),
    }


def _budget_part(budget: Mapping[str, Any], phases: Sequence[PhaseRecord]) -> dict[str, Any]:
    if not budget:
        unknown = ("budget_minor", "budget_late_minor", "allowed_minor", "budget_minutes")
        return {"currency": "", **dict.fromkeys(unknown)}
    currency = budget["currency"]
    costs = {Phase(each["phase"]): minor(each["cost"]["mean"], currency) for each in budget["phases"]}
    done = {row.phase for row in phases if row.state is PhaseState.DONE}
    begun = done | {row.phase for row in phases if row.state in CURRENT}
    return {
        "currency": currency,
        "budget_minor": minor(budget["cost"]["mean"], currency),
        "budget_late_minor": minor(budget["cost"]["quantiles"][32], currency),  # P80: the 33rd of 41 steps of 2.5 %
        "allowed_minor": sum(cost for phase, cost in costs.items() if phase in begun),
        "earned_minor": sum(cost for phase, cost in costs.items() if phase in done),
        "budget_minutes": round(60 * sum(each["hours"]["mean"] for each in budget["phases"])),
    }


def minor(amount: float, currency: str) -> int:
    """Minor units of a figure of a simulation, rounded once."""
    return Money.of(Decimal(str(round(amount, 6))), currency).minor


def _next_due(session: Session, engagement_id: str) -> date | None:
    condition = session.exec(
        select(func.min(GateCondition.due)).where(
            GateCondition.engagement_id == engagement_id, col(GateCondition.met_at).is_(None)
        )
    ).one()
    owed = session.exec(
        select(func.min(Milestone.planned_on)).where(
            Milestone.engagement_id == engagement_id,
            col(Milestone.reached_on).is_(None),
            Milestone.kind == MilestoneKind.CLIENT_INPUT,
        )
    ).one()
    return min((day for day in (condition, owed) if day is not None), default=None)


def _day(written: str | None) -> date | None:
    return date.fromisoformat(written) if written else None
