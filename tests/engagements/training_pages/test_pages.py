"""Pages of training over HTTP: planned, started, looked at, cancelled; and what nobody is shown who may not see it."""

import html
import json
import re

import pytest

from engagements.core.roles import Role
from engagements.phases.training.models import Experiment, TrainingRun
from engagements.settings import TrainingBackend

HIDDEN = re.compile(r"€|EUR|\bcost|\bspent|\bcap\b|prompt|tal\d+", re.IGNORECASE)
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def text_of(answer) -> str:
    """What a page says, without its tags."""
    bare = re.sub(r"<(script|style)[^>]*>.*?</\1>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
    return " ".join(html.unescape(bare).split())


def made(answer) -> str:
    assert answer.status_code == 303, text_of(answer)
    return str(answer.headers["location"])


def fault_at(answer, field: str) -> str:
    """What the page says beside a field; empty where nothing is wrong with it."""
    found = re.search(rf'id="{re.escape(field)}-fault">.*?<span>(.*?)</span>', answer.text, flags=re.DOTALL)
    return html.unescape(found[1]).strip() if found else ""


@pytest.fixture
def under_way(bench, reader, home, asked) -> str:
    """The page of an experiment whose runs work."""
    lead = reader(Role.DELIVERY_LEAD)
    page = made(lead.post(f"{home}/new", asked()))
    made(lead.post(f"{page}/start"))
    bench.moment()
    bench.moment()
    return page


# --- the way of an experiment -----------------------------------------------------------------------------------------


def test_an_experiment_is_planned_started_watched_and_its_model_shown(bench, reader, home, asked):
    lead = reader(Role.DELIVERY_LEAD)
    assert "No experiment yet" in text_of(lead.get(home))
    assert "44 to train on, 8 to choose by" in text_of(lead.get(f"{home}/new"))
    page = made(lead.post(f"{home}/new", asked()))
    assert "nothing spent yet" in text_of(lead.follow(lead.post(f"{home}/new", asked(name="Again"))))
    made(lead.post(f"{page}/start"))
    bench.moment()
    bench.moment()
    run = bench.rows(TrainingRun)[0]
    live = lead.get(f"/training-runs/{run.id}")
    assert "Step 5 of 20" in text_of(live)
    assert 'hx-trigger="every 1s"' in live.text
    bench.finish({"id": page.rpartition("/")[2]})
    shown = lead.get(page)
    assert "Chosen: run" in text_of(shown)
    assert "What was set, and what came of it" in text_of(shown)
    version = re.search(r"/model-versions/\w+", shown.text)
    assert version
    told = text_of(lead.get(version[0]))
    assert "Made again by one command" in told
    assert "sixfold train " in told
    assert "Version 1" in text_of(lead.get(home))
    assert lead.get(f"/training-runs/{run.id}/record").json()["spec"]["seed"] == 7


def test_a_part_of_a_page_is_all_that_htmx_is_sent_until_the_run_has_ended(bench, reader, under_way):
    lead, run = reader(Role.REVIEWER), bench.rows(TrainingRun)[0]

    def asked_again(path: str):
        return lead.client.get(path, headers={"Cookie": f"sixfold_session={lead.cookie}", "HX-Request": "true"})

    part = asked_again(f"/training-runs/{run.id}?seen=running.none")
    assert part.text.lstrip().startswith('<div id="live"')
    assert "hx-swap-oob" not in part.text
    assert 'id="acts" hx-swap-oob="true"' in asked_again(f"/training-runs/{run.id}?seen=queued.none").text
    assert asked_again(under_way).text.lstrip().startswith('<div id="runs"')
    bench.finish({"id": under_way.rpartition("/")[2]})
    assert asked_again(f"/training-runs/{run.id}").headers["hx-refresh"] == "true"
    assert asked_again(under_way).headers["hx-refresh"] == "true"


def test_a_run_is_cancelled_and_tried_again_as_a_run_of_its_own(bench, reader, under_way):
    lead, run = reader(Role.DELIVERY_MEMBER), bench.rows(TrainingRun)[0]
    page = f"/training-runs/{run.id}"
    made(lead.post(f"{page}/cancel"))
    bench.moment()
    assert "Cancelled" in text_of(lead.get(page))
    again = made(lead.post(f"{page}/retry"))
    assert again != page
    assert "Attempt 2" in text_of(lead.get(again))


def test_an_experiment_that_was_only_planned_is_cancelled_at_once(bench, reader, home, asked):
    lead = reader(Role.DELIVERY_MEMBER)
    page = made(lead.post(f"{home}/new", asked()))
    assert "Cancelled" in text_of(lead.follow(lead.post(f"{page}/cancel")))
    refused = lead.post(f"{page}/cancel")
    assert refused.status_code == 409
    assert "nothing is left to cancel" in text_of(refused).lower()


# --- what it would take -----------------------------------------------------------------------------------------------


@ON_SQLITE
def test_what_it_would_take_is_shown_before_anything_is_kept(bench, reader, home, asked):
    lead = reader(Role.DELIVERY_LEAD)
    looked = lead.post(f"{home}/preview", asked(name="", cap=""))
    said = text_of(looked)
    assert looked.status_code == 200, said
    assert "lower-rate" in said
    assert "unknown no GPU is named" in said
    assert "would be held back" in said
    assert bench.rows(Experiment) == []


@ON_SQLITE
def test_a_knob_changes_what_it_would_take(reader, home, asked):
    lead = reader(Role.DELIVERY_LEAD)
    tokens = [
        re.findall(r"Tokens ([\d,]+)", text_of(lead.post(f"{home}/preview", asked(base__hyperparameters__epochs=n))))[0]
        for n in ("2", "4")
    ]
    assert [int(each.replace(",", "")) for each in tokens] == [1_716, 3_432]


# --- refusals ---------------------------------------------------------------------------------------------------------


@ON_SQLITE
@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("base.hyperparameters.epochs", "900", "Epochs should be less than or equal to 50."),
        ("base.hyperparameters.rank", "many", "Rank should be a whole number."),
        ("base.hyperparameters.beta", "0.1", "Beta cannot be chosen here. Leave it out, or train where it can."),
        ("base.model", "", "Model is missing."),
        ("base.seed", "-1", "Seed should be greater than or equal to 0."),
        ("cap", "plenty", "'plenty' is no amount that may be spent. Write it like 40 or 40.50."),
        ("name", "", "Name is missing."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_kept(bench, reader, home, asked, field, typed, said):
    answer = reader(Role.DELIVERY_LEAD).post(f"{home}/new", asked() | {field: typed})
    assert answer.status_code == 422
    if field != "base.hyperparameters.beta":
        assert fault_at(answer, field) == said
    assert said.partition(".")[0] in text_of(answer)
    assert bench.rows(Experiment) == []


@ON_SQLITE
def test_reinforcement_is_asked_for_with_its_grader_as_json(bench, reader, home, asked):
    """Nobody is asked: to plan a run needs no provider."""
    told = {"kind": "openai", "provider": "azure", "settings": {"profile": "azure", "base_url": "http://127.0.0.1:9"}}
    bench.set_up({"azure": TrainingBackend.model_validate(told)})
    lead = reader(Role.DELIVERY_LEAD)
    empty = lead.get(f"{home}/new?base.backend=azure").text
    offered = re.findall(r'<option value="(sft|dpo|rft)"', empty)
    assert (offered, "base.grader" in empty) == (["sft", "dpo", "rft"], True)
    same = {"type": "string_check", "name": "same", "input": "{{sample.output_text}}", "operation": "eq"}
    grader = same | {"reference": "{{item.label}}"}
    form = asked(
        base__backend="azure", base__model="o4-mini", base__method="rft", shown_backend="azure", cap="",
        cap_tokens="10000000", accept_unknown_cost="yes", base__hyperparameters__reasoning_effort="low",
    )  # fmt: skip
    for wrong in ("", "{", json.dumps(same)):
        answer = lead.post(f"{home}/new", form | {"base.grader": wrong})
        assert (answer.status_code, bool(fault_at(answer, "base.grader"))) == (422, True), text_of(answer)
    made(lead.post(f"{home}/new", form | {"base.grader": json.dumps(grader)}))
    assert {json.dumps(each.spec["grader"], sort_keys=True) for each in bench.rows(TrainingRun)} == {
        json.dumps(grader, sort_keys=True)
    }


@ON_SQLITE
def test_everything_that_is_wrong_is_said_at_once(bench, reader, home, asked):
    wrong = asked(name="", cap="", base__hyperparameters__epochs="900", base__hyperparameters__rank="many")
    answer = reader(Role.DELIVERY_LEAD).post(f"{home}/new", wrong)
    assert answer.status_code == 422
    for field in ("name", "cap", "base.hyperparameters.epochs", "base.hyperparameters.rank"):
        assert fault_at(answer, field), field
    assert bench.rows(Experiment) == []


@ON_SQLITE
def test_a_value_of_an_axis_is_refused_at_its_axis(bench, reader, home, asked):
    grid = asked(design="grid") | {
        "axis.1.field": "seed", "axis.1.values": "1, 2", "axis.2.field": "hyperparameters.rank",
        "axis.2.values": "8, none",
    }  # fmt: skip
    answer = reader(Role.DELIVERY_LEAD).post(f"{home}/new", grid)
    assert answer.status_code == 422
    assert fault_at(answer, "axis.2.values")
    assert not fault_at(answer, "axis.1.values")
    assert bench.rows(Experiment) == []


@ON_SQLITE
def test_a_grid_is_planned_from_its_axes(bench, reader, home, asked):
    grid = asked(design="grid") | {"axis.1.field": "hyperparameters.rank", "axis.1.values": "8, 16"}
    page = made(reader(Role.DELIVERY_LEAD).post(f"{home}/new", grid))
    assert [run.spec["hyperparameters"]["rank"] for run in bench.rows(TrainingRun)] == [8, 16]
    assert "Rank" in text_of(reader(Role.DELIVERY_LEAD, named="b").get(page))


@ON_SQLITE
def test_who_may_not_train_plans_starts_and_cancels_nothing(bench, reader, home, asked, under_way):
    finance, run = reader(Role.FINANCE), bench.rows(TrainingRun)[0]
    refused = [
        finance.get(f"{home}/new"), finance.post(f"{home}/new", asked()), finance.post(f"{home}/preview", asked()),
        finance.post(f"{under_way}/start"), finance.post(f"{under_way}/cancel"),
        *(finance.post(f"/training-runs/{run.id}/{step}") for step in ("cancel", "pause", "resume", "retry")),
    ]  # fmt: skip
    assert {answer.status_code for answer in refused} == {403}
    assert len(bench.rows(Experiment)) == 1
    assert bench.rows(TrainingRun)[0].wish.value == "none"
    assert "New experiment" not in text_of(finance.get(home))
    assert "Cancel…" not in text_of(finance.get(under_way))


@ON_SQLITE
def test_training_of_another_agency_or_client_is_not_there(bench, reader, home, under_way, begin):
    run = bench.rows(TrainingRun)[0]
    stranger = reader(Role.ADMINISTRATOR, elsewhere=True)
    other = begin("Another")
    neighbour = reader(Role.CLIENT_APPROVER, client_id=other.client_id)
    for path in (home, f"{home}/new", under_way, f"/training-runs/{run.id}", f"/training-runs/{run.id}/record"):
        assert stranger.get(path).status_code == 404, path
    for path in (home, under_way):
        assert neighbour.get(path).status_code == 404, path
    assert stranger.post(f"{under_way}/cancel").status_code == 404
    assert bench.rows(Experiment)[0].cancel_asked is False


@ON_SQLITE
def test_a_dataset_of_another_engagement_is_not_there(bench, reader, home, asked):
    answer = reader(Role.DELIVERY_LEAD).post(f"{home}/new", asked(dataset_version_id="dsv_01kb0000000000000000000000"))
    assert answer.status_code == 404
    assert bench.rows(Experiment) == []


@ON_SQLITE
def test_a_clients_people_see_how_far_it_is_and_never_money_texts_or_single_runs(bench, reader, home, under_way):
    run = bench.rows(TrainingRun)[0]
    client_id = run.client_id
    approver = reader(Role.CLIENT_APPROVER, client_id=client_id)
    assert "step 5 of 20" in text_of(approver.get(under_way))
    bench.finish({"id": under_way.rpartition("/")[2]})
    version = re.search(r"/model-versions/\w+", approver.get(under_way).text)
    assert version
    for path in (home, under_way, version[0]):
        main = re.search(r"<main.*</main>", approver.get(path).text, flags=re.DOTALL)
        assert main
        said = " ".join(re.sub(r"<[^>]+>", " ", main[0]).split())
        assert not HIDDEN.search(said), said
        assert f"/training-runs/{run.id}" not in main[0]
    assert approver.get(f"/training-runs/{run.id}").status_code == 403
    assert approver.get(f"{home}/new").status_code == 403


@ON_SQLITE
def test_what_has_to_be_there_first_is_named(house, reader, begin):
    engagement = begin("Nothing sealed")
    home = f"/engagements/{engagement.engagement_id}/training"
    said = text_of(reader(Role.DELIVERY_LEAD).get(home))
    assert "Before a model can be trained" in said
    assert "Seal a dataset" in said
    assert "New experiment" not in said
    client = text_of(reader(Role.CLIENT_VIEWER, client_id=engagement.client_id).get(home))
    assert "Before a model can be trained" not in client
    assert "Nothing is trained yet" in client
