"""The job that checks the pool: a score and findings for each example, clusters of duplicates, a report of the set.

What the check finds is written batch by batch while it reads; clusters and the report follow at the end. Begun again,
it writes the same again.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy import ColumnElement, delete, insert, update
from sqlmodel import Session, col, func, select

from engagements.phases.data_preparation.checks.checking import check_record
from engagements.phases.data_preparation.checks.findings import CheckGroup, Finding, finding_of
from engagements.phases.data_preparation.checks.policy import CheckPolicy
from engagements.phases.data_preparation.checks.scoring import score_of
from engagements.phases.data_preparation.checks.set_check import SetCheck
from engagements.phases.data_preparation.checks.tallying import SetFinding
from engagements.phases.data_preparation.deduplication.exact import ExactIndex, Repeat, compared
from engagements.phases.data_preparation.deduplication.links import Links, Rows, families
from engagements.phases.data_preparation.deduplication.near import Signatures, joined, near_links, sign
from engagements.phases.data_preparation.jobs.context import JobContext
from engagements.phases.data_preparation.models import Example, ExampleFinding, ExampleState
from engagements.phases.data_preparation.pool.policies import policy_of
from engagements.phases.data_preparation.records import Record, record_of

BATCH: Final = 1_000
SEED: Final = 1
"""Of the hashes that near duplicates are found by; always the same, so that clusters are."""


@dataclass(kw_only=True)
class _Seen:
    """What is kept of every example until the end: ids, and what duplicates are found by. Rows count from 0."""

    ids: list[str] = field(default_factory=list)
    record_ids: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    signatures: list[Signatures] = field(default_factory=list)
    index: ExactIndex = field(default_factory=ExactIndex)
    copies: dict[int, int] = field(default_factory=dict)
    personal: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    example_id: str
    findings: Sequence[Finding]


def check_pool(context: JobContext) -> Mapping[str, Any]:
    """Numbers, and the digest of the report in the storage."""
    context.progress("Reading the pool")
    policy, total = policy_of(context.job.options), _count(context)
    seen = _Seen()
    checks = SetCheck(policy, called=lambda number: seen.record_ids[number - 1])
    for batch in _batches(context):
        found = [_look(record, policy, checks, seen, example_id) for example_id, record in batch]
        seen.signatures.append(sign(seen.texts[-len(batch) :], seed=SEED))
        with context.write() as session:
            _write_findings(session, context.job.engagement_id, found)
        context.progress("Checking examples", len(seen.ids), total)
    context.progress("Looking for duplicates")
    number = _clusters(seen)
    checks.use_clusters(number.tolist())
    sizes = np.bincount(number, minlength=len(number))
    clusters = {row: int(first) for row, first in enumerate(number) if sizes[first] > 1}
    _write_clusters(context, seen, clusters)
    _write_later(context, seen, checks.set_findings())
    context.progress("Writing the report")
    blob = context.storage.put([orjson.dumps(checks.report().to_json())])
    return {
        "report_sha256": blob.sha256, "examples": len(seen.ids), "duplicates": len(seen.copies),
        "clusters": len(set(clusters.values())),
        "personal_data": {"examples": len(seen.personal), "sha256": digest_of(seen.personal)},
    }  # fmt: skip


def digest_of(example_ids: Sequence[str]) -> str:
    """Of a set of ids, whatever their order."""
    return hashlib.sha256("\n".join(sorted(example_ids)).encode()).hexdigest()


def _pool(context: JobContext) -> list[ColumnElement[bool]]:
    return [
        col(Example.engagement_id) == context.job.engagement_id, col(Example.state) != ExampleState.EXCLUDED,
    ]  # fmt: skip


def _count(context: JobContext) -> int:
    with context.store.read() as session:
        return session.exec(select(func.count()).select_from(Example).where(*_pool(context))).one()


def _batches(context: JobContext) -> Iterator[Sequence[tuple[str, Record]]]:
    """In the order of their ids: what is added meanwhile comes last."""
    after = ""
    while True:
        chosen = select(Example.id, Example.payload).where(*_pool(context), col(Example.id) > after)
        with context.store.read() as session:
            rows = session.exec(chosen.order_by(col(Example.id)).limit(BATCH)).all()
        if not rows:
            return
        yield [(example_id, record_of(orjson.loads(payload))) for example_id, payload in rows]
        after = rows[-1][0]


def _look(record: Record, policy: CheckPolicy, checks: SetCheck, seen: _Seen, example_id: str) -> _Found:
    findings = check_record(record, policy)
    checks.add(record, findings)
    number = len(seen.ids)
    seen.ids.append(example_id)
    seen.record_ids.append(record.id)
    comparison = compared(record)
    seen.texts.append(comparison.text)
    repeated = seen.index.add(number, comparison.fingerprint)
    if repeated is not None and repeated.kind is not Repeat.CONFLICT:
        seen.copies[number] = repeated.first
    if any(each.group is CheckGroup.PERSONAL for each in findings):
        seen.personal.append(example_id)
    return _Found(example_id=example_id, findings=findings)


def _write_findings(session: Session, engagement_id: str, found: Sequence[_Found]) -> None:
    ids = [each.example_id for each in found]
    session.execute(delete(ExampleFinding).where(col(ExampleFinding.example_id).in_(ids)))
    session.execute(update(Example), [
        {"id": each.example_id, "score": score_of(each.findings),
            "findings": [one.as_json() for one in each.findings]}
        for each in found
    ])  # fmt: skip
    codes = [
        {"engagement_id": engagement_id, "code": code, "example_id": each.example_id}
        for each in found
        for code in sorted({one.code for one in each.findings})
    ]
    if codes:
        session.execute(insert(ExampleFinding), codes)


def _clusters(seen: _Seen) -> Rows:
    """Of each row the first of its cluster: what is near it, and what repeats it; itself if nothing does."""
    near = near_links(seen.texts, joined(seen.signatures))
    return families(len(seen.ids), near.and_those(_exact_links(seen.copies)))


def _exact_links(copies: Mapping[int, int]) -> Links:
    return Links.of(np.array(list(copies.values()), np.int64), np.array(list(copies), np.int64))


def _write_clusters(context: JobContext, seen: _Seen, clusters: Mapping[int, int]) -> None:
    rows = [
        {"id": seen.ids[row], "cluster": seen.ids[first],
         "duplicate_of": seen.ids[seen.copies[row]] if row in seen.copies else None}
        for row, first in clusters.items()
    ]  # fmt: skip
    with context.write() as session:
        session.execute(
            update(Example).where(*_pool(context), col(Example.cluster).is_not(None))
            .values(cluster=None, duplicate_of=None)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
    for start in range(0, len(rows), BATCH):
        context.progress("Writing clusters", start, len(rows))
        with context.write() as session:
            session.execute(update(Example), rows[start : start + BATCH])


def _write_later(context: JobContext, seen: _Seen, later: Sequence[SetFinding]) -> None:
    """Adds what only the whole set showed to what was found in each example on its own."""
    found: dict[str, list[Finding]] = {}
    for each in later:
        found.setdefault(seen.ids[each.number - 1], []).append(each.finding)
    ids = sorted(found)
    for start in range(0, len(ids), BATCH):
        context.progress("Writing what the whole set shows", start, len(ids))
        batch = ids[start : start + BATCH]
        with context.write() as session:
            before = session.execute(select(col(Example.id), col(Example.findings)).where(col(Example.id).in_(batch)))
            both = [
                _Found(example_id=example_id, findings=[*map(finding_of, alone), *found[example_id]])
                for example_id, alone in before.all()
            ]
            _write_findings(session, context.job.engagement_id, both)
