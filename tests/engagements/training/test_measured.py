"""Hours and memory as runs like it took there before: hand-computed, and unknown where none is like it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from engagements.phases.training.plans.measured import MeasuredRun, as_measured, roomy, runs_alike
from engagements.phases.training.plans.own_hours import at_our_price
from engagements.phases.training.plans.prediction import Cost, Hours, Prediction, Shape
from engagements.settings import HourPrice

DEVICE = "cpu (Some Processor, 2 threads)"
SHAPE = Shape(
    method="sft", adapter="lora", precision="auto", gradient_checkpointing=False, micro_batch_size=4, longest=256
)
OPEN = Prediction(
    tokens=360_000, epochs=3, steps=90, hours=None, memory_gib=None, fits=None, cost=None, shape=SHAPE,
    unknown=dict.fromkeys(("hours", "memory_gib", "fits", "cost"), "no GPU is named"), sources={"tokens": "counted"},
)  # fmt: skip
RUN = MeasuredRun(
    run_id="trn_1", name="defaults", on=date(2026, 11, 20), device=DEVICE, devices=1, shape=SHAPE, tokens=100_000,
    seconds=1000.0, memory_bytes=3 * 2**30,
)  # fmt: skip
PRICE = HourPrice(amount="2.40", currency="EUR", source="our accounts", as_of="2026-11-01")


def measured(*runs, found=OPEN, speeds=(), device=DEVICE):
    return as_measured(found, runs_alike(runs, found.shape, device=device), speeds, device=device)


def test_a_run_takes_as_long_for_its_tokens_and_as_much_memory_as_one_like_it_and_names_it():
    found = measured(RUN)
    assert found.hours == Hours(low=0.8, likely=1.0, high=1.25)  # 360,000 at 100 a second, a quarter either way
    assert found.memory_gib == 3.0
    assert found.sources == {
        "tokens": "counted",
        "hours": "measured on run defaults (trn_1) on 2026-11-20: 100 tokens/s",
        "memory_gib": "measured on run defaults (trn_1) on 2026-11-20: the most that it held",
    }
    assert found.fits is None
    assert found.unknown == {"fits": f"how much memory is free on {DEVICE} is not known", "cost": "no GPU is named"}


def test_steps_that_lie_far_apart_widen_the_range_by_their_slowest_and_fastest_tenth():
    speeds = [50.0] * 20 + [100.0] * 60 + [200.0] * 20  # 1.1 s for what takes 1 s at 100
    found = measured(RUN, speeds=speeds)
    assert found.hours.likely == 1.0
    assert found.hours.high == pytest.approx(2 / 1.1)
    assert found.hours.low == pytest.approx(1 / 2.2)
    assert measured(RUN, speeds=speeds[:5]).hours == measured(RUN).hours


@pytest.mark.parametrize(
    "other",
    [
        replace(RUN, device="cpu (Another, 2 threads)"), replace(RUN, shape=replace(SHAPE, adapter="full")),
        replace(RUN, shape=replace(SHAPE, precision="fp32")), replace(RUN, shape=replace(SHAPE, method="dpo")),
        replace(RUN, shape=replace(SHAPE, gradient_checkpointing=True)),
    ],
)  # fmt: skip
def test_without_a_run_like_it_it_stays_unknown_and_the_reason_says_what_helps(other):
    for runs in ((), (other,)):
        found = measured(*runs)
        assert (found.hours, found.memory_gib, found.fits) == (None, None, None)
        assert {found.unknown[name] for name in ("hours", "memory_gib", "fits")} == {
            f"no GPU is named; no finished run like it is measured on {DEVICE} yet: a first run measures it"
        }


def test_the_nearest_size_counts_and_the_newest_among_those_as_near():
    far = replace(RUN, run_id="trn_9", shape=replace(SHAPE, longest=64))
    newest, older = replace(RUN, run_id="trn_3", tokens=50_000), replace(RUN, run_id="trn_2")
    found = measured(far, newest, older)
    assert found.hours.likely == 2.0
    assert "trn_3" in found.sources["hours"]
    assert "(with a micro batch of 4, rows of up to 64 tokens)" in measured(far).sources["hours"]


def test_a_backend_that_does_not_say_on_what_it_will_run_is_taken_to_run_where_it_last_did():
    before = replace(RUN, device="a GPU of before", run_id="trn_0")
    assert [each.run_id for each in runs_alike([RUN, before], SHAPE, device="")] == ["trn_1"]


def test_memory_of_smaller_batches_is_not_passed_off_as_that_of_larger_ones():
    wanted = replace(SHAPE, micro_batch_size=8)
    found = measured(RUN, found=replace(OPEN, shape=wanted))
    assert found.hours is not None
    assert found.memory_gib is None
    assert found.unknown["memory_gib"] == "smaller batches took 3.0 GiB: the first run of this size measures it"
    larger = replace(RUN, run_id="trn_2", shape=replace(SHAPE, micro_batch_size=16), memory_bytes=9 * 2**30)
    assert roomy(runs_alike([RUN, larger], wanted, device=DEVICE), wanted) is larger
    untold = measured(replace(RUN, memory_bytes=None))
    assert untold.unknown["memory_gib"].startswith("no run like it told its memory")


def test_what_the_tables_know_and_what_nobody_counted_is_left_alone():
    known = replace(OPEN, hours=Hours(low=1, likely=2, high=3), memory_gib=9.0, fits=True, unknown={})
    assert measured(RUN, found=known) is known
    uncounted = replace(OPEN, tokens=None)
    assert measured(RUN, found=uncounted) is uncounted


def test_every_device_is_paid_for_by_the_hour_at_the_price_of_the_settings():
    found = at_our_price(measured(replace(RUN, devices=2)), PRICE)
    assert found.cost == Cost(low=Decimal("3.840"), likely=Decimal("4.800"), high=Decimal("6.0000"), currency="EUR")
    assert found.sources["cost"] == "2.40 EUR an hour: our accounts, 2026-11-01"
    assert "cost" not in found.unknown


def test_a_machine_that_is_paid_for_costs_nothing_however_long_it_takes():
    free = at_our_price(OPEN, PRICE.model_copy(update={"amount": Decimal(0)}))
    assert free.cost == Cost(low=Decimal(0), likely=Decimal(0), high=Decimal(0), currency="EUR")
    assert "cost" not in free.unknown


def test_a_cost_without_hours_or_without_a_price_is_unknown_and_keeps_no_source():
    rented = replace(OPEN, cost=Cost(low=Decimal(1), likely=Decimal(1), high=Decimal(1)), sources={"cost": "a cloud"})
    for found, why in (
        (at_our_price(rented, None), "the settings name no price"),
        (at_our_price(OPEN, PRICE), "no GPU"),
    ):
        assert found.cost is None
        assert found.unknown["cost"].startswith(why)
        assert "cost" not in found.sources
