"""Predictions against what came: what is recovered, what is covered, and when nothing is said."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.brief import Level, read_brief
from estimator.brief.example import example_brief
from estimator.budget import LEVELS, Budget, Spread, budgets_of
from estimator.calibration import ENOUGH, Calibration, Finished, Measure, Outcome, calibrate, ratio_of, shrunk
from estimator.estimating import estimate
from estimator.evidence import wilson_interval
from estimator.phases import DELIVERY, Phase
from estimator.prices import PriceBook
from estimator.simulation import Triangle, triangular_quantiles

DAY = date(2026, 11, 23)
PRICES = PriceBook.load()
HOURS = Triangle(low=280, likely=370, high=560)


def spread(triangle: Triangle, scale: float = 1.0) -> Spread:
    return Spread(mean=triangle.mean * scale, quantiles=tuple(scale * triangular_quantiles(triangle, np.array(LEVELS))))


def drawn(n: int, *, overrun: Mapping[Phase, float], seed: int) -> list[Finished]:
    """Engagements whose hours come from the very spreads that were predicted, times what was planted."""
    rng = np.random.default_rng(seed)
    return [
        finished(
            f"E{number}",
            {
                phase: float(triangular_quantiles(HOURS, rng.random(1))[0]) * overrun.get(phase, 1.0)
                for phase in DELIVERY
            },
        )
        for number in range(n)
    ]


def finished(name: str, hours: Mapping[Phase, float], *, drivers: Mapping[str, Level] | None = None) -> Finished:
    outcomes = {phase: Outcome(predicted=spread(HOURS), actual=actual) for phase, actual in hours.items()}
    return Finished(name=name, hours=outcomes, cost={}, total_cost=None, counts={}, drivers=drivers or {})


def measure(calibration: Calibration, key: str) -> Measure:
    return next(each for each in calibration.measures if each.key == key)


def test_what_came_as_predicted_has_the_ratio_one_and_nothing_is_suggested():
    median = spread(HOURS).quantile(0.5)
    found = measure(calibrate([finished(f"E{n}", {Phase.TRAINING: median}) for n in range(6)]), "training.hours")
    assert found.ratio is not None
    assert (found.ratio.mean, found.ratio.low, found.ratio.high) == pytest.approx((1, 1, 1))
    assert (found.within.hits, found.below_p80.hits, found.suggested) == (6, 6, None)


def test_draws_of_the_prediction_itself_are_covered_as_often_as_was_said():
    found = measure(calibrate(drawn(400, overrun={}, seed=3)), "training.hours")
    assert found.ratio is not None
    assert not found.within.is_off
    assert not found.below_p80.is_off
    assert found.ratio.mean == pytest.approx(1, abs=0.03)
    assert found.crps == pytest.approx(0.087, abs=0.01)


@pytest.fixture(scope="module")
def budget() -> Budget:
    made = estimate(read_brief(example_brief(DAY)), PRICES, on=DAY)
    return budgets_of(made, PRICES)["deliver"]


def simulated(budget: Budget, n: int, *, overrun: Mapping[Phase, float], rng: np.random.Generator) -> list[Finished]:
    """Engagements that take what the estimator drew for them, times what was planted."""
    return [
        Finished(
            name=f"E{number}",
            hours={
                each.phase: Outcome(
                    predicted=each.hours, actual=each.hours.quantile(rng.random()) * overrun.get(each.phase, 1.0)
                )
                for each in budget.phases
            },
            cost={}, total_cost=None, counts={}, drivers={},
        )
        for number in range(n)
    ]  # fmt: skip


def test_a_planted_overrun_of_data_preparation_is_recovered_by_its_interval(budget):
    rng, found = np.random.default_rng(11), []
    for _ in range(60):
        calibration = calibrate(simulated(budget, 12, overrun={Phase.DATA_PREPARATION: 1.3}, rng=rng))
        found.append(measure(calibration, "data_preparation.hours"))
    ratios = [each.ratio for each in found if each.ratio is not None]
    covered = sum(ratio.low <= 1.3 <= ratio.high for ratio in ratios)
    assert len(ratios) == 60
    assert wilson_interval(covered / 60, 60).high >= 0.95
    assert covered >= 53
    assert all(ratio.is_off for ratio in ratios)
    assert all(1 < each.suggested < each.ratio.mean for each in found)
    assert np.mean([ratio.mean for ratio in ratios]) == pytest.approx(1.3, abs=0.02)


def test_below_five_engagements_nothing_is_suggested_and_what_is_missing_is_said():
    calibration = calibrate(drawn(ENOUGH - 1, overrun={Phase.TRAINING: 3.0}, seed=1))
    found = measure(calibration, "training.hours")
    assert (calibration.needed, found.ratio, found.suggested) == (1, None, None)
    assert found.why == "4 of 5 engagements that it takes"
    assert calibrate([]).needed == ENOUGH


def test_hours_that_nobody_recorded_are_unknown_and_not_an_underrun():
    rows = [finished(f"E{n}", {Phase.TRAINING: 0.0}) for n in range(8)]
    found = measure(calibrate(rows), "training.hours")
    assert (found.n, found.ratio, found.crps) == (0, None, None)


def test_a_driver_whose_engagements_run_over_gets_a_higher_factor_and_the_others_none():
    median = spread(HOURS).quantile(0.5)
    rng = np.random.default_rng(5)

    def some(n: int, times: float, level: Level) -> Sequence[Finished]:
        drivers = {"data_cleanup": level, "security": Level.NORMAL}
        return [
            finished(
                f"{level}{k}",
                {Phase.DATA_PREPARATION: median * times * float(rng.normal(1, 0.05))}, drivers=drivers,
            )
            for k in range(n)
        ]  # fmt: skip

    calibration = calibrate([*some(8, 1.4, Level.HIGH), *some(8, 1.0, Level.NORMAL)])
    advice = {(each.driver, each.level): each for each in calibration.drivers}
    high = advice["data_cleanup", Level.HIGH]
    assert high.suggested is not None
    assert high.factor < high.suggested < high.factor * 1.4
    assert advice["security", Level.NORMAL].suggested is None


@given(st.lists(st.floats(0.2, 5), min_size=ENOUGH, max_size=40))
def test_a_suggestion_lies_between_one_and_the_ratio_and_nearer_to_it_with_more_engagements(ratios):
    found = ratio_of(ratios)
    assert found is not None
    few, many = shrunk(found.mean, 5), shrunk(found.mean, 50)
    assert min(1, found.mean) - 1e-9 <= few <= max(1, found.mean) + 1e-9
    assert abs(many - found.mean) <= abs(few - found.mean) + 1e-9


@given(st.floats(0.1, 10))
def test_the_scale_of_a_currency_changes_no_ratio(scale):
    rows = drawn(6, overrun={}, seed=2)
    scaled = [
        replace(
            each,
            hours={
                phase: Outcome(predicted=spread(HOURS, scale), actual=outcome.actual * scale)
                for phase, outcome in each.hours.items()
            },
        )
        for each in rows
    ]
    before, after = (measure(calibrate(each), "training.hours") for each in (rows, scaled))
    assert before.ratio is not None
    assert after.ratio is not None
    assert after.ratio.mean == pytest.approx(before.ratio.mean)
    assert after.crps == pytest.approx(before.crps)
