"""Generated examples: what is missing, runs of a larger model, what they cost and what came of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict, Unpack

from pydantic import AwareDatetime

from engagements.client.models import Answer, Content, Versioned
from engagements.client.transport import Transport


class Gap(Answer):
    """A category with fewer examples than `target`; `wanted` of them are asked for."""

    category: str
    have: int
    target: int
    wanted: int


class Gaps(Answer):
    """`endpoints`: the names that a run may ask. Counts are of accepted and pending examples, and of accepted ones."""

    endpoints: list[str]
    gaps: list[Gap]
    examples: int
    generated: int
    accepted: int
    accepted_generated: int


class Right(Answer):
    cases: int
    right: int


class JudgeCheck(Answer):
    """How the judge did on cases whose grade is known, with the 95% interval; `chance`: what grading all alike gets.

    A judge that is not `relied_on` left nothing out.
    """

    cases: int
    right: int
    chance: float | None
    low: float | None
    high: float | None
    kinds: dict[str, Right]
    relied_on: bool


class SynthesisRun(Versioned):
    """Money in minor units of `currency`; `spent_minor` None while no price is known.

    `worst_*`: what all of the plan could use at most. `lost_*`: what requests without an answer may have used at most,
    besides what was spent.
    """

    engagement_id: str
    endpoint: str
    model: str
    judge_model: str
    task: str
    state: str
    gaps: list[Gap]
    requests: int
    examples_wanted: int
    cap_minor: int | None
    cap_tokens: int | None
    currency: str
    price: Content | None
    worst_minor: int | None
    worst_tokens: int | None
    asked: int
    answered: int
    generated: int
    dropped: dict[str, int]
    samples: dict[str, list[str]]
    kept: int
    unjudged: int
    judge_check: JudgeCheck | None
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
    created_at: AwareDatetime
    ended_at: AwareDatetime | None


class Preview(Answer):
    """The first prompt of a run as it would be sent now."""

    system: str
    user: str
    input_tokens_at_most: int
    output_tokens_at_most: int


class CurvePoint(Answer):
    """Accuracy after training on so many examples, with its 95% interval."""

    examples: int
    accuracy: float
    low: float
    high: float


class LearningCurve(Answer):
    """What twice the examples would buy, as a share; None where the points cannot say, and `said` says why."""

    job_id: str
    state: str
    drawn_at: AwareDatetime | None
    examples: int | None
    validation: int | None
    points: list[CurvePoint]
    gain_of_doubling: float | None
    gain_low: float | None
    gain_high: float | None
    said: str


class PlanFields(TypedDict, total=False):
    """What a plan may say besides the endpoint, the model, the task and the licence; a cap is needed.

    `price`, `judge_price`: input and output of a million tokens, with currency, source and as_of. `rate`: per_unit,
    source and as_of.
    """

    categories: Sequence[str]
    target: int
    per_gap_max: int
    per_request: int
    personas: Sequence[str]
    guidance: str
    temperature: float | None
    chance: int
    output_tokens_max: int
    concurrency: int
    judge_model: str
    score_min: int
    controls: int
    cap_minor: int
    cap_tokens: int
    price: Mapping[str, Any]
    judge_price: Mapping[str, Any]
    rate: Mapping[str, Any]


class Synthesis:
    """Runs that generate examples. Nothing is sent before `start`, and what is kept waits for review."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def gaps(self, engagement_id: str, *, target: int = 50) -> Gaps:
        """Categories with fewer examples than `target`."""
        return self._calls.get(Gaps, "/api/v1/engagements/{}/data/gaps", engagement_id, query={"target": target})

    def of_engagement(self, engagement_id: str) -> Iterator[SynthesisRun]:
        """Newest first."""
        return self._calls.pages(SynthesisRun, "/api/v1/engagements/{}/data/synthesis-runs", engagement_id)

    def plan(
        self, engagement_id: str, *, endpoint: str, model: str, task: str, licence: str, **more: Unpack[PlanFields]
    ) -> SynthesisRun:
        """What would be asked, and what it could cost at most. Raises `Invalid` where a price or a cap is missing."""
        fields = {"endpoint": endpoint, "model": model, "task": task, "licence": licence, **more}
        return self._calls.post(
            SynthesisRun, "/api/v1/engagements/{}/data/synthesis-runs", engagement_id, fields=fields
        )

    def get(self, run_id: str) -> SynthesisRun:
        return self._calls.get(SynthesisRun, "/api/v1/synthesis-runs/{}", run_id)

    def preview(self, run_id: str) -> Preview:
        return self._calls.get(Preview, "/api/v1/synthesis-runs/{}/preview", run_id)

    def start(self, run_id: str) -> SynthesisRun:
        """From here on money is spent, up to the cap."""
        return self._calls.post(SynthesisRun, "/api/v1/synthesis-runs/{}/start", run_id)

    def stop(self, run_id: str) -> SynthesisRun:
        """What was paid for is kept."""
        return self._calls.post(SynthesisRun, "/api/v1/synthesis-runs/{}/stop", run_id)

    def curve(self, engagement_id: str) -> LearningCurve:
        """The one asked for last. Raises `NotFound` where nobody asked."""
        return self._calls.get(LearningCurve, "/api/v1/engagements/{}/data/learning-curve", engagement_id)

    def ask_curve(self, engagement_id: str) -> LearningCurve:
        """Has one drawn; `curve` has it when its job has ended."""
        return self._calls.post(LearningCurve, "/api/v1/engagements/{}/data/learning-curve", engagement_id)
