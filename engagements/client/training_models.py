"""What the API says of training: plans, experiments, runs and what is heard of them, model versions, the catalogue."""

from datetime import date

from pydantic import AwareDatetime

from engagements.client.models import Answer, Content, Versioned


class Range(Answer):
    low: float
    likely: float
    high: float


class RunPrediction(Answer):
    """What a run was said to take before it began. None is unknown; `unknown` says why, by the name of the field."""

    tokens: int | None
    epochs: float | None
    steps: int | None
    hours: Range | None
    memory_gib: float | None
    fits: bool | None
    cost_minor: Range | None
    currency: str | None
    unknown: dict[str, str]
    sources: dict[str, str]


class RunProblem(Answer):
    """`run`: its name in the matrix; empty where it is of the whole experiment."""

    run: str
    code: str
    where: str
    message: str
    remedy: str
    severity: str


class PlannedRun(Answer):
    """A run as it would be; `hyperparameters` are those that are set, the others the backend's to choose."""

    name: str
    why: str
    backend: str
    model: str
    method: str
    seed: int
    is_curated: bool
    examples: int
    hyperparameters: Content
    digest: str
    prediction: RunPrediction


class ExperimentPlan(Answer):
    """An experiment before it is kept. `problems`: everything that speaks against it; errors prevent it.

    `reserved_minor`: what all runs together are predicted to cost at most; `unpriced`: how many of them nobody can say
    it of. `left_of_cap_minor`: of the compute cap that was agreed; None where none was.
    """

    runs: list[PlannedRun]
    problems: list[RunProblem]
    can_start: bool
    reserved_minor: int
    unpriced: int
    metric: str
    currency: str
    left_of_cap_minor: int | None


class RunFailure(Answer):
    code: str
    message: str
    param: str
    remedy: str


class Incident(Answer):
    at: AwareDatetime
    code: str
    said: str


class Verdict(Answer):
    kind: str
    said: str
    since_step: int | None
    numbers: dict[str, float]


class Score(Answer):
    """Of a checkpoint on the validation split, with its 95% interval."""

    metric: str
    version: int
    value: float
    low: float
    high: float
    method: str
    items: int
    answers_sha256: str


class Checkpoint(Answer):
    id: str
    step: int
    model: str
    sha256: str | None
    valid_loss: float | None
    score: Score | None
    failure: str
    is_chosen: bool


class BaseScore(Answer):
    """A base model before training, on the rows that checkpoints are measured on. `score` None: not measured (yet);
    `failure` says why it was given up."""

    backend: str
    model: str
    score: Score | None
    failure: str


class PairedDifference(Answer):
    """A difference on the same items, with its 95% interval and the p of `test`; `is_shown`: both say that it is not
    chance."""

    difference: float
    low: float
    high: float
    p: float
    items: int
    test: str
    is_shown: bool


class Choice(Answer):
    """Why this one. `difference`, with its interval and p, to the runner-up, where the same items were answered;
    `against_base`: to the model before training, likewise."""

    reason: str
    runner_up: str | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    against_base: PairedDifference | None


class Usage(Answer):
    """`seen_tokens`: that went through, prompts included; `trained_tokens`: those of them with a label."""

    billed_tokens: int | None
    seen_tokens: int | None
    trained_tokens: int | None
    seconds: float | None
    device: str | None
    devices: int | None
    peak_memory_bytes: int | None


class Now(Answer):
    """What was last measured of a run; None: not measured."""

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


class TrainingRun(Versioned):
    """`said`: what it waits for, or what is wrong at the moment. `spent_minor` None: nobody knows (yet)."""

    engagement_id: str
    experiment_id: str
    number: int
    name: str
    why: str
    backend: str
    model: str
    method: str
    hyperparameters: Content
    seed: int
    is_curated: bool
    examples: int
    digest: str
    attempt: int
    retry_of: str | None
    state: str
    wish: str
    can_pause: bool
    said: str
    stopped_because: str
    reference: str
    provider_state: str
    failure: RunFailure | None
    incidents: list[Incident]
    prediction: RunPrediction
    now: Now
    usage: Usage
    currency: str
    reserved_minor: int | None
    spent_minor: int | None
    cost_id: str | None
    verdict: Verdict | None
    base: BaseScore | None
    checkpoints: list[Checkpoint]
    choice: Choice | None
    environment: dict[str, str]
    model_version_id: str | None
    evidence_id: str | None
    record_sha256: str | None
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None


class RunLine(Answer):
    """A run in a list or a comparison; `score` is that of the chosen checkpoint, or of the best so far."""

    id: str
    number: int
    name: str
    backend: str
    model: str
    method: str
    is_curated: bool
    hyperparameters: Content
    seed: int
    state: str
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


class Experiment(Versioned):
    """`reserved_minor`: held back for runs that have not ended; `spent_minor`: what ended ones cost, of which
    `unknown_costs` are not known. `decisions`: of successive halving, in order. `bases`: before training, once each."""

    engagement_id: str
    name: str
    dataset_version_id: str
    dataset_sha256: str
    metric: str
    design: str
    strategy: str
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
    state: str
    bases: list[BaseScore]
    runs: list[RunLine]
    rung: int
    decisions: list[Content]
    chosen_run_id: str | None
    choice: Choice | None
    error: str
    created_by: str
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None


class Comparison(Answer):
    """Runs of one engagement beside each other. `differs`: the knobs in which they are not alike, by name."""

    runs: list[RunLine]
    differs: list[str]


class RunEvent(Answer):
    """`number` counts from 1 in its run; `not_finite`: measures that were no numbers."""

    number: int
    id: str
    at: AwareDatetime
    kind: str
    level: str
    message: str
    step: int | None
    metrics: dict[str, float | int | None] | None
    not_finite: list[str]
    data: Content


class RunEvents(Answer):
    """`next`: the number to ask after for what comes then."""

    items: list[RunEvent]
    next: int


class CurvePoint(Answer):
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


class RunCurve(Answer):
    """`points` in the order of steps, thinned where there are many: every one with a validation loss is kept."""

    run_id: str
    points: list[CurvePoint]
    measured: int


class ModelVersion(Versioned):
    """A model that a run gave. `is_candidate`: the one that its experiment chose."""

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
    created_at: AwareDatetime


class CatalogueModel(Answer):
    """A model as the price book has it, to be trained or asked. Prices are US dollars; None: nobody publishes it."""

    provider: str
    model: str
    aliases: list[str]
    objectives: list[str]
    tuning: str
    training_usd: str | None
    training_unit: str
    input_usd_mtok: str | None
    output_usd_mtok: str | None
    max_example_tokens: int | None
    licence: str | None
    new_jobs_until: date | None
    takes_new_jobs: bool
    shutdown: date | None
    backends: list[str]
    as_of: str
    source: str


class CatalogueBackend(Answer):
    """What is set up here. `problem`: why it cannot be used at the moment; its capabilities are unknown then."""

    name: str
    kind: str
    provider: str
    gpu: str
    methods: list[str]
    adapters: list[str]
    hyperparameters: list[str]
    formats: dict[str, str]
    can_pause: bool
    is_local: bool
    at_once: int | None
    problem: str


class Catalogue(Answer):
    backends: list[CatalogueBackend]
    models: list[CatalogueModel]
