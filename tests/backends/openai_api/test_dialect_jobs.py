"""Whole jobs with Together and Mistral, whose paths and fields are their own, over a stand-in that speaks them."""

import json
from contextlib import ExitStack

import pytest

from backends.events import EventKind, RunState
from backends.spec import DataFile, Hyperparameters, Method
from backends.stand_in.serving import serving

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

CREATE = {"together": "POST /fine-tunes", "mistral": "POST /fine_tuning/jobs"}
KNOBS = {
    "together": Hyperparameters(epochs=2, batch_size=4, learning_rate=1e-4, rank=8),
    "mistral": Hyperparameters(epochs=2, learning_rate=1e-4),
}
FORMS = {"together": "together_chat", "mistral": "mistral"}
QUESTION = [{"role": "user", "content": "which queue takes ticket 1?"}]


@pytest.fixture(params=sorted(CREATE))
def spoken(request, world, tmp_path):
    """The world's provider speaks this dialect, and its product too."""
    dialect = request.param
    with ExitStack() as stack:
        world.stand_in = stack.enter_context(serving(tmp_path / dialect, clock=world, dialect=dialect))
        backend = world.backend
        world.backend = lambda **settings: backend(profile=dialect, **settings)
        yield dialect


def the_spec(world, dialect, run_id="run_1", **fields):
    path = world.folder / "validation.jsonl"
    rows = ({"messages": [*QUESTION, {"role": "assistant", "content": f"Q{n}"}]} for n in range(4))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    spec = world.spec(run_id, hyperparameters=KNOBS[dialect], suffix="triage", seed=0, **fields)
    form = FORMS[dialect]
    return spec.model_copy(update={
        "train": spec.train.model_copy(update={"format": form}), "validation": DataFile.of(path, format=form),
    })  # fmt: skip


def test_a_job_goes_from_its_files_to_its_models_answer(world, spoken):
    handle = world.start(the_spec(world, spoken))
    seen, cursor, events = [], "", []
    while not seen or seen[-1] is not RunState.SUCCEEDED:
        told = world.poll(handle, cursor)
        seen, cursor, events = [*seen, told.state], told.cursor, [*events, *told.events]
        world.now += 2
        assert len(seen) < 100, seen
    assert RunState.RUNNING in seen
    assert told.usage.billed_tokens > 0
    assert len({each.id for each in events}) == len(events)
    if spoken == "mistral":
        assert [each.metrics.step for each in events if each.kind is EventKind.METRICS] == [
            each.step for each in told.checkpoints
        ]
        assert told.checkpoints[-1].metrics.full_valid_loss > 0
    (job,) = world.jobs()
    sent = job.request["method"]["supervised"]["hyperparameters"]
    assert (sent["n_epochs"], sent["learning_rate_multiplier"], job.request["suffix"]) == (2, 0.5, "triage")
    predictor = world.backend().predictor(told.model)
    assert predictor.predict_many([QUESTION], max_tokens=5)[0].text == "Q1"
    predictor.close()


def test_an_answer_that_was_lost_is_found_by_the_name_of_the_file(world, spoken):
    world.goes_wrong("drop_reply", on=CREATE[spoken])
    world.goes_wrong("hide_jobs", seconds=40)
    handle, states = world.start_until_settled(the_spec(world, spoken))
    assert set(states) == {"outcome_unknown"}
    assert [each.id for each in world.jobs()] == [handle.reference]
    assert world.stand_in.asked.count(CREATE[spoken]) == 1
    other = world.start(the_spec(world, spoken, "run_2"), memory=world.memory("other"))
    assert other != handle
    assert len(world.jobs()) == 2


def test_a_job_is_cancelled(world, spoken):
    handle = world.start(the_spec(world, spoken))
    world.backend().cancel(handle)
    assert world.poll(handle).state is RunState.CANCELLED


def test_what_it_finds_wrong_in_the_file_is_why_the_job_failed(world, spoken):
    handle = world.start(the_spec(world, spoken, bad=(4,)))
    told = world.until(handle, RunState.FAILED)
    assert "Flagged lines: 4" in told.failure.message
    assert told.failure.remedy == "look at line 4 of the file that was sent"


def test_a_file_beyond_the_first_hundred_is_found_again(world, spoken):
    world.start(the_spec(world, spoken))
    for number in range(120):
        world.stand_in.provider.upload(f"other-{number}.jsonl", "fine-tune", b"{}")
        world.now += 1
    before = len(world.files())
    world.start(the_spec(world, spoken), memory=world.memory("forgotten"))
    assert (len(world.files()), len(world.jobs())) == (before, 1)


def test_a_preference_job_of_together_keeps_its_beta(world, tmp_path):
    with serving(tmp_path / "together", clock=world, dialect="together") as world.stand_in:
        path = tmp_path / "pairs.jsonl"
        pair = {"input": {"messages": QUESTION}, "preferred_output": [{"role": "assistant", "content": "Q1"}],
                "non_preferred_output": [{"role": "assistant", "content": "Q2"}]}  # fmt: skip
        path.write_text(f"{json.dumps(pair)}\n" * 12, "utf-8")
        spec = world.spec(
            method=Method.DPO, train=DataFile.of(path, format="together_dpo"), seed=0,
            hyperparameters=Hyperparameters(beta=0.2),
        )  # fmt: skip
        handle = world.start(spec, backend=world.backend(profile="together"))
        assert world.jobs()[0].request["method"]["dpo"]["hyperparameters"]["beta"] == 0.2
        told = world.backend(profile="together").poll(handle)
        assert told.state is RunState.VALIDATING


@pytest.mark.parametrize("dialect", ["deepseek", "together"])
def test_a_dialect_that_is_not_spoken_and_a_specification_of_another_are_refused(tmp_path, dialect):
    with (
        pytest.raises(ValueError, match="use openai"),
        serving(tmp_path, dialect=dialect, specification=tmp_path / "openai.yaml"),
    ):
        pytest.fail("it is served")
