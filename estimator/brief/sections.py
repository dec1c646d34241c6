"""What a client's brief says, section by section. Leaving an answer out means "unknown", and is treated as such."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from estimator.brief.fields import (
    Amount,
    Count,
    Currency,
    Day,
    Name,
    Percent,
    Prose,
    Quantity,
    Section,
    ThreePoint,
    refusal,
)
from estimator.prices.rows import Objective, Tuning

SCHEMA: Final = 1
"""The version of the brief's form; a brief of another version is refused, never guessed at."""


class TaskKind(StrEnum):
    """What the model is to do, as far as it decides how many examples are needed (seed, phase 1)."""

    CLASSIFICATION = "classification"
    EXTRACTION = "extraction"
    STYLE = "style"
    DOMAIN = "domain"
    REASONING = "reasoning"


class Level(StrEnum):
    """How far a driver stands from the usual engagement."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    VERY_HIGH = "very_high"


class PricingModel(StrEnum):
    FIXED = "fixed"
    TIME_AND_MATERIALS = "time_and_materials"
    RETAINER = "retainer"
    VALUE = "value"


def _named_method(tuning: Tuning) -> Tuning:
    if tuning is Tuning.HOSTED:
        message = "'hosted' is what a price list calls a method it does not name"
        raise refusal("tuning.not_named", message, "write lora, qlora or full")
    return tuning


TuningAsked = Annotated[Tuning, AfterValidator(_named_method)]
"""How we ask for a model to be tuned."""


class Client(Section):
    """Who asks. `country` (ISO 3166 alpha-2) and `region` decide the public holidays."""

    name: Name
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    region: Annotated[str, Field(max_length=6)] | None = None
    legal_name: Name | None = None
    industry: Name | None = None
    address: Prose | None = None
    registration: Name | None = None
    vat_id: Name | None = None
    purchase_order: Name | None = None
    contact_name: Name | None = None
    contact_role: Name | None = None
    contact_email: Annotated[str, Field(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$")] | None = None


class Project(Section):
    """Why, since when, and for how long."""

    title: Name
    problem: Prose
    start: Day
    affected: Prose | None = None
    magnitude: Prose | None = None
    why_now: Prose | None = None
    tried_before: tuple[Prose, ...] = ()
    decision_by: Day | None = None
    serving_months: Annotated[Count, Field(ge=1, le=120)] = 24

    @model_validator(mode="after")
    def _decide_before_starting(self) -> Self:
        if self.decision_by and self.decision_by > self.start:
            message = f"the decision on {self.decision_by} comes after the start on {self.start}"
            raise refusal("date.order", message, "start later or decide earlier")
        return self


class Task(Section):
    """What the model does, how it is measured, where it stands and where it must get."""

    kind: TaskKind
    summary: Prose
    metric: Name
    target_percent: Percent
    baseline_percent: Percent | None = None
    baseline_source: Literal["measured", "estimated"] | None = None
    baseline_items: Annotated[Count, Field(ge=1)] | None = None
    human_percent: Percent | None = None
    stop_at_percent: Percent | None = None
    languages: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")], ...], Field(min_length=1)
    ] = ("en",)

    @model_validator(mode="after")
    def _each_language_once(self) -> Self:
        if len(set(self.languages)) < len(self.languages):
            message = f"{', '.join(self.languages)} names a language twice, and each costs work"
            raise refusal("languages.twice", message, "name each language once")
        return self


class Criterion(Section):
    """One line of the acceptance contract beyond the main metric. `items` is how many test items it is judged on."""

    tier: Literal["must", "should", "stretch"]
    metric: Name
    threshold_percent: Percent
    items: Annotated[Count, Field(ge=1)]
    operator: Literal["at_least", "at_most"] = "at_least"


class FitAnswers(Section):
    """What decides between a prompt, retrieval and fine-tuning. Leave out what nobody knows yet."""

    instructions: Literal["enough", "partly", "not_enough"] | None = None
    few_shot: Literal["good", "close", "poor"] | None = None
    prompt_optimised: bool | None = None
    retrieval_tried: bool | None = None
    needs_facts: bool | None = None
    facts_change: Literal["never", "yearly", "monthly", "weekly", "daily"] | None = None
    needs_citations: bool | None = None
    consistent_format: bool | None = None
    house_style: bool | None = None
    domain_language: bool | None = None
    hard_to_describe: bool | None = None
    latency_critical: bool | None = None
    cost_critical: bool | None = None
    behaviour_changes: Literal["rarely", "yearly", "quarterly", "monthly"] | None = None


class Labelling(Section):
    """What people still have to review or write (cost reference, section 6.3); `new` of the examples are written."""

    examples: Count
    new: Count = 0
    minutes_per_example: ThreePoint
    annotators: Annotated[Count, Field(ge=1)] = 2
    overlap_percent: Percent = Decimal(15)
    raters: Annotated[Count, Field(ge=2)] = 2
    reject_percent: Percent = Decimal(15)
    disagree_percent: Percent = Decimal(10)
    adjudication_minutes: Quantity = Decimal(5)
    guideline_hours: Quantity = Decimal(12)

    @model_validator(mode="after")
    def _new_ones_are_labelled_too(self) -> Self:
        if self.new > self.examples:
            message = f"{self.new} examples are to be written, but only {self.examples} are to be labelled in all"
            raise refusal("number.out_of_range", message, "count the new ones among data.labelling.examples")
        return self


class Data(Section):
    """The examples at hand. `dataset` is a JSONL file beside the brief; without it the averages are used."""

    examples: Count
    dataset: Annotated[str, Field(min_length=1, max_length=400)] | None = None
    prompt_tokens: Count | None = None
    answer_tokens: Count | None = None
    quality: Literal["raw", "cleaned", "reviewed", "gold"] | None = None
    owner: Name | None = None
    origin: Prose | None = None
    personal_data: bool | None = None
    licence_clear: bool | None = None
    validation_percent: Percent = Decimal(10)
    test_percent: Percent = Decimal(15)
    labelling: Labelling | None = None

    @model_validator(mode="after")
    def _something_is_left_to_train_on(self) -> Self:
        if self.validation_percent + self.test_percent >= 100:
            message = f"{self.validation_percent} % validation and {self.test_percent} % test leave nothing to train on"
            raise refusal("percent.out_of_range", message, "keep 70-80 % for training")
        return self


class Route(Section):
    """One way to train and serve: a provider's model, or an open model on GPUs of our own (`provider = "own"`)."""

    provider: Annotated[str, Field(pattern=r"^[a-z0-9\-]{1,40}$")]
    model: Name
    tuning: TuningAsked | None = None
    gpu: Name | None = None
    gpus: Annotated[Count, Field(ge=1, le=64)] = 1
    gpu_provider: Name | None = None

    @model_validator(mode="after")
    def _gpus_belong_to_own_routes(self) -> Self:
        if self.provider == "own" and self.gpu is None:
            raise refusal("route.gpu_missing", "a route on own GPUs names its GPU", 'add gpu = "A100-80GB", say')
        if self.provider != "own" and (self.gpu or self.gpu_provider or self.gpus > 1):
            message = f"{self.provider} trains on GPUs of its own choice"
            raise refusal("route.gpu_of_provider", message, 'leave the GPUs out, or write provider = "own"')
        return self


class Training(Section):
    """How we train. `runs` counts experiments; `routes` left empty asks for the usual ones."""

    objective: Objective = Objective.SFT
    tuning: TuningAsked = Tuning.LORA
    epochs: Literal["auto"] | Annotated[Count, Field(ge=1, le=50)] = "auto"
    runs: ThreePoint = ThreePoint.of(3, 5, 10)
    failed_run_percent: Percent = Decimal(15)
    evaluations_per_run: Count = 3
    packing: bool = True
    max_length: Annotated[Count, Field(ge=64, le=1_000_000)] = 4096
    micro_batch: Annotated[Count, Field(ge=1, le=1024)] = 4
    lora_rank: Annotated[Count, Field(ge=1, le=1024)] = 16
    rft_hours: Quantity | None = None
    routes: tuple[Route, ...] = ()


class Traffic(Section):
    """What production asks of the model each month, before and after tuning."""

    requests_per_month: Count
    base_model: Annotated[str, Field(pattern=r"^[a-z0-9\-]{1,40}/\S{1,100}$")] = "openai/gpt-6-luna"
    base_prompt_tokens: Count = 1_200
    tuned_prompt_tokens: Count = 250
    output_tokens: Count = 200
    cached_prefix_tokens: Count = 0
    cache_hit_percent: Percent = Decimal(0)
    utilisation_percent: Annotated[Percent, Field(gt=0)] = Decimal(40)
    adapter_penalty_percent: Annotated[Percent, Field(le=50)] = Decimal(25)
    operations_per_month: Amount = Decimal(0)

    @model_validator(mode="after")
    def _the_prefix_is_part_of_the_prompt(self) -> Self:
        if self.cached_prefix_tokens > self.base_prompt_tokens:
            message = f"a prefix of {self.cached_prefix_tokens} tokens is longer than the prompt it begins"
            raise refusal("number.out_of_range", message, "keep it within traffic.base_prompt_tokens")
        return self


class Drivers(Section):
    """What makes this engagement harder (`high`, `very_high`) or easier (`low`) than the usual one."""

    data_cleanup: Level = Level.NORMAL
    label_complexity: Level = Level.NORMAL
    regulation: Level = Level.NORMAL
    security: Level = Level.NORMAL
    evaluation_rigour: Level = Level.NORMAL
    client_response_time: Level = Level.NORMAL
    integrations: Annotated[Count, Field(le=20)] = 1


class Exchange(Section):
    """A dated exchange rate: one unit of the brief's currency in US dollars."""

    usd_per_unit: Annotated[Amount, Field(gt=0)]
    as_of: Day
    source: Name


class Tax(Section):
    name: Name
    percent: Percent


class Milestone(Section):
    """A share of the price of the delivery phases, due when a gate is passed; gate 0 is the acceptance itself."""

    name: Name
    gate: Annotated[Count, Field(le=5)]
    percent: Annotated[Percent, Field(gt=0)]


class OptionalLine(Section):
    """Work a client may add; it stands outside the total. `hours` by role."""

    name: Name
    why: Prose
    hours: Annotated[Mapping[str, ThreePoint], Field(min_length=1)]


DEFAULT_MILESTONES: Final = tuple(
    Milestone(name=name, gate=gate, percent=Decimal(percent))
    for name, gate, percent in (
        ("Deposit", 0, 15),
        ("Dataset sealed", 1, 15),
        ("Baseline agreed", 2, 10),
        ("Results accepted", 4, 30),
        ("In production", 5, 30),
    )
)
"""Behind the work until gate 2, so that a client who stops there has not paid more than the two phases cost."""


class Commercial(Section):
    """How we price. `cost_per_h` by role replaces our default rates, in the brief's currency."""

    currency: Currency
    exchange: Exchange | None = None
    pricing: PricingModel = PricingModel.FIXED
    margin_percent: Annotated[Percent, Field(lt=100)] = Decimal(40)
    discount_percent: Percent = Decimal(0)
    discount_reason: Prose | None = None
    tax: tuple[Tax, ...] = ()
    milestones: tuple[Milestone, ...] = DEFAULT_MILESTONES
    valid_days: Annotated[Count, Field(ge=1, le=365)] = 30
    budget: Amount | None = None
    cost_per_h: Mapping[str, Amount] = {}
    included_rounds: Annotated[Count, Field(ge=1, le=20)] = 2
    review_days: ThreePoint = ThreePoint.of(1, 3, 7)
    management_months: Annotated[Count, Field(ge=1, le=36)] = 3
    retrain_every_months: Annotated[Count, Field(ge=1, le=60)] = 6
    retainer_discount_percent: Percent = Decimal(0)
    value_share_percent: Percent = Decimal(20)
    warranty_days: Annotated[Count, Field(ge=1, le=365)] = 30
    optional: tuple[OptionalLine, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.currency != "USD" and self.exchange is None:
            message = f"compute is priced in USD and this brief in {self.currency}"
            remedy = 'add [commercial.exchange] with usd_per_unit = "1.08", as_of and source'
            raise refusal("exchange.missing", message, remedy)
        summed = sum((milestone.percent for milestone in self.milestones), Decimal(0))
        if self.milestones and summed != 100:
            raise refusal("money.total_mismatch", f"the milestones sum to {summed} %", "make them sum to 100")
        if self.discount_percent and not self.discount_reason:
            raise refusal("discount.reason_missing", "a discount needs a reason", "add discount_reason")
        return self


class Value(Section):
    """What the result is worth to the client; the basis of the return on investment."""

    reviewed_percent: Percent = Decimal(100)
    minutes_saved: ThreePoint | None = None
    labour_cost_per_hour: Amount | None = None
    cost_per_error: Amount | None = None
    ramp_months: Annotated[Count, Field(le=24)] = 2
    discount_rate_percent: Percent = Decimal(10)


class Assumption(Section):
    """A statement the price stands on, what would falsify it, and what follows then."""

    statement: Prose
    threshold: Prose
    if_false: Prose
    owner: Name = "Client"
    validate_by: Name = "gate 1"


class Exclusion(Section):
    what: Prose
    why: Prose


class Risk(Section):
    what: Prose
    probability: Level
    impact: Level
    mitigation: Prose
    owner: Name


class Brief(Section):
    """A client's brief, whole; `estimator.brief.read_brief` reads it with all its problems in one pass."""

    schema_version: Annotated[int, Field(alias="schema")] = SCHEMA
    client: Client
    project: Project
    task: Task
    criteria: tuple[Criterion, ...] = ()
    fit: FitAnswers = FitAnswers()
    data: Data
    training: Training = Training()
    traffic: Traffic
    drivers: Drivers = Drivers()
    commercial: Commercial
    value: Value = Value()
    assumptions: tuple[Assumption, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    risks: tuple[Risk, ...] = ()

    @model_validator(mode="after")
    def _of_this_version(self) -> Self:
        if self.schema_version != SCHEMA:
            raise refusal("schema.unknown", f"schema {self.schema_version} is not known", f"write schema = {SCHEMA}")
        return self
