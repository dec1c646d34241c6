"""What is said of states and days, without a database: how late, what can be done, what a late input does."""

from datetime import date

import pytest

from engagements.delivery.days import working_days_from
from engagements.delivery.lines import days_late_at_gate
from engagements.delivery.milestones import schedule_effect
from engagements.delivery.models import PhaseState
from engagements.delivery.steps import STEPS, PhaseConflict, Step, stepped, steps_from
from estimator.calendar import WorkCalendar
from estimator.csv_cells import guarded
from estimator.phases import DELIVERY, Phase

CALENDAR = WorkCalendar(country="DE")
MONDAY = date(2027, 2, 1)


def test_working_days_are_counted_without_the_first_day_and_below_zero_backwards():
    assert working_days_from(CALENDAR, MONDAY, MONDAY) == 0
    assert working_days_from(CALENDAR, MONDAY, date(2027, 2, 8)) == 5
    assert working_days_from(CALENDAR, date(2027, 2, 8), MONDAY) == -5
    # Over Good Friday and Easter Monday, 26 and 29 March 2027.
    assert working_days_from(CALENDAR, date(2027, 3, 25), date(2027, 3, 30)) == 1


@pytest.mark.parametrize(
    ("planned", "ended_on", "today", "late"),
    [
        (MONDAY, None, date(2027, 1, 4), 0),
        (date(2027, 2, 3), None, date(2027, 1, 4), 2),
        (date(2027, 1, 29), None, date(2027, 1, 4), -1),
        (MONDAY, None, date(2027, 2, 4), 3),
        (date(2027, 2, 3), date(2027, 2, 2), date(2027, 3, 1), 1),
        (None, None, date(2027, 1, 4), None),
    ],
    ids=["as agreed", "planned later", "planned earlier", "its day has gone by", "passed", "no day"],
)
def test_a_gate_is_as_late_as_it_passed_or_can_pass_at_the_earliest(planned, ended_on, today, late):
    assert days_late_at_gate(MONDAY, planned, ended_on, CALENDAR, today=today) == late


def states(current: PhaseState, index: int = 1) -> dict[Phase, PhaseState]:
    done = dict.fromkeys(DELIVERY[:index], PhaseState.DONE)
    ahead = dict.fromkeys(DELIVERY[index + 1 :], PhaseState.PLANNED)
    return {**done, DELIVERY[index]: current, **ahead}


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("state", PhaseState)
def test_a_step_is_taken_from_one_state_only_and_every_other_says_what_can_be_done(step, state):
    own = DELIVERY[1]
    before, after = STEPS[step]
    if state is before:
        assert stepped(states(state), own, step) is after
        assert step in steps_from(state)
        return
    with pytest.raises(PhaseConflict) as refused:
        stepped(states(state), own, step)
    assert refused.value.remedy


def test_skipping_ahead_names_the_gate_that_comes_first():
    with pytest.raises(PhaseConflict, match="Training is planned and cannot be started") as refused:
        stepped(states(PhaseState.IN_PROGRESS), Phase.TRAINING, Step.START)
    assert refused.value.remedy == "Baseline evaluation is the current phase: its gate has to pass first"


def test_a_phase_that_was_not_agreed_is_none():
    with pytest.raises(PhaseConflict, match="no part of this engagement"):
        stepped({Phase.DATA_PREPARATION: PhaseState.READY}, Phase.TRAINING, Step.START)


@pytest.mark.parametrize(
    ("reached", "begin", "begun_on", "said"),
    [
        (MONDAY, MONDAY, None, ""),
        (date(2027, 2, 3), MONDAY, None, "was planned to begin on 2027-02-01 and can begin 2 working days later"),
        (date(2027, 2, 3), date(2027, 2, 10), None, "can begin as planned"),
        (date(2027, 2, 6), MONDAY, MONDAY, "had begun on 2027-02-01"),
    ],
    ids=["in time", "pushes", "leaves room", "worked without"],
)
def test_a_late_input_is_said_with_what_it_does_and_blames_nobody(reached, begin, begun_on, said):
    text = schedule_effect(MONDAY, reached, Phase.TRAINING, begin, begun_on, CALENDAR)
    assert said in text
    assert bool(text) == (reached > MONDAY)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@sum", "\t=1"])
def test_what_would_be_a_formula_is_text(cell):
    assert guarded(cell) == f"'{cell}"
    assert guarded("a" + cell) == "a" + cell
