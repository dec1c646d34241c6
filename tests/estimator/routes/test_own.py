"""Own GPUs: what does not fit is refused with what would, begun minutes are paid, what nobody knows stays unknown."""

from collections.abc import Callable
from decimal import Decimal
from math import ceil

import pytest

from estimator.hardware import find_gpu
from estimator.prices import PriceBook
from estimator.routes import RouteEstimate, gpu_price
from estimator.sunset import Standing

RouteOf = Callable[..., RouteEstimate]


def test_what_does_not_fit_is_refused_and_told_to_use_qlora(route_of: RouteOf) -> None:
    route = route_of(provider="own", model="llama-2-7b", gpu="T4")
    refusals = [finding.message for finding in route.findings if finding.standing is Standing.REFUSED]
    assert len(refusals) == 1
    assert refusals[0].startswith("does not fit: ")
    assert "needs QLoRA" in refusals[0]
    assert not route.usable


def test_the_same_card_takes_the_model_in_four_bits(route_of: RouteOf) -> None:
    route = route_of(provider="own", model="llama-2-7b", gpu="T4", tuning="qlora")
    assert route.usable
    assert route.memory_gib.require() < 15


def test_every_begun_minute_of_every_card_is_paid(route_of: RouteOf) -> None:
    route = route_of(provider="own", model="llama-3.1-8b", gpu="L4", gpus=2)
    for run, hours in ((route.run, route.hours), (route.run_low, None), (route.run_high, None)):
        minutes = run.require() * 60 / 2 / Decimal("0.853608")
        assert abs(minutes - round(minutes)) < Decimal("1e-12")
        if hours is not None:
            assert round(minutes) == ceil(hours.require() * 60)
    assert route.run_low.require() < route.run.require() < route.run_high.require()


def test_a_card_costs_its_middle_offer_or_the_cheapest_of_a_named_provider(book: PriceBook) -> None:
    assert gpu_price("k", book, find_gpu("L4")).value == Decimal("0.853608")
    assert gpu_price("k", book, find_gpu("L4"), provider="AWS").value == Decimal("0.8048")
    assert gpu_price("k", book, find_gpu("L4")).note == "0.8048-1.3232 USD over 3 offers"


def test_of_two_middle_offers_the_dearer_one_is_planned_with(book: PriceBook) -> None:
    assert gpu_price("k", book, find_gpu("RTX 4090")).value == Decimal("0.69")


def test_an_instance_is_rented_whole(book: PriceBook) -> None:
    """AWS has the A100-80GB by eights only, so one of them is no offer for one card."""
    card = find_gpu("A100-80GB")
    single = gpu_price("k", book, card, provider="AWS")
    assert single.value is None
    assert single.source.startswith("A100-80GB-SXM from AWS is rented 8 at a time; change gpus")
    assert gpu_price("k", book, card, gpus=8, provider="AWS").value == Decimal("3.4309")
    assert "over 3 offers" in gpu_price("k", book, card).note
    assert "over 5 offers" in gpu_price("k", book, card, gpus=16).note


def test_an_offer_that_names_no_form_stands_for_both_and_one_that_does_for_its_own(book: PriceBook) -> None:
    """Verda, Akash and Modal say A100-80GB alone; RunPod says PCIe."""
    sxm, pcie = (gpu_price("k", book, find_gpu(f"A100-80GB-{form}")) for form in ("SXM", "PCIe"))
    assert (sxm.value, sxm.note) == (Decimal("1.71"), "1.29-2.5 USD over 3 offers")
    assert (pcie.value, pcie.note) == (Decimal("1.79"), "1.29-2.5 USD over 4 offers")


def test_nobody_trains_on_an_endpoint_that_serves(book: PriceBook) -> None:
    assert gpu_price("k", book, find_gpu("H100"), provider="Together").value is None
    assert "12.29 USD over 14 offers" in gpu_price("k", book, find_gpu("H100"), gpus=8).note


def test_a_card_without_an_offer_is_unknown_and_says_what_to_add(route_of: RouteOf) -> None:
    route = route_of(provider="own", model="llama-3.1-8b", gpu="RTX-6000Ada-48GB")
    assert (route.run.value, route.programme.value, route.serving.monthly.value) == (None, None, None)
    unknown = next(finding for finding in route.findings if finding.code == "price.unknown")
    assert "add [[offer]] to a price file" in unknown.remedy
    assert not route.usable


def test_scoring_takes_an_hour_for_each_model_on_the_cards_that_hold_it(route_of: RouteOf) -> None:
    """Seven models for an hour at 0.853608, and five adapters of 0.35 GB for 12 months at 0.023."""
    route = route_of(provider="own", model="llama-3.1-8b", gpu="L4")
    assert route.once.value == 7 * Decimal("0.853608") + Decimal("0.483")


def test_two_adapters_of_one_card_keep_their_keys_apart(route_of: RouteOf) -> None:
    one, two, other = (
        route_of(provider="own", model="llama-3.1-8b", gpu="L4", **more)
        for more in ({}, {"gpus": 2}, {"gpu_provider": "AWS"})
    )
    assert one.key == "route.own.llama-3-1-8b.lora.l4"
    assert two.key == "route.own.llama-3-1-8b.lora.l4.x2"
    assert other.key == "route.own.llama-3-1-8b.lora.l4.aws"


def test_serving_pays_whole_cards_all_month(route_of: RouteOf) -> None:
    serving = route_of({"traffic.operations_per_month": "100"}, provider="own", model="llama-3.1-8b", gpu="L4").serving
    assert serving.gpus.value == 1
    assert serving.monthly.value == Decimal("0.853608") * 730 + 100


def test_reinforcement_takes_the_hours_of_a_trial_or_is_unknown(route_of: RouteOf) -> None:
    card = {"provider": "own", "model": "llama-3.1-8b", "gpu": "L4"}
    unknown = route_of({"training.objective": "rft"}, **card)
    assert (unknown.tokens.value, unknown.run.value, unknown.usable) == (None, None, False)
    tried = route_of({"training.objective": "rft", "training.rft_hours": 2.005}, **card)
    assert tried.run.value == Decimal(121) / 60 * 1 * Decimal("0.853608")


def test_preference_pairs_train_on_both_completions(route_of: RouteOf) -> None:
    route = route_of({"training.objective": "dpo"}, provider="own", model="llama-3.1-8b", gpu="L4")
    assert route.tokens.value == 4_800_000
    assert "the pass of the reference model is not in the hours" in route.caveats


@pytest.mark.parametrize("gpu", ["RTX4090", "T4"])
def test_a_peak_nobody_confirmed_is_said(route_of: RouteOf, gpu: str) -> None:
    route = route_of(provider="own", model="llama-3.2-3b", gpu=gpu, tuning="qlora")
    assert any(caveat.endswith("is unconfirmed") for caveat in route.caveats)
