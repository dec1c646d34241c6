"""Two systems on the same items, and scores as one number: hand-computed cases, and what must hold of every case."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy.stats import bootstrap

from engagements.evals.bootstrap import mean_interval
from engagements.evals.paired import PairedTest, paired
from engagements.evals.scores import BOOTSTRAP, WILSON, score_interval
from estimator.evidence import Interval

SCORES = some.lists(some.floats(0, 1), min_size=1, max_size=40)


def test_hits_are_compared_by_mcnemar_with_the_discordant_items_alone():
    found = paired([1.0] * 15 + [0.0] * 5 + [1.0] * 80, [0.0] * 15 + [1.0] * 5 + [1.0] * 80)
    assert (found.difference, found.items, found.test) == (0.1, 100, PairedTest.MCNEMAR)
    assert found.p == pytest.approx(0.0414, abs=5e-5)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.0121, 0.1840), abs=5e-5)
    assert found.is_shown
    assert str(found) == "+0.100 (95% interval +0.012 to +0.184, p 0.0414 by exact McNemar, 100 items)"


def test_scores_are_compared_over_all_patterns_of_signs_where_items_are_few():
    found = paired([0.9, 0.8, 0.7, 0.6], [0.5, 0.6, 0.5, 0.5])
    assert found.test is PairedTest.SIGN_FLIPS
    assert found.difference == pytest.approx(0.225)
    assert found.p == 2 / 16  # only all plus and all minus are as large
    assert not found.is_shown


def test_a_difference_that_everybody_has_is_not_certain_where_items_are_few():
    found = paired([0.5, 0.5], [0.4, 0.4])
    assert (found.p, found.is_shown) == (0.5, False)
    assert found.interval.low < 0 < found.interval.high


def test_the_same_answers_show_no_difference():
    found = paired([0.5, 0.25, 1.0], [0.5, 0.25, 1.0])
    assert (found.difference, found.p, found.is_shown) == (0.0, 1.0, False)


def test_a_p_that_is_too_small_to_print_is_not_printed_as_nothing():
    assert "p below 0.0001 by exact McNemar" in str(paired([1.0] * 40, [0.0] * 40))


@settings(max_examples=40, deadline=None)
@given(SCORES)
def test_turned_round_a_comparison_says_the_opposite(first):
    second = first[::-1]
    one, other = paired(first, second), paired(second, first)
    assert one.difference == pytest.approx(-other.difference)
    assert one.p == pytest.approx(other.p, abs=0.02)
    assert one.interval.low - 1e-9 <= one.difference <= one.interval.high + 1e-9 or len(first) < 3


def test_the_interval_of_a_mean_is_that_of_another_implementation():
    values = [0.0, 0.1, 0.1, 0.2, 0.2, 0.3, 0.5, 0.9, 1.0, 1.0, 0.05, 0.15]
    found = mean_interval(values)
    theirs = bootstrap(
        (values,), lambda each, axis: each.mean(axis=axis), n_resamples=20_000, rng=1
    ).confidence_interval
    assert found is not None
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_the_same_seed_draws_the_same_interval():
    values = [0.1, 0.5, 0.7, 0.2, 0.31, 0.77, 0.93]
    assert mean_interval(values, seed=3) == mean_interval(values, seed=3) != mean_interval(values, seed=4)


def test_hits_have_wilsons_interval_and_scores_a_drawn_one():
    interval, method = score_interval([1.0] * 27 + [0.0] * 3)
    assert (round(interval.low, 3), round(interval.high, 3), method) == (0.744, 0.965, WILSON)
    assert score_interval([0.5, 0.25, 1.0])[1] == BOOTSTRAP


def test_scores_that_are_all_the_same_are_not_certain():
    interval, method = score_interval([0.5] * 10)
    assert (interval, method) == (
        Interval(low=pytest.approx(0.2366, abs=5e-5), high=pytest.approx(0.7634, abs=5e-5)),
        WILSON,
    )
