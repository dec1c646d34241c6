"""What can be measured, as types: one content for each `EvidenceKind`, as a team's own tools post it.

Digests are sha256 in lower case; of a model whose weights nobody is given, of its provider's name for it. Null is
"not known yet", never "nothing". Rates are shares from 0 to 1; every interval is a 95% one. What contradicts itself is
found by `delivery.contradictions`.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter

from engagements.core.schemas import In, Text
from engagements.delivery.gate_models import EvidenceKind
from engagements.evals.verdicts import Operator
from estimator.brief.fields import Amount, Count, Currency, Day, Name
from estimator.phases import Phase

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e12, le=1e12)]
Share = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1)]
Items = Annotated[Count, Field(ge=1, le=10**7)]
Seeds = Annotated[tuple[int, ...], Field(max_length=50)]
Scorer = Annotated[str, Field(max_length=200, pattern=r"^[^@\s]+@[^@\s]+$", description="Its name@version.")]


class Check(In):
    """That somebody looked at something, and what came of it."""

    passed: Annotated[bool, Field(strict=True)]
    by: Name
    on: Day
    note: Text = ""


# --- a dataset version ------------------------------------------------------------------------------------------------


class SplitName(StrEnum):
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Split(In):
    name: SplitName
    examples: Count
    sha256: Digest


class Leakage(In):
    """Test examples that stand in the other splits too: the same, the same after normalising, nearly the same."""

    exact: Count
    normalised: Count
    near: Count
    near_rule: Name = Field(description="What counts as near, such as MinHash over 5-grams, Jaccard from 0.8.")


class Agreement(In):
    """How far labellers agree: the measure, its value on so many items, and what was agreed as the target."""

    measure: Name
    value: Annotated[float, Field(allow_inf_nan=False, ge=-1, le=1)]
    target: Annotated[float, Field(allow_inf_nan=False, ge=-1, le=1)]
    items: Count


class DatasetVersion(In):
    """A frozen dataset. `sealed_at`: since when nobody but the final evaluation reads the test split."""

    kind: Literal[EvidenceKind.DATASET_VERSION]
    name: Name
    sha256: Digest
    splits: Annotated[tuple[Split, ...], Field(max_length=20)]
    sealed_at: AwareDatetime | None = None
    leakage: Leakage | None = None
    agreement: Agreement | None = None
    licence: Check | None = None
    personal_data: Check | None = None
    card_sha256: Digest | None = None

    def split(self, name: SplitName) -> Split | None:
        return next((split for split in self.splits if split.name is name), None)


# --- evaluations ------------------------------------------------------------------------------------------------------


class Subject(StrEnum):
    """What was evaluated."""

    BASE_MODEL = "base_model"
    BEST_PROMPT = "best_prompt"
    RETRIEVAL = "retrieval"
    HUMAN = "human"
    PREVIOUS = "previous"
    CANDIDATE = "candidate"


class Purpose(StrEnum):
    """`regression`: skills outside the task. `robustness`: edge cases, attacks, other distributions."""

    ACCEPTANCE = "acceptance"
    REGRESSION = "regression"
    ROBUSTNESS = "robustness"


class Method(StrEnum):
    """How an interval was made. `clustered`: with errors of groups of items."""

    WILSON = "wilson"
    BOOTSTRAP = "bootstrap"
    CLUSTERED = "clustered"


class MetricResult(In):
    """A value over `items`, `hits` of them where it is a rate of items, with its interval."""

    metric: Name
    value: Number
    items: Items
    hits: Count | None = None
    low: Number
    high: Number
    method: Method


class FailureMode(In):
    """One way in which it fails, how often on how grave a scale, and what is done about it."""

    name: Name
    items: Count
    severity: Literal["low", "normal", "high"]
    cause: Text = ""
    remedy: Text = ""


class EvaluationRun(In):
    """One system over one set of items. `failures` null: nobody sorted its failures yet."""

    kind: Literal[EvidenceKind.EVALUATION_RUN]
    subject: Subject
    name: Name
    purpose: Purpose = Purpose.ACCEPTANCE
    model_sha256: Digest | None = None
    set_name: Name
    set_sha256: Digest
    items: Items
    seeds: Seeds = ()
    scorer: Scorer
    per_item_sha256: Digest
    results: Annotated[tuple[MetricResult, ...], Field(min_length=1, max_length=100)]
    failures: Annotated[tuple[FailureMode, ...], Field(max_length=100)] | None = None
    client_review: Check | None = None

    def result(self, metric: str) -> MetricResult | None:
        wanted = metric.casefold()
        return next((result for result in self.results if result.metric.casefold() == wanted), None)


class Comparison(In):
    """A candidate and a baseline on the same items. `difference` above zero: the candidate is better.

    Of rates: the items that only one of the two got right. Of anything else: the paired difference as measured, with
    its interval and the p of its paired test. `loss_max`: how much worse a general skill may become, as agreed.
    """

    kind: Literal[EvidenceKind.COMPARISON]
    purpose: Purpose = Purpose.ACCEPTANCE
    metric: Name
    candidate: Name
    candidate_sha256: Digest
    baseline: Name
    baseline_subject: Subject
    set_name: Name
    set_sha256: Digest
    items: Items
    only_candidate: Count | None = None
    only_baseline: Count | None = None
    difference: Number
    low: Number
    high: Number
    p: Share
    loss_max: Share | None = None
    scorer: Scorer
    per_item_sha256: Digest


# --- training, deployment, drift --------------------------------------------------------------------------------------


class Cost(In):
    amount: Amount
    currency: Currency


class ChosenBy(StrEnum):
    VALIDATION = "validation"
    TEST = "test"
    LAST = "last"


class Checkpoint(In):
    """The candidate that this run gave. `step`: where in the curves it was taken."""

    name: Name
    sha256: Digest
    chosen_by: ChosenBy
    step: Count
    metric: Name
    value: Number


class Curves(In):
    """The loss at the end of training, on validation at its best and at the end, and where it was best."""

    steps: Annotated[Count, Field(ge=1)]
    best_step: Count
    training_last: Number
    validation_best: Number
    validation_last: Number


class TrainingRun(In):
    """One run, also one that led nowhere. `record_sha256`: of all that repeats it. `cost` null: unknown.

    `trained_tokens`: what was trained on, all epochs together, as it was billed.
    """

    kind: Literal[EvidenceKind.TRAINING_RUN]
    run: Name
    base_model: Name
    config_sha256: Digest
    dataset_sha256: Digest
    seed: int
    epochs: Annotated[float, Field(allow_inf_nan=False, gt=0, le=1000)]
    cost: Cost | None
    trained_tokens: Count | None = None
    checkpoint: Checkpoint | None = None
    curves: Curves | None = None
    record_sha256: Digest | None = None


class Guardrail(In):
    """A measure of production and its limit, over so many requests."""

    name: Name
    operator: Operator
    limit: Number
    value: Number
    requests: Count

    @property
    def holds(self) -> bool:
        return self.value >= self.limit if self.operator is Operator.AT_LEAST else self.value <= self.limit


class Rehearsal(In):
    at: AwareDatetime
    seconds: Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e9)]


class Deployment(In):
    """A model in production. `traffic`: the share of requests it answered while the guardrails were measured."""

    kind: Literal[EvidenceKind.DEPLOYMENT]
    model_sha256: Digest
    environment: Name
    traffic: Share
    rollback: Rehearsal | None = None
    guardrails: Annotated[tuple[Guardrail, ...], Field(max_length=100)] = ()
    monitoring_since: AwareDatetime | None = None
    card_sha256: Digest | None = None
    access: Check | None = Field(default=None, description="Access and runbook handed over.")


class Signal(In):
    """Drift where `value` is above `threshold`; `p` of its test where there is one."""

    name: Name
    value: Number
    threshold: Number
    p: Share | None = None

    @property
    def drifts(self) -> bool:
        return self.value > self.threshold


class Retraining(StrEnum):
    NOT_NEEDED = "not_needed"
    RETRAIN = "retrain"
    WAIT = "wait"


class RetrainingDecision(In):
    decision: Retraining
    reason: Text
    by: Name


class DriftCheck(In):
    """A window of production against the data of training. `report_sha256`: the month's report."""

    kind: Literal[EvidenceKind.DRIFT_CHECK]
    model_sha256: Digest
    window_begin: Day
    window_end: Day
    requests: Count
    signals: Annotated[tuple[Signal, ...], Field(min_length=1, max_length=200)]
    retraining: RetrainingDecision | None = None
    service_levels: Annotated[tuple[Guardrail, ...], Field(max_length=100)] = ()
    report_sha256: Digest | None = None


Evidence = DatasetVersion | EvaluationRun | Comparison | TrainingRun | Deployment | DriftCheck
Content = Annotated[Evidence, Field(discriminator="kind")]
_CONTENT: TypeAdapter[Evidence] = TypeAdapter(Content)


def read_content(content: object) -> Evidence:
    """What was recorded, as its type."""
    return _CONTENT.validate_python(content, strict=False)


class EvidenceIn(In):
    """`phase`: the current one unless it is named. `external_id`: the measuring tool's own name for it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "external_id": "tickets@v3",
                    "source": "dvc 3.60",
                    "measured_at": "2026-11-20T15:00:00Z",
                    "content": {
                        "kind": "dataset_version",
                        "name": "tickets@v3",
                        "sha256": "3" * 64,
                        "splits": [
                            {"name": "train", "examples": 2240, "sha256": "a" * 64},
                            {"name": "validation", "examples": 420, "sha256": "b" * 64},
                            {"name": "test", "examples": 540, "sha256": "c" * 64},
                        ],
                    },
                }
            ]
        }
    )

    external_id: Name
    source: Name
    measured_at: AwareDatetime
    content: Content
    phase: Phase | None = None
    supersedes: Annotated[str | None, Field(max_length=40)] = None
