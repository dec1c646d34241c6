"""A run on Bedrock, and what goes wrong on the way."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from bedrock_stand_in import BUCKET, refusal
from wire import Fault, Loss, Response

from backends.errors import OutcomeUnknown, ProviderRefused, RunLost, Unreachable
from backends.events import Failure, Level, RunState
from backends.memory import FileMemory
from backends.spec import Hyperparameters

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
CREATE = "/model-customization-jobs"
GET = "/model-customization-jobs/"


def started(case, memory, **changes):
    return case.backend().start(case.spec("run_1", **changes), memory, now=NOW)


def created(case):
    return [each.json for each in case.stand_in.wire.seen if each.method == "POST" and each.path == CREATE]


@pytest.mark.parametrize("case", ["claude"], indirect=True)
def test_the_job_is_asked_for_in_bedrocks_own_words(case, memory):
    chosen = Hyperparameters(epochs=3, batch_size=8, learning_rate_multiplier=0.5, early_stopping=2)
    started(case, memory, hyperparameters=chosen, suffix="tri.age", labels={"order": "A-17", "client": "Müller"})
    (asked,) = created(case)
    spec = case.spec("run_1", hyperparameters=chosen, suffix="tri.age")
    assert asked["hyperParameters"] == {
        "epochCount": "3", "batchSize": "8", "learningRateMultiplier": "0.5", "earlyStoppingPatience": "2",
    }  # fmt: skip
    assert (asked["jobName"], asked["customizationType"]) == ("run.1", "FINE_TUNING")
    assert asked["customModelName"] == f"tri-age-{asked['clientRequestToken'][:16]}"
    assert asked["trainingDataConfig"] == {"s3Uri": f"s3://{BUCKET}/sixfold/data/{spec.train.sha256}.jsonl"}
    assert asked["outputDataConfig"] == {"s3Uri": f"s3://{BUCKET}/sixfold/runs/run.1/"}
    assert asked["jobTags"] == [
        {"key": "order", "value": "A-17"},
        {"key": "sixfold-run", "value": "run_1"},
        {"key": "sixfold-spec", "value": spec.digest},
    ]


def test_without_a_validation_file_none_is_named(case, memory):
    started(case, memory, validation=None)
    assert "validationDataConfig" not in created(case)[0]


def test_a_small_learning_rate_is_written_without_an_exponent(case, memory):
    started(case, memory, hyperparameters=Hyperparameters(learning_rate=1e-5))
    assert created(case)[0]["hyperParameters"] == {"learningRate": "0.00001"}


def test_a_file_that_two_runs_train_on_is_uploaded_once(case, memory, tmp_path):
    started(case, memory)
    second = FileMemory(path=tmp_path / "second.json")
    case.backend().start(case.spec("run_2"), second, now=NOW)
    assert case.stand_in.wire.count("PUT", "/sixfold/data/") == 2
    assert case.begun() == 2


@pytest.mark.parametrize("loss", list(Loss))
def test_where_the_answer_to_a_create_is_lost_there_is_one_job_in_the_end(case, memory, loss):
    case.stand_in.wire.faults.append(Fault(method="POST", path=CREATE, loss=loss))
    with pytest.raises(OutcomeUnknown):
        started(case, memory)
    assert case.begun() == (1 if loss is Loss.AFTER else 0)
    handle = started(case, memory)
    assert (case.begun(), handle.reference) == (1, "run.1")
    assert len(created(case)) == (1 if loss is Loss.AFTER else 2)


def test_what_became_of_a_lost_answer_stays_unknown_while_nobody_answers(case, memory):
    case.stand_in.wire.faults.append(Fault(method="POST", path=CREATE, loss=Loss.AFTER))
    with pytest.raises(OutcomeUnknown):
        started(case, memory)
    with case.stand_in.wire.cut_off(), pytest.raises(OutcomeUnknown):
        started(case, memory)
    started(case, memory)
    assert case.begun() == 1


def test_before_anything_was_sent_nobody_answering_means_that_nothing_began(case, memory):
    with case.stand_in.wire.cut_off(), pytest.raises(Unreachable):
        started(case, memory)
    away = case.backend(endpoint_url="http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        away.start(case.spec("run_1"), memory, now=NOW)
    assert (case.begun(), memory.recall("sent")) == (0, None)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal("ThrottlingException", "slow down", status=429), Unreachable),
        (refusal("InternalServerException", "oops", status=500), OutcomeUnknown),
        (Response(body=b"<html>proxy</html>"), OutcomeUnknown),
        (refusal("ServiceQuotaExceededException", "too many jobs"), ProviderRefused),
        (refusal("AccessDeniedException", "not yours", status=403), ProviderRefused),
        (refusal("ValidationException", "bad role"), ProviderRefused),
    ],
    ids=["throttled", "broken", "html", "quota", "denied", "invalid"],
)
def test_a_create_that_is_not_acted_on_can_be_called_again(case, memory, answer, error):
    case.stand_in.wire.faults.append(Fault(method="POST", path=CREATE, instead=answer))
    with pytest.raises(error) as caught:
        started(case, memory)
    if error is ProviderRefused:
        assert caught.value.provider_code == answer.headers["x-amzn-ErrorType"]
    assert case.begun() == 0
    started(case, memory)
    assert case.begun() == 1


def test_a_job_of_somebody_else_with_this_name_is_left_alone(case, memory, tmp_path):
    started(case, memory)
    case.stand_in.jobs["run.1"].client_request_token = "theirs"
    with pytest.raises(ProviderRefused) as caught:
        started(case, FileMemory(path=tmp_path / "other.json"))
    assert caught.value.provider_code == "name_taken"
    assert (case.begun(), case.stand_in.jobs["run.1"].status) == (1, "InProgress")


def test_the_curve_is_what_bedrock_wrote(case, memory):
    handle = started(case, memory)
    assert [each.id for each in case.backend().poll(handle).events] == ["run.1-created"]
    case.stand_in.complete("run.1")
    told = case.backend().poll(handle, cursor="1")
    assert [each.id for each in told.events] == ["run.1-end"] + [f"run.1-step-{step}" for step in range(6)]
    first, last = told.events[1].metrics, told.events[-1].metrics
    assert (first.step, first.epoch, first.train_loss, first.full_valid_loss) == (0, 0.0, 2.0, None)
    assert (last.step, last.epoch, last.train_loss, last.full_valid_loss) == (5, 1.0, 0.333, 0.625)
    assert (told.usage.seconds, told.usage.billed_tokens, told.usage.cost) == (600.0, None, None)
    assert told.model == case.stand_in.jobs["run.1"].output_model_arn


def test_a_bucket_that_may_not_be_read_costs_the_curve_and_not_the_model(case, memory):
    handle = started(case, memory)
    case.stand_in.complete("run.1")
    denied = refusal("AccessDenied", "no", status=403)
    case.stand_in.wire.faults.append(Fault(method="GET", path=f"/{BUCKET}", instead=denied))
    told = case.backend().poll(handle)
    assert told.state is RunState.SUCCEEDED
    assert [each.id for each in told.events] == ["run.1-created", "run.1-end"]
    assert len(case.backend().poll(handle, cursor=told.cursor).events) == 6


def test_a_failure_is_told_in_bedrocks_words(case, memory):
    handle = started(case, memory)
    case.stand_in.fail("run.1", "Input data at line 3 must alternate")
    told = case.backend().poll(handle)
    assert (told.state, told.model) == (RunState.FAILED, None)
    assert told.failure == Failure(code="provider_error", message="Input data at line 3 must alternate")
    assert (told.events[-1].level, told.events[-1].message) == (Level.ERROR, told.failure.message)


def test_stopped_in_the_console_it_is_cancelled(case, memory):
    handle = started(case, memory)
    case.stand_in.jobs["run.1"].status = "Stopped"
    assert case.backend().poll(handle).state is RunState.CANCELLED


@pytest.mark.parametrize(
    ("said", "state"), [("Stopping", RunState.RUNNING), ("Pausing", RunState.UNKNOWN), ("", RunState.UNKNOWN)]
)
def test_a_word_that_nobody_knows_is_no_end(case, memory, said, state):
    handle = started(case, memory)
    case.stand_in.jobs["run.1"].status = said
    told = case.backend().poll(handle)
    assert (told.state, told.provider_state) == (state, said)


def test_done_without_a_model_it_is_not_done(case, memory):
    handle = started(case, memory)
    case.stand_in.complete("run.1")
    case.stand_in.jobs["run.1"].output_model_arn = ""
    assert case.backend().poll(handle).state is RunState.FINALIZING


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Response(body=b"<html>proxy</html>"), "answer_invalid"),
        (refusal("ThrottlingException", "slow down", status=429), "unreachable"),
        (refusal("ExpiredTokenException", "sign in", status=403), "ExpiredTokenException"),
    ],
    ids=["html", "throttled", "expired"],
)
def test_a_poll_that_learns_nothing_says_so_and_keeps_its_place(case, memory, answer, said):
    handle = started(case, memory)
    case.stand_in.wire.faults.append(Fault(method="GET", path=GET, instead=answer))
    told = case.backend().poll(handle, cursor="1")
    assert (told.state, told.cursor, told.provider_state) == (RunState.UNKNOWN, "1", said)
    assert case.backend().poll(handle, cursor="1").state is RunState.RUNNING


def test_a_job_that_was_deleted_is_lost(case, memory):
    handle = started(case, memory)
    case.stand_in.jobs.clear()
    for ask in (case.backend().poll, case.backend().cancel):
        with pytest.raises(RunLost):
            ask(handle)


def test_what_ended_while_we_asked_it_to_stop_is_no_error(case, memory):
    handle = started(case, memory)
    conflict = refusal("ConflictException", "it has ended")
    case.stand_in.wire.faults.append(Fault(method="POST", path="/stop", instead=conflict))
    case.backend().cancel(handle)
    with case.stand_in.wire.cut_off(), pytest.raises(Unreachable):
        case.backend().cancel(handle)
    assert case.stand_in.jobs["run.1"].status == "InProgress"


def test_environment_is_what_bedrock_says_it_used(case, memory):
    handle = started(case, memory, hyperparameters=Hyperparameters(epochs=2))
    said = case.backend().poll(handle).environment
    assert said["hyperparameters.epochCount"] == "2"
    assert said["base_model"].endswith("foundation-model/amazon.nova-micro-v1:0:128k")
    assert json.dumps(replace(case.backend().poll(handle), events=()).environment)
