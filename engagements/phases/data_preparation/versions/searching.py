"""Where a person is: examples, raw files, lines of versions, and what uploads, checks and synthesis kept of them.

What was looked for stays in memory.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson
from sqlmodel import Session, col, select

from engagements.core.errors import NotFound
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.service import find, scoped
from engagements.phases.data_preparation.collecting.reading import open_table
from engagements.phases.data_preparation.models import (
    DataJob,
    DataSource,
    Example,
    ExampleEdit,
    JobKind,
    Upload,
    UploadPart,
    UploadState,
)
from engagements.phases.data_preparation.review.models import Adjudication, ExampleReview, QueueItem
from engagements.phases.data_preparation.storage import BlobDamaged, Storage
from engagements.phases.data_preparation.synthesis.models import SynthesisCall, SynthesisRun
from engagements.phases.data_preparation.versions.models import DatasetVersion, VersionMember
from engagements.phases.data_preparation.versions.needles import Needles
from engagements.phases.data_preparation.versions.raw import raw_rows
from engagements.phases.data_preparation.versions.reading import splits_of
from engagements.phases.data_preparation.versions.schemas import SearchIn
from estimator.errors import EstimatorError

_PAGE: Final = 1000
_IDS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Ids of examples of the pool; of each source the rows of its raw file, from 1 (none where it is found in no row
    that can be read); of each version and split the ids of records; ids of uploads that became no source, of checks
    by their reports, of runs of synthesis by what they kept of answers."""

    examples: Sequence[str]
    rows: Mapping[str, Sequence[int]]
    versions: Mapping[str, Mapping[str, Sequence[str]]]
    uploads: Sequence[str] = ()
    checks: Sequence[str] = ()
    generations: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def search(session: Session, storage: Storage, actor: Actor, engagement_id: str, data: SearchIn) -> Found:
    """Reads all of the engagement's data; some ten seconds for a gigabyte. Raises `NotFound`."""
    find(session, actor, Engagement, engagement_id)
    needles = Needles(data.texts)
    examples = _named(session, engagement_id, data.example_ids)
    if needles:
        examples |= set(_in_the_pool(session, engagement_id, needles))
    examples |= set(_copies(session, engagement_id, examples))
    return Found(
        examples=sorted(examples), rows=_rows(session, storage, actor, engagement_id, needles, examples),
        versions=_lines(session, storage, actor, engagement_id, needles, examples),
        uploads=sorted(_uploads(session, storage, engagement_id, needles)),
        checks=sorted(_checks(session, storage, actor, engagement_id, needles, examples)),
        generations=sorted(_generations(session, actor, engagement_id, needles)),
    )  # fmt: skip


# --- the pool ---------------------------------------------------------------------------------------------------------


def _named(session: Session, engagement_id: str, ids: Sequence[str]) -> set[str]:
    """Raises `NotFound` for an id of nothing here."""
    mine = select(Example.id).where(col(Example.engagement_id) == engagement_id)
    found = set(session.exec(mine.where(col(Example.id).in_(ids))))
    if found != set(ids):
        raise NotFound
    return found


def _in_the_pool(session: Session, engagement_id: str, needles: Needles) -> Iterator[str]:
    """Whatever was ever said in an example: as it reads now, as it read before, as reviewers would have it."""
    for example in _examples(session, engagement_id):
        if needles.are_in(f"{example.payload}\n{example.group_key or ''}\n{example.record_id}"):
            yield example.id
    edits = (
        select(ExampleEdit)
        .join(Example, col(Example.id) == col(ExampleEdit.example_id))
        .where(col(Example.engagement_id) == engagement_id)
    )
    for edit in session.exec(edits):
        if needles.are_in(f"{edit.before}\n{edit.after}\n{edit.reason}"):
            yield edit.example_id
    yield from _in_reviews(session, engagement_id, needles)


def _in_reviews(session: Session, engagement_id: str, needles: Needles) -> Iterator[str]:
    for review in session.exec(select(ExampleReview).where(col(ExampleReview.engagement_id) == engagement_id)):
        if needles.are_in(f"{review.edited or ''}\n{review.comment}"):
            yield review.example_id
    for ending in session.exec(select(Adjudication).where(col(Adjudication.engagement_id) == engagement_id)):
        if needles.are_in(f"{ending.edited or ''}\n{ending.reason}"):
            yield ending.example_id
    golden = select(QueueItem).where(col(QueueItem.engagement_id) == engagement_id, col(QueueItem.golden).is_not(None))
    for item in session.exec(golden):
        if needles.are_in(_text(item.golden)):
            yield item.example_id


def _examples(session: Session, engagement_id: str) -> Iterator[Example]:
    mine = select(Example).where(col(Example.engagement_id) == engagement_id)
    after = ""
    while True:
        page = session.exec(mine.where(col(Example.id) > after).order_by(col(Example.id)).limit(_PAGE)).all()
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].id
        session.expunge_all()


def _copies(session: Session, engagement_id: str, examples: set[str]) -> Iterator[str]:
    """Examples that say the very same."""
    for some in _chunks(sorted(examples)):
        contents = select(Example.sha256).where(col(Example.id).in_(some))
        same = select(Example.id).where(col(Example.engagement_id) == engagement_id, col(Example.sha256).in_(contents))
        yield from session.exec(same)


# --- raw files --------------------------------------------------------------------------------------------------------


def _rows(
    session: Session, storage: Storage, actor: Actor, engagement_id: str, needles: Needles, examples: set[str]
) -> dict[str, list[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for some in _chunks(sorted(examples)):
        for example in session.exec(select(Example).where(col(Example.id).in_(some))):
            found[example.source_id].add(row_of(example))
    for source in session.exec(scoped(DataSource, actor).where(col(DataSource.engagement_id) == engagement_id)):
        if needles and source.sha256:
            rows = set(_rows_of(storage, source, needles))
            if rows or _is_beside_the_rows(storage, source, needles):
                found[source.id] |= rows
    return {source_id: sorted(rows) for source_id, rows in sorted(found.items())}


def _rows_of(storage: Storage, source: DataSource, needles: Needles) -> Iterator[int]:
    """Of a file that can be read as a table; a row that cannot be read is not kept when its file is rewritten."""
    try:
        for row in raw_rows(storage, source):
            if row.value is not None and needles.are_in(_text(row.value)):
                yield row.number
    except (EstimatorError, BlobDamaged):
        return


def _is_beside_the_rows(storage: Storage, source: DataSource, needles: Needles) -> bool:
    """In a row that cannot be read, on another sheet, in a file that is no table, or in what is said of lost rows."""
    if needles.are_in(_text(source.problems)):
        return True
    try:
        with storage.as_file(source.sha256) as path:
            return needles.are_in_file(path)
    except BlobDamaged:
        return False


def row_of(example: Example) -> int:
    """The row of the raw file that it came from."""
    origin = orjson.loads(example.payload).get("origin") or {}
    return int(origin.get("row") or example.row_number)


# --- what was kept on the way -----------------------------------------------------------------------------------------


def _uploads(session: Session, storage: Storage, engagement_id: str, needles: Needles) -> Iterator[str]:
    """Files on their way in, and those that nobody has made a source of."""
    sources = set(session.exec(select(DataSource.sha256).where(col(DataSource.engagement_id) == engagement_id)))
    mine = select(Upload).where(col(Upload.engagement_id) == engagement_id, col(Upload.state) != UploadState.ABANDONED)
    for upload in session.exec(mine) if needles else ():
        if upload.state is UploadState.RECEIVING:
            held = _is_in_parts(session, storage, upload.id, needles)
        else:
            held = upload.sha256 not in sources and _is_in_blob(storage, upload.sha256, needles)
        if held:
            yield upload.id


def _is_in_parts(session: Session, storage: Storage, upload_id: str, needles: Needles) -> bool:
    chosen = select(UploadPart.place).where(col(UploadPart.upload_id) == upload_id).order_by(col(UploadPart.start))
    try:
        return needles.are_in_pieces(storage.part(place) for place in session.exec(chosen))
    except FileNotFoundError:
        return False


def _is_in_blob(storage: Storage, sha256: str, needles: Needles) -> bool:
    try:
        with storage.as_file(sha256) as path:
            return needles.are_in_file(path) or any(needles.are_in(_text(row.value)) for row in open_table(path))
    except (EstimatorError, BlobDamaged):
        return False


def _checks(
    session: Session, storage: Storage, actor: Actor, engagement_id: str, needles: Needles, examples: set[str]
) -> Iterator[str]:
    """Reports that quote the text, or name one of the examples: what they say of it may quote it too."""
    named = {name for some in _chunks(sorted(examples)) for name in session.exec(
        select(Example.record_id).where(col(Example.id).in_(some))
    )}  # fmt: skip
    mine = scoped(DataJob, actor).where(col(DataJob.engagement_id) == engagement_id, col(DataJob.kind) == JobKind.CHECK)
    for job in session.exec(mine):
        sha256 = job.result.get("report_sha256")
        if sha256 and storage.has(sha256):
            report = b"".join(storage.read(sha256)).decode()
            if needles.are_in(report) or not named.isdisjoint(_strings(orjson.loads(report))):
                yield job.id


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _strings(each)
        case list():
            for each in value:
                yield from _strings(each)


def _generations(session: Session, actor: Actor, engagement_id: str, needles: Needles) -> Iterator[str]:
    """Samples of what was left out, and answers of requests whose run has not ended."""
    for run in session.exec(scoped(SynthesisRun, actor).where(col(SynthesisRun.engagement_id) == engagement_id)):
        answers = select(SynthesisCall.content, SynthesisCall.failure).where(col(SynthesisCall.run_id) == run.id)
        said = (f"{content}\n{failure}" for content, failure in session.exec(answers))
        if needles.are_in(_text(run.samples)) or any(map(needles.are_in, said)):
            yield run.id


# --- versions ---------------------------------------------------------------------------------------------------------


def _lines(
    session: Session, storage: Storage, actor: Actor, engagement_id: str, needles: Needles, examples: set[str]
) -> dict[str, dict[str, list[str]]]:
    """By membership, and by the texts themselves: an example may have been edited, or left the pool, since."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for some in _chunks(sorted(examples)):
        for member in session.exec(select(VersionMember).where(col(VersionMember.example_id).in_(some))):
            found[member.version_id][member.split].add(member.record_id)
    for version in session.exec(
        scoped(DatasetVersion, actor).where(col(DatasetVersion.engagement_id) == engagement_id)
    ):
        for split in splits_of(version) if needles else ():
            for line in storage.lines(split.kept):
                if needles.are_in(line.decode(errors="replace")):
                    found[version.id][split.name].add(orjson.loads(line)["id"])
    return {
        version_id: {split: sorted(ids) for split, ids in sorted(splits.items())}
        for version_id, splits in sorted(found.items())
    }


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[begin : begin + _IDS_AT_ONCE]
