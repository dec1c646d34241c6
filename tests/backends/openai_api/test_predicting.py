"""Answers, sunsets, and the sweep."""

import json

import pytest

from backends.errors import AnswerInvalid, NotOffered, ProviderRefused, Unreachable
from backends.events import RunState
from backends.memory import FileMemory
from backends.openai_api.backend import make
from backends.openai_api.sweeping import StrayKind

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

ASKED = [[{"role": "user", "content": f"which queue takes ticket {n}?"}] for n in range(1, 9)]
CHAT = "POST /chat/completions"


@pytest.fixture
def predictor(world):
    handle = world.start()
    told = world.until(handle, RunState.SUCCEEDED)
    opened = world.backend().predictor(told.model)
    world.stand_in.asked.clear()
    yield opened
    opened.close()


def test_many_are_answered_in_their_order(predictor):
    answers = predictor.predict_many(ASKED, max_tokens=5)
    assert [each.text for each in answers] == [f"Q{n % 3}" for n in range(1, 9)]
    assert {each.finished for each in answers} == {True}
    assert answers[0].completion_tokens == 1


def test_an_answer_that_was_cut_says_so(world, predictor):
    value = {"choices": [{"message": {"role": "assistant", "content": "so mu"}, "finish_reason": "length"}]}
    world.goes_wrong("alter", on=CHAT, value=value)
    assert predictor.predict_many(ASKED[:1], max_tokens=5)[0].finished is False


def test_what_a_model_calls_is_its_answer(world, predictor):
    call = {"id": "c1", "type": "function", "function": {"name": "reorder", "arguments": '{"qty": 3}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    world.goes_wrong("alter", on=CHAT, value={"choices": [{"message": message, "finish_reason": "tool_calls"}]})
    text = predictor.predict_many(ASKED[:1], max_tokens=5)[0].text
    assert json.loads(text)["tool_calls"] == [{"name": "reorder", "arguments": '{"qty": 3}'}]


def test_haste_waits_and_asks_again(world, predictor):
    world.goes_wrong("answer", on=CHAT, status=429, retry_after="0")
    assert predictor.predict_many(ASKED[:1], max_tokens=5)[0].text == "Q1"
    assert world.stand_in.asked.count(CHAT) == 2


@pytest.mark.parametrize(("fault", "error"), [
    ({"kind": "drop_reply"}, Unreachable),
    ({"kind": "answer", "status": 500, "done": True}, Unreachable),
    ({"kind": "answer", "status": 429, "retry_after": "300"}, Unreachable),
    ({"kind": "answer", "status": 429, "code": "insufficient_quota"}, ProviderRefused),
    ({"kind": "answer", "status": 404, "code": "model_not_found"}, ProviderRefused),
    ({"kind": "body", "text": "<html>"}, AnswerInvalid),
    ({"kind": "body", "text": '{"id": 7}'}, AnswerInvalid),
    ({"kind": "alter", "value": {"choices": [{"message": {"content": "cut"}, "finish_reason": None}]}}, AnswerInvalid),
], ids=str)  # fmt: skip
def test_what_may_have_been_paid_is_not_asked_again(world, predictor, fault, error):
    world.goes_wrong(**fault, on=CHAT)
    with pytest.raises(error):
        predictor.predict_many(ASKED[:1], max_tokens=5)
    assert world.stand_in.asked.count(CHAT) == 1


def test_the_days_on_which_models_end_are_known_and_a_gone_model_is_left_out(world):
    models = ["gpt-4o-mini-2024-07-18", "large-1", "gone-1"]
    dates = world.backend().shutdown_dates(models)
    assert {name: day and day.isoformat() for name, day in dates.items()} == {
        "gpt-4o-mini-2024-07-18": "2027-01-14", "large-1": None,
    }  # fmt: skip


@pytest.mark.parametrize("value", [{"id": "another"}, {"shutdown_date": "2027-02-31"}, {"shutdown_date": "soon"}])
def test_a_day_that_is_none_is_not_believed(world, value):
    world.goes_wrong("alter", on="GET /models/{model}", value=value)
    with pytest.raises(AnswerInvalid):
        world.backend().shutdown_dates(["large-1"])


def test_the_models_of_the_account_are_listed(world):
    assert set(world.backend().models()) >= {"large-1", "gpt-4o-mini-2024-07-18"}


def test_the_sweep_cancels_second_jobs_and_jobs_without_a_run_and_nobody_elses(world):
    ours = world.start(world.spec("run_1"))
    request = world.jobs()[0].request
    second = world.stand_in.provider.create(request, retry_count=0)["id"]
    world.start(world.spec("forgotten"), memory=world.memory("forgotten"))
    theirs = world.backend(installation="another").start(
        world.spec("run_9"), FileMemory(path=world.folder / "theirs.json"), now=world.moment()
    )
    stranger = world.stand_in.provider.create({**request, "metadata": {"run": "run_7"}}, retry_count=0)["id"]
    found = world.backend().sweep({"run_1": ours.reference})
    forgotten = next(each.id for each in world.jobs() if each.request["metadata"]["run"] == "forgotten")
    assert {(each.job, each.kind) for each in found} == {
        (second, StrayKind.SECOND_JOB), (forgotten, StrayKind.UNKNOWN_RUN),
    }  # fmt: skip
    ended = {each.id for each in world.jobs() if each.ended == "cancelled"}
    assert ended == {second, forgotten}
    assert {ours.reference, theirs.reference, stranger} & ended == set()
    assert world.backend().sweep({"run_1": ours.reference}) == ()


def test_of_two_jobs_the_one_that_the_run_points_to_is_kept(world):
    world.start()
    second = world.stand_in.provider.create(world.jobs()[0].request, retry_count=0)["id"]
    world.backend().sweep({"run_1": second})
    assert [each.id for each in world.jobs() if each.ended is None] == [second]


def test_where_jobs_do_not_say_whose_they_are_there_is_no_sweep():
    with pytest.raises(NotOffered):
        make("mistral", {"profile": "mistral"}).sweep({})


def test_cancelling_what_just_ended_is_no_error_and_a_refusal_of_the_living_is(world):
    handle = world.start()
    world.goes_wrong("answer", on="POST /fine_tuning/jobs/{job}/cancel", status=400, code="no")
    with pytest.raises(ProviderRefused):
        world.backend().cancel(handle)
    world.goes_wrong("answer", on="POST /fine_tuning/jobs/{job}/cancel", status=400, done=True)
    world.backend().cancel(handle)
    assert world.poll(handle).state is RunState.CANCELLED
