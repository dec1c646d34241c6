"""What a job at Fireworks tells: progress, curve, end, and the model that it leaves."""

from datetime import UTC, datetime

import pytest
from fireworks_stand_in import PARENT, refusal
from wire import Fault, Response, told

from backends.errors import ProviderRefused, RunLost, Unreachable
from backends.events import EventKind, Failure, RunState
from backends.fireworks.curve import points
from backends.fireworks.submitting import job_id

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
JOBS = "/supervisedFineTuningJobs"


def started(case, memory, **changes):
    return case.backend().start(case.spec("run_1", **changes), memory, now=NOW)


def job(case):
    (only,) = case.stand_in.jobs.values()
    return only.told


def fault(case, method, path, **happens):
    case.stand_in.wire.faults.append(Fault(method=method, path=path, **happens))


def test_quarters_of_epochs_are_told_once_and_in_order(case, memory):
    handle = started(case, memory)
    seen, cursor = [], ""
    for _ in range(7):
        said = case.backend().poll(handle, cursor=cursor)
        cursor = said.cursor
        seen.append((said.state, [each.message for each in said.events if each.kind is EventKind.MESSAGE]))
        case.stand_in.tick()
    assert seen == [
        (RunState.QUEUED, ["Fireworks took the job"]),
        (RunState.VALIDATING, []),
        (RunState.RUNNING, ["25 % of epoch 1", "50 % of epoch 1"]),
        (RunState.RUNNING, ["75 % of epoch 1", "100 % of epoch 1", "25 % of epoch 2"]),
        (RunState.FINALIZING, [f"{part} % of epoch 2" for part in (50, 75, 100)]),
        (RunState.SUCCEEDED, ["Fireworks says JOB_STATE_COMPLETED"]),
        (RunState.SUCCEEDED, []),
    ]


def test_progress_that_falls_back_is_not_told_again_and_the_end_is(case, memory):
    handle = started(case, memory)
    job(case)["jobProgress"] = {"epoch": 0, "percent": 75}
    cursor = case.backend().poll(handle).cursor
    job(case)["jobProgress"] = {"epoch": 0, "percent": 25}
    fallen = case.backend().poll(handle, cursor=cursor)
    job(case)["jobProgress"] = {"epoch": 0, "percent": 75}
    assert (fallen.events, case.backend().poll(handle, cursor=fallen.cursor).events) == ((), ())
    case.stand_in.fail(job_id("run_1"), "out of capacity")
    (ended,) = case.backend().poll(handle, cursor=cursor).events
    assert ended.message == "out of capacity"


def test_what_came_out_and_what_it_used(case, memory):
    handle = started(case, memory, suffix="triage")
    for _ in range(5):
        case.stand_in.tick()
    said = case.backend().poll(handle)
    assert (said.state, said.model) == (RunState.SUCCEEDED, f"{PARENT}/models/triage-{job_id('run_1')[8:24]}")
    usage = said.usage
    assert (usage.seen_tokens, usage.seconds, usage.billed_tokens) == (8_400, 1800.0, None)
    assert [each.metrics.train_loss for each in said.events if each.metrics] == [2.0, 1.0, 0.667, 0.5, 0.4, 0.333]
    assert said.environment["hyperparameters.rank"] == "8"


def test_an_estimate_is_told_as_one_and_never_as_a_cost(case, memory):
    handle = started(case, memory)
    said = case.backend().poll(handle)
    assert (said.environment["estimated_cost"], said.usage.cost) == ("1.25 USD", None)


def test_both_forms_of_metrics_that_were_seen_are_read_and_broken_lines_left_out():
    lines = (
        b'{"timestamp": 1784318345.9, "step": 1, "data": {"train/epoch": 0, "train/loss": 0.93, "train/token": 5}}',
        b'{"step": 2, "train/step": 2, "train/loss": 1.13, "train/lr": 0.0001}',
        b'{"step": 2, "eval/loss": 1.2}',
        b'{"step": 3, "train/loss": NaN}',
        b'{"step": 4, "tr',
        b'["step"]',
    )
    first, second = points(b"\n".join(lines))
    assert (first.step, first.epoch, first.train_loss, first.tokens) == (1, 0.0, 0.93, None)
    assert (second.step, second.train_loss, second.full_valid_loss, second.learning_rate) == (2, 1.13, 1.2, 0.0001)


@pytest.mark.parametrize("status", [403, 404])
def test_a_file_of_metrics_that_is_not_there_costs_the_curve_and_not_the_model(case, memory, status):
    handle = started(case, memory)
    for _ in range(5):
        case.stand_in.tick()
    fault(case, "GET", "/signed/metrics", instead=Response(status=status))
    said = case.backend().poll(handle)
    assert (said.state, [each for each in said.events if each.metrics]) == (RunState.SUCCEEDED, [])
    later = case.backend().poll(handle, cursor=said.cursor)
    assert len([each for each in later.events if each.metrics]) == 6


def test_a_failure_is_told_in_fireworks_words(case, memory):
    handle = started(case, memory)
    case.stand_in.fail(job_id("run_1"), "sample 3 is longer than the context")
    said = case.backend().poll(handle)
    assert (said.state, said.model) == (RunState.FAILED, None)
    assert said.failure == Failure(code="INVALID_ARGUMENT", message="sample 3 is longer than the context")


def test_one_that_expired_failed_without_a_reason(case, memory):
    handle = started(case, memory)
    job(case)["state"] = "JOB_STATE_EXPIRED"
    said = case.backend().poll(handle)
    assert (said.state, said.failure.code) == (RunState.FAILED, "provider_error")
    assert "JOB_STATE_EXPIRED" in said.failure.message


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("JOB_STATE_CREATING", RunState.QUEUED),
        ("JOB_STATE_RE_QUEUEING", RunState.QUEUED),
        ("JOB_STATE_PAUSED", RunState.PAUSED),
        ("JOB_STATE_CANCELLING", RunState.RUNNING),
        ("JOB_STATE_EARLY_STOPPED", RunState.SUCCEEDED),
        ("JOB_STATE_CANCELLED", RunState.CANCELLED),
        ("JOB_STATE_DELETING", RunState.UNKNOWN),
        ("JOB_STATE_DREAMING", RunState.UNKNOWN),
    ],
)
def test_a_word_that_nobody_knows_is_no_end(case, memory, said, state):
    handle = started(case, memory)
    fault(case, "GET", JOBS, instead=told(job(case) | {"state": said}))
    found = case.backend().poll(handle)
    assert (found.state, found.provider_state) == (state, said)


def test_done_without_a_model_it_is_not_done(case, memory):
    handle = started(case, memory)
    job(case)["state"] = "JOB_STATE_COMPLETED"
    del job(case)["outputModel"]
    said = case.backend().poll(handle)
    assert (said.state, [each.message for each in said.events]) == (RunState.FINALIZING, ["Fireworks took the job"])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Response(body=b"<html>"), "answer_invalid"),
        (Response(body=b"<html>", headers={"Content-Type": "text/html"}), "answer_invalid"),
        (Response(body=b"{}"), "answer_invalid"),
        (
            told({"name": "accounts/acme/supervisedFineTuningJobs/other", "state": "X", "dataset": "d"}),
            "answer_invalid",
        ),
        (refusal(429, "RESOURCE_EXHAUSTED", "slow down"), "unreachable"),
        (refusal(401, "UNAUTHENTICATED", "sign in"), "UNAUTHENTICATED"),
    ],
    ids=["html", "html by its name", "empty", "another job", "throttled", "signed out"],
)
def test_a_poll_that_learns_nothing_says_so_and_keeps_its_place(case, memory, answer, said):
    handle = started(case, memory)
    fault(case, "GET", JOBS, instead=answer)
    found = case.backend().poll(handle, cursor="created@0@-1")
    assert (found.state, found.cursor, found.provider_state) == (RunState.UNKNOWN, "created@0@-1", said)
    assert found.failure.message
    assert case.backend().poll(handle, cursor="created@0@-1").state is RunState.QUEUED


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
    assert job(case)["state"] == "JOB_STATE_PENDING"


def test_one_that_ends_while_it_is_cancelled_is_no_error(case, memory):
    handle = started(case, memory)
    running = told(dict(job(case)))
    job(case)["state"] = "JOB_STATE_COMPLETED"
    fault(case, "GET", JOBS, instead=running)
    case.backend().cancel(handle)
    assert case.stand_in.wire.count("POST", ":cancel") == 1
    assert case.backend().poll(handle).state is RunState.SUCCEEDED


def test_a_tuned_model_answers_once_it_is_deployed(case):
    asked, model = [{"role": "user", "content": "ticket 1?"}], f"{PARENT}/models/triage-1"
    case.stand_in.deployed = False
    predictor = case.backend().predictor(model)
    with pytest.raises(ProviderRefused, match="not deployed"):
        predictor.predict_many([asked], max_tokens=4)
    case.stand_in.deployed = True
    whole, cut = (predictor.predict_many([asked], max_tokens=limit)[0] for limit in (4, 1))
    predictor.close()
    assert (whole.finished, cut.finished, whole.completion_tokens) == (True, False, 2)
    seen = case.stand_in.wire.seen[-1].json
    assert seen == {"model": model, "messages": asked, "temperature": 0.0, "max_tokens": 1}
