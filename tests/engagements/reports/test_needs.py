"""What a report asks of the client, and what it says is done, in flight and next."""

from dataclasses import replace
from datetime import date, timedelta

from engagements.reports.needs import needs_of, next_need, progress_of


def test_everything_that_waits_for_the_client_stands_there_the_oldest_first(states) -> None:
    assert [(need.what, need.due or need.since) for need in needs_of(states.late_and_blocked())] == [
        ("Accept D3 Baseline report, or return it with a reason", date(2027, 1, 14)),
        ("Two of your reviewers score 100 items of the sealed set", date(2027, 1, 28)),
        ("Decide change 2: A third training round", date(2027, 1, 29)),
        ("Experts who review 540 answers", date(2027, 2, 4)),
        ("Sign gate 3, training", date(2027, 2, 22)),
    ]


def test_a_condition_of_ours_is_not_asked_of_the_client(states) -> None:
    facts = states.two_gates_passed()
    ours = replace(facts, conditions=tuple(replace(each, with_client=False) for each in facts.conditions))
    assert len(needs_of(ours)) == len(needs_of(facts)) - 1


def test_an_input_is_asked_for_four_weeks_ahead_and_named_as_what_comes_before(states) -> None:
    facts = states.opened()
    due = next(each for each in facts.milestones if each.code == "N1").planned_on
    early = replace(facts, day=due - timedelta(weeks=4, days=1))
    assert needs_of(early) == ()
    assert next_need(early).what == "Access to the sources, a data owner, experts for questions"
    assert [need.due for need in needs_of(replace(facts, day=due - timedelta(weeks=4)))] == [due]


def test_done_is_what_was_done_since_the_last_report(states) -> None:
    facts = states.two_gates_passed()
    since_christmas = progress_of(facts, since=date(2026, 12, 22))
    assert [item.what for item in since_christmas.done] == [
        "1 Data preparation", "2 Baseline evaluation", "D2 Labelling guideline",
    ]  # fmt: skip
    assert len(progress_of(facts, since=None).done) == 4
    assert [item.what for item in since_christmas.in_flight] == ["3 Training", "D4 Model candidate with its run record"]
    assert [item.what for item in since_christmas.ahead] == [
        "Gate 3, training", "4 Evaluation", "D5 Results report",
    ]  # fmt: skip


def test_with_nothing_known_nothing_is_asked_or_promised(states) -> None:
    facts = states.everything_unknown()
    assert needs_of(facts) == ()
    assert progress_of(facts, since=None).done == ()
