"""What if? One field changed, estimates side by side."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from estimator import Brief, Estimate
from estimator.errors import BriefInvalid, CurrencyMismatch
from estimator.what_if import Comparison, Row, compare, vary, with_value

BriefOf = Callable[..., Brief]
EstimateOf = Callable[..., Estimate]
ROWS = [
    "verdict", "route", "run", "programme", "serving", "base_serving", "cost_p50", "cost_p80", "prove", "deliver",
    "run_option", "days_p50", "go_live", "go_live_p80", "npv_low", "npv_expected", "payback",
]  # fmt: skip


def row(comparison: Comparison, key: str) -> Row:
    return next(row for row in comparison.rows if row.key == key)


def test_two_estimates_stand_side_by_side_with_their_differences(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    """At a margin of 50 % instead of 40 % a price rises by a fifth."""
    comparison = compare(
        {"now": estimate_of(brief_of()), "dearer": estimate_of(brief_of({"commercial.margin_percent": 50}))}
    )
    assert comparison.names == ("now", "dearer")
    assert [row.key for row in comparison.rows] == ROWS
    price = row(comparison, "deliver")
    assert (price.unit, price.differences[0]) == ("USD", 0)
    now, dearer = price.values
    assert isinstance(now, Decimal)
    assert isinstance(dearer, Decimal)
    assert abs(dearer / now - Decimal("1.2")) < Decimal("1e-6")
    assert price.differences[1] == dearer - now
    assert row(comparison, "cost_p50").differences[1] == 0


def test_words_and_days_have_no_difference_and_unknown_stays_unknown(
    brief_of: BriefOf, estimate_of: EstimateOf
) -> None:
    refused = brief_of({"training.routes": [{"provider": "openai", "model": "gpt-4o-mini"}]})
    comparison = compare({"a": estimate_of(brief_of()), "b": estimate_of(refused)})
    assert row(comparison, "route").values[1] == "none left"
    assert row(comparison, "deliver").values[1] is None
    assert row(comparison, "deliver").differences[1] is None
    assert row(comparison, "go_live").differences == (None, None)
    assert row(comparison, "days_p50").differences == (0, 0)


def test_prices_of_two_currencies_are_not_compared(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    exchange = {"usd_per_unit": "1.08", "as_of": "2026-11-20", "source": "reference rate"}
    euro = brief_of({"commercial.exchange": exchange, "commercial.currency": "EUR"})
    with pytest.raises(CurrencyMismatch, match="the briefs are in EUR, USD"):
        compare({"a": estimate_of(brief_of()), "b": estimate_of(euro)})


def test_one_input_varied_shows_what_it_moves(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    comparison = vary(brief_of(), "traffic.requests_per_month", [10_000, 1_000_000], estimate_of)
    assert comparison.names == ("traffic.requests_per_month = 10000", "traffic.requests_per_month = 1000000")
    # 10,000 requests at 1,000 x 0.15 and 200 x 0.60 per million.
    assert row(comparison, "base_serving").values == (Decimal("2.7"), Decimal(270))
    assert row(comparison, "deliver").differences[1] == 0


def test_a_payback_that_never_comes_is_a_word(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    comparison = compare({"a": estimate_of(brief_of())})
    assert row(comparison, "payback").values == ("never",)


def test_a_payback_nobody_can_know_is_unknown_and_not_never(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    comparison = compare({"a": estimate_of(brief_of({"traffic.base_model": "openai/gpt-99"}))})
    assert row(comparison, "payback").values == (None,)


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("traffic.requests_per_month", 5, lambda brief: brief.traffic.requests_per_month == 5),
        ("training.routes[1].model", "qwen3-8b", lambda brief: brief.training.routes[0].model == "qwen3-8b"),
        (
            "training.routes[1]",
            {"provider": "tinker", "model": "qwen3-8b"},
            lambda brief: brief.training.routes[0].provider == "tinker",
        ),
        ("training.runs", {"low": 1, "likely": 2, "high": 3}, lambda brief: brief.training.runs.high == 3),
        ("commercial.cost_per_h.ml_engineer", "120", lambda brief: brief.commercial.cost_per_h["ml_engineer"] == 120),
        ("commercial.budget", Decimal("1234.50"), lambda brief: brief.commercial.budget == Decimal("1234.50")),
        ("project.start", date(2027, 3, 1), lambda brief: brief.project.start == date(2027, 3, 1)),
        ("data.labelling", {"examples": 9, "minutes_per_example": 1}, lambda brief: brief.data.labelling is not None),
    ],
)
def test_one_field_is_changed_and_all_else_stays(
    brief_of: BriefOf, field: str, value: object, read: Callable[[Brief], bool]
) -> None:
    before = brief_of()
    changed = with_value(before, field, value)
    assert read(changed)
    assert not read(before)
    section = field.partition(".")[0]
    assert changed.model_copy(update={section: getattr(before, section)}) == before


@pytest.mark.parametrize(
    "field",
    ["", "traffic..x", "nowhere.at.all", "training.routes[0]", "training.routes[2].gpus", "training.routes[2]",
     "data.labelling.examples", "traffic[1]", "traffic.requests_per_month.more", "traffic.requests per month"],
)  # fmt: skip
def test_a_field_no_brief_has_is_refused_by_name(brief_of: BriefOf, field: str) -> None:
    with pytest.raises(BriefInvalid) as refusal:
        with_value(brief_of(), field, 1)
    assert [problem.code for problem in refusal.value.problems] == ["unknown_field"]


def test_a_misspelt_field_is_refused_with_the_one_it_may_mean(brief_of: BriefOf) -> None:
    with pytest.raises(BriefInvalid, match="did you mean requests_per_month"):
        with_value(brief_of(), "traffic.request_per_month", 5)


@pytest.mark.parametrize("value", [-1, "many", float("nan"), 1e300, None])
def test_a_value_that_does_not_fit_is_refused(brief_of: BriefOf, value: object) -> None:
    with pytest.raises(BriefInvalid):
        with_value(brief_of(), "traffic.requests_per_month", value)
