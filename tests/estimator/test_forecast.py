"""A forecast is the budget where nothing is known, what was spent where all is, and between them never below either."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.brief import read_brief
from estimator.brief.example import example_brief
from estimator.budget import LEVELS, Budget, PhaseBudget, Spread, budgets_of
from estimator.estimating import estimate
from estimator.forecast import PERCENTS, Range, Taken, forecast_cost, forecast_days
from estimator.phases import DELIVERY, Phase
from estimator.prices import PriceBook

AHEAD = st.floats(min_value=0, max_value=60_000)


@pytest.fixture(scope="module")
def budget() -> Budget:
    prices = PriceBook.load()
    found = estimate(read_brief(example_brief(date(2026, 11, 22))), prices, on=date(2026, 11, 22), seed=7)
    return budgets_of(found, prices)["run"]


def even(low: float, high: float) -> Spread:
    return Spread(mean=(low + high) / 2, quantiles=tuple(low + (high - low) * level for level in LEVELS))


def made(*spreads: Spread, together: float) -> Budget:
    """Phases of these costs and as many days, whose scores move together so much."""
    phases = tuple(
        PhaseBudget(phase=phase, cost=spread, hours=spread, hours_by_role={}, compute=0.0, days=spread)
        for phase, spread in zip(DELIVERY, spreads, strict=False)
    )
    rng = np.random.default_rng(1)
    whole = np.sum([rng.uniform(each.quantiles[0], each.quantiles[-1], 10_000) for each in spreads], axis=0)
    size = len(spreads)
    correlation = tuple(tuple(1.0 if row == each else together for each in range(size)) for row in range(size))
    return Budget(
        currency="EUR", seed=1, draws=10_000, phases=phases, cost=Spread.of(whole), rates={}, prices={}, runs=1.0,
        correlation=correlation,
    )  # fmt: skip


def values(each: Range) -> list[float]:
    return [each.p10, each.p50, each.p80, each.p90]


def test_with_nothing_taken_it_is_the_budget(budget):
    forecast = forecast_cost(budget, {})
    assert values(forecast.total) == pytest.approx([budget.cost.quantile(p / 100) for p in PERCENTS])
    for each in budget.phases:
        assert values(forecast.phases[each.phase]) == pytest.approx([each.cost.quantile(p / 100) for p in PERCENTS])


def test_with_everything_done_it_is_what_was_spent(budget):
    taken = {each.phase: Taken(amount=1_000.0 * each.phase.number, final=True) for each in budget.phases}
    forecast = forecast_cost(budget, taken)
    assert values(forecast.total) == [21_000.0] * 4
    assert not forecast.phases


@settings(max_examples=15, deadline=None)
@given(spent=AHEAD, more=AHEAD, done=st.integers(0, 5), final=st.booleans())
def test_spending_more_never_lowers_it(budget, spent, more, done, final):
    ended = {each.phase: Taken(amount=each.cost.mean, final=True) for each in budget.phases[:done]}
    phase = budget.phases[done].phase
    less, greater = (
        forecast_cost(budget, ended | {phase: Taken(amount=amount, final=final)}) for amount in (spent, spent + more)
    )
    assert all(after >= before - 1e-6 for before, after in zip(values(less.total), values(greater.total), strict=True))
    for ahead, before in less.phases.items():
        assert values(greater.phases[ahead])[1] >= values(before)[1] - 1e-6


@settings(max_examples=8, deadline=None)
@given(spent=AHEAD)
def test_a_phase_never_ends_below_what_it_has_cost(budget, spent):
    forecast = forecast_cost(budget, {Phase.DATA_PREPARATION: Taken(amount=spent, final=False)})
    assert min(values(forecast.phases[Phase.DATA_PREPARATION])) >= spent
    assert min(values(forecast.total)) >= spent
    assert values(forecast.total) == sorted(values(forecast.total))


def test_phases_that_do_not_move_together_are_left_alone_by_an_overrun():
    budget = made(even(100, 200), even(100, 200), together=0.0)
    forecast = forecast_cost(budget, {Phase.DATA_PREPARATION: Taken(amount=200.0, final=True)})
    assert values(forecast.phases[Phase.BASELINE_EVALUATION]) == pytest.approx([110, 150, 180, 190], abs=0.5)
    assert forecast.total.p50 == pytest.approx(350, abs=1)


def test_an_overrun_moves_what_is_ahead_as_the_conditional_normal_has_it():
    """At the 90th percentile z = 1.2816; with r = 0.5 the median ahead has z = 0.6408, which is the 73.92nd."""
    budget = made(even(100, 200), even(100, 200), together=0.5)
    forecast = forecast_cost(budget, {Phase.DATA_PREPARATION: Taken(amount=190.0, final=True)})
    assert forecast.phases[Phase.BASELINE_EVALUATION].p50 == pytest.approx(173.92, abs=0.5)


def test_the_phase_under_way_is_cut_off_at_what_it_has_cost():
    """Uniform from 100 to 200 and known to be at least 150: its median is 175."""
    budget = made(even(100, 200), even(100, 200), together=0.0)
    forecast = forecast_cost(budget, {Phase.DATA_PREPARATION: Taken(amount=150.0, final=False)})
    assert forecast.phases[Phase.DATA_PREPARATION].p50 == pytest.approx(175, abs=0.5)


def test_days_add_up_from_gate_to_gate_and_a_slow_phase_moves_those_behind_it(budget):
    agreed = forecast_days(budget, {})
    assert list(agreed) == list(DELIVERY)
    assert agreed[Phase.DATA_PREPARATION].p50 < agreed[Phase.TRAINING].p50 < agreed[Phase.DEPLOYMENT].p50
    slow = forecast_days(budget, {Phase.DATA_PREPARATION: Taken(amount=40.0, final=False)})
    assert slow[Phase.DATA_PREPARATION].p10 >= 40
    behind = slow[Phase.DEPLOYMENT].p50 - slow[Phase.DATA_PREPARATION].p50
    assert behind > agreed[Phase.DEPLOYMENT].p50 - agreed[Phase.DATA_PREPARATION].p50
    done = forecast_days(budget, {Phase.DATA_PREPARATION: Taken(amount=40.0, final=True)})
    assert Phase.DATA_PREPARATION not in done


def test_the_same_facts_give_the_same_forecast(budget):
    taken = {Phase.DATA_PREPARATION: Taken(amount=20_000.0, final=False)}
    assert forecast_cost(budget, taken) == forecast_cost(budget, taken)
