"""From a sealed dataset to a gate that fills itself, through the API."""

import hashlib
import json
from dataclasses import replace

import pytest

from backends.events import Usage
from engagements.actuals.models import CostEntry
from engagements.core.audit import verify
from engagements.core.models import OutboxEvent
from engagements.delivery.gate_models import EvidenceKind, EvidenceRecord
from engagements.phases.data_preparation.versions.models import DatasetVersion, SealedRead
from engagements.phases.training.models import Experiment, ModelVersion, RunEvent, TrainingRun
from engagements.settings import HourPrice, TrainingBackend
from engagements.tables import RECORDS

on_both = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)


def gate(bench) -> dict[str, str]:
    found = bench.lead.get(f"{bench.home}/gates/training").json()
    return {each["code"]: each["status"] for each in found["requirements"]}


def test_three_runs_over_a_sealed_dataset_fill_the_gate_of_training(bench):
    assert gate(bench)["checkpoint"] == "missing"
    planned = bench.plan(design="three")
    assert [each["name"] for each in planned["runs"]] == ["defaults", "lower-rate", "curated"]
    ended = bench.finish(bench.start(planned))
    assert [run["state"] for run in ended["runs"]] == ["succeeded"] * 3, ended
    assert gate(bench) == {
        "reproducible": "met", "trained_on": "met", "checkpoint": "met", "compute_cost": "met", "rounds": "met",
    }  # fmt: skip
    chosen = next(run for run in bench.runs(ended) if run["id"] == ended["chosen_run_id"])
    assert chosen["choice"]["reason"]
    assert [each["is_chosen"] for each in chosen["checkpoints"]].count(True) == 1
    assert {each["score"]["metric"] for each in chosen["checkpoints"]} == {"exact_match"}
    recorded = [row for row in bench.rows(EvidenceRecord) if row.kind is EvidenceKind.TRAINING_RUN]
    assert [row.content["checkpoint"] is not None for row in recorded] == [False, False, True]
    assert {row.external_id for row in recorded} == {run["id"] for run in ended["runs"]}
    versions = bench.rows(ModelVersion)
    assert sorted(each.number for each in versions) == [1, 2, 3]
    assert [each.run_id for each in versions if each.is_candidate] == [ended["chosen_run_id"]]
    assert {entry.external_id for entry in bench.rows(CostEntry)} == {run["id"] for run in ended["runs"]}
    with bench.house.wiring.store.read() as session:
        assert not list(verify(session, bench.house.organisation_id, RECORDS))


@on_both
def test_a_run_of_reinforcement_is_planned_with_its_grader_over_rows_that_have_what_it_names(bench):
    """Nobody is asked: to plan a run needs no provider."""
    said = {"kind": "openai", "provider": "azure", "settings": {"profile": "azure", "base_url": "http://127.0.0.1:9"}}
    bench.set_up({"azure": TrainingBackend.model_validate(said)})
    grader = {"type": "string_check", "name": "same", "input": "{{sample.output_text}}", "operation": "eq",
              "reference": "{{item.label}}"}  # fmt: skip
    run = {"backend": "azure", "model": "o4-mini", "method": "rft", "grader": grader}
    caps = {"accept_unknown_cost": True, "cap_tokens": 10_000_000}
    bench.plan(base=run, **caps)
    spec = bench.rows(TrainingRun)[0].spec
    assert (spec["method"], spec["grader"], spec["train"]["format"]) == ("rft", grader, "openai_rft")
    for changed, code in (
        ({"reference": "{{item.queue}}"}, "grader_field_missing"),
        ({"operation": "is"}, "operation"),
    ):
        wrong = bench.body(base=run | {"grader": grader | changed}, **caps)
        answer = bench.lead.post(f"{bench.home}/experiments", wrong)
        assert (answer.status_code, code in answer.text) == (422, True)
    assert len(bench.rows(TrainingRun)) == 1


@on_both
def test_the_best_examples_are_those_with_the_highest_scores(bench):
    planned = bench.plan(design="three", curated_share=0.25)
    whole, _, curated = bench.runs(planned)
    assert curated["is_curated"]
    assert curated["examples"] == round(whole["examples"] / 4)
    experiment = bench.rows(Experiment)[0]
    train = [
        json.loads(line)["id"] for line in bench.house.wiring.storage.lines(split_of(bench, "train")["kept"])
    ]  # fmt: skip
    assert set(experiment.curated) == set(sorted(train, reverse=True)[: curated["examples"]])


def split_of(bench, name):
    row = next(each for each in bench.rows(DatasetVersion) if each.id == bench.version_id)
    return next(each for each in row.splits if each["name"] == name)


@on_both
def test_the_test_split_never_leaves(bench):
    bench.finish(bench.begin(design="three"))
    test = {
        json.loads(line)["messages"][0]["content"]
        for line in bench.house.wiring.storage.lines(split_of(bench, "test")["kept"])
    }
    assert test
    written = "".join(path.read_text("utf-8") for path in bench.supervisor.parts.folder.iterdir())
    assert not {each for each in test if json.dumps(each) in written}
    assert bench.rows(SealedRead) == []


@on_both
def test_a_record_repeats_its_run_and_is_named_by_its_digest(bench):
    bench.finish(bench.begin())
    version = bench.lead.get(f"{bench.home}/model-versions").json()["items"][0]
    answer = bench.lead.get(f"/api/v1/model-versions/{version['id']}/record")
    assert hashlib.sha256(answer.content).hexdigest() == version["record_sha256"]
    record, run = answer.json(), bench.rows(TrainingRun)[0]
    assert record["spec"] == run.spec
    assert (record["spec_sha256"], record["dataset_sha256"]) == (run.digest, version["dataset_sha256"])
    assert record["checkpoint"]["model"] == version["model"]
    assert str(bench.world) not in answer.text


@on_both
def test_events_are_kept_once_in_order_however_often_they_are_told(bench, scripted):
    """Every answer tells all that was ever told, as a provider does whose cursor is lost."""
    backend = scripted()
    backend.told = lambda poll: poll
    original = backend.inner.poll

    def poll(handle, *, cursor=""):
        return original(handle, cursor="")

    backend.poll = poll
    ended = bench.finish(bench.begin())
    events = bench.rows(RunEvent)
    assert [each.number for each in events] == list(range(1, 21))
    assert [each.step for each in events] == list(range(1, 21))
    run_id = ended["runs"][0]["id"]
    first = bench.lead.get(f"/api/v1/training-runs/{run_id}/events?limit=15").json()
    rest = bench.lead.get(f"/api/v1/training-runs/{run_id}/events?after={first['next']}").json()
    assert [each["step"] for each in first["items"] + rest["items"]] == list(range(1, 21))
    curve = bench.lead.get(f"/api/v1/training-runs/{run_id}/curve").json()
    assert [each["step"] for each in curve["points"]] == list(range(1, 21))


@on_both
def test_hours_of_a_machine_cost_what_the_settings_say(bench, scripted, fake):
    backend = scripted()
    bench.set_up(
        {"fake": fake(hour=HourPrice(amount="2.40", currency="EUR", source="our accounts", as_of="2026-11-01"))},
        fake=backend,
    )
    backend.told = lambda poll: replace(poll, usage=Usage(seconds=1800.0, seen_tokens=2000))
    ended = bench.finish(bench.begin(accept_unknown_cost=True, cap_hours=1, cap_minor=1000))
    run = bench.runs(ended)[0]
    assert run["prediction"]["unknown"]["cost"]
    assert (run["spent_minor"], ended["spent_minor"], ended["unknown_costs"]) == (120, 120, 0)
    entry = bench.rows(CostEntry)[0]
    assert (entry.amount_minor, entry.quantity, entry.unit) == (120, "0.5000", "hours")
    assert (entry.kind, entry.price["source"]) == ("compute", "our accounts")


@on_both
def test_people_and_hooks_are_told_of_an_end_once(bench):
    bench.finish(bench.begin())
    bench.moment()
    told = [each.type for each in bench.rows(OutboxEvent) if each.type.startswith("training.")]
    assert sorted(told) == ["training.experiment_ended", "training.run_ended"]


@on_both
def test_the_client_library_plans_follows_and_compares(bench):
    with bench.typed() as us:
        body = bench.body(design="three")
        plan = us.experiments.preview(bench.engagement_id, **body)
        assert (plan.can_start, plan.unpriced, plan.metric) == (True, 0, "exact_match")
        assert bench.rows(Experiment) == []
        planned = us.experiments.plan(bench.engagement_id, **body)
        first = us.experiments.change(planned, priority=5)
        assert first.priority == 5
        us.experiments.start(planned.id)
        bench.finish({"id": planned.id})
        ended = us.experiments.get(planned.id)
        seen = list(us.training_runs.follow(ended.runs[0].id))
        assert seen[-1].state == "succeeded"
        compared = us.training_runs.compare(*(run.id for run in ended.runs))
        assert compared.differs == ["learning_rate", "train"]
        assert [run.score is not None for run in compared.runs] == [True] * 3
        version = us.models.get(next(us.models.of_engagement(bench.engagement_id)).id)
        assert us.models.record(version)
        assert [each.name for each in us.experiments.catalogue().backends] == ["fake"]
        assert [run.id for run in us.training_runs.of_engagement(bench.engagement_id)]
