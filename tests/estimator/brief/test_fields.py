"""Every field of a brief is explained in the packaged one, and every field that is no wording moves a result."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Final

import pytest
from pydantic import BaseModel

from estimator import Brief, Estimate
from estimator.brief.example import example_brief
from estimator.plain import estimate_as_plain

EXAMPLE = example_brief(date(2026, 11, 22))
EstimateOf = Callable[..., Estimate]
BriefOf = Callable[..., Brief]

OF_PROVIDER = {"provider": "together", "model": "llama-3.1-8b"}
OF_OURS = {"provider": "own", "model": "llama-3.1-8b", "gpu": "A100-80GB", "gpus": 8}
ALL_AT_ONCE = {"name": "All", "gate": 0, "percent": 100}

MOVES: Final[Mapping[str, object]] = {
    "client.region": "BY",
    "project.start": "2027-01-11",
    "project.decision_by": "2026-11-21",
    "project.serving_months": 12,
    "task.kind": "reasoning",
    "task.metric": "replies nobody touched",
    "task.target_percent": 85,
    "task.baseline_percent": 70,
    "task.baseline_source": "estimated",
    "task.baseline_items": 90,
    "task.human_percent": 80,
    "task.stop_at_percent": 78,
    "task.languages": ["de"],
    "fit.instructions": "enough",
    "fit.few_shot": "good",
    "fit.prompt_optimised": False,
    "fit.retrieval_tried": False,
    "fit.needs_facts": True,
    "fit.facts_change": "daily",
    "fit.needs_citations": True,
    "fit.consistent_format": False,
    "fit.house_style": False,
    "fit.domain_language": False,
    "fit.hard_to_describe": False,
    "fit.latency_critical": False,
    "fit.cost_critical": True,
    "fit.behaviour_changes": "monthly",
    "data.examples": 3_300,
    "data.prompt_tokens": 400,
    "data.answer_tokens": 200,
    "data.quality": "raw",
    "data.owner": "Somebody Else",
    "data.licence_clear": False,
    "data.validation_percent": 5,
    "data.test_percent": 10,
    "data.labelling.examples": 3_500,
    "data.labelling.new": 300,
    "data.labelling.minutes_per_example.low": 1,
    "data.labelling.minutes_per_example.likely": 3,
    "data.labelling.minutes_per_example.high": 6,
    "data.labelling.annotators": 1,
    "data.labelling.overlap_percent": 20,
    "data.labelling.raters": 3,
    "data.labelling.reject_percent": 20,
    "data.labelling.disagree_percent": 20,
    "data.labelling.adjudication_minutes": 8,
    "data.labelling.guideline_hours": 20,
    "training.objective": "dpo",
    "training.tuning": "full",
    "training.epochs": 2,
    "training.runs.low": 2,
    "training.runs.likely": 6,
    "training.runs.high": 12,
    "training.failed_run_percent": 30,
    "training.evaluations_per_run": 5,
    "training.packing": False,
    "training.max_length": 256,
    "training.micro_batch": 8,
    "training.lora_rank": 64,
    "training.routes[1].provider": "fireworks",
    "training.routes[1].model": "llama-3.1-70b",
    "training.routes[1].tuning": "full",
    "training.routes[4].gpu": "A100-80GB",
    "training.routes[4].gpus": 2,
    "traffic.requests_per_month": 70_000,
    "traffic.base_model": "openai/gpt-4o",
    "traffic.base_prompt_tokens": 5_000,
    "traffic.tuned_prompt_tokens": 300,
    "traffic.output_tokens": 250,
    "traffic.cached_prefix_tokens": 2_000,
    "traffic.cache_hit_percent": 20,
    "traffic.utilisation_percent": 20,
    "traffic.adapter_penalty_percent": 0,
    "traffic.operations_per_month": "900",
    "drivers.data_cleanup": "very_high",
    "drivers.label_complexity": "very_high",
    "drivers.regulation": "very_high",
    "drivers.security": "very_high",
    "drivers.evaluation_rigour": "very_high",
    "drivers.client_response_time": "very_high",
    "drivers.integrations": 3,
    "commercial.currency": "CHF",
    "commercial.exchange.usd_per_unit": "1.20",
    "commercial.exchange.as_of": "2026-01-02",
    "commercial.pricing": "time_and_materials",
    "commercial.margin_percent": 30,
    "commercial.tax[1].name": "MWSt.",
    "commercial.tax[1].percent": 7,
    "commercial.budget": "50000",
    "commercial.cost_per_h.ml_engineer": "120",
    "commercial.review_days.low": 2,
    "commercial.review_days.likely": 4,
    "commercial.review_days.high": 9,
    "commercial.management_months": 6,
    "commercial.retrain_every_months": 3,
    "commercial.retainer_discount_percent": 20,
    "commercial.optional[1].name": "Facts",
    "commercial.optional[1].why": "Because.",
    "commercial.optional[1].hours.ml_engineer.low": 20,
    "commercial.optional[1].hours.ml_engineer.likely": 50,
    "commercial.optional[1].hours.ml_engineer.high": 90,
    "value.reviewed_percent": 50,
    "value.minutes_saved.low": 0.3,
    "value.minutes_saved.likely": 0.6,
    "value.minutes_saved.high": 1.2,
    "value.labour_cost_per_hour": "40",
    "value.cost_per_error": "0.80",
    "value.ramp_months": 4,
    "value.discount_rate_percent": 12,
}
"""Another value of each field of the packaged brief, of which the estimate must take notice."""

MOVES_WHERE_IT_MATTERS: Final[list[tuple[str, object, Mapping[str, object]]]] = [
    ("client.country", "AT", {"client.region": None}),
    ("training.rft_hours", 10, {"training.objective": "rft", "training.rft_hours": 5}),
    ("training.routes[1].gpu_provider", "lambda", {"training.routes": [OF_OURS]}),
    ("commercial.discount_percent", 20, {"commercial.discount_reason": "the first engagement"}),
    ("commercial.milestones[1].name", "Start", {"commercial.milestones": [ALL_AT_ONCE]}),
    ("commercial.milestones[1].gate", 5, {"commercial.milestones": [ALL_AT_ONCE]}),
    (
        "commercial.milestones",
        [{**ALL_AT_ONCE, "percent": 40}, {**ALL_AT_ONCE, "gate": 5, "percent": 60}],
        {"commercial.milestones": [{**ALL_AT_ONCE, "percent": 50}, {**ALL_AT_ONCE, "gate": 5, "percent": 50}]},
    ),
    (
        "commercial.value_share_percent",
        60,
        {"commercial.pricing": "value", "commercial.budget": None, "traffic.requests_per_month": 10**6},
    ),
]
"""Fields that speak only beside others: what stands around them, and another value."""

WORDING: Final = re.compile(
    r"client\.(?!country|region)\w+|project\.(title|problem|affected|magnitude|why_now|tried_before)|task\.summary"
    r"|(criteria|assumptions|exclusions|risks)\.\w+|data\.(origin|personal_data)"
    r"|commercial\.(exchange\.source|discount_reason|valid_days|included_rounds|warranty_days)"
)
"""What a proposal prints and no estimate reads."""
READ_BEFORE: Final = {"schema", "data.dataset"}
"""The form of the brief, and the file that reaches an estimate as a count."""


def fields_of(model: type[BaseModel] = Brief, around: str = "") -> Iterator[str]:
    """Every field of a brief by its path, without the numbers of repeated sections."""
    for name, field in model.model_fields.items():
        path, section = f"{around}{field.alias or name}", None
        waiting: list[object] = [field.annotation]
        while waiting:
            annotation = waiting.pop()
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                section = annotation
            waiting += getattr(annotation, "__args__", ())
        yield from fields_of(section, f"{path}.") if section else [path]


def results_of(estimate: Estimate) -> str:
    """All an estimate says, without what only repeats the brief."""
    data = estimate_as_plain(estimate)
    del data["brief"]
    data["figures"] = [figure for figure in data["figures"] if not figure["key"].startswith("brief.")]
    return json.dumps(data, sort_keys=True)


@pytest.mark.parametrize("field", sorted(fields_of()))
def test_every_field_is_explained_by_the_packaged_brief(field: str) -> None:
    name = re.sub(r"\.(low|likely|high)$", "", field).rpartition(".")[2]
    assert re.search(rf"\b{name}\b", EXAMPLE)


def test_every_field_moves_a_result_or_is_wording() -> None:
    tried = {re.sub(r"\[\d+\]", "", field) for field in [*MOVES, *(field for field, _, _ in MOVES_WHERE_IT_MATTERS)]}
    by_role = re.compile(r"(commercial\.cost_per_h|commercial\.optional\.hours)\.\w+")
    tried = {by_role.sub(r"\1", field) for field in tried}
    silent = {field for field in fields_of() if field not in tried and not WORDING.fullmatch(field)}
    assert silent == READ_BEFORE | {"commercial.milestones.percent"}


@pytest.mark.parametrize(
    ("field", "value", "around"), [*((field, value, {}) for field, value in MOVES.items()), *MOVES_WHERE_IT_MATTERS]
)
def test_a_field_that_is_changed_changes_what_is_said(
    example_of: BriefOf, estimate_of: EstimateOf, field: str, value: object, around: Mapping[str, object]
) -> None:
    before, after = example_of(around), example_of({**around, field: value})
    assert results_of(estimate_of(before, draws=200)) != results_of(estimate_of(after, draws=200))


@pytest.mark.parametrize("field", ["client.name", "project.problem", "commercial.valid_days"])
def test_wording_changes_nothing_that_is_computed(example_of: BriefOf, estimate_of: EstimateOf, field: str) -> None:
    changed = example_of({field: 45 if field.endswith("days") else "Another"})
    assert results_of(estimate_of(changed, draws=200)) == results_of(estimate_of(example_of(), draws=200))
