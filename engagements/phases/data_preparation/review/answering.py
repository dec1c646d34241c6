"""Many answers of one reviewer in one transaction: for tools that people review in, and bring their answers over."""

from collections.abc import Container, Iterator, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from engagements.core.errors import Invalid
from engagements.core.roles import Actor
from engagements.phases.data_preparation.review.models import ExampleReview, QueueItem
from engagements.phases.data_preparation.review.reviewers import desk_of, lock_example, lock_item
from engagements.phases.data_preparation.review.reviewing import submit_locked
from engagements.phases.data_preparation.review.schemas import AnswersIn
from estimator.errors import Problem


def submit_all(
    session: Session, actor: Actor, round_id: str, data: AnswersIn, *, at: datetime
) -> Sequence[ExampleReview]:
    """All or none. Raises what `submit` does, and `Invalid` naming what is not of this round or is answered twice."""
    desk = desk_of(session, actor, round_id)
    named = [each.item_id for each in data.answers]
    chosen = select(QueueItem.id, QueueItem.example_id).where(QueueItem.round_id == round_id)
    examples = dict(session.exec(chosen.where(col(QueueItem.id).in_(named)).order_by(col(QueueItem.position))).all())
    if problems := list(_misplaced(named, examples)):
        raise Invalid.of(*problems)
    # All rows before the first answer: it is audited, and who waits for a row while holding the trail waits for ever.
    items = {item_id: lock_item(session, item_id) for item_id in examples}
    locked = {example_id: lock_example(session, example_id) for example_id in sorted(examples.values())}
    return [
        submit_locked(session, actor, desk, items[each.item_id], locked[examples[each.item_id]], each, at=at)
        for each in data.answers
    ]


def _misplaced(named: Sequence[str], of_round: Container[str]) -> Iterator[Problem]:
    for number, name in enumerate(named):
        where = f"answers[{number}].item_id"
        if name not in of_round:
            message, remedy = "this round has no such item", "answer what was handed out"
            yield Problem(code="item_unknown", where=where, message=message, remedy=remedy)
        elif name in named[:number]:
            yield Problem(code="duplicate", where=where, message="it is answered twice", remedy="answer it once")
