"""What comes in and goes out about review rounds, items, answers, adjudications, agreement and throughput."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field

from engagements.core.schemas import In, Line, Out, Text
from engagements.evals.agreement import Reading
from engagements.phases.data_preparation.models import ExampleState
from engagements.phases.data_preparation.review.models import RoundState
from engagements.phases.data_preparation.review.rules import DIMENSIONS, Decision, ItemState
from estimator.brief.fields import Name, Prose, checked_text

SIZE_MAX: Final = 10_000
AT_HAND_MAX: Final = 50
"""At 300 examples an hour a reviewer answers 75 in the quarter of an hour for which they are handed out."""
_GUIDELINE_MAX: Final = 20_000

Id = Annotated[str, Field(min_length=1, max_length=40)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Score = Annotated[int, Field(ge=1, le=5, strict=True)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Label = Annotated[str, Field(max_length=400)]
Guideline = Annotated[
    str,
    Field(max_length=_GUIDELINE_MAX),
    AfterValidator(lambda text: text and checked_text(text, _GUIDELINE_MAX)),
]
Dimension = Literal["accuracy", "consistency", "completeness", "format", "edge_case"]
Ending = Literal[Decision.ACCEPT, Decision.REJECT]
_CONTENT: Final = "0" * 64


class Order(StrEnum):
    """`RISK`: low scores, errors and conflicts first. `CHANCE`: a sample in which each is as likely as the next."""

    RISK = "risk"
    CHANCE = "chance"


class SelectionIn(In):
    """Which pending examples: all that match everything given here, in this order, `size` of them at most."""

    source_id: Id | None = None
    label: Label | None = None
    score_max: Annotated[int | None, Field(ge=0, le=100)] = None
    finding: Annotated[str | None, Field(max_length=80)] = None
    order: Order = Order.RISK
    size: Annotated[int, Field(ge=1, le=SIZE_MAX)] = 500


class GoldenIn(In):
    """An example whose answer is known. Scores that are left out are not asked for."""

    example_id: Id
    decision: Ending
    label: Label | None = None
    scores: dict[Dimension, Score] = Field(default_factory=dict)


class RoundIn(In):
    """`overlap`: how many people see each example. `target`: the agreement to be reached, Krippendorff's alpha."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "First look", "overlap": 2,
                 "reviewers": ["usr_01m82z3znf0vgdtfv3fsj0k9mf", "usr_01m82z3znf0vgdtfv3fsj0k9mg"],
                 "guideline": "Accept what an agent could send as it is.", "seed": 7,
                 "selection": {"order": "risk", "size": 200}}
            ]
        }
    )  # fmt: skip

    name: Name
    reviewers: Annotated[tuple[Id, ...], Field(min_length=1, max_length=50)]
    guideline: Guideline = ""
    overlap: Annotated[int, Field(ge=1, le=10)] = 2
    target: Share = 0.8
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    selection: SelectionIn = SelectionIn()
    golden: Annotated[tuple[GoldenIn, ...], Field(max_length=500)] = ()


class NextIn(In):
    """`count`: the item to answer now, and others to have at hand; no more than are answered before they go back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"count": 2}]})

    count: Annotated[int, Field(ge=1, le=AT_HAND_MAX)] = 1


class AnswerIn(In):
    """Five scores, a decision, and the example as it should read. All scores are asked for, but of who skips it.

    `label`: the class that it should have; another one than it has is an edit. `edited`: the record as corrected.
    `content_sha256`: of the text that was looked at. `seconds`: how long it took; left out where nobody measured it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"decision": "accept", "accuracy": 5, "consistency": 5, "completeness": 4, "format": 5, "edge_case": 3,
                 "content_sha256": _CONTENT, "seconds": 9.5}
            ]
        }
    )  # fmt: skip

    decision: Decision
    accuracy: Score | None = None
    consistency: Score | None = None
    completeness: Score | None = None
    format: Score | None = None
    edge_case: Score | None = None
    label: Label | None = None
    comment: Text = ""
    edited: dict[str, Any] | None = None
    content_sha256: Digest
    seconds: Annotated[float | None, Field(ge=0, le=3600, allow_inf_nan=False)] = None

    @property
    def scores(self) -> dict[str, int | None]:
        return {name: getattr(self, name) for name in DIMENSIONS}


class ItemAnswerIn(AnswerIn):
    """An answer, and to which item it is."""

    item_id: Id


class AnswersIn(In):
    """Answers to examples of one round that are with their reviewer; all are taken, or none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"answers": [{"item_id": "rit_1", "decision": "skip", "content_sha256": _CONTENT}]}]
        }
    )

    answers: Annotated[tuple[ItemAnswerIn, ...], Field(min_length=1, max_length=AT_HAND_MAX)]


class AdjudicateIn(In):
    """How a disagreement ends. `edited`: the record as it is accepted, where it is neither as it was."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"decision": "reject", "reason": "The order number is invented.", "content_sha256": _CONTENT}]
        }
    )

    decision: Ending
    reason: Prose
    edited: dict[str, Any] | None = None
    content_sha256: Digest


class TakeTimeIn(In):
    """`role`: of the rate that reviewing is paid by."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "annotator"}]})

    role: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")] = "annotator"


class ReviewerOut(Out):
    id: str
    name: str


class RoundOut(Out):
    """`reviewers` are oneself alone, and `selection` is empty, for a client's people. Counts are of examples."""

    id: str
    version: int
    engagement_id: str
    number: int
    name: str
    guideline: str
    overlap: int
    target: float
    state: RoundState
    reviewers: list[ReviewerOut]
    selection: dict[str, Any]
    seed: int
    items: int
    settled: int
    disputed: int
    adjudicated: int
    created_at: datetime
    closed_at: datetime | None


class FindingSeenOut(Out):
    code: str
    severity: str
    message: str
    where: str


class ItemOut(Out):
    """An example as it is handed to a reviewer; others' answers are no part of it."""

    id: str
    round_id: str
    record: dict[str, Any]
    content_sha256: str
    score: int | None
    findings: list[FindingSeenOut]
    lease_until: datetime


class HandedOut(Out):
    """`items`: to be answered in this order; empty where nothing is left for you, or others have the rest at hand."""

    round_id: str
    items: list[ItemOut]
    answered: int
    total: int
    settled: int


class ReviewOut(Out):
    id: str
    version: int
    item_id: str
    example_id: str
    reviewer_id: str
    reviewer_name: str
    decision: Decision
    accuracy: int | None
    consistency: int | None
    completeness: int | None
    format: int | None
    edge_case: int | None
    label: str | None
    comment: str
    edited: dict[str, Any] | None
    seconds: float | None
    at: datetime


class ReviewList(Out):
    items: list[ReviewOut]


class AdjudicationOut(Out):
    id: str
    version: int
    item_id: str
    example_id: str
    decision: Decision
    reason: str
    edited: dict[str, Any] | None
    by: str
    by_name: str
    at: datetime


class ReviewedItemOut(Out):
    """An item with its answers, which nobody sees while it is open. `why`: what reviewers differ in."""

    id: str
    round_id: str
    example_id: str
    state: ItemState
    example_state: ExampleState
    why: str
    record: dict[str, Any]
    content_sha256: str
    answers: list[ReviewOut]
    adjudication: AdjudicationOut | None


class MeasureOut(Out):
    """`about`: decision, label or a dimension. `low`, `high`: the 95% interval. See `evals.agreement`."""

    about: str
    measure: str
    value: float | None
    low: float | None
    high: float | None
    raw: float | None
    items: int
    unmeasured: int
    reading: Reading
    said: str
    remedy: str


class PairOut(Out):
    """Two reviewers' decisions on the examples that both have answered."""

    first: str
    second: str
    items: int
    raw: float | None
    kappa: float | None
    low: float | None
    high: float | None


class RoundAgreementOut(Out):
    """`reached`: whether the first of `measures` is at the target; null where it is unmeasured."""

    round_id: str
    target: float
    reached: bool | None
    measures: list[MeasureOut]
    pairs: list[PairOut]


class ReviewerThroughputOut(Out):
    """`golden_*`: known examples that were answered as they should be, with the 95% interval of that share."""

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


class ThroughputOut(Out):
    """`planned_per_hour`: by the brief that was agreed; null where it says nothing."""

    round_id: str
    planned_per_hour: float | None
    examples_per_hour: float | None
    reviewers: list[ReviewerThroughputOut]


class TimeTakenOut(Out):
    """One day of one reviewer, as a time entry; `untimed` answers took nobody knows how long."""

    reviewer_id: str
    day: date
    minutes: int
    entry_id: str


class TimesTakenOut(Out):
    round_id: str
    entries: list[TimeTakenOut]
    untimed: int
    left_out: list[Line]


class RoundList(Out):
    items: list[RoundOut]


class ReviewedItemList(Out):
    items: list[ReviewedItemOut]
