"""Evidence over the API: recorded once, never edited, read by who may."""

import pytest

from engagements.core.audit import verify
from engagements.core.roles import Role
from engagements.tables import RECORDS


def test_evidence_is_recorded_once_and_a_lost_answer_is_fetched_again(house, under_way, samples):
    member, home = house.api(Role.DELIVERY_MEMBER), f"/api/v1/engagements/{under_way.engagement_id}/evidence"
    first = member.post(home, samples.posted(samples.dataset()))
    assert first.status_code == 201
    made = first.json()
    assert (made["phase"], made["round"], made["kind"]) == ("data_preparation", 1, "dataset_version")
    assert member.post(home, samples.posted(samples.dataset())).json() == made
    differs = member.post(home, samples.posted(samples.dataset(card_sha256=None)))
    assert (differs.status_code, differs.json()["code"]) == (409, "evidence_differs")
    newer = member.post(home, samples.posted(samples.dataset(name="tickets@v4"), "two", supersedes=made["id"])).json()
    again = member.post(home, samples.posted(samples.dataset(name="tickets@v5"), "three", supersedes=made["id"]))
    assert (again.status_code, again.json()["code"]) == (409, "evidence_superseded")
    assert [each["superseded_by"] for each in member.get(home).json()["items"]] == [None, newer["id"]]
    assert member.get(f"{home}?kind=deployment").json()["items"] == []
    with house.wiring.store.read() as session:
        assert list(verify(session, house.organisation_id, RECORDS)) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_refusal_lists_everything_and_records_nothing(house, under_way, samples):
    lead, home = house.api(), f"/api/v1/engagements/{under_way.engagement_id}/evidence"
    splits = [{**split, "sha256": "a" * 64} for split in samples.dataset()["splits"]]
    twisted = samples.posted(samples.dataset(splits=splits), measured_at="2026-12-24T00:00:00Z")
    refused = lead.post(home, twisted)
    assert refused.status_code == 422
    assert [each["pointer"] for each in refused.json()["errors"]] == [
        "/measured_at", "/content/splits/1/sha256", "/content/splits/2/sha256",
    ]  # fmt: skip
    early = lead.post(home, samples.posted(samples.training(), phase="training"))
    assert (early.status_code, early.json()["code"]) == (409, "phase_not_begun")
    unknown = lead.post(home, samples.posted(samples.dataset(), supersedes="evi_01m82z3znf0vgdtfv3fsj0k9mf"))
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/supersedes")
    version = lead.get(f"/api/v1/engagements/{under_way.engagement_id}").json()["version"]
    hold = {"state": "on_hold", "reason": "The client has a freeze."}
    assert lead.patch(f"/api/v1/engagements/{under_way.engagement_id}", hold, version=version).status_code == 200
    resting = lead.post(home, samples.posted(samples.dataset()))
    assert (resting.status_code, resting.json()["code"]) == (409, "engagement_not_active")
    assert lead.get(home).json()["items"] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_client_reads_evidence_without_costs(house, under_way, samples):
    home = f"/api/v1/engagements/{under_way.engagement_id}/evidence"
    made = house.api().post(home, samples.posted(samples.training())).json()
    assert made["content"]["cost"] == {"amount": "21.40", "currency": "EUR"}
    viewer = house.api(Role.CLIENT_VIEWER, client_id=under_way.client_id)
    seen = viewer.get(f"/api/v1/evidence/{made['id']}").json()
    assert "cost" not in seen["content"]
    assert (seen["recorded_by"], seen["sha256"]) == (None, made["sha256"])
    assert viewer.post(home, samples.posted(samples.dataset())).status_code == 403
