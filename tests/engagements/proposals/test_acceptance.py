"""A client decides: once, about what was sent, with everything that follows in one transaction."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import select

from engagements.core.audit import verify
from engagements.core.errors import Invalid
from engagements.core.models import AuditEvent, OutboxEvent
from engagements.core.roles import Role
from engagements.delivery.models import Baseline
from engagements.proposals.deciding import price_of
from engagements.proposals.models import Decision
from engagements.tables import RECORDS
from estimator.errors import CurrencyMismatch

OTHERS_BYTES = "0" * 64


def nothing_changed(sale, sent) -> bool:
    with sale.house.wiring.store.read() as session:
        made = [*session.exec(select(Decision)), *session.exec(select(Baseline))]
        told = [each.type for each in session.exec(select(OutboxEvent))]
    engagement = sale.lead.get(f"/api/v1/engagements/{sale.engagement_id}").json()
    return (
        not made
        and "proposal.accepted" not in told
        and engagement["state"] == "proposed"
        and sale.show(sent.id)["state"] in {"sent", "expired", "superseded", "withdrawn"}
    )


def test_an_acceptance_makes_decision_baseline_and_active_engagement_together(sale):
    sent = sale.sent()
    before = sale.house.nobody().get(sent.portal).json()["view"]
    answer = sale.house.nobody().post(f"{sent.portal}/accept", sale.acceptance(sent, extras=["Third language"]))
    assert answer.status_code == 201, answer.text
    decision = answer.json()
    index = [option["id"] for option in before["price"]["options"]].index("deliver")
    (extra,) = (line for line in before["price"]["optional"] if line["name"] == "Third language")
    net = Decimal(before["price"]["nets"][index]["amount"]) + Decimal(extra["amount"]["amount"])
    gross = net + sum((net * Decimal(tax["share"])).quantize(Decimal("0.01")) for tax in before["price"]["taxes"])
    assert (decision["net_minor"], decision["gross_minor"]) == (int(net * 100), int(gross * 100))
    assert decision["pdf_sha256"] == sent.proposal["pdf_sha256"]
    assert "P-2026-0001, version 1" in decision["consent"]
    assert sale.show(sent.id)["state"] == "accepted"
    assert sale.lead.get(f"/api/v1/engagements/{sale.engagement_id}").json()["state"] == "active"
    baseline = sale.lead.get(f"/api/v1/engagements/{sale.engagement_id}/baseline").json()
    plan = baseline["plan"]
    assert (baseline["proposal_id"], baseline["decision_id"], baseline["number"]) == (sent.id, decision["id"], 1)
    assert (plan["option"]["id"], plan["extras"][0]["name"]) == ("deliver", "Third language")
    assert [phase["begin"] for phase in plan["phases"]] == [phase["begin"] for phase in before["phases"]]
    assert all(phase["hours"] for phase in plan["phases"])
    assert plan["criteria"] == before["criteria"]
    assert sum(Decimal(payment["net"]["amount"]) for payment in plan["instalments"]) == Decimal(plan["net"]["amount"])
    assert plan["agreed"] == {"net": f"{net}", "gross": f"{gross}", "currency": "EUR"}
    with sale.house.wiring.store.read() as session:
        told = [event.type for event in session.exec(select(OutboxEvent))]
        seen = {event.action for event in session.exec(select(AuditEvent)) if event.client_sees}
        assert list(verify(session, sale.house.organisation_id, RECORDS)) == []
    assert told.count("proposal.accepted") == 1
    assert {"proposal.sent", "proposal.accepted", "baseline.made", "engagement.changed"} <= seen


def test_an_option_other_than_the_recommended_has_a_plan_of_its_own(sale):
    sent = sale.sent()
    sale.house.nobody().post(f"{sent.portal}/accept", sale.acceptance(sent, option="prove"))
    plan = sale.lead.get(f"/api/v1/engagements/{sale.engagement_id}/baseline").json()["plan"]
    assert [phase["number"] for phase in plan["phases"]] == [1, 2, 3, 4]
    assert sum(Decimal(payment["net"]["amount"]) for payment in plan["instalments"]) == Decimal(plan["net"]["amount"])


def test_what_is_asked_of_an_acceptance_is_refused_where_it_is_missing_or_wrong(sale):
    sent = sale.sent()
    nobody = sale.house.nobody()
    cases = [
        ({"agree": False}, 422, "/agree"),
        ({"agree": "yes"}, 422, "/agree"),
        ({"agree": 1}, 422, "/agree"),
        ({"option": "everything"}, 422, "/option"),
        ({"extras": ["A pony"]}, 422, "/extras/0"),
        ({"name": " "}, 422, "/name"),
        ({"role": ""}, 422, "/role"),
        ({"email": "ana"}, 422, "/email"),
        ({"time_zone": "Mars/Olympus"}, 422, "/time_zone"),
        ({"sha256": "abc"}, 422, "/sha256"),
        ({"net_minor": 1}, 422, "/net_minor"),
    ]
    for changes, status, pointer in cases:
        answer = nobody.post(f"{sent.portal}/accept", sale.acceptance(sent, **changes))
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer), changes
    for name in ("option", "name", "role", "email", "agree", "time_zone", "sha256"):
        body = {key: value for key, value in sale.acceptance(sent).items() if key != name}
        assert nobody.post(f"{sent.portal}/accept", body).json()["code"] == "field_missing", name
    zone = nobody.post(f"{sent.portal}/accept", sale.acceptance(sent, time_zone="localtime")).json()
    price = nobody.post(f"{sent.portal}/accept", sale.acceptance(sent, price="1.00")).json()
    assert (zone["code"], price["code"]) == ("timezone.unknown", "unknown_field")
    other = nobody.post(f"{sent.portal}/accept", sale.acceptance(sent, sha256=OTHERS_BYTES))
    assert (other.status_code, other.json()["code"]) == (409, "proposal_conflict")
    assert nothing_changed(sale, sent)


def test_of_two_acceptances_at_once_one_wins(sale):
    sent = sale.sent()
    second = sale.move(sent.id, "links", {"name": "Jonas Weber", "email": "jonas@nordwind.example"})
    doors = [sent.portal, f"/api/v1/portal/{second['url'].rpartition('/')[2]}"]
    nobody = sale.house.nobody()
    options = ["deliver", "run"]
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(lambda n: nobody.post(f"{doors[n]}/accept", sale.acceptance(sent, option=options[n])), range(2))
        )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    won = next(answer.json() for answer in answers if answer.status_code == 201)
    lost = next(answer.json() for answer in answers if answer.status_code == 409)
    assert lost["code"] == "proposal_conflict"
    with sale.house.wiring.store.read() as session:
        assert [each.option for each in session.exec(select(Decision))] == [won["option"]]
        assert len(session.exec(select(Baseline)).all()) == 1


def test_an_offer_whose_last_day_is_over_is_not_accepted(sale):
    """Row S05 of the bad inputs."""
    sent = sale.sent()
    person, nobody = sale.client_person(), sale.house.nobody()
    sale.house.clock.move(timedelta(days=30, hours=15) - timedelta(seconds=1))
    assert nobody.get(sent.portal).status_code == 200
    sale.house.clock.move(timedelta(seconds=1))
    for answer in (
        nobody.get(sent.portal),
        nobody.post(f"{sent.portal}/accept", sale.acceptance(sent)),
        nobody.post(f"{sent.portal}/decline", {"reason": "late", "name": "Ana", "email": "ana@nordwind.example"}),
        person.post(f"/api/v1/proposals/{sent.id}/accept", sale.acceptance(sent)),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "quote_expired")
    assert nothing_changed(sale, sent)


def test_a_superseded_edition_is_not_accepted_and_names_the_current_one(sale):
    """Row S06 of the bad inputs."""
    first = sale.sent()
    second = sale.send(sale.correct(first.id))
    nobody = sale.house.nobody()
    for answer in (
        nobody.get(first.portal),
        nobody.get(f"{first.portal}/document"),
        nobody.post(f"{first.portal}/accept", sale.acceptance(first)),
        nobody.post(f"{first.portal}/accept", sale.acceptance(second)),
        sale.client_person().post(f"/api/v1/proposals/{first.id}/accept", sale.acceptance(first)),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "quote_superseded")
        assert "version 2 of P-2026-0001" in answer.json()["detail"]
        assert answer.json()["errors"][0]["detail"] == second.id
    assert nothing_changed(sale, first)
    assert nobody.post(f"{second.portal}/accept", sale.acceptance(second)).status_code == 201


def test_declining_says_why_and_ends_it(sale):
    sent = sale.sent()
    nobody = sale.house.nobody()
    body = {"reason": "We build it ourselves.", "name": "Ana Brandt", "email": "ana@nordwind.example"}
    for reason in ({"reason": " "}, {}):
        without = {key: value for key, value in body.items() if key != "reason"} | reason
        assert nobody.post(f"{sent.portal}/decline", without).status_code == 422
    assert nothing_changed(sale, sent)
    declined = nobody.post(f"{sent.portal}/decline", body)
    assert (declined.status_code, declined.json()["verdict"], declined.json()["reason"]) == (
        201, "declined", "We build it ourselves.",
    )  # fmt: skip
    assert nobody.post(f"{sent.portal}/accept", sale.acceptance(sent)).status_code == 409
    assert sale.show(sent.id)["state"] == "declined"
    assert sale.lead.get(f"/api/v1/engagements/{sale.engagement_id}").json()["state"] == "proposed"


def test_the_client_approver_accepts_signed_in_and_nobody_else_does(sale):
    sent = sale.sent()
    path = f"/api/v1/proposals/{sent.id}/accept"
    for role in (Role.CLIENT_VIEWER, Role.ADMINISTRATOR, Role.ACCOUNT_LEAD, Role.FINANCE, Role.REVIEWER):
        person = sale.client_person(role) if role.is_client else sale.house.api(role)
        answer = person.post(path, sale.acceptance(sent))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden_role"), role
    other = sale.lead.post("/api/v1/clients", {"name": "Südwind", "country": "DE"}).json()["id"]
    assert sale.house.api(Role.CLIENT_APPROVER, client_id=other).post(path, sale.acceptance(sent)).status_code == 404
    assert nothing_changed(sale, sent)
    person, key = sale.client_person(), {"Idempotency-Key": "accept-once"}
    first = person.post(path, sale.acceptance(sent), headers=key)
    again = person.post(path, sale.acceptance(sent), headers=key)
    assert (first.status_code, again.json()) == (201, first.json())


def test_a_decision_recorded_on_behalf_needs_evidence_and_the_right(sale):
    sent = sale.sent()
    path = f"/api/v1/proposals/{sent.id}/on-behalf"
    body = {
        "verdict": "accepted", "option": "deliver", "name": "Ana Brandt", "role": "Head of Service",
        "email": "ana@nordwind.example", "evidence": "Signed copy, L-17.", "time_zone": "Europe/Berlin",
    }  # fmt: skip
    without = {key: value for key, value in body.items() if key != "evidence"}
    assert sale.lead.post(path, without).json()["code"] == "field_missing"
    assert sale.lead.post(path, body | {"option": ""}).status_code == 422
    assert sale.lead.post(path, body | {"verdict": "declined"}).json()["errors"][0]["pointer"] == "/reason"
    for role in (Role.FINANCE, Role.REVIEWER, Role.DELIVERY_LEAD):
        assert sale.house.api(role).post(path, body).status_code == 403
    assert sale.client_person().post(path, body).status_code == 403
    assert nothing_changed(sale, sent)
    decision = sale.lead.post(path, body)
    assert (decision.status_code, decision.json()["evidence"]) == (201, "Signed copy, L-17.")
    assert sale.show(sent.id)["state"] == "accepted"


def view_of(nets: str = "120.00", gross: str = "142.80", currency: str = "EUR") -> dict:
    def money(amount: str, code: str = "EUR") -> dict[str, str]:
        return {"amount": amount, "currency": code}

    return {
        "view": {
            "price": {
                "currency": "EUR",
                "options": [{"id": "deliver"}],
                "lines": [{"amounts": [money("100.00")]}, {"amounts": [money("25.00", currency)]}],
                "discounts": [money("5.00")],
                "nets": [money(nets)],
                "taxes": [{"share": "0.19", "amounts": [money("22.80")]}],
                "grosses": [money(gross)],
                "optional": [{"name": "More", "amount": money("10.05")}],
            }
        }
    }


def test_the_price_is_computed_again_from_the_frozen_lines():
    price = price_of(view_of(), "deliver", ("More",))
    assert (str(price.net.amount), str(price.gross.amount)) == ("130.05", "154.76")


@pytest.mark.parametrize(
    ("snapshot", "code"),
    [
        (view_of(nets="121.00"), "money.total_mismatch"),
        (view_of(gross="142.81"), "money.total_mismatch"),
        (view_of(currency="USD"), "money.mixed_currency"),
    ],
)
def test_totals_that_do_not_follow_from_the_lines_are_not_accepted(snapshot, code):
    """Rows M17 and M18 of the bad inputs."""
    with pytest.raises((Invalid, CurrencyMismatch)) as refused:
        price_of(snapshot, "deliver", ())
    assert [problem.code for problem in refused.value.problems] == [code]
