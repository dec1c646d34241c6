"""The model before training is measured once an experiment; what was chosen is compared with it on the same rows."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from backends.errors import ProviderRefused
from backends.protocol import Prediction
from engagements.core.roles import Role
from engagements.phases.training.models import BaseScore, TrainingRun

pytestmark = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)


@dataclass(kw_only=True)
class Untrained:
    """A base model: right about every question whose length `knows`, for the first word is the answer."""

    knows: Callable[[int], bool] = lambda _: False

    def predict_many(self, conversations: Any, *, max_tokens: int, temperature: float = 0.0) -> list[Prediction]:
        assert max_tokens > 0
        assert temperature == 0
        asked = [str(each[-1]["content"]) for each in conversations]
        return [Prediction(text=each.split()[0] if self.knows(len(each)) else "", finished=True) for each in asked]

    def close(self) -> None:
        return None


@dataclass(kw_only=True)
class Shelf:
    """The base models that a backend answers with; `faults` are raised first, one a time it is asked for one."""

    models: dict[str, Untrained]
    faults: list[Exception] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def shelf(scripted) -> Callable[..., Shelf]:
    def made(*faults: Exception, **models: Untrained) -> Shelf:
        backend, found = scripted(), Shelf(models=models, faults=list(faults))
        trained = backend.inner.predictor

        def predictor(model: str) -> Any:
            if "@" in model:
                return trained(model)
            found.asked.append(model)
            if found.faults:
                raise found.faults.pop(0)
            return found.models[model]

        backend.predictor = predictor
        return found

    return made


def test_it_is_measured_once_for_all_runs_and_the_reason_carries_the_paired_comparison(bench, shelf):
    asked = shelf(tiny=Untrained()).asked
    ended = bench.finish(bench.begin(design="three"))
    assert asked == ["tiny"]
    (base,) = ended["bases"]
    assert (base["backend"], base["model"], base["failure"]) == ("fake", "tiny", "")
    assert (base["score"]["value"], base["score"]["items"], base["score"]["metric"]) == (0.0, 8, "exact_match")
    gain = ended["choice"]["against_base"]
    assert (gain["difference"], gain["items"], gain["test"], gain["is_shown"]) == (1.0, 8, "exact McNemar", True)
    assert gain["p"] == pytest.approx(2 / 2**8)
    assert 0 < gain["low"] < gain["high"] <= 1
    said = ended["choice"]["reason"]
    assert re.search(
        r"\+1\.000 \(95% interval .* 8 items\) to the model before training, 0\.000: shown to be better", said
    )
    for run in bench.runs(ended):
        assert run["base"] == base
        assert run["choice"]["against_base"]["difference"] > 0
        assert json.loads(bench.row(run["id"]).record)["metrics"]["validation_exact_match_base"] == 0.0


def test_a_gain_that_chance_would_make_is_not_called_one(bench, shelf):
    shelf(tiny=Untrained(knows=lambda _: True))
    ended = bench.finish(bench.begin())
    gain = ended["choice"]["against_base"]
    assert (gain["difference"], gain["is_shown"]) == (0.0, False)
    assert "to the model before training, 1.000: no difference is shown" in ended["choice"]["reason"]


def test_each_base_model_of_an_experiment_is_measured_and_what_was_chosen_compared_with_its_own(bench, shelf):
    found = shelf(tiny=Untrained(), other=Untrained(knows=lambda _: True))
    ended = bench.finish(bench.begin(more=[{"backend": "fake", "model": "other", "name": "another", "seed": 8}]))
    assert sorted(found.asked) == ["other", "tiny"]
    assert {each["model"]: each["score"]["value"] for each in ended["bases"]} == {"tiny": 0.0, "other": 1.0}
    chosen = next(run for run in ended["runs"] if run["id"] == ended["chosen_run_id"])
    assert ended["choice"]["against_base"]["difference"] == (1.0 if chosen["model"] == "tiny" else 0.0)


def test_a_backend_that_has_no_such_model_says_so_once_and_nothing_is_claimed(bench):
    ended = bench.finish(bench.begin())
    (base,) = ended["bases"]
    assert (base["score"], base["failure"]) == (None, "no run tiny")
    run = bench.runs(ended)[0]
    assert (run["state"], run["incidents"]) == ("succeeded", [])
    assert ended["choice"]["against_base"] is None
    assert "was not measured on the same items, so nothing is said of a gain" in ended["choice"]["reason"]


def test_what_a_provider_bills_is_not_asked_for_without_a_budget(bench, shelf, fake):
    found = shelf(**{"gpt-4.1": Untrained()})
    backend = bench.supervisor.parts.trainers.named("fake")
    bench.set_up({"fake": fake(provider="openai", hour=None)}, fake=backend)
    ended = bench.finish(bench.begin(base={"backend": "fake", "model": "gpt-4.1"}, cap_minor=100_000))
    assert (ended["state"], found.asked) == ("done", [])
    assert ended["bases"][0]["failure"] == "asking it is billed by openai, and no budget holds that"


def test_a_backend_that_fails_is_no_score_and_is_given_up_after_three_times(bench, shelf):
    found = shelf(*[ProviderRefused("out of order") for _ in range(5)], tiny=Untrained())
    ended = bench.finish(bench.begin())
    assert found.asked == ["tiny"] * 3
    run = bench.runs(ended)[0]
    assert run["state"] == "succeeded"
    assert [each["said"] for each in run["incidents"]] == [
        "the model before training could not be measured: out of order"
    ]
    assert ended["bases"][0]["score"] is None


def test_a_run_that_ends_while_it_is_its_turn_leaves_it_to_the_next_and_nobody_measures_it_twice(bench, shelf):
    found = shelf(ProviderRefused("out of order"), tiny=Untrained())
    experiment = bench.begin(design="three")
    while not found.asked:
        bench.moment()
    first = bench.rows(BaseScore)[0].run_id
    assert [bench.progress(run.id).said for run in bench.rows(TrainingRun) if run.id != first] == [
        "waits until the model before training is measured"
    ] * 2
    assert bench.lead.post(f"/api/v1/training-runs/{first}/cancel").status_code == 200
    ended = bench.finish(experiment)
    assert found.asked == ["tiny"] * 2
    assert bench.rows(BaseScore)[0].run_id != first
    assert sorted(run["state"] for run in ended["runs"]) == ["cancelled", "succeeded", "succeeded"]
    assert ended["choice"]["against_base"]["difference"] == 1.0


def test_it_is_the_first_row_of_the_comparison_and_of_the_checkpoints(bench, shelf, reader):
    shelf(tiny=Untrained(knows=lambda length: length % 2 == 0))
    ended = bench.finish(bench.begin(design="three"))
    lead = reader(Role.DELIVERY_LEAD)
    for path in (f"/experiments/{ended['id']}", f"/training-runs/{ended['runs'][0]['id']}"):
        table = re.search(r"<tbody>(.*?)</tbody>", lead.get(path).text, flags=re.DOTALL)
        first = re.sub(r"<[^>]+>|\s+", " ", table[1].partition("</tr>")[0])
        assert "Before training" in first
        assert f"{ended['bases'][0]['score']['value']:.1%}" in first, first


def test_a_client_reads_that_it_was_not_measured_and_no_more(bench, reader):
    ended = bench.finish(bench.begin())
    row = bench.rows(TrainingRun)[0]
    page = reader(Role.CLIENT_VIEWER, client_id=row.client_id).get(f"/experiments/{ended['id']}").text
    assert "not measured" in page
    assert "no run tiny" not in page
    assert "No run tiny" in reader(Role.DELIVERY_LEAD).get(f"/experiments/{ended['id']}").text
