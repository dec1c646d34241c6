"""The sealed test split. `open_test_split` is the only way to its texts, and leaves a trace each time."""

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session, col

from engagements.core import audit
from engagements.core.roles import Actor, Permission
from engagements.core.service import find, scoped
from engagements.db.columns import new_id
from engagements.delivery.evidence import SplitName
from engagements.phases.data_preparation.storage import Storage
from engagements.phases.data_preparation.versions.errors import NoSuchSplit, SplitSealed
from engagements.phases.data_preparation.versions.manifest import SealedSplit
from engagements.phases.data_preparation.versions.models import DatasetVersion, SealedRead
from engagements.phases.data_preparation.versions.reading import splits_of


class OpenedSplit:
    """`read`: the trace; `split`: what was opened. `lines` are read while the answer is written."""

    def __init__(self, storage: Storage, read: SealedRead, split: SealedSplit) -> None:
        self.read, self.split, self._storage = read, split, storage

    def lines(self) -> Iterator[bytes]:
        """Canonical records, one JSON line each. Raises `BlobDamaged`."""
        return self._storage.lines(self.split.kept)


def open_test_split(
    session: Session, storage: Storage, actor: Actor, version_id: str, *, purpose: str, at: datetime
) -> OpenedSplit:
    """`purpose`: the evaluation that reads it. Raises `Forbidden`, `NotFound`, `NoSuchSplit`."""
    actor.require(Permission.SEAL_DATA)
    version = find(session, actor, DatasetVersion, version_id)
    split = split_of(version, SplitName.TEST)
    row = SealedRead(
        id=new_id(SealedRead.PREFIX), organisation_id=version.organisation_id, engagement_id=version.engagement_id,
        client_id=version.client_id, version_id=version.id, purpose=purpose, by=actor.id, by_name=actor.name, at=at,
    )  # fmt: skip
    session.add(row)
    audit.record(session, actor, "sealed_split.opened", row, at=at, reason=purpose)
    return OpenedSplit(storage, row, split)


def unsealed_split(session: Session, actor: Actor, version_id: str, name: SplitName) -> SealedSplit:
    """A split that may be downloaded. Raises `SplitSealed` for the test split, `NoSuchSplit`, `NotFound`."""
    version = find(session, actor, DatasetVersion, version_id)
    if name is SplitName.TEST:
        message, remedy = "the test split is sealed", "an evaluation opens it with its purpose, which is written down"
        raise SplitSealed(message, remedy=remedy)
    return split_of(version, name)


def split_of(version: DatasetVersion, name: SplitName) -> SealedSplit:
    found = next((split for split in splits_of(version) if split.name is name), None)
    if found is None:
        raise NoSuchSplit(f"{version.name} has no {name} split", remedy="ask for one that it has")
    return found


def reads_of(session: Session, actor: Actor, version_id: str) -> list[SealedRead]:
    """Every time the test split was opened, the last first. Raises `NotFound`."""
    find(session, actor, DatasetVersion, version_id)
    mine = scoped(SealedRead, actor).where(col(SealedRead.version_id) == version_id)
    return list(session.exec(mine.order_by(col(SealedRead.id).desc())))
