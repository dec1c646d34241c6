"""Checks flag and never stop: shares of the work, the typical price, dates, budget, old rates."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator import Brief, Estimate
from estimator.checks import check_shares
from estimator.phases import Phase
from estimator.sunset import Standing

BriefOf = Callable[..., Brief]
EstimateOf = Callable[..., Estimate]
USUAL = {
    Phase.DATA_PREPARATION: 50, Phase.BASELINE_EVALUATION: 10, Phase.TRAINING: 5, Phase.EVALUATION: 12,
    Phase.DEPLOYMENT: 15, Phase.MANAGEMENT: 8,
}  # fmt: skip

WORTH = {"value.minutes_saved": 2, "value.labour_cost_per_hour": "48"}


def shares(hours: dict[Phase, float]) -> dict[str, bool]:
    return {check.name: check.usual for check in check_shares({phase: {"x": h} for phase, h in hours.items()})}


def flagged(estimate: Estimate) -> dict[str, str]:
    assert all(finding.standing is Standing.FLAGGED for finding in estimate.findings)
    return {finding.code: finding.message for finding in estimate.findings}


def test_the_method_s_shares_are_normalised_to_the_whole() -> None:
    """40-60, 20-30 and 10-20 % have midpoints that sum to 90 %."""
    checks = check_shares({phase: {"x": float(hours)} for phase, hours in USUAL.items()})
    assert [(check.low, check.high) for check in checks] == [
        (Decimal("44.4"), Decimal("66.7")),
        (Decimal("22.2"), Decimal("33.3")),
        (Decimal("11.1"), Decimal("22.2")),
    ]
    assert [check.share for check in checks] == [50, 27, 23]


def test_usual_shares_pass_and_unusual_ones_do_not() -> None:
    usual = USUAL | {Phase.MANAGEMENT: 5}
    assert set(shares(usual).values()) == {True}
    assert shares(usual | {Phase.DATA_PREPARATION: 10})["data preparation"] is False


@given(st.dictionaries(st.sampled_from(list(Phase)), st.floats(0.1, 10_000), min_size=1))
def test_shares_sum_to_a_hundred(hours: dict[Phase, float]) -> None:
    assert abs(sum(check.share for check in check_shares({p: {"x": h} for p, h in hours.items()})) - 100) <= Decimal(
        "0.15"
    )


def test_the_packaged_example_is_a_usual_engagement(example_of: BriefOf, estimate_of: EstimateOf) -> None:
    estimate = estimate_of(example_of())
    assert all(check.usual for check in estimate.shares)
    assert {"shares.unusual", "price.unusual", "budget.exceeded", "date.in_past"}.isdisjoint(flagged(estimate))


def test_a_plain_brief_raises_no_flag(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    assert set(flagged(estimate_of(brief_of(WORTH)))) <= {"shares.unusual", "base.shutdown", "base.stale"}


def test_a_price_outside_the_typical_range_is_flagged_in_dollars(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    cheap = dict.fromkeys(("delivery_lead", "ml_engineer", "data_engineer", "mlops_engineer", "annotation_lead"), "20")
    low = flagged(estimate_of(brief_of({f"commercial.cost_per_h.{role}": rate for role, rate in cheap.items()})))
    assert "outside the typical 25,000-100,000 USD" in low["price.unusual"]


def test_a_price_in_yen_is_judged_in_dollars(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    rates = {f"commercial.cost_per_h.{role}": "15000" for role in brief_of().commercial.cost_per_h}
    yen = {"usd_per_unit": "0.0066", "as_of": "2026-11-20", "source": "reference rate"}
    estimate = estimate_of(brief_of({"commercial.exchange": yen, "commercial.currency": "JPY", **rates}))
    assert estimate.quote.recommended.net.amount > 100_000
    assert "price.unusual" not in flagged(estimate)


def test_a_price_above_the_budget_is_flagged(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    price = estimate_of(brief_of()).quote.recommended.net.amount
    assert "budget.exceeded" not in flagged(estimate_of(brief_of({"commercial.budget": price})))
    message = flagged(estimate_of(brief_of({"commercial.budget": price - Decimal("0.01")})))["budget.exceeded"]
    assert message.startswith(f"the Deliver option at {price} USD is above the budget")


def test_work_that_should_have_begun_is_flagged(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    dates = {"project.decision_by": "2027-01-15"}
    late = flagged(estimate_of(brief_of(dates), on=date(2027, 2, 2)))
    assert "date.in_past" in late
    assert "date.in_past" not in flagged(estimate_of(brief_of(dates), on=date(2027, 1, 15)))


def test_packaged_hourly_costs_are_told_where_no_own_ones_are_stated(
    brief_of: BriefOf, estimate_of: EstimateOf
) -> None:
    own = dict.fromkeys(("delivery_lead", "ml_engineer", "data_engineer", "mlops_engineer", "annotation_lead"), "90")
    labelling = {"data.labelling": {"examples": 500, "minutes_per_example": 2}}
    message = flagged(estimate_of(brief_of({"commercial.cost_per_h": own, **labelling})))["rates.stale"]
    assert message == "hourly costs older than 90 days stand in for Annotator (2023)"
    assert "rates.stale" not in flagged(estimate_of(brief_of({"commercial.cost_per_h": own})))


@pytest.mark.parametrize(("as_of", "stale"), [("2026-11-22", False), ("2026-08-24", False), ("2026-08-23", True)])
def test_an_exchange_rate_older_than_ninety_days_is_flagged(
    brief_of: BriefOf, estimate_of: EstimateOf, as_of: str, stale: bool
) -> None:
    exchange = {"usd_per_unit": "1.08", "as_of": as_of, "source": "reference rate"}
    estimate = estimate_of(brief_of({"commercial.exchange": exchange, "commercial.currency": "EUR"}))
    assert ("exchange.stale" in flagged(estimate)) is stale


@pytest.mark.parametrize(
    ("code", "changes", "said"),
    [
        ("payback.never", {"traffic.requests_per_month": 10, **WORTH}, "is not paid back by its end"),
        ("value.floor", {"commercial.pricing": "value"}, "the fixed price, which is what is quoted"),
        ("target.above_human", {"task.human_percent": 85}, "the target of 90 % lies above the 85 % that people reach"),
        ("stop.above_target", {"task.stop_at_percent": 95}, "would have to reach 95 % to end the work, and 90 % is"),
        ("care.beyond_service", {"project.serving_months": 6}, "Run holds 12 months of care for 6 of service"),
        ("base.stale", {}, "the price of openai/gpt-4o-mini, which serving is held against, is dated 2025-11"),
        (
            "milestones.ahead",
            {"commercial.milestones": [{"name": "All", "gate": 1, "percent": 100}]},
            "fall due by gate 2, and stopping there costs",
        ),
        (
            "exchange.unused",
            {"commercial.exchange": {"usd_per_unit": "1.08", "as_of": "2026-11-20", "source": "reference rate"}},
            "the brief is in USD",
        ),
    ],
)
def test_what_a_person_should_look_at_is_said(
    brief_of: BriefOf, estimate_of: EstimateOf, code: str, changes: dict[str, object], said: str
) -> None:
    assert said in flagged(estimate_of(brief_of(changes)))[code]


def test_what_is_as_it_should_be_is_not_flagged(example_of: BriefOf, estimate_of: EstimateOf) -> None:
    """It pays back, promises less than people reach, and bills no more by gate 2 than stopping costs."""
    assert set(flagged(estimate_of(example_of()))) == {"route.refused", "route.unknown"}


def test_an_unknown_prompted_alternative_says_what_to_add(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    estimate = estimate_of(brief_of({"traffic.base_model": "openai/gpt-99"}))
    unknown = next(finding for finding in estimate.findings if finding.code == "base.unknown")
    assert unknown.standing is Standing.UNKNOWN
    assert "add [[inference]]" in unknown.remedy
    assert estimate.base_serving.monthly.value is None
