"""One reviewer at work: the next example, an answer to it, and taking the last answer back.

An example is with a reviewer for `LEASE`. Whoever hands one out, or takes an answer, holds the row of the item
meanwhile and counts answers and holds anew: so nobody gets an example twice, and none gets an answer too many, however
many ask at once.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson
from sqlalchemy import delete
from sqlmodel import Session, col, exists, func, select
from sqlmodel.sql.expression import SelectOfScalar

from engagements.core import audit
from engagements.core.errors import Conflict, Invalid, NotFound
from engagements.core.roles import Actor
from engagements.db.columns import new_id
from engagements.phases.data_preparation.models import Example, ExampleState
from engagements.phases.data_preparation.review.correcting import corrected
from engagements.phases.data_preparation.review.models import ExampleReview, QueueItem, ReviewHold
from engagements.phases.data_preparation.review.outcomes import reviews_of, settle, unsettle
from engagements.phases.data_preparation.review.reviewers import (
    Desk,
    desk_of,
    lock_example,
    lock_item,
    reach_item,
    record_in,
)
from engagements.phases.data_preparation.review.rounds import counts_of
from engagements.phases.data_preparation.review.rules import DIMENSIONS, Decision, ItemState
from engagements.phases.data_preparation.review.schemas import AnswerIn, FindingSeenOut, HandedOut, ItemOut
from estimator.errors import Problem

LEASE: Final = timedelta(minutes=15)
"""Longer than anybody thinks about one example; who comes back later is handed it again if nobody took it."""


class NotHandedOut(Conflict):
    """It is not with this reviewer, or was for too long and is with somebody else."""

    code = "not_handed_out"


class AnsweredAlready(Conflict):
    code = "answered_already"


class ContentChanged(Conflict):
    """The example does not read any more as it was looked at."""

    code = "content_changed"


class NothingToUndo(Conflict):
    code = "nothing_to_undo"


def next_items(session: Session, actor: Actor, round_id: str, *, count: int, at: datetime) -> HandedOut:
    """What is with the reviewer already, then the next of the queue, up to `count`. Raises what `desk_of` does."""
    desk = desk_of(session, actor, round_id)
    held = list(_held(session, desk, at=at))
    passed: list[str] = []
    while len(held) < count:
        chosen = session.exec(_free(desk, passed, at=at)).first()
        if chosen is None:
            break
        passed.append(chosen)
        if _hold(session, desk, chosen, at=at):
            held.append(chosen)
    session.flush()
    return _handed(session, desk, held[: max(count, 1)])


def submit(session: Session, actor: Actor, item_id: str, data: AnswerIn, *, at: datetime) -> ExampleReview:
    """An answer. The last one that an item needs settles it.

    Raises `NotFound`, `NotAReviewer`, `RoundClosed`, `NotUnderWay`, `AnsweredAlready`, `NotHandedOut`,
    `ContentChanged` and `Invalid`.
    """
    desk = desk_of(session, actor, reach_item(session, actor, item_id).round_id)
    item = lock_item(session, item_id)
    return submit_locked(session, actor, desk, item, lock_example(session, item.example_id), data, at=at)


def submit_locked(
    session: Session, actor: Actor, desk: Desk, item: QueueItem, example: Example, data: AnswerIn, *, at: datetime
) -> ExampleReview:
    """`submit`, by who has the round and both rows in hand."""
    _require_handed_out(session, actor, desk, item, at=at)
    if example.state is ExampleState.EXCLUDED or example.sha256 != data.content_sha256:
        raise ContentChanged("this example was changed meanwhile", remedy="look at it again as it reads now")
    row = _review(desk, actor, item, example, data, at=at)
    _drop_outdated(session, actor, item, example, at=at)
    session.add(row)
    audit.record(session, actor, "example_review.given", row, at=at)
    _release(session, item.id, desk.reviewer_id)
    item.reviews += row.decision is not Decision.SKIP
    settle(session, actor, desk.round, item, example, at=at)
    return row


def undo(session: Session, actor: Actor, round_id: str, *, at: datetime) -> QueueItem:
    """Takes one's own last answer back; the example is with the reviewer again.

    Raises what `desk_of` does, `NothingToUndo`, and what `unsettle` does once the example has all its answers.
    """
    desk = desk_of(session, actor, round_id)
    mine = select(ExampleReview).where(
        ExampleReview.round_id == desk.round.id, ExampleReview.reviewer_id == desk.reviewer_id
    )
    row = session.exec(mine.order_by(col(ExampleReview.at).desc(), col(ExampleReview.id).desc()).limit(1)).first()
    if row is None:
        raise NothingToUndo("you have answered nothing in this round", remedy="answer the example that is shown")
    item = lock_item(session, row.item_id)
    if item.state is not ItemState.OPEN:
        unsettle(session, actor, item, row, lock_example(session, item.example_id), at=at)
    session.delete(row)
    audit.record(session, actor, "example_review.undone", row, at=at)
    item.reviews -= row.decision is not Decision.SKIP
    session.flush()
    if not _has_room(session, item, desk.reviewer_id, at=at):
        raise NotHandedOut("somebody else has the example now", remedy="leave it to them")
    session.merge(ReviewHold(item_id=item.id, reviewer_id=desk.reviewer_id, lease_until=at + LEASE))
    return item


def undone(session: Session, actor: Actor, round_id: str, *, at: datetime) -> HandedOut:
    """`undo`, and the example again."""
    undo(session, actor, round_id, at=at)
    return next_items(session, actor, round_id, count=1, at=at)


def _held(session: Session, desk: Desk, *, at: datetime) -> Iterator[str]:
    """What is with the reviewer and still can be, its time begun anew; what was taken over is not theirs any more."""
    mine = (
        select(ReviewHold)
        .join(QueueItem, col(QueueItem.id) == col(ReviewHold.item_id))
        .where(ReviewHold.reviewer_id == desk.reviewer_id, QueueItem.round_id == desk.round.id)
        .order_by(col(QueueItem.position))
    )
    for hold in session.exec(mine).all():
        item = lock_item(session, hold.item_id)
        excluded = session.get_one(Example, item.example_id).state is ExampleState.EXCLUDED
        if not excluded and _has_room(session, item, desk.reviewer_id, at=at):
            hold.lease_until = at + LEASE
            yield item.id
        else:
            session.delete(hold)


def _free(desk: Desk, passed: Sequence[str], *, at: datetime) -> SelectOfScalar[str]:
    """The first item that seems to have room; whether it has is counted when it is locked. Others' locks are passed."""
    seen = exists().where(
        col(ExampleReview.item_id) == col(QueueItem.id), col(ExampleReview.reviewer_id) == desk.reviewer_id
    )
    held = exists().where(col(ReviewHold.item_id) == col(QueueItem.id), col(ReviewHold.reviewer_id) == desk.reviewer_id)
    return (
        select(QueueItem.id)
        .join(Example, col(Example.id) == col(QueueItem.example_id))
        .where(QueueItem.round_id == desk.round.id, QueueItem.state == ItemState.OPEN)
        .where(Example.state != ExampleState.EXCLUDED, ~seen, ~held, col(QueueItem.id).not_in(passed))
        .where(col(QueueItem.reviews) + _at_work(desk.reviewer_id, at).scalar_subquery() < col(QueueItem.needed))
        .order_by(col(QueueItem.position))
        .limit(1)
        .with_for_update(of=QueueItem, skip_locked=True)
    )


def _at_work(reviewer_id: str, at: datetime) -> SelectOfScalar[int]:
    """How many others have the item before them."""
    return (
        select(func.count())
        .select_from(ReviewHold)
        .where(ReviewHold.item_id == QueueItem.id, ReviewHold.reviewer_id != reviewer_id)
        .where(col(ReviewHold.lease_until) >= at)
        .correlate(QueueItem)
    )


def _has_room(session: Session, item: QueueItem, reviewer_id: str, *, at: datetime) -> bool:
    """Of an item that is locked: whether one more answer fits beside those given and those at work."""
    if item.state is not ItemState.OPEN:
        return False
    others = select(func.count()).select_from(ReviewHold).where(
        ReviewHold.item_id == item.id, ReviewHold.reviewer_id != reviewer_id, col(ReviewHold.lease_until) >= at
    )  # fmt: skip
    return item.reviews + session.exec(others).one() < item.needed


def _hold(session: Session, desk: Desk, item_id: str, *, at: datetime) -> bool:
    item = lock_item(session, item_id)
    if not _has_room(session, item, desk.reviewer_id, at=at):
        return False
    session.add(ReviewHold(item_id=item_id, reviewer_id=desk.reviewer_id, lease_until=at + LEASE))
    return True


def _release(session: Session, item_id: str, reviewer_id: str) -> None:
    mine = col(ReviewHold.item_id) == item_id, col(ReviewHold.reviewer_id) == reviewer_id
    session.execute(delete(ReviewHold).where(*mine))


def _require_handed_out(session: Session, actor: Actor, desk: Desk, item: QueueItem, *, at: datetime) -> None:
    answered = select(ExampleReview.id).where(
        ExampleReview.item_id == item.id, ExampleReview.reviewer_id == desk.reviewer_id
    )
    if session.exec(answered).first() is not None:
        raise AnsweredAlready("you have answered this one", remedy="take the answer back first, if it is the last")
    hold = session.get(ReviewHold, (item.id, desk.reviewer_id))
    if hold is None and not actor.is_staff:
        raise NotFound
    if hold is None or not _has_room(session, item, desk.reviewer_id, at=at):
        raise NotHandedOut("this example is with somebody else now, or was never with you", remedy="ask for the next")


def _review(
    desk: Desk, actor: Actor, item: QueueItem, example: Example, data: AnswerIn, *, at: datetime
) -> ExampleReview:
    """Raises `Invalid` for scores that are missing and for an edit that does not hold."""
    _require_scores(data)
    before = record_in(example)
    accepts = data.decision is Decision.ACCEPT
    after = corrected(before, data.edited, data.label) if accepts else before
    edited = orjson.dumps(after.as_json()).decode() if after.content_sha256 != before.content_sha256 else None
    return ExampleReview(
        **data.model_dump(include=set(DIMENSIONS)), id=new_id(ExampleReview.PREFIX),
        organisation_id=item.organisation_id, engagement_id=item.engagement_id, client_id=item.client_id,
        round_id=item.round_id, item_id=item.id, example_id=item.example_id, reviewer_id=desk.reviewer_id,
        reviewer_name=actor.name,
        label=after.label if accepts else data.label, decision=data.decision, comment=data.comment, edited=edited,
        content_sha256=example.sha256, agreed_sha256=after.content_sha256, seconds=data.seconds, at=at,
    )  # fmt: skip


def _require_scores(data: AnswerIn) -> None:
    if data.decision is Decision.SKIP:
        return
    missing = [name for name in DIMENSIONS if data.scores[name] is None]
    if missing:
        raise Invalid.of(
            *(
                Problem(
                    code="field_missing",
                    where=name,
                    message=f"{name.replace('_', ' ')} has no score",
                    remedy="give 1 to 5",
                )
                for name in missing
            )
        )


def _drop_outdated(session: Session, actor: Actor, item: QueueItem, example: Example, *, at: datetime) -> None:
    """Answers to a text that is not there any more are none; whoever gave them is handed the new one."""
    for row in reviews_of(session, item.id):
        if row.content_sha256 != example.sha256:
            session.delete(row)
            audit.record(session, actor, "example_review.outdated", row, at=at)
            item.reviews -= row.decision is not Decision.SKIP


def _handed(session: Session, desk: Desk, item_ids: Sequence[str]) -> HandedOut:
    counts = counts_of(session, desk.round.id)
    mine = select(func.count()).select_from(ExampleReview).where(
        ExampleReview.round_id == desk.round.id, ExampleReview.reviewer_id == desk.reviewer_id
    )  # fmt: skip
    total = sum(counts.values())
    return HandedOut(
        round_id=desk.round.id,
        items=[_item_out(session, desk, item_id) for item_id in item_ids],
        answered=session.exec(mine).one(),
        total=total,
        settled=total - counts.get(ItemState.OPEN, 0),
    )


def _item_out(session: Session, desk: Desk, item_id: str) -> ItemOut:
    item = session.get_one(QueueItem, item_id)
    example = session.get_one(Example, item.example_id)
    return ItemOut(
        id=item.id,
        round_id=item.round_id,
        record=orjson.loads(example.payload),
        content_sha256=example.sha256,
        score=example.score,
        findings=[FindingSeenOut.model_validate({"where": "", **each}) for each in example.findings],
        lease_until=session.get_one(ReviewHold, (item.id, desk.reviewer_id)).lease_until,
    )
