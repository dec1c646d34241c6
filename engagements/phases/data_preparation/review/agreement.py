"""How far the reviewers of a round agree. Only what was answered blind counts: no golden example, no adjudication."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlmodel import Session, col, select

from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.service import find
from engagements.delivery.evidence import Agreement as EvidenceOfAgreement
from engagements.evals.agreement import read
from engagements.phases.data_preparation.review.measuring import Answers, Measure, Pair, measures, pairs
from engagements.phases.data_preparation.review.models import ExampleReview, QueueItem, ReviewRound, RoundState
from engagements.phases.data_preparation.review.reviewers import names_of, reach_round
from engagements.phases.data_preparation.review.rules import ItemState
from engagements.phases.data_preparation.review.schemas import MeasureOut, PairOut, RoundAgreementOut


def agreement_seen(session: Session, actor: Actor, round_id: str) -> RoundAgreementOut:
    """Raises `NotFound`."""
    return agreement_of(session, reach_round(session, actor, round_id))


def agreement_of(session: Session, found: ReviewRound) -> RoundAgreementOut:
    """What the target is held against comes first: labels where examples have them, otherwise decisions."""
    items = _answered(session, [found])
    names = names_of(session, found.reviewers)
    listed = [_out(each) for each in measures(items, seed=found.seed)]
    first = listed[0]
    return RoundAgreementOut(
        round_id=found.id,
        target=found.target,
        reached=None if first.value is None else first.value >= found.target,
        measures=listed,
        pairs=[_pair_out(each, names) for each in pairs(items, seed=found.seed)],
    )


def agreement_to_prove(session: Session, actor: Actor, engagement_id: str) -> EvidenceOfAgreement | None:
    """Over all rounds of an engagement, against the highest of their targets, for its first gate.

    None where no example was answered by two, or where everybody said the same of everything.
    """
    engagement = find(session, actor, Engagement, engagement_id)
    rounds = session.exec(select(ReviewRound).where(ReviewRound.engagement_id == engagement.id)).all()
    if not rounds:
        return None
    first = next(measures(_answered(session, rounds), seed=rounds[0].seed))
    found = first.found
    if found.value is None:
        return None
    target = max(each.target for each in rounds)
    return EvidenceOfAgreement(
        measure=f"{found.measure}, {first.about}", value=found.value, target=target, items=found.items
    )


def _answered(session: Session, rounds: Iterable[ReviewRound]) -> list[Answers]:
    """Answers that nobody can add to: of items that are complete, and of rounds that are closed."""
    closed = [each.id for each in rounds if each.state is RoundState.CLOSED]
    chosen = (
        select(ExampleReview)
        .join(QueueItem, col(QueueItem.id) == col(ExampleReview.item_id))
        .where(col(QueueItem.round_id).in_([each.id for each in rounds]), col(QueueItem.golden).is_(None))
        .where((col(QueueItem.state) != ItemState.OPEN) | col(QueueItem.round_id).in_(closed))
        .order_by(col(QueueItem.round_id), col(QueueItem.position))
    )
    items: dict[str, dict[str, ExampleReview]] = defaultdict(dict)
    for row in session.exec(chosen):
        items[row.item_id][row.reviewer_id] = row
    return list(items.values())


def _out(measure: Measure) -> MeasureOut:
    found = measure.found
    verdict, between = read(found), found.interval
    return MeasureOut(
        about=measure.about, measure=found.measure, value=found.value, low=between.low if between else None,
        high=between.high if between else None, raw=found.raw, items=found.items, unmeasured=found.unmeasured,
        reading=verdict.reading, said=verdict.said, remedy=verdict.remedy,
    )  # fmt: skip


def _pair_out(pair: Pair, names: Mapping[str, str]) -> PairOut:
    found, between = pair.found, pair.found.interval
    return PairOut(
        first=names.get(pair.first, pair.first), second=names.get(pair.second, pair.second), items=found.items,
        raw=found.raw, kappa=found.value, low=between.low if between else None,
        high=between.high if between else None,
    )  # fmt: skip
