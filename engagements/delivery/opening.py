"""An accepted plan becomes work: phases with dates, deliverables, criteria, milestones and the register.

Laying a later baseline over work under way moves what is still ahead, and leaves alone what is done, handed over or
decided. A change moves the days planned now by as many working days as it moves the days agreed, so that what is late
stays as late as it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlmodel import Session, col, select

from engagements.core import audit
from engagements.core.roles import Actor
from engagements.db.columns import Record, new_id
from engagements.delivery import standing
from engagements.delivery.days import calendar_of, working_days_from
from engagements.delivery.models import (
    CURRENT,
    Baseline,
    Criterion,
    DeliverableRecord,
    DeliverableState,
    Milestone,
    MilestoneKind,
    PhaseRecord,
    PhaseState,
    RaidItem,
    RaidKind,
)
from estimator.money import Money
from estimator.phases import Phase

_ENDED = {PhaseState.DONE, PhaseState.STOPPED}
_HANDED_OVER = {DeliverableState.ACCEPTED, DeliverableState.ACCEPTED_WITH_RESERVATIONS}
_LEVELS = {"low": "low", "medium": "normal", "high": "high", "very high": "high"}

Row = TypeVar("Row", bound=Record)


def lay_plan(session: Session, actor: Actor, baseline: Baseline, *, at: datetime, today: date) -> None:
    """Make or move everything that the plan of a baseline names. The first phase of a new plan is ready."""
    before = _before(session, baseline)
    phases = _phases(session, actor, baseline, before, at=at)
    _deliverables(session, actor, baseline, before, at=at)
    _criteria(session, actor, baseline, at=at)
    _milestones(session, actor, baseline, at=at, today=today)
    if baseline.number == 1:
        _register(session, actor, baseline, baseline.plan, at=at)
    if not any(phase.state in CURRENT for phase in phases):
        following = next((phase for phase in phases if phase.state is PhaseState.PLANNED), None)
        if following is not None:
            following.state = PhaseState.READY
            audit.record(session, actor, "phase.ready", following, at=at, client_sees=True)
    standing.refresh(session, baseline.engagement_id, at=at)


def phases_of(session: Session, engagement_id: str, *, locked: bool = False) -> list[PhaseRecord]:
    """The phases of an engagement in order; empty before anything was accepted."""
    chosen = select(PhaseRecord).where(PhaseRecord.engagement_id == engagement_id)
    rows = session.exec(chosen.with_for_update() if locked else chosen)
    return sorted(rows, key=lambda row: row.phase.number)


def _before(session: Session, baseline: Baseline) -> Mapping[str, Any] | None:
    """The plan that a change changes; None for a plan of its own, which another acceptance made."""
    if baseline.change_id is None:
        return None
    mine = col(Baseline.engagement_id) == baseline.engagement_id
    chosen = select(Baseline).where(mine, col(Baseline.number) == baseline.number - 1)
    return session.exec(chosen).one().plan


def _moved(planned: date | None, agreed: date | None, now: date | None, baseline: Baseline) -> date | None:
    """The planned day, as many working days from where it was as the day agreed `now` is from the one before."""
    if planned is None or agreed is None or now is None:
        return now
    calendar = calendar_of(baseline)
    return calendar.shifted(planned, working_days_from(calendar, agreed, now))


def _phases(
    session: Session, actor: Actor, baseline: Baseline, before: Mapping[str, Any] | None, *, at: datetime
) -> list[PhaseRecord]:
    there = {row.phase: row for row in phases_of(session, baseline.engagement_id)}
    agreed = {each["number"]: each for each in before["phases"]} if before else {}
    for planned in baseline.plan["phases"]:
        phase = list(Phase)[planned["number"] - 1]
        row = there.get(phase)
        if row is None:
            row = there[phase] = _new(baseline, PhaseRecord, phase=phase, changed_at=at)
            session.add(row)
        if row.state in _ENDED:
            continue
        row.cosigned = bool(planned.get("cosigned", False))
        was = agreed.get(planned["number"], {})
        for name, day in (("begin", "begin"), ("work_end", "work_end"), ("gate", "gate_date")):
            column = f"planned_{name}"
            setattr(row, column, _moved(getattr(row, column), _day(was.get(day)), _day(planned[day]), baseline))
        if session.is_modified(row):
            row.changed_at = at
        _record(session, actor, "phase.planned", row, at=at)
    return sorted(there.values(), key=lambda row: row.phase.number)


def _deliverables(
    session: Session, actor: Actor, baseline: Baseline, before: Mapping[str, Any] | None, *, at: datetime
) -> None:
    there = _by_code(session, DeliverableRecord, baseline)
    agreed = {each["id"]: _day(each["due"]) for each in before["deliverables"]} if before else {}
    for planned in baseline.plan["deliverables"]:
        row = there.get(planned["id"])
        if row is None:
            phase = list(Phase)[planned["phase"] - 1]
            row = _new(baseline, DeliverableRecord, code=planned["id"], phase=phase, name=planned["name"])
            session.add(row)
        if row.state in _HANDED_OVER:
            continue
        row.name, row.format = planned["name"], planned["format"]
        row.acceptance, row.reviewer = planned["acceptance"], planned["reviewer"]
        row.due = _moved(row.due, agreed.get(row.code), _day(planned["due"]), baseline)
        _record(session, actor, "deliverable.planned", row, at=at)


def _criteria(session: Session, actor: Actor, baseline: Baseline, *, at: datetime) -> None:
    there = _by_code(session, Criterion, baseline)
    for agreed in baseline.plan["criteria"]:
        row = there.get(agreed["id"])
        if row is None:
            row = _new(
                baseline, Criterion, code=agreed["id"], tier="", metric="", set_name="", operator="", threshold="",
                items=0, rule="", created_at=at,
            )  # fmt: skip
            session.add(row)
        row.tier, row.metric, row.set_name = agreed["tier"], agreed["metric"], agreed["dataset"]
        row.operator, row.threshold, row.items = agreed["operator"], agreed["threshold"], agreed["items"]
        row.rule, row.baseline = agreed["rule"], agreed["baseline"]
        # The first criterion is the gain over the baseline; the others are rates that stand alone.
        row.paired = agreed["id"] == "C1"
        _record(session, actor, "criterion.agreed", row, at=at, client_sees=True)
    for code in there.keys() - {agreed["id"] for agreed in baseline.plan["criteria"]}:
        session.delete(there[code])
        audit.record(session, actor, "criterion.dropped", there[code], at=at, client_sees=True)


def _milestones(session: Session, actor: Actor, baseline: Baseline, *, at: datetime, today: date) -> None:
    there = _by_code(session, Milestone, baseline)
    wanted_by_code = dict(_wanted_milestones(baseline.plan))
    for code in there.keys() - wanted_by_code.keys():
        if there[code].kind is MilestoneKind.PAYMENT and there[code].reached_on is None:
            session.delete(there[code])
            audit.record(session, actor, "milestone.dropped", there[code], at=at)
    for code, wanted in wanted_by_code.items():
        row = there.get(code)
        if row is None:
            row = _new(baseline, Milestone, code=code, kind=wanted["kind"], name=wanted["name"])
            session.add(row)
        if row.reached_on is not None:
            continue
        planned = _moved(row.planned_on, row.agreed_on if baseline.change_id else None, wanted["agreed_on"], baseline)
        row.sqlmodel_update({**wanted, "planned_on": planned})
        if row.gate == 0:
            row.reached_on = today
        _record(session, actor, "milestone.planned", row, at=at)


def _wanted_milestones(plan: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    for place, payment in enumerate(_payments(plan), start=1):
        net, gross = (
            Money.of(Decimal(payment[kind]["amount"]), payment[kind]["currency"]) for kind in ("net", "gross")
        )
        gate = payment["gate"]
        yield (
            payment.get("code") or f"P{place}",
            {
                "kind": MilestoneKind.PAYMENT, "name": payment["name"], "gate": gate, "month": payment["month"],
                "phase": list(Phase)[gate - 1] if gate else None, "agreed_on": _day(payment["expected"]),
                "net_minor": net.minor, "gross_minor": gross.minor, "currency": net.currency,
            },
        )  # fmt: skip
    for planned in plan["phases"]:
        # "None, unless a question comes up" is what the proposal says where nothing is owed.
        if (owed := planned.get("client_input", "")) and not owed.startswith("None"):
            yield (
                f"N{planned['number']}",
                {
                    "kind": MilestoneKind.CLIENT_INPUT, "name": owed,
                    "phase": list(Phase)[planned["number"] - 1], "agreed_on": _day(planned["begin"]),
                },
            )  # fmt: skip


def _payments(plan: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    payments: Sequence[dict[str, Any]] = plan.get("payments", ())
    return payments


def _register(session: Session, actor: Actor, baseline: Baseline, plan: Mapping[str, Any], *, at: datetime) -> None:
    for assumed in plan["assumptions"]:
        _enter(
            session, actor, baseline, RaidKind.ASSUMPTION, assumed["id"], at=at, title=assumed["statement"],
            text=assumed["threshold"], response=assumed["if_false"], owner_name=assumed["owner"], client_sees=True,
            trigger=assumed.get("trigger") or {},
        )  # fmt: skip
    for number, risk in enumerate(plan.get("risks", ()), start=1):
        _enter(
            session, actor, baseline, RaidKind.RISK, f"R{number}", at=at, title=risk["what"],
            probability=_LEVELS[risk["probability"]], impact=_LEVELS[risk["impact"]], response=risk["mitigation"],
            owner_name=risk["owner"], client_sees=True,
        )  # fmt: skip


def _enter(
    session: Session, actor: Actor, baseline: Baseline, kind: RaidKind, code: str, *, at: datetime, **fields: Any
) -> None:
    item = _new(baseline, RaidItem, kind=kind, code=code, created_at=at, changed_at=at, **fields)
    session.add(item)
    audit.record(session, actor, f"{kind}.entered", item, at=at)


def _record(
    session: Session, actor: Actor, action: str, row: Record, *, at: datetime, client_sees: bool = False
) -> None:
    """What a later baseline leaves as it was is no event."""
    if row in session.new or session.is_modified(row):
        audit.record(session, actor, action, row, at=at, client_sees=client_sees)


def _new(baseline: Baseline, table: type[Row], /, **fields: Any) -> Row:
    owners = {name: getattr(baseline, name) for name in ("organisation_id", "engagement_id", "client_id")}
    return table(id=new_id(table.PREFIX), **owners, **fields)


def _by_code(session: Session, kind: type[Row], baseline: Baseline) -> dict[str, Row]:
    mine = col(getattr(kind, "engagement_id")) == baseline.engagement_id  # noqa: B009  # of the kinds that have it
    return {getattr(row, "code"): row for row in session.exec(select(kind).where(mine))}  # noqa: B009


def _day(written: str | None) -> date | None:
    return date.fromisoformat(written) if written else None
