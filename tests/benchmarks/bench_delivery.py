"""The forecast of one engagement under way: the frozen budget read back and conditioned on what its phases took.

The engagement is the packaged example with its first phase done over budget and its second under way. Everything after
the database is measured: plain data to budget, the draws of cost and of days, dates over working days.
"""

from collections.abc import Iterator
from datetime import date
from statistics import median

from measurement import Measurement, best_seconds

from engagements.actuals.burn import budget_of
from engagements.actuals.forecasting import forecast_with
from engagements.actuals.totals import Taken
from engagements.delivery.models import Baseline, PhaseRecord, PhaseState
from engagements.proposals.baseline import plans_of
from estimator import PriceBook, estimate, read_brief
from estimator.brief.example import example_brief
from estimator.budget import budgets_of
from estimator.phases import Phase
from estimator.plain import plain

TODAY = date(2026, 11, 22)
NOW = date(2027, 2, 18)
SAMPLES, WARM_UP = 15, 3
BAR_MS = 100


def measure() -> Iterator[Measurement]:
    baseline, phases, taken = under_way()

    def forecast() -> object:
        budget = budget_of(baseline)
        assert budget is not None, "the example has a budget"
        return forecast_with(baseline, budget, phases, taken, today=NOW)

    for _ in range(WARM_UP):
        forecast()
    found_ms = 1_000 * median(best_seconds(forecast, repeats=2) for _ in range(SAMPLES))
    yield Measurement(
        name="forecast of one engagement, cost and dates, warm median", measured=found_ms, unit="ms",
        bar=f"<= {BAR_MS}", holds=found_ms <= BAR_MS, beside="6 phases, 4,000 draws",
    )  # fmt: skip


def under_way() -> tuple[Baseline, list[PhaseRecord], dict[Phase, Taken]]:
    prices = PriceBook.load()
    found = estimate(read_brief(example_brief(TODAY)), prices, on=TODAY)
    baseline = Baseline(
        engagement_id="eng", number=1, plan=plans_of(found)["run"], budget=plain(budgets_of(found, prices)["run"])
    )
    states = dict(zip(Phase, (PhaseState.DONE, PhaseState.IN_PROGRESS, *[PhaseState.PLANNED] * 4), strict=True))
    dates = {Phase.DATA_PREPARATION: (date(2027, 1, 11), date(2027, 2, 12)), Phase.BASELINE_EVALUATION: (NOW, None)}
    phases = []
    for phase, state in states.items():
        begin, end = dates.get(phase, (None, None))
        phases.append(PhaseRecord(phase=phase, state=state, actual_begin=begin, actual_end=end, planned_begin=None))
    taken = {
        Phase.DATA_PREPARATION: Taken(minutes=27_000, time_minor=2_100_000),
        Phase.BASELINE_EVALUATION: Taken(minutes=600, time_minor=90_000, other_minor=4_000),
    }
    return baseline, phases, taken
