"""Evidence that contradicts itself is refused with everything that is wrong, in one pass."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from engagements.delivery.contradictions import contradictions
from engagements.delivery.evidence import read_content
from estimator.phases import Phase

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BEFORE = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def found(content, measured_at=BEFORE):
    problems = contradictions(read_content(content), measured_at=measured_at, now=NOW)
    assert all(problem.remedy for problem in problems)
    return [(problem.code.removeprefix("evidence."), problem.where.removeprefix("content.")) for problem in problems]


@pytest.mark.parametrize("phase", Phase)
def test_good_evidence_contradicts_nothing(phase, samples):
    assert [found(content) for content in samples.GOOD[phase]] == [[] for _ in samples.GOOD[phase]]


def test_all_that_is_wrong_with_a_result_is_said_at_once(samples):
    good = samples.rate(samples.METRIC, 400)
    results = [
        {**good, "metric": "one", "hits": 541},
        {**good, "metric": "two", "value": 0.5, "low": 0.6},
        {**good, "metric": "three", "low": 0.5},
        {**good, "metric": "four", "hits": None},
        {**good, "metric": "FOUR", "items": 541, "hits": 400, "value": 400 / 541, "method": "bootstrap"},
    ]
    assert found(samples.evaluation("candidate", results=results), datetime(2026, 11, 24, tzinfo=UTC)) == [
        ("in_future", "measured_at"),
        ("more_than_all", "results.0.hits"),
        ("outside_interval", "results.1.low"),
        ("value_differs", "results.1.value"),
        ("interval_differs", "results.1.low"),
        ("interval_differs", "results.2.low"),
        ("hits_missing", "results.3.hits"),
        ("metric_twice", "results.4.metric"),
        ("more_than_all", "results.4.items"),
    ]


def test_splits_of_one_digest_are_the_same_examples(samples):
    splits = [{**split, "sha256": "a" * 64} for split in samples.dataset()["splits"]]
    assert found(samples.dataset(splits=splits)) == [
        ("splits_overlap", "splits.1.sha256"),
        ("splits_overlap", "splits.2.sha256"),
    ]


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("dataset", {"splits": [{"name": "train", "examples": 9, "sha256": "a" * 64}] * 2},
         [("split_twice", "splits.1.name"), ("nothing_sealed", "sealed_at")]),
        ("comparison", {"p": 0.5}, [("p_differs", "p")]),
        ("comparison", {"difference": 0.3}, [("outside_interval", "low"), ("value_differs", "difference")]),
        ("comparison", {"only_baseline": None}, [("half_a_pair", "only_candidate")]),
        ("comparison", {"only_candidate": 530}, [("more_than_all", "only_candidate")]),
        ("drift", {"window_begin": "2026-11-20"}, [("window_turned", "window_begin")]),
        ("drift", {"window_end": "2026-12-20"}, [("in_future", "window_end")]),
        ("deployment", {"monitoring_since": "2027-01-01T00:00:00Z"}, [("in_future", "monitoring_since")]),
        ("training", {"curves": {"steps": 300, "best_step": 301, "training_last": 1, "validation_best": 2,
                                 "validation_last": 1}},
         [("more_than_all", "checkpoint.step"), ("more_than_all", "curves.best_step"),
          ("value_differs", "curves.validation_best")]),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_with_its_place(kind, changes, expected, samples):
    assert found(getattr(samples, kind)(**changes)) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "about half", None])
def test_what_is_no_number_is_no_value(value, samples):
    content = samples.evaluation("candidate")
    content["results"][0]["low"] = value
    with pytest.raises(ValidationError):
        read_content(content)


def test_a_large_comparison_is_read_in_no_time(samples):
    wide = samples.comparison(items=10**7, only_candidate=3_000_000, only_baseline=2_999_000, difference=0.0001)
    assert ("p_differs", "p") in found(wide | {"low": -1, "high": 1})
