"""Intervals and paired tests against reference vectors computed by hand."""

from math import comb, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagements.evals.intervals import mcnemar_p, none_seen, paired_difference, wilson
from engagements.evals.samples import sample_size

counts = st.integers(min_value=0, max_value=60)


@pytest.mark.parametrize(
    ("hits", "items", "low", "high"),
    [(0, 30, 0.000, 0.114), (27, 30, 0.744, 0.965), (8, 10, 0.490, 0.943), (340, 412, 0.786, 0.859)],
)
def test_the_vectors_of_wilson(hits, items, low, high):
    between = wilson(hits, items)
    assert isclose(between.low, low, abs_tol=5e-4)
    assert isclose(between.high, high, abs_tol=5e-4)


@pytest.mark.parametrize(("first", "second", "p"), [(5, 15, 0.0414), (0, 0, 1.0), (1, 0, 1.0), (6, 0, 0.03125)])
def test_the_vectors_of_the_exact_paired_test(first, second, p):
    assert isclose(mcnemar_p(first, second), p, abs_tol=5e-5)


def test_five_against_fifteen_of_a_hundred_is_a_loss_that_the_interval_shows_too():
    between = paired_difference(5, 15, 100)
    # (5.5 - 15.5) / 102 and 1.96 sqrt(21 - 100 / 102) / 102, by hand.
    assert isclose(between.low, -0.18402, abs_tol=1e-4)
    assert isclose(between.high, -0.01206, abs_tol=1e-4)


def test_what_was_never_seen_in_thirty_items_may_still_be_one_in_eleven():
    assert isclose(none_seen(30), 0.095, abs_tol=5e-4)


@given(counts, counts)
def test_neither_side_of_a_paired_test_is_preferred(first, second):
    exact = min(1, 2 * sum(comb(first + second, k) for k in range(min(first, second) + 1)) / 2 ** (first + second))
    assert mcnemar_p(first, second) == mcnemar_p(second, first)
    assert isclose(mcnemar_p(first, second), exact, rel_tol=1e-9)


@given(counts, counts, st.integers(min_value=1, max_value=500))
def test_the_interval_of_a_difference_turns_with_its_sides(first, second, concordant):
    here, there = (paired_difference(*pair, first + second + concordant) for pair in ((first, second), (second, first)))
    assert isclose(here.low, -there.high, abs_tol=1e-12)
    assert -1 <= here.low < here.high <= 1


def test_the_calculator_says_what_items_show_and_what_a_gain_needs():
    said = sample_size(0.80, 0.85, 412)
    assert said.needed == 470
    assert said.gain is not None
    assert isclose(said.gain, 0.053, abs_tol=5e-4)
    assert sample_size(0.80, 0.80).needed is None
    assert sample_size(1.0, items=50).gain is None
