"""Which examples nobody may read: those in the test split of the newest dataset."""

from collections.abc import Collection

from sqlmodel import Session, col, func, select

from engagements.core.errors import Conflict
from engagements.delivery.evidence import SplitName
from engagements.phases.data_preparation.versions.models import DatasetVersion, VersionMember


class ExampleSealed(Conflict):
    """It lies in a sealed test split: read by evaluation runs alone, and changed by nobody."""

    code = "dataset_frozen"


def newest_version(session: Session, engagement_id: str) -> str | None:
    chosen = select(DatasetVersion.id).where(col(DatasetVersion.engagement_id) == engagement_id)
    return session.exec(chosen.order_by(col(DatasetVersion.number).desc()).limit(1)).first()


def sealed_among(session: Session, engagement_id: str, example_ids: Collection[str]) -> frozenset[str]:
    """Which of these are sealed."""
    version_id = newest_version(session, engagement_id)
    if version_id is None:
        return frozenset()
    chosen = select(VersionMember.example_id).where(
        col(VersionMember.version_id) == version_id, col(VersionMember.split) == SplitName.TEST,
        col(VersionMember.example_id).in_(example_ids),
    )  # fmt: skip
    return frozenset(session.exec(chosen).all())


def sealed_count(session: Session, engagement_id: str) -> int:
    version_id = newest_version(session, engagement_id)
    chosen = select(func.count()).select_from(VersionMember).where(
        col(VersionMember.version_id) == version_id, col(VersionMember.split) == SplitName.TEST
    )  # fmt: skip
    return session.exec(chosen).one() if version_id else 0


def refuse_sealed(session: Session, engagement_id: str, example_id: str) -> None:
    """Raises `ExampleSealed`."""
    if sealed_among(session, engagement_id, [example_id]):
        remedy = "an evaluation run reads it; a new dataset may hold another test split"
        raise ExampleSealed("this example is sealed in a test split", remedy=remedy)
