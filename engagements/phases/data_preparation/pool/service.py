"""Examples of the pool: found, edited, left out and taken in again.

Examples are too many to leave an audit event each when they are made; what somebody does to one of them leaves an
event of its source, with the example's id.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import ColumnElement, delete, update
from sqlmodel import Session, col, func, select

from engagements.core import audit
from engagements.core.errors import Conflict, QueryInvalid, VersionMismatch
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.schemas import Page
from engagements.core.service import find
from engagements.db.columns import new_id
from engagements.delivery.under_way import claim_active
from engagements.phases.data_preparation.models import (
    DataSource,
    Example,
    ExampleEdit,
    ExampleFinding,
    ExampleState,
    SourceState,
)
from engagements.phases.data_preparation.pool.schemas import (
    EditOut,
    ExampleEditIn,
    ExampleOut,
    ExcludeIn,
)
from engagements.phases.data_preparation.pool.sealed import refuse_sealed, sealed_among
from engagements.phases.data_preparation.reach import claim_row, find_row, reachable
from engagements.phases.data_preparation.records import Record, record_of

EDITED: Final = "edited after its review"
DUPLICATE: Final = "duplicate"
_LABELS_OFFERED: Final = 200


class ExampleUnchanged(Conflict):
    """An edit that changes nothing."""

    code = "example_unchanged"


class ExampleStateSaysNo(Conflict):
    code = "example_state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which examples; None asks nothing. `finding`: a code. `score_max`: at most so many points."""

    state: ExampleState | None = None
    label: str | None = None
    source_id: str | None = None
    finding: str | None = None
    cluster: str | None = None
    score_max: int | None = None

    @property
    def reads_content(self) -> bool:
        """Whether to be among those chosen says something of what an example holds."""
        return any(each is not None for each in (self.label, self.finding, self.cluster, self.score_max))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Labels with their counts, and sources by id with their names."""

    labels: Sequence[tuple[str, int]]
    sources: Sequence[tuple[str, str]]


def examples_of(
    session: Session, actor: Actor, engagement_id: str, chosen: Chosen, *, limit: int, cursor: str | None
) -> Page[ExampleOut]:
    """The lowest score first where a score is asked for, else as they came in. Raises `NotFound` and `QueryInvalid`."""
    find(session, actor, Engagement, engagement_id)
    asked = reachable(Example, actor).where(col(Example.engagement_id) == engagement_id, *_conditions(chosen))
    if chosen.score_max is None:
        after = [col(Example.id) > _cursor(cursor)[1]] if cursor else []
        asked = asked.where(*after).order_by(col(Example.id))
    else:
        asked = asked.where(*_below(cursor)).order_by(col(Example.score), col(Example.id))
    rows = session.exec(asked.limit(limit + 1)).all()
    sealed = sealed_among(session, engagement_id, [row.id for row in rows])
    more, shown = len(rows) > limit, rows[:limit]
    hidden = sealed if chosen.reads_content else frozenset()
    items = [ExampleOut.shown(row, sealed=row.id in sealed) for row in shown if row.id not in hidden]
    return Page(items=items, next=_cursor_after(shown[-1]) if more else None)


def example_of(session: Session, actor: Actor, example_id: str) -> ExampleOut:
    """Raises `NotFound`."""
    row = find_row(session, actor, Example, example_id)
    return ExampleOut.shown(row, sealed=bool(sealed_among(session, row.engagement_id, [row.id])))


def edits_of(session: Session, actor: Actor, example_id: str) -> Sequence[EditOut]:
    """The first first; none of what is sealed. Raises `NotFound`."""
    row = find_row(session, actor, Example, example_id)
    if sealed_among(session, row.engagement_id, [row.id]):
        return []
    edits = session.exec(
        select(ExampleEdit).where(col(ExampleEdit.example_id) == row.id).order_by(col(ExampleEdit.number))
    )
    return [
        EditOut.model_validate({**each.model_dump(), "before": orjson.loads(each.before),
                                "after": orjson.loads(each.after)})
        for each in edits
    ]  # fmt: skip


def states_of(session: Session, engagement_id: str) -> Mapping[str, int]:
    """Examples by state, those that are still being imported left out."""
    chosen = select(col(Example.state), func.count()).where(col(Example.engagement_id) == engagement_id)
    found = {state.value: count for state, count in session.execute(chosen.group_by(col(Example.state))).all()}
    return {state.value: found.get(state.value, 0) for state in ExampleState}


def choices_of(session: Session, engagement_id: str) -> Choices:
    """What the browser of examples offers: the two hundred most frequent labels, and the sources by name."""
    count = func.count()
    labels = session.execute(
        select(col(Example.label), count)
        .where(col(Example.engagement_id) == engagement_id, col(Example.label).is_not(None))
        .group_by(col(Example.label)).order_by(count.desc(), col(Example.label)).limit(_LABELS_OFFERED)
    ).all()  # fmt: skip
    sources = session.execute(
        select(col(DataSource.id), col(DataSource.name))
        .where(col(DataSource.engagement_id) == engagement_id, col(DataSource.state) == SourceState.IMPORTED)
        .order_by(col(DataSource.id).desc())
    ).all()  # fmt: skip
    return Choices(
        labels=[(str(label), int(number)) for label, number in labels],
        sources=[(str(source_id), str(name)) for source_id, name in sources],
    )


def clusters_of(session: Session, engagement_id: str) -> Sequence[tuple[str, int]]:
    """The largest clusters of copies, each with its size; what is left out does not count."""
    count = func.count()
    chosen = (
        select(col(Example.cluster), count)
        .where(
            col(Example.engagement_id) == engagement_id, col(Example.cluster).is_not(None),
            col(Example.state) != ExampleState.EXCLUDED,
        )
        .group_by(col(Example.cluster)).having(count > 1).order_by(count.desc(), col(Example.cluster)).limit(12)
    )  # fmt: skip
    return [(str(cluster), int(number)) for cluster, number in session.execute(chosen).all()]


def source_name(session: Session, source_id: str) -> str:
    return session.get_one(DataSource, source_id).name


def beside(session: Session, actor: Actor, row: Example) -> Mapping[str, str | None]:
    """The ids of the examples before and after one, as they came in."""
    same = reachable(Example, actor).where(col(Example.engagement_id) == row.engagement_id)
    ids = same.with_only_columns(col(Example.id)).limit(1)
    before = session.execute(ids.where(col(Example.id) < row.id).order_by(col(Example.id).desc())).scalar()
    after = session.execute(ids.where(col(Example.id) > row.id).order_by(col(Example.id))).scalar()
    return {"before": before, "after": after}


def edit_example(
    session: Session, actor: Actor, example_id: str, data: ExampleEditIn, *, version: int | None = None, at: datetime
) -> Example:
    """What was accepted is pending again, and unchecked. The text before is kept.

    Raises `VersionMismatch`, `ExampleSealed` and `ExampleUnchanged`.
    """
    row = _claim(session, actor, example_id, version)
    changes = data.model_dump(exclude_unset=True, exclude={"reason"})
    changed = record_of(orjson.loads(row.payload)).replaced(**changes)
    if changed.content_sha256 == row.sha256 and changed.group == row.group_key:
        raise ExampleUnchanged("the edit changes nothing", remedy="leave it, or change something")
    write_edit(session, actor, row, changed, reason=data.reason, at=at)
    if row.state is not ExampleState.EXCLUDED:
        row.state, row.state_reason = ExampleState.PENDING, EDITED if row.state is ExampleState.ACCEPTED else ""
    _note(session, actor, row, "data_source.example_edited", reason=data.reason, at=at)
    return row


def write_edit(session: Session, actor: Actor, row: Example, changed: Record, *, reason: str, at: datetime) -> None:
    """The new text of an example that is locked, the one before kept beside it; what was found in that one goes."""
    count = select(func.count()).select_from(ExampleEdit).where(col(ExampleEdit.example_id) == row.id)
    after = orjson.dumps(changed.as_json()).decode()
    session.add(ExampleEdit(
        id=new_id(ExampleEdit.PREFIX), organisation_id=row.organisation_id, example_id=row.id,
        number=session.exec(count).one() + 1, before=row.payload, after=after, reason=reason, by=actor.id,
        by_name=actor.name, at=at,
    ))  # fmt: skip
    session.execute(delete(ExampleFinding).where(col(ExampleFinding.example_id) == row.id))
    row.payload, row.sha256, row.is_edited = after, changed.content_sha256, True
    row.label, row.group_key = _key(changed.label), _key(changed.group)
    row.score, row.findings, row.version, row.changed_at = None, [], row.version + 1, at


def exclude(
    session: Session, actor: Actor, example_id: str, data: ExcludeIn, *, version: int | None = None, at: datetime
) -> Example:
    """Raises `VersionMismatch`, `ExampleSealed`, and `ExampleStateSaysNo` for one that is left out already."""
    row = _claim(session, actor, example_id, version)
    if row.state is ExampleState.EXCLUDED:
        raise ExampleStateSaysNo(f"it is left out already: {row.state_reason}", remedy="nothing is left to do")
    _set(row, ExampleState.EXCLUDED, data.reason, at)
    _note(session, actor, row, "data_source.example_excluded", reason=data.reason, at=at)
    return row


def include(session: Session, actor: Actor, example_id: str, *, version: int | None = None, at: datetime) -> Example:
    """Back among those that wait for review. Raises `ExampleStateSaysNo` for one that is not left out."""
    row = _claim(session, actor, example_id, version)
    if row.state is not ExampleState.EXCLUDED:
        raise ExampleStateSaysNo(f"it is {row.state.value}", remedy="nothing is left to do")
    _set(row, ExampleState.PENDING, "", at)
    _note(session, actor, row, "data_source.example_included", reason="", at=at)
    return row


def exclude_duplicates(session: Session, actor: Actor, engagement_id: str, *, at: datetime) -> int:
    """How many were left out: what waits for review and repeats an earlier example, spelling and blanks aside.

    What is only near another stays: its answer may be another one, and the split keeps the two together.
    """
    engagement = claim_active(session, actor, engagement_id)
    done = session.execute(
        update(Example)
        .where(
            col(Example.engagement_id) == engagement.id, col(Example.state) == ExampleState.PENDING,
            col(Example.duplicate_of).is_not(None),
        )
        .values(state=ExampleState.EXCLUDED, state_reason=DUPLICATE, version=Example.version + 1, changed_at=at)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    count: int = done.rowcount  # type: ignore[attr-defined]  # of an UPDATE, which SQLAlchemy types as any result
    audit.record(session, actor, "engagement.duplicates_excluded", engagement, at=at, reason=f"{count} duplicates")
    return count


def _claim(session: Session, actor: Actor, example_id: str, version: int | None) -> Example:
    engagement_id = find_row(session, actor, Example, example_id).engagement_id
    claim_active(session, actor, engagement_id)
    row = claim_row(session, actor, Example, example_id)
    if version is not None and row.version != version:
        raise VersionMismatch("somebody changed this since you read it", remedy="read it again, then change it")
    refuse_sealed(session, engagement_id, row.id)
    return row


def _set(row: Example, state: ExampleState, reason: str, at: datetime) -> None:
    row.state, row.state_reason, row.version, row.changed_at = state, reason[:400], row.version + 1, at


def _note(session: Session, actor: Actor, row: Example, action: str, *, reason: str, at: datetime) -> None:
    source = session.get_one(DataSource, row.source_id)
    audit.record(session, actor, action, source, at=at, reason=f"{row.id}: {reason}" if reason else row.id)


def _key(text: str | None) -> str | None:
    return None if text is None else text.replace("\0", "")[:400]


def _conditions(chosen: Chosen) -> list[ColumnElement[bool]]:
    asked: list[ColumnElement[bool]] = []
    fields = {
        Example.state: chosen.state, Example.label: chosen.label, Example.source_id: chosen.source_id,
        Example.cluster: chosen.cluster,
    }  # fmt: skip
    asked += [col(column) == value for column, value in fields.items() if value is not None]
    if chosen.score_max is not None:
        asked.append(col(Example.score) <= chosen.score_max)
    if chosen.finding is not None:
        asked.append(col(Example.id).in_(select(ExampleFinding.example_id).where(
            col(ExampleFinding.engagement_id) == Example.engagement_id, col(ExampleFinding.code) == chosen.finding
        )))  # fmt: skip
    return asked


def _below(cursor: str | None) -> list[ColumnElement[bool]]:
    if cursor is None:
        return []
    score, last = _cursor(cursor)
    return [(col(Example.score) > score) | ((col(Example.score) == score) & (col(Example.id) > last))]


def _cursor_after(row: Example) -> str:
    return base64.urlsafe_b64encode(f"{row.score or 0}:{row.id}".encode()).decode().rstrip("=")


def _cursor(cursor: str) -> tuple[int, str]:
    try:
        score, _, last = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(":")
        return int(score), last
    except ValueError as error:  # binascii.Error and UnicodeDecodeError are ValueErrors
        raise QueryInvalid("this cursor is none of ours", remedy="take `next` of the page before, unchanged") from error
