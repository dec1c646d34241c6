"""A real trainer on this machine's processor, under the application: measured before training, and measured for what is
planned next."""

import runpy
import time
from pathlib import Path

import pytest

from engagements.settings import TrainingBackend

WITHIN_S = 400.0
TINY = runpy.run_path(str(Path(__file__).parents[2] / "backends" / "conformance" / "tiny_llama.py"))["tiny_llama"]
HOUR = {"amount": "0.60", "currency": "EUR", "source": "our accounts", "as_of": "2026-11-01"}


@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_run_on_a_processor_is_compared_with_its_base_and_predicts_the_next(bench, tmp_path):
    model = TINY(tmp_path / "tiny")
    bench.set_up({"here": TrainingBackend.model_validate({
        "kind": "peft", "hour": HOUR,
        "settings": {"device": "cpu", "folder": str(tmp_path / "runs"), "models": {"tiny": str(model)}},
    })})  # fmt: skip
    base = {"backend": "here", "model": "tiny", "hyperparameters": {"max_steps": 4, "evaluations": 1, "checkpoints": 1}}
    asked = {"base": base, "accept_unknown_cost": True, "cap_hours": 1, "scored_rows_max": 4, "answer_tokens_max": 4}
    experiment, until = bench.begin(**asked), time.monotonic() + WITHIN_S
    while (ended := bench.experiment(experiment))["state"] != "done":
        assert time.monotonic() < until, bench.runs(experiment)
        bench.moment()
        time.sleep(0.2)
    (run,) = bench.runs(ended)
    assert run["state"] == "succeeded", run["failure"]
    assert (ended["bases"][0]["score"]["items"], ended["bases"][0]["failure"]) == (4, "")
    assert ended["choice"]["against_base"]["items"] == 4
    assert "to the model before training" in ended["choice"]["reason"]
    told = bench.plan(**asked)["runs"][0]["id"]
    predicted = bench.run(told)["prediction"]
    device = bench.supervisor.parts.trainers.named("here").capabilities.device
    assert run["usage"]["device"] == device
    assert predicted["hours"]["likely"] == pytest.approx(run["usage"]["seconds"] / 3600)
    assert predicted["memory_gib"] == pytest.approx(run["usage"]["peak_memory_bytes"] / 2**30)
    assert run["id"] in predicted["sources"]["hours"]
    assert predicted["unknown"] == {"fits": f"how much memory is free on {device} is not known"}
    assert predicted["cost_minor"]["high"] >= 1
