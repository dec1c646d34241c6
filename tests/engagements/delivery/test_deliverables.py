"""What is handed over: its states, the second person, the client's decision over the very bytes, and the lock."""

import pytest
from sqlmodel import select

from engagements.core.roles import Role, system_actor
from engagements.notices.models import Notice
from engagements.people.users import add_user

FILE = {"link": "https://files.example.com/d1.pdf", "sha256": "a" * 64}
NEXT = {"link": "https://files.example.com/d1-v2.pdf", "sha256": "b" * 64}


def deliverables_of(api, engagement) -> list[dict]:
    return list(api.get(f"/api/v1/engagements/{engagement.engagement_id}/deliverables").json()["items"])


def do(api, item: dict, step: str, body: object = None):
    return api.post(f"/api/v1/deliverables/{item['id']}/{step}", body or {})


def change(api, item: dict, fields: dict):
    return api.patch(f"/api/v1/deliverables/{item['id']}", fields, version=item["version"])


def handed_over(lead, second, item: dict, file: dict) -> dict:
    change(lead, item, file)
    assert do(lead, item, "review").status_code == 200
    answer = do(second, item, "submit")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_deliverable_is_reviewed_by_a_second_person_returned_and_accepted_in_its_second_edition(house, under_way):
    lead, second = house.api(Role.DELIVERY_LEAD), house.api(Role.DELIVERY_LEAD)
    client = house.api(Role.CLIENT_APPROVER, client_id=under_way.client_id)
    with house.wiring.store.write() as session:
        petra = add_user(
            session, system_actor(house.organisation_id), name="Petra", email="petra@example.com",
            role=Role.CLIENT_APPROVER, client_id=under_way.client_id, at=house.clock.now(),
        ).id  # fmt: skip
    item = deliverables_of(lead, under_way)[0]
    missing = do(lead, item, "review")
    assert (missing.status_code, len(missing.json()["errors"])) == (422, 2)
    with_file = change(lead, item, FILE).json()
    assert do(lead, item, "review").json()["state"] == "internal_review"
    hidden = deliverables_of(client, under_way)[0]
    assert (hidden["state"], hidden["link"], hidden["sha256"]) == ("draft", "", "")
    own = do(lead, item, "submit")
    assert (own.status_code, own.json()["code"]) == (403, "second_person_required")
    submitted = do(second, item, "submit").json()
    assert (submitted["state"], submitted["edition"], with_file["version"]) == ("submitted", 1, 2)
    assert deliverables_of(client, under_way)[0]["sha256"] == FILE["sha256"]
    with house.wiring.store.read() as session:
        (notice,) = session.exec(select(Notice).where(Notice.person_id == petra))
        assert notice.address == f"/deliverables/{item['id']}"
    returned = do(client, item, "reject", {"reason": "Two sources are missing."}).json()
    assert (returned["state"], returned["reason"]) == ("rejected", "Two sources are missing.")
    second_edition = change(lead, returned, NEXT).json()
    assert (second_edition["state"], second_edition["edition"]) == ("draft", 2)
    do(lead, item, "review")
    do(second, item, "submit")
    other = do(client, item, "accept", {"sha256": FILE["sha256"]})
    assert (other.status_code, other.json()["errors"][0]["code"]) == (422, "digest_mismatch")
    accepted = do(client, item, "accept", {"sha256": NEXT["sha256"], "reservations": "Mend the footer."}).json()
    assert (accepted["state"], accepted["reason"]) == ("accepted_with_reservations", "Mend the footer.")
    locked = change(lead, accepted, FILE)
    assert (locked.status_code, locked.json()["code"]) == (423, "deliverable_locked")
    assert do(client, item, "reject", {"reason": "Too late."}).status_code == 409


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_new_file_voids_the_review_and_what_the_client_looks_at_stays(house, under_way):
    lead, second = house.api(Role.DELIVERY_LEAD), house.api(Role.DELIVERY_LEAD)
    item = deliverables_of(lead, under_way)[0]
    changed = change(lead, item, FILE).json()
    in_review = do(lead, item, "review").json()
    assert change(lead, in_review, NEXT).json()["state"] == "draft"
    assert do(second, item, "submit").status_code == 409
    do(lead, item, "review")
    submitted = do(second, item, "submit").json()
    refused = change(lead, submitted, FILE)
    assert (refused.status_code, refused.json()["code"]) == (409, "deliverable_conflict")
    assert deliverables_of(lead, under_way)[0]["sha256"] == NEXT["sha256"]
    assert changed["edition"] == 1
    for wrong in ({"link": "javascript:alert(1)"}, {"sha256": "abc"}):
        assert change(lead, submitted, wrong).status_code == 422


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_only_the_clients_approver_decides_here_and_the_agency_with_evidence_elsewhere(house, under_way):
    lead, second = house.api(Role.DELIVERY_LEAD), house.api(Role.DELIVERY_LEAD)
    account = house.api(Role.ACCOUNT_LEAD)
    item = handed_over(lead, second, deliverables_of(lead, under_way)[0], FILE)
    body = {"sha256": FILE["sha256"]}
    for api in (account, house.api(), house.api(Role.CLIENT_VIEWER, client_id=under_way.client_id)):
        assert do(api, item, "accept", body).status_code == 403
    decision = {"verdict": "rejected", "name": "Ana Brandt", "evidence": "E-mail of 2026-11-22"}
    assert do(lead, item, "on-behalf", decision).status_code == 403
    assert do(account, item, "on-behalf", decision).status_code == 422
    done = do(account, item, "on-behalf", decision | {"reason": "Wrong language."}).json()
    assert (done["state"], done["decided_by_name"]) == ("rejected", "Ana Brandt")
