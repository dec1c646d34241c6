"""How single answers are scored, case by case."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engagements.evals.metrics import METRICS, metric_named
from engagements.evals.metrics.metric import ExpectationUnreadable
from estimator.errors import UnknownName

JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("metric", "expected", "answered", "score"),
    [
        ("exact_match", "Caf\u00e9", " Cafe\u0301\n", 1.0), ("exact_match", "Yes", "yes", 0.0),
        ("exact_match", "", "", 1.0),
        ("label", "billing", ' "Billing." ', 1.0), ("label", "meter_reading", "Meter reading", 1.0),
        ("label", "billing", "billing issue", 0.0), ("label", "+", "-", 0.0), ("label", "+", " +", 1.0),
        ("label", "STRASSE", "straße", 1.0),
        ("token_f1", "the meter is broken", "The meter, broken!", 6 / 7), ("token_f1", "no no yes", "no", 0.5),
        ("token_f1", "", "", 1.0), ("token_f1", "yes", "", 0.0), ("token_f1", "?!", "yes", 0.0),
        ("json_fields", '{"a": 1, "b": "x"}', '{"b": "x", "a": 1.0}', 1.0),
        ("json_fields", '{"a": 1, "b": "x"}', '{"a": 1}', 2 / 3),
        ("json_fields", '{"a": [1, 2]}', '{"a": [2, 1]}', 0.0), ("json_fields", '{"a": true}', '{"a": 1}', 0.0),
        ("json_fields", '{"a": 1}', '```json\n{"a": 1}\n```', 0.0), ("json_fields", "{}", "{}", 1.0),
        ("json_fields", "{}", "[]", 0.0), ("json_fields", '{"a": 1}', "", 0.0),
        ("json_fields", "[]", "[" * 100_000, 0.0),
        ("json_fields", "9007199254740993", "9007199254740992", 0.0),
    ],
)  # fmt: skip
def test_an_answer_scores(metric, expected, answered, score):
    assert METRICS[metric].score(expected, answered) == pytest.approx(score)


@pytest.mark.parametrize("name", METRICS)
@given(expected=JSON, answered=some.text() | JSON.map(json.dumps))
def test_every_score_lies_between_0_and_1_and_the_expected_answer_scores_1(name, expected, answered):
    metric, wanted = METRICS[name], json.dumps(expected)
    assert 0 <= metric.score(wanted, answered) <= 1
    assert metric.score(wanted, wanted) == 1
    assert not metric.binary or metric.score(wanted, answered) in {0, 1}


def test_an_expectation_that_cannot_be_read_is_nobodys_fault_but_the_datasets():
    with pytest.raises(ExpectationUnreadable) as refused:
        METRICS["json_fields"].score("three", "{}")
    assert refused.value.problems[0].remedy == "choose another metric, or mend the row"


def test_a_metric_nobody_knows_is_refused_with_those_that_are():
    with pytest.raises(UnknownName, match="did you mean exact_match"):
        metric_named("exact_mach")
