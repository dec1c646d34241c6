"""The plan over the API: phases that move on, days that move with a reason, and what a client's people see of it."""

from typing import Any

import pytest
from sqlmodel import select

from engagements.core.audit import verify
from engagements.core.models import OutboxEvent
from engagements.core.roles import Role, system_actor
from engagements.delivery.models import Baseline, Standing
from engagements.notices.models import Notice
from engagements.people.users import add_user, end_access
from engagements.tables import RECORDS

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For rules that no database decides."""


def plan_of(api, engagement) -> dict[str, Any]:
    answer = api.get(f"/api/v1/engagements/{engagement.engagement_id}/plan")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def phase_of(plan, name: str) -> dict[str, Any]:
    return next(each for each in plan["phases"] if each["phase"] == name)


def step(api, engagement, name: str, body: object = None, phase: str = "data_preparation"):
    return api.post(f"/api/v1/engagements/{engagement.engagement_id}/phases/{phase}/{name}", body or {})


def move(api, engagement, **body: object):
    return api.post(f"/api/v1/engagements/{engagement.engagement_id}/plan/reschedule", body)


def somebody(house, name: str = "Bo Lindt", role: Role = Role.DELIVERY_MEMBER) -> str:
    with house.wiring.store.write() as session:
        owner, email = system_actor(house.organisation_id), f"{name.split(maxsplit=1)[0].lower()}@example.com"
        return add_user(session, owner, name=name, email=email, role=role, at=house.clock.now()).id


def told(house) -> list[tuple[str, dict[str, Any]]]:
    with house.wiring.store.read() as session:
        rows = session.exec(select(OutboxEvent).order_by(OutboxEvent.id))
        return [(row.type, row.data) for row in rows if row.type in {"phase.changed", "plan.changed"}]


def test_a_phase_is_started_blocked_unblocked_and_handed_in_for_its_gate(house, under_way):
    lead = house.api(Role.DELIVERY_LEAD)
    begun = step(lead, under_way, "start", {"begun_on": "2026-11-20"})
    assert begun.status_code == 200, begun.text
    assert (begun.json()["state"], begun.json()["actual_begin"]) == ("in_progress", "2026-11-20")
    blocked = step(lead, under_way, "block", {"reason": "The export is not there.", "since": "2026-11-23"}).json()
    assert (blocked["state"], blocked["blocked_since"]) == ("blocked", "2026-11-23")
    assert step(lead, under_way, "unblock").json()["blocked_reason"] == ""
    assert step(lead, under_way, "review").json()["possible"] == ["resume"]
    assert step(lead, under_way, "resume").json()["state"] == "in_progress"
    states = [data["state"] for kind, data in told(house) if kind == "phase.changed"]
    assert states[-5:] == ["in_progress", "blocked", "in_progress", "gate_review", "in_progress"]
    client = house.api(Role.CLIENT_VIEWER, client_id=under_way.client_id)
    seen = phase_of(plan_of(client, under_way), "data_preparation")
    assert (seen["state"], seen["possible"]) == ("in_progress", [])
    with house.wiring.store.read() as session:
        assert session.get_one(Standing, under_way.engagement_id).state == "in_progress"
        assert list(verify(session, house.organisation_id, RECORDS)) == []


@ON_SQLITE
def test_skipping_ahead_and_days_that_cannot_be_are_refused_and_change_nothing(house, under_way):
    lead = house.api(Role.DELIVERY_LEAD)
    before, events = plan_of(lead, under_way), told(house)
    for answer, code in (
        (step(lead, under_way, "start", phase="training"), "phase_conflict"),
        (step(lead, under_way, "block", {"reason": "Too early."}), "phase_conflict"),
        (step(lead, under_way, "review"), "phase_conflict"),
        (step(lead, under_way, "start", {"begun_on": "2026-11-24"}), "date.in_future"),
    ):
        problem = answer.json()
        assert code in {problem["code"], *(each["code"] for each in problem.get("errors", ()))}
        assert answer.status_code == (409 if code == "phase_conflict" else 422)
        assert problem.get("remedy") or problem["errors"][0]["remedy"]
    assert step(lead, under_way, "start", phase="no_such_phase").status_code == 404
    assert (plan_of(lead, under_way), told(house)) == (before, events)


@ON_SQLITE
def test_an_engagement_that_rests_takes_no_work(house, under_way):
    lead = house.api(Role.DELIVERY_LEAD)
    home = f"/api/v1/engagements/{under_way.engagement_id}"
    version = lead.get(home).json()["version"]
    assert lead.patch(home, {"state": "on_hold", "reason": "Budget freeze."}, version=version).status_code == 200
    before = plan_of(lead, under_way)
    for answer in (
        step(lead, under_way, "start"),
        move(lead, under_way, phase="training", begin="2027-03-01", reason="Later."),
        lead.post(f"{home}/milestones", {"name": "Kick-off", "planned_on": "2027-01-11"}),
        lead.patch(f"/api/v1/phases/{before['phases'][0]['id']}", {"owner_id": None}, version=1),
        lead.post(f"/api/v1/deliverables/{before['deliverables'][0]['id']}/review"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "engagement_not_active")
        assert answer.json()["remedy"] == "make the engagement active again first"
    assert plan_of(lead, under_way) == before


@ON_SQLITE
def test_an_owner_is_of_the_agency_and_one_who_left_is_shown_as_such(house, under_way):
    lead, bo = house.api(Role.DELIVERY_LEAD), somebody(house)
    phase = plan_of(lead, under_way)["phases"][0]
    at = f"/api/v1/phases/{phase['id']}"
    owned = lead.patch(at, {"owner_id": bo}, version=phase["version"])
    assert (owned.json()["owner_name"], owned.json()["owner_left"]) == ("Bo Lindt", False)
    assert lead.patch(at, {"owner_id": None}, version=phase["version"]).status_code == 412
    with house.wiring.store.write() as session:
        assert [row.person_id for row in session.exec(select(Notice).where(Notice.person_id == bo))] == [bo]
        end_access(session, system_actor(house.organisation_id), bo, at=house.clock.now())
    assert plan_of(lead, under_way)["phases"][0]["owner_left"] is True
    version = owned.json()["version"]
    for owner, code in ((bo, "owner_left"), ("usr_" + "0" * 26, "owner_unknown")):
        refused = lead.patch(at, {"owner_id": owner}, version=version)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, code)
    assert lead.patch(at, {"owner_id": None}, version=version).json()["owner_name"] == ""


def test_new_days_move_what_follows_and_what_hangs_on_it_and_the_baseline_stays(house, under_way):
    lead = house.api(Role.DELIVERY_LEAD)
    before = plan_of(lead, under_way)
    tried = move(lead, under_way, phase="baseline_evaluation", gate="2027-03-01", dry_run=True).json()
    assert (tried["change_id"], plan_of(lead, under_way)) == (None, before)
    # Five working days later than 22 February; everything after moves by five, over Easter too.
    assert [each["phase"] for each in tried["phases"]] == [
        "baseline_evaluation", "training", "evaluation", "deployment",
    ]  # fmt: skip
    assert tried["phases"][1]["new_begin"] == "2027-03-02"
    saved = move(
        lead, under_way, phase="baseline_evaluation", gate="2027-03-01", reason="The reviewer is away.", by_client=True,
        version=phase_of(before, "baseline_evaluation")["version"],
    ).json()  # fmt: skip
    assert saved | {"change_id": None} == tried
    after = plan_of(lead, under_way)
    for line in after["phases"][:5]:
        moved = next((each for each in saved["phases"] if each["phase"] == line["phase"]), None)
        was = phase_of(before, line["phase"])
        assert line["planned_gate"] == (moved["new_gate"] if moved else was["planned_gate"])
        assert [line["agreed_begin"], line["agreed_gate"]] == [was["agreed_begin"], was["agreed_gate"]]
    assert phase_of(after, "baseline_evaluation")["days_late"] == 5
    assert after["days_late"] > 0
    days = {each["code"]: each for each in (*after["milestones"], *after["deliverables"])}
    for payment in (each for each in after["milestones"] if each["gate"]):
        assert payment["planned_on"] == after["phases"][payment["gate"] - 1]["planned_gate"]
    for owed in (
        each for each in after["milestones"] if each["kind"] == "client_input" and each["phase"] != "management"
    ):
        assert owed["planned_on"] == phase_of(after, owed["phase"])["planned_begin"]
    for item in (each for each in after["deliverables"] if each["due"]):
        assert item["due"] == phase_of(after, item["phase"])["planned_gate"]
        assert item["agreed_due"] == phase_of(after, item["phase"])["agreed_gate"]
    (change,) = after["changes"]
    assert (change["reason"], change["by_client"]) == ("The reviewer is away.", True)
    assert change["moves"]["training"]["begin"] == ["2027-02-23", "2027-03-02"]
    assert all(days[code]["planned_on" if "planned_on" in days[code] else "due"] == new
               for code, (_, new) in change["along"].items())  # fmt: skip
    assert [kind for kind, _ in told(house)][-1] == "plan.changed"
    with house.wiring.store.read() as session:
        (baseline,) = session.exec(select(Baseline))
        assert baseline.plan["phases"][1]["gate_date"] == "2027-02-22"
        assert session.get_one(Standing, under_way.engagement_id).planned_end.isoformat() == after["planned_end"]
        assert list(verify(session, house.organisation_id, RECORDS)) == []


@ON_SQLITE
def test_new_days_that_cannot_be_or_have_no_reason_change_nothing(house, under_way):
    lead = house.api(Role.DELIVERY_LEAD)
    before = plan_of(lead, under_way)
    for body, codes in (
        ({"phase": "training", "begin": "2027-02-27", "gate": "2026-01-05"}, ["date.not_working", "date.in_past"]),
        ({"phase": "training", "begin": "2027-03-01"}, ["field_missing"]),
        ({"phase": "training", "reason": "Nothing."}, ["plan.unchanged"]),
        ({"phase": "training", "begin": "2027-02-10", "reason": "Early."}, ["date.order"]),
    ):
        answer = move(lead, under_way, **body)
        assert (answer.status_code, [each["code"] for each in answer.json()["errors"]]) == (422, codes)
    assert move(lead, under_way, phase="management", begin="2027-05-03", reason="x").status_code == 409
    stale = move(lead, under_way, phase="training", begin="2027-03-01", reason="Late.", version=7)
    assert (stale.status_code, stale.json()["code"]) == (412, "etag_mismatch")
    assert plan_of(lead, under_way) == before
    member = house.api(Role.DELIVERY_MEMBER)
    assert move(member, under_way, phase="training", begin="2027-03-01", reason="x").status_code == 403


@ON_SQLITE
def test_what_began_early_is_planned_from_the_day_it_began(house, under_way):
    lead = house.api(Role.DELIVERY_LEAD)
    step(lead, under_way, "start")
    fixed = move(lead, under_way, phase="data_preparation", begin="2026-12-01", reason="x").json()
    assert fixed["errors"][0]["detail"] == "Data preparation has begun, and that does not move any more"
    done = move(
        lead, under_way, phase="data_preparation", work_end="2026-12-18", gate="2026-12-22", reason="Begun early."
    )
    assert done.status_code == 200, done.text
    first, second = plan_of(lead, under_way)["phases"][:2]
    assert (first["planned_begin"], first["planned_gate"]) == ("2026-11-23", "2026-12-22")
    assert second["planned_begin"] == "2026-12-23"
    assert first["days_late"] < 0


@ON_SQLITE
def test_the_plan_as_csv_names_every_line_and_holds_no_formula(house, under_way):
    lead = house.api(Role.DELIVERY_LEAD)
    made = lead.post(
        f"/api/v1/engagements/{under_way.engagement_id}/milestones",
        {"name": "=HYPERLINK(1)", "planned_on": "2027-01-11"},
    )
    assert made.status_code == 201
    answer = lead.get(f"/api/v1/engagements/{under_way.engagement_id}/plan.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    lines = answer.text.splitlines()
    plan = plan_of(lead, under_way)
    assert len(lines) == 1 + sum(len(plan[part]) for part in ("phases", "milestones", "deliverables"))
    assert "'=HYPERLINK(1)" in answer.text
    assert ",=HYPERLINK" not in answer.text


@ON_SQLITE
def test_nothing_is_planned_before_an_acceptance(house):
    lead = house.api()
    client = lead.post("/api/v1/clients", {"name": "Nordwind", "country": "DE"}).json()
    made = lead.post("/api/v1/engagements", {"client_id": client["id"], "name": "Replies"}).json()
    plan = lead.get(f"/api/v1/engagements/{made['id']}/plan").json()
    assert (plan["baseline"], plan["phases"], plan["planned_end"]) == (None, [], None)
    refused = lead.post(f"/api/v1/engagements/{made['id']}/phases/training/start", {}).json()
    assert (refused["code"], refused["remedy"]) == ("engagement_not_active", "its proposal has to be accepted first")
