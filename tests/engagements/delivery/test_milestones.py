"""Days that count: our own, what a client owes, and payments that nobody ticks."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import col, select

from engagements.core.audit import record, verify
from engagements.core.roles import Role, system_actor
from engagements.delivery.milestones import engagements_with_months, reach_months
from engagements.delivery.models import Milestone, PhaseRecord
from engagements.tables import RECORDS
from estimator.phases import Phase


def milestones_of(api, engagement) -> dict[str, dict]:
    items = api.get(f"/api/v1/engagements/{engagement.engagement_id}/milestones").json()["items"]
    return {each["code"]: each for each in items}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_day_of_our_own_is_added_and_reached_once(house, under_way):
    lead = house.api(Role.DELIVERY_LEAD)
    home = f"/api/v1/engagements/{under_way.engagement_id}/milestones"
    made = lead.post(home, {"name": "Kick-off", "planned_on": "2026-11-27", "phase": "data_preparation"}).json()
    assert (made["code"], made["agreed_on"], made["standing"]) == ("M1", None, "due")
    house.clock.move(timedelta(days=7))
    assert milestones_of(lead, under_way)["M1"]["standing"] == "late"
    at = f"/api/v1/milestones/{made['id']}/reach"
    assert lead.post(at, {"reached_on": "2026-12-01"}).status_code == 422
    assert lead.post(at, {"reached_on": "2026-11-27"}).json()["days_late"] == 0
    again = lead.post(at, {})
    assert (again.status_code, again.json()["code"]) == (409, "milestone_conflict")
    assert lead.post(home, {"name": "Yesterday", "planned_on": "2026-11-29"}).status_code == 422
    assert lead.post(home, {"name": "Pay us", "kind": "payment", "planned_on": "2027-01-04"}).status_code == 422


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_the_client_owed_is_received_late_with_its_effect_in_words_for_both(house, under_way):
    lead = house.api(Role.DELIVERY_LEAD)
    client = house.api(Role.CLIENT_APPROVER, client_id=under_way.client_id)
    owed = milestones_of(client, under_way)["N1"]
    assert (owed["kind"], owed["planned_on"], owed["standing"]) == ("client_input", "2027-01-11", "due")
    house.clock.at = datetime(2027, 1, 13, 9, tzinfo=UTC)
    assert milestones_of(client, under_way)["N1"]["days_late"] == 2
    received = lead.post(f"/api/v1/milestones/{owed['id']}/reach", {}).json()
    assert received["note"] == (
        "It came 2 working days after the day planned, 2027-01-11. Data preparation was planned to begin on 2027-01-11 "
        "and can begin 2 working days later."
    )
    assert milestones_of(client, under_way)["N1"]["note"] == received["note"]
    assert client.post(f"/api/v1/milestones/{owed['id']}/reach", {}).status_code == 403


def test_a_payment_is_not_ticked_by_hand_but_a_month_of_service_reaches_its_own(house, under_way):
    lead, viewer = house.api(Role.ACCOUNT_LEAD), house.api(Role.DELIVERY_LEAD)
    days = milestones_of(lead, under_way)
    at_gate = next(each for each in days.values() if each["gate"] == 2)
    refused = lead.post(f"/api/v1/milestones/{at_gate['id']}/reach", {})
    assert (refused.status_code, refused.json()["remedy"]) == (409, "it is reached when gate 2 passes")
    assert at_gate["net_minor"] > 0
    assert milestones_of(viewer, under_way)[at_gate["code"]]["net_minor"] is None
    today, at = date(2027, 6, 30), house.clock.now()
    with house.wiring.store.write() as session:
        assert engagements_with_months(session, today=today) == []
        assert reach_months(session, under_way.engagement_id, at=at, today=today) == ()
        management = session.exec(select(PhaseRecord).where(PhaseRecord.phase == Phase.MANAGEMENT)).one()
        management.actual_begin = date(2027, 4, 30)
        record(session, system_actor(house.organisation_id), "phase.started", management, at=at)
        assert engagements_with_months(session, today=date(2027, 5, 29)) == []
        assert engagements_with_months(session, today=today) == [under_way.engagement_id]
    house.clock.at = datetime(2027, 6, 30, 9, tzinfo=UTC)
    sweeper = house.wiring.sweeper
    assert (sweeper.reach_months(), sweeper.reach_months()) == (2, 0)
    with house.wiring.store.read() as session:
        rows = session.exec(select(Milestone).where(col(Milestone.month).is_not(None)).order_by(col(Milestone.month)))
        reached = {row.month: row.reached_on for row in rows if row.month and row.month <= 3}
        assert reached == {1: date(2027, 5, 30), 2: date(2027, 6, 30), 3: None}
        assert list(verify(session, house.organisation_id, RECORDS)) == []
