"""Burn, earned value and forecast of an engagement whose first gate has passed, and the pages that show them."""

from datetime import date, timedelta

import pytest

from engagements.actuals.alerts import sweep
from engagements.actuals.when import When
from engagements.core import audit
from engagements.core.roles import Role, system_actor
from engagements.delivery.models import PhaseState
from engagements.delivery.opening import phases_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def later(team, role: Role):
    """A key: sessions of people have ended by then."""
    return team.house.api(role)


def pass_first_gate(team, *, begin: date, end: date) -> None:
    """As a gate does it: the first phase is done, the second is under way."""
    with team.house.wiring.store.write() as session:
        ours = system_actor(team.house.organisation_id)
        first, second, *_ = phases_of(session, team.engagement_id)
        first.state, first.actual_begin, first.actual_end = PhaseState.DONE, begin, end
        second.state, second.actual_begin = PhaseState.IN_PROGRESS, end + timedelta(days=1)
        for row in (first, second):
            audit.record(session, ours, "phase.moved", row, at=team.house.clock.now())


def test_earned_value_is_judged_at_the_last_gate(team):
    team.house.clock.move(timedelta(days=100))
    lead, member = (later(team, role) for role in (Role.ACCOUNT_LEAD, Role.DELIVERY_MEMBER))
    cost = {"phase": "data_preparation", "kind": "labelling", "day": "2027-02-08", "currency": "EUR"}
    assert lead.post(f"/api/v1{team.home}/costs", cost | {"amount_minor": 2_000_000}).status_code == 201
    pass_first_gate(team, begin=date(2027, 1, 11), end=date(2027, 2, 16))
    found = lead.get(f"/api/v1{team.home}/earned-value").json()
    at_gate = found["at_gate"]
    assert (at_gate["day"], at_gate["ev_minor"], at_gate["ac_minor"]) == ("2027-02-16", 1_799_931, 2_000_000)
    assert (at_gate["cpi"], at_gate["cost_tone"]) == ("0.9000", "amber")
    assert at_gate["bac_minor"] == sum(
        line["budget_minor"] for line in lead.get(f"/api/v1{team.home}/budget").json()["phases"][:5]
    )
    assert next((gate["phase"], gate["days"]) for gate in found["gates"]) == ("data_preparation", 7)
    forecast = lead.get(f"/api/v1{team.home}/forecast").json()
    assert forecast["phases"][0]["phase"] == "baseline_evaluation"
    assert forecast["cost"]["p50_minor"] > forecast["budget_minor"]
    assert forecast["end"]["p10"] <= forecast["end"]["p50"] <= forecast["end"]["p90"]
    assert member.get(f"/api/v1{team.home}/forecast").json()["cost"] is None


def test_what_nobody_logged_is_found_by_the_sweep(team):
    """The first gate was agreed for 9 February 2027; on 22 February it is 13 days late."""
    team.house.clock.move(timedelta(days=87))
    when = When(at=team.house.clock.now(), zone="UTC")
    with team.house.wiring.store.write() as session:
        assert sweep(session, team.house.organisation_id, when=when) == 1
    late = [
        each["threshold"]
        for each in later(team, Role.DELIVERY_MEMBER).get(f"/api/v1{team.home}/alerts").json()["items"]
    ]
    assert sorted(late) == [1, 5, 10]


def test_the_page_shows_bars_alerts_chart_and_range_and_hides_money_from_a_member(team):
    assert team.cost(amount_minor=1_500_000, note="<b>GPU</b>").status_code == 201
    page = team.account.reader.get(f"{team.home}/actuals").text
    for words in ("Data preparation has used 83 % of its cost budget", "Where it will end", "Earned value", "<svg",
                  "Not quoted", "&lt;b&gt;GPU"):  # fmt: skip
        assert words in page
    member = team.member.reader.get(f"{team.home}/actuals").text
    assert "Budget by phase" in member
    assert "€" not in member
    alert = team.account.get(f"{team.home}/alerts").json()["items"][0]
    gone = team.account.reader.post(f"{team.home}/actuals/alerts/{alert['id']}")
    assert "Alert acknowledged" in team.account.reader.follow(gone).text


def test_a_week_is_logged_handed_in_and_approved_without_a_script(team):
    reader, lead = team.member.reader, team.lead.reader
    form = {"phase": f"{team.engagement_id}/data_preparation", "role": "annotator", "day": "2026-11-24"}
    assert "no time" in reader.post("/time", form | {"minutes": "soon"}).text
    wrong = reader.post("/time", form | {"minutes": "2", "day": "2026-12-24"})
    assert (wrong.status_code, 'id="day-fault"' in wrong.text) == (422, True)
    logged = reader.follow(reader.post("/time", form | {"minutes": "7:30", "note": "Labelling"}))
    assert "7 h 30 min logged" in logged.text
    assert "7.50" in logged.text
    warned = reader.follow(reader.post("/time", form | {"minutes": "24", "day": "2026-11-25"}))
    assert warned.status_code == 200
    assert "Week 2026-W48 handed in" in reader.follow(
        reader.post("/time/submit", {"engagement_id": team.engagement_id, "week": "2026-W48"})
    ).text  # fmt: skip
    assert "Labelling" in lead.get(f"{team.home}/actuals/approval").text
    week = {"week": "2026-W48", "person_id": team.member.id}
    assert "Not yet" in lead.post(f"{team.home}/actuals/approval/reject", week | {"reason": ""}).text
    done = lead.follow(lead.post(f"{team.home}/actuals/approval/approve", week))
    assert "Nothing waits for you" in done.text


def test_a_cost_is_logged_as_it_is_typed(team):
    account = team.account.reader
    form = {"phase": "training", "kind": "compute", "day": "2026-11-24", "note": "", "amount": "12,5"}
    refused = account.post(f"{team.home}/actuals/costs/new", form)
    assert refused.status_code == 422
    assert "12,5" in refused.text
    kept = account.follow(account.post(f"{team.home}/actuals/costs/new", form | {"amount": ""}))
    assert "Cost logged" in kept.text
    assert "unknown" in kept.text
    made = account.follow(account.post(f"{team.home}/actuals/invoices"))
    assert "Invoice 1 handed over" in made.text
