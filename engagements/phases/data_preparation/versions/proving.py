"""Gate 1 gets its evidence from the version itself. A failure there never loses the version; it can be tried again."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlmodel import Session

from engagements import __version__
from engagements.core import audit
from engagements.core.errors import EngagementError
from engagements.core.roles import Actor
from engagements.core.service import claim
from engagements.delivery import evidence
from engagements.delivery.evidence import Check, EvidenceIn, Leakage, Split, SplitName
from engagements.delivery.gate_models import EvidenceKind
from engagements.delivery.recording import record_evidence
from engagements.phases.data_preparation.jobs.context import JobContext
from engagements.phases.data_preparation.versions.manifest import SealedSplit
from engagements.phases.data_preparation.versions.models import DatasetVersion
from estimator.phases import Phase

_BY: Final = "Sixfold"
_NOTE_MAX: Final = 2000
_NAME_MAX: Final = 200


def proved(context: JobContext, version_id: str) -> dict[str, Any]:
    """Of the job's result: the evidence, or why there is none."""
    context.progress("Recording the evidence of gate 1")
    try:
        with context.write() as session:
            row = record(session, context.actor, version_id, at=context.clock.now())
            return {"evidence": row.evidence_id}
    except EngagementError as refused:
        return {"evidence": None, "evidence_refused": refused.message}


def record(session: Session, actor: Actor, version_id: str, *, at: datetime) -> DatasetVersion:
    """Once: a version that has its evidence keeps it.

    Raises what `delivery.recording.record_evidence` raises.
    """
    version = claim(session, actor, DatasetVersion, version_id)
    if version.evidence_id is None:
        data = EvidenceIn(
            external_id=version.name, source=f"Sixfold {__version__}", measured_at=version.sealed_at,
            content=content_of(version), phase=Phase.DATA_PREPARATION,
        )  # fmt: skip
        version.evidence_id = record_evidence(session, actor, version.engagement_id, data, at=at).id
        audit.record(session, actor, "dataset_version.evidenced", version, at=at)
    return version


def content_of(version: DatasetVersion) -> evidence.DatasetVersion:
    report = version.report
    splits = [SealedSplit.read(each) for each in version.splits]
    return evidence.DatasetVersion(
        kind=EvidenceKind.DATASET_VERSION, name=version.name, sha256=version.sha256,
        splits=tuple(Split(name=each.name, examples=each.examples, sha256=each.sha256) for each in splits),
        sealed_at=version.sealed_at if any(each.name is SplitName.TEST for each in splits) else None,
        leakage=_leakage(version.leakage), agreement=_agreement(report["agreement"]),
        licence=Check(**report["licence"], by=_BY, on=date.fromisoformat(report["sealed_on"])),
        personal_data=_personal_data(report["personal_data"]),
        card_sha256=version.card_sha256,
    )  # fmt: skip


def _leakage(found: Mapping[str, Any]) -> Leakage:
    return Leakage(
        exact=found["exact"], normalised=found["normalised"], near=found["minhash"] + found["ngram"],
        near_rule=f"{found['near_rule']}; {found['ngram_rule']}"[:_NAME_MAX],
    )  # fmt: skip


def _agreement(found: Mapping[str, Any] | None) -> evidence.Agreement | None:
    """None where nobody said what would be enough: what has no target passes no gate."""
    if found is None or found["target"] is None:
        return None
    return evidence.Agreement(**{name: found[name] for name in ("measure", "value", "target", "items")})


def _personal_data(found: Mapping[str, Any] | None) -> Check | None:
    """As the check of the pool found it, and whoever answers for it; None where nobody looked."""
    if found is None:
        return None
    counts = ", ".join(f"{count:,} {name}" for name, count in found["found"].items())
    note = " ".join(part for part in (f"{counts}." if counts else "None was found.", found["note"]) if part)
    return Check(
        passed=found["passed"], by=found["by"] or _BY, on=date.fromisoformat(found["on"]), note=note[:_NOTE_MAX]
    )
