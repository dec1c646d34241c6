"""What a machine of ours takes is learnt from runs that it did: planned, run, and planned again."""

from dataclasses import replace

import pytest

from backends.events import Usage
from engagements.core.roles import Role
from engagements.settings import HourPrice

pytestmark = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)

USED = Usage(
    seconds=360.0, seen_tokens=2000, device="cpu (Some Processor, 1 thread)", devices=1, peak_memory_bytes=2**31
)
PRICE = HourPrice(amount="2.40", currency="EUR", source="our accounts", as_of="2026-11-01")
ASKED = {"accept_unknown_cost": True, "cap_hours": 5, "cap_minor": 1000}


@pytest.fixture
def machine(bench, scripted, fake):
    """A backend whose runs say on what they ran, on a machine with a price."""

    def made(**used):
        backend = scripted()
        bench.set_up({"fake": fake(hour=PRICE)}, fake=backend)
        backend.told = lambda poll: replace(poll, usage=replace(USED, **used))
        return backend

    return made


def predicted(bench, **fields):
    answer = bench.lead.post(f"{bench.home}/experiments/preview", bench.body(**ASKED, **fields))
    assert answer.status_code == 200, answer.text
    return answer.json()["runs"][0]["prediction"]


def test_the_second_run_on_a_machine_is_predicted_from_the_first_and_names_it(bench, machine):
    machine()
    before = predicted(bench)
    assert (before["hours"], before["memory_gib"], before["cost_minor"]) == (None, None, None)
    assert before["unknown"]["hours"].endswith("a first run measures it")
    first = bench.finish(bench.begin(**ASKED))["runs"][0]
    after = predicted(bench)
    assert after["hours"]["likely"] == pytest.approx(0.1)
    assert after["memory_gib"] == 2.0
    assert after["cost_minor"] == {"low": 20, "likely": 24, "high": 30}
    assert after["sources"]["hours"].startswith(f"measured on run only ({first['id']}) on 2026-11-")
    assert after["sources"]["cost"] == "2.40 EUR an hour: our accounts, 2026-11-01"
    assert after["unknown"].keys() == {"fits"}
    twice = predicted(bench, base={"backend": "fake", "model": "tiny", "hyperparameters": {"epochs": 6}})
    assert twice["hours"]["likely"] == pytest.approx(0.2)
    kept = bench.runs(bench.plan(**ASKED))[0]
    assert (kept["prediction"], kept["reserved_minor"]) == (after, 30)


def test_runs_of_another_model_method_agency_or_of_no_end_predict_nothing(bench, machine, house):
    backend = machine()
    bench.finish(bench.begin(**ASKED))
    assert predicted(bench)["hours"] is not None
    other = {"backend": "fake", "model": "another", "hyperparameters": {"epochs": 3}}
    full = {"backend": "fake", "model": "tiny", "hyperparameters": {"epochs": 3, "adapter": "full"}}
    assert [predicted(bench, base=base)["hours"] for base in (other, full)] == [None, None]
    backend.inner = replace(backend.inner, fails_at=2)
    assert bench.finish(bench.begin(**ASKED | {"base": other}))["runs"][0]["state"] == "failed"
    assert predicted(bench, base=other)["hours"] is None


def test_a_backend_that_does_not_say_on_what_it_ran_is_no_measurement(bench, machine):
    machine(device=None)
    bench.finish(bench.begin(**ASKED))
    assert predicted(bench)["hours"] is None


def test_a_machine_that_another_gpu_price_is_known_of_is_charged_at_ours_and_says_so(bench, machine, fake):
    """The price book rents out such a card too; that is not what is charged."""
    backend = machine()
    bench.set_up({"fake": fake(hour=PRICE, gpu="H100")}, fake=backend)
    found = predicted(bench, base={"backend": "fake", "model": "llama-3.1-8b", "hyperparameters": {"epochs": 1}})
    assert found["fits"]
    assert found["sources"]["cost"] == "2.40 EUR an hour: our accounts, 2026-11-01"
    bench.set_up({"fake": fake(hour=None, gpu="H100")}, fake=backend)
    unpriced = predicted(bench, base={"backend": "fake", "model": "llama-3.1-8b", "hyperparameters": {"epochs": 1}})
    assert unpriced["cost_minor"] is None
    assert unpriced["unknown"]["cost"] == "the settings name no price of an hour of this machine"
    assert "cost" not in unpriced["sources"]


def test_a_card_that_no_table_knows_is_unknown_until_a_run_measured_it(bench, machine, fake):
    backend = machine(device="RTX 9990")
    bench.set_up({"fake": fake(hour=PRICE, gpu="RTX 9990")}, fake=backend)
    assert predicted(bench)["unknown"]["hours"].startswith("the hardware tables do not know RTX 9990; no finished run")
    bench.finish(bench.begin(**ASKED))
    assert predicted(bench)["hours"]["likely"] == pytest.approx(0.1)


def test_the_page_of_a_new_experiment_shows_it_with_the_run_it_was_measured_on(bench, machine, reader):
    machine()
    run = bench.finish(bench.begin(**ASKED))["runs"][0]
    form = {
        "name": "Again", "dataset_version_id": bench.version_id, "design": "one", "base.backend": "fake",
        "base.model": "tiny", "base.hyperparameters.epochs": "3", "base.seed": "7", "metric": "exact_match",
        "strategy": "all", "scored_rows_max": "500", "curated_share": "50", "priority": "0", "currency": "EUR",
        "cap": "10.00", "shown_backend": "fake",
    }  # fmt: skip
    page = reader(Role.DELIVERY_LEAD).post(f"/engagements/{bench.engagement_id}/training/preview", form).text
    assert f"measured on run only ({run['id']}) on 2026-11-" in page
    assert "2.0 GiB" in page
    assert "2.40 EUR an hour: our accounts" in page
