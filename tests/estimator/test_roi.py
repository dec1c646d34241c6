"""Benefit, payback and present value by hand; what nobody knows is named; the break-even volume is worth nothing."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator import Brief, Estimate, PriceBook
from estimator.figures import Figure
from estimator.figures import given as stated
from estimator.inference import Fleet, ServingOption, gpu_option
from estimator.roi import (
    Case,
    Outlay,
    Roi,
    ServingChange,
    Timing,
    expected_benefit,
    monthly_discount_rate,
    months_of,
    payback_month,
    present_value,
    return_on_investment,
    timing_of,
)

BriefOf = Callable[..., Brief]
EstimateOf = Callable[..., Estimate]
# 10,000 requests a month, all of them reviewed, a minute saved at 60 USD an hour: 10,000 USD a month.
MINUTES = {"value.minutes_saved": {"low": 0.5, "likely": 1, "high": 2}, "value.labour_cost_per_hour": "60"}
SURE = {**MINUTES, "value.ramp_months": 0, "value.discount_rate_percent": 0}
TIMING = Timing(go_live_p50=2, go_live_p80=3, horizon=12, horizon_reason="the planned end of service")


def usd(key: str, value: int | str | Decimal | None) -> Figure:
    return stated(key, value, "USD", source="test")


def per_token(key: str, fixed: int, per_request: str | None, requests: int = 10_000) -> ServingOption:
    monthly = None if per_request is None else fixed + requests * Decimal(per_request)
    return ServingOption(
        key=key, name=key, fixed_month=usd(f"{key}.fixed", fixed), per_request=usd(f"{key}.per_request", per_request),
        monthly=usd(f"{key}.monthly", monthly),
    )  # fmt: skip


SAME = ServingChange(base=per_token("base", 0, "0.01"), tuned=per_token("tuned", 0, "0.01"))


def outlay(
    price: int = 60_000, care: int = 400, paid: int = 3, retraining: int = 600, every: int = 6, cap: int | None = None
) -> Outlay:
    return Outlay(
        price=usd("price", price), price_at_most=usd("cap", price if cap is None else cap),
        management_per_month=usd("care", care), management_paid_months=paid,
        retraining=usd("retraining", retraining), retrain_every_months=every,
    )  # fmt: skip


def returns(brief: Brief, *, serving: ServingChange = SAME, timing: Timing = TIMING, **paid: int) -> Roi:
    return return_on_investment(brief, outlay=outlay(**paid), serving=serving, timing=timing)


def test_ten_percent_a_year_are_797_thousandths_of_a_percent_a_month() -> None:
    assert round(monthly_discount_rate(Decimal("0.10")) * 100, 3) == Decimal("0.797")
    assert abs((1 + monthly_discount_rate(Decimal("0.10"))) ** 12 - Decimal("1.1")) < Decimal("1e-24")


def test_the_present_value_of_a_small_case() -> None:
    """-1,000 now, 600 in a month and 600 in two, at 10 % a month."""
    value = present_value([Decimal(-1_000), Decimal(600), Decimal(600)], Decimal("0.1"))
    assert round(value, 4) == Decimal("41.3223")


def test_payback_is_the_first_month_that_is_no_longer_behind_and_may_be_never() -> None:
    flows = [Decimal(flow) for flow in (-100, 40, 60, 10)]
    assert payback_month(flows) == 2
    assert payback_month(flows[:2]) is None
    assert payback_month([Decimal(0), Decimal(5)]) == 0
    assert payback_month([]) is None


def test_the_expected_case_by_hand(brief_of: BriefOf) -> None:
    """Live in month 2, so ten months of 10,000; months 1-5 of care are in the price, then seven of 400 + 600 / 6.

    -60,000 + 100,000 - 3,500 = 36,500 without discounting; -1,500 after month 8 and 8,000 after month 9.
    """
    expected = returns(brief_of(SURE)).of(Case.EXPECTED)
    assert (expected.monthly_benefit.value, expected.monthly_cost.value) == (10_000, 500)
    assert expected.present_benefit.value == 100_000
    assert expected.present_cost.value == 63_500
    assert expected.npv.value == expected.cumulative[-1] == 36_500
    assert expected.cumulative[:4] == (-60_000, -60_000, -60_000, -50_000)
    assert expected.payback_month == 9
    assert expected.roi.value == Decimal(36_500) / 63_500


def test_the_low_case_goes_live_later_and_saves_less(brief_of: BriefOf) -> None:
    """Half a minute from month 3 on: nine months of 5,000 against six months of care."""
    low = returns(brief_of(SURE)).of(Case.LOW)
    assert low.go_live_month == 3
    assert low.npv.value == 9 * 5_000 - 60_000 - 6 * 500
    assert low.payback_month is None


def test_the_low_case_pays_time_and_materials_up_to_the_cap(brief_of: BriefOf) -> None:
    roi = returns(brief_of(SURE), cap=70_000)
    assert roi.of(Case.LOW).npv.value == 9 * 5_000 - 70_000 - 6 * 500
    assert roi.of(Case.LOW).cumulative[0] == -70_000
    assert roi.of(Case.EXPECTED).cumulative[0] == -60_000


def test_serving_is_paid_even_where_nobody_knows_what_it_replaces(brief_of: BriefOf) -> None:
    """A tuned model at 300 and 0.01 a request costs 400 a month, and the base may cost nothing."""
    unknown = ServingChange(base=per_token("base", 0, None), tuned=per_token("tuned", 300, "0.01"))
    expected = returns(brief_of(SURE), serving=unknown).of(Case.EXPECTED)
    inference = expected.benefits[-1]
    assert (inference.monthly.value, inference.missing) == (-400, "the price of the prompted base")
    assert expected.monthly_benefit.value == 10_000 - 400
    nothing = returns(brief_of(), serving=unknown).of(Case.EXPECTED)
    assert (nothing.monthly_benefit.value, nothing.npv.value, nothing.payback_month) == (None, None, None)


def test_the_benefit_rises_evenly_over_the_ramp(brief_of: BriefOf) -> None:
    """A quarter, a half and three quarters of 10,000 in the first three months of four."""
    ramped = returns(brief_of({**SURE, "value.ramp_months": 4}), price=0, care=0, retraining=0).of(Case.EXPECTED)
    gained = [after - before for before, after in zip(ramped.cumulative, ramped.cumulative[1:], strict=False)]
    assert gained == [0, 0, 2_500, 5_000, 7_500, *[10_000] * 7]


def test_money_later_is_worth_less(brief_of: BriefOf) -> None:
    """At 12 % a year; month 3 brings 10,000 / 1.12 ** (3 / 12)."""
    brief = brief_of({**SURE, "value.discount_rate_percent": 12})
    expected = returns(brief, timing=replace(TIMING, horizon=3), price=0).of(Case.EXPECTED)
    assert abs(expected.npv.require() - Decimal(10_000) / Decimal("1.12") ** Decimal("0.25")) < Decimal("1e-15")


def test_the_horizon_ends_with_the_model_where_that_comes_first(brief_of: BriefOf) -> None:
    cut = timing_of(brief_of(), go_live_p50=3, go_live_p80=4, months_to_shutdown=9)
    assert (cut.horizon, cut.horizon_reason) == (9, "the model's announced shutdown")
    planned = timing_of(brief_of(), go_live_p50=3, go_live_p80=4, months_to_shutdown=40)
    assert (planned.horizon, planned.horizon_reason) == (15, "the planned end of service")
    assert timing_of(brief_of(), go_live_p50=3, go_live_p80=4, months_to_shutdown=None).horizon == 15


def test_a_model_that_ends_sooner_is_worth_less(brief_of: BriefOf) -> None:
    whole = returns(brief_of(MINUTES)).of(Case.EXPECTED).npv.require()
    short = returns(brief_of(MINUTES), timing=replace(TIMING, horizon=6)).of(Case.EXPECTED).npv.require()
    assert short < whole


@pytest.mark.parametrize(("days", "months"), [(0, 0), (1, 1), (21, 1), (21.5, 2), (60, 3)])
def test_a_begun_month_of_21_working_days_is_a_month(days: float, months: int) -> None:
    assert months_of(days) == months


def test_unknown_benefits_are_named_and_left_out_of_the_sum(brief_of: BriefOf) -> None:
    unserved = ServingChange(base=per_token("base", 0, "0.01"), tuned=None)
    expected = returns(brief_of(SURE), serving=unserved).of(Case.EXPECTED)
    assert {benefit.name: benefit.missing for benefit in expected.benefits if benefit.missing} == {
        "Errors avoided": "the baseline and what an error costs",
        "Serving saved": "serving prices",
    }
    assert expected.monthly_benefit.value == 10_000


def test_where_no_benefit_is_known_the_return_is_unknown_and_not_a_loss(brief_of: BriefOf) -> None:
    roi = returns(brief_of(), serving=ServingChange(base=per_token("base", 0, None), tuned=None))
    for result in roi.cases:
        assert (result.monthly_benefit.value, result.npv.value, result.roi.value) == (None, None, None)
        assert (result.cumulative, result.payback_month) == ((), None)
    assert (roi.break_even_requests.value, roi.break_even_requests.note) == (None, "")


def test_serving_that_costs_more_counts_against_the_benefit(brief_of: BriefOf) -> None:
    dearer = ServingChange(base=per_token("base", 0, "0.01"), tuned=per_token("tuned", 1_000, "0.02"))
    expected = returns(brief_of(SURE), serving=dearer).of(Case.EXPECTED)
    assert expected.benefits[-1].monthly.value == -1_100
    assert expected.monthly_benefit.value == 8_900


def test_errors_avoided_are_the_promised_gain_and_half_of_it_in_the_low_case(brief_of: BriefOf) -> None:
    """From 70 to 90 % of 10,000 requests at 2 USD an error."""
    brief = brief_of({"task.baseline_percent": 70, "value.cost_per_error": "2"})
    by_case = {
        case: next(benefit for benefit in returns(brief).of(case).benefits if benefit.name == "Errors avoided")
        for case in Case
    }
    assert {case: benefit.monthly.value for case, benefit in by_case.items()} == {
        Case.LOW: 2_000, Case.EXPECTED: 4_000, Case.HIGH: 4_000,
    }  # fmt: skip


def test_what_is_worth_paying_for_is_the_benefit_before_any_price(brief_of: BriefOf) -> None:
    assert expected_benefit(brief_of(SURE), TIMING, SAME).value == 100_000


@given(
    price=st.integers(0, 10**6), care=st.integers(0, 10**4), paid=st.integers(0, 24), every=st.integers(1, 24),
    live=st.integers(0, 12), months=st.integers(0, 36), ramp=st.integers(0, 12), rate=st.integers(0, 100),
)  # fmt: skip
def test_the_npv_of_the_formula_is_that_of_the_flows(
    brief_of: BriefOf, price: int, care: int, paid: int, every: int, live: int, months: int, ramp: int, rate: int
) -> None:
    brief = brief_of(MINUTES)
    value = brief.value.model_copy(update={"ramp_months": ramp, "discount_rate_percent": Decimal(rate)})
    timing = Timing(go_live_p50=live, go_live_p80=live, horizon=live + months, horizon_reason="")
    brief = brief.model_copy(update={"value": value})
    expected = returns(brief, timing=timing, price=price, care=care, paid=paid, every=every).of(Case.EXPECTED)
    flows = [expected.cumulative[0]]
    flows += [after - before for before, after in zip(expected.cumulative, expected.cumulative[1:], strict=False)]
    by_flows = present_value(flows, monthly_discount_rate(Decimal(rate) / 100))
    assert abs(by_flows - expected.npv.require()) < Decimal("1e-15")


def fleet(usd_per_gpu: int, capacity: int, requests: int) -> ServingOption:
    held = Fleet(
        least=usd("least", 1), capacity=usd("capacity", capacity), usd_per_gpu=usd("gpu", usd_per_gpu),
        operations=usd("operations", 100),
    )  # fmt: skip
    return gpu_option("own", "own GPUs", requests=stated("r", requests, "requests", source="test"), fleet=held)


@given(
    price=st.integers(1, 200_000), base=st.integers(1, 900), usd_per_gpu=st.integers(0, 4_000),
    capacity=st.integers(1_000, 100_000), minutes=st.integers(1, 30),
)  # fmt: skip
def test_the_break_even_volume_is_worth_exactly_nothing(
    brief_of: BriefOf, price: int, base: int, usd_per_gpu: int, capacity: int, minutes: int
) -> None:
    """Recomputed at that volume, the fleet grown to it: NPV is not negative there, and negative a request below."""
    brief = brief_of(MINUTES)
    saved = brief.value.model_copy(update={"reviewed_percent": Decimal(minutes)})

    def worth(requests: int) -> Roi:
        traffic = brief.traffic.model_copy(update={"requests_per_month": requests})
        serving = ServingChange(
            base=per_token("base", 0, str(Decimal(base) / 10_000), requests),
            tuned=fleet(usd_per_gpu, capacity, requests),
        )
        return returns(brief.model_copy(update={"traffic": traffic, "value": saved}), serving=serving, price=price)

    volume = worth(10_000).break_even_requests.value
    if volume is None:
        assert worth(10**9).of(Case.EXPECTED).npv.require() < 0
        return
    whole = int(volume.to_integral_value(rounding="ROUND_CEILING"))
    at, below = worth(whole).of(Case.EXPECTED).npv.require(), worth(whole - 1).of(Case.EXPECTED).npv.require()
    assert below < Decimal("1e-15")
    assert at > Decimal("-1e-15")


@pytest.mark.parametrize(
    "route",
    [
        {"provider": "tinker", "model": "qwen3-8b"},
        {"provider": "together", "model": "llama-3.1-8b"},
        {"provider": "own", "model": "llama-3.1-8b", "gpu": "L4"},
    ],
)
def test_an_estimate_at_its_break_even_volume_is_worth_nothing(
    brief_of: BriefOf, estimate_of: EstimateOf, route: dict[str, str]
) -> None:
    brief = brief_of({**MINUTES, "training.routes": [route], "traffic.operations_per_month": "300"})
    volume = estimate_of(brief).roi.break_even_requests.require()
    requests = int(volume.to_integral_value(rounding="ROUND_CEILING"))
    traffic = brief.traffic.model_copy(update={"requests_per_month": requests})
    expected = estimate_of(brief.model_copy(update={"traffic": traffic})).roi.of(Case.EXPECTED)
    one_request = expected.present_benefit.require() / requests
    assert 0 <= expected.npv.require() < 2 * one_request


def test_an_engagement_that_saves_nothing_never_breaks_even(brief_of: BriefOf) -> None:
    roi = returns(brief_of({**MINUTES, "value.reviewed_percent": 0}))
    assert roi.break_even_requests.value is None
    assert roi.of(Case.EXPECTED).payback_month is None
    assert roi.of(Case.EXPECTED).npv.require() < 0


ENDING = """
provider = "tinker"
checked = 2026-11-20
[[training]]
model = "Qwen/Qwen3-8B"
objectives = ["sft"]
tuning = "lora"
usd = "0.4"
serving = "per-token"
shutdown = 2027-09-15
as_of = "2026-11-20"
source = "test"
"""


def test_a_model_that_ends_shortens_the_return_of_an_estimate(
    brief_of: BriefOf, estimate_of: EstimateOf, tmp_path: Path
) -> None:
    """From the start on 1 February to 15 September are seven whole months."""
    file = tmp_path / "ending.toml"
    file.write_text(ENDING, "utf-8")
    brief = brief_of({**MINUTES, "training.routes": [{"provider": "tinker", "model": "qwen3-8b"}]})
    ending, open_ended = (estimate_of(brief, prices=prices).roi for prices in (PriceBook.load(file), PriceBook.load()))
    assert (ending.horizon_months, ending.horizon_reason) == (7, "the model's announced shutdown")
    assert open_ended.horizon_reason == "the planned end of service"
    assert ending.of(Case.EXPECTED).npv.require() < open_ended.of(Case.EXPECTED).npv.require()
