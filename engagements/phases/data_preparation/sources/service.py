"""Sources: added from an upload or a place, described, imported, removed. Each change leaves one audit event."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import SecretStr
from sqlalchemy import delete, exists
from sqlmodel import Session, col, func, select

from engagements.core import audit
from engagements.core.errors import Conflict, Invalid
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.service import claim, find, scoped
from engagements.db.columns import new_id
from engagements.delivery.under_way import claim_active, claim_in_active
from engagements.phases.data_preparation.jobs import queue
from engagements.phases.data_preparation.jobs.schemas import JobOut, job_out
from engagements.phases.data_preparation.models import (
    DataJob,
    DataSource,
    Example,
    ExampleEdit,
    ExampleFinding,
    JobKind,
    SourceState,
    Upload,
    UploadState,
)
from engagements.phases.data_preparation.reach import find_row
from engagements.phases.data_preparation.records import REQUIRED, Provenance
from engagements.phases.data_preparation.review.models import QueueItem
from engagements.phases.data_preparation.sources import places
from engagements.phases.data_preparation.sources.schemas import SourceIn, SourcePatch
from engagements.phases.data_preparation.sources.uploads import UploadUnfinished
from engagements.phases.data_preparation.versions.models import VersionMember
from estimator.errors import Problem

LISTED: Final = 200
_OPEN: Final = frozenset({SourceState.NEW, SourceState.FAILED, SourceState.CANCELLED})
_REMEDIES: Final = {
    "licence": "name the licence or the agreement that allows its use",
    "author": "name who wrote it",
    "generator": "name the model that made it",
    "consent": "say what the people in it agreed to, and where that stands",
}
_FORMATS: Final = {
    "jsonl": "jsonl", "ndjson": "jsonl", "json": "json", "csv": "csv", "tsv": "tsv", "tab": "tsv", "xlsx": "excel",
    "xlsm": "excel", "parquet": "parquet", "txt": "text",
}  # fmt: skip


class SourceImported(Conflict):
    """What is imported stays as it was described."""

    code = "source_imported"


class SourceFetching(Conflict):
    """Its file is not here yet."""

    code = "source_fetching"


class SourceHeld(Conflict):
    """A sealed dataset, or a review, holds examples of it."""

    code = "dataset_frozen"


def add_source(
    session: Session, actor: Actor, engagement_id: str, data: SourceIn, *, places_allowed: Sequence[SecretStr] = (),
    at: datetime,
) -> DataSource:  # fmt: skip
    """A new source, which a job fetches first where it lies at a place.

    Raises `NotUnderWay`, `NotFound`, `UploadUnfinished`, `PlaceNotAllowed`, and `Invalid` with all that is missing.
    """
    engagement = claim_active(session, actor, engagement_id)
    if faults := tuple(_faults(data)):
        raise Invalid.of(*faults)
    told = data.model_dump(include={"kind", "author", "licence", "generator", "consent", "format", "encoding"})
    mapping = data.mapping.model_dump(mode="json", exclude_defaults=True) if data.mapping else {}
    row = DataSource(
        **told, **_origin(session, actor, engagement, data, places_allowed), id=new_id(DataSource.PREFIX),
        organisation_id=engagement.organisation_id, engagement_id=engagement.id, client_id=engagement.client_id,
        mapping=mapping, created_by=actor.id, created_at=at, changed_at=at,
    )  # fmt: skip
    row.format = row.format or format_of(row.name)
    session.add(row)
    audit.record(session, actor, "data_source.added", row, at=at)
    if row.state is SourceState.FETCHING:
        options = {"query": data.query} if data.query else {}
        queue.ask_for(session, actor, engagement, JobKind.FETCH, subject_id=row.id, options=options, at=at)
    return row


def change_source(
    session: Session, actor: Actor, source_id: str, data: SourcePatch, *, version: int, at: datetime
) -> DataSource:
    """Raises `SourceImported` once it is, and `Invalid` for what its kind needs and would not have any more."""
    row = claim_in_active(session, actor, DataSource, source_id, version)
    _refuse_imported(row)
    changes = data.model_dump(exclude_unset=True, exclude={"mapping"})
    if data.mapping is not None:
        changes["mapping"] = data.mapping.model_dump(mode="json", exclude_defaults=True)
    row.sqlmodel_update(changes)
    if faults := tuple(_missing(row.kind, row)):
        raise Invalid.of(*faults)
    row.changed_at = at
    audit.record(session, actor, "data_source.changed", row, at=at)
    return row


def ask_import(session: Session, actor: Actor, source_id: str, *, at: datetime) -> DataJob:
    """The import of what is there; of a source that could not be fetched, the fetching anew.

    Raises `SourceImported` and `JobRunning`.
    """
    row = claim_in_active(session, actor, DataSource, source_id)
    queue.refuse_second(session, {JobKind.IMPORT, JobKind.FETCH}, row.engagement_id, row.id)
    kind, state = (JobKind.IMPORT, SourceState.IMPORTING) if row.sha256 else (JobKind.FETCH, SourceState.FETCHING)
    if row.state is not state:  # of a job that was given up, it still is
        _refuse_imported(row)
        row.state, row.changed_at = state, at
        audit.record(session, actor, f"data_source.{kind.value}_asked", row, at=at)
    engagement = find(session, actor, Engagement, row.engagement_id)
    options = _last_options(session, row.id) if kind is JobKind.FETCH else {}
    return queue.ask_for(session, actor, engagement, kind, subject_id=row.id, options=options, at=at)


def remove_source(session: Session, actor: Actor, source_id: str, *, version: int, at: datetime) -> DataSource:
    """Its examples go; that it was there stays. Raises `JobRunning` and `SourceHeld`."""
    row = claim(session, actor, DataSource, source_id, version)
    if row.state is SourceState.REMOVED:
        return row
    queue.refuse_second(session, {JobKind.IMPORT, JobKind.FETCH, JobKind.CHECK}, row.engagement_id)
    ours = select(Example.id).where(col(Example.source_id) == row.id)
    for table, what in ((VersionMember, "a sealed dataset holds"), (QueueItem, "a review holds")):
        held = select(exists(select(table.example_id).where(col(table.example_id).in_(ours))))
        if session.execute(held).scalar_one():
            raise SourceHeld(f"{what} examples of it", remedy="exclude the examples that must not be used any more")
    drop_examples(session, row.id)
    row.state, row.changed_at = SourceState.REMOVED, at
    audit.record(session, actor, "data_source.removed", row, at=at)
    return row


def drop_examples(session: Session, source_id: str) -> None:
    """All that was made of a source, with what was found in it and done to it."""
    ours = select(Example.id).where(col(Example.source_id) == source_id)
    session.execute(delete(ExampleFinding).where(col(ExampleFinding.example_id).in_(ours)))
    session.execute(delete(ExampleEdit).where(col(ExampleEdit.example_id).in_(ours)))
    session.execute(delete(Example).where(col(Example.source_id) == source_id))


def is_orphaned(session: Session, sha256: str) -> bool:
    """Whether no source that is there was made from these bytes, in any engagement."""
    chosen = select(func.count()).select_from(DataSource).where(
        col(DataSource.sha256) == sha256, col(DataSource.state) != SourceState.REMOVED
    )  # fmt: skip
    return session.exec(chosen).one() == 0


def sources_of(session: Session, actor: Actor, engagement_id: str) -> Sequence[DataSource]:
    """Newest first, but for those removed. Raises `NotFound`."""
    find(session, actor, Engagement, engagement_id)
    chosen = scoped(DataSource, actor).where(
        col(DataSource.engagement_id) == engagement_id, col(DataSource.state) != SourceState.REMOVED
    )
    return session.exec(chosen.order_by(col(DataSource.id).desc()).limit(LISTED)).all()


def newest_job(session: Session, source_id: str) -> JobOut | None:
    """The last that was asked for about this source."""
    chosen = select(DataJob).where(col(DataJob.subject_id) == source_id).order_by(col(DataJob.id).desc()).limit(1)
    row = session.exec(chosen).first()
    return job_out(session, row) if row else None


def format_of(name: str) -> str:
    """As the end of a file's name says; empty where it says nothing."""
    return _FORMATS.get(name.lower().rpartition(".")[2], "")


def _last_options(session: Session, source_id: str) -> dict[str, Any]:
    chosen = select(DataJob.options).where(col(DataJob.subject_id) == source_id, col(DataJob.kind) == JobKind.FETCH)
    return dict(session.exec(chosen.order_by(col(DataJob.id).desc()).limit(1)).first() or {})


def _origin(
    session: Session, actor: Actor, engagement: Engagement, data: SourceIn, places_allowed: Sequence[SecretStr]
) -> dict[str, Any]:
    if data.upload_id is None:
        places.allowed(data.place, places_allowed)
        if bool(data.query) != places.is_database(data.place):
            said = "a database is asked by a query, and nothing else is", "give both, or neither"
            raise Invalid.of(Problem(code="field_missing", where="query", message=said[0], remedy=said[1]))
        place = places.without_login(data.place)
        name = data.name or place.rstrip("/").rpartition("/")[2] or place
        return {"name": name[:255], "place": place, "sha256": "", "size_bytes": 0, "state": SourceState.FETCHING}
    upload = find_row(session, actor, Upload, data.upload_id)
    if upload.engagement_id != engagement.id:
        problem = "this upload is of another engagement", "send the file to this one"
        raise Invalid.of(Problem(code="upload.elsewhere", where="upload_id", message=problem[0], remedy=problem[1]))
    if upload.state is not UploadState.COMPLETE:
        raise UploadUnfinished(f"this upload is {upload.state.value}", remedy="send all of it and complete it first")
    return {"name": data.name or upload.name, "sha256": upload.sha256, "size_bytes": upload.size_bytes}


def _faults(data: SourceIn) -> Iterator[Problem]:
    if (data.upload_id is None) == (not data.place):
        message, remedy = "a source is made from an upload or from a place", "name one of the two"
        yield Problem(code="field_missing", where="upload_id", message=message, remedy=remedy)
    yield from _missing(data.kind, data)


def _missing(kind: Provenance, given: SourceIn | DataSource) -> Iterator[Problem]:
    said = kind.value.replace("_", " ")
    for name in sorted(REQUIRED[kind]):
        if not getattr(given, name):
            message = f"of {said} material, its {name} has to be known"
            yield Problem(code="field_missing", where=name, message=message, remedy=_REMEDIES[name])


def _refuse_imported(row: DataSource) -> None:
    if row.state not in _OPEN:
        raise SourceImported(f"this source is {row.state.value}", remedy="remove it and add it anew, or add another")
