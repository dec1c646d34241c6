"""A change request from the draft to the next baseline, on both databases."""

from sqlmodel import select

from engagements.core.audit import verify
from engagements.core.roles import Role
from engagements.delivery.models import Milestone, PhaseRecord, Standing
from engagements.tables import RECORDS


def refused(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_an_agreed_change_makes_the_next_baseline_and_moves_what_is_ahead(house, office):
    first = office.read("/api/v1/engagements/{}/baselines/1")
    change = office.agreed()
    versions = office.read("/api/v1/engagements/{}/baselines")["baselines"]
    second = office.read("/api/v1/engagements/{}/baselines/2")
    assert [each["number"] for each in versions] == [2, 1]
    assert versions[0]["change_id"] == change["id"]
    assert office.read("/api/v1/engagements/{}/baselines/1") == first
    assert second["net_minor"] == first["net_minor"] + change["net_minor"]
    assert second["gross_minor"] == first["gross_minor"] + change["gross_minor"]
    assert change["net_minor"] > 0
    assert change["days"] > 0
    with house.wiring.store.read() as session:
        rows = session.exec(select(PhaseRecord).where(PhaseRecord.engagement_id == office.engagement_id)).all()
        planned = {row.phase.number: row.planned_gate.isoformat() for row in rows if row.planned_gate}
        paid = session.exec(select(Milestone).where(Milestone.code == "K1")).one()
        standing = session.get_one(Standing, office.engagement_id)
        assert planned == {each["number"]: each["gate_date"] for each in second["plan"]["phases"] if each["gate_date"]}
        assert (paid.net_minor, paid.gate) == (change["net_minor"], 5)
        assert standing.open_changes == 0
        assert list(verify(session, house.organisation_id, RECORDS)) == []


def test_what_the_parts_of_a_plan_cost_is_what_was_agreed(office):
    office.agreed()
    office.agreed({"brief": {"commercial.management_months": 6}, "lines": [_LINE]}, "Less, and a workshop")
    plan = office.read("/api/v1/engagements/{}/baselines/3")["plan"]
    lines = sum(_minor(line["net"]) for line in plan["lines"])
    for kind in ("net", "gross"):
        assert sum(_minor(each[kind]) for each in plan["payments"]) == _minor(plan[kind])
        assert _minor(plan[kind]) == round(float(plan["agreed"][kind]) * 100)
    assert lines - _minor(plan["discount"]) == _minor(plan["net"])


_LINE = {"label": "Workshop", "phase": "training", "hours": {"ml_engineer": 8}, "net_minor": 90_000}


def _minor(money: dict[str, str]) -> int:
    return round(float(money["amount"]) * 100)


def test_nobody_approves_what_they_wrote_and_it_stays_assessed(office):
    change = office.assessed()
    assert refused(office.lead.post(f"/api/v1/changes/{change['id']}/approve")) == (403, "second_person_required")
    assert office.read(f"/api/v1/changes/{change['id']}") == change


def test_a_change_on_a_stale_baseline_is_refused_until_it_is_assessed_again(office):
    late, sent = office.assessed(title="Late"), office.sent(title="Sent")
    office.agreed(title="Quick")
    answer = office.second.post(f"/api/v1/changes/{late['id']}/approve")
    assert refused(answer) == (409, "change_stale")
    assert "assess it again" in answer.json()["remedy"]
    taken = office.client.post(f"/api/v1/changes/{sent['id']}/agree", office.agreement(sent))
    assert refused(taken) == (409, "change_stale")
    assert len(office.read("/api/v1/engagements/{}/baselines")["baselines"]) == 2
    again = office.step(late, "assess")
    assert (again["on_baseline"], again["stale"]) == (2, False)
    office.step(again, "approve", by=office.second)


def test_of_two_agreements_one_wins(office):
    change = office.sent()
    office.step(change, "agree", office.agreement(change), by=office.client)
    second = office.client.post(f"/api/v1/changes/{change['id']}/agree", office.agreement(change))
    assert refused(second) == (409, "change_conflict")
    assert len(office.read("/api/v1/engagements/{}/baselines")["baselines"]) == 2


def test_what_was_sent_is_frozen_and_a_client_sees_no_cost_and_no_draft(house, office):
    draft, sent = office.drafted(title="Inside"), office.sent()
    edit = office.lead.patch(f"/api/v1/changes/{sent['id']}", {"title": "Other"}, version=sent["version"])
    assert refused(edit) == (423, "change_frozen")
    assert refused(office.lead.post(f"/api/v1/changes/{sent['id']}/assess")) == (423, "change_frozen")
    shown = office.read(f"/api/v1/changes/{sent['id']}", by=office.client)
    assert (shown["net_minor"], shown["days"], shown["sha256"]) == (sent["net_minor"], sent["days"], sent["sha256"])
    assert shown["impact"]["cost"] is None
    assert shown["impact"]["hours"] is None
    assert shown["asks"] is None
    assert office.client.get(f"/api/v1/changes/{draft['id']}").status_code == 404
    assert [each["id"] for each in office.read("/api/v1/engagements/{}/changes", by=office.client)["items"]] == [
        sent["id"]
    ]
    member = office.read(f"/api/v1/changes/{sent['id']}", by=house.api(Role.DELIVERY_MEMBER))
    assert member["impact"]["cost"] is None
    assert member["impact"]["hours"]
    other = office.client.post(f"/api/v1/changes/{sent['id']}/agree", {**office.agreement(sent), "sha256": "0" * 64})
    assert refused(other) == (409, "change_conflict")


def test_value_keeps_original_approved_and_pending_apart(office):
    first = office.agreed()
    waiting = office.assessed({"brief": {"data.labelling.examples": 3000}}, "Less")
    office.drafted(title="Unpriced")
    value = office.read("/api/v1/engagements/{}/value")
    assert waiting["net_minor"] < 0
    assert value["approved_minor"] == first["net_minor"]
    assert (value["pending_minor"], value["pending_unknown"]) == (waiting["net_minor"], 1)
    assert value["agreed_minor"] == value["original_minor"] + first["net_minor"]
    assert value["forecast_minor"] == value["agreed_minor"] + waiting["net_minor"]
    theirs = office.read("/api/v1/engagements/{}/value", by=office.client)
    assert (theirs["pending_minor"], theirs["pending_count"]) == (0, 0)


def test_an_engagement_on_hold_takes_no_change_and_lets_one_be_declined(house, office):
    change, draft = office.sent(), office.drafted(title="Another")
    engagement = office.read("/api/v1/engagements/{}")
    held = {"state": "on_hold", "reason": "No budget until May."}
    office.lead.patch(f"/api/v1/engagements/{office.engagement_id}", held, version=engagement["version"])
    steps = [
        office.lead.post(f"/api/v1/engagements/{office.engagement_id}/changes", {"title": "T", "reason": "R"}),
        office.lead.post(f"/api/v1/changes/{draft['id']}/assess"),
        office.client.post(f"/api/v1/changes/{change['id']}/agree", office.agreement(change)),
    ]
    assert {refused(answer) for answer in steps} == {(409, "engagement_not_active")}
    reason = {"name": "Ana Brandt", "email": "ana@example.com", "reason": "Not this year."}
    declined = office.step(change, "decline", reason, by=office.client)
    assert (declined["state"], declined["baseline_id"]) == ("declined", None)
    assert len(office.read("/api/v1/engagements/{}/baselines")["baselines"]) == 1


def test_what_does_not_fit_the_brief_is_refused_with_every_place(office):
    asks = {"brief": {"commercial.margin_percent": 5, "data.labelling.wings": 2}, "days": {"training": 1}}
    change = office.drafted(asks)
    answer = office.lead.post(f"/api/v1/changes/{change['id']}/assess")
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/asks/brief/commercial/margin_percent", "/asks/brief/data/labelling/wings",
    }  # fmt: skip
    empty = office.drafted({})
    nothing = office.lead.post(f"/api/v1/changes/{empty['id']}/assess").json()
    assert [error["code"] for error in nothing["errors"]] == ["change.asks_nothing"]


def test_the_agency_records_what_a_client_agreed_to_elsewhere_with_its_evidence(office):
    change = office.sent({"lines": [{**_LINE, "net_minor": -50_000, "hours": {}}], "days": {"training": -1}}, "Less")
    body = {"verdict": "agreed", "name": "Ana Brandt", "email": "ana@example.com", "evidence": "E-mail of today."}
    agreed = office.step(change, "on-behalf", body)
    assert (agreed["state"], agreed["net_minor"], agreed["evidence"]) == ("agreed", -50_000, "E-mail of today.")
    following = office.agreed(title="After it")
    assert (following["on_baseline"], following["number"]) == (2, 2)
