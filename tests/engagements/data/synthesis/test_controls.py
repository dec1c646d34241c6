"""Cases that test a judge: drawn from a seed, as many bad as good, and what its answers to them say of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagements.phases.data_preparation.records import Record, Task
from engagements.phases.data_preparation.synthesis.answers import Grade
from engagements.phases.data_preparation.synthesis.controls import ControlKind, check_of, controls_for

LABELS = st.lists(st.sampled_from(["billing", "moving", "other", None]), max_size=12)
TASKS = st.sampled_from([Task.CLASSIFICATION, Task.GENERATION, Task.EXTRACTION, Task.CHAT])


def records(labels):
    return {
        f"e{number}": Record(
            id=f"e{number}", label=label,
            messages=[
                {"role": "user", "content": f"Question {number}"},
                {"role": "assistant", "content": f"Answer {number % 5}"},
            ],
        )
        for number, label in enumerate(labels)
    }  # fmt: skip


def cases(labels, *, task=Task.CLASSIFICATION, pairs=10):
    known = records(labels)
    return [(each.kind, each.category, each.candidate(known)) for each in made(labels, task=task, pairs=pairs)]


def made(labels, *, task=Task.CLASSIFICATION, pairs=10):
    return controls_for(task, records(labels), pairs=pairs, chance=7)


def graded(controls, scores):
    return {each.number: Grade(score=score, reason="") for each, score in zip(controls, scores, strict=True)}


@given(LABELS, TASKS, st.integers(0, 15))
def test_there_are_as_many_bad_cases_as_good_ones_and_no_bad_one_is_an_example_as_it_is(labels, task, pairs):
    known = records(labels)
    controls = controls_for(task, known, pairs=pairs, chance=3)
    good = [each for each in controls if each.kind is ControlKind.GOOD]
    assert len(controls) == 2 * len(good) == 2 * min(pairs, len(labels))
    assert len({each.example for each in good}) == len(good)
    assert [each.number for each in controls] == list(range(1, len(controls) + 1))
    accepted = [(each.category, each.candidate(known)) for each in good]
    assert all((c.category, c.candidate(known)) not in accepted for c in controls if c.kind is not ControlKind.GOOD)


def test_a_text_of_another_category_carries_the_asked_one():
    wrong = [(asked, shown) for kind, asked, shown in cases(["billing", "moving"]) if kind is ControlKind.WRONG_LABEL]
    ((asked, shown),) = wrong
    truth = {"Question 0": "billing", "Question 1": "moving"}
    assert shown["output"] == asked != truth[shown["input"]]


def test_an_answer_is_that_of_another_example():
    shuffled = [shown for kind, _, shown in cases([None] * 4, task=Task.GENERATION) if kind is ControlKind.SHUFFLED]
    assert len(shuffled) == 2
    assert all(shown["output"][-1] != shown["input"][-1] for shown in shuffled)


def test_where_no_example_lends_a_false_output_the_answer_is_left_out():
    assert [kind for kind, _, _ in cases(["billing"] * 2)] == [ControlKind.GOOD] * 2 + [ControlKind.EMPTY] * 2


def test_a_judge_that_is_right_about_all_of_four_cases_is_relied_on():
    controls = made(["billing", "moving"])
    check = check_of(controls, graded(controls, [5, 3, 1, 2]), least=3)
    assert (check.cases, check.right, check.is_relied_on) == (4, 4, True)
    assert check.low == pytest.approx(0.5101, abs=1e-4)


@pytest.mark.parametrize("score", [1, 3, 5])
def test_a_judge_that_grades_all_alike_is_not_however_many_cases(score):
    controls = made(["billing", "moving"] * 10, pairs=20)
    check = check_of(controls, graded(controls, [score] * 40), least=3)
    assert (check.right, check.chance, check.is_relied_on) == (20, 0.5, False)


def test_a_stopped_run_that_put_only_good_cases_says_nothing_of_its_judge():
    controls = made(["billing", "moving"] * 10, pairs=20)
    check = check_of(controls, graded(controls[:20], [5] * 20), least=3)
    assert (check.right, check.cases, check.chance, check.is_relied_on) == (20, 20, 1.0, False)


def test_an_answer_that_is_no_grade_is_not_right_and_a_case_that_was_not_put_is_none():
    controls = made(["billing", "moving"])
    check = check_of(controls, {1: None, 2: Grade(score=4, reason="")}, least=3)
    assert (check.cases, check.right) == (2, 1)
    assert check.kinds == {"good": {"cases": 2, "right": 1}}


def test_without_a_case_nothing_is_known():
    check = check_of([], {}, least=3)
    assert (check.cases, check.low, check.high, check.is_relied_on) == (0, None, None, False)
