"""What becomes of an item and its example once the last answer is in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import delete
from sqlmodel import Session, col, select

from engagements.core.errors import Conflict
from engagements.core.roles import Actor
from engagements.phases.data_preparation.models import Example, ExampleEdit, ExampleState
from engagements.phases.data_preparation.pool.sealed import refuse_sealed
from engagements.phases.data_preparation.pool.service import write_edit
from engagements.phases.data_preparation.records import Record, record_of
from engagements.phases.data_preparation.review.models import ExampleReview, QueueItem, ReviewHold, ReviewRound
from engagements.phases.data_preparation.review.rules import Answer, Decision, ItemState, Outcome, outcome_of

_REASON_MAX: Final = 400
_LEFT_BY: Final = {Decision.ACCEPT: ExampleState.ACCEPTED, Decision.REJECT: ExampleState.REJECTED}


class ItemComplete(Conflict):
    """Others answered it too, or decided, or changed the example since."""

    code = "item_complete"


def reviews_of(session: Session, item_id: str) -> list[ExampleReview]:
    chosen = select(ExampleReview).where(ExampleReview.item_id == item_id).order_by(col(ExampleReview.id))
    return list(session.exec(chosen))


def answers_in(reviews: Sequence[ExampleReview]) -> list[Answer]:
    return [
        Answer(reviewer_id=each.reviewer_id, decision=each.decision, content_sha256=each.agreed_sha256)
        for each in reviews
    ]


def settle(
    session: Session, actor: Actor, among: ReviewRound, item: QueueItem, example: Example, *, at: datetime
) -> None:
    """Ends the item where its answers allow it; item and example are locked."""
    reviews = reviews_of(session, item.id)
    if item.golden is not None:
        if len(reviews) == len(among.reviewers):
            end(session, item, ItemState.SETTLED)
        return
    match outcome_of(answers_in(reviews), needed=item.needed, reviewers=len(among.reviewers)):
        case Outcome.ACCEPTED:
            agreed = next((each.edited for each in reviews if each.edited is not None), None)
            record = None if agreed is None else record_of(orjson.loads(agreed))
            accept(session, actor, example, record, reason=f"review round {among.number}", at=at)
            end(session, item, ItemState.SETTLED)
        case Outcome.REJECTED:
            comments = "; ".join(each.comment for each in reviews if each.comment)
            reject(example, reason=comments or f"rejected in review round {among.number}", at=at)
            end(session, item, ItemState.SETTLED)
        case Outcome.DISPUTED:
            end(session, item, ItemState.DISPUTED)
        case None:
            pass


def unsettle(
    session: Session, actor: Actor, item: QueueItem, review: ExampleReview, example: Example, *, at: datetime
) -> None:
    """Opens an item again that one answer alone has ended, and puts its example back as it was before that answer.

    Item and example are locked. Raises `ItemComplete` and `ExampleSealed`.
    """
    if item.state is ItemState.ADJUDICATED or [each.id for each in reviews_of(session, item.id)] != [review.id]:
        raise ItemComplete("every answer to it is in", remedy="tell a lead, who can end a disagreement")
    if item.state is ItemState.SETTLED and item.golden is None:
        refuse_sealed(session, item.engagement_id, example.id)
        if example.sha256 != review.agreed_sha256 or example.state is not _LEFT_BY.get(review.decision):
            raise ItemComplete("the example was changed after your answer", remedy="edit it among the examples")
        if review.edited is not None:
            before = record_of(orjson.loads(_newest_edit(session, example).before))
            write_edit(session, actor, example, before, reason="answer taken back", at=at)
        _stand(example, ExampleState.PENDING, "", at)
    item.state = ItemState.OPEN


def _newest_edit(session: Session, example: Example) -> ExampleEdit:
    chosen = select(ExampleEdit).where(ExampleEdit.example_id == example.id)
    return session.exec(chosen.order_by(col(ExampleEdit.number).desc()).limit(1)).one()


def accept(
    session: Session, actor: Actor, example: Example, record: Record | None, *, reason: str, at: datetime
) -> None:
    """`record`: how it reads from now on; None: as it does."""
    if record is not None and record.content_sha256 != example.sha256:
        write_edit(session, actor, example, record, reason=reason, at=at)
    _stand(example, ExampleState.ACCEPTED, reason, at)


def reject(example: Example, *, reason: str, at: datetime) -> None:
    _stand(example, ExampleState.REJECTED, reason, at)


def end(session: Session, item: QueueItem, state: ItemState) -> None:
    """Nobody holds what is ended."""
    item.state = state
    session.exec(delete(ReviewHold).where(col(ReviewHold.item_id) == item.id))


def _stand(example: Example, state: ExampleState, reason: str, at: datetime) -> None:
    example.state, example.state_reason, example.changed_at = state, reason[:_REASON_MAX], at
    example.version += 1
