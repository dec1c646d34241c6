from math import isclose

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.simulation import (
    Distribution,
    Triangle,
    beta_pert,
    draw,
    pert_mean,
    pert_sd,
    triangular_quantiles,
)

VECTOR = Triangle(low=2, likely=3, high=7)
PHASE_WEEKS = [Triangle(low=2, likely=3, high=4), *[Triangle(low=1, likely=1.5, high=2)] * 3]


@st.composite
def triangles(draw_from: st.DrawFn) -> Triangle:
    low, likely, high = sorted(draw_from(st.lists(st.integers(0, 10**8), min_size=3, max_size=3)))
    return Triangle(low=low / 100, likely=likely / 100, high=high / 100)


def test_the_vector_two_three_seven() -> None:
    assert pert_mean(VECTOR) == 3.5
    assert isclose(pert_sd(VECTOR), 0.8333, abs_tol=5e-5)
    shape = beta_pert(VECTOR)
    assert (shape.alpha, shape.beta) == (1.8, 4.2)
    assert isclose(shape.variance, 0.75)
    assert VECTOR.mean == 4
    assert isclose(VECTOR.variance, 1.16667, abs_tol=5e-6)
    assert isclose(VECTOR.quantile(0.5), 3.8377, abs_tol=5e-5)
    assert VECTOR.quantile(0.8) == 5.0
    assert isclose(VECTOR.quantile(0.9), 5.5858, abs_tol=5e-5)


def test_a_hundred_thousand_draws_come_within_one_percent_of_the_closed_form() -> None:
    drawn = Distribution.of(draw([VECTOR], seed=1, draws=100_000)[0])
    for percent in (10, 50, 80, 90):
        assert isclose(drawn.quantile(percent), VECTOR.quantile(percent / 100), rel_tol=0.01)
    assert isclose(drawn.mean, VECTOR.mean, rel_tol=0.01)
    assert isclose(drawn.sd, VECTOR.variance**0.5, rel_tol=0.01)


def test_the_phases_of_the_method_have_the_spread_of_the_reference() -> None:
    weeks = [Triangle(low=2, likely=3, high=4), Triangle(low=1, likely=1, high=1), *PHASE_WEEKS[1:]]
    assert (sum(t.low for t in weeks), sum(t.likely for t in weeks), sum(t.high for t in weeks)) == (6, 8.5, 11)
    pert_independent = sum(pert_sd(t) ** 2 for t in weeks) ** 0.5
    pert_together = sum(pert_sd(t) for t in weeks)
    assert isclose(pert_independent, 0.441, abs_tol=5e-4)
    assert isclose(pert_together, 0.833, abs_tol=5e-4)


def test_correlated_phases_need_more_contingency_than_independent_ones() -> None:
    independent, correlated, locked = (
        Distribution.of(sum(draw(PHASE_WEEKS, seed=3, draws=50_000, correlation=c), np.zeros(50_000)))
        for c in (0.0, 0.4, 1.0)
    )
    assert independent.contingency < correlated.contingency < locked.contingency
    assert isclose(independent.mean, locked.mean, rel_tol=0.01)


def test_the_same_seed_gives_the_same_draws_and_another_seed_others() -> None:
    first, again, other = draw([VECTOR], seed=7), draw([VECTOR], seed=7), draw([VECTOR], seed=8)
    assert (first[0] == again[0]).all()
    assert not (first[0] == other[0]).all()


def test_a_certain_quantity_needs_no_contingency() -> None:
    certain = Distribution.of(draw([Triangle(low=5, likely=5, high=5)], seed=1)[0])
    assert (certain.p10, certain.p50, certain.p90, certain.contingency, certain.sd) == (5, 5, 5, 0, 0)
    assert (certain.probability_within(4.99), certain.probability_within(5)) == (0, 1)


@given(triangles(), st.integers(0, 2**32 - 1))
def test_quantiles_are_ordered_and_stay_inside_the_range(triangle: Triangle, seed: int) -> None:
    drawn = Distribution.of(draw([triangle], seed=seed, draws=500)[0])
    assert triangle.low <= drawn.p10 <= drawn.p50 <= drawn.p80 <= drawn.p90 <= triangle.high
    if triangle.high - triangle.low > 1e-6 * triangle.high:
        assert drawn.p50 < drawn.p80 < drawn.p90


@given(triangles(), st.floats(0, 1))
def test_the_quantile_inverts_the_distribution_function(triangle: Triangle, probability: float) -> None:
    low, likely, high = triangle.low, triangle.likely, triangle.high
    value = triangle.quantile(probability)
    if high - low < 1e-3:
        return
    if value <= likely and likely > low:
        reached = (value - low) ** 2 / ((high - low) * (likely - low))
    else:
        reached = 1 - (high - value) ** 2 / ((high - low) * (high - likely)) if high > likely else 1.0
    assert isclose(reached, probability, abs_tol=1e-6)


def test_the_probability_of_a_limit_is_the_inverse_of_the_quantile() -> None:
    drawn = Distribution.of(draw([VECTOR], seed=2)[0])
    assert isclose(drawn.probability_within(drawn.p80), 0.8, abs_tol=1e-9)
    assert (drawn.probability_within(1), drawn.probability_within(8)) == (0, 1)


@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.9])
def test_every_pair_has_the_correlation_asked_for(correlation: float) -> None:
    wide = Triangle(low=0, likely=0.5, high=1)
    first, second = draw([wide, wide], seed=5, draws=100_000, correlation=correlation)
    assert isclose(float(np.corrcoef(first, second)[0, 1]), correlation, abs_tol=0.03)


def test_quantiles_of_an_array_match_one_by_one() -> None:
    probabilities = np.array([0.0, 0.2, 0.5, 1.0])
    assert triangular_quantiles(VECTOR, probabilities).tolist() == [VECTOR.quantile(p) for p in probabilities]
