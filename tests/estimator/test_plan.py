"""The engagement as one simulation: scopes add up, certainty costs no contingency, chance comes from the seed."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import isclose

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import Brief
from estimator.effort import EffortModel, EffortPlan, Per, plan_effort
from estimator.figures import Figure
from estimator.figures import given as stated
from estimator.phases import DELIVERY, Phase
from estimator.plan import Chances, ComputeCost, Engagement, Scope, timeline
from estimator.simulation import Triangle

BriefOf = Callable[..., Brief]
ROLES = ("delivery_lead", "ml_engineer", "data_engineer", "mlops_engineer", "annotation_lead", "annotator")
COSTS = dict(zip(ROLES, (90, 100, 80, 90, 60, 25), strict=True))
RATES = {role: stated(f"rate.{role}", cost, "USD per h", source="test") for role, cost in COSTS.items()}
FULL = Scope(phases=DELIVERY, management_months=3, retrainings=1)
PROVE = Scope(phases=DELIVERY[:4], management_months=0, retrainings=0)
DEPLOY = Scope(phases=(Phase.DEPLOYMENT,), management_months=0, retrainings=0)
CARE = Scope(phases=(), management_months=3, retrainings=1)


def certain(value: float) -> Triangle:
    return Triangle(low=value, likely=value, high=value)


TEN, FIVE = certain(10), certain(5)


def compute(run: Triangle = TEN, runs: Triangle = FIVE, failed: float = 0.2, once: float = 7) -> ComputeCost:
    return ComputeCost(per_run=run, runs=runs, failed_share=failed, once=once)


def costed(plan: EffortPlan, *, seed: int = 7, draws: int = 2_000, cost: ComputeCost | None = None) -> Engagement:
    return Engagement.costed(plan, Chances.of(plan, seed=seed, draws=draws), rates=RATES, compute=cost or compute())


def without_spread(plan: EffortPlan) -> EffortPlan:
    return replace(
        plan,
        lines=tuple(replace(line, hours=certain(line.hours.likely)) for line in plan.lines),
        days={phase: certain(days.likely) for phase, days in plan.days.items()},
        review_days=certain(plan.review_days.likely),
    )


@pytest.fixture
def plan(brief_of: BriefOf) -> EffortPlan:
    return plan_effort(brief_of(), EffortModel.default())


def test_a_certain_engagement_costs_its_hours_at_their_rates_and_its_compute(plan: EffortPlan) -> None:
    """Six runs of 10 USD, one of them failed, and 7 USD once; five experiments of 2.5 h."""
    hours = {Per.ENGAGEMENT: 1, Per.RUN: 5, Per.INTEGRATION: 1, Per.MONTH: 3, Per.RETRAINING: 1}
    lines = EffortModel.default().lines
    work = sum(line.range.likely * hours[line.per] * COSTS[line.role] for line in lines)
    cost = costed(without_spread(plan)).cost(FULL)
    assert isclose(cost.p50, work + 6 * 10 + 7 + 12)
    assert isclose(costed(without_spread(plan)).compute_cost().p50, 67)


def test_without_spread_there_is_no_contingency_in_money_or_time(plan: EffortPlan) -> None:
    certainly = without_spread(plan)
    cost = costed(certainly).cost(FULL)
    assert (cost.contingency, cost.sd) == (0, 0)
    assert cost.p10 == cost.p50 == cost.p90
    times = timeline(certainly, Chances.of(certainly, seed=1, draws=500))
    assert [time.end.contingency for time in times] == [0] * 5
    assert times[-1].end.p50 == 15 + 5 + 7.5 + 7.5 + 7.5 + 5 * 3


def test_scopes_add_up(plan: EffortPlan) -> None:
    engagement = costed(plan)
    parts = [engagement.cost(scope).mean for scope in (PROVE, DEPLOY, CARE)]
    assert isclose(sum(parts), engagement.cost(FULL).mean)


def test_the_phases_of_a_scope_sum_to_its_mean_cost(plan: EffortPlan) -> None:
    engagement = costed(plan)
    by_phase = engagement.cost_by_phase(FULL)
    assert list(by_phase) == [*DELIVERY, Phase.MANAGEMENT]
    assert isclose(sum(by_phase.values()), engagement.cost(FULL).mean)
    assert engagement.cost_by_phase(PROVE) == {phase: by_phase[phase] for phase in DELIVERY[:4]}


def test_hours_times_rates_are_the_cost_without_compute(plan: EffortPlan) -> None:
    engagement = costed(plan, cost=compute(run=certain(0), failed=0, once=0))
    hours = engagement.hours(FULL)
    paid = sum(spent * COSTS[role] for by_role in hours.values() for role, spent in by_role.items())
    assert isclose(paid, engagement.cost(FULL).mean)


def test_labelling_is_paid_in_data_preparation(brief_of: BriefOf) -> None:
    """60 judgements of 60 minutes: 60 h of an annotator, and the lead's 2 h."""
    labelling = {
        "examples": 10, "minutes_per_example": 60, "overlap_percent": 0, "reject_percent": 0, "disagree_percent": 0,
        "guideline_hours": 2,
    }  # fmt: skip
    plain, labelled = (
        without_spread(plan_effort(brief, EffortModel.default()))
        for brief in (brief_of(), brief_of({"data.labelling": labelling}))
    )
    first, second = (costed(plan).cost_by_phase(PROVE) for plan in (plain, labelled))
    assert isclose(second[Phase.DATA_PREPARATION] - first[Phase.DATA_PREPARATION], 60 * 25 + 2 * 60)
    hours = costed(labelled).hours(PROVE)[Phase.DATA_PREPARATION]
    assert isclose(hours["annotator"], 60)
    assert isclose(hours["annotation_lead"], 16 + 2)


def test_even_odds_four_in_five_and_nine_in_ten_lie_in_this_order(plan: EffortPlan) -> None:
    cost = costed(plan).cost(FULL)
    assert cost.p10 < cost.p50 < cost.p80 < cost.p90
    for time in timeline(plan, Chances.of(plan, seed=7, draws=2_000)):
        assert time.end.p50 < time.end.p80 < time.end.p90


def test_the_same_seed_gives_the_same_engagement_and_another_seed_another(plan: EffortPlan) -> None:
    first, again, other = (costed(plan, seed=seed).cost(FULL) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_the_tornado_is_ordered_and_its_widest_bar_is_what_matters_most(plan: EffortPlan) -> None:
    wild = compute(run=Triangle(low=0, likely=10, high=90_000))
    bars = costed(plan, cost=wild).tornado(FULL)
    assert [bar.width for bar in bars] == sorted((bar.width for bar in bars), reverse=True)
    assert bars[0].name == "Cost of one run"
    assert all(bar.low <= bar.high for bar in bars)


def test_a_bar_swings_by_what_its_quantity_costs_between_its_p10_and_its_p90(plan: EffortPlan) -> None:
    """Only the cost of a run is uncertain: 5 runs and 1 failed, and 1 retraining with its fifth."""
    run = Triangle(low=10, likely=20, high=60)
    bars = costed(without_spread(plan), cost=compute(run=run)).tornado(FULL)
    assert isclose(bars[0].width, (run.quantile(0.9) - run.quantile(0.1)) * (6 + 1.2))
    assert [bar.width for bar in bars[1:]] == [0] * (len(bars) - 1)


def test_work_outside_the_scope_moves_nothing(plan: EffortPlan) -> None:
    names = [bar.name for bar in costed(plan).tornado(PROVE) if bar.width]
    assert not any(name.startswith(("Deployment", "Ongoing management")) for name in names)


def test_a_phase_begins_where_the_one_before_it_ended(plan: EffortPlan) -> None:
    times = timeline(plan, Chances.of(plan, seed=3, draws=500))
    assert times[0].begin.p90 == 0
    for before, after in pairwise(times):
        assert after.begin == before.end
        assert after.work_end.p50 > after.begin.p50


def test_a_cost_leads_back_to_the_hours_and_rates_of_its_scope_alone(plan: EffortPlan) -> None:
    run = stated("run", 1, "USD", source="test")
    engagement = costed(plan, cost=replace(compute(), origins=(run,)))

    def keys(figures: list[Figure]) -> set[str]:
        return {figure.key for figure in figures}

    prove, care = keys(engagement.origins(PROVE)), keys(engagement.origins(CARE))
    assert "run" in prove
    assert not any(key.startswith(("effort.deployment", "effort.management")) for key in prove)
    assert "run" in care
    assert all(key.startswith(("effort.management", "rate.")) for key in care - {"run"})
    assert "run" not in keys(engagement.origins(replace(CARE, retrainings=0)))


@settings(max_examples=25)
@given(months=st.integers(0, 36), retrainings=st.integers(0, 12), cut=st.integers(1, 5))
def test_more_scope_never_costs_less(brief_of: BriefOf, months: int, retrainings: int, cut: int) -> None:
    engagement = costed(plan_effort(brief_of(), EffortModel.default()), draws=200)
    scope = Scope(phases=DELIVERY[:cut], management_months=months, retrainings=retrainings)
    more = [
        replace(scope, management_months=months + 1),
        replace(scope, retrainings=retrainings + 1),
        replace(scope, phases=DELIVERY[: cut + 1]),
    ]
    cost = engagement.cost(scope)
    assert all(engagement.cost(wider).p50 >= cost.p50 - 1e-9 for wider in more)


def test_more_runs_cost_more_experiments_too(plan: EffortPlan) -> None:
    few, many = (costed(without_spread(plan), cost=compute(runs=certain(runs))).cost(PROVE).p50 for runs in (5, 6))
    assert isclose(many - few, 10 * 1.2 + 2.5 * 100)


def test_overruns_come_together(plan: EffortPlan) -> None:
    """Hours of two lines move with the correlation of 0.4 that phases of one engagement have."""
    chances = Chances.of(plan, seed=1, draws=20_000)
    first, second = (chances.by_name[line.key] for line in plan.lines[:2])
    assert isclose(float(np.corrcoef(first, second)[0, 1]), 0.4, abs_tol=0.03)
