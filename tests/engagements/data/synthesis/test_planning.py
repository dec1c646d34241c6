"""A plan before anything is sent: what it would ask, what it could cost at most, and when it is refused."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from engagements.app import connected
from engagements.core.roles import Role
from engagements.phases.data_preparation.models import ExampleState
from engagements.phases.data_preparation.synthesis.asking import Asker
from engagements.phases.data_preparation.synthesis.endpoints import BaseUrlRefused, Endpoints, endpoints_of
from engagements.phases.data_preparation.synthesis.models import SynthesisRun
from engagements.phases.data_preparation.synthesis.prompts import Prompt
from engagements.phases.data_preparation.synthesis.questions import Failure, Question
from engagements.settings import ModelEndpoint

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Nowhere:
    """A base URL that no test calls."""

    base_url = "https://models.example.com/v1"


@pytest.fixture
def set_up(connect):
    bench = connect(Nowhere)
    bench.fill("billing", ["Where is the invoice?", "Paid twice"], state=ExampleState.ACCEPTED)
    bench.fill("billing", ["I do not see what you charged me for"], state=ExampleState.PENDING)
    bench.fill("billing", ["Rejected"], state=ExampleState.REJECTED)
    return bench


def test_a_plan_says_what_is_missing_and_what_it_could_cost_at_most(set_up):
    run = set_up.plan(categories=["billing", "fraud"])
    assert [(gap["category"], gap["have"], gap["wanted"]) for gap in run["gaps"]] == [
        ("fraud", 0, 6),
        ("billing", 3, 3),
    ]
    assert (run["state"], run["requests"], run["examples_wanted"], run["asked"]) == ("planned", 5, 9, 0)
    assert run["worst_minor"] > 5 * 1_500 * 8 / 10_000
    seen = set_up.api.get(f"/api/v1/synthesis-runs/{run['id']}/preview").json()
    assert "Category: fraud" in seen["user"]
    assert seen["input_tokens_at_most"] >= len((seen["system"] + seen["user"]).encode())


@SQLITE
def test_a_price_of_the_book_is_taken_with_its_source_and_the_rate_of_the_brief(set_up, house):
    refused = set_up.api.post(set_up.runs, set_up.body(model="gpt-4.1", price=...))
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "price_unknown")

    rate = {"per_unit": "1.08", "source": "ECB", "as_of": "2026-11-20"}
    endpoint = set_up.house.client.app.state.wiring.endpoints.by_name["inhouse"]
    named = Endpoints(by_name={"inhouse": endpoint, "openai": endpoint_named(endpoint, "openai")})
    rewire(set_up, named)
    run = set_up.plan(endpoint="openai", model="gpt-4.1", price=..., rate=rate)
    assert run["price"]["generate"]["input"] == "2"
    assert run["price"]["generate"]["rate"] == "1.08"
    assert "OpenAI pricing page" in run["price"]["generate"]["source"]


@SQLITE
def test_a_cap_in_tokens_needs_no_price(set_up):
    run = set_up.plan(price=..., cap_minor=..., cap_tokens=50_000)
    assert (run["price"], run["worst_minor"], run["cap_minor"]) == (None, None, None)
    assert run["worst_tokens"] > 0


REFUSED = (
    ({"cap_minor": ...}, 422, "cap.missing"),
    ({"price": ...}, 422, "price_unknown"),
    ({"endpoint": "elsewhere"}, 422, "endpoint_unknown"),
    ({"target": 3}, 409, "nothing_missing"),
    ({"task": "preference"}, 422, "task.not_generated"),
    ({"cap_minor": 0}, 422, "validation_failed"),
    ({"base_url": "http://169.254.169.254/"}, 422, "unknown_field"),
    ({"licence": ""}, 422, "text.blank"),
)


@SQLITE
def test_a_plan_that_cannot_be_meant_is_refused_and_nothing_is_kept(set_up):
    for fields, status, code in REFUSED:
        answer = set_up.api.post(set_up.runs, set_up.body(**fields))
        said = answer.json()
        codes = {said["code"], *(each["code"] for each in said.get("errors", []))}
        assert (answer.status_code, code in codes) == (status, True), (fields, said)
    assert set_up.rows(SynthesisRun) == []


@SQLITE
def test_without_an_endpoint_there_is_a_remedy_and_no_run(bench):
    bench.fill("billing", ["Where is the invoice?"])
    answer = bench.api.post(bench.runs, bench.body())
    assert (answer.status_code, answer.json()["code"]) == (409, "not_configured")
    assert "model_endpoints" in answer.text


@SQLITE
def test_a_key_that_is_not_set_is_said_before_anything_is_planned(connect):
    bench = connect(Nowhere, key=SecretStr(""))
    answer = bench.api.post(bench.runs, bench.body())
    assert (answer.status_code, "MODEL_KEY" in answer.text) == (409, True)


@SQLITE
def test_a_run_is_started_once_and_only_by_who_prepares_data(set_up):
    run = set_up.plan()
    path = f"/api/v1/synthesis-runs/{run['id']}"
    assert set_up.api.post(f"{path}/stop").json()["code"] == "run_active"
    assert set_up.house.api(Role.REVIEWER).post(f"{path}/start").status_code == 403
    set_up.start(run)
    assert set_up.api.post(f"{path}/start").json()["code"] == "run_active"


@SQLITE
def test_the_share_of_generated_examples_is_told(set_up):
    found = set_up.api.get(f"/api/v1/engagements/{set_up.engagement_id}/data/gaps?target=4").json()
    assert found["gaps"] == [{"category": "billing", "have": 3, "target": 4, "wanted": 1}]
    assert (found["examples"], found["generated"], found["accepted"], found["accepted_generated"]) == (3, 0, 2, 0)
    assert found["endpoints"] == ["inhouse"]


QUESTION = Question(model="m", prompt=Prompt(system="", user=""), most_output=1, temperature=None, chance=1)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "100.64.0.1"]
)
def test_a_name_that_leads_into_a_network_of_its_own_is_not_called(address):
    (endpoint,) = endpoints_of({"x": ModelEndpoint(base_url="https://models.example.com/v1")}, {}).by_name.values()
    with Asker(endpoint, resolve=lambda *_: ["93.184.216.34", address]) as asker:
        answer = asker.ask(QUESTION)
    assert isinstance(answer, Failure)
    assert (answer.may_retry, answer.may_be_billed) == (False, False)
    assert "network of its own" in answer.said


@pytest.mark.parametrize(
    "url", ["http://models.example.com/v1", "https://127.0.0.1/v1", "https://user:word@models.example.com/v1"]
)
def test_an_address_that_cannot_be_meant_is_refused_by_name(url):
    endpoints = endpoints_of({"x": ModelEndpoint(base_url=url)}, {})
    with pytest.raises(BaseUrlRefused, match="endpoint x"):
        endpoints.named("x")


def test_a_key_comes_from_the_environment_and_is_never_printed():
    said = {"x": ModelEndpoint(base_url="https://models.example.com/v1", key_env="KEY_OF_X")}
    endpoints = endpoints_of(said, {"KEY_OF_X": "sk-secret"})
    assert endpoints.named("x").key.get_secret_value() == "sk-secret"
    assert "sk-secret" not in repr(endpoints)


def endpoint_named(endpoint, name):
    return replace(endpoint, name=name)


def rewire(bench, endpoints):
    app = bench.house.client.app
    connected(app, replace(app.state.wiring, endpoints=endpoints))
