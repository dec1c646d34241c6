"""Logging time and costs over the API: what is taken, what is refused, who decides; the totals always follow."""

import pytest
from sqlmodel import select

from engagements.actuals.models import Alert, CostEntry, TimeEntry
from engagements.core.audit import verify
from engagements.core.models import OutboxEvent
from engagements.core.roles import Role
from engagements.delivery.models import Standing
from engagements.notices.models import Notice
from engagements.tables import RECORDS


def standing_fits(team) -> Standing:
    """The row that lists show is the sum of its entries, and every change stands in the trail."""
    with team.house.wiring.store.read() as session:
        assert list(verify(session, team.house.organisation_id, RECORDS)) == []
        time = session.exec(select(TimeEntry).where(TimeEntry.engagement_id == team.engagement_id)).all()
        costs = session.exec(select(CostEntry).where(CostEntry.engagement_id == team.engagement_id)).all()
        row = session.get_one(Standing, team.engagement_id)
        assert row.minutes == sum(each.minutes for each in time)
        known = [each.spent_minor for each in time] + [each.amount_minor for each in costs]
        assert row.spent_minor == sum(amount for amount in known if amount is not None)
        assert row.spent_unknown == known.count(None)
        open_alerts = session.exec(select(Alert).where(Alert.engagement_id == team.engagement_id)).all()
        assert row.open_alerts == sum(each.acknowledged_at is None for each in open_alerts)
        session.expunge(row)
        return row


def test_a_week_from_the_first_entry_to_the_invoice_and_what_each_state_locks(team):
    made = team.log(external_id="t-1")
    assert made.status_code == 201, made.text
    entry = made.json()
    assert (entry["state"], entry["warnings"], entry["spent_minor"]) == ("open", [], None)
    assert team.log(external_id="t-1").json()["id"] == entry["id"]
    assert team.log(external_id="t-1", minutes=91).json()["code"] == "already_exists"
    shown = team.account.get(f"/time/{entry['id']}").json()
    assert (shown["cost_minor"], shown["price_minor"], shown["spent_minor"]) == (7_800, 13_000, 11_700)
    changed = team.member.ask("PATCH", f"/time/{entry['id']}", {"minutes": 60}, version=entry["version"])
    assert changed.json()["minutes"] == 60

    assert team.step(team.member, "submit", week="2026-W48").status_code == 200
    assert team.log(day="2026-11-24").json()["code"] == "week_locked"
    refused = team.member.ask("PATCH", f"/time/{entry['id']}", {"minutes": 5}, version=3)
    assert refused.json()["code"] == "entry_locked"
    back = team.step(team.lead, "reject", week="2026-W48", person_id=team.member.id, reason="Thursday is missing")
    assert back.json()["items"][0]["state_reason"] == "Thursday is missing"
    assert team.log(day="2026-11-26", minutes=30).status_code == 201
    assert team.step(team.member, "submit", week="2026-W48").status_code == 200
    assert team.step(team.lead, "approve", week="2026-W48", person_id=team.member.id).status_code == 200
    reopened = team.step(team.lead, "reopen", ids=[entry["id"]], reason="Wrong role")
    assert reopened.json()["items"][0]["state"] == "open"
    assert (standing_fits(team).minutes, standing_fits(team).spent_minor) == (90, 11_700)


def test_a_person_has_24_hours_a_day_over_all_engagements_and_is_told_what_is_left(team, begin):
    other = begin("Second")
    assert team.log(minutes=1_380).status_code == 201
    refused = team.member.post(f"/engagements/{other.engagement_id}/time", {
        "phase": "data_preparation", "role": "data_engineer", "day": "2026-11-27", "minutes": 120,
    })  # fmt: skip
    assert refused.status_code == 201
    refused = team.member.post(f"/engagements/{other.engagement_id}/time", {
        "phase": "data_preparation", "role": "data_engineer", "day": "2026-11-23", "minutes": 120,
    })  # fmt: skip
    assert refused.status_code == 422, "the acceptance of the second is later, and the day is full"
    codes = {problem["code"] for problem in refused.json()["errors"]}
    assert "day_over_24_hours" in codes
    assert standing_fits(team).minutes == 1_380


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_may_log_and_approve_what(team, house, person):
    entry = team.log().json()
    assert team.log(team.member, person_id=team.lead.id).json()["code"] == "forbidden_role"
    assert team.log(team.lead, person_id=team.member.id, minutes=5).status_code == 201
    assert team.step(team.member, "submit", week="2026-W48").status_code == 200
    own = team.step(team.lead, "approve", week="2026-W48", person_id=team.member.id)
    assert (own.status_code, own.json()["code"]) == (403, "second_person_required"), "the lead logged a part of it"
    assert team.member.get(f"/time/{entry['id']}").json()["state"] == "submitted"
    assert team.step(team.account, "approve", week="2026-W48", person_id=team.member.id).status_code == 200

    key = house.api(Role.DELIVERY_LEAD)
    body = {"phase": "data_preparation", "role": "annotator", "day": "2026-11-23", "minutes": 60}
    unnamed = key.post(f"/api/v1{team.home}/time", body)
    assert [problem["pointer"] for problem in unnamed.json()["errors"]] == ["/person_id"]
    assert key.post(f"/api/v1{team.home}/time", body | {"person_id": team.lead.id}).status_code == 201
    assert key.get("/api/v1/me/week").status_code == 409
    assert team.member.get(f"{team.home}/costs").status_code == 403
    budget = team.member.get(f"{team.home}/budget").json()
    assert (budget["whole"]["minutes"], budget["whole"]["spent_minor"], budget["quoted"]) == (155, None, None)
    for path in ("time", "budget", "forecast", "alerts", "costs", "invoices", "rates", "earned-value"):
        client = house.api(Role.CLIENT_APPROVER, client_id=_client_of(team))
        assert client.get(f"/api/v1{team.home}/{path}").status_code == 403
    standing_fits(team)


def _client_of(team) -> str:
    with team.house.wiring.store.read() as session:
        return session.get_one(Standing, team.engagement_id).client_id


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_closed_days_phases_ahead_and_engagements_on_hold_take_nothing(team):
    lock = team.account.get("/time-lock").json()
    assert (lock["version"], lock["until"]) == (0, None)
    closed = team.account.ask("PUT", "/time-lock", {"until": "2026-11-24", "reason": "Closed"}, version=0)
    assert closed.json()["until"] == "2026-11-24"
    assert team.log().json()["code"] == "time_locked"
    assert team.account.ask("PUT", "/time-lock", {"until": None, "reason": "Open"}, version=0).status_code == 412
    assert team.account.ask("PUT", "/time-lock", {"until": None, "reason": "Open"}, version=1).status_code == 200
    assert team.log(phase="training").json()["code"] == "phase_conflict"
    engagement = team.account.get(team.home)
    hold = {"state": "on_hold", "reason": "Budget talks"}
    assert team.account.ask("PATCH", team.home, hold, version=engagement.json()["version"]).status_code == 200
    assert team.log().json()["code"] == "engagement_not_active"
    assert team.cost().status_code == 201, "a cost was incurred whether work goes on or not"
    assert standing_fits(team).minutes == 0


def test_machines_post_each_cost_once_and_unknown_amounts_are_counted(team):
    cost = {"machine": True, "external_id": "run-1", "amount_minor": None, "quantity": "1200.5", "unit": "GPU s"}
    first = team.cost(**cost)
    assert (first.status_code, first.json()["source"]) == (201, "machine")
    assert team.cost(**cost).json()["id"] == first.json()["id"]
    assert team.cost(**cost | {"amount_minor": 1}).json()["code"] == "already_exists"
    assert team.cost(amount_minor=-10).json()["code"] == "money.negative"
    assert team.cost(currency="USD").json()["errors"][0]["code"] == "money.mixed_currency"
    assert standing_fits(team).spent_unknown == 1
    known = team.account.ask("PATCH", f"/costs/{first.json()['id']}", {"amount_minor": 900}, version=1)
    assert known.json()["amount_minor"] == 900
    assert team.cost(amount_minor=-400, note="Credit for run-1").status_code == 201
    assert (standing_fits(team).spent_minor, standing_fits(team).spent_unknown) == (500, 0)


def test_the_budget_warns_at_the_moment_of_logging_and_the_leads_hear_once_a_day(team):
    """Data preparation is budgeted at 17,999.31: 15,000 is 83 %, with 4,000 more it is over."""
    first = team.cost(amount_minor=1_500_000)
    warned = [
        (each["kind"], each["phase"], each["threshold"], each["used_percent"]) for each in first.json()["warnings"]
    ]
    assert warned == [("cost", "data_preparation", 80, 83)]
    over = team.cost(amount_minor=400_000).json()["warnings"]
    assert [(each["threshold"], each["used_percent"]) for each in over] == [(100, 105)]
    with team.house.wiring.store.read() as session:
        told = [(each.person_id, each.text) for each in session.exec(select(Notice)) if each.kind == "budget.alert"]
        events = [each for each in session.exec(select(OutboxEvent)) if each.type == "budget.alert"]
    assert {person_id for person_id, _ in told} == {team.account.id}
    assert len(told) == len(events)
    before = len(told)
    alerts = {each["threshold"]: each for each in team.account.get(f"{team.home}/alerts").json()["items"]
              if (each["kind"], each["phase"]) == ("cost", "data_preparation")}  # fmt: skip
    assert sorted(alerts) == [80, 100]
    assert team.member.get(f"{team.home}/alerts").json()["items"] == []
    assert team.cost(amount_minor=1).status_code == 201
    with team.house.wiring.store.read() as session:
        assert len([each for each in session.exec(select(Notice)) if each.kind == "budget.alert"]) == before
    standing = standing_fits(team)
    assert team.account.post(f"/alerts/{alerts[100]['id']}/acknowledge").status_code == 200
    assert standing_fits(team).open_alerts == standing.open_alerts - 1
