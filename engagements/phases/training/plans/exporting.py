"""The splits of a sealed dataset as files that backends read, by the digest of their bytes, while a run needs them.

They can be written again from the sealed splits at any time, on any machine, and come out the same. The test split is
never one of them.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
from sqlmodel import Session, col, select

from backends.errors import DataAltered
from backends.spec import DataFile, TrainingSpec
from engagements.core.errors import Conflict, EngagementError
from engagements.delivery.evidence import SplitName
from engagements.phases.data_preparation.formats.registry import format_named
from engagements.phases.data_preparation.models import Example
from engagements.phases.data_preparation.records import Record, record_of
from engagements.phases.data_preparation.storage import Storage
from engagements.phases.data_preparation.versions.models import DatasetVersion, VersionMember
from engagements.phases.data_preparation.versions.sealed import split_of

_READ_BYTES: Final = 1 << 20


class DigestMismatch(EngagementError):
    """A file of examples is not the one that was planned with."""

    code, status = "digest_mismatch", 422


class VersionIncomplete(Conflict):
    """Examples of it were erased: what is left is another dataset than the one that was sealed."""

    code = "dataset_incomplete"


class ScoresMissing(Conflict):
    """The best examples cannot be told: no check has scored them."""

    code = "scores_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Of which examples a file is: a split of a version, or those records of it that `only` names."""

    version_id: str
    kept: str
    split: SplitName
    only: frozenset[str] | None = None


def source_of(version: DatasetVersion, split: SplitName, *, only: frozenset[str] | None = None) -> Source:
    """Raises `NoSuchSplit` and `VersionIncomplete`; the test split is asked for by nobody."""
    assert split is not SplitName.TEST, "nothing is trained or chosen on the test split"
    if version.erased:
        message = f"{version.erased} examples of {version.name} were erased"
        raise VersionIncomplete(message, remedy="seal a new version of what is left, and train on that")
    return Source(version_id=version.id, kept=split_of(version, split).kept, split=split, only=only)


def has_split(version: DatasetVersion, name: SplitName) -> bool:
    return any(each["name"] == name.value for each in version.splits)


def best_records(session: Session, version_id: str, share: float) -> list[str]:
    """Ids of the records of the training split with the best scores of the last check, so large a share of it.

    Equal scores are taken in the order of the ids. Raises `ScoresMissing`.
    """
    rows = session.exec(
        select(VersionMember.record_id, Example.score)
        .join(Example, col(Example.id) == col(VersionMember.example_id), isouter=True)
        .where(col(VersionMember.version_id) == version_id, col(VersionMember.split) == SplitName.TRAIN)
    ).all()
    scored = sorted((-score, record_id) for record_id, score in rows if score is not None)
    if len(scored) < len(rows) or not rows:
        message = f"{len(rows) - len(scored)} of {len(rows)} training examples have no score"
        raise ScoresMissing(message, remedy="have the examples checked, then plan again; or leave the subset out")
    return sorted(record_id for _, record_id in scored[: max(1, round(len(scored) * share))])


def write(storage: Storage, source: Source, form: str, folder: Path) -> DataFile:
    """The file in a format of ours, in the folder of data; its path is relative to that.

    Raises `BlobDamaged`, and `DigestMismatch` where nothing of it has a place in the format.
    """
    chosen = format_named(form)
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{secrets.token_hex(8)}.partial"
    digest, counted = hashlib.sha256(), _Counted(records_of(storage, source))
    try:
        with partial.open("wb") as out:
            for piece in chosen.enclosed(
                content for record in counted.records if (content := counted.kept(chosen.write(record))) is not None
            ):
                out.write(piece)
                digest.update(piece)
            out.flush()
            os.fsync(out.fileno())
        if not counted.written:
            message = f"no example of the {source.split} split has a place in {chosen.name}"
            raise DigestMismatch(message, remedy="train with a backend whose format holds these examples")
        name = f"{digest.hexdigest()}.{chosen.extension}"
        partial.replace(folder / name)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    return DataFile(path=Path(name), sha256=digest.hexdigest(), rows=counted.written, format=chosen.name)


def records_of(storage: Storage, source: Source) -> Iterator[Record]:
    """As they were sealed, in their order. Raises `BlobDamaged` at the end, where the bytes are not those."""
    for line in storage.lines(source.kept):
        record = record_of(orjson.loads(line))
        if source.only is None or record.id in source.only:
            yield record


def placed(spec: TrainingSpec, folder: Path) -> TrainingSpec:
    """The spec with the paths of its files as they are on this machine."""
    return spec.model_copy(update={
        name: each.model_copy(update={"path": folder / each.path.name})
        for name in ("train", "validation") if (each := getattr(spec, name)) is not None
    })  # fmt: skip


def ensure(storage: Storage, file: DataFile, source: Source, folder: Path) -> None:
    """That the file lies here as it was planned; written again where it is not there.

    Raises `BlobDamaged`, and `DataAltered` where what lies here, or comes out, is not what was planned with.
    """
    there = folder / file.path.name
    if there.exists():
        if _digest(there) != file.sha256:
            raise DataAltered(f"{file.path.name} is not the file that was planned with")
        return
    if write(storage, source, file.format, folder).sha256 != file.sha256:
        raise DataAltered(f"the {source.split} split does not come out as it was planned with")


@dataclass(slots=True)
class _Counted:
    """Records on their way into a file; a format may have no place for some."""

    records: Iterator[Record]
    written: int = 0

    def kept(self, content: bytes | None) -> bytes | None:
        self.written += content is not None
        return content


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()
