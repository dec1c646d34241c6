"""Hints of providers, the catalogue, models that end, settings, and a server that is killed."""

import base64
import hashlib
import hmac
import json
import os
import signal
import time
from datetime import timedelta

import pytest

from engagements.core.errors import Invalid, NotConfigured
from engagements.notices.models import Notice
from engagements.phases.training.supervising.retiring import alarm_due, tell_of_retiring_models
from engagements.phases.training.supervising.sweeping import sweep_files
from engagements.phases.training.trainers import Trainers, trainers_of
from engagements.settings import TrainingBackend

on_both = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)
SECRET = "whsec_" + base64.b64encode(b"known to two").decode()


def signed(house, body: bytes, *, secret: str = SECRET, late: timedelta = timedelta()) -> dict[str, str]:
    at = str(int((house.clock.now() - late).timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    right = hmac.digest(key, b".".join([b"msg_1", at.encode(), body]), hashlib.sha256)
    return {
        "webhook-id": "msg_1", "webhook-timestamp": at, "content-type": "application/json",
        "webhook-signature": f"v1,{base64.b64encode(right).decode()}",
    }  # fmt: skip


@on_both
def test_a_webhook_makes_its_run_due_and_nothing_else(bench, fake):
    bench.set_up({"fake": fake(webhook_secret_env="HOOK", polled_every_s=3600)})
    bench.supervisor.parts.trainers.environment = {"HOOK": SECRET}
    experiment = bench.begin()
    bench.supervisor.do_due()
    run = bench.runs(experiment)[0]
    assert bench.moment() == 0
    body = json.dumps({"type": "fine_tuning.job.succeeded", "data": {"id": run["reference"]}}).encode()
    nobody, path = bench.house.nobody(), "/api/v1/training-webhooks/fake"
    for wrong in (
        signed(bench.house, body, late=timedelta(minutes=6)),
        signed(bench.house, body, secret="whsec_" + base64.b64encode(b"another").decode()),
        {"content-type": "application/json"},
    ):
        refused = nobody.ask("POST", path, content=body, headers=wrong)
        assert (refused.status_code, refused.json()["code"]) == (401, "bad_signature")
    assert bench.moment() == 0
    elsewhere = nobody.ask("POST", "/api/v1/training-webhooks/other", content=body, headers=signed(bench.house, body))
    assert elsewhere.status_code == 401
    for _ in range(2):
        assert nobody.ask("POST", path, content=body, headers=signed(bench.house, body)).status_code == 200
    assert bench.supervisor.do_due() == 1
    assert bench.runs(experiment)[0]["state"] == "running"
    unknown = json.dumps({"type": "fine_tuning.job.failed", "data": {"id": "nobody's"}}).encode()
    assert nobody.ask("POST", path, content=unknown, headers=signed(bench.house, unknown)).status_code == 200


@on_both
def test_the_catalogue_joins_prices_and_last_days_with_what_is_set_up(bench, fake):
    bench.set_up({
        "fake": fake(provider="openai", hour=None),
        "away": TrainingBackend.model_validate({"kind": "nothing_like_it"}),
    })  # fmt: skip
    found = bench.lead.get("/api/v1/training/catalogue").json()
    ours, away = (next(each for each in found["backends"] if each["name"] == name) for name in ("fake", "away"))
    assert (ours["methods"], ours["problem"]) == (["sft"], "")
    assert "nothing_like_it" in away["problem"]
    model = next(each for each in found["models"] if each["model"] == "gpt-4.1-2025-04-14")
    assert (model["training_usd"], model["training_unit"], model["backends"]) == ("25", "1M tokens", ["fake"])
    assert (model["new_jobs_until"], model["shutdown"], model["takes_new_jobs"]) == ("2027-01-06", "2027-01-14", True)
    closed = next(each for each in found["models"] if each["model"] == "babbage-002")
    assert not closed["takes_new_jobs"]
    assert {each["provider"] for each in found["models"]} > {"openai", "together"}


@on_both
def test_whoever_trained_on_a_model_is_told_60_30_and_7_days_before_its_end(bench, fake, reader):
    bench.set_up({"fake": fake(provider="openai", hour=None)})
    owner = reader().actor.id
    patched = bench.lead.get(bench.home).json()
    assert bench.lead.patch(bench.home, {"owner_id": owner}, version=patched["version"]).status_code == 200
    ended = bench.finish(bench.begin(base={"backend": "fake", "model": "gpt-4.1"}, cap_minor=100_000))
    assert bench.runs(ended)[0]["state"] == "succeeded"
    days = []
    for _ in range(60):
        if tell_of_retiring_models(bench.supervisor.parts):
            days.append(bench.house.clock.now().date().isoformat())
        bench.house.clock.move(timedelta(days=1))
    assert days == ["2026-11-23", "2026-12-15", "2027-01-07"]
    assert sum(each.topic.startswith("retiring:") for each in bench.rows(Notice)) == 3


def test_the_nearest_alarm_is_the_one_that_is_due(bench_free_today):
    today = bench_free_today
    assert [alarm_due(today + timedelta(days=days), today) for days in (61, 60, 31, 30, 8, 7, 0, -3)] == [
        None, 60, 60, 30, 30, 7, 7, 7,
    ]  # fmt: skip


@pytest.fixture
def bench_free_today():
    from datetime import date  # noqa: PLC0415

    return date(2026, 11, 23)


@on_both
def test_files_of_data_are_taken_away_when_no_run_reads_them(bench):
    planned = bench.plan()
    folder = bench.supervisor.parts.folder
    for file in folder.iterdir():
        os.utime(file, (0, 0))
    bench.start(planned)
    assert sweep_files(bench.supervisor.parts) == 0
    bench.finish(planned)
    assert sweep_files(bench.supervisor.parts) == 2
    assert list(folder.iterdir()) == []


def test_a_backend_is_made_when_it_is_asked_for_and_says_what_it_lacks(tmp_path):
    said = {
        "needs": TrainingBackend.model_validate({"kind": "fake", "secrets": {"key": "NOT_SET"}}),
        "gone": TrainingBackend.model_validate({"kind": "gone"}),
        "here": TrainingBackend.model_validate({"kind": "fake"}),
    }
    trainers = Trainers(by_name=said, environment={}, folder=tmp_path)
    with pytest.raises(NotConfigured, match="NOT_SET"):
        trainers.named("needs")
    with pytest.raises(NotConfigured, match="gone"):
        trainers.named("gone")
    with pytest.raises(Invalid, match="no backend 'elsewhere'"):
        trainers.named("elsewhere")
    assert trainers.named("here") is trainers.named("here")
    with pytest.raises(NotConfigured, match="nothing is set up"):
        Trainers(by_name={}, environment={}, folder=tmp_path).named("here")


def test_the_local_backend_is_there_without_settings_where_its_libraries_are(tmp_path):
    found = trainers_of({}, {}, folder=tmp_path)
    assert found.names == ["peft"]
    own = TrainingBackend.model_validate({"kind": "fake"})
    assert trainers_of({"peft": own}, {}, folder=tmp_path).by_name["peft"] is own


@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True)
def test_a_server_killed_with_runs_under_way_loses_and_doubles_nothing(bench, serve, database_url, tmp_path):
    """The database and the world of the backend survive; everything else dies, three times."""
    backends = json.dumps({"fake": {
        "kind": "fake", "hour": {"amount": "0", "currency": "EUR", "source": "ours", "as_of": "2026-11-01"},
        "polled_every_s": 0.2, "settings": {"folder": str(bench.world / "fake"), "moments": 12},
    }})  # fmt: skip
    planned = bench.plan(design="three")
    settings = {"database": database_url, "home": str(tmp_path), "backends": backends}
    key = {"X_API_Key": bench.lead.headers["X-API-Key"]}
    for attempt in range(4):
        served = serve(**settings)
        if attempt == 0:
            assert served.ask("POST", f"/api/v1/experiments/{planned['id']}/start", {}, **key).status_code == 200
        deadline = time.monotonic() + (1.5 if attempt < 3 else 120)
        while time.monotonic() < deadline:
            found = served.ask("GET", f"/api/v1/experiments/{planned['id']}", **key).json()
            if found["state"] == "done":
                break
            time.sleep(0.2)
        if attempt < 3:
            os.killpg(served.process.pid, signal.SIGKILL)
            served.process.wait()
    assert [run["state"] for run in found["runs"]] == ["succeeded"] * 3, found
    assert len(list((bench.world / "fake").glob("*.json"))) == 3
    events = [
        served.ask("GET", f"/api/v1/training-runs/{run['id']}/events", **key).json()["items"] for run in found["runs"]
    ]
    assert [[each["step"] for each in told] for told in events] == [list(range(1, 61))] * 3
