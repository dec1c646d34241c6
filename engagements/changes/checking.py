"""The facts that triggers read, and the change requests they draft: after evidence and costs, and by the sweep."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sqlmodel import Session, col, func, select

from engagements.actuals.models import CostEntry, CostKind, TimeEntry
from engagements.changes import drafting, register
from engagements.changes.models import ChangeRequest
from engagements.changes.payments import money_of
from engagements.changes.register_schemas import Trigger
from engagements.changes.schemas import ChangeIn
from engagements.changes.states import PENDING
from engagements.changes.triggers import Facts, LateInput, Wanted, is_true, numbers_in, wanted
from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import Actor
from engagements.core.service import claim, scoped
from engagements.delivery.days import calendar_of, working_days_from
from engagements.delivery.gate_models import EvidenceRecord
from engagements.delivery.models import Baseline, Milestone, MilestoneKind, RaidItem, RaidKind, RaidState
from engagements.delivery.opening import phases_of
from engagements.delivery.standing import latest_baseline
from estimator.money import Money
from estimator.phases import Phase

_ROUNDS_OF: Final = frozenset({Phase.TRAINING, Phase.EVALUATION})
_LABELLERS: Final = ("annotator", "annotation_lead")


def check_triggers(
    session: Session, actor: Actor, engagement_id: str, *, today: date, at: datetime
) -> list[ChangeRequest]:
    """What it drafted. Nothing for an engagement that takes no new work; asked again with the same facts, nothing.

    While a draft of the same origin is open no second one is made; what a person has settled is not drafted again.
    """
    engagement = claim(session, actor, Engagement, engagement_id)
    baseline = latest_baseline(session, engagement_id)
    if engagement.state is not EngagementState.ACTIVE or baseline is None:
        return []
    facts = facts_of(session, baseline, today=today)
    made = [
        change for each in wanted(facts) if (change := _drafted(session, actor, engagement, each, at=at)) is not None
    ]
    return [*made, *_broken(session, actor, engagement, facts, at=at)]


def facts_of(session: Session, baseline: Baseline, *, today: date) -> Facts:
    """As they are recorded; what has no price or was never measured is missing."""
    plan, engagement_id = baseline.plan, baseline.engagement_id
    cap, compute = money_of(plan["compute_cap"]), _spent(session, baseline, CostKind.COMPUTE)
    labelling = _spent(session, baseline, CostKind.LABELLING)
    rounds = max((row.round for row in phases_of(session, engagement_id) if row.phase in _ROUNDS_OF), default=1)
    late = list(_late(session, baseline, today=today))
    measures = dict(_measured(session, engagement_id))
    measures |= {
        "rounds_used": Decimal(rounds),
        "input_late_days": Decimal(max((each.days for each in late), default=0)),
        "labelling_hours": _labelling_hours(session, engagement_id),
    }
    if compute is not None and cap.minor:
        measures["compute_percent"] = Decimal(100 * compute.minor) / cap.minor
    if labelling is not None:
        measures["labelling_cost"] = labelling.amount
    return Facts(
        rounds=rounds,
        included_rounds=plan["included_rounds"],
        round_price=money_of(plan["round_price"]),
        compute=compute,
        compute_cap=cap,
        late=late,
        measures=measures,
    )


def _drafted(
    session: Session, actor: Actor, engagement: Engagement, each: Wanted, *, at: datetime
) -> ChangeRequest | None:
    mine = col(ChangeRequest.engagement_id) == engagement.id
    same = (col(ChangeRequest.trigger_key) == each.key) | (
        (col(ChangeRequest.origin) == each.origin)
        & col(ChangeRequest.state).in_(PENDING)
        & (each.origin != "late_input")
    )
    if session.exec(select(ChangeRequest.id).where(mine, same).limit(1)).first() is not None:
        return None
    asked = ChangeIn(title=each.title, reason=each.reason, asks=each.asks)
    return drafting.enter(session, actor, engagement, asked, at=at, origin=each.origin, trigger_key=each.key)


def _broken(
    session: Session, actor: Actor, engagement: Engagement, facts: Facts, *, at: datetime
) -> Iterator[ChangeRequest]:
    chosen = scoped(RaidItem, actor).where(
        RaidItem.engagement_id == engagement.id, RaidItem.kind == RaidKind.ASSUMPTION, RaidItem.state == RaidState.OPEN
    )
    for item in session.exec(chosen).all():
        trigger = Trigger.model_validate(item.trigger) if item.trigger else None
        if trigger is not None and is_true(trigger, facts.measures):
            operator = trigger.operator.replace("_", " ")
            outcome = (
                f"Measured: {trigger.measure} is {facts.measures[trigger.measure]:f}, {operator} {trigger.value:g}."
            )
            yield register.broken(session, actor, engagement, item, outcome, at=at)


def _spent(session: Session, baseline: Baseline, kind: CostKind) -> Money | None:
    """None where a part of it has no price yet."""
    mine = CostEntry.engagement_id == baseline.engagement_id, CostEntry.kind == kind
    count, known, summed = session.exec(
        select(
            func.count(col(CostEntry.id)), func.count(col(CostEntry.amount_minor)), func.sum(CostEntry.amount_minor)
        ).where(*mine)
    ).one()
    return Money(int(summed or 0), baseline.plan["currency"]) if count == known else None


def _labelling_hours(session: Session, engagement_id: str) -> Decimal:
    mine = TimeEntry.engagement_id == engagement_id, col(TimeEntry.role).in_(_LABELLERS)
    return Decimal(session.exec(select(func.sum(TimeEntry.minutes)).where(*mine)).one() or 0) / 60


def _late(session: Session, baseline: Baseline, *, today: date) -> Iterator[LateInput]:
    calendar = calendar_of(baseline)
    owed = select(Milestone).where(
        Milestone.engagement_id == baseline.engagement_id, Milestone.kind == MilestoneKind.CLIENT_INPUT,
        col(Milestone.reached_on).is_(None), col(Milestone.planned_on) < today,
    )  # fmt: skip
    for row in session.exec(owed):
        if row.planned_on is not None and row.phase is not None:
            days = working_days_from(calendar, row.planned_on, today)
            yield LateInput(code=row.code, name=row.name, phase=row.phase, days=days)


def _measured(session: Session, engagement_id: str) -> Iterator[tuple[str, Decimal]]:
    """Numbers of the newest piece of evidence of each kind."""
    chosen = select(EvidenceRecord).where(EvidenceRecord.engagement_id == engagement_id)
    for row in session.exec(chosen.order_by(col(EvidenceRecord.measured_at), col(EvidenceRecord.id))):
        yield from numbers_in(row.content, row.kind.value)
