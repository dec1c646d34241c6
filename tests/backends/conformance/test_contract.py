"""The contract, tried on every backend in a world of its own."""

from datetime import UTC, date, datetime

import pytest

from backends.errors import DataAltered, RunLost, SpecRefused
from backends.events import ENDED, EventKind, RunState
from backends.memory import FileMemory
from backends.protocol import Handle, Pausable
from backends.spec import Hyperparameters, Method

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
POLLS = 3_000


@pytest.fixture
def memory(tmp_path):
    return FileMemory(path=tmp_path / "memory.json")


def finish(case, handle, *, until=ENDED):
    """Polls to its end, each time with a new instance, as if every process died after one look."""
    events, cursor = [], ""
    for _ in range(POLLS):
        told = case.backend().poll(handle, cursor=cursor)
        events += told.events
        cursor = told.cursor
        if told.state in until:
            return told, events
        case.let_time_pass()
    pytest.fail(f"it does not end; last: {told}")


def test_a_run_succeeds_and_its_model_answers(case, memory):
    backend, spec = case.backend(), case.spec("run_1")
    assert [each for each in backend.problems(spec, today=NOW.date()) if each.severity == "error"] == []
    handle = backend.start(spec, memory, now=NOW)
    told, _ = finish(case, handle)
    assert (told.state, told.failure) == (RunState.SUCCEEDED, None)
    predictor = case.backend().predictor(told.model)
    answers = predictor.predict_many([[{"role": "user", "content": "which queue takes ticket 1?"}]] * 2, max_tokens=4)
    predictor.close()
    assert [type(each.text) for each in answers] == [str, str]
    assert answers[0].text == answers[1].text


def test_events_come_once_in_order_and_tell_a_curve(case, memory):
    handle = case.backend().start(case.spec("run_1"), memory, now=NOW)
    told, events = finish(case, handle)
    assert len({each.id for each in events}) == len(events)
    steps = [each.metrics.step for each in events if each.kind is EventKind.METRICS]
    assert steps == sorted(steps)
    assert steps
    again = case.backend().poll(handle, cursor="")
    assert [each.id for each in again.events] == [each.id for each in events]
    assert case.backend().poll(handle, cursor=told.cursor).events == ()


def test_what_it_cost_is_reported(case, memory):
    handle = case.backend().start(case.spec("run_1"), memory, now=NOW)
    told, _ = finish(case, handle)
    usage = told.usage
    assert usage.billed_tokens or usage.seconds or usage.cost, "nothing a price could be put on"


def test_started_again_it_is_the_same_job(case, memory):
    spec = case.spec("run_1")
    handle = case.backend().start(spec, memory, now=NOW)
    assert case.backend().start(spec, memory, now=NOW) == handle
    assert case.begun() == 1


def test_started_again_by_somebody_who_forgot_it_is_the_same_job(case, memory, tmp_path):
    spec = case.spec("run_1")
    handle = case.backend().start(spec, memory, now=NOW)
    forgotten = FileMemory(path=tmp_path / "forgotten.json")
    assert case.backend().start(spec, forgotten, now=NOW) == handle
    assert case.begun() == 1


def test_two_runs_are_two_jobs(case, memory, tmp_path):
    first = case.backend().start(case.spec("run_1"), memory, now=NOW)
    second = case.backend().start(case.spec("run_2"), FileMemory(path=tmp_path / "second.json"), now=NOW)
    assert first != second
    for handle in (first, second):
        case.backend().cancel(handle)
        finish(case, handle)


def test_cancelled_it_ends_and_cancelling_again_is_no_error(case, memory):
    handle = case.backend().start(case.spec("run_1"), memory, now=NOW)
    case.backend().cancel(handle)
    told, _ = finish(case, handle)
    assert told.state is RunState.CANCELLED
    case.backend().cancel(handle)
    assert case.backend().poll(handle).state is RunState.CANCELLED


def test_an_end_is_final(case, memory):
    handle = case.backend().start(case.spec("run_1"), memory, now=NOW)
    told, _ = finish(case, handle)
    case.backend().cancel(handle)
    assert case.backend().poll(handle, cursor=told.cursor).state is told.state


def test_cut_off_it_is_unknown_and_afterwards_as_it_was(case, memory):
    handle = case.backend().start(case.spec("run_1"), memory, now=NOW)
    cut = case.cut_off()
    if cut is None:
        pytest.skip("nothing lies between us and the work")
    with cut:
        told = case.backend().poll(handle, cursor="")
        assert (told.state, told.cursor, told.events) == (RunState.UNKNOWN, "", ())
    assert finish(case, handle)[0].state is RunState.SUCCEEDED


def test_a_handle_that_nobody_knows_is_lost(case):
    backend = case.backend()
    with pytest.raises(RunLost):
        backend.poll(Handle(backend=backend.name, reference="no-such-job"))


def test_an_altered_file_is_refused_and_nothing_begins(case, memory):
    spec = case.spec("run_1")
    spec.train.path.write_text(spec.train.path.read_text("utf-8").replace("Q1", "Q2", 1), "utf-8")
    with pytest.raises(DataAltered):
        case.backend().start(spec, memory, now=NOW)
    assert case.begun() == 0


def test_what_it_does_not_offer_is_refused_by_name_and_nothing_begins(case, memory):
    backend, spec = case.backend(), case.spec("run_1")
    missing = sorted(set(Hyperparameters.model_fields) - backend.capabilities.hyperparameters)
    values = {"learning_rate_multiplier": 1.0, "beta": 0.1, "epochs": 1, "rank": 8, "targets": ("q_proj",)}
    wrong = next(name for name in missing if name in values)
    method = next((each for each in Method if each not in backend.capabilities.methods), spec.method)
    spec = spec.model_copy(update={
        "method": method, "hyperparameters": spec.hyperparameters.model_copy(update={wrong: values[wrong]}),
    })  # fmt: skip
    found = {each.where for each in backend.problems(spec, today=date(2026, 11, 1)) if each.severity == "error"}
    assert {f"hyperparameters.{wrong}"} | ({"method"} if method not in backend.capabilities.methods else set()) <= found
    with pytest.raises(SpecRefused):
        backend.start(spec, memory, now=NOW)
    assert case.begun() == 0


def test_one_that_can_pause_goes_on_where_it_was(case, memory):
    backend = case.backend()
    if not backend.capabilities.pausable:
        assert not isinstance(backend, Pausable)
        pytest.skip("it offers no pause")
    handle = backend.start(case.spec("run_1"), memory, now=NOW)
    backend.pause(handle)
    told, before = finish(case, handle, until=ENDED | {RunState.PAUSED})
    if told.state is RunState.PAUSED:
        case.backend().resume(handle)
    told, events = finish(case, handle)
    assert told.state is RunState.SUCCEEDED
    steps = [each.metrics.step for each in events if each.kind is EventKind.METRICS]
    assert len(steps) == len(set(steps))
    assert [each.id for each in events][: len(before)] == [each.id for each in before]
