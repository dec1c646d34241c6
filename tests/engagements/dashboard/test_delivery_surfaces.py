"""Engagements under way: what waits for whom, what the home shows, and what the client is told, seen by them and us."""

import re
from datetime import date, timedelta

import pytest
from sqlmodel import select

from engagements.changes.models import ChangeRequest, ChangeState
from engagements.core import audit
from engagements.core.models import Engagement
from engagements.core.roles import Role, system_actor
from engagements.dashboard.work import INPUTS_AHEAD
from engagements.delivery import standing
from engagements.delivery.gate_models import GateCondition, GateDecision, GateState, Verdict
from engagements.delivery.models import (
    DeliverableRecord,
    DeliverableState,
    Milestone,
    MilestoneKind,
    PhaseRecord,
    PhaseState,
    RaidItem,
)
from estimator.phases import Phase

TODAY = date(2026, 11, 23)


def change(house, kind, row_id, action="phase.changed", *, client_sees=False, **fields):
    """A step of another package, as the trail and the standing see it."""
    with house.wiring.store.write() as session:
        row = session.get_one(kind, row_id)
        row.sqlmodel_update(fields)
        owner = system_actor(house.organisation_id, "Dora Lind")
        audit.record(session, owner, action, row, at=house.clock.now(), client_sees=client_sees)
        if kind is not Engagement:
            standing.refresh(session, row.engagement_id, at=house.clock.now())


def add(house, kind, under_way, **fields):
    with house.wiring.store.write() as session:
        row = kind(
            id=f"{kind.PREFIX}_{'0' * 26}", organisation_id=house.organisation_id, client_id=under_way.client_id,
            engagement_id=under_way.engagement_id, **fields,
        )  # fmt: skip
        session.add(row)
        audit.record(session, system_actor(house.organisation_id), f"{kind.PREFIX}.made", row, at=house.clock.now())
        return row.id


def ids(house, table, under_way, **equal):
    with house.wiring.store.read() as session:
        chosen = select(table).where(table.engagement_id == under_way.engagement_id)
        rows = session.exec(chosen.order_by(table.id)).all()
        return [row.id for row in rows if all(getattr(row, name) == value for name, value in equal.items())]


def work(api):
    items = api.get("/api/v1/me/work").json()["items"]
    return {item["kind"]: item for item in items}


def at_a_gate(house, under_way, owner_id=None):
    (phase,) = ids(house, PhaseRecord, under_way, phase=Phase.DATA_PREPARATION)
    change(house, PhaseRecord, phase, state=PhaseState.GATE_REVIEW, owner_id=owner_id)
    return phase


def test_the_agencys_work_is_what_each_may_and_has_to_do(house, under_way):
    lead, member = house.api(Role.DELIVERY_LEAD), house.api(Role.DELIVERY_MEMBER)
    at_a_gate(house, under_way, owner_id=member.actor.id)
    first = ids(house, DeliverableRecord, under_way)[0]
    change(house, DeliverableRecord, first, state=DeliverableState.INTERNAL_REVIEW, prepared_by=member.actor.id)
    item = ids(house, RaidItem, under_way)[0]
    change(house, RaidItem, item, owner_id=member.actor.id, due=TODAY - timedelta(days=1))
    theirs, ours = work(member), work(lead)
    assert set(theirs) == {"phase_owned", "register_item_due"}
    assert (theirs["register_item_due"]["is_overdue"], theirs["phase_owned"]["is_overdue"]) == (True, False)
    assert theirs["phase_owned"]["title"] == "Data preparation: gate review"
    assert set(ours) == {"gate_to_decide", "deliverable_to_review"}
    assert ours["gate_to_decide"]["address"] == f"/engagements/{under_way.engagement_id}/gates/data_preparation"
    change(house, DeliverableRecord, first, prepared_by=lead.actor.id)
    assert "deliverable_to_review" not in work(lead), "nobody reviews what they prepared themselves"


def change_request(house, under_way, state, **fields):
    at = house.clock.now()
    return add(
        house, ChangeRequest, under_way, number=1, title="Second language", reason="they asked", state=state,
        on_baseline=1, created_by="usr_x", created_at=at, changed_at=at, **fields,
    )  # fmt: skip


def test_a_change_waits_for_a_second_person_then_for_the_sending_then_for_the_client(house, under_way):
    lead, finance = house.api(Role.ACCOUNT_LEAD), house.api(Role.FINANCE)
    approver = house.api(Role.CLIENT_APPROVER, client_id=under_way.client_id)
    made = change_request(house, under_way, ChangeState.ASSESSED, assessed_by=lead.actor.id)
    assert ("change_to_approve" in work(lead), "change_to_approve" in work(finance)) == (False, True)
    change(house, ChangeRequest, made, state=ChangeState.APPROVED)
    assert ("change_to_send" in work(lead), "change_to_send" in work(finance)) == (True, False)
    assert "change_to_decide" not in work(approver)
    change(house, ChangeRequest, made, state=ChangeState.SENT)
    assert work(approver)["change_to_decide"]["title"] == "Decide change 1: Second language"


def gate_to_sign(house, under_way):
    return add(
        house, GateDecision, under_way, phase=Phase.DATA_PREPARATION, round=1, sitting=1, verdict=Verdict.GO,
        state=GateState.AWAITING_CLIENT, decided_by="usr_x", decided_by_name="Dora Lind", at=house.clock.now(),
    )  # fmt: skip


def test_a_clients_work_is_to_sign_to_accept_and_to_provide_and_a_viewer_is_told_who_does(house, under_way):
    approver = house.api(Role.CLIENT_APPROVER, client_id=under_way.client_id)
    viewer = house.api(Role.CLIENT_VIEWER, client_id=under_way.client_id)
    gate_to_sign(house, under_way)
    first = ids(house, DeliverableRecord, under_way)[0]
    change(house, DeliverableRecord, first, state=DeliverableState.SUBMITTED)
    house.clock.move(timedelta(days=60))
    assert {"gate_to_sign", "deliverable_to_accept", "input_owed"} == set(work(approver))
    assert set(work(viewer)) == {"input_owed"}
    told = viewer.get(f"/api/v1/engagements/{under_way.engagement_id}/standing").json()
    waiting = [said["text"] for said in told["in_flight"] if said["text"].endswith("waits for your approver")]
    assert len(waiting) == 2


def test_an_input_is_asked_for_when_its_day_comes_near(house, under_way):
    api = house.api(Role.CLIENT_APPROVER, client_id=under_way.client_id)
    first, *_ = ids(house, Milestone, under_way, kind=MilestoneKind.CLIENT_INPUT)
    for other in ids(house, Milestone, under_way, kind=MilestoneKind.CLIENT_INPUT):
        change(house, Milestone, other, planned_on=TODAY + INPUTS_AHEAD + timedelta(days=1))
    assert work(api) == {}
    change(house, Milestone, first, planned_on=TODAY + INPUTS_AHEAD)
    assert work(api)["input_owed"]["due"] == (TODAY + INPUTS_AHEAD).isoformat()


def test_the_home_shows_steps_with_their_days_what_waits_and_why(house, under_way, reader):
    lead, delivery = reader(Role.ACCOUNT_LEAD), reader(Role.DELIVERY_LEAD)
    phase = at_a_gate(house, under_way)
    change(house, PhaseRecord, phase, planned_gate=TODAY - timedelta(days=4))
    path = f"/engagements/{under_way.engagement_id}"
    page = lead.get(path).text
    for said in (
        "Late", "4 days ago.", "Decide the gate of data preparation", "At its gate, 19 Nov 2026", "Our cost as agreed",
        "View as client", f"{path}/timeline", f"{path}/register",
    ):  # fmt: skip
        assert said in page, said
    assert "€" in page
    theirs = delivery.get(path).text
    assert "€" not in theirs
    assert "Hours as agreed" in theirs
    listed = lead.get("/").text
    assert re.search(r"Late\s*</span>|Late <span", listed)
    assert "4 days ago" in listed


def test_a_client_is_told_what_is_done_in_flight_and_theirs_without_cost_and_the_agency_sees_the_same(
    house, under_way, reader
):
    petra = reader(Role.CLIENT_APPROVER, client_id=under_way.client_id)
    lead = reader(Role.ACCOUNT_LEAD)
    phases = ids(house, PhaseRecord, under_way)
    with house.wiring.store.read() as session:
        first, second = sorted((session.get_one(PhaseRecord, one) for one in phases), key=lambda row: row.phase.number)[
            :2
        ]
        first_id, second_id = first.id, second.id
    change(house, PhaseRecord, first_id, state=PhaseState.DONE, actual_end=TODAY)
    change(house, PhaseRecord, second_id, state=PhaseState.BLOCKED, blocked_reason="our GPU quota is late")
    gate_to_sign(house, under_way)
    path = f"/engagements/{under_way.engagement_id}"
    theirs, ours = petra.get(path).text, lead.get(f"{path}/as-client").text
    for page in (theirs, ours):
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
        assert "Needs you Sign the gate of data preparation" in text
        assert "Phase 2, baseline evaluation, is held up" in text
        assert "Done Data preparation is done 23 Nov 2026" in text
        assert not re.search(r"€|GPU quota|margin|\bhours\b", text)
    cut = re.compile(r'<section aria-labelledby="eng_.*?</section>', re.DOTALL)
    assert cut.findall(theirs) == cut.findall(ours)
    assert "You see what the client" in ours
    assert "You see what the client" not in theirs
    assert "<form" not in ours.split("<main")[1]
    assert petra.get(f"{path}/as-client").status_code == 403


def test_the_standing_over_the_api_is_the_same_for_the_agency_and_the_client(house, under_way):
    path = f"/api/v1/engagements/{under_way.engagement_id}/standing"
    client = house.api(Role.CLIENT_APPROVER, client_id=under_way.client_id).get(path).json()
    assert house.api(Role.REVIEWER).get(path).json() == client
    assert [step["state"] for step in client["phases"]] == ["current", *["planned"] * 5]
    assert client["in_flight"][0] == {
        "text": "Phase 1, data preparation, is ready to begin", "day": client["phases"][0]["day"], "day_is": "gate",
        "address": f"/engagements/{under_way.engagement_id}/gates/data_preparation",
    }  # fmt: skip


def test_the_timeline_tells_what_one_step_did_in_one_line_and_filters_by_kind(house, under_way, reader):
    lead = reader(Role.DELIVERY_LEAD)
    phase = at_a_gate(house, under_way)
    add(
        house, GateCondition, under_way, gate_id=gate_to_sign(house, under_way), phase=Phase.DATA_PREPARATION,
        text="Label 50 more", due=TODAY,
    )  # fmt: skip
    change(house, PhaseRecord, phase, "phase.blocked", state=PhaseState.BLOCKED)
    path = f"/engagements/{under_way.engagement_id}/timeline"
    page = lead.get(path).text
    assert "planned 6 phases" in page
    assert "blocked the phase Data preparation" in page
    assert page.index("blocked the phase") < page.index("fixed the plan as agreed")
    plan = lead.get(f"{path}?kind=plan").text
    assert "planned 6 phases" in plan
    assert "sent the proposal" not in plan
    assert "Nothing of this kind yet" in lead.get(f"{path}?kind=reports").text
    assert "Nothing of this kind yet" in lead.get(f"{path}?kind=no-such-kind").text
    petra = reader(Role.CLIENT_VIEWER, client_id=under_way.client_id)
    theirs = petra.get(path).text
    assert "fixed the plan as agreed" in theirs or "sent the proposal" in theirs
    assert "entered" not in theirs, "what is not for clients is not in their timeline"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_page_of_work_that_is_done_says_so(house, reader, under_way):
    assert "Nothing waits for you" in reader(Role.REVIEWER).get("/work").text
