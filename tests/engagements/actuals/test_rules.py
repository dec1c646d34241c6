"""What may be logged, decided without a database: days, weeks, phases; what entries add up to; files."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagements.actuals.burn import Confidence, burn_against, pace_of
from engagements.actuals.csv_files import COST_COLUMNS, TIME_COLUMNS, cell_of, read_rows, written
from engagements.actuals.models import AlertKind, EntryState
from engagements.actuals.rules import (
    Facts,
    PhaseConflict,
    TimeLocked,
    Wanted,
    WeekLocked,
    check,
    hours_text,
    spent_of,
)
from engagements.actuals.thresholds import passed
from engagements.actuals.totals import Taken, sum_of
from engagements.actuals.weeks import Week
from engagements.core.errors import Invalid
from engagements.delivery.models import PhaseState
from estimator.budget import LEVELS, Budget, PhaseBudget, Spread
from estimator.calendar import WorkCalendar
from estimator.money import Money
from estimator.phases import Phase

GERMANY = WorkCalendar(country="DE", region="HH")
WANTED = Wanted(phase=Phase.DATA_PREPARATION, role="data_engineer", day=date(2026, 11, 25), minutes=90)
FACTS = Facts(
    today=date(2026, 11, 27), agreed_on=date(2026, 11, 23), locked_until=None, phase_state=PhaseState.IN_PROGRESS,
    day_minutes=0, week_states=frozenset(), roles=frozenset({"data_engineer"}),
)  # fmt: skip


def codes(wanted: Wanted, facts: Facts) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        check(wanted, facts)
    return [(problem.where, problem.code) for problem in refused.value.problems]


def test_a_day_takes_24_hours_and_no_minute_more():
    check(WANTED, replace(FACTS, day_minutes=1_350))
    with pytest.raises(Invalid, match="25 h 30 min") as refused:
        check(replace(WANTED, minutes=150), replace(FACTS, day_minutes=1_380))
    assert [problem.remedy for problem in refused.value.problems] == ["60 minutes of that day are left"]


@pytest.mark.parametrize("day", [date(2026, 10, 25), date(2027, 3, 28)])
def test_the_day_of_a_clock_change_takes_24_hours_too(day):
    facts = replace(FACTS, today=day, agreed_on=date(2026, 1, 1))
    check(replace(WANTED, day=day), replace(facts, day_minutes=1_350))
    assert codes(replace(WANTED, day=day), replace(facts, day_minutes=1_351)) == [("minutes", "day_over_24_hours")]


def test_everything_that_is_wrong_is_said_at_once():
    wanted = replace(WANTED, day=date(2026, 11, 28), role="wizard")
    assert codes(wanted, replace(FACTS, phase_state=None, day_minutes=1_440)) == [
        ("phase", "phase_unknown"), ("role", "unknown_role"), ("day", "date.out_of_range"),
        ("minutes", "day_over_24_hours"),
    ]  # fmt: skip


def test_nothing_is_logged_before_the_acceptance():
    assert codes(replace(WANTED, day=date(2026, 11, 22)), FACTS) == [("day", "date.out_of_range")]


def test_a_phase_that_has_not_begun_takes_no_time_but_one_that_is_ready_or_done_does():
    for state in PhaseState:
        if state is PhaseState.PLANNED:
            with pytest.raises(PhaseConflict):
                check(WANTED, replace(FACTS, phase_state=state))
        else:
            check(WANTED, replace(FACTS, phase_state=state))


@pytest.mark.parametrize("state", [EntryState.SUBMITTED, EntryState.APPROVED, EntryState.INVOICED])
def test_a_week_that_was_handed_in_is_locked(state):
    with pytest.raises(WeekLocked, match=f"2026-W48 is {state}"):
        check(WANTED, replace(FACTS, week_states=frozenset({state})))


def test_closed_days_take_no_time():
    check(WANTED, replace(FACTS, locked_until=date(2026, 11, 24)))
    with pytest.raises(TimeLocked):
        check(WANTED, replace(FACTS, locked_until=date(2026, 11, 25)))


def test_hours_in_words():
    assert [hours_text(minutes) for minutes in (60, 90, 1530)] == ["1 h", "1 h 30 min", "25 h 30 min"]


@given(minutes=st.integers(-1_440, 1_440).filter(bool), rate=st.integers(0, 10**7))
def test_what_an_entry_costs_is_rounded_half_up_once(minutes, rate):
    exact = Decimal(abs(minutes) * rate) / 60 / 100
    size = Money.of(exact, "EUR").minor
    assert spent_of(minutes, rate) == (size if minutes > 0 else -size)


def test_what_has_no_rate_costs_nobody_knows_what():
    assert spent_of(60, None) is None


@given(day=st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_week_is_seven_days_from_monday_and_reads_back(day):
    week = Week.of(day)
    assert week.first <= day <= week.last
    assert week.first.weekday() == 0
    assert Week.parse(str(week)) == week
    assert week.plus(1).first == week.days[6] + (week.days[1] - week.days[0])


@pytest.mark.parametrize("text", ["2026-W54", "2026-48", "2026-W5", "", "0000-W01"])
def test_what_is_no_week(text):
    with pytest.raises(ValueError, match=r".+"):
        Week.parse(text)


# --- burn and thresholds --------------------------------------------------------------------------------------------


def even(mean: float) -> Spread:
    return Spread(mean=mean, quantiles=tuple(mean * (0.5 + level) for level in LEVELS))


def budget(*means: float) -> Budget:
    phases = tuple(
        PhaseBudget(phase=phase, cost=even(mean), hours=even(mean / 100), hours_by_role={}, compute=0.0, days=None)
        for phase, mean in zip(Phase, means, strict=False)
    )
    eye = tuple(tuple(1.0 if row == each else 0.0 for each in range(len(means))) for row in range(len(means)))
    return Budget(
        currency="EUR", seed=1, draws=1, phases=phases, cost=even(sum(means)), rates={}, prices={}, runs=1.0,
        correlation=eye,
    )  # fmt: skip


TAKEN = st.builds(
    Taken, minutes=st.integers(0, 10**5), time_minor=st.integers(0, 10**9), other_minor=st.integers(-(10**6), 10**9),
    unknown=st.integers(0, 9),
)  # fmt: skip


@given(taken=st.dictionaries(st.sampled_from(list(Phase)), TAKEN))
def test_the_whole_is_the_sum_of_its_phases(taken):
    burn = burn_against(budget(1_000.005, 2_000.005, 300.333), "EUR", taken)
    lines = burn.phases
    assert burn.whole.taken == sum_of({line.phase: line.taken for line in lines})
    assert burn.whole.taken == sum_of(taken)
    assert burn.whole.budget_minor == sum(line.budget_minor or 0 for line in lines)
    assert burn.whole.budget_minutes == sum(line.budget_minutes or 0 for line in lines)


def test_a_phase_without_a_budget_is_seen_as_soon_as_it_costs():
    burn = burn_against(budget(1_000), "EUR", {Phase.TRAINING: Taken(minutes=60, time_minor=9_800)})
    line = burn.of(Phase.TRAINING)
    assert line is not None
    assert (line.budget_minor, line.cost_share, line.taken.spent_minor) == (None, None, 9_800)


def thresholds(spent_minor: int) -> list[tuple[AlertKind, str, int]]:
    burn = burn_against(budget(1_000, 9_000), "EUR", {Phase.DATA_PREPARATION: Taken(time_minor=spent_minor)})
    return [each.key for each in passed(burn, None, ())]


@pytest.mark.parametrize(("spent", "reached"), [(79_999, []), (80_000, [80]), (100_000, [80, 100]), (99_999, [80])])
def test_a_threshold_is_passed_to_the_cent(spent, reached):
    assert thresholds(spent) == [(AlertKind.COST, "data_preparation", each) for each in reached]


def test_the_pace_says_on_what_day_the_budget_is_used_up():
    """100 a working day from Monday 11 to Friday 22 January: 500 left last five more working days."""
    days = {date(2027, 1, day): 10_000 for day in (11, 12, 13, 14, 15, 18, 19, 20, 21, 22)}
    found = pace_of(days, remaining_minor=50_000, unknown=0, calendar=GERMANY, today=date(2027, 1, 22))
    assert found is not None
    assert (found.daily_minor, found.working_days, found.used_up_on) == (10_000, 10, date(2027, 1, 29))
    assert found.confidence is Confidence.MEDIUM
    early = pace_of(
        {date(2027, 1, 22): 10_000}, remaining_minor=1, unknown=0, calendar=GERMANY, today=date(2027, 1, 22)
    )
    assert early is not None
    assert early.confidence is Confidence.LOW


def test_a_pace_is_sure_after_four_weeks_only_where_every_cost_is_known():
    working = [day for day in GERMANY_DAYS if GERMANY.is_working_day(day)]
    spent = dict.fromkeys(working, 10_000)
    sure, floor = (
        pace_of(spent, remaining_minor=10**6, unknown=unknown, calendar=GERMANY, today=working[-1])
        for unknown in (0, 1)
    )
    assert sure is not None
    assert floor is not None
    assert (sure.confidence, floor.confidence) == (Confidence.HIGH, Confidence.MEDIUM)


GERMANY_DAYS = [date(2027, 1, 11 + number) for number in range(21)] + [
    date(2027, 2, 1 + number) for number in range(12)
]


def test_a_budget_that_is_gone_is_used_up_today_and_without_spending_there_is_no_pace():
    today = date(2027, 1, 22)
    gone = pace_of({today: 1}, remaining_minor=0, unknown=0, calendar=GERMANY, today=today)
    assert gone is not None
    assert gone.used_up_on == today
    assert pace_of({}, remaining_minor=1, unknown=0, calendar=GERMANY, today=today) is None


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\r=1"])
def test_no_cell_is_taken_for_a_formula(text):
    assert cell_of(text) == f"'{text}"


def test_numbers_stay_numbers():
    assert [cell_of(value) for value in (-30, Decimal("-12.50"), True, None)] == ["-30", "-12.50", "yes", ""]


@given(note=st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=40).map(str.strip))
def test_a_note_reads_back_as_it_was_written(note):
    row = dict.fromkeys(TIME_COLUMNS, "x") | {"note": note}
    assert read_rows(written(TIME_COLUMNS, [row]), TIME_COLUMNS, ())[0].cells["note"] == note


def test_semicolons_and_a_mark_at_the_begin_are_read():
    rows = read_rows("\ufeffday;phase;kind;amount;currency\n2026-11-23;training;compute;1,5;EUR\n\n", COST_COLUMNS, ())
    assert [(row.line, row.cells["amount"]) for row in rows] == [(2, "1,5")]


def test_every_fault_of_a_head_and_of_rows_is_said_in_one_pass():
    with pytest.raises(Invalid) as refused:
        read_rows("day,day,colour\n1,2\n", TIME_COLUMNS, ("day", "phase"))
    assert [(problem.line, problem.code) for problem in refused.value.problems] == [
        (1, "csv.missing_column"), (1, "csv.duplicate_column"), (1, "unknown_field"), (2, "csv.ragged_row"),
    ]  # fmt: skip
