"""Results files, places in the user's file, webhooks, settings: what needs no provider."""

import base64
import hashlib
import hmac
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.errors import BackendMissing
from backends.events import Metrics
from backends.openai_api.answers import JobEvent
from backends.openai_api.backend import make
from backends.openai_api.cursors import Cursor
from backends.openai_api.flagged import where_in_the_file
from backends.openai_api.problems import problems
from backends.openai_api.profiles import PROFILES
from backends.openai_api.results import parse, untold
from backends.openai_api.webhooks import SignatureInvalid, verify
from backends.spec import DataFile, Hyperparameters, TrainingSpec

OPENAI = b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,1.5,0.4,1.7,0.3\n2,1.2,,,\n"
AZURE = (
    b"step,train_loss,train_mean_token_accuracy,valid_loss,valid_mean_token_accuracy,full_valid_loss,"
    b"full_valid_mean_token_accuracy\n1,0.9,0.5,-1,,0.8,0.6\n"
)
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"of the test").decode()
BODY = b'{"id": "evt_1", "type": "fine_tuning.job.succeeded", "created_at": 1, "data": {"id": "ftjob-1"}}'


@pytest.mark.parametrize("content", [OPENAI, base64.b64encode(OPENAI), b"\xef\xbb\xbf" + OPENAI])
def test_a_results_file_is_read_by_its_column_names_and_blanks_were_not_measured(content):
    assert parse(content) == (
        Metrics(step=1, train_loss=1.5, train_accuracy=0.4, valid_loss=1.7, valid_accuracy=0.3),
        Metrics(step=2, train_loss=1.2),
    )


def test_azures_columns_are_read_too():
    (row,) = parse(AZURE)
    assert (row.train_accuracy, row.full_valid_loss, row.full_valid_accuracy) == (0.5, 0.8, 0.6)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_are_a_results_file_that_fails(content):
    assert isinstance(parse(content), tuple)
    assert isinstance(parse(b"step,train_loss\n" + content), tuple)


def test_only_rows_that_add_something_are_told_again():
    told = {1: Metrics(step=1, train_loss=1.5, valid_loss=1.7, train_accuracy=0.4, valid_accuracy=0.3)}
    assert [each.step for each in untold(parse(OPENAI), told)] == [2]


@pytest.mark.parametrize(("message", "place"), [
    ("The file failed. Flagged lines: 4, 13", "look at lines 4, 13 of the file that was sent"),
    ("Invalid file format. Example 100, message 2 Discriminator 'role' is missing",
     "look at line 100 of the file that was sent, its message 2; if they count from 0, line 101"),
    ("Example 0 is wrong", "look at line 1 of the file that was sent, counted from 0"),
    ("Line 7: 'messages[1]' must contain a 'role' field", "look at line 7 of the file that was sent"),
    ("You exceeded your current quota", ""),
])  # fmt: skip
def test_what_the_provider_says_is_turned_into_lines_of_the_users_file(message, place):
    assert where_in_the_file(message) == place


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10_000)), max_size=400, unique_by=lambda each: each[1]))
def test_no_event_of_the_last_is_told_twice_whatever_their_times(moments):
    events = [JobEvent(id=f"e{number}", created_at=at, level="info", message="") for at, number in moments]
    cursor = Cursor.read(str(Cursor().after(events)))
    assert [each for each in events if cursor.is_new(each)] == []


def signed(body=BODY, *, at=NOW, secret=b"of the test", key="msg_1"):
    sent_at = str(int(at.timestamp()))
    digest = hmac.digest(secret, b".".join([key.encode(), sent_at.encode(), body]), hashlib.sha256)
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": key, "webhook-timestamp": sent_at, "Webhook-Signature": f"v1,bm90IHRoaXM= {signature}"}


def test_a_webhook_that_is_signed_is_read():
    told = verify(secret=SECRET, headers=signed(), body=BODY, now=NOW)
    assert (told.key, told.type, told.data.id) == ("msg_1", "fine_tuning.job.succeeded", "ftjob-1")


@pytest.mark.parametrize("headers", [
    {}, signed(secret=b"another"), signed(body=b"{}"), signed() | {"webhook-id": "msg_2"}, signed(key=""),
    signed() | {"webhook-timestamp": "٣"}, signed() | {"webhook-timestamp": "9" * 40},
    signed() | {"Webhook-Signature": "v2,x é"},
], ids=str)  # fmt: skip
def test_a_webhook_that_is_not_is_refused(headers):
    with pytest.raises(SignatureInvalid):
        verify(secret=SECRET, headers=headers, body=BODY, now=NOW)


@pytest.mark.parametrize(("late", "holds"), [(300, True), (301, False), (-300, True), (-301, False)])
def test_a_webhook_holds_for_five_minutes_either_way(late, holds):
    now = NOW + timedelta(seconds=late)
    if holds:
        assert verify(secret=SECRET, headers=signed(), body=BODY, now=now)
    else:
        with pytest.raises(SignatureInvalid):
            verify(secret=SECRET, headers=signed(), body=BODY, now=now)


def test_a_signed_webhook_that_says_nothing_is_refused():
    with pytest.raises(SignatureInvalid):
        verify(secret=SECRET, headers=signed(b'{"type": 7}'), body=b'{"type": 7}', now=NOW)


def test_a_key_is_shown_by_nothing():
    backend = make("openai", {"api_key": "sk-secret"})
    with pytest.raises(ValueError, match="at_once") as wrong:
        make("openai", {"api_key": "sk-secret", "at_once": 0})
    assert "sk-secret" not in f"{backend!r} {backend.__dict__} {wrong.value!r}"


@pytest.mark.parametrize(("told", "error"), [
    ({"profile": "azur"}, BackendMissing), ({"profile": "azure"}, ValueError), ({"colour": "red"}, ValueError),
    ({"profile": "generic", "base_url": "ftp://here"}, ValueError),
])  # fmt: skip
def test_settings_that_it_cannot_use_are_refused(told, error):
    with pytest.raises(error):
        make("openai", told)


def spec_of(tmp_path, **fields):
    path = tmp_path / "train.jsonl"
    path.write_text('{"messages": []}\n' * 12, "utf-8")
    told = {"run_id": "r", "backend": "openai", "model": "m", "train": DataFile.of(path)} | fields
    return TrainingSpec(**told)


@pytest.mark.parametrize(("today", "codes"), [
    (date(2026, 11, 22), set()), (date(2027, 1, 5), {"provider_closes_soon"}), (date(2027, 1, 6), {"provider_closed"}),
])  # fmt: skip
def test_the_day_on_which_openai_takes_no_more_jobs_is_known(tmp_path, today, codes):
    assert {each.code for each in problems(PROFILES["openai"], spec_of(tmp_path), today)} == codes


def test_everything_that_is_wrong_is_said_at_once(tmp_path):
    spec = spec_of(
        tmp_path, hyperparameters=Hyperparameters(rank=8, beta=0.1, batch_size=300), labels={"run": "x"},
        grader={"type": "python", "name": "ours", "source": "def grade(sample, item): return 1.0"},
    )  # fmt: skip
    spec.train.path.write_text('{"messages": []}\n\nnonsense\n[1]\n', "utf-8")
    found = problems(PROFILES["openai"], spec, date(2026, 11, 22))
    assert {(each.code, each.where, each.line) for each in found} == {
        ("hyperparameter_not_offered", "hyperparameters.rank", None),
        ("hyperparameter_not_offered", "hyperparameters.beta", None),
        ("batch_size_too_large", "hyperparameters.batch_size", None),
        ("label_invalid", "labels", None), ("grader_unused", "grader", None),
        ("invalid_training_file", "train", 3), ("invalid_training_file", "train", 4),
        ("invalid_n_examples", "train", None),
    }  # fmt: skip
