"""Review of examples: rounds, what is handed out, answers, agreement, disagreements, throughput."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, TypedDict, Unpack

from pydantic import AwareDatetime

from engagements.client.models import Answer, Content, Versioned
from engagements.client.transport import Transport


class Reviewer(Answer):
    id: str
    name: str


class ReviewRound(Versioned):
    """Counts are of examples. For a client's key `reviewers` is oneself, and `selection` is empty."""

    engagement_id: str
    number: int
    name: str
    guideline: str
    overlap: int
    target: float
    state: str
    reviewers: list[Reviewer]
    selection: Content
    seed: int
    items: int
    settled: int
    disputed: int
    adjudicated: int
    created_at: AwareDatetime
    closed_at: AwareDatetime | None


class SeenFinding(Answer):
    code: str
    severity: str
    message: str
    where: str


class ReviewItem(Answer):
    """An example to be answered. `content_sha256` goes back with the answer."""

    id: str
    round_id: str
    record: Content
    content_sha256: str
    score: int | None
    findings: list[SeenFinding]
    lease_until: AwareDatetime


class HandedOut(Answer):
    round_id: str
    items: list[ReviewItem]
    answered: int
    total: int
    settled: int


class Review(Versioned):
    """`edited`: the record as its reviewer would have it; None where they changed nothing."""

    item_id: str
    example_id: str
    reviewer_id: str
    reviewer_name: str
    decision: str
    accuracy: int | None
    consistency: int | None
    completeness: int | None
    format: int | None
    edge_case: int | None
    label: str | None
    comment: str
    edited: Content | None
    seconds: float | None
    at: AwareDatetime


class Adjudication(Versioned):
    item_id: str
    example_id: str
    decision: str
    reason: str
    edited: Content | None
    by: str
    by_name: str
    at: AwareDatetime


class ReviewedItem(Answer):
    """`answers` are empty while it is open."""

    id: str
    round_id: str
    example_id: str
    state: str
    example_state: str
    why: str
    record: Content
    content_sha256: str
    answers: list[Review]
    adjudication: Adjudication | None


class AgreementMeasure(Answer):
    """`value` None where it cannot be computed; `low` and `high`: the 95% interval."""

    about: str
    measure: str
    value: float | None
    low: float | None
    high: float | None
    raw: float | None
    items: int
    unmeasured: int
    reading: str
    said: str
    remedy: str


class PairAgreement(Answer):
    first: str
    second: str
    items: int
    raw: float | None
    kappa: float | None
    low: float | None
    high: float | None


class RoundAgreement(Answer):
    """The first of `measures` is the one that `target` is held against."""

    round_id: str
    target: float
    reached: bool | None
    measures: list[AgreementMeasure]
    pairs: list[PairAgreement]


class ReviewerThroughput(Answer):
    id: str
    name: str
    answers: int
    skips: int
    timed: int
    hours: float
    examples_per_hour: float | None
    median_s: float | None
    golden_items: int
    golden_hits: int
    golden_low: float | None
    golden_high: float | None


class Throughput(Answer):
    round_id: str
    planned_per_hour: float | None
    examples_per_hour: float | None
    reviewers: list[ReviewerThroughput]


class TimeTaken(Answer):
    reviewer_id: str
    day: date
    minutes: int
    entry_id: str


class TimesTaken(Answer):
    round_id: str
    entries: list[TimeTaken]
    untimed: int
    left_out: list[str]


class ReviewRounds(Answer):
    items: list[ReviewRound]


class GivenReviews(Answer):
    items: list[Review]


class ReviewedItems(Answer):
    items: list[ReviewedItem]


class RoundFields(TypedDict, total=False):
    """`golden`: each {"example_id", "decision"} and, where known, "label" and "scores"."""

    overlap: int
    guideline: str
    target: float
    seed: int
    selection: Mapping[str, Any]
    golden: Sequence[Mapping[str, Any]]


class AnswerFields(TypedDict, total=False):
    """Five scores from 1 to 5; `label` another class, `edited` the whole record, where it should read otherwise."""

    accuracy: int
    consistency: int
    completeness: int
    format: int
    edge_case: int
    label: str
    comment: str
    edited: Mapping[str, Any]
    seconds: float


class ItemAnswer(AnswerFields, total=False):
    """`decision`: accept, reject or skip; it, the item and its digest are needed."""

    item_id: str
    content_sha256: str
    decision: str


class Reviews:
    """Rounds and what is answered in them. A key reviews for the person who made it."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def list(self, engagement_id: str) -> Sequence[ReviewRound]:
        """The newest first; for a client's key those that name its person."""
        path = "/api/v1/engagements/{}/data/review-rounds"
        return self._calls.get(ReviewRounds, path, engagement_id).items

    def open(
        self, engagement_id: str, name: str, reviewers: Sequence[str], **fields: Unpack[RoundFields]
    ) -> ReviewRound:
        """Over pending examples. `reviewers`: ids of people."""
        given = {**fields, "name": name, "reviewers": list(reviewers)}
        path = "/api/v1/engagements/{}/data/review-rounds"
        return self._calls.post(ReviewRound, path, engagement_id, fields=given)

    def get(self, round_id: str) -> ReviewRound:
        return self._calls.get(ReviewRound, "/api/v1/review-rounds/{}", round_id)

    def close(self, round_id: str) -> ReviewRound:
        return self._calls.post(ReviewRound, "/api/v1/review-rounds/{}/close", round_id)

    def next(self, round_id: str, count: int = 1) -> HandedOut:
        """What is with its person already comes first."""
        return self._calls.post(HandedOut, "/api/v1/review-rounds/{}/next", round_id, fields={"count": count})

    def queue(self, round_id: str) -> Iterator[ReviewItem]:
        """One example after the other, until none is left; each has to be answered before the next is asked for."""
        while handed := self.next(round_id).items:
            yield handed[0]

    def answer(self, item: ReviewItem, decision: str, **fields: Unpack[AnswerFields]) -> Review:
        """`decision`: accept, reject or skip."""
        given = {**fields, "decision": decision, "content_sha256": item.content_sha256}
        return self._calls.post(Review, "/api/v1/review-items/{}/answer", item.id, fields=given)

    def answer_all(self, round_id: str, answers: Sequence[ItemAnswer]) -> Sequence[Review]:
        """Up to fifty at once, of examples that are with one's person; all are taken, or none."""
        given = {"answers": list(answers)}
        return self._calls.post(GivenReviews, "/api/v1/review-rounds/{}/answers", round_id, fields=given).items

    def undo(self, round_id: str) -> HandedOut:
        """Takes the last answer back; raises `Conflict` once every answer to that example is in."""
        return self._calls.post(HandedOut, "/api/v1/review-rounds/{}/undo", round_id)

    def agreement(self, round_id: str) -> RoundAgreement:
        return self._calls.get(RoundAgreement, "/api/v1/review-rounds/{}/agreement", round_id)

    def throughput(self, round_id: str) -> Throughput:
        return self._calls.get(Throughput, "/api/v1/review-rounds/{}/throughput", round_id)

    def disagreements(self, round_id: str) -> Sequence[ReviewedItem]:
        """Those that wait, and those that were decided."""
        return self._calls.get(ReviewedItems, "/api/v1/review-rounds/{}/disagreements", round_id).items

    def item(self, item_id: str) -> ReviewedItem:
        return self._calls.get(ReviewedItem, "/api/v1/review-items/{}", item_id)

    def adjudicate(
        self, item: ReviewedItem, decision: str, reason: str, *, edited: Mapping[str, Any] | None = None
    ) -> Adjudication:
        """`decision`: accept or reject. Not by somebody who answered it."""
        given = {"decision": decision, "reason": reason, "edited": edited, "content_sha256": item.content_sha256}
        return self._calls.post(Adjudication, "/api/v1/review-items/{}/adjudicate", item.id, fields=given)

    def take_time(self, round_id: str, role: str = "annotator") -> TimesTaken:
        """The time of a closed round as time entries; the same however often."""
        return self._calls.post(TimesTaken, "/api/v1/review-rounds/{}/time", round_id, fields={"role": role})
