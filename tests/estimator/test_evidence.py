from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.evidence import detectable_gain, items_needed, wilson_interval

RATES = st.floats(0.05, 0.9)


@pytest.mark.parametrize(
    ("hits", "items", "low", "high"),
    [(0, 30, 0.000, 0.114), (27, 30, 0.744, 0.965), (8, 10, 0.490, 0.943), (340, 412, 0.786, 0.859)],
)
def test_the_vectors_of_the_wilson_interval(hits: int, items: int, low: float, high: float) -> None:
    between = wilson_interval(hits / items, items)
    assert (round(between.low, 3), round(between.high, 3)) == (low, high)


def test_five_points_over_eighty_percent_need_470_items() -> None:
    assert items_needed(0.80, 0.85) == 470


def test_412_items_show_five_points_and_80_items_eleven() -> None:
    assert isclose(detectable_gain(0.80, 412) or 0, 0.053, abs_tol=5e-4)
    assert isclose(detectable_gain(0.80, 80) or 0, 0.114, abs_tol=5e-4)


def test_a_handful_of_items_shows_nothing_over_a_high_baseline() -> None:
    assert detectable_gain(0.95, 5) is None


@given(RATES, st.floats(0.01, 0.09))
def test_the_items_needed_detect_the_gain_they_were_computed_for(baseline: float, gain: float) -> None:
    items = items_needed(baseline, baseline + gain)
    detected = detectable_gain(baseline, items)
    assert detected is not None
    assert detected <= gain + 1e-6


@given(RATES, st.integers(50, 5_000))
def test_more_items_show_smaller_gains(baseline: float, items: int) -> None:
    few, many = detectable_gain(baseline, items), detectable_gain(baseline, items * 2)
    assert many is not None
    assert few is None or many <= few


def test_rates_of_nothing_and_of_everything_are_rates() -> None:
    """From 80 % to all: (1.96 x 0.4 / 0.2) squared is 15.4."""
    assert items_needed(0.80, 1.0) == 15
    assert items_needed(0.0, 0.5) == 1
    assert detectable_gain(0.0, 100) is not None
