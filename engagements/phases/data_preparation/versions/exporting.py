"""Splits of a version as files: canonical records, or a provider's format. The test split is none of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import orjson
from sqlmodel import Session

from engagements.core.roles import Actor
from engagements.core.service import find
from engagements.delivery.evidence import SplitName
from engagements.phases.data_preparation.formats.registry import format_named
from engagements.phases.data_preparation.records import record_of
from engagements.phases.data_preparation.storage import BlobDamaged, Storage
from engagements.phases.data_preparation.versions.models import DatasetVersion
from engagements.phases.data_preparation.versions.sealed import unsealed_split

CANONICAL: Final = "canonical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that is read while it is sent. `sha256`: of its bytes, where they are those that were sealed."""

    name: str
    content: Iterator[bytes]
    sha256: str


def download_of(
    session: Session, storage: Storage, actor: Actor, version_id: str, split: SplitName, form: str
) -> Download:
    """`form`: `canonical`, or the name of a format.

    Raises `SplitSealed`, `NoSuchSplit`, `UnknownName` and `BlobDamaged`.
    """
    found = unsealed_split(session, actor, version_id, split)
    version = find(session, actor, DatasetVersion, version_id)
    _require(storage, found.kept, f"the {split} split of {version.name}")
    stem = f"{version.id}-{split}"
    if form == CANONICAL:
        return Download(name=f"{stem}.jsonl", content=storage.read(found.kept), sha256=found.kept)
    chosen = format_named(form)
    records = (record_of(orjson.loads(line)) for line in storage.lines(found.kept))
    return Download(name=f"{stem}-{chosen.name}.{chosen.extension}", content=chosen.write_file(records), sha256="")


def manifest_of(session: Session, storage: Storage, actor: Actor, version_id: str) -> Download:
    """Which example, as it read then, is in which split: ids and digests, no texts. Raises `BlobDamaged`."""
    version = find(session, actor, DatasetVersion, version_id)
    _require(storage, version.sha256, f"the manifest of {version.name}")
    return Download(name=f"{version.id}-manifest.jsonl", content=storage.read(version.sha256), sha256=version.sha256)


def _require(storage: Storage, sha256: str, what: str) -> None:
    """Before the answer begins, which could not be taken back."""
    if not storage.has(sha256):
        raise BlobDamaged(f"{what} is gone", remedy="restore it from a backup")
