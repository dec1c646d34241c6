"""Briefs to price: a plain one whose numbers can be worked out by hand, and the packaged example."""

from collections.abc import Callable, Mapping
from datetime import date

import pytest

from estimator import Brief, Estimate, PriceBook, estimate, read_brief
from estimator.brief.example import example_brief
from estimator.what_if import with_value

TODAY = date(2026, 11, 22)

# 2,000 examples of 500 tokens: 1,600 train, 200 validate, 200 test; 800,000 training tokens an epoch, 2.4 M a run.
PLAIN = """
schema = 1
[client]
name = "Acme"
country = "US"
[project]
title = "Replies"
problem = "Drafts are rewritten."
start = 2027-02-01
serving_months = 12
[task]
kind = "style"
summary = "Draft a reply."
metric = "drafts sent unchanged"
target_percent = 90
[data]
examples = 2000
prompt_tokens = 387
answer_tokens = 100
validation_percent = 10
test_percent = 10
[training]
epochs = 3
runs = 5
failed_run_percent = 20
max_length = 1024
routes = [{ provider = "together", model = "llama-3.1-8b" }]
[traffic]
requests_per_month = 10000
base_model = "openai/gpt-4o-mini"
base_prompt_tokens = 1000
tuned_prompt_tokens = 200
output_tokens = 200
[commercial]
currency = "USD"
[commercial.cost_per_h]
delivery_lead = "90"
ml_engineer = "100"
data_engineer = "80"
mlops_engineer = "90"
annotation_lead = "60"
annotator = "25"
"""

Changes = Mapping[str, object]
BriefOf = Callable[..., Brief]
EstimateOf = Callable[..., Estimate]


def _changed(brief: Brief, changes: Changes) -> Brief:
    for field, value in changes.items():
        brief = with_value(brief, field, value)
    return brief


@pytest.fixture(scope="session")
def book() -> PriceBook:
    return PriceBook.load()


@pytest.fixture(scope="session")
def today() -> date:
    return TODAY


@pytest.fixture(scope="session")
def brief_of() -> BriefOf:
    """The plain brief with the fields of a mapping changed: `brief_of({"training.packing": False})`."""
    plain = read_brief(PLAIN)
    return lambda changes=None: _changed(plain, changes or {})


@pytest.fixture(scope="session")
def example_of() -> BriefOf:
    """The packaged example with the fields of a mapping changed."""
    example = read_brief(example_brief(TODAY))
    return lambda changes=None: _changed(example, changes or {})


@pytest.fixture(scope="session")
def estimate_of(book: PriceBook) -> EstimateOf:
    """The estimate of a brief as of today; a thousand draws are enough for what is exact."""

    def run(brief: Brief, *, seed: int = 7, draws: int = 1_000, on: date = TODAY, prices: PriceBook = book) -> Estimate:
        return estimate(brief, prices, on=on, seed=seed, draws=draws)

    return run
