from datetime import date, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.calendar import WorkCalendar
from estimator.errors import UnknownName

GERMANY = WorkCalendar(country="DE")
DAYS = st.dates(date(2026, 1, 1), date(2030, 12, 31))


def test_ten_working_days_over_christmas_skip_the_holidays() -> None:
    assert GERMANY.after(date(2026, 12, 21), 10) == date(2027, 1, 5)
    assert [h.day for h in GERMANY.holidays_between(date(2026, 12, 21), date(2027, 1, 5))] == [
        date(2026, 12, 25),
        date(2027, 1, 1),
    ]


def test_epiphany_is_a_holiday_in_bavaria_and_a_working_day_in_berlin() -> None:
    epiphany = date(2027, 1, 6)
    assert not WorkCalendar(country="DE", region="BY").is_working_day(epiphany)
    assert WorkCalendar(country="DE", region="BE").is_working_day(epiphany)


def test_one_working_day_ends_on_the_day_it_starts() -> None:
    assert GERMANY.after(date(2026, 12, 7), 1) == date(2026, 12, 7)
    assert GERMANY.after(date(2026, 12, 5), 1) == date(2026, 12, 7)


@given(DAYS, st.integers(1, 200))
def test_counting_undoes_adding(start: date, days: int) -> None:
    first = GERMANY.first_working_day(start)
    assert GERMANY.count(first, GERMANY.after(start, days)) == days


@given(DAYS, st.integers(1, 60))
def test_work_ends_on_a_working_day_and_one_more_day_ends_later(start: date, days: int) -> None:
    end = GERMANY.after(start, days)
    assert GERMANY.is_working_day(end)
    assert GERMANY.after(start, days + 1) > end >= start
    assert end - start < timedelta(days=days * 2 + 14)


def test_working_days_run_on_over_weekends_and_holidays() -> None:
    assert list(islice(GERMANY.working_days(date(2026, 12, 24)), 4)) == [
        date(2026, 12, day) for day in (24, 28, 29, 30)
    ]


def test_an_unknown_country_or_region_is_refused_by_name() -> None:
    with pytest.raises(UnknownName, match="no country named 'XX'"):
        WorkCalendar(country="XX")
    with pytest.raises(UnknownName, match="no region named 'QQ'"):
        WorkCalendar(country="DE", region="QQ")
