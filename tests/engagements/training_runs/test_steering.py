"""What people do with experiments and runs, what stops by itself, and what is refused and changes nothing."""

from dataclasses import replace

import pytest
from sqlmodel import select

from backends.events import Event, EventKind, Metrics, Poll, RunState, Usage
from engagements.actuals.models import CostEntry
from engagements.core import audit
from engagements.core.roles import system_actor
from engagements.delivery.models import Baseline
from engagements.phases.data_preparation.models import Example
from engagements.phases.data_preparation.versions.models import DatasetVersion
from engagements.phases.training.models import Experiment, ModelVersion, TrainingRun
from engagements.settings import HourPrice

on_both = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)


def states(bench, experiment) -> list[str]:
    return [run["state"] for run in bench.experiment(experiment)["runs"]]


def post(bench, path, body=None):
    return bench.lead.post(f"/api/v1/{path}", body)


@on_both
def test_an_experiment_is_cancelled_with_all_its_runs_and_is_no_evidence_of_a_candidate(bench, fake):
    bench.set_up({"fake": fake(at_once=1)})
    planned = bench.plan(design="three")
    bench.start(planned)
    bench.moment()
    bench.moment()
    assert sorted(states(bench, planned)) == ["running", "waiting", "waiting"]
    asked = post(bench, f"experiments/{planned['id']}/cancel")
    assert asked.status_code == 200, asked.text
    ended = bench.finish(planned)
    assert (ended["state"], states(bench, planned)) == ("cancelled", ["cancelled"] * 3)
    assert [entry.external_id for entry in bench.rows(CostEntry)] == [
        run["id"] for run in bench.runs(planned) if run["reference"]
    ]
    assert bench.rows(ModelVersion) == []
    again = post(bench, f"experiments/{planned['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "job_terminal")
    untouched = bench.plan()
    post(bench, f"experiments/{untouched['id']}/cancel")
    assert (bench.experiment(untouched)["state"], states(bench, untouched)) == ("cancelled", ["cancelled"])


@on_both
def test_who_goes_first_is_a_matter_of_priority_then_of_age(bench, fake):
    bench.set_up({"fake": fake(at_once=1)})
    first, second = bench.begin(name="First"), bench.plan(name="Second")
    bench.start(second)
    third = bench.begin(name="Third", priority=5)
    order = []
    for _ in range(80):
        bench.moment()
        for each in (first, second, third):
            if "running" in states(bench, each) and each["name"] not in order:
                order.append(each["name"])
            assert sum(states(bench, one).count("running") for one in (first, second, third)) <= 1
    assert order == ["Third", "First", "Second"]


@on_both
def test_a_run_is_paused_and_goes_on_and_its_place_is_another_ones_meanwhile(bench, scripted, fake):
    backend = scripted(moments=6)
    backend.can = replace(backend.inner.capabilities, pausable=True, local=True)
    is_paused = []

    class Pausing(type(backend)):
        def pause(self, handle):
            is_paused.append(handle.reference)

        def resume(self, handle):
            is_paused.remove(handle.reference)

    backend.__class__ = Pausing
    original = backend.poll

    def poll(handle, *, cursor=""):
        if handle.reference in is_paused:
            return Poll(state=RunState.PAUSED, cursor=cursor)
        return original(handle, cursor=cursor)

    backend.poll = poll
    bench.set_up({"fake": fake(at_once=1)}, fake=backend)
    experiment = bench.begin(more=[{"backend": "fake", "model": "tiny", "seed": 9}])
    bench.moment()
    bench.moment()
    one, other = bench.runs(experiment)
    assert (one["state"], other["state"], one["can_pause"]) == ("running", "waiting", True)
    assert post(bench, f"training-runs/{one['id']}/pause").json()["wish"] == "pause"
    bench.moment()
    bench.moment()
    assert states(bench, experiment) == ["paused", "running"]
    assert post(bench, f"training-runs/{one['id']}/resume").status_code == 200
    assert states(bench, bench.finish(experiment)) == ["succeeded", "succeeded"]


@on_both
def test_one_that_cannot_pause_says_so_and_one_that_waits_is_set_aside(bench, fake):
    bench.set_up({"fake": fake(at_once=1)})
    experiment = bench.begin(more=[{"backend": "fake", "model": "tiny", "seed": 9}])
    bench.moment()
    bench.moment()
    one, other = bench.runs(experiment)
    refused = post(bench, f"training-runs/{one['id']}/pause")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_offered")
    assert post(bench, f"training-runs/{other['id']}/pause").status_code == 200
    bench.moment()
    assert states(bench, experiment) == ["running", "paused"]
    post(bench, f"training-runs/{other['id']}/resume")
    assert states(bench, bench.finish(experiment)) == ["succeeded", "succeeded"]


@on_both
def test_a_run_whose_loss_is_no_number_is_stopped_and_no_answer_holds_one(bench, scripted):
    backend = scripted(moments=30)
    at = bench.house.clock.now()

    def told(poll):
        broken = [
            Event(
                id=f"nan-{each.metrics.step}", at=at, kind=EventKind.METRICS, message="broken",
                metrics=Metrics(step=each.metrics.step, total_steps=150, train_loss=float("nan")),
            )
            if each.metrics.step > 20 else each
            for each in poll.events
        ]  # fmt: skip
        return replace(poll, events=tuple(broken))

    backend.told = told
    experiment = bench.begin()
    run = bench.runs(bench.finish(experiment))[0]
    assert (run["state"], run["verdict"]["kind"]) == ("cancelled", "diverged")
    assert run["stopped_because"].startswith("diverged")
    events = bench.lead.get(f"/api/v1/training-runs/{run['id']}/events")
    assert "nan" not in events.text.replace("nan-", "").lower()
    assert events.json()["items"][20]["not_finite"] == ["train_loss"]


@on_both
def test_successive_halving_leaves_the_lowest_loss_and_says_why_the_others_stopped(bench, fake):
    bench.set_up({"fake": fake(settings={"moments": 9}, at_once=6)})
    axes = {"seed": [1, 2, 3], "hyperparameters.epochs": [3, 9]}
    experiment = bench.begin(design="grid", axes=axes, strategy="successive_halving")
    ended = bench.finish(experiment)
    assert len(ended["decisions"]) == ended["rung"] == 2
    first, last = ended["decisions"]
    assert (len(first["kept"]), len(last["kept"])) == (2, 1)
    for each in ended["decisions"]:
        kept = [each["losses"][run] for run in each["kept"]]
        assert max(kept) <= min(loss for run, loss in each["losses"].items() if run not in each["kept"])
    runs = {run["id"]: run for run in bench.runs(ended)}
    assert runs[ended["chosen_run_id"]]["id"] == last["kept"][0]
    stopped = [run["stopped_because"] for run in runs.values() if run["id"] != ended["chosen_run_id"]]
    assert all("behind at" in each for each in stopped)


@on_both
def test_what_does_not_fit_the_budget_is_refused_with_numbers_and_nothing_is_kept(bench, fake):
    price = HourPrice(amount="2.40", currency="EUR", source="our accounts", as_of="2026-11-01")
    bench.set_up({"fake": fake(hour=price)})
    refused = bench.lead.post(f"{bench.home}/experiments", bench.body(design="three"))
    assert refused.status_code == 422
    assert {each["code"] for each in refused.json()["errors"]} == {"price_unknown"}
    preview = bench.lead.post(f"{bench.home}/experiments/preview", bench.body(design="three")).json()
    assert (preview["can_start"], preview["unpriced"]) == (False, 3)
    uncapped = bench.lead.post(f"{bench.home}/experiments", bench.body(accept_unknown_cost=True))
    assert {each["code"] for each in uncapped.json()["errors"]} == {"cap.missing"}
    assert bench.rows(Experiment) == bench.rows(TrainingRun) == []


@on_both
def test_a_start_that_would_pass_the_agreed_cap_is_refused_and_changes_nothing(bench):
    planned = bench.plan()
    with bench.house.wiring.store.write() as session:
        run = session.exec(select(TrainingRun)).one()
        cap = session.exec(select(Baseline)).one().plan["compute_cap"]
        run.reserved_minor = int(float(cap["amount"]) * 100) + 1
        audit.record(session, system_actor(run.organisation_id), "training_run.planned", run, at=run.created_at)
    before = [row.model_dump() for row in bench.rows(TrainingRun)]
    refused = post(bench, f"experiments/{planned['id']}/start")
    assert (refused.status_code, refused.json()["code"]) == (409, "budget_exceeded")
    assert "agreed cap" in refused.text
    assert [row.model_dump() for row in bench.rows(TrainingRun)] == before
    assert bench.experiment(planned)["state"] == "planned"


@on_both
def test_a_cap_that_is_used_up_stops_what_is_left(bench, scripted):
    backend = scripted(moments=30)
    backend.told = lambda poll: replace(poll, usage=Usage(seconds=7200.0))
    ended = bench.finish(bench.begin(cap_hours=1, cap_minor=...))
    run = bench.runs(ended)[0]
    assert (run["state"], run["stopped_because"]) == ("cancelled", "the cap of 1 hours is used up: 2.00 were used")


def test_a_file_that_was_altered_after_planning_is_refused_and_changes_nothing(bench):
    planned = bench.plan()
    run = bench.rows(TrainingRun)[0]
    file = bench.supervisor.parts.folder / run.spec["train"]["path"]
    content = bytearray(file.read_bytes())
    content[40] ^= 1
    file.write_bytes(content)
    refused = post(bench, f"experiments/{planned['id']}/start")
    assert (refused.status_code, refused.json()["code"]) == (422, "digest_mismatch")
    assert (bench.experiment(planned)["state"], states(bench, planned)) == ("planned", ["planned"])
    file.unlink()
    assert bench.finish(bench.start(planned))["state"] == "done"


@on_both
def test_a_sealed_split_that_was_altered_is_refused(bench):
    planned = bench.plan()
    run = bench.rows(TrainingRun)[0]
    (bench.supervisor.parts.folder / run.spec["train"]["path"]).unlink()
    kept = next(each["kept"] for each in bench.rows(DatasetVersion)[0].splits if each["name"] == "train")
    with bench.house.wiring.storage.as_file(kept) as blob:
        content = bytearray(blob.read_bytes())
        content[40] ^= 1
        blob.write_bytes(content)
    refused = post(bench, f"experiments/{planned['id']}/start")
    assert (refused.status_code, refused.json()["code"]) == (409, "digest_mismatch")
    assert bench.experiment(planned)["state"] == "planned"


@on_both
def test_what_speaks_against_a_plan_is_said_at_once(bench):
    wrong = bench.body(
        base={"backend": "fake", "model": "tiny", "method": "dpo", "hyperparameters": {"beta": 0.1}},
        more=[{"backend": "fake", "model": "tiny", "hyperparameters": {"learning_rate_multiplier": 2.0}, "name": "m"}],
    )
    refused = bench.lead.post(f"{bench.home}/experiments", wrong)
    assert refused.status_code == 422
    assert {(each["pointer"], each["code"]) for each in refused.json()["errors"]} >= {
        ("/runs/only/method", "method_not_offered"),
        ("/runs/only/hyperparameters/beta", "hyperparameter_not_offered"),
        ("/runs/m/hyperparameters/learning_rate_multiplier", "hyperparameter_not_offered"),
    }
    unknown = bench.lead.post(f"{bench.home}/experiments", bench.body(base={"backend": "fakes", "model": "tiny"}))
    assert unknown.json()["errors"][0]["code"] == "backend_unknown"
    assert bench.rows(Experiment) == []


@on_both
def test_without_scores_the_best_examples_cannot_be_told(bench):
    with bench.house.wiring.store.write() as session:
        for row in session.exec(select(Example)):
            row.score = None
    refused = bench.lead.post(f"{bench.home}/experiments", bench.body(design="three"))
    assert (refused.status_code, refused.json()["code"]) == (409, "scores_missing")
    assert bench.rows(Experiment) == []


@on_both
def test_training_waits_for_its_phase(house, begin, make_bench):
    bench = make_bench(begin(), house.api())
    planned = bench.plan()
    refused = post(bench, f"experiments/{planned['id']}/start")
    assert (refused.status_code, refused.json()["code"]) == (409, "phase_not_begun")
    assert states(bench, planned) == ["planned"]
