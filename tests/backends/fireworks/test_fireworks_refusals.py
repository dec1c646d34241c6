"""What cannot be begun at Fireworks, all of it said at once."""

from datetime import UTC, date, datetime

import pytest

from backends.errors import AnswerInvalid, Severity, SpecRefused
from backends.fireworks.account import Account
from backends.fireworks.backend import make
from backends.spec import DataFile, Hyperparameters, Method

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
preferences = pytest.mark.parametrize("case", [Method.DPO], indirect=True, ids=["preferences"])


def places(backend, spec, severity=Severity.ERROR):
    return {(each.where, each.code) for each in backend.problems(spec, today=TODAY) if each.severity is severity}


def test_every_missing_setting_is_named_at_once_without_asking_anybody(case):
    wanted = {(f"settings.{name}", "setting_missing") for name in ("account", "api_key")}
    assert places(make("fireworks", {}), case.spec("run_1")) == wanted
    assert case.stand_in.wire.seen == []


def test_a_setting_that_nobody_knows_is_refused_by_name_with_the_nearest():
    with pytest.raises(ValueError, match=r"acount \(did you mean account\?\)"):
        make("fireworks", {"acount": "acme"})


def test_the_key_shows_nowhere(case):
    assert "fw-of-the-test" not in repr(case.backend())


def test_all_that_is_wrong_is_said_in_one_pass_and_nothing_begins(case, memory, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"messages": [1]}\n{"contents": []}\n')
    wrong = Hyperparameters(learning_rate_multiplier=2, rank=12, early_stopping=3)
    read = {"input": "{{sample.output_text}}", "operation": "eq", "reference": "{{item.queue}}"}
    graded = {"type": "string_check", "name": "queue", **read}
    spec = case.spec("run_1", model="llama-8b", train=DataFile.of(rows), hyperparameters=wrong, grader=graded)
    assert places(case.backend(), spec) == {
        ("model", "model_not_offered"),
        ("grader", "grader_not_offered"),
        ("hyperparameters.learning_rate_multiplier", "hyperparameter_not_offered"),
        ("hyperparameters.early_stopping", "hyperparameter_not_offered"),
        ("hyperparameters.rank", "out_of_range"),
        ("train.format", "format_not_taken"),
        ("train", "too_few_rows"),
        ("train", "row_unreadable"),
    }
    with pytest.raises(SpecRefused):
        case.backend().start(spec, memory, now=NOW)
    assert (case.begun(), case.stand_in.datasets, memory.recall("sent")) == (0, {}, None)


def test_reinforcement_is_not_offered(case):
    assert ("method", "method_not_offered") in places(case.backend(), case.spec("run_1", method=Method.RFT))


@pytest.mark.parametrize(
    ("rows", "code"), [(2, "too_few_rows"), (3, ""), (3_000_000, ""), (3_000_001, "too_many_rows")]
)
def test_limits_of_rows_are_those_of_fireworks_guide(case, rows, code):
    spec = case.spec("run_1")
    spec = case.spec("run_1", train=spec.train.model_copy(update={"rows": rows}))
    assert places(case.backend(), spec) == ({("train", code)} if code else set())


@pytest.mark.parametrize(("rank", "taken"), [(1, True), (8, True), (32, True), (3, False), (64, False)])
def test_ranks_are_powers_of_two_up_to_32(case, rank, taken):
    spec = case.spec("run_1", hyperparameters=Hyperparameters(rank=rank))
    assert places(case.backend(), spec) == (set() if taken else {("hyperparameters.rank", "out_of_range")})


def test_what_fireworks_does_not_keep_is_a_warning(case):
    spec = case.spec("run_1", seed=7, suffix="Triage_2")
    assert places(case.backend(), spec) == set()
    assert places(case.backend(), spec, Severity.WARNING) == {
        ("seed", "seed_not_offered"), ("suffix", "suffix_changed"),
    }  # fmt: skip


@preferences
def test_a_preference_job_says_that_it_takes_no_validation_file(case):
    spec = case.spec("run_1")
    spec = case.spec("run_1", validation=spec.train)
    assert places(case.backend(), spec) == set()
    assert places(case.backend(), spec, Severity.WARNING) == {("validation", "validation_left_out")}


@preferences
def test_preferences_are_read_for_both_answers(case, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"input": {}, "preferred_output": [1]}\n' * 3)
    spec = case.spec("run_1", train=DataFile.of(rows, format="fireworks_dpo"))
    found = case.backend().problems(spec, today=TODAY)
    assert [(each.line, each.message) for each in found] == [
        (line, "the row has no non_preferred_output") for line in (1, 2, 3)
    ]  # fmt: skip


def test_a_signed_address_that_is_not_encrypted_is_not_written_to():
    account = Account.of({"account": "acme", "api_key": "fw"})
    with pytest.raises(AnswerInvalid, match="not encrypted"):
        account.outside("http://storage.example/file")
