"""A model's answers, scored: what is asked, what is expected, and that a failing backend is no score."""

import pytest

from backends.errors import AnswerInvalid, Unreachable
from backends.protocol import Prediction
from engagements.evals.metrics import METRICS
from engagements.phases.training.judging.scoring import NothingExpected, items_of, metric_of_task, score, tokens_for


class Answering:
    """Answers as it was told to, and remembers what it was asked."""

    def __init__(self, *answers, finished=True, breaks=None):
        self.answers, self.finished, self.breaks, self.asked = list(answers), finished, breaks, []

    def predict_many(self, conversations, *, max_tokens, temperature=0.0):
        assert temperature == 0.0
        if self.breaks and len(self.asked) >= self.breaks:
            raise Unreachable("nobody there")
        self.asked += conversations
        taken, self.answers = self.answers[: len(conversations)], self.answers[len(conversations) :]
        return [Prediction(text=text, finished=self.finished) for text in taken]

    def close(self):
        return None


def row(question, answer, **more):
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}], **more}


def test_hits_are_counted_with_their_interval():
    rows = [row(f"q{n}", "billing") for n in range(30)]
    told = []
    found = score(
        Answering(*["Billing"] * 27, *["outage"] * 3), rows, METRICS["label"], max_tokens=8,
        progress=lambda done, whole: told.append((done, whole)),
    )  # fmt: skip
    assert (found.value, found.items, found.method, found.unfinished) == (0.9, 30, "Wilson", 0)
    assert (round(found.low, 3), round(found.high, 3)) == (0.744, 0.965)
    assert found.per_item == (1.0,) * 27 + (0.0,) * 3
    assert told == [(16, 30), (30, 30)]


def test_the_last_answer_is_expected_and_all_before_it_is_asked_without_weights():
    turns = [
        {"role": "system", "content": "Sort."}, {"role": "user", "content": "a"},
        {"role": "assistant", "content": "no", "weight": 0}, {"role": "user", "content": "b"},
        {"role": "assistant", "content": "yes", "weight": 1},
    ]  # fmt: skip
    model = Answering("yes")
    assert score(model, [{"messages": turns}], METRICS["exact_match"], max_tokens=4).value == 1
    assert model.asked == [(*turns[:2], {"role": "assistant", "content": "no"}, turns[3])]


def test_answers_cut_at_the_limit_are_counted():
    found = score(Answering("a", "b", finished=False), [row("1", "a"), row("2", "a")], METRICS["label"], max_tokens=1)
    assert (found.unfinished, found.value) == (2, 0.5)


def test_the_same_answers_have_the_same_digest_and_others_another():
    rows = [row("1", "a"), row("2", "b")]
    digests = [
        score(Answering(*said), rows, METRICS["label"], max_tokens=4).answers_sha256
        for said in (["a", "b"], ["a", "b"], ["a", "B"])
    ]
    assert digests[0] == digests[1] != digests[2]


def test_a_backend_that_fails_half_way_is_an_error_and_no_score():
    rows = [row(f"q{n}", "a") for n in range(20)]
    with pytest.raises(Unreachable):
        score(Answering(*["a"] * 20, breaks=16), rows, METRICS["label"], max_tokens=4)


def test_fewer_answers_than_questions_are_an_error():
    with pytest.raises(AnswerInvalid, match="1 answers came to 2 conversations"):
        score(Answering("a"), [row("1", "a"), row("2", "a")], METRICS["label"], max_tokens=4)


def test_rows_without_an_answer_are_all_named_and_nothing_is_asked():
    model = Answering("a")
    rows = [row("1", "a"), {"messages": [{"role": "user", "content": "x"}]}, {"prompt": "x"}, row("3", "")]
    with pytest.raises(NothingExpected) as refused:
        score(model, rows, METRICS["label"], max_tokens=4)
    assert [problem.line for problem in refused.value.problems] == [2, 3, 4]
    assert model.asked == []
    with pytest.raises(NothingExpected, match="no rows"):
        score(model, [], METRICS["label"], max_tokens=4)


@pytest.mark.parametrize(
    ("task", "metric"),
    [
        ("classification", "label"), ("extraction", "json_fields"), ("chat", "token_f1"), (None, "token_f1"),
        ("x", "token_f1"),
    ],
)  # fmt: skip
def test_a_task_has_its_usual_metric(task, metric):
    assert metric_of_task(task) == metric


def test_answers_get_twice_the_room_of_the_longest_expected_within_bounds():
    assert tokens_for(items_of([row("q", "yes")])) == 16
    assert tokens_for(items_of([row("q", "x" * 400)])) == 200
    assert tokens_for(items_of([row("q", "x" * 10**6)])) == 2048
