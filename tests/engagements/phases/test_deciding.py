"""Gates over the API, on both databases: evidence opens them, people decide them, and what follows is one step."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from engagements.core.audit import verify
from engagements.core.models import OutboxEvent
from engagements.core.roles import Role
from engagements.notices.models import Notice
from engagements.tables import RECORDS
from estimator.phases import Phase

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What is decided before the database is asked."""

OVERRIDE = {"verdict": "go", "overridden": ["data_card"], "override_reason": "The card follows on Friday, agreed."}


def states(lead, home):
    return [gate["state"] for gate in lead.get(f"{home}/gates").json()["gates"]]


def version_of(lead, home):
    return lead.get(home).json()["version"]


@on_sqlite
def test_a_gate_without_evidence_names_all_its_blockers_and_is_held_or_recycled(house, under_way, work_to):
    lead, home = (
        work_to(under_way.engagement_id, Phase.DATA_PREPARATION),
        f"/api/v1/engagements/{under_way.engagement_id}",
    )
    before = lead.get(f"{home}/gates/data_preparation").json()
    refused = lead.post(f"{home}/gates/data_preparation/decide", {"verdict": "go"})
    assert (refused.status_code, refused.json()["code"]) == (409, "phase_blocked")
    assert [error["code"] for error in refused.json()["errors"]] == [each["code"] for each in before["blockers"]]
    assert len(before["blockers"]) == 8
    ticked = lead.ask("PUT", f"{home}/checklist/data_preparation/guideline", json={"note": "v2"}, headers={})
    assert ticked.status_code == 200
    after = lead.get(f"{home}/gates/data_preparation").json()
    assert after["blockers"] == before["blockers"], "a tick opens no gate"
    assert {**after, "checklist": []} == {**before, "checklist": []}
    assert [item["done"] for item in after["checklist"]].count(True) == 1
    place = f"{home}/gates/data_preparation/decide"
    missing = lead.post(place, {"verdict": "hold"}).json()["errors"]
    assert [error["pointer"] for error in missing] == ["/reason", "/review_on"]
    assert lead.post(place, {"verdict": "hold", "reason": "Wait.", "review_on": "2026-11-23"}).status_code == 422
    held = {"verdict": "hold", "reason": "The licence is with legal.", "review_on": "2026-12-07"}
    assert lead.post(place, held).status_code == 201
    assert states(lead, home)[0] == "gate_review"
    again = {"verdict": "recycle", "reason": "The labels disagree.", "sitting": 2}
    assert lead.post(place, again).status_code == 201
    assert lead.post(place, again).json()["code"] == "gate_conflict", "the second sitting has been"
    gate = lead.get(f"{home}/gates/data_preparation").json()
    assert (gate["state"], gate["round"], gate["next_sitting"]) == ("in_progress", 2, 3)


def test_passing_a_gate_moves_everything_that_hangs_on_it(house, under_way, work_to, samples):
    lead, home = (
        work_to(under_way.engagement_id, Phase.DATA_PREPARATION),
        f"/api/v1/engagements/{under_way.engagement_id}",
    )
    samples.measure(lead, home, Phase.DATA_PREPARATION)
    decided = lead.post(f"{home}/gates/data_preparation/decide", {"verdict": "go"})
    assert decided.status_code == 201
    assert (decided.json()["state"], decided.json()["sitting"]) == ("final", 1)
    assert states(lead, home) == ["done", "ready", "planned", "planned", "planned", "planned"]
    gate = lead.get(f"{home}/gates/data_preparation").json()
    assert (gate["actual_end"], gate["blockers"]) == ("2026-11-23", [])
    assert gate["requirements"] == decided.json()["findings"], "what was found stays as it was found"
    criteria = lead.get(f"{home}/criteria").json()["criteria"]
    assert {each["set_digest"] for each in criteria} == {samples.SEALED}
    assert {each["outcome"] for each in criteria} == {None}
    reached = [
        (each["code"], each["reached_on"])
        for each in lead.get(f"{home}/milestones").json()["items"]
        if each["gate"] == 1
    ]
    assert reached == [("P2", "2026-11-23")]
    with house.wiring.store.read() as session:
        told = [row for row in session.exec(select(OutboxEvent)) if row.type == "gate.decided"]
        assert [row.data["verdict"] for row in told] == ["go"]
        assert list(verify(session, house.organisation_id, RECORDS)) == []


@on_sqlite
def test_only_who_may_overrules_and_the_client_reads_why(house, under_way, work_to, samples):
    lead, home = (
        work_to(under_way.engagement_id, Phase.DATA_PREPARATION),
        f"/api/v1/engagements/{under_way.engagement_id}",
    )
    place = f"{home}/gates/data_preparation/decide"
    lead.post(f"{home}/evidence", samples.posted(samples.dataset(card_sha256=None)))
    for body in ({**OVERRIDE, "override_reason": ""}, {**OVERRIDE, "overridden": ["data_card", "sealed"]}):
        assert lead.post(place, body).status_code == 422
    assert house.api(Role.DELIVERY_LEAD).post(place, OVERRIDE).status_code == 403
    assert house.api(Role.DELIVERY_LEAD).post(place, {"verdict": "go"}).json()["code"] == "phase_blocked"
    assert states(lead, home)[0] == "in_progress"
    assert house.api(Role.ACCOUNT_LEAD).post(place, OVERRIDE).status_code == 201
    client = house.api(Role.CLIENT_VIEWER, client_id=under_way.client_id)
    seen = client.get(f"{home}/gates/data_preparation").json()
    assert [each["code"] for each in seen["requirements"] if each["overridden"]] == ["data_card"]
    assert seen["sittings"][0]["override_reason"] == OVERRIDE["override_reason"]
    assert seen["checklist"] == []
    trail = lead.get(f"/api/v1/audit?entity_id={seen['sittings'][0]['id']}").json()["items"]
    assert {each["action"]: each["reason"] for each in trail}["gate.overridden"] == OVERRIDE["override_reason"]


@on_sqlite
def test_no_phase_is_skipped_and_no_gate_decided_twice(house, under_way, work_to, samples):
    lead, home = house.api(), f"/api/v1/engagements/{under_way.engagement_id}"
    go = {"verdict": "go"}
    unstarted = lead.post(f"{home}/gates/data_preparation/decide", go)
    assert (unstarted.status_code, unstarted.json()["code"]) == (409, "gate_conflict")
    skipped = lead.post(f"{home}/gates/training/decide", go)
    assert (skipped.status_code, skipped.json()["code"]) == (409, "phase_skipped")
    work_to(under_way.engagement_id, Phase.BASELINE_EVALUATION)
    over = lead.post(f"{home}/gates/data_preparation/decide", go)
    assert (over.status_code, over.json()["code"]) == (409, "gate_conflict")
    version = version_of(lead, home)
    lead.patch(home, {"state": "on_hold", "reason": "A freeze."}, version=version)
    resting = lead.post(f"{home}/gates/baseline_evaluation/decide", go)
    assert (resting.status_code, resting.json()["code"]) == (409, "engagement_not_active")
    assert states(lead, home) == ["done", "in_progress", "planned", "planned", "planned", "planned"]


def test_of_two_who_pass_a_gate_at_once_one_wins(house, under_way, work_to, samples):
    lead, home = (
        work_to(under_way.engagement_id, Phase.DATA_PREPARATION),
        f"/api/v1/engagements/{under_way.engagement_id}",
    )
    samples.measure(lead, home, Phase.DATA_PREPARATION)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: lead.post(f"{home}/gates/data_preparation/decide", {"verdict": "go"}), "ab"))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert states(lead, home) == ["done", "ready", "planned", "planned", "planned", "planned"]
    assert len(lead.get(f"{home}/gates/data_preparation").json()["sittings"]) == 1


@on_sqlite
def test_conditions_are_met_before_the_next_gate(house, under_way, work_to, samples):
    lead, home = (
        work_to(under_way.engagement_id, Phase.DATA_PREPARATION),
        f"/api/v1/engagements/{under_way.engagement_id}",
    )
    samples.measure(lead, home, Phase.DATA_PREPARATION)
    place = f"{home}/gates/data_preparation/decide"
    wanted = {"text": "Describe the sources in the card", "due": "2026-11-30"}
    for wrong in (
        {"verdict": "go_with_conditions"},
        {"verdict": "go", "conditions": [wanted]},
        {"verdict": "go_with_conditions", "conditions": [{**wanted, "due": "2026-11-22"}]},
        {"verdict": "go_with_conditions", "conditions": [{**wanted, "owner_id": "usr_nobody"}]},
    ):
        assert lead.post(place, wrong).status_code == 422
    passed = lead.post(place, {"verdict": "go_with_conditions", "conditions": [wanted]})
    assert passed.status_code == 201
    samples.begin(lead, home, Phase.BASELINE_EVALUATION)
    samples.measure(lead, home, Phase.BASELINE_EVALUATION)
    gate = lead.get(f"{home}/gates/baseline_evaluation").json()
    condition = gate["conditions"][0]
    assert [each["code"] for each in gate["blockers"]] == [f"condition_{condition['id']}.missing"]
    assert lead.post(f"{home}/gates/baseline_evaluation/decide", {"verdict": "go"}).status_code == 409
    met = lead.post(f"/api/v1/conditions/{condition['id']}/meet", {"note": "Section 2 of the card."})
    assert met.json()["note"] == "Section 2 of the card."
    assert lead.post(f"/api/v1/conditions/{condition['id']}/meet", {"note": "Again."}).status_code == 409
    assert lead.post(f"{home}/gates/baseline_evaluation/decide", {"verdict": "go"}).status_code == 201


def test_the_clients_approver_signs_or_refuses(house, under_way, work_to, samples, reader):
    lead, home = (
        work_to(under_way.engagement_id, Phase.BASELINE_EVALUATION),
        f"/api/v1/engagements/{under_way.engagement_id}",
    )
    samples.measure(lead, home, Phase.BASELINE_EVALUATION)
    ana = reader(Role.CLIENT_APPROVER, client_id=under_way.client_id).actor
    place = f"{home}/gates/baseline_evaluation/decide"
    condition = {"text": "Score the retrieval baseline", "due": "2026-12-04"}
    first = lead.post(place, {"verdict": "go_with_conditions", "conditions": [condition]}).json()
    assert first["state"] == "awaiting_client"
    assert lead.post(place, {"verdict": "go"}).json()["code"] == "gate_conflict"
    assert lead.post(f"/api/v1/gates/{first['id']}/sign", {"agree": True}).status_code == 403
    with house.wiring.store.read() as session:
        assert any(row.person_id == ana.id for row in session.exec(select(Notice)))
    approver = house.api(Role.CLIENT_APPROVER, client_id=under_way.client_id)
    assert approver.post(f"/api/v1/gates/{first['id']}/sign", {"agree": False}).status_code == 422
    refused = approver.post(f"/api/v1/gates/{first['id']}/refuse", {"reason": "Tariff questions are missing."})
    assert (refused.status_code, refused.json()["state"]) == (200, "refused")
    assert states(lead, home)[1] == "in_progress"
    assert lead.get(f"{home}/gates/baseline_evaluation").json()["conditions"] == []
    second = lead.post(place, {"verdict": "go"}).json()
    signed = approver.post(f"/api/v1/gates/{second['id']}/sign", {"agree": True})
    assert (signed.status_code, signed.json()["cosigned_by_name"]) == (200, approver.actor.name)
    assert approver.post(f"/api/v1/gates/{second['id']}/sign", {"agree": True}).status_code == 409
    assert states(lead, home)[1:3] == ["done", "ready"]
    with house.wiring.store.read() as session:
        assert list(verify(session, house.organisation_id, RECORDS)) == []


@on_sqlite
def test_where_the_prompt_is_enough_stop_is_the_agreed_answer_and_its_price_is_due(house, under_way, work_to, samples):
    lead, home = (
        work_to(under_way.engagement_id, Phase.BASELINE_EVALUATION),
        f"/api/v1/engagements/{under_way.engagement_id}",
    )
    for name, content in (("a", samples.evaluation("base_model", 240)), ("b", samples.evaluation("best_prompt", 500))):
        lead.post(f"{home}/evidence", samples.posted(content, name))
    gate = lead.get(f"{home}/gates/baseline_evaluation").json()
    assert [(each["code"], each["remedy"]) for each in gate["blockers"]] == [
        ("stop_condition.failed", "the prompt is enough: stop is the agreed answer")
    ]
    stopped = lead.post(f"{home}/gates/baseline_evaluation/decide", {"verdict": "stop", "reason": "The prompt does."})
    assert stopped.status_code == 201
    assert states(lead, home) == ["done", "stopped", "planned", "planned", "planned", "planned"]
    assert lead.get(home).json()["state"] == "closing"
    due = next(each for each in lead.get(f"{home}/milestones").json()["items"] if each["code"] == "S1")
    plan = lead.get(f"{home}/baseline").json()["plan"]
    paid = [each for each in plan["payments"] if each["gate"] in {0, 1}]
    cents = round(100 * (float(plan["stop_price"]["amount"]) - sum(float(each["net"]["amount"]) for each in paid)))
    assert due["net_minor"] == cents


@on_sqlite
def test_an_engagement_is_walked_to_its_end_and_managed_month_by_month(house, under_way, work_to, samples):
    lead, home = work_to(under_way.engagement_id, Phase.MANAGEMENT), f"/api/v1/engagements/{under_way.engagement_id}"
    criteria = lead.get(f"{home}/criteria").json()["criteria"]
    assert [each["outcome"] for each in criteria] == ["pass", "pass", "pass", None]
    place = f"{home}/gates/management/decide"
    samples.measure(lead, home, Phase.MANAGEMENT)
    assert lead.post(place, {"verdict": "go"}).status_code == 201
    gate = lead.get(f"{home}/gates/management").json()
    assert (gate["state"], gate["round"], len(gate["blockers"])) == ("in_progress", 2, 4)
    house.clock.move(timedelta(days=370))
    samples.measure(lead, home, Phase.MANAGEMENT, "-year")
    assert lead.post(place, {"verdict": "go"}).status_code == 201
    assert states(lead, home) == ["done"] * 6
    assert lead.get(home).json()["state"] == "closing"
    payments = [each for each in lead.get(f"{home}/milestones").json()["items"] if each["kind"] == "payment"]
    assert all(each["reached_on"] for each in payments)
    assert datetime.fromisoformat(lead.get(f"{home}/gates/management").json()["sittings"][-1]["at"]).year == 2027
    with house.wiring.store.read() as session:
        assert list(verify(session, house.organisation_id, RECORDS)) == []
