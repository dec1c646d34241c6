"""The break-even table and the cache vectors of the cost reference, section 5."""

from decimal import Decimal
from math import ceil, isclose

import pytest
from hypothesis import given as example_of
from hypothesis import strategies as st

from estimator.figures import Figure, assumed, given
from estimator.inference import (
    Fleet,
    Request,
    ServingOption,
    TokenRates,
    break_even,
    break_even_output_tokens,
    cached_tokens,
    gpu_capacity,
    gpu_option,
    gpu_seconds_per_request,
    gpus_needed,
    per_token_option,
    request_cost,
    saturating_tokens_per_s,
    usd_per_mtok_output,
)
from estimator.prices import PriceBook

BOOK = PriceBook.load()


def rates(model: str, variant: str) -> TokenRates:
    row = BOOK.inference(provider="openai", model=model, variant=variant)
    assert row is not None

    def figure(name: str, value: Decimal | None) -> Figure:
        return given(f"{variant}.{name}", value, "USD per 1M", source=row.source)

    return TokenRates(
        input=figure("input", row.input),
        cached_input=figure("cached", row.cached_input),
        output=figure("output", row.output),
    )


def request(key: str, prompt: int, output: int = 200, cached: int = 0) -> Request:
    return Request(
        prompt_tokens=given(f"{key}.prompt", prompt, "tokens", source="test"),
        cached_tokens=given(f"{key}.cached", cached, "tokens", source="test"),
        output_tokens=given(f"{key}.output", output, "tokens", source="test"),
    )


@pytest.mark.parametrize(
    ("model", "short_prompt", "long_prompt", "long_cached"),
    [
        ("gpt-4o", 350, 850, 370),
        ("gpt-4.1", 350, 850, 130),
        ("gpt-4o-mini", 150, 400, 160),
        ("gpt-4.1-mini", 150, 400, 40),
        ("gpt-4.1-nano", 150, 400, 40),
    ],
)
def test_the_break_even_table(model: str, short_prompt: int, long_prompt: int, long_cached: int) -> None:
    base, tuned = rates(model, "base"), rates(model, "tuned")

    def tokens(prompt: int, cached: int) -> Decimal | None:
        return break_even_output_tokens(base, tuned, request("b", prompt, cached=cached), request("t", 200)).value

    assert tokens(1_000, 0) == short_prompt
    assert tokens(2_000, 0) == long_prompt
    assert tokens(2_000, cached_tokens(2_000)) == long_cached


def test_a_tuned_small_model_can_cost_more_per_request_than_its_base() -> None:
    base, tuned = rates("gpt-4o-mini", "base"), rates("gpt-4o-mini", "tuned")
    assert request_cost(base, request("b", 1_000)).value == Decimal("0.000270")
    assert request_cost(tuned, request("t", 200)).value == Decimal("0.000300")


@pytest.mark.parametrize(("prefix", "cached"), [(0, 0), (1_023, 0), (1_024, 1_024), (1_151, 1_024), (1_152, 1_152)])
def test_prompt_caching_starts_at_1024_tokens_in_steps_of_128(prefix: int, cached: int) -> None:
    assert cached_tokens(prefix) == cached


@example_of(st.integers(0, 10**6))
def test_no_more_is_cached_than_stands_in_the_prefix(prefix: int) -> None:
    assert 0 <= cached_tokens(prefix) <= prefix
    assert prefix - cached_tokens(prefix) < max(128, 1_024)


def test_a_gpu_at_2_50_beats_an_api_at_four_tenths_of_a_cent_from_625_requests_an_hour() -> None:
    nothing = assumed("none", 0, "USD", source="test")
    gpu = gpu_option("gpu", "own GPU", requests=nothing, fleet=fleet(usd=Decimal("2.5") * 730))
    api_request = request("r", 1_000, output=0)
    flat = TokenRates(
        input=given("in", 4, "USD", source="test"),
        cached_input=given("c", 4, "USD", source="test"),
        output=given("o", 4, "USD", source="test"),
    )
    api = per_token_option("api", "API", rates=flat, request=api_request, requests=nothing, fixed=nothing)
    assert api.per_request.value == Decimal("0.004")
    crossing = break_even("cross", api, gpu).requests.value
    assert crossing == 625 * 730


def fleet(*, usd: Decimal | int = 1_000, capacity: int = 10**9, operations: int = 0, least: int = 1) -> Fleet:
    return Fleet(
        least=given("least", least, "GPUs", source="test"),
        capacity=given("capacity", capacity, "requests", source="test"),
        usd_per_gpu=given("usd", usd, "USD", source="test"),
        operations=given("operations", operations, "USD", source="test"),
    )


def gpus_at(*, usd: int, capacity: int, operations: int = 0, least: int = 1) -> ServingOption:
    asked = given("n", 100, "requests", source="test")
    held = fleet(usd=usd, capacity=capacity, operations=operations, least=least)
    return gpu_option("gpu", "own GPU", requests=asked, fleet=held)


def test_two_options_of_one_price_per_request_never_meet() -> None:
    fixed = [assumed(f"f{n}", n, "USD", source="test") for n in (0, 5)]
    requests = given("n", 1_000, "requests", source="test")
    options = [
        per_token_option(
            f"o{n}", f"o{n}", rates=rates("gpt-4o", "base"), request=request("r", 100), requests=requests, fixed=fee
        )
        for n, fee in enumerate(fixed)
    ]
    assert break_even("cross", *options).requests.value is None


def test_the_same_gpu_costs_anything_by_how_busy_it_is() -> None:
    busy = usd_per_mtok_output(2.5, 1, 3_400, 1.0)
    idle = usd_per_mtok_output(2.5, 1, 3_400, 1 / 24)
    assert isclose(busy, 0.2042, abs_tol=5e-5)
    assert isclose(idle / busy, 24)


def test_throughput_rises_with_streams_and_levels_off() -> None:
    """The 70B FP8 rows of NIM on two H100: 52, 218, 623, 917 and 920 tokens a second."""
    for streams, measured in ((1, 51.67), (5, 218.48), (25, 623.4), (100, 917.26), (250, 920.12)):
        modelled = saturating_tokens_per_s(streams, single_stream=51.67, maximum=920)
        assert abs(modelled / measured - 1) < 0.15


@pytest.mark.parametrize(("requests", "least", "needed"), [(0, 1, 1), (1_000, 2, 2), (1_001, 1, 2), (2_500, 1, 3)])
def test_a_fleet_grows_with_the_requests_and_never_below_what_holds_the_model(
    requests: int, least: int, needed: int
) -> None:
    asked = given("r", requests, "requests", source="test")
    assert gpus_needed("k", requests=asked, fleet=fleet(least=least, capacity=1_000)).value == needed


def test_a_gpu_serves_what_its_paid_and_used_time_allows() -> None:
    """730 hours at 40 % are 1,051,200 seconds: at a twentieth of a second each, 21,024,000 requests."""
    seconds, utilisation = given("s", "0.05", "s", source="test"), given("u", "0.4", "share", source="test")
    assert gpu_capacity("k", gpu_seconds=seconds, utilisation=utilisation).value == 21_024_000


def per_request(usd: str, fee: int = 0) -> ServingOption:
    flat = given("rate", Decimal(usd) * 1_000, "USD per 1M tokens", source="test")
    return per_token_option(
        "api",
        "API",
        rates=TokenRates(input=flat, cached_input=flat, output=flat),
        request=request("r", 1_000, output=0),
        requests=given("n", 100, "requests", source="test"),
        fixed=assumed("fee", fee, "USD", source="test"),
    )


def test_a_break_even_counts_the_gpus_that_its_own_volume_needs() -> None:
    """1,000 USD a GPU against 0.004 USD a request: 250,000 requests pay for one GPU, which serves 300,000."""
    crossing = break_even("x", per_request("0.004"), gpus_at(usd=1_000, capacity=300_000)).requests
    assert crossing.value == 250_000
    # With 2,000 USD of operations it takes 20 GPUs that spare 100 USD each: 22,000 USD are 5,500,000 requests.
    more = break_even("x", per_request("0.004"), gpus_at(usd=1_000, capacity=275_000, operations=2_000)).requests
    assert more.value == Decimal(22_000) / Decimal("0.004")
    assert 19 * 275_000 < more.value <= 20 * 275_000


def test_a_gpu_that_earns_less_than_it_costs_never_breaks_even() -> None:
    crossing = break_even("x", per_request("0.004"), gpus_at(usd=1_000, capacity=200_000)).requests
    assert (crossing.value, crossing.note) == (None, "no number of requests is enough")


@example_of(
    st.integers(1, 5_000), st.integers(0, 5_000), st.integers(1, 4), st.integers(10_000, 10**6), st.integers(1, 40)
)
def test_at_the_break_even_both_ways_cost_the_same(
    usd: int, operations: int, least: int, capacity: int, per_thousand: int
) -> None:
    api = per_request(str(Decimal(per_thousand) / 1_000))
    gpu = gpus_at(usd=usd, capacity=capacity, operations=operations, least=least)
    requests = break_even("x", api, gpu).requests.value
    if requests is None:
        assert Decimal(per_thousand) / 1_000 * capacity <= usd
        return
    gpus = max(least, ceil(requests / capacity))
    assert abs(requests * per_thousand / 1_000 - gpus * usd - operations) < Decimal("1e-15")


def test_an_adapter_that_is_not_merged_slows_serving_by_its_penalty() -> None:
    def seconds(penalty: str) -> Decimal:
        return gpu_seconds_per_request(
            "k",
            active_params_b=given("n", 8, "B", source="test"),
            peak_tflops=given("p", 989, "TFLOPs", source="test"),
            request=request("r", 250),
            adapter_penalty=given("a", penalty, "share", source="test"),
        ).require()

    assert abs(seconds("0.25") / seconds("0") - Decimal(4) / 3) < Decimal("1e-20")
