"""Facts of an engagement, read in one state of the database: one query for each kind of row, however many there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from engagements.changes.models import ChangeRequest
from engagements.changes.value import Value, value_of
from engagements.core.roles import Actor
from engagements.core.service import scoped
from engagements.db.columns import Record
from engagements.delivery.days import calendar_of
from engagements.delivery.gate_models import EvidenceRecord, GateCondition, GateDecision
from engagements.delivery.health import HealthView, health_of
from engagements.delivery.lines import days_late_at_gate
from engagements.delivery.models import (
    Baseline,
    DeliverableRecord,
    DeliverableState,
    Milestone,
    PhaseRecord,
    PhaseState,
    PlanChange,
    RaidItem,
    Standing,
)
from engagements.evals.verdicts import Judgement
from engagements.people.models import User
from engagements.phases.facts import AgreedCriterion, judged
from engagements.phases.gates import GATES
from engagements.phases.gathering import Ground, ground_of
from engagements.phases.gathering import facts_of as gate_facts
from engagements.reports.errors import ReportConflict
from engagements.reports.facts import (
    BlockerFact,
    ChangeFact,
    ConditionFact,
    CriterionFact,
    DeliverableFact,
    EvidenceFact,
    Facts,
    GateFact,
    MilestoneFact,
    Overruled,
    PhaseFact,
    PlanMove,
    PriceFact,
    RegisterFact,
)
from engagements.reports.words import EVIDENCE_WORDS
from estimator.calendar import WorkCalendar
from estimator.money import Money
from estimator.phases import Phase

_BEGUN: Final = frozenset({PhaseState.IN_PROGRESS, PhaseState.BLOCKED, PhaseState.GATE_REVIEW})

Row = TypeVar("Row", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsClientSees:
    """The part of a `Standing` that a client may be judged by: dates and what is owed, nothing of hours and cost."""

    phase: Phase | None
    state: PhaseState | None
    planned_gate: date | None
    agreed_gate: date | None
    late_gate: date | None
    next_due: date | None
    budget_minor: int | None = None
    budget_late_minor: int | None = None
    spent_minor: int = 0
    spent_unknown: int = 0
    allowed_minor: int | None = None
    earned_minor: int = 0
    minutes: int = 0
    budget_minutes: int | None = None
    open_alerts: int = 0

    @classmethod
    def of(cls, standing: Standing) -> "AsClientSees":
        return cls(
            phase=standing.phase, state=standing.state, planned_gate=standing.planned_gate,
            agreed_gate=standing.agreed_gate, late_gate=standing.late_gate, next_due=standing.next_due,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """How rows of one engagement become facts. `people`: by id; `zone`: where the agency is."""

    session: Session
    actor: Actor
    engagement_id: str
    baselines: Sequence[Baseline]
    people: Mapping[str, User]
    zone: ZoneInfo
    today: date

    @property
    def plan(self) -> Mapping[str, Any]:
        return self.baselines[-1].plan

    @property
    def calendar(self) -> WorkCalendar:
        return calendar_of(self.baselines[-1])

    def rows(self, kind: type[Row], *order: Any) -> Sequence[Row]:
        chosen = scoped(kind, self.actor).where(col(getattr(kind, "engagement_id")) == self.engagement_id)  # noqa: B009  # of kinds that have it
        return self.session.exec(chosen.order_by(*order, col(kind.id))).all()

    def name(self, person_id: str | None) -> str:
        person = self.people.get(person_id or "")
        return person.name if person else ""

    def is_with_client(self, person_id: str | None) -> bool:
        person = self.people.get(person_id or "")
        return person is not None and person.client_id is not None

    def day(self, at: datetime | None) -> date | None:
        return at.astimezone(self.zone).date() if at else None


def facts_of(session: Session, actor: Actor, engagement_id: str, *, time_zone: str, at: datetime) -> Facts:
    """As the client may see them. Raises `ReportConflict` before anything was accepted."""
    mine = scoped(Baseline, actor).where(col(Baseline.engagement_id) == engagement_id)
    baselines = session.exec(mine.order_by(col(Baseline.number))).all()
    standing = session.get(Standing, engagement_id)
    if not baselines or standing is None:
        raise ReportConflict("nothing has been accepted here yet", remedy="a report begins with an accepted proposal")
    people = session.exec(select(User).where(col(User.organisation_id) == actor.organisation_id))
    zone = ZoneInfo(time_zone)
    today = at.astimezone(zone).date()
    gathering = Gathering(
        session=session, actor=actor, engagement_id=engagement_id, baselines=baselines,
        people={user.id: user for user in people}, zone=zone, today=today,
    )  # fmt: skip
    ground = ground_of(session, engagement_id)
    assert ground is not None, "a baseline is there"
    return _gathered(gathering, ground, health_of(AsClientSees.of(standing), today=today), today)


def _gathered(gathering: Gathering, ground: Ground, health: HealthView, today: date) -> Facts:
    phases = tuple(_phases(gathering))
    baselines = gathering.baselines
    return Facts(
        day=today,
        baseline=baselines[-1].number,
        agreement=f"{gathering.plan['number']}, version {gathering.plan['edition']}",
        agreed_on=baselines[0].created_at.astimezone(gathering.zone).date(),
        health=health.health,
        reasons=health.reasons,
        phases=phases,
        gates=tuple(_gates(gathering)),
        blockers=tuple(_blockers(ground, today)),
        conditions=tuple(_conditions(gathering)),
        deliverables=tuple(_deliverables(gathering)),
        criteria=tuple(_criteria(ground, today)),
        changes=tuple(_changes(gathering)),
        price=_price(value_of(gathering.session, gathering.engagement_id, for_client=True)),
        register=tuple(_register(gathering)),
        milestones=tuple(_milestones(gathering)),
        evidence=tuple(_evidence(gathering)),
        plan_moves=tuple(_plan_moves(gathering)),
        holidays=tuple(_holidays(gathering, phases)),
    )


def _phases(gathering: Gathering) -> list[PhaseFact]:
    agreed = {planned["number"]: planned for planned in gathering.plan["phases"]}
    rows = sorted(gathering.rows(PhaseRecord), key=lambda row: row.phase.number)
    return [_phase(gathering, row, agreed.get(row.phase.number, {})) for row in rows]


def _phase(gathering: Gathering, row: PhaseRecord, agreed: Mapping[str, Any]) -> PhaseFact:
    agreed_gate = _iso(agreed.get("gate_date"))
    return PhaseFact(
        number=row.phase.number,
        name=row.phase.label,
        state=row.state,
        round=row.round,
        owner=gathering.name(row.owner_id),
        cosigned=row.cosigned,
        agreed_begin=_iso(agreed.get("begin")),
        agreed_gate=agreed_gate,
        late_gate=_iso(agreed.get("gate_late")),
        planned_begin=row.planned_begin,
        planned_work_end=row.planned_work_end,
        planned_gate=row.planned_gate,
        actual_begin=row.actual_begin,
        actual_end=row.actual_end,
        days_late=days_late_at_gate(
            agreed_gate, row.planned_gate, row.actual_end, gathering.calendar, today=gathering.today
        ),
        blocked_reason=row.blocked_reason,
        blocked_since=row.blocked_since,
    )


def _gates(gathering: Gathering) -> list[GateFact]:
    return [
        GateFact(
            id=row.id,
            phase=row.phase.number,
            round=row.round,
            sitting=row.sitting,
            verdict=row.verdict,
            state=row.state,
            day=row.at.astimezone(gathering.zone).date(),
            decided_by=row.decided_by_name,
            reason=row.reason,
            overruled=tuple(
                Overruled(code=found["code"], message=f"{found['title']}: {found['said']}")
                for found in row.findings
                if found["code"] in row.overridden
            ),
            override_reason=row.override_reason,
            review_on=row.review_on,
            cosigned_by=row.cosigned_by_name,
            cosigned_on=gathering.day(row.cosigned_at),
            cosign_reason=row.cosign_reason,
            evidence=tuple(dict.fromkeys(id_ for found in row.findings for id_ in found["evidence"])),
        )
        for row in gathering.rows(GateDecision, col(GateDecision.at))
    ]


def _blockers(ground: Ground, today: date) -> list[BlockerFact]:
    """Of the gate of the phase under way; conditions are told apart. A phase that has not begun is asked nothing."""
    current = next((row for row in ground.phases if row.state in _BEGUN), None)
    if current is None:
        return []
    asked = GATES[current.phase](gate_facts(ground, current.phase, today))
    return [
        BlockerFact(code=each.code, message=f"{each.title}: {each.said}", remedy=each.remedy)
        for each in asked
        if each.blocks
    ]


def _criteria(ground: Ground, today: date) -> list[CriterionFact]:
    """Judged on what the evaluation phase and those before it measured: later months judge the model anew."""
    found = gate_facts(ground, Phase.EVALUATION, today)
    return [_criterion(criterion, *judged(found, criterion)) for criterion in found.agreed.criteria]


def _criterion(criterion: AgreedCriterion, judgement: Judgement, evidence: Sequence[str]) -> CriterionFact:
    return CriterionFact(
        code=criterion.code,
        tier=criterion.tier,
        metric=criterion.metric,
        operator=criterion.terms.operator.value,
        threshold=Decimal(str(criterion.terms.threshold)),
        items=criterion.terms.items,
        outcome=judgement.outcome.value if judgement.outcome else "",
        said=judgement.said,
        remedy=judgement.remedy,
        evidence=tuple(evidence),
    )


def _conditions(gathering: Gathering) -> list[ConditionFact]:
    return [
        ConditionFact(
            id=row.id,
            phase=row.phase.number,
            text=row.text,
            owner=gathering.name(row.owner_id),
            with_client=gathering.is_with_client(row.owner_id),
            due=row.due,
            met_on=gathering.day(row.met_at),
            note=row.note,
        )
        for row in gathering.rows(GateCondition, col(GateCondition.due))
    ]


def _deliverables(gathering: Gathering) -> list[DeliverableFact]:
    """What is not handed over yet is in the making, whatever we do with it."""
    rows = gathering.rows(DeliverableRecord)
    return [
        DeliverableFact(
            code=row.code,
            phase=row.phase.number,
            name=row.name,
            state=DeliverableState.DRAFT if row.state is DeliverableState.INTERNAL_REVIEW else row.state,
            edition=row.edition,
            reviewer=row.reviewer,
            due=row.due,
            submitted_on=gathering.day(row.submitted_at),
            decided_on=gathering.day(row.decided_at),
            reason=row.reason,
        )
        for row in sorted(rows, key=lambda row: _natural(row.code))
    ]


def _changes(gathering: Gathering) -> list[ChangeFact]:
    """Those that were sent: what we only think about is ours."""
    return [
        ChangeFact(
            number=row.number,
            title=row.title,
            reason=row.reason,
            state=row.state,
            net=_money(row.net_minor, row.currency),
            days=row.days,
            sent_on=gathering.day(row.sent_at),
            decided_on=gathering.day(row.decided_at),
            signer=row.signer_name,
        )
        for row in gathering.rows(ChangeRequest, col(ChangeRequest.number))
        if row.sent_at is not None
    ]


def _price(value: Value | None) -> PriceFact | None:
    if value is None:
        return None
    return PriceFact(
        original=Money(value.original, value.currency),
        approved=Money(value.approved, value.currency),
        pending=Money(value.pending, value.currency),
        pending_unknown=value.pending_unknown,
    )


def _register(gathering: Gathering) -> list[RegisterFact]:
    return [
        RegisterFact(
            code=row.code,
            kind=row.kind,
            title=row.title,
            state=row.state,
            probability=row.probability,
            impact=row.impact,
            response=row.response,
            owner=gathering.name(row.owner_id) or row.owner_name,
            due=row.due,
            outcome=row.outcome,
        )
        for row in sorted(gathering.rows(RaidItem), key=lambda row: (row.kind, _natural(row.code)))
        if row.client_sees
    ]


def _milestones(gathering: Gathering) -> list[MilestoneFact]:
    return [
        MilestoneFact(
            code=row.code,
            kind=row.kind,
            name=row.name,
            phase=row.phase.number if row.phase else None,
            agreed_on=row.agreed_on,
            planned_on=row.planned_on,
            reached_on=row.reached_on,
            net=_money(row.net_minor, row.currency),
            month=row.month,
        )
        for row in sorted(gathering.rows(Milestone), key=lambda row: _natural(row.code))
    ]


def _evidence(gathering: Gathering) -> list[EvidenceFact]:
    rows = gathering.rows(EvidenceRecord, col(EvidenceRecord.measured_at))
    replaced = {row.supersedes for row in rows}
    return [
        EvidenceFact(
            id=row.id,
            kind=EVIDENCE_WORDS[row.kind],
            phase=row.phase.number,
            name=row.external_id,
            source=row.source,
            sha256=row.sha256,
            measured_at=f"{row.measured_at.astimezone(gathering.zone):%Y-%m-%d %H:%M %z}",
            superseded=row.id in replaced,
        )
        for row in rows
    ]


def _plan_moves(gathering: Gathering) -> list[PlanMove]:
    return [
        PlanMove(
            day=row.created_at.astimezone(gathering.zone).date(), phase=row.phase.number, reason=row.reason,
            by_client=row.by_client,
        )
        for row in gathering.rows(PlanChange, col(PlanChange.created_at))
    ]  # fmt: skip


def _holidays(gathering: Gathering, phases: Sequence[PhaseFact]) -> list[date]:
    days = [day for phase in phases for day in (phase.agreed_begin, phase.planned_begin, phase.planned_gate) if day]
    if not days:
        return []
    return [holiday.day for holiday in gathering.calendar.holidays_between(min(days), max(days))]


def _natural(code: str) -> tuple[str, int]:
    """D2 before D10."""
    letters = code.rstrip("0123456789")
    return letters, int(code[len(letters) :] or 0)


def _money(minor: int | None, currency: str) -> Money | None:
    return None if minor is None or not currency else Money(minor, currency)


def _iso(written: str | None) -> date | None:
    return date.fromisoformat(written) if written else None
