"""What follows from answers, and the order of a queue: laws that hold for any answers, queues and reviewers."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engagements.phases.data_preparation.review.rules import (
    Answer,
    Candidate,
    Decision,
    Expected,
    Outcome,
    handed_out,
    may_adjudicate,
    misses,
    outcome_of,
    queue_of,
    risk_of,
    sampled,
    why_disputed,
)

A, B = "a" * 64, "b" * 64
CANDIDATES = st.lists(st.integers(0, 300), max_size=30).map(
    lambda risks: [Candidate(example_id=f"exa_{place:03}", risk=risk) for place, risk in enumerate(risks)]
)


def answer(reviewer: str, decision: Decision = Decision.ACCEPT, text: str = A) -> Answer:
    return Answer(reviewer_id=reviewer, decision=decision, content_sha256=text)


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([], None),
        ([answer("ana")], None),
        ([answer("ana"), answer("bo")], Outcome.ACCEPTED),
        ([answer("ana", text=B), answer("bo", text=B)], Outcome.ACCEPTED),
        ([answer("ana"), answer("bo", text=B)], Outcome.DISPUTED),
        ([answer("ana"), answer("bo", Decision.REJECT)], Outcome.DISPUTED),
        ([answer("ana", Decision.REJECT), answer("bo", Decision.REJECT, B)], Outcome.REJECTED),
        ([answer("ana", Decision.SKIP), answer("bo")], None),
        ([answer("ana", Decision.SKIP), answer("bo", Decision.SKIP)], Outcome.DISPUTED),
        ([answer("ana", Decision.SKIP), answer("bo"), answer("cy")], Outcome.ACCEPTED),
    ],
)
def test_the_outcome_of_two_answers_among_three_reviewers(answers, outcome):
    assert outcome_of(answers, needed=2, reviewers=3) is outcome


def test_what_they_differ_in_is_said():
    assert why_disputed([answer("ana"), answer("bo", Decision.REJECT)]) == "1 accept it, 1 rejects it"
    assert why_disputed([answer("ana"), answer("bo", text=B)]) == "they accept it as different texts"
    assert "skipped" in why_disputed([answer("ana", Decision.SKIP), answer("bo", Decision.SKIP)])


class LifeOfAnItem(RuleBasedStateMachine):
    """Reviewers answer, skip and take back in any order; the item ends once, and for the reason that it should."""

    @initialize(reviewers=st.integers(1, 5), needed=st.integers(1, 3))
    def begin(self, reviewers, needed):
        self.people = [f"r{place}" for place in range(reviewers)]
        self.needed = min(needed, reviewers)
        self.answers: dict[str, Answer] = {}

    @property
    def outcome(self):
        return outcome_of(list(self.answers.values()), needed=self.needed, reviewers=len(self.people))

    @precondition(lambda self: self.outcome is None)
    @rule(place=st.integers(0, 4), decision=st.sampled_from(Decision), text=st.sampled_from([A, B]))
    def say(self, place, decision, text):
        person = self.people[place % len(self.people)]
        if person not in self.answers:
            self.answers[person] = answer(person, decision, text)

    @precondition(lambda self: self.outcome is None and self.answers)
    @rule(place=st.integers(0, 4))
    def take_back(self, place):
        del self.answers[sorted(self.answers)[place % len(self.answers)]]

    @precondition(lambda self: self.outcome is not None)
    @rule()
    def take_the_next_item(self):
        self.answers = {}

    @invariant()
    def it_ends_for_the_reason_that_it_should(self):
        given = [each for each in self.answers.values() if each.decision is not Decision.SKIP]
        assert len(given) <= self.needed
        match self.outcome:
            case None:
                unheard = len(self.people) - len(self.answers)
                assert len(given) < self.needed <= len(given) + unheard
            case Outcome.ACCEPTED:
                assert {(each.decision, each.content_sha256) for each in given} in (
                    {(Decision.ACCEPT, A)}, {(Decision.ACCEPT, B)}
                )  # fmt: skip
                assert len(given) == self.needed
            case Outcome.REJECTED:
                assert {each.decision for each in given} == {Decision.REJECT}
                assert len(given) == self.needed
            case Outcome.DISPUTED:
                alike = {(each.decision, each.content_sha256) for each in given}
                assert len(given) < self.needed or len(alike) > 1
                assert why_disputed(list(self.answers.values()))

    @invariant()
    def nobody_decides_about_their_own_answer(self):
        answers = list(self.answers.values())
        for person in self.people:
            said = self.answers.get(person)
            assert may_adjudicate(answers, person) == (said is None or said.decision is Decision.SKIP)


TestLifeOfAnItem = LifeOfAnItem.TestCase
TestLifeOfAnItem.settings = settings(max_examples=40, stateful_step_count=12)


@settings(max_examples=50)
@given(candidates=CANDIDATES, seed=st.integers(0, 9), size=st.integers(1, 40), golden=st.integers(0, 5))
def test_a_queue_has_the_riskiest_and_every_golden_example_and_is_drawn_again_alike(candidates, seed, size, golden):
    known = [f"gold_{place}" for place in range(golden)]
    queue = queue_of(candidates, known, size=size, seed=seed)
    assert queue == queue_of(list(reversed(candidates)), known, size=size, seed=seed)
    ids = [each.example_id for each in queue]
    assert len(ids) == len(set(ids)) == min(size, len(candidates)) + golden
    others = [each.risk for each in queue if each.example_id not in known]
    assert others == sorted((each.risk for each in candidates), reverse=True)[:size]
    assert not others or {each.risk for each in queue} <= set(others), "a golden example has a risk like any other"


@settings(max_examples=50)
@given(candidates=CANDIDATES, seed=st.integers(0, 9), size=st.integers(1, 40))
def test_a_sample_is_of_the_size_that_is_asked_for(candidates, seed, size):
    drawn = sampled(candidates, size=size, seed=seed)
    assert len({each.example_id for each in drawn}) == min(size, len(candidates))
    assert drawn == sampled(list(reversed(candidates)), size=size, seed=seed)


@settings(max_examples=50)
@given(items=st.integers(0, 40), people=st.integers(1, 5), overlap=st.integers(1, 5), seed=st.integers(0, 9))
def test_everything_is_handed_to_so_many_different_people_and_nobody_has_much_more(items, people, overlap, seed):
    reviewers, overlap = [f"r{place}" for place in range(people)], min(overlap, people)
    names = [f"i{place}" for place in range(items)]
    piles = handed_out(names, reviewers, overlap=overlap, seed=seed)
    held = [item for pile in piles.values() for item in pile]
    assert sorted(held) == sorted(names * overlap)
    assert all(len(set(pile)) == len(pile) for pile in piles.values())
    turn = len(list(combinations(reviewers, overlap)))
    assert max(map(len, piles.values())) - min(map(len, piles.values())) <= turn * overlap / people + 1


def test_conflicts_come_before_errors_and_errors_before_low_scores():
    error, conflict = {"code": "a", "severity": "error"}, {"code": "label.conflict", "severity": "warning"}
    assert risk_of(90, [conflict]) > risk_of(90, [error]) > risk_of(10, []) > risk_of(None, []) > risk_of(90, [])


def test_a_golden_example_is_missed_by_its_decision_its_label_or_a_score_that_is_far_off():
    known = Expected(decision=Decision.ACCEPT, label="refund", scores={"accuracy": 4})
    assert list(misses(known, Decision.ACCEPT, "refund", {"accuracy": 5})) == []
    assert list(misses(known, Decision.ACCEPT, "order", {"accuracy": 2})) == ["label", "accuracy"]
    assert list(misses(known, Decision.REJECT, None, {"accuracy": None})) == ["decision"]
