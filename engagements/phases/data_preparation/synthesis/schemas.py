"""What comes in and goes out about generated examples. Money in minor units; null where nobody knows."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from engagements.core.schemas import In, Line, Out, Text
from engagements.phases.data_preparation.records import Task
from engagements.phases.data_preparation.synthesis.models import SynthesisState
from engagements.phases.data_preparation.synthesis.prompts import OUTPUT_RULES, PERSONAS
from estimator.brief.fields import Amount, Currency, Day, Name, refusal

TARGET: Final = 50
"""Examples of a category below which it counts as a gap, unless somebody says another number."""
CATEGORIES_MAX: Final = 500


def _can_be_generated(task: Task) -> Task:
    if task not in OUTPUT_RULES:
        message, remedy = f"{task.value} examples are not generated here", "collect them from people or from live tools"
        raise refusal("task.not_generated", message, remedy)
    return task


class TokenPriceIn(In):
    """Of a million tokens, from a source with its day; 0 is a price, for a machine of one's own."""

    input: Amount
    output: Amount
    currency: Currency
    source: Name
    as_of: Day


class RateIn(In):
    """How much of the price's currency is one unit of the engagement's."""

    per_unit: Annotated[Decimal, Field(gt=0, max_digits=18)]
    source: Name
    as_of: Day


class SynthesisIn(In):
    """A run to be planned; nothing is sent yet. A cap in money or in tokens is needed; set both, both hold.

    `categories`: the declared ones; none: those that are found among the examples. `target`: examples of each below
    which it is a gap; `per_gap_max`: how many are asked for at most. `judge_model`: by default the generator itself;
    `score_min` 0: nobody judges. `controls`: so many accepted examples are put among what it grades, and as many that
    are made wrong; a judge that does not tell them apart leaves nothing out, and nor does one that was not tested.
    `chance`: the seed of every choice, sent along with each request.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"endpoint": "openai", "model": "gpt-4.1", "task": "classification", "categories": ["billing"],
                 "licence": "own work", "cap_minor": 500}
            ]
        }
    )  # fmt: skip

    endpoint: Name
    model: Name
    task: Annotated[Task, AfterValidator(_can_be_generated)]
    licence: Name
    categories: Annotated[tuple[Name, ...], Field(max_length=CATEGORIES_MAX)] = ()
    target: Annotated[int, Field(ge=1, le=100_000)] = TARGET
    per_gap_max: Annotated[int, Field(ge=1, le=1_000)] = 20
    per_request: Annotated[int, Field(ge=1, le=20)] = 5
    personas: Annotated[tuple[Name, ...], Field(max_length=50)] = PERSONAS
    guidance: Text = ""
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = 0.8
    chance: Annotated[int, Field(ge=0, le=2**31 - 1)] = 7
    output_tokens_max: Annotated[int, Field(ge=16, le=32_768)] = 1_500
    concurrency: Annotated[int, Field(ge=1, le=8)] = 4
    judge_model: Line = ""
    score_min: Annotated[int, Field(ge=0, le=5)] = 3
    controls: Annotated[int, Field(ge=0, le=100)] = 10
    cap_minor: Annotated[int, Field(ge=1, le=10**12)] | None = None
    cap_tokens: Annotated[int, Field(ge=1, le=10**12)] | None = None
    price: TokenPriceIn | None = None
    judge_price: TokenPriceIn | None = None
    rate: RateIn | None = None

    @model_validator(mode="after")
    def _is_capped(self) -> Self:
        if self.cap_minor is None and self.cap_tokens is None:
            raise refusal("cap.missing", "nothing says how much may be spent", "set cap_minor, or cap_tokens")
        return self

    @property
    def judges(self) -> str:
        """The model that judges; empty where nobody does."""
        return (self.judge_model or self.model) if self.score_min else ""


class GapOut(Out):
    category: str
    have: int
    target: int
    wanted: int


class GapsOut(Out):
    """`endpoints`: the names that may be asked; none: nothing is set up here. Of the accepted and pending examples,
    and of the accepted alone, how many there are and how many a model wrote.
    """

    endpoints: list[str]
    gaps: list[GapOut]
    examples: int
    generated: int
    accepted: int
    accepted_generated: int


class RightOut(Out):
    cases: int
    right: int


class JudgeCheckOut(Out):
    """How the judge did on cases whose grade is known: `right` of `cases`, with the 95% interval, and by kind.

    `chance`: the share that grading all alike would get right. `relied_on`: the whole interval lies above it; if not,
    the judge left nothing out. Null where no case was put to it.
    """

    cases: int
    right: int
    chance: float | None
    low: float | None
    high: float | None
    kinds: dict[str, RightOut]
    relied_on: bool


class SynthesisOut(Out):
    """A run. `worst_minor`, `worst_tokens`: what all of the plan could cost at most. `lost_minor`: what requests
    without an answer may have cost at most, besides `spent_minor`. `estimated`: answers whose usage the server did not
    say, counted here. `samples`: the start of some examples that were left out, by reason. `judge_check`: null until
    the run has ended, and where nobody judges.
    """

    id: str
    version: int
    engagement_id: str
    endpoint: str
    model: str
    judge_model: str
    task: Task
    state: SynthesisState
    gaps: list[GapOut]
    requests: int
    examples_wanted: int
    cap_minor: int | None
    cap_tokens: int | None
    currency: str
    price: dict[str, Any] | None
    worst_minor: int | None
    worst_tokens: int | None
    asked: int
    answered: int
    generated: int
    dropped: dict[str, int]
    samples: dict[str, list[str]]
    kept: int
    unjudged: int
    judge_check: JudgeCheckOut | None
    estimated: int
    input_tokens: int
    output_tokens: int
    spent_minor: int | None
    lost_tokens: int
    lost_minor: int | None
    job_id: str | None
    source_id: str | None
    cost_id: str | None
    error: str
    created_by: str
    created_at: datetime
    ended_at: datetime | None


class PreviewOut(Out):
    """The first prompt of a run as it would be sent now, and what sending it can use at most."""

    system: str
    user: str
    input_tokens_at_most: int
    output_tokens_at_most: int


class CurvePointOut(Out):
    """The share of validation examples answered rightly after training on so many, with its 95% interval."""

    examples: int
    accuracy: float
    low: float
    high: float


class CurveOut(Out):
    """What twice the examples would buy: the gain in accuracy as a share, with its 95% interval; null where the points
    cannot say, and `said` says why. `drawn_at` null: its job has not ended.
    """

    job_id: str
    state: str
    drawn_at: datetime | None
    examples: int | None
    validation: int | None
    points: list[CurvePointOut]
    gain_of_doubling: float | None
    gain_low: float | None
    gain_high: float | None
    said: str
