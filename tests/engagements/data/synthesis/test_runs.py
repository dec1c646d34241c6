"""Runs over a real socket: what is asked, kept, left out, spent; and every way in which the other side can fail."""

import json
import os
import subprocess
import sys
from threading import Thread
from time import sleep

import pytest

from engagements.actuals.models import CostEntry
from engagements.core import audit
from engagements.core.roles import system_actor
from engagements.phases.data_preparation.jobs.context import LEASE
from engagements.phases.data_preparation.models import DataJob, DataSource, Example, ExampleState, JobState
from engagements.phases.data_preparation.records import Provenance
from engagements.phases.data_preparation.synthesis.models import CallState, SynthesisCall

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BILLING = ["Where is the invoice for my garage?", "You have taken the money twice this month, give it back please"]
MOVING = ["We move to Bergen on the first of May, what do I do?"]


def price(run, tokens_in, tokens_out):
    """In cents, at 2 and 8 euros a million."""
    return (2 * tokens_in + 8 * tokens_out) / 10_000


@pytest.mark.shared_data
def test_a_run_fills_the_gaps_with_examples_that_wait_for_review(strict, connect):
    bench = connect(strict)
    bench.fill("billing", BILLING, group="customer-7", answer='{"class": "billing"}')
    bench.fill("moving", MOVING)

    run = bench.run()

    assert strict.refused == []
    assert (run["state"], run["error"], run["generated"], run["kept"], run["unjudged"]) == ("done", "", 9, 9, 0), run
    source, made = generated(bench)
    assert (source.generator, source.licence, source.rows_in, source.kept) == ("large-1", "own work", 9, 9)
    assert {each.state for each in made} == {ExampleState.PENDING}
    assert sorted(each.label for each in made) == ["billing"] * 4 + ["moving"] * 5
    assert {each.group_key for each in made if each.label == "billing"} == {"customer-7"}
    record = json.loads(next(each.payload for each in made if each.label == "billing"))
    pool = {json.loads(each.payload)["id"] for each in bench.rows(Example) if each.source_id != source.id}
    assert record["messages"][-1]["content"] == '{"class": "billing"}'
    assert record["origin"]["seed"] in pool
    assert record["origin"]["kind"] == "synthetic"
    assert record["meta"]["judge"] == {"score": 4, "reason": "usable"}
    assert b"".join(bench.house.wiring.storage.read(source.sha256)).count(b"\n") == 9
    assert strict.asked[0].headers["authorization"] == "Bearer sk-of-the-test"
    assert {call.content for call in bench.rows(SynthesisCall)} == {""}


@SQLITE
@pytest.mark.shared_data
def test_a_server_that_holds_answers_to_a_schema_is_sent_one(strict, connect):
    bench = connect(strict, json_schema=True)
    bench.fill("billing", BILLING)
    run = bench.run()
    assert (strict.refused, run["state"], run["kept"]) == ([], "done", 4)
    written, judged = (next(each.body for each in strict.asked if each.is_judging is kind) for kind in (False, True))
    shape = written["response_format"]["json_schema"]["schema"]["properties"]["examples"]
    assert (shape["minItems"], shape["items"]["properties"]["output"]["enum"]) == (2, ["billing"])
    assert judged["response_format"]["json_schema"]["schema"]["required"] == ["score", "reason"]


@SQLITE
def test_what_was_spent_is_one_cost_exact_and_rounded_once(stand_in, connect):
    bench = connect(stand_in)
    bench.fill("billing", BILLING)

    run = bench.run()

    (cost,) = bench.rows(CostEntry)
    spent = round(price(run, run["input_tokens"], run["output_tokens"]) + 1e-9)
    assert (cost.amount_minor, cost.quantity, cost.external_id) == (spent, str(stand_in.billed_tokens), run["id"])
    assert (run["spent_minor"], run["cost_id"], run["input_tokens"] + run["output_tokens"]) == (
        spent, cost.id, stand_in.billed_tokens,
    )  # fmt: skip
    assert (cost.phase.value, cost.kind.value, cost.price["as_of"]) == ("data_preparation", "api_usage", "2026-11-01")


@SQLITE
def test_the_same_job_done_again_changes_nothing(stand_in, connect):
    bench = connect(stand_in)
    bench.fill("billing", BILLING)
    run = bench.run()
    before = bench.rows(Example), bench.rows(CostEntry), len(stand_in.asked)

    requeue(bench)
    bench.house.wiring.workshop.do_due()

    assert (len(bench.rows(Example)), bench.rows(CostEntry), len(stand_in.asked)) == (len(before[0]), *before[1:])
    assert bench.read(run) == run


@SQLITE
def test_a_worker_that_died_loses_no_answer_and_counts_what_it_had_out(stand_in, connect):
    bench = connect(stand_in)
    bench.fill("billing", BILLING)
    planned = bench.plan(concurrency=1, score_min=0)
    bench.start(planned)
    killed_at_request(bench, stand_in, 2)
    assert [call.state for call in bench.rows(SynthesisCall)] == [CallState.ANSWERED, CallState.SENT]

    bench.house.clock.move(LEASE * 2)
    bench.house.wiring.workshop.do_due()

    run = bench.read(planned)
    first, again = stand_in.asked[0].body, [asked.body for asked in stand_in.asked[1:]]
    assert (run["state"], run["generated"], run["kept"]) == ("done", 4, 4)
    assert first not in again
    assert [(call.number, call.attempt, call.state.value) for call in bench.rows(SynthesisCall)] == [
        (1, 1, "answered"), (2, 1, "lost"), (2, 2, "answered"),
    ]  # fmt: skip
    assert run["lost_tokens"] == sum(
        c.most_input + c.most_output for c in bench.rows(SynthesisCall) if c.attempt == 1 and c.number == 2
    )
    assert "not contained" in bench.rows(CostEntry)[0].note


@SQLITE
def test_the_cap_stops_a_run_before_it_is_passed_and_leaves_room_to_judge(stand_in, connect):
    bench = connect(stand_in)
    bench.fill("billing", BILLING)
    bench.fill("moving", MOVING)

    run = bench.run(cap_minor=..., cap_tokens=40_000, price=..., target=60, per_gap_max=60, output_tokens_max=500)

    assert (run["state"], run["unjudged"], run["spent_minor"]) == ("stopped", 0, None)
    assert "cap" in run["error"]
    assert 0 < run["kept"] == run["generated"] < run["examples_wanted"]
    assert run["input_tokens"] + run["output_tokens"] == stand_in.billed_tokens <= 40_000
    (cost,) = bench.rows(CostEntry)
    assert cost.amount_minor is None


@SQLITE
def test_a_cap_below_the_first_request_sends_nothing_and_costs_nothing(stand_in, connect):
    bench = connect(stand_in)
    bench.fill("billing", BILLING)
    run = bench.run(cap_minor=1, output_tokens_max=30_000)
    assert (run["state"], run["asked"], stand_in.asked, bench.rows(CostEntry)) == ("stopped", 0, [], [])


@SQLITE
def test_no_sealed_text_nor_a_near_copy_of_it_is_ever_sent(stand_in, connect):
    bench = connect(stand_in)
    sealed = bench.fill("billing", BILLING[:1])
    bench.fill("billing", ["where is the invoice for my garage??", "A quite different question about a bill"])
    bench.seal(sealed)

    run = bench.run()

    sent = "\n".join(asked.text for asked in stand_in.asked).lower()
    assert run["state"] == "done"
    assert "a quite different question" in sent
    assert "for my garage" not in sent


@SQLITE
def test_what_is_sealed_after_the_plan_is_not_sent_either(stand_in, connect):
    bench = connect(stand_in)
    ids = bench.fill("billing", BILLING)
    planned = bench.plan()
    bench.seal(ids)
    bench.start(planned)
    bench.house.wiring.workshop.do_due()
    run = bench.read(planned)
    assert (run["state"], run["asked"], stand_in.asked) == ("done", 0, [])
    assert "may not be shown" in run["error"]


@SQLITE
def test_copies_of_the_pool_of_each_other_and_of_the_test_split_are_left_out(stand_in, connect, monkeypatch):
    bench = connect(stand_in)
    (sealed,) = bench.fill("billing", ["My solar meter has shown nothing since the storm in autumn"])
    bench.fill("billing", BILLING)
    bench.seal([sealed])
    said = [
        "my solar meter has shown nothing since the storm in autumn!", BILLING[0],
        "Why was I charged for a second contract?", "why was I charged for a second contract",
        "Ein ganz neuer Satz über eine Rechnung aus dem Mai",
    ]  # fmt: skip
    monkeypatch.setattr(stand_in, "_examples", lambda *_: [{"input": text, "output": "billing"} for text in said])

    run = bench.run(target=8, per_request=5)

    assert run["dropped"] == {"near_duplicate": 1, "near_test": 1, "duplicate": 1}
    assert "near_test" not in run["samples"]
    assert (run["generated"], run["kept"]) == (5, 2)


def judging(provider, grades):
    """Right about every control of BILLING; the drafts get these grades, one after the other."""
    waiting = iter(grades)

    def grade(example):
        known = not example["output"] or example["input"] in BILLING
        return provider.grade_of(5 if example["output"] else 1) if known else next(waiting)

    return grade


@SQLITE
def test_a_low_grade_leaves_an_example_out_and_a_judge_that_fails_does_not(stand_in, provider, connect):
    bench = connect(stand_in)
    bench.fill("billing", BILLING)
    stand_in.grade = judging(provider, [provider.grade_of(1), "I like it", provider.grade_of(5), "{}"])

    run = bench.run(concurrency=1)

    assert (run["dropped"], run["kept"], run["unjudged"]) == ({"judged_low": 1}, 3, 2)
    _, made = generated(bench)
    assert sum("judge" in json.loads(each.payload)["meta"] for each in made) == 1


def test_a_judge_is_tested_among_what_it_judges_before_it_is_believed(stand_in, provider, connect):
    bench = connect(stand_in)
    bench.fill("billing", BILLING)
    stand_in.grade = judging(provider, [provider.grade_of(1)] * 4)

    run = bench.run()

    check = run["judge_check"]
    assert check["kinds"] == {"good": {"cases": 2, "right": 2}, "empty": {"cases": 2, "right": 2}}
    assert (check["cases"], check["right"], check["chance"], check["relied_on"]) == (4, 4, 0.5, True)
    assert (round(check["low"], 3), check["high"]) == (0.510, 1.0)
    assert (run["dropped"], run["kept"]) == ({"judged_low": 4}, 0)
    known = [is_known(asked) for asked in stand_in.asked if asked.is_judging]
    assert sum(known) == 4
    assert known not in (sorted(known), sorted(known, reverse=True)), "they stand among the drafts"


def test_a_judge_that_does_not_tell_good_from_bad_leaves_nothing_out(stand_in, provider, connect):
    bench = connect(stand_in)
    bench.fill("billing", BILLING)
    bench.fill("moving", MOVING)
    stand_in.grade = lambda _: provider.grade_of(1)

    run = bench.run()

    check = run["judge_check"]
    assert (check["cases"], check["right"], check["relied_on"]) == (6, 3, False)
    assert check["kinds"]["good"] == {"cases": 3, "right": 0}
    assert check["low"] < 0.5 < check["high"]
    assert (run["dropped"], run["kept"], run["unjudged"]) == ({}, run["generated"], 0)
    _, made = generated(bench)
    assert {json.loads(each.payload)["meta"]["judge"]["score"] for each in made} == {1}


@SQLITE
def test_a_judge_that_nothing_can_test_leaves_nothing_out(stand_in, provider, connect):
    bench = connect(stand_in)
    bench.fill("billing", BILLING, state=ExampleState.PENDING)
    stand_in.grade = lambda _: provider.grade_of(1)
    run = bench.run(categories=["billing"])
    assert (run["judge_check"]["cases"], run["judge_check"]["low"], run["judge_check"]["relied_on"]) == (0, None, False)
    assert (run["dropped"], run["kept"]) == ({}, 4)


@SQLITE
def test_where_nobody_judges_there_is_nothing_to_rely_on(stand_in, connect):
    bench = connect(stand_in)
    bench.fill("billing", BILLING)
    assert bench.run(score_min=0)["judge_check"] is None
    assert not any(asked.is_judging for asked in stand_in.asked)


@SQLITE
def test_cases_that_test_the_judge_count_towards_the_cap_and_towards_the_cost(stand_in, connect):
    bench = connect(stand_in)
    bench.fill("billing", BILLING)
    plain, tested = bench.plan(controls=0), bench.plan(controls=2)
    assert tested["worst_tokens"] > plain["worst_tokens"]
    run = bench.run(controls=2)
    assert run["input_tokens"] + run["output_tokens"] == stand_in.billed_tokens


def is_known(asked):
    example = json.loads(asked.text.split("<data>\n")[1].split("\n</data>")[0])[0]
    return not example["output"] or example["input"] in BILLING


FAULTS = (
    ("too_many", 2, {"state": "done", "kept": 4, "lost_tokens": 0}),
    ("broken", 2, {"state": "done", "kept": 4}),
    ("not_json", 1, {"state": "done", "kept": 4}),
    ("half_json", 1, {"state": "done", "kept": 4}),
    ("reset", 1, {"state": "done", "kept": 4}),
    ("cut", 1, {"state": "done", "kept": 2, "dropped": {"cut": 2}, "lost_tokens": 0}),
    ("prose", 1, {"state": "done", "kept": 2, "dropped": {"not_json": 2}, "lost_tokens": 0}),
    ("no_usage", 1, {"state": "done", "kept": 4, "estimated": 1, "lost_tokens": 0}),
    ("no_money", 1, {"state": "failed", "kept": 0, "cost_id": None, "lost_tokens": 0}),
    ("broken", 4, {"state": "failed", "kept": 0}),
    ("wrong_model", 1, {"state": "failed", "kept": 0, "dropped": {"wrong_model": 2}}),
    ("huge_usage", 1, {"state": "failed", "kept": 2}),
)
MAY_BE_BILLED = {"broken", "not_json", "half_json", "reset"}


@SQLITE
def test_every_fault_of_the_other_side_ends_as_it_should(stand_in, provider, connect):
    """In one engagement, a category for each, since the pages around a run cost more than the run."""
    bench = connect(stand_in)
    for number, (fault, times, expected) in enumerate(FAULTS):
        category = f"{fault}-{number}"
        bench.fill(category, BILLING)
        stand_in.faults = [provider.Fault(fault)] * times

        run = bench.run(concurrency=1, score_min=0, categories=[category])

        assert {name: run[name] for name in expected} == expected, (fault, run)
        assert bool(run["lost_tokens"]) == (fault in MAY_BE_BILLED), fault
        assert bool(run["cost_id"]) == (fault != "no_money"), fault
        assert bench.rows(DataJob)[-1].state == (JobState.DONE if run["state"] == "done" else JobState.FAILED), fault
    assert len(bench.rows(CostEntry)) == len(FAULTS) - 1


@SQLITE
def test_a_server_that_asks_for_too_much_patience_ends_the_run(stand_in, provider, connect):
    bench = connect(stand_in)
    bench.fill("billing", BILLING)
    stand_in.faults, stand_in.retry_after_s = [provider.Fault.TOO_MANY], "300"
    run = bench.run(concurrency=1)
    assert (run["state"], run["error"]) == (
        "failed", "The server answered 429 (rate_limit_exceeded) and asks to wait 300 s.",
    )  # fmt: skip


@SQLITE
def test_an_answer_that_does_not_come_in_time_may_have_been_billed(stand_in, provider, connect):
    bench = connect(stand_in, timeout_s=2.0)
    bench.fill("billing", BILLING)
    stand_in.faults, stand_in.slow_s = [provider.Fault.SLOW], 4.0
    run = bench.run(concurrency=1, score_min=0)
    assert (run["state"], run["kept"], run["lost_tokens"] > 0) == ("done", 4, True)


@SQLITE
def test_a_run_that_is_stopped_keeps_what_was_paid_for(stand_in, connect):
    bench = connect(stand_in)
    bench.fill("billing", BILLING)
    stand_in.delay_s = 0.2
    planned = bench.plan(target=60, per_gap_max=60, concurrency=1, score_min=0)
    bench.start(planned)
    working = Thread(target=bench.house.wiring.workshop.do_due)
    working.start()
    while len(stand_in.asked) < 2:
        sleep(0.02)
    assert bench.api.post(f"/api/v1/synthesis-runs/{planned['id']}/stop").status_code == 200
    # The worker looks twice a second, by this clock.
    bench.house.clock.move(LEASE / 4)
    working.join(60)

    run = bench.read(planned)
    assert (run["state"], run["error"], bench.rows(DataJob)[-1].state) == (
        "stopped",
        "Stopped by hand.",
        JobState.CANCELLED,
    )
    assert run["kept"] == run["generated"] == 2 * len(stand_in.asked)
    assert run["cost_id"]


@SQLITE
def test_a_run_that_was_stopped_before_its_turn_sends_nothing(stand_in, connect):
    bench = connect(stand_in)
    bench.fill("billing", BILLING)
    planned = bench.plan()
    bench.start(planned)
    assert bench.api.post(f"/api/v1/synthesis-runs/{planned['id']}/stop").status_code == 200
    bench.house.wiring.workshop.do_due()
    assert (bench.read(planned)["state"], stand_in.asked) == ("stopped", [])


@SQLITE
def test_an_answer_or_an_extraction_can_be_generated_too(stand_in, connect):
    bench = connect(stand_in)
    bench.fill(None, ["How do I read my meter?"], answer="Look at the black digits.")
    run = bench.run(task="generation", target=3)
    assert (run["state"], run["kept"]) == ("done", 2)
    assert bench.api.post(bench.runs, bench.body(task="tools")).json()["code"] == "task.not_generated"


def generated(bench):
    (source,) = [each for each in bench.rows(DataSource) if each.kind is Provenance.SYNTHETIC]
    return source, [each for each in bench.rows(Example) if each.source_id == source.id]


def requeue(bench):
    """As if the worker had died between the end of the run and that of its job."""
    with bench.house.wiring.store.write() as session:
        job = session.get_one(DataJob, bench.rows(DataJob)[-1].id)
        job.state, job.ended_at, job.result = JobState.QUEUED, None, {}
        session.add(job)
        session.flush()
        audit.record(session, system_actor(job.organisation_id), "data_job.requeued", job, at=bench.house.clock.now())


WORKER = """
import sys
from datetime import datetime
from engagements.core.clock import FixedClock
from engagements.settings import read_settings
from engagements.wiring import wire
wire(read_settings(), clock=FixedClock(at=datetime.fromisoformat(sys.argv[1]))).workshop.do_due()
"""


def killed_at_request(bench, stand_in, number):
    """A worker of its own, killed while this request is out."""
    settings = bench.house.wiring.settings
    endpoint = {"inhouse": {"base_url": stand_in.base_url, "local": True}}
    given = {"HOME": str(settings.home), "DATABASE": settings.database_url, "MODEL_ENDPOINTS": json.dumps(endpoint)}
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, bench.house.clock.now().isoformat()], cwd=settings.home,
        env={name: value for name, value in os.environ.items() if not name.startswith("SIXFOLD_")}
        | {f"SIXFOLD_{name}": value for name, value in given.items()},
    )  # fmt: skip
    answered = stand_in.take

    def hanging(asked):
        fault = answered(asked)
        if len(stand_in.asked) == number:
            worker.kill()
        return fault

    stand_in.take = hanging
    worker.wait(60)
    stand_in.take = answered
