"""The job that erases: texts in the pool, lines of versions, rows of raw files, and what was kept of them on the way.

It can be begun again at any time.

Bytes are replaced first and forgotten last: what replaces what is written down with the change itself, so that an
erasure that was cut off still knows which old bytes have to go.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from engagements.core import audit
from engagements.core.roles import Actor
from engagements.phases.data_preparation.jobs.context import JobContext
from engagements.phases.data_preparation.models import (
    DataJob,
    DataSource,
    Example,
    ExampleEdit,
    ExampleFinding,
    ExampleState,
    JobState,
    Upload,
    UploadPart,
    UploadState,
)
from engagements.phases.data_preparation.review.models import Adjudication, ExampleReview, QueueItem
from engagements.phases.data_preparation.storage import BlobDamaged
from engagements.phases.data_preparation.synthesis.models import SynthesisCall, SynthesisRun
from engagements.phases.data_preparation.versions import erasure
from engagements.phases.data_preparation.versions.manifest import SealedSplit
from engagements.phases.data_preparation.versions.models import DatasetVersion, Erasure, ErasureState
from engagements.phases.data_preparation.versions.raw import REWRITTEN_AS, without_rows
from engagements.phases.data_preparation.versions.reading import splits_of
from engagements.phases.data_preparation.versions.references import is_needed
from engagements.web.models import IdempotencyKey
from estimator.errors import EstimatorError

REASON: Final = "erased at a person's request"
_ROWS_AT_ONCE: Final = 200
_IDS: Final = re.compile(rb"\b(?:exa|que|src|syn)_\w+")
"""Of what a kept answer may quote: examples, places in a queue, sources, runs of synthesis."""


def erase(context: JobContext) -> Mapping[str, Any]:
    """Raises `StorageFull`; what was erased by then stays erased, and the rest is when it is begun again."""
    with context.store.read() as session:
        found: Mapping[str, Any] = session.get_one(Erasure, context.job.subject_id).found
    with context.kept():
        _erase_examples(context, found["examples"])
        for version_id, splits in found["versions"].items():
            for name, ids in splits.items():
                _rewrite_split(context, version_id, name, frozenset(ids))
        for source_id, rows in found["rows"].items():
            _rewrite_source(context, source_id, frozenset(rows))
        _erase_on_the_way(context, found)
        _forget_bytes(context)
    return _end(context)


# --- the pool ---------------------------------------------------------------------------------------------------------


def _erase_examples(context: JobContext, ids: Sequence[str]) -> None:
    for begin in range(0, len(ids), _ROWS_AT_ONCE):
        context.progress("Erasing examples", begin, len(ids))
        some = ids[begin : begin + _ROWS_AT_ONCE]
        with context.write() as session:
            for example in session.exec(select(Example).where(col(Example.id).in_(some))):
                _purge(example, at=context.clock.now())
            session.execute(delete(ExampleFinding).where(col(ExampleFinding.example_id).in_(some)))
            edits = update(ExampleEdit).where(col(ExampleEdit.example_id).in_(some))
            session.execute(edits.values(before="", after="", reason=""))
            golden = update(QueueItem).where(col(QueueItem.example_id).in_(some))
            session.execute(golden.values(golden=None))
            _purge_reviews(session, context.actor, some, at=context.clock.now())


def _purge(example: Example, *, at: datetime) -> None:
    """The row stays, so that versions and reviews still point to something; it says nothing any more."""
    example.payload = orjson.dumps({"id": example.record_id, "messages": []}).decode()
    example.label = example.group_key = None
    example.findings, example.score = [], None
    example.state, example.state_reason, example.changed_at = ExampleState.EXCLUDED, REASON, at


def _purge_reviews(session: Session, actor: Actor, ids: Sequence[str], *, at: datetime) -> None:
    for review in session.exec(select(ExampleReview).where(col(ExampleReview.example_id).in_(ids))):
        if review.edited is not None or review.comment or review.label:
            review.edited, review.comment, review.label = None, "", None
            audit.record(session, actor, "example_review.erased", review, at=at)
    for ending in session.exec(select(Adjudication).where(col(Adjudication.example_id).in_(ids))):
        if ending.edited is not None or ending.reason != REASON:
            ending.edited, ending.reason = None, REASON
            audit.record(session, actor, "adjudication.erased", ending, at=at)


# --- versions ---------------------------------------------------------------------------------------------------------


def _rewrite_split(context: JobContext, version_id: str, name: str, ids: frozenset[str]) -> None:
    context.progress("Rewriting sealed datasets")
    with context.store.read() as session:
        split = next(each for each in splits_of(session.get_one(DatasetVersion, version_id)) if each.name == name)
    gone = 0

    def left() -> Iterator[bytes]:
        nonlocal gone
        for line in context.storage.lines(split.kept):
            if orjson.loads(line)["id"] in ids:
                gone += 1
            else:
                yield line + b"\n"

    blob = context.storage.put(left())
    if gone:
        with context.write() as session:
            _replace_split(session, context, version_id, split, blob.sha256, gone)


def _replace_split(
    session: Session, context: JobContext, version_id: str, split: SealedSplit, kept: str, gone: int
) -> None:
    """The digest of the split as it was sealed stays: it names what runs were made of."""
    version = session.get_one(DatasetVersion, version_id)
    now = SealedSplit(
        name=split.name, examples=split.examples, sha256=split.sha256, kept=kept, erased=split.erased + gone
    )
    version.splits = [now.as_json() if each["name"] == split.name else each for each in version.splits]
    version.erased += gone
    audit.record(session, context.actor, "dataset_version.erased", version, at=context.clock.now(), reason=REASON)
    _note_replaced(session, context, split.kept)


# --- raw files --------------------------------------------------------------------------------------------------------


def _rewrite_source(context: JobContext, source_id: str, rows: frozenset[int]) -> None:
    """A file that cannot be read as a table, or is damaged, goes as a whole: nothing is left in its place."""
    context.progress("Rewriting raw files")
    with context.store.read() as session:
        source = session.get_one(DataSource, source_id)
        session.expunge(source)
    if not source.sha256 or not context.storage.has(source.sha256):
        return
    try:
        blob = without_rows(context.storage, source, rows)
    except (EstimatorError, BlobDamaged):
        blob = context.storage.put(())
    if blob.sha256 == source.sha256:
        return
    with context.write() as session:
        row = session.get_one(DataSource, source_id)
        # What is said of a row that could not be read may quote it; how many rows were lost for what stays.
        row.problems = []
        row.changed_at = context.clock.now()
        row.sha256, row.size_bytes = blob.sha256, blob.size_bytes
        row.format, row.encoding = REWRITTEN_AS["format"], REWRITTEN_AS["encoding"]
        audit.record(session, context.actor, "data_source.erased", row, at=context.clock.now(), reason=REASON)
        _note_replaced(session, context, source.sha256)


# --- what was kept on the way -----------------------------------------------------------------------------------------


def _erase_on_the_way(context: JobContext, found: Mapping[str, Any]) -> None:
    """An erasure that was asked for by an earlier version of this program names none of these."""
    for upload_id in found.get("uploads", ()):
        _drop_upload(context, upload_id)
    with context.write() as session:
        for job_id in found.get("checks", ()):
            _forget_report(session, context, job_id)
        for source_id in found["rows"]:
            _forget_failures(session, context, source_id)
        for run_id in found.get("generations", ()):
            _forget_answers(session, context, run_id)
        _forget_replies(session, found)


def _drop_upload(context: JobContext, upload_id: str) -> None:
    """All of it: a file that nobody has made a source of can be sent again without the person."""
    with context.write() as session:
        row = session.get_one(Upload, upload_id)
        places = session.exec(select(UploadPart.place).where(col(UploadPart.upload_id) == upload_id)).all()
        if row.state is UploadState.COMPLETE:
            _note_replaced(session, context, row.sha256)
        row.state, row.received, row.changed_at = UploadState.ABANDONED, 0, context.clock.now()
        session.execute(delete(UploadPart).where(col(UploadPart.upload_id) == upload_id))
    for place in places:
        context.storage.drop_part(place)


def _forget_report(session: Session, context: JobContext, job_id: str) -> None:
    """Its numbers stay."""
    row = session.get_one(DataJob, job_id)
    if sha256 := row.result.get("report_sha256"):
        row.result = {name: value for name, value in row.result.items() if name != "report_sha256"}
        audit.record(session, context.actor, "data_job.erased", row, at=context.clock.now(), reason=REASON)
        _note_replaced(session, context, sha256)


def _forget_failures(session: Session, context: JobContext, source_id: str) -> None:
    """What was said of a file that could not be imported may quote it."""
    failed = select(DataJob).where(col(DataJob.subject_id) == source_id, col(DataJob.state) == JobState.FAILED)
    for row in session.exec(failed):
        if row.error != REASON:
            row.result, row.error = {"code": row.result.get("code", ""), "problems": []}, REASON
            audit.record(session, context.actor, "data_job.erased", row, at=context.clock.now(), reason=REASON)


def _forget_answers(session: Session, context: JobContext, run_id: str) -> None:
    """Of the whole run: which of its answers it was, only the text that was looked for would tell."""
    row = session.get_one(SynthesisRun, run_id)
    session.execute(update(SynthesisCall).where(col(SynthesisCall.run_id) == run_id).values(content="", failure=""))
    if row.samples:
        row.samples = {}
        audit.record(session, context.actor, "synthesis_run.erased", row, at=context.clock.now(), reason=REASON)


def _forget_replies(session: Session, found: Mapping[str, Any]) -> None:
    """Answers that are kept for a day in case they are asked for again; without one, the request is done anew."""
    items = select(QueueItem.id).where(col(QueueItem.example_id).in_(found["examples"]))
    gone = {*found["examples"], *found["rows"], *found.get("generations", ()), *session.exec(items)}
    for row in session.exec(select(IdempotencyKey)):
        named = {each.decode() for each in _IDS.findall(row.route.encode() + b" " + row.body)}
        if not named.isdisjoint(gone):
            session.delete(row)


# --- the end ----------------------------------------------------------------------------------------------------------


def _note_replaced(session: Session, context: JobContext, sha256: str) -> None:
    row = session.get_one(Erasure, context.job.subject_id)
    row.found = {**row.found, "replaced": [*row.found["replaced"], sha256]}
    audit.record(session, context.actor, "erasure.went_on", row, at=context.clock.now())


def _forget_bytes(context: JobContext) -> None:
    """Those that nothing else rests on."""
    with context.store.read() as session:
        replaced = session.get_one(Erasure, context.job.subject_id).found["replaced"]
        needed = {sha256 for sha256 in replaced if is_needed(session, sha256)}
    for sha256 in replaced:
        if sha256 not in needed:
            context.storage.delete(sha256)


def _end(context: JobContext) -> Mapping[str, Any]:
    at = context.clock.now()
    with context.write() as session:
        row = session.get_one(Erasure, context.job.subject_id)
        row.found = {**row.found, "erased": True}
        if row.state is ErasureState.OPEN and not erasure.outstanding(session, context.actor, row):
            row.state, row.done_at = ErasureState.DONE, at
        audit.record(session, context.actor, "erasure.erased", row, at=at)
        return {"erasure": row.id, "state": row.state.value, "examples": len(row.found["examples"])}
