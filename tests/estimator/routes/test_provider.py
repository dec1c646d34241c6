"""Each provider's bill by hand: 1,600 training and 200 validation examples of 500 tokens, 3 epochs = 2.4 M tokens."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from estimator.prices import STALE_AFTER_DAYS, PriceBook
from estimator.routes import RouteEstimate
from estimator.sunset import Standing

RouteOf = Callable[..., RouteEstimate]

CONTRACT = """
provider = "acme"
name = "Acme Tuning"
checked = 2026-11-20

[[training]]
model = "acme-1"
objectives = ["sft"]
tuning = "lora"
usd = "2"
min_charge_usd = "10"
serving = "per-token"

[[inference]]
model = "acme-1"
variant = "tuned"
input = "1"
output = "2"

[billing]
rule = "tokens x epochs"
validation = "not-billed"

[defaults]
as_of = "2026-11-20"
source = "our contract"
"""


def codes(route: RouteEstimate) -> dict[str, Standing]:
    return {finding.code: finding.standing for finding in route.findings}


def test_openai_bills_tokens_times_epochs_and_no_validation(route_of: RouteOf) -> None:
    route = route_of(provider="openai", model="gpt-4o-mini")
    assert (route.tokens.value, route.run.value) == (2_400_000, Decimal("7.20"))
    assert (route.run_low.value, route.run_high.value) == (Decimal("6.48"), Decimal("7.92"))


def test_a_programme_holds_all_runs_the_failed_ones_and_the_scoring(route_of: RouteOf) -> None:
    """Five runs and a fifth that fails: 6 x 7.20; seven models answer 200 questions at 0.0003: 0.42."""
    route = route_of(provider="openai", model="gpt-4o-mini")
    assert route.once.value == Decimal("0.42")
    assert route.programme.value == Decimal("43.62")


def test_tokens_served_are_billed_at_the_tuned_model_s_rates(route_of: RouteOf) -> None:
    """200 prompt tokens at 0.30 and 200 answer tokens at 1.20 per million, 10,000 times."""
    serving = route_of(provider="openai", model="gpt-4o-mini").serving
    assert (serving.fixed_month.value, serving.per_request.value, serving.monthly.value) == (0, Decimal("0.0003"), 3)


def test_azure_adds_its_hosting_fee_while_a_model_is_deployed(route_of: RouteOf) -> None:
    route = route_of(provider="azure", model="gpt-4o")
    assert route.run.value == 66
    assert (route.serving.fixed_month.value, route.serving.monthly.value) == (1_241, 1_266)
    # 1,400 questions at 0.0025, and four hours of hosting for each of seven models at 1.70.
    assert route.once.value == Decimal("51.10")


def test_together_bills_every_evaluation_of_the_validation_set(route_of: RouteOf) -> None:
    route = route_of(provider="together", model="llama-3.1-8b")
    assert (route.tokens.value, route.run.value) == (2_700_000, Decimal("1.296"))
    assert (
        route_of({"training.evaluations_per_run": 0}, provider="together", model="llama-3.1-8b").tokens.value
        == 2_400_000
    )


def test_validation_that_may_be_billed_counts_in_the_high_end(route_of: RouteOf) -> None:
    """2.4 M tokens at 0.50; 3 x 100,000 validation tokens more, and a tenth for another tokeniser."""
    route = route_of(provider="fireworks", model="llama-3.1-8b")
    assert (route.run.value, route.run_high.value) == (Decimal("1.2"), Decimal("2.7") * Decimal("0.5") * Decimal("1.1"))
    said = "whether Fireworks bills validation tokens is unknown: only the high end of a run counts them"
    assert said in route.caveats
    without = route_of({"data.validation_percent": 0}, provider="fireworks", model="llama-3.1-8b")
    assert said not in without.caveats
    assert said.replace("Fireworks", "Together AI") not in route_of(provider="together", model="llama-3.1-8b").caveats


def test_together_without_packing_bills_rows_times_the_maximum_length(route_of: RouteOf) -> None:
    route = route_of({"training.packing": False}, provider="together", model="llama-3.1-8b")
    assert route.tokens.value == 3 * 1_600 * 1_024 + 3 * 200 * 500
    assert route_of({"training.packing": False}, provider="fireworks", model="llama-3.1-8b").tokens.value == 2_400_000


def test_a_dedicated_endpoint_runs_all_month_and_an_hour_for_each_model_scored(route_of: RouteOf) -> None:
    route = route_of(provider="together", model="llama-3.1-8b")
    assert (route.serving.gpus.value, route.serving.monthly.value) == (1, Decimal("4737.70"))
    assert route.once.value == 7 * Decimal("6.49")


def test_a_model_that_needs_three_gpus_is_scored_on_three(route_of: RouteOf) -> None:
    route = route_of(provider="together", model="llama-3.1-70b")
    assert route.serving.gpus.value == route.serving.fleet.least.value == 3
    assert route.once.value == 7 * 3 * Decimal("6.49")


def test_fireworks_bills_by_the_size_of_the_model(route_of: RouteOf) -> None:
    assert route_of(provider="fireworks", model="llama-3.1-8b").run.value == Decimal("1.20")
    assert route_of(provider="fireworks", model="llama-3.1-70b").run.value == Decimal("7.20")
    assert any("$3 minimum" in caveat for caveat in route_of(provider="fireworks", model="llama-3.1-8b").caveats)


def test_tinker_keeps_every_checkpoint_at_a_price_per_gigabyte(route_of: RouteOf) -> None:
    """0.96 a run; five adapters of 0.35 GB for 12 months at 0.10; 1,400 questions at 0.000106."""
    route = route_of(provider="tinker", model="qwen3-8b")
    assert route.run.value == Decimal("0.96")
    assert route.once.value == Decimal("2.10") + Decimal("0.1484")


def test_ori_s_own_example_comes_out_at_its_own_price(route_of: RouteOf) -> None:
    """(5 M x 3 + 1 M) x 0.46: one pass over the validation set is in the bill."""
    split = {"data.examples": 12_000, "data.validation_percent": 16.67, "data.test_percent": 0}
    route = route_of(split, provider="ori", model="llama-3.1-8b")
    assert (route.tokens.value, route.run.value) == (16_000_000, Decimal("7.36"))


def test_mistral_charges_four_dollars_at_least(route_of: RouteOf) -> None:
    labels = {"training.objective": "classification"}
    assert route_of(labels, provider="mistral", model="classifier").run.value == 4
    more = route_of({**labels, "data.examples": 6_000}, provider="mistral", model="classifier")
    assert more.run.value == Decimal("7.2")


def test_a_model_month_is_paid_for_the_live_model_and_the_one_before_it(route_of: RouteOf, tmp_path: Path) -> None:
    file = tmp_path / "acme.toml"
    file.write_text(CONTRACT.replace("[defaults]", 'storage_usd_per_model_month = "2"\n[defaults]'), "utf-8")
    route = route_of(prices=PriceBook.load(file), provider="acme", model="acme-1")
    # 1,400 questions at 0.0006, and two models for twelve months at 2.00.
    assert route.once.value == Decimal("0.84") + 48
    assert route.run.value == 10


def test_preference_pairs_count_both_completions_and_say_so(route_of: RouteOf) -> None:
    pairs = {"training.objective": "dpo"}
    together, openai = (
        route_of(pairs, provider=provider, model=model)
        for provider, model in (("together", "llama-3.1-8b"), ("openai", "gpt-4o-mini"))
    )
    assert (together.tokens.value, together.run.value) == (5_400_000, Decimal("6.48"))
    assert (openai.tokens.value, openai.run.value) == (4_800_000, Decimal("14.4"))
    assert all(any("both are counted" in caveat for caveat in route.caveats) for route in (together, openai))


def test_reinforcement_by_the_hour_is_unknown_without_hours(route_of: RouteOf) -> None:
    route = route_of({"training.objective": "rft"}, provider="openai", model="o4-mini-2025-04-16")
    assert (route.run.value, route.programme.value, route.tokens.value, route.usable) == (None, None, None, False)
    remedies = [finding.remedy for finding in route.findings if finding.code == "hours.unknown"]
    assert remedies == ["state training.rft_hours from a trial"]


def test_reinforcement_by_the_hour_costs_a_hundred_dollars_an_hour(route_of: RouteOf) -> None:
    hours = {"training.objective": "rft", "training.rft_hours": 2.5}
    route = route_of(hours, provider="openai", model="o4-mini-2025-04-16")
    assert route.run.value == 250
    assert "hours.unknown" not in codes(route)


def test_reinforcement_by_the_token_is_unknown(route_of: RouteOf) -> None:
    route = route_of({"training.objective": "rft"}, provider="prime-intellect", model="Qwen3.5-9B")
    assert route.run.value is None
    assert codes(route)["tokens.unknown"] is Standing.UNKNOWN


@pytest.mark.parametrize(
    ("provider", "model", "said"),
    [
        ("vertex", "gemini-3.5-flash", "publishes no training price"),
        ("together", "a-model-of-nobody", "no price is known for together/a-model-of-nobody (sft, lora)"),
        ("mistral", "mistral-large", "no price is known for mistral/mistral-large (sft, lora)"),
    ],
)
def test_an_unknown_price_is_unknown_with_what_to_add_and_never_zero(
    route_of: RouteOf, provider: str, model: str, said: str
) -> None:
    route = route_of(provider=provider, model=model)
    assert (route.run.value, route.once.value, route.programme.value) == (None, None, None)
    assert not route.usable
    unknown = next(finding for finding in route.findings if finding.code == "price.unknown")
    assert said in unknown.message
    assert f"add [[training]] for {provider}/{model} to a price file" in unknown.remedy


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("ori", "llama-3.1-8b"),
        ("bedrock", "Llama 2 13B"),
        ("tinker", "llama-3.1-8b"),
        ("prime-intellect", "Qwen3.5-9B"),
    ],
)
def test_a_tuned_model_nobody_says_how_to_serve_is_unknown_with_what_to_add(
    route_of: RouteOf, provider: str, model: str
) -> None:
    route = route_of(provider=provider, model=model)
    assert route.run.value is not None
    assert route.serving is None
    assert (route.programme.value, route.usable, route.standing) == (None, False, Standing.UNKNOWN)
    unknown = next(finding for finding in route.findings if finding.code == "serving.unknown")
    assert f"for {provider}/{model} to a price file" in unknown.remedy


def test_without_the_length_of_an_example_the_cost_is_unknown(route_of: RouteOf) -> None:
    route = route_of({"data.answer_tokens": None}, provider="openai", model="gpt-4o-mini")
    assert (route.tokens.value, route.run.value, route.usable) == (None, None, False)
    assert codes(route)["tokens.unknown"] is Standing.UNKNOWN


def test_without_an_example_there_is_nothing_to_train_on(route_of: RouteOf) -> None:
    route = route_of({"data.examples": 0}, provider="tinker", model="qwen3-8b")
    assert codes(route)["data.none"] is Standing.REFUSED
    assert not route.usable


def test_a_file_of_fewer_than_ten_examples_is_refused_where_the_provider_refuses_it(route_of: RouteOf) -> None:
    nine = {"data.examples": 9, "data.validation_percent": 0, "data.test_percent": 0}
    assert codes(route_of(nine, provider="openai", model="gpt-4o-mini"))["data.too_few"] is Standing.REFUSED
    assert "data.too_few" not in codes(route_of(nine, provider="together", model="llama-3.1-8b"))
    ten = {**nine, "data.examples": 10}
    assert "data.too_few" not in codes(route_of(ten, provider="openai", model="gpt-4o-mini"))


@pytest.mark.parametrize(
    ("route", "limit"),
    [
        ({"provider": "together", "model": "llama-3.1-8b"}, 1_024),
        ({"provider": "own", "model": "llama-3.1-8b", "gpu": "L4"}, 1_024),
        ({"provider": "openai", "model": "gpt-4o-mini"}, 65_536),
    ],
)
def test_examples_longer_than_what_is_trained_of_them_are_flagged(
    route_of: RouteOf, route: dict[str, object], limit: int
) -> None:
    """13 tokens of a chat's form stand beside those of prompt and answer."""
    fits, cut = (
        codes(route_of({"data.prompt_tokens": limit - 113 + more, "data.answer_tokens": 100}, **route))
        for more in (0, 1)
    )
    assert "tokens.too_long" not in fits
    assert cut["tokens.too_long"] is Standing.FLAGGED


def test_a_method_the_provider_does_not_price_is_named(route_of: RouteOf) -> None:
    route = route_of({"training.tuning": "qlora"}, provider="together", model="llama-3.1-8b")
    assert [finding.message for finding in route.findings if finding.code == "price.unknown"] == [
        "no price is known for together/llama-3.1-8b (sft, qlora)"
    ]


def test_openai_takes_only_those_who_tuned_before(route_of: RouteOf) -> None:
    assert codes(route_of(provider="openai", model="gpt-4o-mini"))["access.restricted"] is Standing.FLAGGED


def test_a_price_is_old_after_ninety_days_and_says_how_old(route_of: RouteOf) -> None:
    """Fireworks' prices are of 8 October 2026."""
    fresh = date(2026, 10, 8) + timedelta(days=STALE_AFTER_DAYS)
    old = fresh + timedelta(days=1)
    assert not any(
        "days old" in caveat for caveat in route_of(provider="fireworks", model="qwen3-8b", on=fresh).caveats
    )
    caveats = route_of(provider="fireworks", model="qwen3-8b", on=old).caveats
    assert [caveat for caveat in caveats if caveat.endswith("up to 91 days old: verify before quoting")] == [
        f"the price of {what} is dated 2026-10-08, up to 91 days old: verify before quoting"
        for what in ("fireworks, up to 16B", "Fireworks H100-80GB, on-demand deployment")
    ]


def test_a_price_at_second_hand_is_to_be_verified(route_of: RouteOf) -> None:
    assert (
        "the price comes from a secondary source: verify before quoting"
        in route_of(provider="tinker", model="qwen3-8b").caveats
    )
