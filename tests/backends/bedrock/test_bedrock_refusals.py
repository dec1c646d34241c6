"""What cannot be begun on Bedrock, all of it said at once."""

from datetime import UTC, date, datetime

import pytest
from pydantic import SecretStr

from backends.bedrock.backend import make
from backends.bedrock.submitting import job_name
from backends.errors import Severity, SpecRefused
from backends.spec import DataFile, Hyperparameters

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def places(backend, spec, severity=Severity.ERROR):
    return {(each.where, each.code) for each in backend.problems(spec, today=TODAY) if each.severity is severity}


def test_every_missing_setting_is_named_at_once_without_asking_anybody(case):
    bare = make("bedrock", {})
    wanted = {(f"settings.{name}", "setting_missing") for name in ("region", "bucket", "role_arn")}
    assert places(bare, case.spec("run_1")) == wanted
    assert case.stand_in.wire.seen == []


def test_a_setting_or_a_family_that_nobody_knows_is_refused_by_name():
    with pytest.raises(ValueError, match="buket"):
        make("bedrock", {"buket": "data"})
    with pytest.raises(ValueError, match=r"titan.*claude, nova"):
        make("bedrock", {"family": "titan"})


def test_a_secret_is_opened_for_the_provider_and_shown_to_nobody_else():
    backend = make("bedrock", {"secret_access_key": SecretStr("hush"), "region": "us-east-1"})
    assert backend.account.secret_access_key == "hush"
    assert "hush" not in repr(backend)


def test_all_that_is_wrong_is_said_in_one_pass_and_nothing_begins(case, memory, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"messages": [1]}\nno json\n[]\n{"messages": []}\n')
    wrong = Hyperparameters(epochs=6, learning_rate=0.1, rank=8, batch_size=8)
    spec = case.spec("run_1", model="gpt-4.1", train=DataFile.of(rows), hyperparameters=wrong)
    assert places(case.backend(), spec) == {
        ("model", "model_not_offered"),
        ("hyperparameters.epochs", "out_of_range"),
        ("hyperparameters.learning_rate", "out_of_range"),
        ("hyperparameters.rank", "hyperparameter_not_offered"),
        ("hyperparameters.batch_size", "hyperparameter_not_offered"),
        ("train.format", "format_not_taken"),
        ("train", "row_unreadable"),
    }
    lines = [each.line for each in case.backend().problems(spec, today=TODAY) if each.code == "row_unreadable"]
    assert lines == [2, 3, 4]
    with pytest.raises(SpecRefused):
        case.backend().start(spec, memory, now=NOW)
    assert (case.begun(), case.stand_in.objects(), memory.recall("sent")) == (0, [], None)


def test_few_rows_for_nova_are_a_warning(case, tmp_path):
    few = case.spec("run_1").train.model_copy(update={"rows": 99})
    assert places(case.backend(), case.spec("run_1", train=few)) == set()
    assert places(case.backend(), case.spec("run_1", train=few), Severity.WARNING) == {("train", "few_rows")}


@pytest.mark.parametrize("case", ["claude"], indirect=True)
def test_claude_takes_32_to_10000_rows_and_1000_to_validate_on(case):
    spec = case.spec("run_1")
    resized = [
        spec.train.model_copy(update={"rows": rows}) for rows in (31, 32, 10_000, 10_001)
    ]  # fmt: skip
    codes = [{code for _, code in places(case.backend(), case.spec("run_1", train=each))} for each in resized]
    assert codes == [{"too_few_rows"}, set(), set(), {"too_many_rows"}]
    many = spec.validation.model_copy(update={"rows": 1_001})
    assert places(case.backend(), case.spec("run_1", validation=many)) == {("validation", "too_many_rows")}


@pytest.mark.parametrize("case", ["claude"], indirect=True)
def test_early_stopping_needs_something_to_watch(case):
    patient = Hyperparameters(early_stopping=2)
    assert places(case.backend(), case.spec("run_1", hyperparameters=patient)) == set()
    blind = case.spec("run_1", hyperparameters=patient, validation=None)
    assert places(case.backend(), blind) == {("validation", "validation_missing")}


def test_what_bedrock_does_not_keep_is_a_warning(case):
    spec = case.spec("run_1", seed=7, labels={"client": "Müller & Söhne", "order": "A-17"})
    assert places(case.backend(), spec, Severity.WARNING) == {
        ("seed", "seed_not_offered"), ("labels.client", "label_left_out"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("run_id", "name"),
    [
        ("run_1", "run.1"),
        ("run-1", "run-1"),
        ("_1", "run-46c9e22099ee4bfe54a99a3cdbaf69f17f7c6e25"),
        ("r" * 64, "run-c9ea6f42c8efcb14ad78fe636f776ba7963dcf0d"),
    ],
)
def test_a_job_is_called_as_its_run_where_bedrock_allows_it(run_id, name):
    assert job_name(run_id) == name
