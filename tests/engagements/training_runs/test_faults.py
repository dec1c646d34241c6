"""What goes wrong on the way: nothing is lost, nothing is doubled, and a person reads what it was."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from backends.errors import (
    AnswerInvalid,
    OutcomeUnknown,
    ProviderClosed,
    ProviderRefused,
    RunLost,
    Unreachable,
)
from backends.events import Poll, RunState
from backends.fake import FakeBackend
from backends.protocol import Handle
from engagements.actuals.models import CostEntry
from engagements.core.models import AuditEvent
from engagements.phases.training.models import (
    ModelVersion,
    RunEvent,
    TrainingProgress,
    TrainingRun,
    TrainingState,
)
from engagements.phases.training.supervising.dispatching import dispatch
from engagements.phases.training.supervising.holding import LEASE, LeaseLost, claim_next

on_both = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)


def begun(bench) -> int:
    """How many jobs there are on the other side."""
    return len(list((bench.world / "fake").glob("*.json")))


def only(bench, experiment) -> dict:
    return bench.runs(experiment)[0]


@on_both
def test_a_start_whose_outcome_is_unknown_is_said_as_that_and_found_again(bench, scripted):
    backend = scripted(starts=[OutcomeUnknown("the answer was lost", retry_in_s=15)] * 2)
    experiment = bench.begin()
    bench.supervisor.do_due()
    run = only(bench, experiment)
    assert (run["state"], run["said"], begun(bench)) == ("submit_unknown", "the answer was lost", 0)
    assert bench.supervisor.do_due() == 0
    assert bench.finish(experiment)["state"] == "done"
    assert (begun(bench), backend.asked.count("start")) == (1, 3)


@on_both
def test_a_run_is_taken_up_by_another_process_at_any_step(bench):
    """After every single step everything in memory is gone."""
    experiment = bench.begin(design="three")
    for _ in range(400):
        process = bench.another_process()
        hold = claim_next(process.parts.store, process.parts.clock)
        if hold is not None:
            dispatch(process.parts, hold)
            continue
        bench.another_process().conclude()
        if bench.experiment(experiment)["state"] == "done":
            break
        bench.house.clock.move(timedelta(seconds=5))
    ended = bench.experiment(experiment)
    assert [run["state"] for run in ended["runs"]] == ["succeeded"] * 3
    assert begun(bench) == 3
    assert len(bench.rows(RunEvent)) == 60
    assert len(bench.rows(CostEntry)) == len(bench.rows(ModelVersion)) == 3


def test_of_two_supervisors_one_takes_a_step_and_who_lost_the_lease_writes_nothing(bench):
    bench.begin()
    process = bench.another_process()
    slow = claim_next(bench.supervisor.parts.store, bench.house.clock)
    assert slow is not None
    assert claim_next(process.parts.store, bench.house.clock) is None
    bench.house.clock.move(LEASE + timedelta(seconds=1))
    assert process.do_due() > 0
    before = bench.rows(TrainingRun)
    with pytest.raises(LeaseLost), slow.write():
        pass
    dispatch(bench.supervisor.parts, slow)
    assert [row.model_dump() for row in bench.rows(TrainingRun)] == [row.model_dump() for row in before]
    assert begun(bench) == 1


@on_both
def test_a_backend_that_is_silent_is_left_alone_and_keeps_no_other_waiting(bench, scripted, fake):
    silent = scripted(polls=[Unreachable("no route")] * 12)
    bench.set_up({"fake": fake(), "other": fake()}, fake=silent)
    slow = bench.begin()
    quick = bench.begin(base={"backend": "other", "model": "tiny"})
    assert bench.finish(quick)["state"] == "done"
    run = only(bench, slow)
    assert (run["state"], run["failure"]) == ("queued", None)
    assert "no route" in run["said"] or "does not answer" in run["said"]
    asked = silent.asked.count("poll")
    bench.house.clock.move(timedelta(seconds=1))
    bench.supervisor.do_due()
    assert silent.asked.count("poll") == asked
    assert bench.finish(slow, moments=400)["state"] == "done"


@on_both
def test_who_asks_for_patience_gets_it(bench, scripted):
    backend = scripted(starts=[Unreachable("too many requests", retry_in_s=300)])
    experiment = bench.begin()
    bench.supervisor.do_due()
    for _ in range(14):
        bench.moment()
    assert backend.asked.count("start") == 1
    assert bench.finish(experiment)["state"] == "done"


@on_both
@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (ProviderClosed("no new jobs of this organisation"), "provider_closed"),
        (ProviderRefused("no money left", provider_code="insufficient_quota"), "insufficient_quota"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_provider_and_never_repeated(bench, scripted, refusal, code):
    backend = scripted(starts=[refusal])
    ended = bench.finish(bench.begin())
    run = only(bench, ended)
    assert (run["state"], run["failure"]["code"], backend.asked.count("start")) == ("failed", code, 1)
    assert (ended["state"], ended["chosen_run_id"]) == ("done", None)
    again = bench.lead.post(f"/api/v1/training-runs/{run['id']}/retry").json()
    assert (again["attempt"], again["retry_of"], again["state"]) == (2, run["id"], "waiting")
    assert bench.finish(ended)["chosen_run_id"] == again["id"]


@on_both
def test_a_run_that_fails_ends_with_its_code_and_its_cost(bench, fake):
    failing = FakeBackend(folder=bench.world / "fake", fails_at=2)
    bench.set_up({"fake": fake()}, fake=failing)
    run = only(bench, bench.finish(bench.begin()))
    assert (run["state"], run["failure"]["code"]) == ("failed", "out_of_memory")
    assert [entry.external_id for entry in bench.rows(CostEntry)] == [run["id"]]
    assert bench.rows(ModelVersion) == []
    requirements = bench.lead.get(f"{bench.home}/gates/training").json()["requirements"]
    assert {each["code"]: each["status"] for each in requirements}["checkpoint"] == "missing"


@on_both
def test_a_run_short_of_memory_names_the_largest_setting_that_fits_and_is_tried_again_with_it(bench, fake):
    failing = FakeBackend(folder=bench.world / "fake", fails_at=2)
    bench.set_up({"fake": fake(gpu="L4")}, fake=failing)
    base = {"backend": "fake", "model": "Llama-3-8B", "hyperparameters": {"epochs": 3, "micro_batch_size": 8}}
    ended = bench.finish(bench.begin(base=base))
    run = only(bench, ended)
    remedy = run["failure"]["remedy"]
    assert remedy.startswith("try again with a micro batch of ")
    assert " GiB" in remedy
    again = bench.lead.post(f"/api/v1/training-runs/{run['id']}/retry").json()
    before, after = (bench.row(each["id"]) for each in (run, again))
    knobs = after.spec["hyperparameters"]
    assert f"a micro batch of {knobs['micro_batch_size']}" in remedy
    assert knobs["micro_batch_size"] <= before.spec["hyperparameters"]["micro_batch_size"]
    assert (knobs["epochs"], after.spec["train"]) == (3, before.spec["train"])
    assert before.digest != after.digest


@on_both
def test_what_its_backend_forgot_waits_for_a_person(bench, scripted):
    scripted(polls=[RunLost("404")])
    experiment = bench.begin()
    bench.moment()
    run = only(bench, experiment)
    assert (run["state"], run["failure"]["code"]) == ("provider_lost", "run_lost")
    for _ in range(5):
        assert bench.moment() == 0
    resumed = bench.lead.post(f"/api/v1/training-runs/{run['id']}/resume")
    assert resumed.json()["state"] == "running"
    assert bench.finish(experiment)["state"] == "done"


@on_both
def test_what_is_lost_can_be_given_up(bench, scripted):
    scripted(polls=[RunLost("404")])
    experiment = bench.begin()
    bench.moment()
    run = only(bench, experiment)
    assert bench.lead.post(f"/api/v1/training-runs/{run['id']}/cancel").status_code == 200
    ended = bench.finish(experiment)
    assert (only(bench, ended)["state"], ended["chosen_run_id"]) == ("cancelled", None)


@on_both
def test_a_model_that_never_appears_is_no_candidate(bench, scripted):
    backend = scripted()
    backend.told = lambda poll: replace(poll, model=None, checkpoints=())
    experiment = bench.begin()
    for _ in range(6):
        bench.moment()
    assert only(bench, experiment)["state"] == "finalizing"
    run = only(bench, bench.finish(experiment))
    assert (run["state"], run["failure"]["code"]) == ("failed", "artifact_missing")
    assert bench.rows(ModelVersion) == []


@on_both
def test_a_model_that_does_not_answer_yet_is_asked_again(bench, scripted):
    backend = scripted(answers=[ProviderRefused("model not found", provider_code="model_not_found")] * 2)
    run = only(bench, bench.finish(bench.begin()))
    assert run["state"] == "succeeded"
    assert backend.asked.count("predictor") > 3


@on_both
def test_a_checkpoint_that_cannot_be_measured_has_no_score_and_no_chance(bench, scripted):
    """The model answers once, to be a candidate at all; then one checkpoint never does."""
    backend = scripted()
    inner = backend.inner.predictor

    def predictor(model):
        if model.endswith("@5"):
            raise ProviderRefused("gone", provider_code="model_not_found")
        return inner(model)

    backend.predictor = predictor
    run = only(bench, bench.finish(bench.begin()))
    by_step = {each["step"]: each for each in run["checkpoints"]}
    assert (by_step[5]["score"], by_step[5]["failure"]) == (None, "gone")
    assert by_step[20]["score"] is not None
    assert [each["code"] for each in run["incidents"]] == ["not_scored"]
    assert run["state"] == "succeeded"


@on_both
def test_an_end_is_final_whatever_is_said_afterwards(bench, scripted):
    backend = scripted(answers=[ProviderRefused("not yet")])
    states = iter([])

    def told(poll):
        if poll.state is RunState.SUCCEEDED:
            return replace(poll, model=next(states, poll.model))
        return poll

    backend.told = told
    experiment = bench.begin()
    while only(bench, experiment)["state"] != "finalizing":
        bench.moment()
    row = bench.row(only(bench, experiment)["id"])
    backend.polls = [Poll(state=RunState.RUNNING, cursor="")]
    with bench.house.wiring.store.write() as session:
        session.get_one(TrainingProgress, row.id).result = ""
    bench.moment()
    run = only(bench, experiment)
    assert (run["state"], [each["code"] for each in run["incidents"]]) == ("finalizing", ["state_went_back"])
    assert bench.finish(experiment)["state"] == "done"


@on_both
def test_an_answer_that_its_specification_does_not_allow_changes_nothing(bench, scripted):
    scripted(polls=[AnswerInvalid("an id that is a number")])
    experiment = bench.begin()
    bench.moment()
    run = only(bench, experiment)
    assert (run["state"], [each["code"] for each in run["incidents"]]) == ("queued", ["answer_invalid"])
    assert bench.finish(experiment)["state"] == "done"


@on_both
def test_what_is_cancelled_on_the_other_side_is_followed_and_not_sent_again(bench, scripted):
    backend = scripted()
    experiment = bench.begin()
    bench.moment()
    bench.moment()
    row = bench.row(only(bench, experiment)["id"])
    backend.inner.cancel(Handle(backend=row.backend, reference=row.reference))
    run = only(bench, bench.finish(experiment))
    assert (run["state"], run["stopped_because"]) == ("cancelled", "cancelled at fake")
    assert backend.asked.count("start") == 1
    with bench.house.wiring.store.read() as session:
        event = session.exec(
            select(AuditEvent).where(AuditEvent.entity_id == row.id, AuditEvent.action == "training_run.cancelled")
        ).one()
        assert event.actor_name == "fake"


@on_both
def test_a_fault_of_ours_is_tried_again_and_at_last_left_to_a_person(bench, scripted):
    scripted(polls=[ZeroDivisionError("ours")] * 50)
    experiment = bench.begin()
    for _ in range(12):
        bench.house.clock.move(timedelta(hours=2))
        bench.supervisor.do_due()
    run = only(bench, experiment)
    assert (run["state"], run["failure"]["code"]) == (TrainingState.PROVIDER_LOST, "internal_error")
