"""What is asked about gates: one or all six, evidence, criteria with their verdicts, what blocks the current one."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from engagements.core.errors import NotFound
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.service import find, scoped
from engagements.delivery.gate_models import EvidenceKind, EvidenceRecord
from engagements.delivery.models import CURRENT
from engagements.phases.gates import requirements_of
from engagements.phases.gathering import facts_of, ground_of
from engagements.phases.requirements import Blocker, blockers_of
from engagements.phases.schemas import CriteriaOut, EvidenceOut, GateOut, GatesOut
from engagements.phases.views import books_of, criteria_out, evidence_out, gate_out
from estimator.phases import Phase

_BESIDE_MAX: Final = 100


def gate_of(session: Session, actor: Actor, engagement_id: str, phase: Phase, *, at: datetime) -> GateOut:
    """Raises `NotFound`, also for a phase that was not agreed."""
    gates = {gate.phase: gate for gate in gates_of(session, actor, engagement_id, at=at).gates}
    if phase not in gates:
        raise NotFound
    return gates[phase]


def gates_of(session: Session, actor: Actor, engagement_id: str, *, at: datetime) -> GatesOut:
    """All gates in order. Raises `NotFound`."""
    engagement = find(session, actor, Engagement, engagement_id)
    ground = ground_of(session, engagement.id)
    if ground is None:
        return GatesOut(gates=[])
    books = books_of(session, ground)
    return GatesOut(gates=[gate_out(books, row, actor, at.date()) for row in ground.phases])


def current_blockers(session: Session, engagement_id: str, *, at: datetime) -> Sequence[Blocker]:
    """What stands against passing the gate of the current phase; nothing where no phase is current."""
    ground = ground_of(session, engagement_id)
    current = next((row for row in ground.phases if row.state in CURRENT), None) if ground else None
    if ground is None or current is None:
        return ()
    return blockers_of(requirements_of(current.phase, facts_of(ground, current.phase, at.date())))


def criteria_of(session: Session, actor: Actor, engagement_id: str, *, at: datetime) -> CriteriaOut:
    """Raises `NotFound`."""
    engagement = find(session, actor, Engagement, engagement_id)
    ground = ground_of(session, engagement.id)
    return CriteriaOut(criteria=criteria_out(ground, at.date()) if ground else [])


def evidence_of(
    actor: Actor, engagement_id: str, *, kind: EvidenceKind | None, phase: Phase | None
) -> SelectOfScalar[EvidenceRecord]:
    chosen = scoped(EvidenceRecord, actor).where(EvidenceRecord.engagement_id == engagement_id)
    if kind is not None:
        chosen = chosen.where(EvidenceRecord.kind == kind)
    return chosen if phase is None else chosen.where(EvidenceRecord.phase == phase)


def evidence_beside(
    session: Session, actor: Actor, engagement_id: str, phase: Phase, named: Collection[str]
) -> Sequence[EvidenceRecord]:
    """What was recorded in a phase, and what is named of other phases; the newest first, 100 at most."""
    mine = scoped(EvidenceRecord, actor).where(EvidenceRecord.engagement_id == engagement_id)
    beside = mine.where(or_(col(EvidenceRecord.phase) == phase, col(EvidenceRecord.id).in_(named)))
    return session.exec(beside.order_by(col(EvidenceRecord.id).desc()).limit(_BESIDE_MAX)).all()


def evidence_as_seen(session: Session, actor: Actor) -> Callable[[EvidenceRecord], EvidenceOut]:
    return lambda row: evidence_out(row, actor, _superseded_by(session, row.id))


def one_evidence(session: Session, actor: Actor, evidence_id: str) -> EvidenceOut:
    """Raises `NotFound`."""
    return evidence_as_seen(session, actor)(find(session, actor, EvidenceRecord, evidence_id))


def _superseded_by(session: Session, evidence_id: str) -> str | None:
    return session.exec(select(EvidenceRecord.id).where(col(EvidenceRecord.supersedes) == evidence_id)).first()
