"""What cannot be begun on Vertex AI, all of it said at once."""

from datetime import UTC, date, datetime

import pytest

from backends.errors import Severity, SpecRefused
from backends.spec import DataFile, Hyperparameters
from backends.vertex.backend import make

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def places(backend, spec, severity=Severity.ERROR):
    return {(each.where, each.code) for each in backend.problems(spec, today=TODAY) if each.severity is severity}


def test_every_missing_setting_is_named_at_once_without_asking_anybody(case):
    wanted = {(f"settings.{name}", "setting_missing") for name in ("project", "location", "bucket")}
    assert places(make("vertex", {}), case.spec("run_1")) == wanted
    assert case.stand_in.wire.seen == []


def test_a_setting_that_nobody_knows_is_refused_by_name():
    with pytest.raises(ValueError, match="buket"):
        make("vertex", {"buket": "data"})


def test_all_that_is_wrong_is_said_in_one_pass_and_nothing_begins(case, memory, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"contents": [1]}\n{"messages": []}\n')
    wrong = Hyperparameters(learning_rate=0.1, rank=3, learning_rate_multiplier=11, beta=0.1)
    read = {"input": "{{sample.output_text}}", "operation": "eq", "reference": "{{item.queue}}"}
    graded = {"type": "string_check", "name": "queue", **read}
    spec = case.spec("run_1", model="gpt-4.1", train=DataFile.of(rows), hyperparameters=wrong, grader=graded)
    assert places(case.backend(), spec) == {
        ("model", "model_not_offered"),
        ("grader", "grader_not_offered"),
        ("hyperparameters.learning_rate", "hyperparameter_not_offered"),
        ("hyperparameters.beta", "hyperparameter_not_offered"),
        ("hyperparameters.learning_rate_multiplier", "out_of_range"),
        ("hyperparameters.rank", "out_of_range"),
        ("train.format", "format_not_taken"),
        ("train", "row_unreadable"),
    }
    with pytest.raises(SpecRefused):
        case.backend().start(spec, memory, now=NOW)
    assert (case.begun(), case.stand_in.objects, memory.recall("sent")) == (0, {}, None)


def test_limits_of_rows_are_those_of_googles_guide(case):
    spec = case.spec("run_1")
    large = spec.train.model_copy(update={"rows": 1_000_001})
    long = spec.validation.model_copy(update={"rows": 5_001})
    many = case.spec("run_1", train=large, validation=long)
    assert places(case.backend(), many) == {("train", "too_many_rows"), ("validation", "too_many_rows")}
    few = case.spec("run_1", train=spec.train.model_copy(update={"rows": 99}))
    assert places(case.backend(), few) == set()
    assert places(case.backend(), few, Severity.WARNING) == {("train", "few_rows")}


def test_what_vertex_does_not_keep_is_a_warning(case):
    spec = case.spec("run_1", seed=7, labels={"client": "Acme", "order": "a-17"})
    assert places(case.backend(), spec, Severity.WARNING) == {
        ("seed", "seed_not_offered"), ("labels.client", "label_left_out"),
    }  # fmt: skip
