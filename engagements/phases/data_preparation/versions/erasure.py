"""A person's request to be forgotten: looked up, opened, followed until nothing that serves has learned from them.

What was looked for is never written down: an erasure keeps the reference of the letter, and ids.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, select

from engagements.core import audit
from engagements.core.models import Engagement
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor
from engagements.core.service import claim, find, scoped
from engagements.db.columns import new_id
from engagements.delivery.evidence import SplitName
from engagements.delivery.models import RaidItem, RaidKind
from engagements.notices.telling import tell_people
from engagements.phases.data_preparation.jobs.queue import ask_for
from engagements.phases.data_preparation.models import DataSource, JobKind
from engagements.phases.data_preparation.versions.errors import ErasureOpen
from engagements.phases.data_preparation.versions.models import DatasetVersion, Erasure, ErasureState
from engagements.phases.data_preparation.versions.schemas import (
    ErasureIn,
    ErasureOut,
    FoundOut,
    FoundSourceOut,
    FoundVersionOut,
    SettleIn,
)
from engagements.phases.data_preparation.versions.searching import Found
from engagements.phases.data_preparation.versions.uses import Use, use_out, uses_of

_CODE_OF_AN_ISSUE: Final = "I"


def found_out(session: Session, actor: Actor, engagement_id: str, found: Mapping[str, Any]) -> FoundOut:
    """What a search found, or an erasure keeps of it, with what has been made of it until now."""
    sources = session.exec(_of(actor, DataSource, engagement_id)).all()
    versions = _versions(session, actor, engagement_id, found)
    return FoundOut(
        examples=len(found["examples"]),
        sources=tuple(
            FoundSourceOut(source_id=source.id, name=source.name, rows=len(found["rows"][source.id]))
            for source in sources
            if source.id in found["rows"]
        ),
        versions=tuple(
            FoundVersionOut(
                version_id=version.id, name=version.name,
                **{name.value: len(found["versions"][version.id].get(name, ())) for name in SplitName},
            )
            for version in versions
        ),
        uploads=len(found.get("uploads", ())), checks=len(found.get("checks", ())),
        generations=len(found.get("generations", ())),
        uses=tuple(use_out(use) for use in _uses(session, versions, found)),
    )  # fmt: skip


def open_erasure(
    session: Session, actor: Actor, engagement_id: str, data: ErasureIn, found: Found, *, at: datetime
) -> Erasure:
    """Also of an engagement that has ended: the right to be forgotten does not end with it. Raises `NotFound`."""
    engagement = claim(session, actor, Engagement, engagement_id)
    row = Erasure(
        id=new_id(Erasure.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement.id,
        client_id=engagement.client_id, request=data.request, note=data.note,
        found={**found.as_json(), "replaced": [], "erased": False, "retired": []}, by=actor.id, by_name=actor.name,
        at=at,
    )  # fmt: skip
    session.add(row)
    audit.record(session, actor, "erasure.opened", row, at=at)
    ask_for(session, actor, engagement, JobKind.ERASE, subject_id=row.id, at=at)
    tell(
        session, engagement.organisation_id, EventType.ERASURE_OPENED,
        {"engagement": engagement.id, "erasure": row.id}, at=at,
    )  # fmt: skip
    seen = learned(session, actor, row)
    if engagement.owner_id:
        tell_people(
            session, engagement.organisation_id, [engagement.owner_id], topic=f"erasure:{row.id}",
            kind=EventType.ERASURE_OPENED.value, text=_told(engagement, seen), address=f"/erasures/{row.id}", at=at,
            engagement_id=engagement.id,
        )  # fmt: skip
    if seen:
        _enter_issue(session, actor, engagement, row, seen, at=at)
    return row


def erasure_out(session: Session, actor: Actor, row: Erasure) -> ErasureOut:
    fields = {name: getattr(row, name) for name in ErasureOut.model_fields if name != "found" and hasattr(row, name)}
    return ErasureOut(
        **fields, found=found_out(session, actor, row.engagement_id, row.found), erased=row.found["erased"],
        outstanding=tuple(use.row.id for use in outstanding(session, actor, row)),
    )  # fmt: skip


def erasures_of(session: Session, actor: Actor, engagement_id: str) -> list[ErasureOut]:
    """The last first. Raises `NotFound`."""
    find(session, actor, Engagement, engagement_id)
    rows = session.exec(_of(actor, Erasure, engagement_id).order_by(col(Erasure.id).desc())).all()
    return [erasure_out(session, actor, row) for row in rows]


def settle(session: Session, actor: Actor, erasure_id: str, data: SettleIn, *, at: datetime) -> Erasure:
    """Ends it, once nothing serves any more that has learned from what was erased. Raises `ErasureOpen`."""
    row = claim(session, actor, Erasure, erasure_id)
    if row.state is ErasureState.DONE:
        return row
    row.found = {**row.found, "retired": sorted({*row.found["retired"], *data.retired})}
    waiting = outstanding(session, actor, row)
    if not row.found["erased"] or waiting:
        named = ", ".join(use.name for use in waiting) or "the erasing itself"
        remedy = "retrain or retire each release, then name those that serve no more"
        raise ErasureOpen(f"still open: {named}", remedy=remedy)
    row.state, row.done_at = ErasureState.DONE, at
    audit.record(session, actor, "erasure.done", row, at=at, reason=data.note)
    return row


def learned(session: Session, actor: Actor, row: Erasure) -> list[Use]:
    """Runs and releases whose models learned from what was erased: each must be retrained or retired."""
    return [
        use
        for use in _uses(session, _versions(session, actor, row.engagement_id, row.found), row.found)
        if use.has_seen
    ]


def outstanding(session: Session, actor: Actor, row: Erasure) -> list[Use]:
    """Those of them that serve, and that nobody has said to be retired."""
    return [use for use in learned(session, actor, row) if use.is_serving and use.row.id not in row.found["retired"]]


def _versions(session: Session, actor: Actor, engagement_id: str, found: Mapping[str, Any]) -> list[DatasetVersion]:
    chosen = _of(actor, DatasetVersion, engagement_id).order_by(col(DatasetVersion.number))
    return [version for version in session.exec(chosen) if version.id in found["versions"]]


def _uses(session: Session, versions: Sequence[DatasetVersion], found: Mapping[str, Any]) -> Iterator[Use]:
    """Each piece of evidence once; a model learned from it only where it stood in training or validation."""
    seen: set[str] = set()
    for version_id, uses in uses_of(session, versions).items():
        splits = found["versions"][version_id]
        taught = any(splits.get(name) for name in (SplitName.TRAIN, SplitName.VALIDATION))
        for use in uses:
            concerned = taught if use.has_seen else bool(splits.get(SplitName.TEST))
            if concerned and use.row.id not in seen:
                seen.add(use.row.id)
                yield use


def _of(actor: Actor, kind: Any, engagement_id: str) -> Any:
    return scoped(kind, actor).where(kind.engagement_id == engagement_id)


def _told(engagement: Engagement, seen: Sequence[Use]) -> str:
    what = f"; {len(seen)} runs or releases have learned from them" if seen else ""
    return f"A person is erased from the data of {engagement.name}{what}"


def _enter_issue(
    session: Session, actor: Actor, engagement: Engagement, row: Erasure, seen: Sequence[Use], *, at: datetime
) -> None:
    """In the register, so that it is not forgotten what has to be retrained."""
    codes = session.exec(
        select(RaidItem.code).where(col(RaidItem.engagement_id) == engagement.id, col(RaidItem.kind) == RaidKind.ISSUE)
    )
    number = max((int(code.removeprefix(_CODE_OF_AN_ISSUE)) for code in codes), default=0) + 1
    names = ", ".join(use.name for use in seen)
    item = RaidItem(
        id=new_id(RaidItem.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement.id,
        client_id=engagement.client_id, kind=RaidKind.ISSUE, code=f"{_CODE_OF_AN_ISSUE}{number}",
        title=f"Retrain or retire after the erasure {row.request}"[:400], text=f"Has learned from it: {names}"[:2000],
        response="Seal a version without the erased examples, train on it, replace what serves.",
        owner_id=engagement.owner_id, created_at=at, changed_at=at,
    )  # fmt: skip
    session.add(item)
    audit.record(session, actor, "issue.entered", item, at=at)
