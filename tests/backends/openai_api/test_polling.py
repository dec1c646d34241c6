"""What a poll believes, and what it does not."""

import pytest

from backends.errors import RunLost
from backends.events import EventKind, RunState

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

GET = "GET /fine_tuning/jobs/{job}"
SUCCEEDED, FINALIZING, UNKNOWN = RunState.SUCCEEDED, RunState.FINALIZING, RunState.UNKNOWN


def steps(events):
    return [each.metrics.step for each in events if each.kind is EventKind.METRICS]


def test_its_states_its_curve_its_checkpoints_and_what_it_costs(world):
    handle = world.start()
    seen, events, cursor = [], [], ""
    while SUCCEEDED not in seen:
        told = world.poll(handle, cursor)
        seen += [told.state] if told.state not in seen else []
        events += told.events
        cursor, world.now = told.cursor, world.now + 1
    assert seen == [RunState.VALIDATING, RunState.QUEUED, RunState.RUNNING, SUCCEEDED]
    assert steps(events) == [1, 2, 3]
    assert [each.step for each in told.checkpoints] == [3]
    assert told.checkpoints[0].metrics.train_loss == pytest.approx(events[-2].metrics.train_loss)
    assert told.model.startswith("ft:gpt-4o-mini-2024-07-18:standin:")
    assert told.usage.billed_tokens > 0
    assert told.environment["n_epochs"] == "1"


@pytest.mark.parametrize("fault", [
    {"kind": "body", "text": "<html>Welcome</html>"},
    {"kind": "body", "text": '{"id": 7}'},
    {"kind": "truncate"},
    {"kind": "alter", "value": {"id": "ftjob-foreign"}},
    {"kind": "alter", "value": {"trained_tokens": -5}},
    {"kind": "alter", "value": {"status": ["running"]}},
    {"kind": "alter", "value": {"created_at": 10**18}},
    {"kind": "alter", "value": {"fine_tuned_model": ""}},
    {"kind": "answer", "status": 500, "times": 3},
    {"kind": "answer", "status": 401, "code": "invalid_api_key"},
    {"kind": "drop_reply", "times": 3},
], ids=str)  # fmt: skip
def test_garbage_is_unknown_and_changes_nothing(world, fault):
    handle = world.start()
    before = world.until(handle, RunState.RUNNING)
    world.goes_wrong(**fault, on=GET)
    told = world.poll(handle, before.cursor)
    assert (told.state, told.cursor, told.events, told.model) == (UNKNOWN, before.cursor, (), None)
    assert told.failure.message
    assert world.until(handle, SUCCEEDED, cursor=before.cursor).model


@pytest.mark.parametrize("on", ["GET /fine_tuning/jobs/{job}/events", "GET /fine_tuning/jobs/{job}/checkpoints"])
def test_garbage_beside_the_job_is_unknown_too(world, on):
    handle = world.start()
    world.now += 12
    world.goes_wrong("body", on=on, text='{"data": [{"id": 7}]}')
    assert (world.poll(handle).state, world.poll(handle).state) == (UNKNOWN, RunState.RUNNING)


def test_a_checkpoint_of_another_job_is_not_believed(world):
    handle = world.start()
    world.until(handle, SUCCEEDED)
    world.goes_wrong(
        "alter", on="GET /fine_tuning/jobs/{job}/checkpoints", value={"fine_tuning_job_id": "ftjob-foreign"}
    )
    assert world.poll(handle).state is UNKNOWN


def test_a_status_that_nobody_knows_is_told_in_its_own_word_and_is_no_end(world):
    handle = world.start()
    world.goes_wrong("alter", on=GET, value={"status": "pondering"})
    told = world.poll(handle)
    assert (told.state, told.provider_state) == (UNKNOWN, "pondering")
    assert world.until(handle, SUCCEEDED)


def test_a_passing_error_is_asked_again_within_the_same_look(world):
    handle = world.start()
    world.goes_wrong("answer", on=GET, status=503, times=2)
    assert world.poll(handle).state is RunState.VALIDATING


def test_an_end_is_final_whatever_the_provider_says_later(world):
    handle = world.start()
    told = world.until(handle, SUCCEEDED)
    world.goes_wrong("alter", on=GET, times=None, value={"status": "running", "fine_tuned_model": None})
    later = world.poll(handle, told.cursor)
    assert (later.state, later.model, later.provider_state) == (SUCCEEDED, told.model, "running")
    assert ["stays as it was" in each.message for each in later.events] == [True]
    assert world.poll(handle, later.cursor).events == ()


def test_without_a_model_it_is_not_done(world):
    handle = world.start()
    world.goes_wrong("alter", on=GET, times=None, value={"fine_tuned_model": None})
    told = world.until(handle, FINALIZING)
    assert told.model is None
    world.stand_in.faults.clear()
    assert world.poll(handle, told.cursor).state is SUCCEEDED


def test_a_model_that_does_not_answer_is_not_done(world):
    handle = world.start()
    world.goes_wrong("answer", on="POST /chat/completions", status=404, code="model_not_found")
    told = world.until(handle, FINALIZING)
    assert world.poll(handle, told.cursor).state is SUCCEEDED


def test_the_probe_is_paid_once(world):
    handle = world.start()
    told = world.until(handle, SUCCEEDED)
    for _ in range(3):
        told = world.poll(handle, told.cursor)
    assert world.stand_in.asked.count("POST /chat/completions") == 1


@pytest.mark.parametrize("fault", [
    {"kind": "alter", "on": GET, "value": {"result_files": []}},
    {"kind": "answer", "on": "GET /files/{file}/content", "status": 404},
], ids=str)  # fmt: skip
def test_a_results_file_is_waited_for_and_not_for_ever(world, fault):
    handle = world.start()
    world.goes_wrong(**fault | {"times": None})
    told = world.until(handle, FINALIZING)
    states = [told.state]
    while states[-1] is FINALIZING:
        told = world.poll(handle, told.cursor)
        states.append(told.state)
    assert states == [FINALIZING] * 3 + [SUCCEEDED]


def test_what_events_did_not_tell_comes_from_the_results_file(world):
    handle = world.start()
    world.goes_wrong(
        "alter", on="GET /fine_tuning/jobs/{job}/events", times=None, value={"type": "message", "data": None}
    )
    told = world.until(handle, SUCCEEDED)
    assert steps(told.events) == [1, 2, 3]
    assert {each.message for each in told.events if each.metrics} >= {"step 1, from the results file"}
    assert world.poll(handle, told.cursor).events == ()


@pytest.mark.parametrize("kind", ["events_doubled", "events_late"])
def test_events_that_come_twice_or_late_are_told_once(world, kind):
    handle = world.start()
    world.goes_wrong(kind, seconds=2.5)
    events, cursor, told = [], "", None
    for _ in range(60):
        told = world.poll(handle, cursor)
        events += told.events
        cursor, world.now = told.cursor, world.now + 1
    with world.stand_in.ledger.reading():
        every = world.stand_in.provider.events(handle.reference, {"limit": "100"})["data"]
    assert sorted(each.id for each in events if ":results:" not in each.id) == sorted({each["id"] for each in every})


def test_pages_of_events_have_no_gap_and_no_double(world):
    spec = world.spec(rows=200, hyperparameters=world.spec().hyperparameters.model_copy(update={"batch_size": 1}))
    handle = world.start(spec)
    trainer = world.stand_in.provider.trainer
    object.__setattr__(trainer, "steps_max", 230)
    events, cursor = [], ""
    for _ in range(20):
        told = world.poll(handle, cursor)
        events += told.events
        cursor, world.now = told.cursor, world.now + 37
    assert steps(events) == list(range(1, 201))
    assert len({each.id for each in events}) == len(events)
    assert events == sorted(events, key=lambda each: (each.at, each.id))


def test_cancelled_in_the_providers_console_it_is_cancelled_here(world):
    handle = world.start()
    told = world.until(handle, RunState.RUNNING)
    world.stand_in.provider.cancel(handle.reference)
    assert world.poll(handle, told.cursor).state is RunState.CANCELLED
    assert len(world.jobs()) == 1


@pytest.mark.parametrize(("rows", "bad", "code", "said"), [
    (12, (4, 9), "moderation_failed", "look at lines 4, 9 of the file that was sent"),
    (3, (), "invalid_n_examples", ""),
])  # fmt: skip
def test_a_failure_keeps_its_code_and_names_the_users_rows(world, rows, bad, code, said):
    # The profile of a server that nobody knows leaves it to the server how many rows are enough.
    handle = world.start(world.spec(rows=rows, bad=bad), backend=world.backend(profile="generic"))
    told = world.until(handle, RunState.FAILED)
    assert (told.failure.code, told.failure.param, told.failure.remedy) == (code, "training_file", said)


def test_a_failure_without_a_reason_says_what_its_events_complained_of(world):
    handle = world.start(world.spec(bad=(2,)))
    world.goes_wrong("alter", on=GET, times=None, value={"error": None})
    told = world.until(handle, RunState.FAILED)
    assert (told.failure.code, told.failure.remedy) == ("provider_error", "look at line 2 of the file that was sent")


def test_a_job_that_is_gone_is_lost_and_nothing_is_sent_again(world):
    handle = world.start()
    world.goes_wrong("answer", on=GET, status=404, code="fine_tune_not_found")
    with pytest.raises(RunLost):
        world.poll(handle)
    assert world.posts() == 1


def test_a_404_of_something_that_is_not_the_provider_is_unknown(world):
    handle = world.start()
    world.goes_wrong("answer", on=GET, status=404, text="<html>no such host</html>")
    assert world.poll(handle).state is UNKNOWN


@pytest.mark.parametrize("reference", ["", "../files", "ftjob-1?x=1", "a" * 300])
def test_what_is_no_name_of_a_job_asks_nobody(world, reference):
    with pytest.raises(RunLost):
        world.poll(world.handle(reference))
    assert world.stand_in.asked == []


def test_set_aside_it_stands_still_and_goes_on(world):
    backend, handle = world.backend(), world.start()
    world.until(handle, RunState.RUNNING)
    backend.pause(handle)
    world.now += 1000
    assert world.poll(handle).state is RunState.PAUSED
    backend.pause(handle)
    backend.resume(handle)
    assert world.poll(handle).state is RunState.RUNNING
    assert world.until(handle, SUCCEEDED)
    backend.pause(handle)
