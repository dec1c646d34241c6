"""The portfolio: what it lists, finds, counts and exports, how it judges, how often it asks the database."""

import csv
import io
import random
from collections.abc import Callable
from datetime import date, datetime, timedelta

from sqlalchemy import event, insert

from engagements.core.models import Client, Engagement, EngagementActivity, EngagementState
from engagements.core.roles import Role
from engagements.dashboard.portfolio import portfolio
from engagements.dashboard.portfolio_query import ATTENTION, Asked, Chosen
from engagements.db.columns import new_id
from engagements.delivery.models import PhaseState, Standing
from engagements.proposals.models import BriefVersion, EstimateVersion, Proposal, ProposalState
from estimator.phases import Phase

TODAY = date(2026, 11, 23)


def fill(
    house, number: int, *, organisation_id: str = "", active_at: datetime | None = None, **changes: object
) -> list[str]:
    """So many engagements of one client of their own, straight into the tables."""
    home = organisation_id or house.organisation_id
    at = house.clock.now()
    client = {
        "id": new_id("cli"), "organisation_id": home, "name": "Nordwind Energie", "country": "DE", "archived": False,
        "name_key": f"nordwind energie {new_id('x')}", "created_at": at, "version": 1,
        **dict.fromkeys(
            ("legal_name", "region", "industry", "address", "registration", "vat_id", "website", "notes"), ""
        ),
    }  # fmt: skip
    rows = [
        {
            "id": new_id("eng"), "organisation_id": home, "client_id": client["id"], "name": f"Ticket replies {index}",
            "state": EngagementState.ACTIVE, "state_reason": "", "owner_id": "usr_x", "created_at": at,
            "changed_at": at, "version": 1, **changes,
        }
        for index in range(number)
    ]  # fmt: skip
    with house.wiring.store.engine.begin() as connection:
        connection.execute(insert(Client), [client])
        connection.execute(insert(Engagement), rows)
        moments = [{"engagement_id": row["id"], "at": active_at or at} for row in rows]
        connection.execute(insert(EngagementActivity), moments)
    return [row["id"] for row in rows]


def found(house, role: Role = Role.ADMINISTRATOR, **chosen: object):
    actor = house.api(role).actor
    with house.wiring.store.read() as session:
        return portfolio(session, actor, Chosen(**chosen), now=house.clock.now(), today=TODAY)


def stand(house, engagements: list[str], each: Callable[[], dict[str, object]] = dict, **changes: object) -> None:
    """Each under way in its third phase, on time and within its budget but for these changes, and those of `each`."""
    with house.wiring.store.write() as session:
        for engagement_id in engagements:
            row = session.get_one(Engagement, engagement_id)
            fields = {
                "steps": "ddippp", "phase": Phase.TRAINING, "state": PhaseState.IN_PROGRESS,
                "planned_gate": TODAY + timedelta(days=7), "agreed_gate": TODAY + timedelta(days=7),
                "late_gate": TODAY + timedelta(days=14), "currency": "EUR", "budget_minor": 2_000_000,
                "budget_late_minor": 2_400_000, "spent_minor": 500_000, "earned_minor": 600_000, "minutes": 6_000,
                "budget_minutes": 24_000,
            }  # fmt: skip
            session.add(
                Standing(
                    engagement_id=row.id, organisation_id=row.organisation_id, client_id=row.client_id,
                    changed_at=house.clock.now(), **(fields | changes | each()),
                )
            )  # fmt: skip


def test_it_lists_its_own_tenant_what_changed_last_first(house, reader):
    first, *_ = fill(house, 1, name="Claims triage")
    house.clock.move(timedelta(hours=1))
    fill(house, 1, name="Ticket replies")
    fill(house, 1, name="Somebody else's", organisation_id=house.other_id)
    page = reader().get("/").text
    assert page.index("Ticket replies") < page.index("Claims triage")
    assert "Somebody else" not in page
    assert f"/engagements/{first}" in page


def test_it_is_searched_by_client_and_by_engagement_in_any_spelling(house):
    fill(house, 2, name="Claims triage")
    for search in ("NORDWIND", "claims"):
        assert found(house, search=search).total == 2
    assert found(house, search="100%").total == 0


def test_counts_by_state_agree_with_the_lists(house):
    fill(house, 3)
    fill(house, 2, state=EngagementState.CLOSED)
    counts = found(house).counts
    assert counts == {"": 5, "active": 3, "closed": 2, ATTENTION: 0, "unknown": 3}
    for view in ("active", "closed"):
        assert len(found(house, view=view).lines) == counts[view]
    assert found(house, view="no such state").lines == []


def test_what_needs_attention_is_what_has_a_reason(house):
    now = house.clock.now()
    fill(house, 1)
    needy = [
        *fill(house, 1, state=EngagementState.ON_HOLD, state_reason="waiting for the data"),
        *fill(house, 1, owner_id=None),
        *fill(house, 1, active_at=now - timedelta(days=15)),
    ]
    fill(house, 1, owner_id=None, state=EngagementState.CLOSED, active_at=now - timedelta(days=90))
    listed = found(house, view=ATTENTION)
    assert {line.id: line.why for line in listed.lines} == {
        needy[0]: ("On hold: waiting for the data",),
        needy[1]: ("Nobody owns it.",),
        needy[2]: ("Nothing has happened for 15 days.",),
    }
    assert listed.total == listed.counts[ATTENTION] == len([line for line in found(house).lines if line.why])


def test_late_comes_before_at_risk_and_before_what_merely_needs_somebody(house):
    calm, late, risky, ownerless = fill(house, 3) + fill(house, 1, owner_id=None)
    stand(house, [calm])
    stand(house, [late], planned_gate=TODAY - timedelta(days=2))
    stand(house, [risky], state=PhaseState.BLOCKED, steps="ddbppp")
    listed = found(house)
    assert [line.id for line in listed.lines] == [late, risky, ownerless, calm]
    assert {view: listed.counts[view] for view in ("late", "at_risk", "on_track", ATTENTION)} == {
        "late": 1, "at_risk": 1, "on_track": 1, ATTENTION: 3,
    }  # fmt: skip
    assert [line.id for line in found(house, view="late").lines] == [late]
    assert listed.lines[0].why == ("The gate of training was planned for 21 Nov 2026, 2 days ago.",)
    assert [step.state for step in listed.lines[1].phases] == ["done", "done", "blocked", *["planned"] * 3]


def test_what_has_ended_is_judged_no_more(house):
    ended = fill(house, 1, state=EngagementState.CLOSED)
    stand(house, ended, planned_gate=TODAY - timedelta(days=200))
    (line,) = found(house).lines
    assert (line.judged, line.why, line.gate) == (None, (), None)


def test_a_line_shows_the_next_gate_in_the_days_that_people_work(house, under_way):
    (line,) = (line for line in found(house).lines if line.id == under_way.engagement_id)
    assert line.gate is not None
    assert line.gate.phase is Phase.DATA_PREPARATION
    assert line.gate.calendar_days == (line.gate.day - TODAY).days
    assert 0 < line.gate.working_days < line.gate.calendar_days


def test_money_is_for_those_who_may_see_cost_and_hours_for_the_others(house):
    stand(house, fill(house, 1))
    (lead,), (member,) = found(house, Role.ACCOUNT_LEAD).lines, found(house, Role.DELIVERY_MEMBER).lines
    assert (lead.budget.share, lead.budget.earned, lead.budget.spent.minor) == (0.25, 0.3, 500_000)
    assert (member.budget.share, member.budget.hours, member.budget.spent, member.earned_minor) == (
        0.25, 100, None, None,
    )  # fmt: skip
    out = house.api(Role.DELIVERY_MEMBER).get("/api/v1/portfolio").json()["items"][0]
    assert {out[name] for name in out if name.endswith("_minor")} == {None}
    assert (out["hours"], out["budget_hours"], out["health"]) == (100, 400, "on_track")


def test_the_api_filters_and_goes_on_where_the_page_before_ended(house):
    rows = sorted(fill(house, 5))
    stand(house, rows[:3], open_alerts=1)
    api = house.api()
    first = api.get("/api/v1/portfolio?health=at_risk&limit=2").json()
    assert [item["id"] for item in first["items"]] == [rows[2], rows[1]]
    second = api.get(f"/api/v1/portfolio?health=at_risk&limit=2&cursor={first['next']}").json()
    assert ([item["id"] for item in second["items"]], second["next"]) == ([rows[0]], None)
    assert first["items"][0]["reasons"] == ["1 alert waits for an answer."]
    assert api.get("/api/v1/portfolio?state=closed").json()["items"] == []
    assert len(api.get("/api/v1/portfolio?owner=usr_x&search=ticket").json()["items"]) == 5
    assert api.get("/api/v1/portfolio?health=splendid").status_code in {400, 422}
    assert house.api(Role.CLIENT_VIEWER, client_id=first["items"][0]["client_id"]).get(
        "/api/v1/portfolio"
    ).status_code == 403  # fmt: skip


def test_the_export_holds_exactly_what_is_listed_and_no_formula(house, reader):
    stand(house, fill(house, 60, name="=HYPERLINK(1)"))
    fill(house, 3, state=EngagementState.CLOSED)
    answer = reader().get("/portfolio.csv?view=active")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 60
    assert {row["name"] for row in rows} == {"'=HYPERLINK(1)"}
    assert (rows[0]["health"], rows[0]["spent_minor"], rows[0]["currency"]) == ("on_track", "500000", "EUR")
    assert reader(Role.DELIVERY_LEAD).get("/portfolio.csv").text.count("500000") == 0


def offer(house, engagement_id: str, state: ProposalState, **changes: object) -> None:
    """A proposal of an engagement with the brief and the estimate it stands on, straight into the tables."""
    at = house.clock.now()
    with house.wiring.store.read() as session:
        client_id = session.get_one(Engagement, engagement_id).client_id
    common = {
        "organisation_id": house.organisation_id, "engagement_id": engagement_id, "client_id": client_id, "version": 1,
        "created_by": "usr_x", "created_at": at,
    }  # fmt: skip
    brief, estimate, proposal = new_id("brf"), new_id("est"), new_id("pro")
    with house.wiring.store.engine.begin() as connection:
        connection.execute(
            insert(BriefVersion),
            [{**common, "id": brief, "number": 1, "title": "Replies", "content": {}, "sha256": "0"}],
        )
        connection.execute(
            insert(EstimateVersion),
            [{
                **common, "id": estimate, "brief_id": brief, "number": 1, "day": at.date(), "seed": 1, "document": b"",
                "price_book": "0", "sha256": "0", "summary": {},
            }],
        )  # fmt: skip
        connection.execute(
            insert(Proposal),
            [{
                **common, "id": proposal, "estimate_id": estimate, "lineage_id": proposal, "edition": 1,
                "title": "Replies", "state": state, "state_reason": "", "wording": {}, "budgets": {}, "changed_at": at,
                **changes,
            }],
        )  # fmt: skip


def test_offers_need_attention_when_somebody_has_to_act(house):
    now = house.clock.now()
    review, ends, ends_today, later, draft = fill(house, 5)
    offer(house, review, ProposalState.IN_REVIEW)
    offer(house, ends, ProposalState.SENT, ends_at=now + timedelta(days=3, hours=1))
    offer(house, ends_today, ProposalState.SENT, ends_at=now + timedelta(hours=5))
    offer(house, later, ProposalState.SENT, ends_at=now + timedelta(days=30))
    offer(house, draft, ProposalState.DRAFT)
    assert {line.id: line.why for line in found(house, view=ATTENTION).lines} == {
        review: ("The proposal waits for a second person.",),
        ends: ("The offer ends in 3 days.",),
        ends_today: ("The offer ends today.",),
    }
    leads = found(house, Role.DELIVERY_LEAD, view=ATTENTION)
    assert leads.lines == [], "who may not see proposals is not told of them"


def test_needs_attention_is_hidden_when_nothing_does(house, reader):
    fill(house, 1)
    assert "Needs attention" not in reader().get("/").text


def test_pages_follow_each_other_and_keep_the_filters(house, reader):
    fill(house, 120)
    lead = reader()
    second = lead.get("/?view=active&search=ticket&page=2").text
    assert "51–100 of 120" in second
    assert 'href="/?view=active&amp;search=ticket"' in second
    assert 'href="/?view=active&amp;search=ticket&amp;page=3"' in second
    assert "101–120 of 120" in lead.get("/?view=active&search=ticket&page=3").text


def test_a_thousand_engagements_cost_as_many_queries_as_ten(house):
    def queries() -> int:
        asked: list[str] = []

        def note(_connection, _cursor, statement, *_rest) -> None:
            asked.append(statement)

        event.listen(house.wiring.store.engine, "before_cursor_execute", note)
        portfolio_of = found(house)
        event.remove(house.wiring.store.engine, "before_cursor_execute", note)
        assert portfolio_of.lines
        return len([statement for statement in asked if statement.startswith("SELECT")])

    stand(house, fill(house, 10))
    few = queries()
    fill(house, 990)
    stand(house, fill(house, 60), open_alerts=1)
    assert queries() == few <= 8


def test_the_database_judges_as_the_rules_do(house):
    """Some hundreds of standings, each field drawn below, at and above where a rule begins, or not known."""
    chance = random.Random(7)
    days = [None, *(TODAY + timedelta(days=n) for n in (-2, -1, 0, 1, 2))]
    amounts = [None, 0, 99, 100, 101]

    def drawn() -> dict[str, object]:
        return {
            "phase": chance.choice([None, Phase.TRAINING, Phase.MANAGEMENT]), "state": chance.choice(list(PhaseState)),
            **{name: chance.choice(days) for name in ("planned_gate", "agreed_gate", "late_gate", "next_due")},
            **{name: chance.choice(amounts) for name in ("budget_minor", "allowed_minor", "budget_minutes")},
            **{name: chance.choice(amounts[1:]) for name in ("spent_minor", "minutes")},
            "open_alerts": chance.choice([0, 0, 0, 1]), "budget_late_minor": None,
        }  # fmt: skip

    stand(house, fill(house, 300), each=drawn)
    fill(house, 3)
    with house.wiring.store.read() as session:
        asked = Asked(session=session, actor=house.api().actor, now=house.clock.now(), today=TODAY)
        views = ("late", "at_risk", "on_track", "unknown", ATTENTION)
        rows = {view: {each.row.id: each for each in asked.rows(Chosen(view=view))} for view in views}
        counts = asked.counts(Chosen())
    for health in ("late", "at_risk", "on_track", "unknown"):
        assert {each.health for each in rows[health].values()} == {health}
        assert counts[health] == len(rows[health])
    assert set(rows[ATTENTION]) == set(rows["late"]) | set(rows["at_risk"])
