"""The pages of the gates: what each role finds there, forms that say what is wrong, and no word of ours for clients."""

import re

import pytest

from engagements.core.roles import Role
from estimator.phases import Phase

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_lead_decides_on_the_page_and_reads_what_stands_in_the_way(under_way, work_to, samples, reader):
    lead = work_to(under_way.engagement_id, Phase.DATA_PREPARATION)
    api, home = f"/api/v1/engagements/{under_way.engagement_id}", f"/engagements/{under_way.engagement_id}"
    lead.post(f"{api}/evidence", samples.posted(samples.dataset(card_sha256=None)))
    ida, here = reader(Role.ACCOUNT_LEAD), f"{home}/gates/data_preparation"
    board = ida.get(f"{home}/gates").text
    assert "1\N{NO-BREAK SPACE}blocker" in board
    assert "drafts sent without edits" in board
    page = ida.get(here).text
    assert "1\N{NO-BREAK SPACE}thing stands against passing" in page
    assert "tickets@v3" in page
    blocked = ida.post(f"{here}/decide", {"verdict": "go", "sitting": "1"})
    assert blocked.status_code == 409
    assert 'id="overridden.data_card-fault"' in blocked.text
    vague = ida.post(f"{here}/decide", {"verdict": "hold", "sitting": "1"})
    assert vague.status_code == 422
    assert {"reason-fault", "review_on-fault"} <= set(re.findall(r'id="([\w-]+-fault)"', vague.text))
    assert ida.follow(ida.post(f"{home}/checklist/data_preparation/guideline", {"mark": "done"})).status_code == 200
    overruled = {
        "verdict": "go_with_conditions", "sitting": "1", "overridden.data_card": "yes",
        "override_reason": "It follows on Friday.", "conditions.0.text": "Write the data card",
        "conditions.0.due": "2026-11-27", "conditions.0.owner_id": ida.actor.id, "conditions.1.text": "",
    }  # fmt: skip
    passed = ida.follow(ida.post(f"{here}/decide", overruled)).text
    assert "Overruled: Data card (no data card). It follows on Friday." in passed
    condition = re.search(r"/conditions/(cnd_\w+)/meet", passed)
    assert condition
    assert ida.post(f"/conditions/{condition[1]}/meet", {"note": ""}).status_code == 422
    assert "See D1." in ida.follow(ida.post(f"/conditions/{condition[1]}/meet", {"note": "See D1."})).text


def test_a_letter_refuses_then_the_clients_approver_signs_and_finds_nothing_internal(
    under_way, work_to, samples, reader
):
    lead = work_to(under_way.engagement_id, Phase.BASELINE_EVALUATION)
    api, home = f"/api/v1/engagements/{under_way.engagement_id}", f"/engagements/{under_way.engagement_id}"
    samples.measure(lead, api, Phase.BASELINE_EVALUATION)
    first = lead.post(f"{api}/gates/baseline_evaluation/decide", {"verdict": "go"}).json()
    ida, letter = reader(Role.ACCOUNT_LEAD), f"/gates/{first['id']}/on-behalf"
    assert "Where it can be seen" in ida.get(letter).text
    refused = {"name": "Ana Brandt", "evidence": "Letter of 20 November", "answer": "refused"}
    assert ida.post(letter, refused).status_code == 422
    shown = ida.follow(ida.post(letter, {**refused, "reason": "Tariffs are missing."})).text
    assert "Refused by the client" in shown
    assert "Letter of 20 November" in shown
    decided = lead.post(f"{api}/gates/baseline_evaluation/decide", {"verdict": "go"}).json()
    ana = reader(Role.CLIENT_APPROVER, client_id=under_way.client_id)
    here = f"{home}/gates/baseline_evaluation"
    page = ana.get(here).text
    assert f"/gates/{decided['id']}/sign" in page
    assert "Checklist" not in page
    assert 'name="verdict"' not in page
    form = ana.get(f"/gates/{decided['id']}/sign").text
    assert "95% interval" in form
    unsure = ana.post(f"/gates/{decided['id']}/sign", {})
    assert unsure.status_code == 422
    assert 'id="agree-fault"' in unsure.text
    assert ana.post(f"/gates/{decided['id']}/refuse", {"reason": ""}).status_code == 422
    assert "signed by Client approver" in ana.follow(ana.post(f"/gates/{decided['id']}/sign", {"agree": "yes"})).text
    assert "It has been answered" in ana.get(f"/gates/{decided['id']}/sign").text
    evidence = lead.get(f"{api}/evidence").json()["items"][0]["id"]
    assert "prompt" in ana.get(f"/evidence/{evidence}").text


def test_the_calculator_answers_and_says_what_it_cannot_read(house, reader):
    ida = reader(Role.DELIVERY_MEMBER)
    assert "470" in ida.get("/sample-size?baseline=80&target=85&items=412").text
    wrong = ida.get("/sample-size?baseline=many&items=0")
    assert wrong.status_code == 422
    assert {"baseline-fault", "items-fault"} <= set(re.findall(r'id="([\w-]+-fault)"', wrong.text))
    assert ida.get("/sample-size").status_code == 200
    api = house.api(Role.DELIVERY_MEMBER)
    assert api.get("/api/v1/sample-size?baseline=0.8&target=0.85&items=412").json()["needed"] == 470
    for unreadable in ("baseline=nan", "baseline=1.5", "baseline=0.8&items=0"):
        assert api.get(f"/api/v1/sample-size?{unreadable}").status_code == 422
