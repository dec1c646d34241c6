"""Issuing a report over the API: numbered, frozen, told, read as it was issued; refused where it says nothing new."""

import hashlib
import io
from typing import Any

import pypdf
import pytest
from sqlmodel import col, select

from engagements.core.audit import verify
from engagements.core.models import AuditEvent, OutboxEvent
from engagements.core.roles import Role
from engagements.notices.models import Notice
from engagements.proposals.models import FrozenDocument
from engagements.proposals.sending import Stale
from engagements.reports import issuing
from engagements.reports.issuing import Desk
from engagements.reports.models import StatusReport
from engagements.tables import RECORDS


def reports_in(house: Any) -> list[StatusReport]:
    with house.wiring.store.read() as session:
        rows = session.exec(select(StatusReport).order_by(col(StatusReport.number))).all()
        session.expunge_all()
        return list(rows)


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def test_a_report_is_issued_frozen_told_and_the_next_says_what_moved(house, under_way, reader) -> None:
    lead = house.api(Role.DELIVERY_LEAD)
    theirs = reader(Role.CLIENT_VIEWER, client_id=under_way.client_id)
    address = f"/api/v1/engagements/{under_way.engagement_id}"
    first = lead.post(f"{address}/reports", {"summary": "We begin."})
    assert first.status_code == 201, first.text
    report = first.json()
    assert (report["number"], report["since"], report["health"], report["summary"]) == (
        1,
        None,
        "on_track",
        "We begin.",
    )

    client = house.api(Role.CLIENT_VIEWER, client_id=under_way.client_id)
    assert [each["id"] for each in client.get(f"{address}/reports").json()["items"]] == [report["id"]]
    document = client.get(f"/api/v1/reports/{report['id']}/document")
    assert hashlib.sha256(document.content).hexdigest() == report["pdf_sha256"]
    assert document.headers["etag"] == f'"{report["pdf_sha256"]}"'
    links = [link.get_object() for link in pypdf.PdfReader(io.BytesIO(document.content)).pages[0]["/Annots"]]
    assert any(f"/reports/{report['id']}" in str(link) for link in links)

    assert lead.post(f"{address}/phases/data_preparation/start", {}).status_code in {200, 201}
    second = lead.post(f"{address}/reports").json()
    assert (second["number"], second["since"]) == (2, report["day"])
    text = text_of(lead.get(f"/api/v1/reports/{second['id']}/document").content)
    assert "1 Data preparation ready to start under way" in text
    assert client.get(f"/api/v1/reports/{report['id']}/document").content == document.content

    with house.wiring.store.read() as session:
        told = session.exec(select(Notice).where(Notice.person_id == theirs.actor.id)).all()
        assert [notice.address for notice in told] == [f"/reports/{each['id']}" for each in (report, second)]
        events = session.exec(select(OutboxEvent).where(OutboxEvent.type == "report.issued")).all()
        assert {event.data["report"] for event in events} == {report["id"], second["id"]}
        trail = session.exec(select(AuditEvent).where(AuditEvent.action == "report.issued")).all()
        assert [event.client_sees for event in trail] == [True, True]
        assert list(verify(session, house.organisation_id, RECORDS)) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_may_not_be_issued_is_refused_and_nothing_is_kept(house, under_way, begin) -> None:
    lead = house.api(Role.ACCOUNT_LEAD)
    address = f"/api/v1/engagements/{under_way.engagement_id}/reports"
    assert lead.post(address).status_code == 201
    again = lead.post(address)
    assert (again.status_code, again.json()["code"]) == (409, "report_not_issuable")
    assert "says the very same" in again.json()["detail"]

    unsigned = lead.post("/api/v1/engagements", {"client_id": under_way.client_id, "name": "Not agreed"}).json()["id"]
    assert lead.post(f"/api/v1/engagements/{unsigned}/reports").status_code == 409
    ended = lead.get(f"/api/v1/engagements/{under_way.engagement_id}").json()
    over = {"state": "terminated", "reason": "The budget is gone."}
    assert lead.patch(f"/api/v1/engagements/{ended['id']}", over, version=ended["version"]).status_code == 200
    assert lead.post(address, {"summary": "After the end."}).status_code == 409
    assert lead.get(f"{address}/preview").status_code == 409

    elsewhere = begin("Theirs", elsewhere=True)
    assert lead.post(f"/api/v1/engagements/{elsewhere.engagement_id}/reports").status_code == 404
    assert len(reports_in(house)) == 1
    with house.wiring.store.read() as session:
        kept = select(FrozenDocument).where(col(FrozenDocument.name).startswith("status-report"))
        assert len(session.exec(kept).all()) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_another_clients_people_and_drafts_are_out_of_reach(house, under_way, begin) -> None:
    lead = house.api(Role.ACCOUNT_LEAD)
    address = f"/api/v1/engagements/{under_way.engagement_id}/reports"
    report = lead.post(address).json()["id"]
    stranger = house.api(Role.CLIENT_APPROVER, client_id=begin("Another").client_id)
    for path in (address, f"/api/v1/reports/{report}", f"/api/v1/reports/{report}/document"):
        assert stranger.get(path).status_code == 404
    theirs = house.api(Role.CLIENT_APPROVER, client_id=under_way.client_id)
    assert theirs.get(f"{address}/preview").status_code == 403
    assert theirs.post(address).status_code == 403
    assert house.api(Role.DELIVERY_MEMBER).post(address).status_code == 403


def test_what_changed_while_it_was_rendered_is_prepared_anew(house, under_way) -> None:
    lead = house.api(Role.DELIVERY_LEAD)
    store, at = house.wiring.store, house.clock.now()
    desk = Desk(agency=house.wiring.settings.agency, base_url="https://sixfold.example.com")
    prepared = issuing.prepare(store, lead.actor, under_way.engagement_id, desk, "", at=at)
    start = f"/api/v1/engagements/{under_way.engagement_id}/phases/data_preparation/start"
    assert lead.post(start, {}).status_code in {200, 201}
    with pytest.raises(Stale), store.write() as session:
        issuing.issue(session, lead.actor, under_way.engagement_id, prepared, at=at)
    assert reports_in(house) == []
    key = {"Idempotency-Key": "once"}
    address = f"/api/v1/engagements/{under_way.engagement_id}/reports"
    issued = [lead.ask("POST", address, json={"summary": ""}, headers=key) for _ in range(2)]
    assert issued[0].json() == issued[1].json()
    assert issued[1].headers["idempotency-replayed"] == "true"
    assert len(reports_in(house)) == 1
