"""Working days on a calendar: phases follow each other, holidays push them back, months keep their day."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator import Brief, Estimate
from estimator.calendar import WorkCalendar
from estimator.errors import BriefInvalid
from estimator.phases import DELIVERY, Phase
from estimator.plan import PhaseTime
from estimator.schedule import add_months, months_between, place, plan_dates
from estimator.simulation import Distribution

GERMANY = WorkCalendar(country="DE")
DAYS = st.dates(date(2026, 1, 1), date(2035, 12, 31))


def after(days: float) -> Distribution:
    return Distribution(quantiles=(days,) * 201, mean=days, sd=0.0)


def times(*works: float, review: float = 2) -> list[PhaseTime]:
    """Phases that take exactly so many days of work each, and a review after each."""
    placed, begin = [], 0.0
    for phase, work in zip(DELIVERY, works, strict=False):
        ends = (begin, begin + work, begin + work + review)
        placed.append(PhaseTime(phase=phase, begin=after(ends[0]), work_end=after(ends[1]), end=after(ends[2])))
        begin = ends[2]
    return placed


def test_two_phases_over_christmas() -> None:
    """Eight days of work and two of review from Monday 21 December: 25 December and 1 January are holidays."""
    schedule = place(times(8, 3), start=date(2026, 12, 19), calendar=GERMANY)
    first, second = schedule.phases
    assert schedule.start == first.begin == date(2026, 12, 21)
    assert (first.work_end, first.gate) == (date(2026, 12, 31), date(2027, 1, 5))
    assert (second.begin, second.work_end, second.gate) == (date(2027, 1, 6), date(2027, 1, 8), date(2027, 1, 12))
    assert [holiday.day for holiday in schedule.holidays] == [date(2026, 12, 25), date(2027, 1, 1)]
    assert (first.working_days, second.working_days, schedule.working_days_p50) == (10, 5, 15)


def test_a_begun_day_is_a_day() -> None:
    schedule = place(times(1.2, review=0.5), start=date(2027, 2, 1), calendar=GERMANY)
    assert (schedule.phases[0].work_end, schedule.go_live) == (date(2027, 2, 2), date(2027, 2, 2))


def test_a_plan_of_more_than_ten_years_is_refused(
    brief_of: Callable[..., Brief], estimate_of: Callable[..., Estimate]
) -> None:
    for changes in (
        {"commercial.review_days": 1_000_000},
        {"data.labelling": {"examples": 10**12, "minutes_per_example": 1}},
    ):
        with pytest.raises(BriefInvalid, match="more than ten years") as refusal:
            estimate_of(brief_of(changes))
        assert [problem.code for problem in refusal.value.problems] == ["plan.too_long"]


def test_a_region_with_more_holidays_goes_live_later() -> None:
    """Epiphany is a working day in Berlin and none in Bavaria."""
    berlin, bavaria = (
        place(times(5), start=date(2027, 1, 4), calendar=WorkCalendar(country="DE", region=region)).go_live
        for region in ("BE", "BY")
    )
    assert (berlin, bavaria) == (date(2027, 1, 12), date(2027, 1, 13))


@given(st.lists(st.floats(0.5, 40), min_size=1, max_size=5), DAYS)
def test_phases_follow_each_other_and_their_days_sum_to_the_whole(works: list[float], start: date) -> None:
    schedule = place(times(*works), start=start, calendar=GERMANY)
    assert sum(dates.working_days for dates in schedule.phases) == schedule.working_days_p50
    for dates in schedule.phases:
        assert dates.begin <= dates.work_end <= dates.gate <= dates.gate_p80
    for before, following in pairwise(schedule.phases):
        assert following.begin == GERMANY.first_working_day(before.gate + timedelta(days=1))
    assert GERMANY.count(schedule.start, schedule.go_live) == schedule.working_days_p50


def test_an_estimate_is_later_with_four_in_five_odds_than_with_even_ones(
    brief_of: Callable[..., Brief], estimate_of: Callable[..., Estimate]
) -> None:
    schedule = estimate_of(brief_of()).schedule
    assert schedule.go_live < schedule.go_live_p80
    assert schedule.working_days_p50 < schedule.working_days_p80
    assert schedule.of(Phase.DEPLOYMENT).gate == schedule.go_live


def test_the_days_a_model_must_outlast_come_from_training_and_service() -> None:
    """Twenty days of work and ten of review from Monday 1 February."""
    schedule = place(times(5, 3, 4, 4, 4), start=date(2027, 2, 1), calendar=GERMANY)
    dates = plan_dates(schedule, serving_months=24)
    assert dates.first_job == schedule.of(Phase.TRAINING).begin
    assert dates.last_job == schedule.of(Phase.TRAINING).gate_p80
    assert (dates.go_live, dates.service_end) == (date(2027, 3, 12), date(2029, 3, 12))


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 5, 31), 0, date(2026, 5, 31)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_of_a_shorter_month(day: date, months: int, then: date) -> None:
    assert add_months(day, months) == then


@given(DAYS, st.integers(0, 120))
def test_months_that_were_added_are_counted(start: date, months: int) -> None:
    assert months_between(start, add_months(start, months)) in {months, months - (start.day > 28)}
    assert months_between(start, start - timedelta(days=1)) == 0
