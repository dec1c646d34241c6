"""The break-even table and the cache vectors of the cost reference, section 5."""

from decimal import Decimal
from math import isclose

import pytest
from hypothesis import given as example_of
from hypothesis import strategies as st

from estimator.figures import Figure, assumed, given
from estimator.inference import (
    Request,
    TokenRates,
    break_even,
    break_even_output_tokens,
    cached_tokens,
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
    gpu = gpu_option(
        "gpu",
        "own GPU",
        gpus=given("n", 1, "GPUs", source="test"),
        usd_per_h=given("h", "2.5", "USD", source="test"),
        operations=nothing,
    )
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


def test_more_requests_need_more_gpus_and_a_big_model_needs_at_least_what_holds_it() -> None:
    utilisation = given("u", "0.4", "share", source="test")
    seconds = given("s", "0.05", "s", source="test")

    def needed(requests: int, least: int) -> Decimal | None:
        return gpus_needed(
            "k",
            requests=given("r", requests, "requests", source="test"),
            gpu_seconds=seconds,
            utilisation=utilisation,
            least_gpus=given("l", least, "GPUs", source="test"),
        ).value

    assert needed(1_000, 1) == 1
    assert needed(1_000, 2) == 2
    assert needed(50_000_000, 1) == 3


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
