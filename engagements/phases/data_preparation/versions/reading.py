"""Versions as they are read: one, all, their members, and what is different between two."""

from collections.abc import Mapping
from typing import Any, Final

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from engagements.core.errors import NotFound
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.service import find, scoped
from engagements.phases.data_preparation.versions.diffing import Difference, Side, Standing, difference
from engagements.phases.data_preparation.versions.manifest import SealedSplit
from engagements.phases.data_preparation.versions.models import DatasetVersion, VersionMember
from engagements.phases.data_preparation.versions.schemas import CardOut, DiffOut, SplitOut, VersionOut

_NOTHING: Final = Side(name="nothing", examples={}, labels={})


def versions_of(session: Session, actor: Actor, engagement_id: str) -> SelectOfScalar[DatasetVersion]:
    """Raises `NotFound`."""
    find(session, actor, Engagement, engagement_id)
    return scoped(DatasetVersion, actor).where(col(DatasetVersion.engagement_id) == engagement_id)


def splits_of(version: DatasetVersion) -> list[SealedSplit]:
    return [SealedSplit.read(each) for each in version.splits]


def version_out(version: DatasetVersion, actor: Actor) -> VersionOut:
    """A client's people see counts; names of reviewers, sources and pairs stay inside."""
    splits = splits_of(version)
    fields: dict[str, Any] = {
        name: getattr(version, name) for name in VersionOut.model_fields if hasattr(version, name)
    }
    if not actor.is_staff:
        fields |= {"report": {}, "leakage": _counts(version.leakage), "note": "", "policy": {}}
    return VersionOut(
        **fields
        | {
            "splits": tuple(SplitOut.of(split) for split in splits),
            "examples": sum(split.examples for split in splits),
            "is_complete": not version.erased,
        }
    )


def card_of(session: Session, actor: Actor, version_id: str) -> CardOut:
    version = find(session, actor, DatasetVersion, version_id)
    return CardOut(
        version_id=version.id, name=version.name, sha256=version.card_sha256, erased=version.erased,
        content=version.card,
    )  # fmt: skip


def diff_of(session: Session, actor: Actor, version_id: str, against_id: str) -> Difference:
    """What `version_id` has that `against_id` had not, and the other way round.

    Without `against_id` it is the version before; of the first, nothing. Raises `NotFound`.
    """
    after = find(session, actor, DatasetVersion, version_id)
    against_id = against_id or after.parent_id or ""
    if not against_id:
        return difference(_NOTHING, _side(session, after))
    before = find(session, actor, DatasetVersion, against_id)
    if before.engagement_id != after.engagement_id:
        raise NotFound
    return difference(_side(session, before), _side(session, after))


def diff_out(found: Difference) -> DiffOut:
    return DiffOut.model_validate(found, from_attributes=True)


def _side(session: Session, version: DatasetVersion) -> Side:
    chosen = select(VersionMember.record_id, VersionMember.sha256, VersionMember.split)
    members = session.exec(chosen.where(col(VersionMember.version_id) == version.id))
    examples = {name: Standing(sha256=sha256, split=str(split)) for name, sha256, split in members}
    return Side(name=version.name, examples=examples, labels=version.report.get("labels", {}))


def _counts(leakage: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in leakage.items() if name != "pairs"}
