"""Evidence is recorded once and never edited: the same again is the same, another content of that name is refused."""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from engagements.core import audit
from engagements.core.errors import Conflict, Invalid
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor
from engagements.core.service import scoped
from engagements.db.columns import new_id
from engagements.delivery.contradictions import contradictions
from engagements.delivery.evidence import EvidenceIn
from engagements.delivery.gate_models import EvidenceRecord
from engagements.delivery.models import CURRENT, PhaseRecord
from engagements.delivery.opening import phases_of
from engagements.delivery.under_way import claim_active
from estimator.errors import Problem
from estimator.phases import Phase


class PhaseNotBegun(Conflict):
    code = "phase_not_begun"


class EvidenceDiffers(Conflict):
    code = "evidence_differs"


class EvidenceSuperseded(Conflict):
    code = "evidence_superseded"


def record_evidence(
    session: Session, actor: Actor, engagement_id: str, data: EvidenceIn, *, at: datetime
) -> EvidenceRecord:
    """Raises `Invalid` with every contradiction, `EvidenceDiffers`, `PhaseNotBegun`, `NotUnderWay`."""
    engagement = claim_active(session, actor, engagement_id)
    content = data.content.model_dump(mode="json")
    digest = canonical_sha256(content)
    before = session.exec(
        scoped(EvidenceRecord, actor).where(
            EvidenceRecord.engagement_id == engagement.id, EvidenceRecord.kind == data.content.kind,
            EvidenceRecord.external_id == data.external_id,
        )
    ).first()  # fmt: skip
    if before is not None:
        return _the_same(before, digest)
    problems = contradictions(data.content, measured_at=data.measured_at, now=at)
    if problems:
        raise Invalid.of(*problems)
    phase = _phase_of(phases_of(session, engagement.id), data.phase)
    _refuse_what_is_superseded(session, actor, engagement.id, data)
    row = EvidenceRecord(
        id=new_id(EvidenceRecord.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement.id,
        client_id=engagement.client_id, phase=phase.phase, round=phase.round, kind=data.content.kind,
        external_id=data.external_id, content=content, sha256=digest, source=data.source,
        measured_at=data.measured_at, supersedes=data.supersedes, recorded_by=actor.id, created_at=at,
    )  # fmt: skip
    session.add(row)
    audit.record(session, actor, "evidence.recorded", row, at=at)
    told = {"engagement": engagement.id, "evidence": row.id, "kind": row.kind.value, "phase": row.phase.value}
    tell(session, engagement.organisation_id, EventType.EVIDENCE_RECORDED, told, at=at)
    return row


def canonical_sha256(content: dict[str, Any]) -> str:
    """Of JSON with sorted keys and without blanks."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _the_same(before: EvidenceRecord, digest: str) -> EvidenceRecord:
    if before.sha256 != digest:
        message = f"{before.external_id!r} was recorded with another content"
        remedy = "evidence is never edited: record it under a new name, with supersedes"
        raise EvidenceDiffers(message, remedy=remedy)
    return before


def _phase_of(phases: list[PhaseRecord], wanted: Phase | None) -> PhaseRecord:
    """The current phase, or an earlier one that is named."""
    current = next((row for row in phases if row.state in CURRENT), None)
    if current is None:
        raise PhaseNotBegun("no phase of this engagement is current", remedy="accept its proposal first")
    if wanted is None:
        return current
    if wanted.number > current.phase.number:
        message = f"{wanted.label} has not begun: {current.phase.label.lower()} is current"
        raise PhaseNotBegun(message, remedy="pass its gate first, or leave the phase out")
    return next(row for row in phases if row.phase is wanted)


def _refuse_what_is_superseded(session: Session, actor: Actor, engagement_id: str, data: EvidenceIn) -> None:
    if data.supersedes is None:
        return
    mine = scoped(EvidenceRecord, actor).where(EvidenceRecord.engagement_id == engagement_id)
    old = session.exec(mine.where(EvidenceRecord.id == data.supersedes)).first()
    if old is None or old.kind is not data.content.kind:
        message, remedy = "no evidence of this kind has that id", "name evidence of this engagement, of the same kind"
        raise Invalid.of(Problem(code="evidence.unknown", where="supersedes", message=message, remedy=remedy))
    newer = session.exec(select(EvidenceRecord.id).where(col(EvidenceRecord.supersedes) == old.id)).first()
    if newer is not None:
        raise EvidenceSuperseded(f"{newer} takes its place already", remedy=f"supersede {newer}")
