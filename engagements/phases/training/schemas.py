"""What comes in and goes out about training. Money in minor units; null where nobody knows."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from backends.events import EventKind, Level
from backends.graders import Grader
from backends.spec import Hyperparameters, Method
from engagements.core.schemas import In, Line, Out, absent
from engagements.evals.metrics import METRICS
from engagements.phases.training.models import ExperimentState, Strategy, TrainingState
from estimator.brief.fields import Name, refusal

RUNS_MAX: Final = 10
"""Of one experiment: five to ten are what a choice is made among."""
CURATED_SHARE: Final = 0.5


class Design(StrEnum):
    """`THREE`: defaults, a lower learning rate, the best examples alone. `GRID`: every combination of the axes."""

    ONE = "one"
    THREE = "three"
    GRID = "grid"


def _known_metric(name: str) -> str:
    if name not in METRICS:
        raise refusal("metric.unknown", f"{name[:60]!r} is no metric of ours", f"take one of {', '.join(METRICS)}")
    return name


class RunIn(In):
    """One run: what it starts from and how; what is left out the backend chooses. `curated`: on the best examples.
    `grader`: of reinforcement, as OpenAI describes it."""

    backend: Name
    model: Annotated[str, Field(min_length=1, max_length=500)]
    method: Method = Method.SFT
    hyperparameters: Hyperparameters = Hyperparameters()
    grader: Grader | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 7
    suffix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,18}$")] | None = None
    curated: Annotated[bool, Field(strict=True)] = False
    name: Line = ""


class ExperimentIn(In):
    """An experiment to be planned; nothing is sent or spent. At most ten runs: those of `design`, made of `base`, and
    `more`.

    `axes`: of a grid, by the field that differs, such as `seed` or `hyperparameters.rank`. `cap_minor` holds what the
    runs are predicted to cost at most; where that is unknown, `accept_unknown_cost` with `cap_tokens` (of a provider)
    or `cap_hours` (on hardware of ours) hold them instead. `metric` chooses the checkpoint, on the validation split;
    by default the usual one of the dataset's task. `scored_rows_max` of it are answered, with `answer_tokens_max`
    tokens each, by default twice the longest answer. `priority`: higher goes first.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "First three", "dataset_version_id": "dsv_01kb0000000000000000000000", "metric": "exact_match",
                 "design": "three", "base": {"backend": "peft", "model": "HuggingFaceTB/SmolLM2-135M-Instruct"},
                 "accept_unknown_cost": True, "cap_hours": 2}
            ]
        }
    )  # fmt: skip

    name: Name
    dataset_version_id: Name
    metric: Annotated[str, AfterValidator(_known_metric)] | None = None
    design: Design = Design.ONE
    base: RunIn | None = None
    axes: Annotated[dict[Name, Annotated[tuple[Any, ...], Field(min_length=1, max_length=10)]], Field(max_length=4)] = (
        Field(default_factory=dict)
    )
    more: Annotated[tuple[RunIn, ...], Field(max_length=RUNS_MAX)] = ()
    curated_share: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] = CURATED_SHARE
    strategy: Strategy = Strategy.ALL
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    answer_tokens_max: Annotated[int, Field(ge=1, le=4096)] | None = None
    scored_rows_max: Annotated[int, Field(ge=1, le=10_000)] = 500
    cap_minor: Annotated[int, Field(ge=1, le=10**12)] | None = None
    cap_tokens: Annotated[int, Field(ge=1, le=10**12)] | None = None
    cap_hours: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] | None = None
    accept_unknown_cost: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.base is None and not self.more:
            raise refusal("field_missing", "no run is described", "say in base what to train")
        if self.design is not Design.ONE and self.base is None:
            raise refusal("field_missing", "a design is made of a base", "say in base what to train")
        if (self.design is Design.GRID) != bool(self.axes):
            raise refusal("axes.of_a_grid", "axes and a grid go together", "set both, or neither")
        if self.cap_minor is None and self.cap_tokens is None and self.cap_hours is None:
            raise refusal("cap.missing", "nothing says how much may be spent", "set cap_minor, cap_tokens or cap_hours")
        return self


class ExperimentPatch(In):
    name: Name = absent()
    priority: Annotated[int, Field(ge=-100, le=100)] = absent()


class RangeOut(Out):
    low: float
    likely: float
    high: float


class PredictionOut(Out):
    """What a run was said to take before it began. Null is unknown; `unknown` says why, by the name of the field."""

    tokens: int | None = None
    epochs: float | None = None
    steps: int | None = None
    hours: RangeOut | None = None
    memory_gib: float | None = None
    fits: bool | None = None
    cost_minor: RangeOut | None = None
    currency: str | None = None
    unknown: dict[str, str] = Field(default_factory=dict)
    sources: dict[str, str] = Field(default_factory=dict)


class RunProblemOut(Out):
    """`run`: its name in the matrix; empty where it is of the whole experiment."""

    run: str
    code: str
    where: str
    message: str
    remedy: str
    severity: str


class PlannedRunOut(Out):
    """A run as it would be; `hyperparameters` are those that are set, the others the backend's to choose."""

    name: str
    why: str
    backend: str
    model: str
    method: Method
    seed: int
    is_curated: bool
    examples: int
    hyperparameters: dict[str, Any]
    digest: str
    prediction: PredictionOut


class PlanOut(Out):
    """An experiment before it is kept. `problems`: everything that speaks against it; errors prevent it.

    `reserved_minor`: what all runs together are predicted to cost at most; `unpriced`: how many of them nobody can say
    it of. `left_of_cap_minor`: of the compute cap that was agreed; null where none was.
    """

    runs: list[PlannedRunOut]
    problems: list[RunProblemOut]
    can_start: bool
    reserved_minor: int
    unpriced: int
    metric: str
    currency: str
    left_of_cap_minor: int | None


class FailureOut(Out):
    code: str
    message: str
    param: str = ""
    remedy: str = ""


class IncidentOut(Out):
    at: datetime
    code: str
    said: str


class VerdictOut(Out):
    kind: str
    said: str
    since_step: int | None
    numbers: dict[str, float]


class ScoreOut(Out):
    """Of a checkpoint on the validation split, with its 95% interval."""

    metric: str
    version: int
    value: float
    low: float
    high: float
    method: str
    items: int
    answers_sha256: str


class CheckpointOut(Out):
    id: str
    step: int
    model: str
    sha256: str | None
    valid_loss: float | None
    score: ScoreOut | None
    failure: str
    is_chosen: bool


class BaseOut(Out):
    """A base model before training, on the rows that checkpoints are measured on. `score` null: not measured (yet);
    `failure` says why it was given up."""

    backend: str
    model: str
    score: ScoreOut | None
    failure: str


class PairedOut(Out):
    """A difference on the same items, with its 95% interval and the p of `test`; `is_shown`: both say that it is not
    chance."""

    difference: float
    low: float
    high: float
    p: float
    items: int
    test: str
    is_shown: bool


class ChoiceOut(Out):
    """Why this one. `difference`, with its interval and p, to the runner-up, where the same items were answered;
    `against_base`: to the model before training, likewise."""

    reason: str
    runner_up: str | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    against_base: PairedOut | None = None


class UsageOut(Out):
    """`seen_tokens`: that went through, prompts included; `trained_tokens`: those of them with a label."""

    billed_tokens: int | None = None
    seen_tokens: int | None = None
    trained_tokens: int | None = None
    seconds: float | None = None
    device: str | None = None
    devices: int | None = None
    peak_memory_bytes: int | None = None


class NowOut(Out):
    """What was last measured of a run; null: not measured."""

    step: int
    total_steps: int | None
    epoch: float | None
    train_loss: float | None
    valid_loss: float | None
    learning_rate: float | None
    grad_norm: float | None
    tokens_per_second: float | None
    memory_bytes: int | None
    trained_tokens: int | None
    seconds_left: float | None


class RunOut(Out):
    """`said`: what it waits for, or what is wrong at the moment. `spent_minor` null: nobody knows (yet)."""

    id: str
    version: int
    engagement_id: str
    experiment_id: str
    number: int
    name: str
    why: str
    backend: str
    model: str
    method: Method
    hyperparameters: dict[str, Any]
    seed: int
    is_curated: bool
    examples: int
    digest: str
    attempt: int
    retry_of: str | None
    state: TrainingState
    wish: str
    can_pause: bool
    said: str
    stopped_because: str
    reference: str
    provider_state: str
    failure: FailureOut | None
    incidents: list[IncidentOut]
    prediction: PredictionOut
    now: NowOut
    usage: UsageOut
    currency: str
    reserved_minor: int | None
    spent_minor: int | None
    cost_id: str | None
    verdict: VerdictOut | None
    base: BaseOut | None
    checkpoints: list[CheckpointOut]
    choice: ChoiceOut | None
    environment: dict[str, str]
    model_version_id: str | None
    evidence_id: str | None
    record_sha256: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class ExperimentOut(Out):
    """`reserved_minor`: held back for runs that have not ended; `spent_minor`: what ended ones cost, of which
    `unknown_costs` are not known. `decisions`: of successive halving, in order. `bases`: before training, once each."""

    id: str
    version: int
    engagement_id: str
    name: str
    dataset_version_id: str
    dataset_sha256: str
    metric: str
    design: Design
    strategy: Strategy
    priority: int
    answer_tokens_max: int | None
    scored_rows_max: int
    cap_minor: int | None
    cap_tokens: int | None
    cap_hours: float | None
    currency: str
    reserved_minor: int
    spent_minor: int
    unknown_costs: int
    state: ExperimentState
    bases: list[BaseOut]
    runs: list["RunLineOut"]
    rung: int
    decisions: list[dict[str, Any]]
    chosen_run_id: str | None
    choice: ChoiceOut | None
    error: str
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class RunLineOut(Out):
    """A run in a list or a comparison; `score` is that of the chosen checkpoint, or of the best so far."""

    id: str
    number: int
    name: str
    backend: str
    model: str
    method: Method
    is_curated: bool
    hyperparameters: dict[str, Any]
    seed: int
    state: TrainingState
    said: str
    step: int
    total_steps: int | None
    train_loss: float | None
    valid_loss: float | None
    verdict: str | None
    metric: str
    score: float | None
    score_low: float | None
    score_high: float | None
    predicted_tokens: int | None
    trained_tokens: int | None
    predicted_hours: float | None
    hours: float | None
    predicted_minor: int | None
    spent_minor: int | None
    currency: str
    model_version_id: str | None


class CompareOut(Out):
    """Runs of one engagement beside each other. `differs`: the knobs in which they are not alike, by name."""

    runs: list[RunLineOut]
    differs: list[str]


class EventOut(Out):
    """`number` counts from 1 in its run; `not_finite`: measures that were no numbers."""

    number: int
    id: str
    at: datetime
    kind: EventKind
    level: Level
    message: str
    step: int | None
    metrics: dict[str, float | int | None] | None
    not_finite: list[str]
    data: dict[str, Any]


class EventsOut(Out):
    """`next`: the number to ask after for what comes then."""

    items: list[EventOut]
    next: int


class PointOut(Out):
    step: int
    epoch: float | None
    train_loss: float | None
    valid_loss: float | None
    full_valid_loss: float | None
    learning_rate: float | None
    grad_norm: float | None
    tokens: int | None
    tokens_per_second: float | None
    memory_bytes: int | None


class CurveOut(Out):
    """`points` in the order of steps, thinned where there are many: every one with a validation loss is kept."""

    run_id: str
    points: list[PointOut]
    measured: int


class ModelVersionOut(Out):
    """A model that a run gave. `is_candidate`: the one that its experiment chose. `command`: makes it again, of its
    record and the dataset's folder."""

    id: str
    version: int
    engagement_id: str
    number: int
    name: str
    experiment_id: str
    run_id: str
    backend: str
    base_model: str
    model: str
    checkpoint_id: str
    checkpoint_sha256: str
    step: int
    reason: str
    is_candidate: bool
    dataset_version_id: str
    dataset_sha256: str
    config_sha256: str
    seed: int
    environment: dict[str, str]
    metrics: dict[str, float]
    parent_id: str | None
    record_sha256: str
    command: str
    created_at: datetime


ExperimentOut.model_rebuild()
