"""From approved entries to frozen lines and adjusting entries; files in and out; what pricing models collect."""

import hashlib
import json
from datetime import date

import pytest
from sqlmodel import select

from engagements.actuals.invoicing import collect
from engagements.actuals.models import CostEntry, CostKind, EntryState, Invoice, TimeEntry
from engagements.core import audit
from engagements.core.audit import verify
from engagements.core.roles import system_actor
from engagements.db.columns import new_id
from engagements.delivery.models import Milestone, MilestoneKind
from engagements.tables import RECORDS
from estimator.brief.sections import PricingModel
from estimator.phases import Phase

MONDAY = date(2026, 11, 23)


def worked(
    minutes: int, *, price: int | None = 13_000, role: str = "data_engineer", billable: bool = True
) -> TimeEntry:
    return TimeEntry(
        id=new_id("tim"), organisation_id="", engagement_id="", client_id="", phase=Phase.TRAINING, person_id="",
        role=role, day=MONDAY, minutes=minutes, billable=billable, price_minor=price, currency="EUR", created_by="",
    )  # fmt: skip


def cost(amount: int | None, *, billable: bool = True) -> CostEntry:
    return CostEntry(
        id=new_id("cst"), organisation_id="", engagement_id="", client_id="", phase=Phase.TRAINING,
        kind=CostKind.COMPUTE, day=MONDAY, amount_minor=amount, billable=billable, currency="EUR", created_by="",
    )  # fmt: skip


def payment(net: int) -> Milestone:
    return Milestone(
        id=new_id("mil"), organisation_id="", engagement_id="", client_id="", code="P1", kind=MilestoneKind.PAYMENT,
        name="Deposit", net_minor=net, reached_on=MONDAY, currency="EUR",
    )  # fmt: skip


def test_hours_of_a_phase_and_role_are_one_line_rounded_once():
    """Three times 20 minutes at 100.00 an hour are 100.00, not three times 33.33."""
    found = collect(
        PricingModel.TIME_AND_MATERIALS, payments=[payment(5_000)],
        time=[*(worked(20, price=10_000) for _ in range(3)), worked(60, price=20_000), worked(60, billable=False)],
        costs=[], cap_left_minor=None,
    )  # fmt: skip
    assert [(line.kind, line.quantity, line.net_minor) for line in found.lines] == [
        ("time", "1.00", 10_000), ("time", "1.00", 20_000),
    ]  # fmt: skip
    assert found.net_minor == sum(line.net_minor for line in found.lines)
    assert len(found.time) == 4


def test_nobody_pays_above_the_cap():
    found = collect(PricingModel.TIME_AND_MATERIALS, payments=[], time=[worked(120)], costs=[], cap_left_minor=20_000)
    assert [(line.kind, line.net_minor) for line in found.lines] == [("time", 26_000), ("cap", -6_000)]


@pytest.mark.parametrize("model", [PricingModel.FIXED, PricingModel.VALUE, PricingModel.RETAINER])
def test_a_price_that_was_agreed_is_paid_by_its_milestones_and_not_by_the_hour(model):
    found = collect(
        model, payments=[payment(5_000)], time=[worked(60)], costs=[cost(700), cost(800, billable=False)],
        cap_left_minor=None,
    )  # fmt: skip
    assert [(line.kind, line.net_minor) for line in found.lines] == [("payment", 5_000), ("cost", 700)]
    assert found.time == ()


def test_what_has_no_price_waits():
    unpriced, unknown = worked(60, price=None), cost(None)
    found = collect(PricingModel.TIME_AND_MATERIALS, payments=[], time=[unpriced], costs=[unknown], cap_left_minor=None)
    assert (found.lines, set(found.unpriced)) == ((), {unpriced.id, unknown.id})


def test_what_was_handed_over_is_frozen_numbered_and_only_adjusted(team):
    passed_on = team.cost(billable=True, note="=cmd", amount_minor=5_000).json()
    assert team.account.post(f"{team.home}/costs/submit", {"ids": [passed_on["id"]]}).status_code == 200
    approved = team.lead.post(f"{team.home}/costs/approve", {"ids": [passed_on["id"]]})
    assert approved.status_code == 200, approved.text
    due = team.account.get(f"{team.home}/invoices").json()
    assert [line["kind"] for line in due["next_lines"]] == ["payment", "cost"]
    made = team.account.post(f"{team.home}/invoices")
    assert made.status_code == 201, made.text
    invoice = made.json()
    assert (invoice["number"], invoice["net_minor"]) == (1, due["next_net_minor"])
    content = {name: invoice[name] for name in ("engagement_id", "number", "day", "currency", "net_minor", "lines")}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    assert hashlib.sha256(canonical).hexdigest() == invoice["sha256"]
    assert team.account.get(f"/costs/{passed_on['id']}").json()["state"] == "invoiced"
    again = team.account.post(f"{team.home}/invoices")
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_invoice")
    lines = team.account.get(f"/invoices/{invoice['id']}/lines.csv").text.split("\r\n")
    assert lines[1].split(",")[-2:] == ["11153.74", "EUR"]
    assert "Compute: =cmd" in lines[2]
    assert not any(cell.startswith("=") for line in lines for cell in line.split(","))
    with team.house.wiring.store.read() as session:
        assert list(verify(session, team.house.organisation_id, RECORDS)) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_invoiced_entry_is_adjusted_by_an_entry_of_its_own(team):
    entry = team.handed_over()
    refused = team.member.post(f"/time/{entry['id']}/adjust", {"minutes": -30, "note": "Logged twice"})
    assert refused.status_code == 409, "it can still be reopened"
    _hand_over(team, entry["id"])
    too_much = team.member.post(f"/time/{entry['id']}/adjust", {"minutes": -91, "note": "All and more"})
    assert too_much.json()["errors"][0]["remedy"] == "take back at most 90"
    made = team.member.post(f"/time/{entry['id']}/adjust", {"minutes": -30, "note": "Logged twice"})
    assert (made.status_code, made.json()["adjusts"], made.json()["minutes"]) == (201, entry["id"], -30)
    assert team.account.get(f"{team.home}/budget").json()["whole"]["spent_minor"] == 11_700 - 3_900
    reopened = team.step(team.lead, "reopen", ids=[entry["id"]], reason="Please")
    assert reopened.json()["code"] == "entry_locked"


def _hand_over(team, entry_id: str) -> None:
    """As an invoice by the hour would have it."""
    with team.house.wiring.store.write() as session:
        row = session.get_one(TimeEntry, entry_id)
        row.state = EntryState.INVOICED
        audit.record(session, system_actor(row.organisation_id), "time.invoiced", row, at=team.house.clock.now())


def test_a_file_is_taken_whole_or_not_at_all_and_once(team):
    good = "day;phase;role;minutes;note;external_id\n2026-11-23;data_preparation;annotator;60;=1+1;a\n"
    bad = good + "2026-11-22;data_preparation;annotator;x;;b\n2026-12-24;training;wizard;30;;c\n"
    refused = team.member.post(f"{team.home}/time/import", {"csv": bad})
    assert refused.status_code == 422
    assert {(each["line"], each["pointer"]) for each in refused.json()["errors"]} == {
        (3, "/minutes"), (4, "/role"), (4, "/day"),
    }  # fmt: skip
    tried = team.member.post(f"{team.home}/time/import", {"csv": good, "dry_run": True}).json()
    assert (tried["dry_run"], tried["made"]) == (True, 1)
    assert team.member.get(f"{team.home}/time").json()["items"] == []
    assert team.member.post(f"{team.home}/time/import", {"csv": good}).json()["made"] == 1
    again = team.member.post(f"{team.home}/time/import", {"csv": good}).json()
    assert (again["made"], again["known"]) == (0, 1)
    assert team.member.get(f"{team.home}/budget").json()["whole"]["minutes"] == 60
    exported = team.member.get(f"{team.home}/time.csv")
    assert "'=1+1" in exported.text
    assert "cost_minor" not in exported.text
    rows = ("2026-11-23,training,api_usage,12.50,EUR", "2026-11-23,training,compute,,EUR")
    costs = "\n".join(("day,phase,kind,amount,currency", *rows))
    assert team.account.post(f"{team.home}/costs/import", {"csv": costs}).json()["amount_minor"] == 1_250
    with team.house.wiring.store.read() as session:
        assert list(verify(session, team.house.organisation_id, RECORDS)) == []
        assert session.exec(select(Invoice)).first() is None
