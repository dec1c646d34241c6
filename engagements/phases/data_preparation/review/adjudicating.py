"""Disagreements: what reviewers said, side by side, and the decision of somebody who was not one of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

import orjson
from sqlmodel import Session, col, select

from engagements.actuals.place import person_behind
from engagements.core import audit
from engagements.core.errors import Conflict, SecondPersonRequired
from engagements.core.roles import Actor
from engagements.db.columns import new_id
from engagements.delivery.under_way import claim_active
from engagements.phases.data_preparation.models import Example, ExampleState
from engagements.phases.data_preparation.pool.sealed import sealed_among
from engagements.phases.data_preparation.review.correcting import corrected
from engagements.phases.data_preparation.review.models import Adjudication, ExampleReview, QueueItem
from engagements.phases.data_preparation.review.outcomes import accept, answers_in, end, reject, reviews_of
from engagements.phases.data_preparation.review.reviewers import (
    lock_example,
    lock_item,
    reach_item,
    reach_round,
    record_in,
)
from engagements.phases.data_preparation.review.reviewing import ContentChanged
from engagements.phases.data_preparation.review.rules import Decision, ItemState, may_adjudicate, why_disputed
from engagements.phases.data_preparation.review.schemas import (
    AdjudicateIn,
    AdjudicationOut,
    ReviewedItemOut,
    ReviewOut,
)

Seen = TypeVar("Seen", ReviewOut, AdjudicationOut)


class NotDisputed(Conflict):
    """There is nothing to decide: reviewers agree, are still at it, or somebody has decided."""

    code = "not_disputed"


def adjudicate(session: Session, actor: Actor, item_id: str, data: AdjudicateIn, *, at: datetime) -> Adjudication:
    """Ends a disagreement, in a round that is closed too.

    Raises `NotFound`, `NotUnderWay`, `NotDisputed`, `SecondPersonRequired`, `ContentChanged` and `Invalid`.
    """
    found = reach_item(session, actor, item_id)
    claim_active(session, actor, found.engagement_id)
    item = lock_item(session, item_id)
    example = lock_example(session, item.example_id)
    if item.state is not ItemState.DISPUTED:
        raise NotDisputed("nobody disagrees about this example", remedy="only disagreements are decided")
    if not may_adjudicate(answers_in(reviews_of(session, item.id)), person_behind(session, actor.id)):
        message = "who reviewed an example does not decide about it"
        raise SecondPersonRequired(message, remedy="ask a colleague who has not answered it")
    if example.state is ExampleState.EXCLUDED or example.sha256 != data.content_sha256:
        raise ContentChanged("this example was changed meanwhile", remedy="look at it again as it reads now")
    before = record_in(example)
    after = corrected(before, data.edited, None) if data.decision is Decision.ACCEPT else before
    edited = orjson.dumps(after.as_json()).decode() if after.content_sha256 != before.content_sha256 else None
    row = Adjudication(
        id=new_id(Adjudication.PREFIX), organisation_id=item.organisation_id, engagement_id=item.engagement_id,
        client_id=item.client_id, item_id=item.id, example_id=item.example_id, decision=data.decision,
        reason=data.reason, edited=edited, by=actor.id, by_name=actor.name, at=at,
    )  # fmt: skip
    session.add(row)
    audit.record(session, actor, "adjudication.decided", row, at=at)
    if data.decision is Decision.ACCEPT:
        accept(session, actor, example, after, reason="adjudicated", at=at)
    else:
        reject(example, reason=data.reason, at=at)
    end(session, item, ItemState.ADJUDICATED)
    return row


def disputes_of(session: Session, actor: Actor, round_id: str) -> list[ReviewedItemOut]:
    """What waits for a decision and what was decided, in the order of the queue. Raises `NotFound`."""
    found = reach_round(session, actor, round_id)
    chosen = select(QueueItem).where(
        QueueItem.round_id == found.id, col(QueueItem.state).in_([ItemState.DISPUTED, ItemState.ADJUDICATED])
    )
    rows = session.exec(chosen.order_by(col(QueueItem.state).desc(), col(QueueItem.position))).all()
    return [_out(session, row) for row in rows]


def reviewed_item(session: Session, actor: Actor, item_id: str) -> ReviewedItemOut:
    """Its answers are not there while it is open; no text is there once it is sealed. Raises `NotFound`."""
    return _out(session, reach_item(session, actor, item_id))


def _out(session: Session, item: QueueItem) -> ReviewedItemOut:
    example = session.get_one(Example, item.example_id)
    reviews = [] if item.state is ItemState.OPEN or item.golden is not None else reviews_of(session, item.id)
    sealed = bool(sealed_among(session, item.engagement_id, [example.id]))
    decided = session.exec(select(Adjudication).where(Adjudication.item_id == item.id)).first()
    return ReviewedItemOut(
        id=item.id, round_id=item.round_id, example_id=item.example_id, state=item.state,
        example_state=example.state, why=_why(item, reviews), content_sha256=example.sha256,
        record={"id": example.record_id, "messages": []} if sealed else orjson.loads(example.payload),
        answers=[_unless(sealed, review_out(each)) for each in reviews],
        adjudication=None if decided is None else _unless(sealed, adjudication_out(decided)),
    )  # fmt: skip


def _why(item: QueueItem, reviews: Sequence[ExampleReview]) -> str:
    disputed = item.state in {ItemState.DISPUTED, ItemState.ADJUDICATED}
    return why_disputed(answers_in(reviews)) if disputed else ""


def review_out(row: ExampleReview) -> ReviewOut:
    return ReviewOut.model_validate({**row.model_dump(), "edited": _read(row.edited)})


def adjudication_out(row: Adjudication) -> AdjudicationOut:
    return AdjudicationOut.model_validate({**row.model_dump(), "edited": _read(row.edited)})


def _unless(sealed: bool, out: Seen) -> Seen:
    """Without its text where that is sealed: a sealed test split is read by evaluation runs alone."""
    return out.model_copy(update={"edited": None}) if sealed else out


def _read(payload: str | None) -> object:
    return None if payload is None else orjson.loads(payload)
