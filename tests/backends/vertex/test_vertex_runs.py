"""A run on Vertex AI, and what goes wrong on the way."""

from datetime import UTC, datetime, timedelta

import pytest
from vertex_stand_in import BUCKET, PARENT, refusal
from wire import Fault, Loss, Response

from backends.errors import AnswerInvalid, OutcomeUnknown, ProviderRefused, RunLost, Unreachable
from backends.events import EventKind, Failure, Level, RunState
from backends.memory import FileMemory
from backends.sending import HORIZON
from backends.spec import Hyperparameters

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
JOBS = "/tuningJobs"


def started(case, memory, *, at=NOW, **changes):
    return case.backend().start(case.spec("run_1", **changes), memory, now=at)


def created(case):
    return [each.json for each in case.stand_in.wire.seen if each.method == "POST" and each.path.endswith(JOBS)]


def lost(loss):
    return Fault(method="POST", path=JOBS, loss=loss)


def test_the_job_is_asked_for_in_googles_own_words(case, memory):
    chosen = Hyperparameters(epochs=3, rank=8, learning_rate_multiplier=0.5)
    spec = case.spec("run_1", hyperparameters=chosen, suffix="triage", labels={"order": "a-17", "client": "Acme"})
    handle = case.backend().start(spec, memory, now=NOW)
    assert handle.reference == f"{PARENT}/tuningJobs/1"
    assert created(case) == [{
        "baseModel": "gemini-3.5-flash",
        "tunedModelDisplayName": "triage-run_1",
        "description": f"sixfold run run_1, spec {spec.digest}",
        "labels": {"order": "a-17"},
        "supervisedTuningSpec": {
            "trainingDatasetUri": f"gs://{BUCKET}/sixfold/data/{spec.train.sha256}.jsonl",
            "validationDatasetUri": f"gs://{BUCKET}/sixfold/data/{spec.validation.sha256}.jsonl",
            "hyperParameters": {
                "epochCount": 3, "learningRateMultiplier": 0.5, "adapterSize": "ADAPTER_SIZE_EIGHT",
            },
        },
    }]  # fmt: skip
    assert case.stand_in.objects[f"sixfold/data/{spec.train.sha256}.jsonl"] == spec.train.path.read_bytes()


def test_without_a_validation_file_none_is_named_and_its_curve_does_not_wait(case, memory):
    handle = started(case, memory, validation=None)
    assert "validationDatasetUri" not in created(case)[0]["supervisedTuningSpec"]
    case.stand_in.tick()
    case.stand_in.tick()
    told = case.backend().poll(handle)
    assert [each.metrics.step for each in told.events if each.kind is EventKind.METRICS] == [1, 2, 3, 4]


def test_a_file_that_is_there_already_is_not_written_again(case, memory, tmp_path):
    started(case, memory)
    case.backend().start(case.spec("run_2"), FileMemory(path=tmp_path / "second.json"), now=NOW)
    assert len(case.stand_in.objects) == 2
    assert case.begun() == 2


def test_a_file_that_arrives_altered_begins_nothing(case, memory):
    answer = Response(body=b'{"md5Hash": "AAAAAAAAAAAAAAAAAAAAAA=="}')
    case.stand_in.wire.faults.append(Fault(method="POST", path="/upload", instead=answer))
    with pytest.raises(Unreachable, match="another content"):
        started(case, memory)
    assert (case.begun(), memory.recall("sent")) == (0, None)


def test_where_the_answer_to_a_create_is_lost_the_job_is_found_again(case, memory):
    case.stand_in.wire.faults.append(lost(Loss.AFTER))
    with pytest.raises(OutcomeUnknown):
        started(case, memory)
    handle = started(case, memory)
    assert (case.begun(), len(created(case)), handle.reference) == (1, 1, f"{PARENT}/tuningJobs/1")


def test_it_is_found_on_a_later_page_of_the_list(case, memory, tmp_path):
    case.stand_in.wire.faults.append(lost(Loss.AFTER))
    with pytest.raises(OutcomeUnknown):
        started(case, memory)
    for number in range(2, 6):
        case.backend().start(case.spec(f"run_{number}"), FileMemory(path=tmp_path / f"{number}.json"), now=NOW)
    assert started(case, memory).reference == f"{PARENT}/tuningJobs/1"
    assert case.begun() == 5


def test_what_was_sent_and_is_not_seen_is_sent_once_more_after_the_horizon_and_then_a_person_looks(case, memory):
    case.stand_in.wire.faults += [lost(Loss.BEFORE), lost(Loss.BEFORE)]
    with pytest.raises(OutcomeUnknown):
        started(case, memory)
    with pytest.raises(OutcomeUnknown, match="not seen yet"):
        started(case, memory, at=NOW + HORIZON - timedelta(seconds=1))
    assert len(created(case)) == 1
    with pytest.raises(OutcomeUnknown):
        started(case, memory, at=NOW + HORIZON)
    with pytest.raises(OutcomeUnknown, match="sent 2 times") as caught:
        started(case, memory, at=NOW + 2 * HORIZON)
    assert (len(created(case)), caught.value.retry_in_s) == (2, 3600.0)


def test_a_second_job_that_comes_to_light_is_stopped_and_the_first_is_the_runs(case, memory):
    case.stand_in.wire.faults.append(lost(Loss.AFTER))
    with pytest.raises(OutcomeUnknown):
        started(case, memory)
    case.stand_in.hidden.add("1")
    case.stand_in.wire.faults.append(lost(Loss.AFTER))
    with pytest.raises(OutcomeUnknown):
        started(case, memory, at=NOW + HORIZON)
    case.stand_in.hidden.clear()
    assert started(case, memory, at=NOW + HORIZON).reference == f"{PARENT}/tuningJobs/1"
    assert case.stand_in.jobs["2"].told["state"] == "JOB_STATE_CANCELLING"
    assert case.stand_in.jobs["1"].told["state"] == "JOB_STATE_PENDING"


def test_what_became_of_a_lost_answer_stays_unknown_while_nobody_answers(case, memory):
    case.stand_in.wire.faults.append(lost(Loss.AFTER))
    with pytest.raises(OutcomeUnknown):
        started(case, memory)
    with case.stand_in.wire.cut_off(), pytest.raises(OutcomeUnknown):
        started(case, memory)
    denied = refusal(403, "PERMISSION_DENIED", "no")
    case.stand_in.wire.faults.append(Fault(method="GET", path=JOBS, instead=denied))
    with pytest.raises(OutcomeUnknown):
        started(case, memory)
    started(case, memory)
    assert case.begun() == 1


def test_before_anything_was_sent_nobody_answering_means_that_nothing_began(case, memory):
    with case.stand_in.wire.cut_off(), pytest.raises(Unreachable):
        started(case, memory)
    away = case.backend(base_url="http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        away.start(case.spec("run_1"), memory, now=NOW)
    assert (case.begun(), memory.recall("sent")) == (0, None)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(429, "RESOURCE_EXHAUSTED", "slow down"), Unreachable),
        (refusal(400, "INVALID_ARGUMENT", "bad model"), ProviderRefused),
        (refusal(403, "PERMISSION_DENIED", "not yours"), ProviderRefused),
    ],
    ids=["throttled", "invalid", "denied"],
)
def test_a_create_that_was_refused_for_certain_can_be_called_again_at_once(case, memory, answer, error):
    case.stand_in.wire.faults.append(Fault(method="POST", path=JOBS, instead=answer))
    with pytest.raises(error) as caught:
        started(case, memory)
    if error is ProviderRefused:
        assert caught.value.provider_code == answer.body.decode().split('"status": "')[1].split('"')[0]
    assert case.begun() == 0
    started(case, memory)
    assert case.begun() == 1


@pytest.mark.parametrize(
    "answer",
    [
        refusal(503, "UNAVAILABLE", "oops"),
        refusal(409, "ABORTED", "busy"),
        Response(body=b"<html>"),
        Response(body=b"{}"),
    ],
    ids=["broken", "conflict", "html", "empty"],
)
def test_a_create_that_may_have_been_acted_on_is_not_sent_again_at_once(case, memory, answer):
    case.stand_in.wire.faults.append(Fault(method="POST", path=JOBS, instead=answer))
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            started(case, memory)
    assert len(created(case)) == 1


def test_the_curve_grows_and_validation_is_never_missed(case, memory):
    handle = started(case, memory)
    seen, cursor = [], ""
    for _ in range(6):
        told = case.backend().poll(handle, cursor=cursor)
        cursor = told.cursor
        seen.append([each.metrics.step for each in told.events if each.kind is EventKind.METRICS])
        case.stand_in.tick()
    assert seen == [[], [], [], [1, 2, 3, 4], [5, 6, 7, 8, 9, 10, 11, 12], []]
    points = {each.metrics.step: each.metrics for each in case.backend().poll(handle).events if each.metrics}
    assert (points[4].train_loss, points[4].train_accuracy, points[4].full_valid_loss) == (0.5, 0.5, 0.5)
    assert (points[5].full_valid_loss, points[5].total_steps) == (None, 12)


def test_what_came_out_and_what_it_used(case, memory):
    handle = started(case, memory)
    for _ in range(5):
        case.stand_in.tick()
    told = case.backend().poll(handle)
    assert (told.state, told.model) == (RunState.SUCCEEDED, f"{PARENT}/endpoints/1")
    assert [(each.step, each.model) for each in told.checkpoints] == [(4, f"{PARENT}/endpoints/11")]
    assert (told.usage.billed_tokens, told.usage.seconds, told.usage.cost) == (12_600, 1800.0, None)
    assert told.environment["hyperparameters.epoch_count"] == "3"


def test_rows_that_vertex_dropped_are_told_with_their_reasons(case, memory):
    handle = started(case, memory)
    case.stand_in.tick()
    (dropped,) = [each for each in case.backend().poll(handle).events if each.id.endswith("/data")]
    assert (dropped.level, dropped.message) == (Level.WARNING, "100 examples, 1 dropped")
    assert dropped.data == {"rows_dropped": [17], "reasons": ["too many tokens"]}


def test_a_failure_is_told_in_googles_words(case, memory):
    handle = started(case, memory)
    case.stand_in.fail(case.stand_in.jobs["1"], "Row 3 has no model turn")
    told = case.backend().poll(handle)
    assert (told.state, told.model) == (RunState.FAILED, None)
    assert told.failure == Failure(code="3", message="Row 3 has no model turn")


def test_cancelled_in_the_console_it_is_cancelled(case, memory):
    handle = started(case, memory)
    case.stand_in.jobs["1"].told["state"] = "JOB_STATE_CANCELLED"
    assert case.backend().poll(handle).state is RunState.CANCELLED


@pytest.mark.filterwarnings("ignore:JOB_STATE_DREAMING is not a valid JobState:UserWarning")
@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("JOB_STATE_DREAMING", RunState.UNKNOWN),
        ("JOB_STATE_PARTIALLY_SUCCEEDED", RunState.UNKNOWN),
        ("JOB_STATE_CANCELLING", RunState.RUNNING),
    ],
)
def test_a_word_that_nobody_knows_is_no_end(case, memory, said, state):
    handle = started(case, memory)
    case.stand_in.jobs["1"].told["state"] = said
    told = case.backend().poll(handle)
    assert (told.state, told.provider_state) == (state, said)


def test_done_without_an_endpoint_it_is_not_done(case, memory):
    handle = started(case, memory)
    case.stand_in.jobs["1"].told["state"] = "JOB_STATE_SUCCEEDED"
    assert case.backend().poll(handle).state is RunState.FINALIZING


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Response(body=b"<html>"), "answer_invalid"),
        (Response(body=b"{}"), "answer_invalid"),
        (refusal(429, "RESOURCE_EXHAUSTED", "slow down"), "unreachable"),
        (refusal(401, "UNAUTHENTICATED", "sign in"), "UNAUTHENTICATED"),
    ],
    ids=["html", "empty", "throttled", "signed out"],
)
def test_a_poll_that_learns_nothing_says_so_and_keeps_its_place(case, memory, answer, said):
    handle = started(case, memory)
    case.stand_in.wire.faults.append(Fault(method="GET", path=f"{JOBS}/1", instead=answer))
    told = case.backend().poll(handle, cursor="created@-1")
    assert (told.state, told.cursor, told.provider_state) == (RunState.UNKNOWN, "created@-1", said)
    assert case.backend().poll(handle, cursor="created@-1").state is RunState.QUEUED


def test_an_experiment_that_may_not_be_read_costs_the_curve_and_not_the_model(case, memory):
    handle = started(case, memory)
    for _ in range(5):
        case.stand_in.tick()
    denied = refusal(403, "PERMISSION_DENIED", "no")
    case.stand_in.wire.faults.append(Fault(method="GET", path="/contexts/", instead=denied))
    told = case.backend().poll(handle)
    assert (told.state, [each for each in told.events if each.metrics]) == (RunState.SUCCEEDED, [])
    assert len([each for each in case.backend().poll(handle, cursor=told.cursor).events if each.metrics]) == 12


def test_a_job_that_was_deleted_is_lost(case, memory):
    handle = started(case, memory)
    case.stand_in.jobs.clear()
    for ask in (case.backend().poll, case.backend().cancel):
        with pytest.raises(RunLost):
            ask(handle)


def test_cancelling_where_nobody_answers_is_unreachable_and_changes_nothing(case, memory):
    handle = started(case, memory)
    with case.stand_in.wire.cut_off(), pytest.raises(Unreachable):
        case.backend().cancel(handle)
    assert case.stand_in.jobs["1"].told["state"] == "JOB_STATE_PENDING"


ASKED = [{"role": "system", "content": "Sort."}, {"role": "user", "content": [{"type": "text", "text": "ticket 1?"}]}]


def test_a_system_prompt_stands_apart_and_limits_are_passed_on(case):
    (answer,) = case.backend(thinking_budget=0).predictor("gemini-3.5-flash").predict_many([ASKED], max_tokens=4)
    assert case.stand_in.wire.seen[-1].json == {
        "contents": [{"role": "user", "parts": [{"text": "ticket 1?"}]}],
        "systemInstruction": {"role": "user", "parts": [{"text": "Sort."}]},
        "generationConfig": {"maxOutputTokens": 4, "temperature": 0.0, "thinkingConfig": {"thinking_budget": 0}},
    }
    assert (answer.finished, answer.completion_tokens) == (True, 2)
    (cut,) = case.backend().predictor("gemini-3.5-flash").predict_many([ASKED], max_tokens=1)
    assert not cut.finished


def test_throttled_once_it_is_asked_again(case):
    slow = refusal(429, "RESOURCE_EXHAUSTED", "slow down")
    case.stand_in.wire.faults.append(Fault(method="POST", path=":generateContent", instead=slow))
    (answer,) = case.backend().predictor("gemini-3.5-flash").predict_many([ASKED], max_tokens=4)
    assert answer.finished


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(body=b'{"candidates": []}'), AnswerInvalid),
        (Response(body=b"<html>"), AnswerInvalid),
        (Response(body=b'{"promptFeedback": {"blockReason": "SAFETY"}}'), ProviderRefused),
        (refusal(404, "NOT_FOUND", "no such endpoint"), ProviderRefused),
    ],
    ids=["no candidate", "html", "filtered", "gone"],
)
def test_what_is_no_answer_is_an_error(case, answer, error):
    case.stand_in.wire.faults.append(Fault(method="POST", path=":generateContent", instead=answer))
    with pytest.raises(error):
        case.backend().predictor("gemini-3.5-flash").predict_many([ASKED], max_tokens=4)
