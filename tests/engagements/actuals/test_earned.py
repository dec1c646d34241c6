"""Earned value by hand: the vector of the agency reference, its guards, the planned curve, the earned schedule."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagements.actuals.earned import (
    Curve,
    PlannedWork,
    Tone,
    earned_schedule,
    earned_value,
    planned_curve,
    tone,
)
from estimator.calendar import WorkCalendar

GERMANY = WorkCalendar(country="DE", region="HH")
MONEY = st.integers(0, 10**9).map(Decimal)


def valued(bac=100, pv=50, ev=40, ac=45):
    return earned_value(bac=Decimal(bac), pv=Decimal(pv), ev=Decimal(ev), ac=Decimal(ac))


def test_the_vector_of_the_reference():
    found = valued()
    assert found.cpi == pytest.approx(Decimal("0.8889"), abs=Decimal("0.0001"))
    assert (found.spi, found.cv, found.sv) == (Decimal("0.8"), -5, -10)
    assert (found.eac_typical, found.eac_one_off, found.eac_both) == (
        pytest.approx(Decimal("112.5")), 105, pytest.approx(Decimal("129.375")),
    )  # fmt: skip
    assert (found.etc, found.vac) == (pytest.approx(Decimal("67.5")), pytest.approx(Decimal("-12.5")))
    assert found.tcpi == pytest.approx(Decimal("1.0909"), abs=Decimal("0.0001"))


def test_what_cannot_be_divided_is_not_defined():
    before = valued(pv=0, ev=0, ac=0)
    assert (before.cpi, before.spi, before.eac_typical, before.eac_both, before.etc, before.vac) == (None,) * 6
    assert (before.eac_one_off, before.tcpi) == (100, 1)
    spent_for_nothing = valued(ev=0)
    assert (spent_for_nothing.cpi, spent_for_nothing.eac_typical) == (0, None)


@pytest.mark.parametrize("ac", [100, 130])
def test_a_budget_used_up_has_no_index_to_complete(ac):
    found = valued(ac=ac)
    assert (found.is_used_up, found.tcpi) == (True, None)


@pytest.mark.parametrize(
    ("index", "said"),
    [("0.95", Tone.GREEN), ("1.3", Tone.GREEN), ("0.9499", Tone.AMBER), ("0.85", Tone.AMBER), ("0.8499", Tone.RED)],
)
def test_badges(index, said):
    assert tone(Decimal(index)) is said


def test_nothing_has_no_badge():
    assert tone(None) is None


@given(bac=MONEY, pv=st.floats(0, 1), ev=st.floats(0, 1), ac=MONEY)
def test_what_is_left_and_what_was_spent_are_the_whole(bac, pv, ev, ac):
    found = earned_value(bac=bac, pv=int(pv * float(bac)), ev=int(ev * float(bac)), ac=ac)
    assert found.cv == found.ev - found.ac
    if found.eac_typical is not None:
        assert found.etc == found.eac_typical - found.ac
        assert found.vac == found.bac - found.eac_typical


def test_the_plan_spends_on_working_days_only():
    """From Thursday 24 to Tuesday 29 December 2026: the 25th is a holiday, the 26th and 27th a week-end."""
    work = [PlannedWork(budget=Decimal(300), begin=date(2026, 12, 24), gate=date(2026, 12, 29))]
    curve = planned_curve(work, GERMANY)
    assert curve.days == (date(2026, 12, 24), date(2026, 12, 28), date(2026, 12, 29))
    assert curve.planned == (100, 200, 300)
    assert [curve.at(date(2026, 12, day)) for day in (23, 25, 27, 28, 31)] == [0, 100, 100, 200, 300]


@given(budgets=st.lists(st.integers(1, 10**9), min_size=1, max_size=5), days=st.integers(1, 40))
def test_the_curve_ends_at_the_sum_of_its_phases(budgets, days):
    begin = date(2027, 1, 11)
    gate = GERMANY.after(begin, days)
    curve = planned_curve([PlannedWork(budget=Decimal(each), begin=begin, gate=gate) for each in budgets], GERMANY)
    assert curve.planned[-1] == sum(budgets)
    assert list(curve.planned) == sorted(curve.planned)


def test_the_earned_schedule_says_how_far_the_plan_is_earned():
    curve = Curve(
        days=tuple(date(2027, 1, 11 + number) for number in range(4)), planned=tuple(map(Decimal, (10, 20, 40, 60)))
    )
    third = earned_schedule(curve, Decimal(30), date(2027, 1, 13))
    assert (third.earned_days, third.passed_days, third.spi_t) == (Decimal("2.5"), 3, pytest.approx(Decimal(5) / 6))
    assert earned_schedule(curve, Decimal(0), date(2027, 1, 10)).spi_t is None
    assert earned_schedule(curve, Decimal(60), date(2027, 2, 1)).earned_days == 4
