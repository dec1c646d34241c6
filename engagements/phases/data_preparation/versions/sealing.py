"""Sealing: every accepted example, split, proved free of leaks, written down as a version that never changes.

Bytes come first, by their digests; then one transaction makes the version, its members, its audit event and what
others are told; then gate 1 gets its evidence (`proving`). Whatever stops in between leaves no version, or a whole one
that the same job finds when it begins again.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert
from sqlmodel import Session, col, func, select

from engagements.core import audit
from engagements.core.leases import LeaseLost
from engagements.core.models import Engagement
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor
from engagements.db.columns import new_id
from engagements.db.store import StoreBusy, StoreFull
from engagements.delivery.evidence import SplitName
from engagements.delivery.recording import canonical_sha256
from engagements.delivery.under_way import claim_active
from engagements.phases.data_preparation.jobs.context import JobContext
from engagements.phases.data_preparation.jobs.queue import ENDED, ask_for
from engagements.phases.data_preparation.models import DataJob, Example, ExampleState, JobKind
from engagements.phases.data_preparation.pool.standing import require_acknowledged
from engagements.phases.data_preparation.preparing.datasheet import datasheet_of
from engagements.phases.data_preparation.splitting.leaks import Leak
from engagements.phases.data_preparation.splitting.policy import Previous
from engagements.phases.data_preparation.storage import Blob
from engagements.phases.data_preparation.versions import describing, proving
from engagements.phases.data_preparation.versions.dividing import Division, divide, previous_of
from engagements.phases.data_preparation.versions.errors import (
    DatasetEmpty,
    ExamplesChanged,
    HoldoutLeak,
    NameTaken,
    SealUnderWay,
    TooFewExamples,
)
from engagements.phases.data_preparation.versions.gathering import Entry, Gathered, gather
from engagements.phases.data_preparation.versions.manifest import (
    Member,
    SealedSplit,
    content_sha256,
    manifest_lines,
)
from engagements.phases.data_preparation.versions.models import DatasetVersion, VersionMember
from engagements.phases.data_preparation.versions.references import is_needed
from engagements.phases.data_preparation.versions.schemas import SealIn
from estimator.errors import Problem

_ROWS_AT_ONCE: Final = 1000
_NO_POLICY: Final = frozenset({"name", "note"})
"""What is said about a version and is no part of what it holds."""


def ask_to_seal(session: Session, actor: Actor, engagement_id: str, data: SealIn, *, at: datetime) -> DataJob:
    """The job that seals. Whatever is known to stand against it is refused at once.

    Raises `NotUnderWay`, `SealUnderWay`, `NameTaken`, `DatasetEmpty` and `PersonalDataUnacknowledged`.
    """
    engagement = claim_active(session, actor, engagement_id)
    _refuse_two_at_once(session, engagement.id)
    if data.name:
        _refuse_taken(session, engagement.id, data.name, newest_of(session, engagement.id))
    mine = select(func.count()).where(
        col(Example.engagement_id) == engagement.id, col(Example.state) == ExampleState.ACCEPTED
    )
    if not session.exec(mine).one():
        raise _empty()
    require_acknowledged(session, engagement.id)
    return ask_for(session, actor, engagement, JobKind.SEAL, options=data.model_dump(mode="json"), at=at)


def newest_of(session: Session, engagement_id: str) -> DatasetVersion | None:
    mine = select(DatasetVersion).where(col(DatasetVersion.engagement_id) == engagement_id)
    return session.exec(mine.order_by(col(DatasetVersion.number).desc()).limit(1)).first()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """The version that this one follows, if any: its id and digests, and where its examples are."""

    id: str | None = None
    sha256: str | None = None
    content_sha256: str = ""
    splits: Previous


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """What lies in the storage already, and what will be said of it."""

    splits: Sequence[SealedSplit]
    sha256: str
    content_sha256: str


def seal(context: JobContext) -> Mapping[str, Any]:
    """The job. Raises `DatasetEmpty`, `TooFewExamples`, `HoldoutLeak`, `ExamplesChanged`, `StorageFull` and more."""
    wanted = SealIn.model_validate(context.job.options)
    with tempfile.TemporaryFile() as spool:
        context.progress("Reading accepted examples")
        with context.store.read() as session:
            before = _before(session, context.job.engagement_id)
            made = gather(
                session, context.job.engagement_id, spool,
                on_progress=lambda done: context.progress("Reading accepted examples", done),
            )  # fmt: skip
        if not made.entries:
            raise _empty()
        context.progress("Splitting")
        with context.kept():
            division = divide(made, wanted, before.splits, tell=lambda step: context.progress(f"Splitting: {step}"))
        _refuse_leaks(division)
        _refuse_empty_splits(division, wanted)
        with _kept_only_if_sealed(context) as keep:
            written = _written(context, keep, made, division, wanted, before)
            if written.content_sha256 == before.content_sha256 and before.id:
                return proving.proved(context, before.id) | {"version": before.id, "is_new": False}
            version_id = _recorded(context, made, division, wanted, written, before)
    return proving.proved(context, version_id) | {"version": version_id, "is_new": True}


# --- what stands against it -------------------------------------------------------------------------------------------


def _refuse_two_at_once(session: Session, engagement_id: str) -> None:
    open_ones = select(DataJob.id).where(
        col(DataJob.engagement_id) == engagement_id, col(DataJob.kind) == JobKind.SEAL,
        col(DataJob.state).not_in(ENDED),
    )  # fmt: skip
    if session.exec(open_ones).first() is not None:
        raise SealUnderWay("this dataset is being sealed already", remedy="wait for that job, then look at its version")


def _refuse_taken(session: Session, engagement_id: str, name: str, newest: DatasetVersion | None) -> None:
    """The newest may be sealed again under its name: what is the same then is the same version."""
    mine = select(DatasetVersion).where(
        col(DatasetVersion.engagement_id) == engagement_id, col(DatasetVersion.name) == name
    )
    taken = session.exec(mine).first()
    if taken is not None and (newest is None or taken.id != newest.id):
        raise NameTaken(f"version {taken.number} is called {name!r}", remedy="choose another name, or leave it out")


def _refuse_changed(session: Session, engagement_id: str, made: Gathered) -> None:
    """What was edited, excluded or erased while it was being sealed must not come back by the version."""
    chosen = select(Example.id, Example.sha256).where(
        col(Example.engagement_id) == engagement_id, col(Example.state) == ExampleState.ACCEPTED
    )
    now = dict(iter(session.exec(chosen)))
    changed = sum(now.get(entry.example_id) != entry.stored_sha256 for entry in made.entries)
    if changed:
        raise ExamplesChanged(f"{changed:,} examples changed while they were being sealed", remedy="seal again")


def _empty() -> DatasetEmpty:
    return DatasetEmpty("no example has been accepted", remedy="review examples first; only accepted ones are sealed")


def _refuse_leaks(division: Division) -> None:
    if division.leaks_found:
        message = f"{division.leaks_found:,} pairs stand in two splits, or nearly"
        raise HoldoutLeak.of(message, map(_pair, division.leaks))


def _pair(leak: Leak) -> Problem:
    message = (
        f"{leak.first} in {leak.first_split} and {leak.second} in {leak.second_split}: {leak.kind}, {leak.likeness:.2f}"
    )
    return Problem(code=f"leak.{leak.kind}", where=leak.second, message=message, remedy="exclude one of the two")


def _refuse_empty_splits(division: Division, wanted: SealIn) -> None:
    asked = {name for name in SplitName if getattr(wanted.shares, name.value) or name is SplitName.TRAIN}
    if wanted.hold_out:
        asked.add(SplitName.TEST)
    missing = [name.value for name in SplitName if name in asked and not division.splits.get(name)]
    if missing:
        message = f"{division.groups:,} groups of examples leave nothing for {' and '.join(missing)}"
        raise TooFewExamples(message, remedy="accept more examples, or ask for fewer splits")


# --- the bytes --------------------------------------------------------------------------------------------------------


def _before(session: Session, engagement_id: str) -> _Before:
    newest = newest_of(session, engagement_id)
    if newest is None:
        return _Before(splits=Previous())
    chosen = select(VersionMember.record_id, VersionMember.sha256, VersionMember.split)
    members = session.exec(chosen.where(col(VersionMember.version_id) == newest.id)).all()
    return _Before(
        id=newest.id, sha256=newest.sha256, content_sha256=newest.report["content_sha256"],
        splits=previous_of(members),
    )  # fmt: skip


@contextmanager
def _kept_only_if_sealed(context: JobContext) -> Iterator[Callable[[Iterable[bytes]], Blob]]:
    """Keeps bytes, and forgets them again where no version comes of it: nobody would find them to erase them."""
    made: list[str] = []

    def keep(pieces: Iterable[bytes]) -> Blob:
        blob = context.storage.put(pieces)
        made.append(blob.sha256)
        return blob

    try:
        yield keep
    finally:
        # Only while the job is ours: whoever took it over may have written the same bytes, and needs them.
        with suppress(LeaseLost, StoreBusy, StoreFull), context.write() as session:
            for sha256 in made:
                if not is_needed(session, sha256):
                    context.storage.delete(sha256)


def _written(
    context: JobContext, keep: Callable[[Iterable[bytes]], Blob], made: Gathered, division: Division, wanted: SealIn,
    before: _Before,
) -> _Written:  # fmt: skip
    policy = policy_of(wanted)
    splits = [_split(context, keep, made, name, entries) for name, entries in division.splits.items()]
    members = sorted(_members(division), key=lambda member: member.record_id)
    manifest = keep(manifest_lines(members, splits, policy, before.sha256))
    return _Written(splits=splits, sha256=manifest.sha256, content_sha256=content_sha256(splits, policy))


def policy_of(wanted: SealIn) -> dict[str, Any]:
    """What decides which example is in which split."""
    return wanted.model_dump(mode="json", exclude=set(_NO_POLICY))


def _split(
    context: JobContext, keep: Callable[[Iterable[bytes]], Blob], made: Gathered, name: SplitName,
    entries: Sequence[Entry],
) -> SealedSplit:  # fmt: skip
    def lines() -> Iterator[bytes]:
        for done, entry in enumerate(entries):
            if done % _ROWS_AT_ONCE == 0:
                context.progress(f"Writing the {name} split", done, len(entries))
            yield made.line(entry)

    blob = keep(lines())
    return SealedSplit(name=name, examples=len(entries), sha256=blob.sha256, kept=blob.sha256)


def _members(division: Division) -> Iterator[Member]:
    for name, entries in division.splits.items():
        for entry in entries:
            yield Member(record_id=entry.record_id, sha256=entry.sha256, split=name)


# --- the version ------------------------------------------------------------------------------------------------------


def _recorded(
    context: JobContext, made: Gathered, division: Division, wanted: SealIn, written: _Written, before: _Before
) -> str:
    """The one transaction; its version's id."""
    at = context.clock.now()
    with context.write() as session:
        engagement = claim_active(session, context.actor, context.job.engagement_id)
        newest = newest_of(session, engagement.id)
        if (newest.id if newest else None) != before.id:
            raise SealUnderWay("another version was sealed meanwhile", remedy="look at it, then seal again")
        _refuse_changed(session, engagement.id, made)
        require_acknowledged(session, engagement.id)
        version = _version(context.actor, engagement, newest, wanted, written, at=at)
        _refuse_taken(session, engagement.id, version.name, None)
        found = describing.found_of(session, context.storage, context.actor, engagement, made)
        version.leakage = dict(division.proof)
        version.report = describing.report_of(made, division, found, written.content_sha256, at=at)
        facts = describing.datasheet_facts(version, found, written.splits, newest)
        version.card = datasheet_of(facts).as_json()
        version.card_sha256 = canonical_sha256(version.card)
        session.add(version)
        audit.record(session, context.actor, "dataset_version.sealed", version, at=at)
        _add_members(session, version.id, division)
        told = {"engagement": engagement.id, "version": version.id, "number": version.number, "sha256": version.sha256}
        tell(session, engagement.organisation_id, EventType.DATASET_SEALED, told, at=at)
        return version.id


def _version(
    actor: Actor, engagement: Engagement, newest: DatasetVersion | None, wanted: SealIn,
    written: _Written, *, at: datetime,
) -> DatasetVersion:  # fmt: skip
    number = newest.number + 1 if newest else 1
    return DatasetVersion(
        id=new_id(DatasetVersion.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement.id,
        client_id=engagement.client_id, number=number, name=wanted.name or f"dataset@v{number}",
        parent_id=newest.id if newest else None, sha256=written.sha256, policy=policy_of(wanted),
        splits=[split.as_json() for split in written.splits], leakage={}, report={}, card={}, card_sha256="",
        note=wanted.note, sealed_at=at, sealed_by=actor.id, sealed_by_name=actor.name,
    )  # fmt: skip


def _add_members(session: Session, version_id: str, division: Division) -> None:
    rows = [
        {
            "version_id": version_id, "example_id": entry.example_id, "record_id": entry.record_id,
            "sha256": entry.sha256, "split": name,
        }
        for name, entries in division.splits.items()
        for entry in entries
    ]  # fmt: skip
    for begin in range(0, len(rows), _ROWS_AT_ONCE):
        session.execute(insert(VersionMember), rows[begin : begin + _ROWS_AT_ONCE])
