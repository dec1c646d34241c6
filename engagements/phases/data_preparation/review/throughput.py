"""How fast reviewers work, how they do on golden examples, against what was planned; and their time as time entries."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from statistics import median
from typing import Final

from sqlmodel import Session, col, select

from engagements.actuals.schemas import TimeIn
from engagements.actuals.time_entries import log_time
from engagements.actuals.when import When
from engagements.core.errors import Conflict
from engagements.core.roles import Actor
from engagements.delivery.standing import latest_baseline
from engagements.evals.intervals import wilson
from engagements.people.models import User
from engagements.phases.data_preparation.review.models import ExampleReview, QueueItem, ReviewRound, RoundState
from engagements.phases.data_preparation.review.reviewers import names_of, reach_round
from engagements.phases.data_preparation.review.rules import DIMENSIONS, Decision, Expected, misses
from engagements.phases.data_preparation.review.schemas import (
    ReviewerThroughputOut,
    TakeTimeIn,
    ThroughputOut,
    TimesTakenOut,
    TimeTakenOut,
)
from engagements.proposals.models import BriefVersion, EstimateVersion, Proposal
from engagements.proposals.scoping import brief_from
from estimator.money import round_half_up
from estimator.phases import Phase

_HOUR_S: Final = 3600
_MINUTE_S: Final = 60


class RoundOpen(Conflict):
    """Its time is not all spent yet."""

    code = "round_open"


def throughput_seen(session: Session, actor: Actor, round_id: str) -> ThroughputOut:
    """Raises `NotFound`."""
    return throughput_of(session, reach_round(session, actor, round_id))


def throughput_of(session: Session, found: ReviewRound) -> ThroughputOut:
    names, given = names_of(session, found.reviewers), _given(session, found.id)
    reviewers = [_of_reviewer(each, names.get(each, each), given.get(each, ())) for each in found.reviewers]
    timed, hours = sum(each.timed for each in reviewers), sum(each.hours for each in reviewers)
    return ThroughputOut(
        round_id=found.id,
        planned_per_hour=planned_per_hour(session, found.engagement_id),
        examples_per_hour=timed / hours if hours else None,
        reviewers=reviewers,
    )


def planned_per_hour(session: Session, engagement_id: str) -> float | None:
    """Examples an hour of one annotator, by the likely minutes of the brief that was agreed; None without a plan."""
    baseline = latest_baseline(session, engagement_id)
    if baseline is None:
        return None
    chosen = (
        select(BriefVersion)
        .join(EstimateVersion, col(EstimateVersion.brief_id) == col(BriefVersion.id))
        .join(Proposal, col(Proposal.estimate_id) == col(EstimateVersion.id))
        .where(Proposal.id == baseline.proposal_id)
    )
    kept = session.exec(chosen).first()
    labelling = None if kept is None else brief_from(kept.content).data.labelling
    return None if labelling is None else float(60 / Decimal(labelling.minutes_per_example.likely))


def take_time(session: Session, actor: Actor, round_id: str, data: TakeTimeIn, *, when: When) -> TimesTakenOut:
    """The time of a closed round as entries of data preparation, one a reviewer and day; the same however often.

    A client's people are left out: their hours are not ours. Raises `RoundOpen` and what logging time does.
    """
    found = reach_round(session, actor, round_id)
    if found.state is RoundState.OPEN:
        raise RoundOpen("this round is still open", remedy="close it, then take its time over")
    ours = set(session.exec(select(User.id).where(col(User.id).in_(found.reviewers), col(User.client_id).is_(None))))
    names = names_of(session, found.reviewers)
    entries, untimed = [], 0
    for reviewer_id, rows in _given(session, found.id).items():
        if reviewer_id not in ours:
            continue
        untimed += sum(row.seconds is None for row, _ in rows)
        for day, seconds in sorted(_by_day(rows, when).items()):
            wanted = TimeIn(
                phase=Phase.DATA_PREPARATION, role=data.role, day=day, minutes=_minutes(seconds),
                person_id=reviewer_id, note=f"Review round {found.number}: {found.name}",
                external_id=f"review:{found.id}:{reviewer_id}:{day.isoformat()}",
            )  # fmt: skip
            entry = log_time(session, actor, found.engagement_id, wanted, when=when)
            entries.append(TimeTakenOut(reviewer_id=reviewer_id, day=day, minutes=entry.minutes, entry_id=entry.id))
    left_out = sorted(names[each] for each in found.reviewers if each not in ours and each in names)
    return TimesTakenOut(round_id=found.id, entries=entries, untimed=untimed, left_out=left_out)


_Given = Sequence[tuple[ExampleReview, QueueItem]]


def _given(session: Session, round_id: str) -> dict[str, list[tuple[ExampleReview, QueueItem]]]:
    chosen = (
        select(ExampleReview, QueueItem)
        .join(QueueItem, col(QueueItem.id) == col(ExampleReview.item_id))
        .where(ExampleReview.round_id == round_id)
    )
    rows: dict[str, list[tuple[ExampleReview, QueueItem]]] = defaultdict(list)
    for review, item in session.exec(chosen):
        rows[review.reviewer_id].append((review, item))
    return rows


def _of_reviewer(reviewer_id: str, name: str, rows: _Given) -> ReviewerThroughputOut:
    answers = [(review, item) for review, item in rows if review.decision is not Decision.SKIP]
    seconds = [review.seconds for review, _ in rows if review.seconds is not None]
    known = [(review, item.golden) for review, item in answers if item.golden is not None]
    hits = sum(not list(_missed(review, golden)) for review, golden in known)
    between = wilson(hits, len(known)) if known else None
    hours = sum(seconds) / _HOUR_S
    return ReviewerThroughputOut(
        id=reviewer_id, name=name, answers=len(answers), skips=len(rows) - len(answers), timed=len(seconds),
        hours=hours, examples_per_hour=len(seconds) / hours if hours else None,
        median_s=median(seconds) if seconds else None, golden_items=len(known), golden_hits=hits,
        golden_low=between.low if between else None, golden_high=between.high if between else None,
    )  # fmt: skip


def _missed(review: ExampleReview, golden: dict[str, object]) -> Sequence[str]:
    scores = golden["scores"]
    assert isinstance(scores, dict)
    label = golden["label"]
    expected = Expected(
        decision=Decision(str(golden["decision"])), label=None if label is None else str(label), scores=scores
    )
    given = {name: getattr(review, name) for name in DIMENSIONS}
    return list(misses(expected, review.decision, review.label, given))


def _by_day(rows: _Given, when: When) -> dict[date, float]:
    seconds: dict[date, float] = defaultdict(float)
    for review, _ in rows:
        if review.seconds is not None:
            seconds[when.day_of(review.at)] += review.seconds
    return seconds


def _minutes(seconds: float) -> int:
    """To the nearest minute, one at least: an entry of none cannot be."""
    return max(1, int(round_half_up(Decimal(str(seconds)) / _MINUTE_S, 0)))
