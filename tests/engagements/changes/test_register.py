"""The register, and what its triggers draft, on both databases."""

from datetime import date

import pytest
from sqlmodel import select

from engagements.actuals.models import CostEntry, CostKind
from engagements.changes.checking import check_triggers
from engagements.changes.register_schemas import Operator, Trigger
from engagements.changes.triggers import Facts, LateInput, is_true, numbers_in, wanted
from engagements.core import audit
from engagements.core.roles import Role, system_actor
from engagements.db.columns import new_id
from engagements.delivery.models import PhaseRecord
from engagements.tables import RECORDS
from estimator.money import Money
from estimator.phases import Phase

TODAY = date(2026, 11, 23)


def facts(**changed: object) -> Facts:
    usual = {
        "rounds": 1, "included_rounds": 2, "round_price": Money(130_000, "EUR"), "compute": Money(0, "EUR"),
        "compute_cap": Money(100_000, "EUR"), "late": (), "measures": {},
    }  # fmt: skip
    return Facts(**{**usual, **changed})


def test_a_round_beyond_those_included_asks_for_its_price():
    assert wanted(facts(rounds=2)) == []
    third = wanted(facts(rounds=3))[0]
    assert (third.key, third.asks.brief) == ("rounds:3", {"commercial.included_rounds": 3})
    assert [line.net_minor for line in third.asks.lines] == [130_000]


@pytest.mark.parametrize(
    ("spent", "keys"),
    [(79_999, []), (80_000, ["compute:80:100000"]), (99_999, ["compute:80:100000"]), (100_000, ["compute:100:100000"])],
)
def test_compute_asks_at_80_and_at_100_per_cent_of_its_cap(spent, keys):
    assert [each.key for each in wanted(facts(compute=Money(spent, "EUR")))] == keys


def test_compute_of_unknown_cost_sets_nothing_off():
    assert wanted(facts(compute=None)) == []


def test_waiting_for_a_client_is_a_change_beyond_ten_working_days():
    def late(days: int) -> LateInput:
        return LateInput(code="N1", name="Access", phase=Phase.DATA_PREPARATION, days=days)

    assert wanted(facts(late=[late(10)])) == []
    asked = wanted(facts(late=[late(11)]))[0]
    assert (asked.key, asked.asks.days) == ("late_input:N1", {Phase.DATA_PREPARATION: 11})


def test_a_trigger_is_true_only_of_what_was_measured():
    content = {"agreement": {"value": 0.71, "items": 50}, "sealed_at": None, "passed": True}
    measures = dict(numbers_in(content, "dataset_version"))
    below = Trigger(measure="dataset_version.agreement.value", operator=Operator.BELOW, value=0.8)
    unknown = Trigger(measure="dataset_version.examples", operator=Operator.BELOW, value=10**6)
    assert is_true(below, measures)
    assert not is_true(below.model_copy(update={"operator": Operator.AT_LEAST}), measures)
    assert not is_true(unknown, measures)
    assert set(measures) == {"dataset_version.agreement.value", "dataset_version.agreement.items"}


def test_items_have_codes_and_scores_and_a_client_sees_what_is_meant_for_them(office):
    path = f"/api/v1/engagements/{office.engagement_id}/register"
    before = office.read(path, by=office.client)["items"]
    risk = {"kind": "risk", "title": "Inside", "probability": "high", "impact": "high", "client_sees": False}
    made = office.lead.post(path, risk).json()
    decision = office.lead.post(path, {"kind": "decision", "title": "One language first", "client_sees": True}).json()
    assert (made["score"], made["code"][0], decision["code"]) == (9, "R", "X1")
    assert office.read(path)["items"][0]["id"] == made["id"]
    theirs = office.read(path, by=office.client)["items"]
    assert {each["id"] for each in theirs} == {each["id"] for each in before} | {decision["id"]}
    closed = office.lead.post(f"/api/v1/register/{made['id']}/close", {"outcome": "It came in time."}).json()
    assert closed["state"] == "closed"
    again = office.lead.post(f"/api/v1/register/{made['id']}/close", {"outcome": "Twice."})
    assert (again.status_code, again.json()["code"]) == (409, "register_conflict")


def test_a_broken_assumption_drafts_one_change_and_both_name_each_other(office):
    path = f"/api/v1/engagements/{office.engagement_id}/register"
    item = next(each for each in office.read(path)["items"] if each["code"] == "A1")
    closing = office.lead.post(f"/api/v1/register/{item['id']}/close", {"outcome": "x"})
    assert closing.status_code == 409
    change = office.lead.post(f"/api/v1/register/{item['id']}/break", {"outcome": "Only 2,000 are usable."}).json()
    assert (change["origin"], change["raid_id"], change["state"]) == ("assumption", item["id"], "draft")
    now = next(each for each in office.read(path)["items"] if each["id"] == item["id"])
    assert (now["state"], now["change_id"], now["outcome"]) == ("broken", change["id"], "Only 2,000 are usable.")
    twice = office.lead.post(f"/api/v1/register/{item['id']}/break", {"outcome": "Again."})
    assert twice.status_code == 409
    assert len(office.read("/api/v1/engagements/{}/changes")["items"]) == 1


def test_an_owner_is_somebody_of_the_agency_and_a_trigger_an_assumptions(office):
    path = f"/api/v1/engagements/{office.engagement_id}/register"
    before = office.read(path)
    nobody = office.lead.post(path, {"kind": "risk", "title": "T", "owner_id": "usr_" + "0" * 26})
    trigger = {"measure": "rounds_used", "operator": "above", "value": 2}
    misplaced = office.lead.post(path, {"kind": "risk", "title": "T", "trigger": trigger})
    assert [each.json()["errors"][0]["code"] for each in (nobody, misplaced)] == [
        "owner_unknown",
        "trigger.of_assumptions",
    ]
    assert office.read(path) == before


def test_checking_twice_drafts_once_and_what_was_settled_is_not_drafted_again(house, office):
    ours = system_actor(house.organisation_id)
    path = f"/api/v1/engagements/{office.engagement_id}/register"
    item = next(each for each in office.read(path)["items"] if each["code"] == "A2")
    trigger = {"measure": "rounds_used", "operator": "at_least", "value": 3}
    edited = office.lead.patch(f"/api/v1/register/{item['id']}", {"trigger": trigger}, version=item["version"])
    assert edited.status_code == 200, edited.text

    def checked() -> list[str]:
        with house.wiring.store.write() as session:
            made = check_triggers(session, ours, office.engagement_id, today=TODAY, at=house.clock.now())
            return sorted(change.trigger_key.partition(":")[0] for change in made)

    assert checked() == []
    with house.wiring.store.write() as session:
        training = session.exec(
            select(PhaseRecord).where(
                PhaseRecord.engagement_id == office.engagement_id, PhaseRecord.phase == Phase.TRAINING
            )
        ).one()
        training.round = 3
        audit.record(session, ours, "phase.recycled", training, at=house.clock.now())
        session.add(cost := _compute(training, 10**9, house.clock.now()))
        audit.record(session, ours, "cost.logged", cost, at=house.clock.now())
    assert checked() == ["assumption", "compute", "rounds"]
    assert checked() == []
    for change in office.read("/api/v1/engagements/{}/changes")["items"]:
        office.step(change, "withdraw", {"reason": "Settled among us."})
    assert checked() == []
    with house.wiring.store.read() as session:
        assert list(audit.verify(session, house.organisation_id, RECORDS)) == []


def _compute(phase: PhaseRecord, minor: int, at) -> CostEntry:
    return CostEntry(
        id=new_id(CostEntry.PREFIX), organisation_id=phase.organisation_id, engagement_id=phase.engagement_id,
        client_id=phase.client_id, phase=phase.phase, kind=CostKind.COMPUTE, day=TODAY, amount_minor=minor,
        currency="EUR", created_by="system", created_at=at,
    )  # fmt: skip


def test_a_member_keeps_the_register_and_drafts_no_change_of_their_own(house, office):
    member = house.api(Role.DELIVERY_MEMBER)
    made = member.post(f"/api/v1/engagements/{office.engagement_id}/register", {"kind": "issue", "title": "No access"})
    refused = member.post(f"/api/v1/engagements/{office.engagement_id}/changes", {"title": "T", "reason": "R"})
    assert (made.status_code, made.json()["code"], refused.status_code) == (201, "I1", 403)
