"""Gates as whoever asks sees them: a client's people get verdicts and overrides, and nothing internal."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from engagements.core.roles import Actor
from engagements.delivery.gate_models import (
    ChecklistMark,
    EvidenceKind,
    EvidenceRecord,
    GateCondition,
    GateDecision,
    GateState,
)
from engagements.delivery.models import PhaseRecord, PhaseState
from engagements.delivery.owners import Owner, owners_of
from engagements.phases.checklists import checklists
from engagements.phases.facts import judged
from engagements.phases.gates import requirements_of
from engagements.phases.gathering import Ground, facts_of
from engagements.phases.requirements import Requirement, blockers_of
from engagements.phases.schemas import (
    BlockerOut,
    ChecklistItemOut,
    ConditionOut,
    CriterionOut,
    EvidenceOut,
    GateOut,
    RequirementOut,
    SittingOut,
)
from estimator.phases import Phase

ENDED = frozenset({PhaseState.DONE, PhaseState.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What was decided, marked and named about the gates of one engagement, fetched once for all six."""

    ground: Ground
    sittings: Mapping[Phase, Sequence[GateDecision]]
    marks: Mapping[tuple[Phase, str], ChecklistMark]
    owners: Mapping[str, Owner]


def books_of(session: Session, ground: Ground) -> Books:
    mine = ground.baseline.engagement_id
    decided = session.exec(
        select(GateDecision).where(GateDecision.engagement_id == mine).order_by(col(GateDecision.sitting))
    ).all()
    marks = session.exec(select(ChecklistMark).where(ChecklistMark.engagement_id == mine)).all()
    owners = (condition.owner_id for condition in ground.conditions)
    return Books(
        ground=ground,
        sittings={phase: [row for row in decided if row.phase is phase] for phase in Phase},
        marks={(mark.phase, mark.item): mark for mark in marks},
        owners=owners_of(session, ground.baseline.organisation_id, owners),
    )


def plain_findings(requirements: Iterable[Requirement]) -> list[dict[str, Any]]:
    """As a sitting keeps what was found."""
    return [{**asdict(each), "evidence": list(each.evidence)} for each in requirements]


def gate_out(books: Books, row: PhaseRecord, actor: Actor, today: date) -> GateOut:
    """A gate that was decided for good shows what was found then; another what stands now."""
    sittings = books.sittings[row.phase]
    last = sittings[-1] if sittings else None
    if row.state in ENDED and last is not None:
        found = findings_out(last.findings, last.overridden, actor)
        blockers: list[BlockerOut] = []
    else:
        requirements = requirements_of(row.phase, facts_of(books.ground, row.phase, today))
        found = findings_out(plain_findings(requirements), (), actor)
        blockers = [BlockerOut.of(each) for each in blockers_of(requirements)]
    planned = [each for each in books.ground.baseline.plan["phases"] if each["number"] == row.phase.number]
    return GateOut(
        engagement_id=row.engagement_id, phase=row.phase, number=row.phase.number, label=row.phase.label,
        name=planned[0]["gate"] if planned else row.phase.label, state=row.state, round=row.round,
        cosigned=row.cosigned, planned_gate=row.planned_gate,
        actual_begin=row.actual_begin, actual_end=row.actual_end, requirements=found, blockers=blockers,
        conditions=[condition_out(each, books.owners, actor) for each in _conditions(books.ground, row.phase)],
        sittings=[sitting_out(each, actor) for each in sittings],
        checklist=_checklist(books, row.phase) if actor.is_staff else [], next_sitting=len(sittings) + 1,
        awaiting=last.id if last is not None and last.state is GateState.AWAITING_CLIENT else None,
    )  # fmt: skip


def findings_out(
    findings: Iterable[Mapping[str, Any]], overridden: Iterable[str], actor: Actor
) -> list[RequirementOut]:
    over = set(overridden)
    return [
        RequirementOut.model_validate(
            {**each, "inside": each["inside"] if actor.is_staff else "", "overridden": each["code"] in over}
        )
        for each in findings
    ]


def sitting_out(row: GateDecision, actor: Actor) -> SittingOut:
    shown = {name: getattr(row, name) for name in SittingOut.model_fields if name != "findings"}
    return SittingOut(**shown, findings=findings_out(row.findings, row.overridden, actor))


def condition_out(row: GateCondition, owners: Mapping[str, Owner], actor: Actor) -> ConditionOut:
    owner = owners.get(row.owner_id or "")
    shown = {name: getattr(row, name) for name in ConditionOut.model_fields if name != "owner_name"}
    shown |= {"owner_id": row.owner_id if actor.is_staff else None}
    return ConditionOut(**shown, owner_name=owner.name if owner else "")


def evidence_out(row: EvidenceRecord, actor: Actor, superseded_by: str | None) -> EvidenceOut:
    content = dict(row.content)
    if row.kind is EvidenceKind.TRAINING_RUN and not actor.is_staff:
        content.pop("cost", None)
    shown = {name: getattr(row, name) for name in EvidenceOut.model_fields if name not in {"content", "superseded_by"}}
    shown |= {"recorded_by": row.recorded_by if actor.is_staff else None}
    return EvidenceOut(**shown, content=content, superseded_by=superseded_by)


def criteria_out(ground: Ground, today: date) -> list[CriterionOut]:
    """With the verdicts that all evidence gives now."""
    facts = facts_of(ground, Phase.MANAGEMENT, today)
    found = []
    for row, agreed in zip(ground.criteria, facts.agreed.criteria, strict=True):
        judgement, evidence = judged(facts, agreed)
        own = {name: getattr(row, name) for name in CriterionOut.model_fields if name in type(row).model_fields}
        found.append(
            CriterionOut(
                **own, outcome=judgement.outcome, said=judgement.said, remedy=judgement.remedy, evidence=evidence
            )
        )
    return found


def _conditions(ground: Ground, phase: Phase) -> list[GateCondition]:
    """Its own, and those of earlier gates that are still open."""
    return [
        row
        for row in ground.conditions
        if row.phase is phase or (row.met_at is None and row.phase.number < phase.number)
    ]


def condition_seen(session: Session, row: GateCondition, actor: Actor) -> ConditionOut:
    return condition_out(row, owners_of(session, row.organisation_id, [row.owner_id]), actor)


def item_out(phase: Phase, item: str, mark: ChecklistMark | None) -> ChecklistItemOut:
    """An item of a checklist that is there, and its mark."""
    text = next(each.text for each in checklists()[phase] if each.key == item)
    if mark is None:
        return ChecklistItemOut(key=item, text=text, done=False, applies=True, note="", by_name="", at=None)
    return ChecklistItemOut(
        key=item, text=text, done=mark.done, applies=mark.applies, note=mark.note, by_name=mark.by_name, at=mark.at
    )


def _checklist(books: Books, phase: Phase) -> list[ChecklistItemOut]:
    return [item_out(phase, item.key, books.marks.get((phase, item.key))) for item in checklists()[phase]]
