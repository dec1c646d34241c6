"""The pages of changes and of the register, as staff and clients see them."""

import re
from datetime import timedelta

import pytest

from engagements.core.roles import Role


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_change_goes_from_the_form_to_the_clients_agreement_page_by_page(house, under_way, reader):
    lead, second = reader(Role.ACCOUNT_LEAD), reader(Role.ACCOUNT_LEAD, named="second")
    client = reader(Role.CLIENT_APPROVER, client_id=under_way.client_id)
    home = f"/engagements/{under_way.engagement_id}/changes"
    assert "Today: 3600." in lead.get(f"{home}/new").text
    typed = {
        "title": "Label more", "reason": "Two further kinds.", "asks.brief.data.labelling.examples": "4800",
        "other": "drivers.integrations = 3", "asks.lines.0.label": "Workshop", "asks.lines.0.phase": "training",
        "net": "900.50", "currency": "EUR", "days_of": "training", "days": "2",
    }  # fmt: skip
    wrong = lead.post(f"{home}/new", {**typed, "net": "9,5"})
    assert wrong.status_code == 422
    assert "is not an amount of money" in wrong.text
    made = lead.post(f"{home}/new", typed)
    address = made.headers["location"]
    assert "It was not estimated yet." in lead.follow(made).text
    assert "Label more" not in client.get(home).text
    assert client.get(address).status_code == 404
    lead.post(f"{address}/assess")
    own = lead.post(f"{address}/approve")
    assert own.status_code == 403
    assert "does not approve it" in own.text
    second.post(f"{address}/approve")
    lead.post(f"{address}/send")
    page, theirs = lead.get(address).text, client.get(address).text
    assert "Our cost, mean" in page
    assert "Hours, inside" in page
    assert "Our cost" not in theirs
    assert "Hours, inside" not in theirs
    assert "€900.50" in theirs
    confirm = client.get(f"{address}/agree").text
    digest = re.search(r'name="sha256" value="([0-9a-f]{64})"', confirm)
    assert digest
    signed = {"name": "Ana Brandt", "email": "ana@example.com", "sha256": digest[1]}
    assert client.post(f"{address}/agree", signed).status_code == 422
    agreed = client.post(f"{address}/agree", {**signed, "agree": "yes"})
    assert "Agreed; the plan has moved" in client.follow(agreed).text
    listed = client.get(home).text
    assert "Change 1: Label more" in listed
    assert "holds now" in listed
    assert lead.post(f"{address}/withdraw", {"reason": "Late."}).status_code == 409


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_register_is_kept_on_its_page_and_a_broken_assumption_leads_to_its_change(house, under_way, reader):
    lead = reader(Role.DELIVERY_LEAD)
    client = reader(Role.CLIENT_VIEWER, client_id=under_way.client_id)
    home = f"/engagements/{under_way.engagement_id}/register"
    added = lead.post(home, {"kind": "risk", "title": "Hidden risk", "probability": "high", "impact": "low"})
    assert "entered" in lead.follow(added).text
    assert "Hidden risk" not in client.get(home).text
    text = lead.get(home).text
    assumption = re.search(rf'href="({home}/rai_\w+)">A1</a>', text)
    assert assumption
    item = lead.get(assumption[1]).text
    version = re.search(r'name="version" value="(\d+)"', item)
    assert version
    day = (house.clock.now() + timedelta(days=30)).date().isoformat()
    changed = {
        "version": version[1], "title": "Enough examples", "due": day, "trigger.measure": "rounds_used",
        "trigger.operator": "above", "trigger.value": "2", "client_sees": "yes",
    }  # fmt: skip
    assert lead.post(assumption[1], changed).status_code == 303
    assert 'value="rounds_used"' in lead.get(assumption[1]).text
    broken = lead.post(f"{assumption[1]}/break", {"outcome": "Only 2,000 are usable."})
    assert "A1 is broken: Enough examples" in lead.follow(broken).text
    assert "Enough examples" in client.get(home).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_calibration_says_what_is_missing_while_there_is_too_little(house, under_way, reader):
    page = reader(Role.ACCOUNT_LEAD).get("/calibration")
    assert "Nothing has ended yet" in page.text
    assert reader(Role.DELIVERY_MEMBER).get("/calibration").status_code == 403
