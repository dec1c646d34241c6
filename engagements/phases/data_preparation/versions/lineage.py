"""From an example to the row it came from and to all that was made of it; from a version to both."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlmodel import Session, col, func, select

from engagements.core.roles import Actor
from engagements.core.service import find, scoped
from engagements.delivery.evidence import SplitName
from engagements.phases.data_preparation.models import DataSource, Example, ExampleEdit
from engagements.phases.data_preparation.reach import find_row
from engagements.phases.data_preparation.review.models import ExampleReview
from engagements.phases.data_preparation.versions.models import DatasetVersion, VersionMember
from engagements.phases.data_preparation.versions.schemas import (
    ExampleLineageOut,
    LineageEditOut,
    LineageReviewOut,
    SourceShareOut,
    VersionLineageOut,
    VersionUseOut,
)
from engagements.phases.data_preparation.versions.sealed import reads_of
from engagements.phases.data_preparation.versions.uses import Use, use_out, uses_of


def example_lineage(session: Session, actor: Actor, example_id: str) -> ExampleLineageOut:
    """Its texts are no part of it: who may read them asks for the example. Raises `NotFound`."""
    example = find_row(session, actor, Example, example_id)
    source = find(session, actor, DataSource, example.source_id)
    edits = session.exec(
        select(ExampleEdit).where(col(ExampleEdit.example_id) == example.id).order_by(col(ExampleEdit.number))
    )
    reviews = session.exec(
        select(ExampleReview).where(col(ExampleReview.example_id) == example.id).order_by(col(ExampleReview.id))
    )
    return ExampleLineageOut(
        example_id=example.id, record_id=example.record_id, state=example.state.value,
        state_reason=example.state_reason, sha256=example.sha256, source_id=source.id, source=source.name,
        source_kind=source.kind.value, licence=source.licence, row_number=_row_of(example),
        made_from=_origin_of(example).get("seed") or None,
        edits=tuple(LineageEditOut.of(edit) for edit in edits),
        reviews=tuple(
            LineageReviewOut(
                round_id=review.round_id, reviewer_name=review.reviewer_name, decision=review.decision.value,
                corrected=review.edited is not None, at=review.at,
            )
            for review in reviews
        ),
        versions=tuple(_versions(session, example)),
    )  # fmt: skip


def version_lineage(session: Session, actor: Actor, version_id: str) -> VersionLineageOut:
    """Raises `NotFound`."""
    version = find(session, actor, DatasetVersion, version_id)
    children = scoped(DatasetVersion, actor).where(col(DatasetVersion.parent_id) == version.id)
    return VersionLineageOut(
        version_id=version.id, name=version.name, parent_id=version.parent_id,
        children=tuple(child.id for child in session.exec(children.order_by(col(DatasetVersion.number)))),
        sources=tuple(_sources(session, version)), reviewers=tuple(version.report.get("reviewers", ())),
        uses=tuple(use_out(use) for use in uses_of(session, [version])[version.id]),
        reads=len(reads_of(session, actor, version.id)),
    )  # fmt: skip


def _versions(session: Session, example: Example) -> list[VersionUseOut]:
    joined = (
        select(DatasetVersion, VersionMember.split)
        .join(VersionMember, col(VersionMember.version_id) == col(DatasetVersion.id))
        .where(col(VersionMember.example_id) == example.id)
        .order_by(col(DatasetVersion.number))
    )
    found = [(version, SplitName(split)) for version, split in session.exec(joined)]
    uses = uses_of(session, [version for version, _ in found])
    return [
        VersionUseOut(
            version_id=version.id, number=version.number, name=version.name, split=split,
            uses=tuple(use_out(use) for use in uses[version.id] if _concerns(use, split)),
        )
        for version, split in found
    ]  # fmt: skip


def _concerns(use: Use, split: SplitName) -> bool:
    """A run learned from training and validation; an evaluation read the test split."""
    return use.has_seen is (split is not SplitName.TEST)


def _origin_of(example: Example) -> Mapping[str, Any]:
    payload: Mapping[str, Any] = orjson.loads(example.payload)
    return payload.get("origin") or {}


def _row_of(example: Example) -> int:
    """In its file, as the example itself says; else among the examples that were made of it."""
    row: int | None = _origin_of(example).get("row")
    return example.row_number if row is None else row


def _sources(session: Session, version: DatasetVersion) -> Sequence[SourceShareOut]:
    counted = (
        select(DataSource, func.count())
        .join(Example, col(Example.source_id) == col(DataSource.id))
        .join(VersionMember, col(VersionMember.example_id) == col(Example.id))
        .where(col(VersionMember.version_id) == version.id)
        .group_by(col(DataSource.id))
    )
    rows = sorted(session.exec(counted), key=lambda row: (-row[1], row[0].name))
    return [
        SourceShareOut(
            source_id=source.id, name=source.name, kind=source.kind.value, licence=source.licence, examples=count
        )
        for source, count in rows
    ]
