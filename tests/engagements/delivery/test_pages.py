"""The plan's pages: what a lead does from them without JavaScript, and what the client's approver decides there."""

import pytest

from engagements.core.roles import Role

FILE = {"link": "https://files.example.com/d1.pdf", "sha256": "a" * 64}

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def plan(api, engagement) -> dict:
    return dict(api.get(f"/api/v1/engagements/{engagement.engagement_id}/plan").json())


def test_a_lead_starts_a_phase_looks_what_moves_and_saves_it(house, under_way, reader):
    lead, api = reader(Role.DELIVERY_LEAD), house.api()
    home = f"/engagements/{under_way.engagement_id}/plan"
    begun = lead.follow(lead.post(f"{home}/phases/data_preparation/start", {"begun_on": ""}))
    assert "Data preparation was started" in begun.text
    assert "In progress" in begun.text
    again = lead.post(f"{home}/phases/data_preparation/start", {"begun_on": ""})
    assert again.status_code == 409
    assert "It can be blocked or handed in for its gate." in again.text
    before = plan(api, under_way)
    days = {"phase": "training", "begin": "2027-03-06", "work_end": "", "gate": "", "reason": "", "seen": "1"}
    wrong = lead.post(f"{home}/reschedule", days | {"step": "preview"})
    assert (wrong.status_code, "Take 2027-03-08, the next working day" in wrong.text) == (422, True)
    shown = lead.post(f"{home}/reschedule", days | {"begin": "2027-03-08", "step": "preview"})
    assert (shown.status_code, "Save these days" in shown.text) == (200, True)
    assert plan(api, under_way) == before
    saved = {"begin": "2027-03-08", "reason": "The machines come later.", "by_client": "yes", "step": "save"}
    after = lead.follow(lead.post(f"{home}/reschedule", days | saved))
    assert "The machines come later." in after.text
    assert "it waited for the client" in after.text
    assert lead.post(f"{home}/reschedule", days | saved | {"begin": "2027-03-15"}).status_code == 412


def test_a_lead_blocks_a_phase_gives_it_an_owner_and_marks_what_came(house, under_way, reader):
    lead, api = reader(Role.DELIVERY_LEAD), house.api()
    home = f"/engagements/{under_way.engagement_id}/plan"
    lead.post(f"{home}/phases/data_preparation/start", {"begun_on": ""})
    nothing = lead.post(f"{home}/phases/data_preparation/block", {"reason": "", "since": ""})
    assert (nothing.status_code, "The text is blank" in nothing.text) == (422, True)
    lead.post(f"{home}/phases/data_preparation/block", {"reason": "No export yet.", "since": ""})
    version = plan(api, under_way)["phases"][0]["version"]
    form = {"owner_id": lead.actor.id, "version": str(version)}
    shown = lead.follow(lead.post(f"{home}/phases/data_preparation/owner", form)).text
    assert "No export yet." in shown
    assert lead.actor.name in shown
    added = {"kind": "client_input", "name": "A second archive", "planned_on": "2026-12-01", "phase": "training"}
    assert "A second archive" in lead.follow(lead.post(f"{home}/milestones/new", added)).text
    made = next(each for each in plan(api, under_way)["milestones"] if each["code"] == "M1")
    assert "A second archive" in lead.get(f"/milestones/{made['id']}/reach").text
    assert "M1 is marked" in lead.follow(lead.post(f"/milestones/{made['id']}/reach", {"reached_on": ""})).text
    for page in (f"{home}/phases/training", f"{home}/milestones/new", f"{home}/reschedule?phase=training"):
        assert lead.get(page).status_code == 200


def test_the_approver_returns_and_accepts_what_is_handed_over_and_sees_no_more_than_that(house, under_way, reader):
    lead, second, api = reader(Role.DELIVERY_LEAD), house.api(Role.DELIVERY_LEAD), house.api(Role.DELIVERY_LEAD)
    approver = reader(Role.CLIENT_APPROVER, client_id=under_way.client_id)
    item = plan(api, under_way)["deliverables"][0]
    at = f"/deliverables/{item['id']}"
    assert "You decide about it when it is handed over" in approver.get(at).text
    lead.follow(lead.post(f"{at}/file", FILE | {"owner_id": "", "version": str(item["version"])}))
    assert FILE["link"] not in approver.get(at).text
    lead.post(f"{at}/review")
    own = lead.post(f"{at}/submit")
    assert (own.status_code, "Ask a colleague to submit it." in own.text) == (403, True)
    assert second.post(f"/api/v1{at}/submit").status_code == 200
    assert FILE["link"] in approver.get(at).text
    assert approver.post(f"{at}/reject", {"reason": " "}).status_code == 422
    returned = approver.follow(approver.post(f"{at}/reject", {"reason": "The card names no source."}))
    assert "The card names no source." in returned.text
    current = plan(api, under_way)["deliverables"][0]
    assert api.patch(f"/api/v1{at}", FILE, version=current["version"]).json()["edition"] == 2
    api.post(f"/api/v1{at}/review")
    second.post(f"/api/v1{at}/submit")
    done = approver.follow(approver.post(f"{at}/accept", {"sha256": FILE["sha256"], "reservations": ""}))
    assert "It is accepted, and stays as it is." in done.text
    board = approver.get(f"/engagements/{under_way.engagement_id}/plan").text
    assert "What we need from you" in board
    assert "Move days" not in board
