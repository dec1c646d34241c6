"""Rounds of review: opened over a selection of examples, listed, closed."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, insert
from sqlmodel import Session, col, func, select

from engagements.actuals.place import person_behind
from engagements.core import audit
from engagements.core.errors import Conflict, Invalid
from engagements.core.models import Engagement
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor
from engagements.core.service import find, scoped
from engagements.db.columns import new_id
from engagements.delivery.under_way import claim_active, claim_in_active
from engagements.phases.data_preparation.models import Example, ExampleState
from engagements.phases.data_preparation.pool.sealed import sealed_among
from engagements.phases.data_preparation.review.models import QueueItem, ReviewHold, ReviewRound, RoundState
from engagements.phases.data_preparation.review.reviewers import (
    RoundClosed,
    names_of,
    reach_round,
    require_reviewers,
)
from engagements.phases.data_preparation.review.rules import (
    Candidate,
    ItemState,
    queue_of,
    risk_of,
    sampled,
)
from engagements.phases.data_preparation.review.schemas import Order, ReviewerOut, RoundIn, RoundOut, SelectionIn
from estimator.errors import Problem

_GIVEN: Final = {"overlap", "name", "guideline", "target", "seed"}


class NothingToReview(Conflict):
    """No pending example is as asked for and free of other open rounds."""

    code = "nothing_to_review"


def open_round(session: Session, actor: Actor, engagement_id: str, data: RoundIn, *, at: datetime) -> ReviewRound:
    """Raises `NotFound`, `NotUnderWay`, `Invalid`, `NothingToReview`."""
    engagement = claim_active(session, actor, engagement_id)
    require_reviewers(session, actor, engagement, data.reviewers)
    _require_enough(data)
    _require_golden(session, engagement, data)
    queue = _queue(session, engagement, data)
    row = ReviewRound(
        **data.model_dump(include=_GIVEN), id=new_id(ReviewRound.PREFIX),
        organisation_id=engagement.organisation_id, engagement_id=engagement.id, client_id=engagement.client_id,
        number=_next_number(session, engagement.id), reviewers=list(data.reviewers),
        selection=data.selection.model_dump(mode="json", exclude_none=True), created_by=actor.id, created_at=at,
    )  # fmt: skip
    session.add(row)
    audit.record(session, actor, "review_round.opened", row, at=at)
    session.execute(insert(QueueItem), list(_items(row, queue, data)))
    return row


def close_round(session: Session, actor: Actor, round_id: str, *, at: datetime) -> ReviewRound:
    """What is not answered by then stays pending; disagreements are still ended. Raises `RoundClosed`."""
    row = claim_in_active(session, actor, ReviewRound, round_id)
    if row.state is RoundState.CLOSED:
        raise RoundClosed("this round is closed already", remedy="nothing is left to do")
    row.state, row.closed_at = RoundState.CLOSED, at
    audit.record(session, actor, "review_round.closed", row, at=at)
    of_round = select(QueueItem.id).where(QueueItem.round_id == row.id)
    session.execute(delete(ReviewHold).where(col(ReviewHold.item_id).in_(of_round)))
    told = {"engagement": row.engagement_id, "round": row.id, "number": row.number}
    tell(session, row.organisation_id, EventType.REVIEW_ROUND_CLOSED, told, at=at)
    return row


def rounds_of(session: Session, actor: Actor, engagement_id: str) -> list[RoundOut]:
    """The newest first; for a client's people only those that name them. Raises `NotFound`."""
    engagement = find(session, actor, Engagement, engagement_id)
    chosen = scoped(ReviewRound, actor).where(ReviewRound.engagement_id == engagement.id)
    rows = session.exec(chosen.order_by(col(ReviewRound.number).desc())).all()
    person = person_behind(session, actor.id)
    return [round_out(session, actor, row) for row in rows if actor.is_staff or person in row.reviewers]


def round_seen(session: Session, actor: Actor, round_id: str) -> RoundOut:
    """Raises `NotFound`."""
    return round_out(session, actor, reach_round(session, actor, round_id))


def round_out(session: Session, actor: Actor, row: ReviewRound) -> RoundOut:
    counts = counts_of(session, row.id)
    shown = row.reviewers if actor.is_staff else [person_behind(session, actor.id)]
    names = names_of(session, shown)
    plain = {name: getattr(row, name) for name in RoundOut.model_fields if hasattr(row, name)}
    return RoundOut(
        **plain
        | {
            "reviewers": [ReviewerOut(id=each, name=names.get(each, "somebody who has left")) for each in shown],
            "selection": row.selection if actor.is_staff else {},
            "items": sum(counts.values()),
            "settled": counts.get(ItemState.SETTLED, 0),
            "disputed": counts.get(ItemState.DISPUTED, 0),
            "adjudicated": counts.get(ItemState.ADJUDICATED, 0),
        }
    )


def counts_of(session: Session, round_id: str) -> dict[ItemState, int]:
    """Items of a round by state, golden ones among them."""
    counted = select(QueueItem.state, func.count()).where(QueueItem.round_id == round_id).group_by(col(QueueItem.state))
    return {ItemState(state): count for state, count in session.exec(counted)}


def _next_number(session: Session, engagement_id: str) -> int:
    last = select(func.coalesce(func.max(col(ReviewRound.number)), 0)).where(ReviewRound.engagement_id == engagement_id)
    return session.exec(last).one() + 1


def _require_enough(data: RoundIn) -> None:
    if data.overlap > len(data.reviewers):
        message = f"{data.overlap} people are to see each example, and {len(data.reviewers)} are named"
        remedy = "name more reviewers, or lower the overlap"
        raise Invalid.of(Problem(code="overlap_too_high", where="overlap", message=message, remedy=remedy))


def _require_golden(session: Session, engagement: Engagement, data: RoundIn) -> None:
    wanted = [each.example_id for each in data.golden]
    mine = select(Example.id).where(
        Example.engagement_id == engagement.id, col(Example.id).in_(wanted), Example.state != ExampleState.EXCLUDED
    )
    there = set(session.exec(mine)) - sealed_among(session, engagement.id, wanted)
    problems = [
        Problem(
            code="example_unknown", where=f"golden[{place}].example_id",
            message="this is no example that can be shown" if each not in there else "this example is named twice",
            remedy="name each example once, by its id",
        )
        for place, each in enumerate(wanted)
        if each not in there or each in wanted[:place]
    ]  # fmt: skip
    if problems:
        raise Invalid.of(*problems)


def _queue(session: Session, engagement: Engagement, data: RoundIn) -> Sequence[Candidate]:
    """Raises `NothingToReview`."""
    golden = [each.example_id for each in data.golden]
    candidates = [each for each in _candidates(session, engagement, data.selection) if each.example_id not in golden]
    if not candidates:
        message = "no pending example is as asked for, or all of them are in a round that is open"
        raise NothingToReview(message, remedy="ask for others, or close the other round first")
    size = data.selection.size
    if data.selection.order is Order.CHANCE:
        candidates = sampled(candidates, size=size, seed=data.seed)
    return queue_of(candidates, golden, size=size, seed=data.seed)


def _candidates(session: Session, engagement: Engagement, asked: SelectionIn) -> Iterator[Candidate]:
    queued = (
        select(QueueItem.example_id)
        .join(ReviewRound, col(ReviewRound.id) == col(QueueItem.round_id))
        .where(ReviewRound.engagement_id == engagement.id, ReviewRound.state == RoundState.OPEN)
        .where(QueueItem.state == ItemState.OPEN)
    )
    chosen: Any = select(Example.id, Example.score, Example.findings).where(
        Example.engagement_id == engagement.id, Example.state == ExampleState.PENDING, col(Example.id).not_in(queued)
    )
    if asked.source_id is not None:
        chosen = chosen.where(Example.source_id == asked.source_id)
    if asked.label is not None:
        chosen = chosen.where(Example.label == asked.label)
    if asked.score_max is not None:
        chosen = chosen.where(col(Example.score) <= asked.score_max)
    for example_id, score, findings in session.execute(chosen).yield_per(1000):
        if asked.finding is None or any(each.get("code") == asked.finding for each in findings):
            yield Candidate(example_id=example_id, risk=risk_of(score, findings))


def _items(row: ReviewRound, queue: Sequence[Candidate], data: RoundIn) -> Iterator[dict[str, Any]]:
    golden = {each.example_id: each.model_dump(mode="json", exclude={"example_id"}) for each in data.golden}
    for position, each in enumerate(queue):
        known = golden.get(each.example_id)
        yield {
            "id": new_id(QueueItem.PREFIX), "organisation_id": row.organisation_id, "engagement_id": row.engagement_id,
            "client_id": row.client_id, "round_id": row.id, "example_id": each.example_id, "position": position,
            "risk": each.risk, "needed": len(row.reviewers) if known else row.overlap, "reviews": 0,
            "state": ItemState.OPEN, "golden": known,
        }  # fmt: skip
