"""New days and what follows from them, without a database."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engagements.core.errors import Invalid
from engagements.delivery.cascade import Days, Placed, Shift, Wanted, cascade
from engagements.delivery.days import working_days_from
from engagements.delivery.steps import PhaseConflict
from estimator.calendar import WorkCalendar
from estimator.phases import DELIVERY, Phase

BERLIN = WorkCalendar(country="DE", region="BE")
TODAY = date(2026, 11, 23)
ONE_DAY = timedelta(days=1)
# The first example of a process reads the holidays of its years.
QUICK = settings(deadline=None, max_examples=30)


def laid(start: date, lengths: list[tuple[int, int]], gaps: list[int] | None = None) -> list[Placed]:
    """Phases one after another: working days of work, then of the client's review; `gaps`: days left free before."""
    plan, day = [], start
    for phase, (work, review), gap in zip(DELIVERY, lengths, gaps or [0] * len(lengths), strict=False):
        begin = BERLIN.first_working_day(day + gap * ONE_DAY)
        gate = BERLIN.after(begin, work + review)
        plan.append(Placed(phase=phase, days=Days(begin=begin, work_end=BERLIN.after(begin, work), gate=gate)))
        day = gate + ONE_DAY
    return plan


def moved(plan: list[Placed], shifts) -> list[Days]:
    return [shifts[each.phase].after if each.phase in shifts else each.days for each in plan if each.days]


def lengths(days: Days) -> tuple[int, int]:
    return BERLIN.count(days.begin, days.work_end), BERLIN.count(days.begin, days.gate)


LENGTHS = st.lists(st.tuples(st.integers(1, 15), st.integers(0, 6)), min_size=5, max_size=5)
GAPS = st.lists(st.sampled_from([0, 0, 0, 1, 9]), min_size=5, max_size=5)
STARTS = st.dates(TODAY, date(2028, 12, 31))


@QUICK
@given(STARTS, LENGTHS, GAPS, st.integers(0, 4), st.integers(1, 90))
def test_a_later_begin_keeps_order_and_lengths_and_nothing_overlaps(start, works, gaps, index, later):
    plan = laid(start, works, gaps)
    own = plan[index]
    begin = BERLIN.first_working_day(own.days.begin + later * ONE_DAY)
    shifts = cascade(plan, own.phase, Wanted(begin=begin), BERLIN, today=TODAY)
    after = moved(plan, shifts)
    assert all(later.begin > earlier.gate for earlier, later in pairwise(after))
    assert [lengths(days) for days in after] == [lengths(each.days) for each in plan]
    assert all(BERLIN.is_working_day(day) for days in after for day in (days.begin, days.work_end, days.gate))
    assert after[:index] == [each.days for each in plan[:index]]
    assert after[index].begin == begin
    assert all(now.gate >= before.days.gate for now, before in zip(after, plan, strict=True))


@QUICK
@given(STARTS, LENGTHS, st.integers(0, 4), st.integers(1, 40))
def test_a_gate_that_moves_pulls_or_pushes_what_follows_to_the_next_working_day(start, works, index, by):
    plan = laid(start, works)
    own = plan[index]
    gate = BERLIN.after(own.days.work_end, by)
    assume(gate != own.days.gate)
    after = moved(plan, cascade(plan, own.phase, Wanted(gate=gate), BERLIN, today=TODAY))
    for earlier, later in pairwise(after[index:]):
        assert later.begin == BERLIN.first_working_day(earlier.gate + ONE_DAY)
    assert after[index].begin == own.days.begin
    assert [lengths(days) for days in after[index + 1 :]] == [lengths(each.days) for each in plan[index + 1 :]]


@QUICK
@given(STARTS, LENGTHS, GAPS, st.integers(0, 4))
def test_days_that_are_planned_already_move_nothing(start, works, gaps, index):
    plan = laid(start, works, gaps)
    days = plan[index].days
    same = Wanted(begin=days.begin, work_end=days.work_end, gate=days.gate)
    assert cascade(plan, plan[index].phase, same, BERLIN, today=TODAY) == {}
    assert cascade(plan, plan[index].phase, Wanted(), BERLIN, today=TODAY) == {}


@QUICK
@given(STARTS, LENGTHS, st.integers(0, 4), st.integers(1, 60))
def test_there_and_back_is_the_plan_it_was(start, works, index, later):
    plan = laid(start, works)
    own = plan[index]
    begin = BERLIN.first_working_day(own.days.begin + later * ONE_DAY)
    there = moved(plan, cascade(plan, own.phase, Wanted(begin=begin), BERLIN, today=TODAY))
    moved_plan = [Placed(phase=each.phase, days=days) for each, days in zip(plan, there, strict=True)]
    back = cascade(moved_plan, own.phase, Wanted(begin=own.days.begin), BERLIN, today=TODAY)
    assert moved(moved_plan, back) == [each.days for each in plan]


def test_christmas_is_worked_around_by_hand():
    # Two days of work and one of review from Monday, 21 December 2026: 25 and 26 December and 1 January are holidays.
    plan = laid(date(2026, 12, 21), [(2, 1), (3, 0)])
    assert plan[0].days == Days(begin=date(2026, 12, 21), work_end=date(2026, 12, 22), gate=date(2026, 12, 23))
    assert plan[1].days == Days(begin=date(2026, 12, 24), work_end=date(2026, 12, 29), gate=date(2026, 12, 29))
    shifts = cascade(plan, plan[0].phase, Wanted(gate=date(2026, 12, 24)), BERLIN, today=TODAY)
    assert shifts[plan[1].phase] == Shift(
        before=plan[1].days,
        after=Days(begin=date(2026, 12, 28), work_end=date(2026, 12, 30), gate=date(2026, 12, 30)),
    )


def test_a_gap_that_was_left_on_purpose_takes_up_a_delay_first():
    plan = laid(date(2027, 1, 11), [(3, 0), (3, 0)], [0, 9])
    first, second = plan
    one_later = BERLIN.after(first.days.gate + ONE_DAY, 1)
    assert set(cascade(plan, first.phase, Wanted(gate=one_later), BERLIN, today=TODAY)) == {first.phase}
    far = second.days.gate + timedelta(days=7)
    shifts = cascade(plan, first.phase, Wanted(gate=BERLIN.first_working_day(far)), BERLIN, today=TODAY)
    assert set(shifts) == {first.phase, second.phase}


def test_a_longer_piece_of_work_keeps_the_clients_review():
    (own, *_) = plan = laid(date(2027, 1, 11), [(5, 3), (2, 0)])
    work_end = BERLIN.after(own.days.work_end + ONE_DAY, 4)
    after = cascade(plan, own.phase, Wanted(work_end=work_end), BERLIN, today=TODAY)[own.phase].after
    assert working_days_from(BERLIN, work_end, after.gate) == working_days_from(
        BERLIN, own.days.work_end, own.days.gate
    )
    assert after.begin == own.days.begin


@pytest.mark.parametrize(
    ("wanted", "where", "code", "remedy"),
    [
        (Wanted(begin=date(2027, 1, 30)), "begin", "date.not_working", "2027-02-01"),
        (Wanted(gate=date(2026, 12, 25)), "gate", "date.not_working", "2026-12-28"),
        (Wanted(begin=date(2026, 11, 20)), "begin", "date.in_past", "2026-11-23"),
        (Wanted(gate=date(2037, 1, 5)), "gate", "date.out_of_range", "an earlier day"),
        (Wanted(begin=date(2027, 1, 11)), "begin", "date.order", "or move the phase before"),
        (Wanted(gate=date(2027, 1, 11)), "gate", "date.order", "or later"),
        (Wanted(work_end=date(2027, 1, 11)), "work_end", "date.order", "or later"),
    ],
)
def test_days_that_cannot_be_are_refused_with_the_next_one_that_can(wanted, where, code, remedy):
    plan = laid(date(2027, 1, 4), [(10, 3), (10, 3)])
    with pytest.raises(Invalid) as refused:
        cascade(plan, plan[1].phase, wanted, BERLIN, today=TODAY)
    (fault,) = refused.value.problems
    assert (fault.where, fault.code) == (where, code)
    assert remedy in fault.remedy


def test_everything_that_is_wrong_is_said_at_once():
    plan = laid(date(2027, 1, 4), [(10, 3)])
    wanted = Wanted(begin=date(2026, 11, 20), work_end=date(2027, 1, 30), gate=date(2040, 1, 2))
    with pytest.raises(Invalid) as refused:
        cascade(plan, plan[0].phase, wanted, BERLIN, today=TODAY)
    assert [fault.where for fault in refused.value.problems] == ["begin", "work_end", "gate"]


def test_what_has_begun_keeps_its_first_day_and_what_has_ended_keeps_all():
    first, second = laid(date(2027, 1, 4), [(10, 3), (10, 3)])
    begun = [Placed(phase=first.phase, days=first.days, begun=True), second]
    with pytest.raises(Invalid, match="has begun"):
        cascade(begun, first.phase, Wanted(begin=date(2027, 1, 18)), BERLIN, today=TODAY)
    ended = [Placed(phase=first.phase, days=first.days, begun=True, ended_on=date(2027, 1, 15)), second]
    with pytest.raises(PhaseConflict, match="ended on 2027-01-15"):
        cascade(ended, first.phase, Wanted(gate=date(2027, 2, 1)), BERLIN, today=TODAY)
    # It ended before its day, so what follows can be pulled forward to the day after.
    pulled = cascade(ended, second.phase, Wanted(begin=date(2027, 1, 18)), BERLIN, today=TODAY)
    assert pulled[second.phase].after.begin == date(2027, 1, 18)


def test_ongoing_management_has_no_days_to_move():
    plan = [*laid(date(2027, 1, 4), [(5, 0)] * 5), Placed(phase=Phase.MANAGEMENT, days=None)]
    with pytest.raises(PhaseConflict, match="no days of its own"):
        cascade(plan, Phase.MANAGEMENT, Wanted(begin=date(2027, 6, 1)), BERLIN, today=TODAY)
    assert Phase.MANAGEMENT not in cascade(plan, DELIVERY[0], Wanted(begin=date(2027, 2, 1)), BERLIN, today=TODAY)
