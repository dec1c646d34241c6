"""The pages of review as forms without a script, as fragments, and for who may see what."""

import re

import pytest

from engagements.core.roles import Role
from engagements.phases.data_preparation.models import ExampleState

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MARKS = {"accuracy": 5, "consistency": 4, "completeness": 5, "format": 5, "edge_case": 2}


@pytest.fixture
def home(pool):
    return f"/engagements/{pool.engagement_id}/review"


def hidden(page: str, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', page)[1]


def test_a_round_is_opened_worked_through_without_a_script_decided_and_closed(pool, reader, home):
    lead, ana, bo = reader(Role.ACCOUNT_LEAD), reader(Role.DELIVERY_MEMBER), reader(Role.REVIEWER)
    (example,) = pool.fill(1, findings=[{"code": "x", "severity": "warning", "message": "too short", "where": ""}])
    form = {"name": "First look", "overlap": "2", "target": "0.8", "seed": "7", "selection.size": "10",
            "selection.order": "risk", "guideline": "Accept what could be sent."}  # fmt: skip
    refused = lead.post(f"{home}/new", form)
    assert refused.status_code == 422
    assert 'href="#reviewers"' in refused.text
    boxes = {f"reviewers.{each.actor.id}": "yes" for each in (ana, bo)}
    opened = lead.follow(lead.post(f"{home}/new", form | boxes))
    assert "The round is open" in opened.text
    work = f"{opened.url.path}/work"

    for person, decision in ((ana, "accept"), (bo, "reject")):
        page = person.get(work).text
        assert "Where is my invoice number 0?" in page
        assert "Too short." in page
        fields = {"item": hidden(page, "item"), "content_sha256": hidden(page, "content_sha256")}
        unfinished = person.post(f"{work}/answer", fields | {"decision": decision, "answer": "billing"})
        assert unfinished.status_code == 422
        assert "edge case has no score" in unfinished.text.lower()
        after = person.follow(person.post(f"{work}/answer", fields | MARKS | {"decision": decision}))
        assert ("All done" if person is bo else "Nothing is left for you now") in after.text
    assert "Nothing is left" not in ana.get(opened.url.path).text

    item = re.search(rf'{opened.url.path}/items/(que_\w+)"', lead.get(opened.url.path).text)[1]
    page = lead.get(f"{opened.url.path}/items/{item}").text
    assert "1 accept it, 1 rejects it." in page
    decided = {"decision": "accept", "reason": "It is right.", "content_sha256": hidden(page, "content_sha256")}
    assert "Decided" in lead.follow(lead.post(f"{opened.url.path}/items/{item}", decided)).text
    assert pool.states([example]) == [ExampleState.ACCEPTED]
    assert "The round is closed" in lead.follow(lead.post(f"{opened.url.path}/close")).text


def test_the_answer_is_edited_in_its_box_and_an_answer_of_a_script_is_followed_by_the_one_after_the_next(
    pool, reader, home
):
    ana = reader(Role.DELIVERY_MEMBER)
    pool.fill(3, label=None)
    work = f"{home}/{pool.open([ana.actor], overlap=1)}/work"
    page = ana.get(work).text
    first, second = re.findall(r'name="item" value="(que_\w+)"', page)
    fields = {"item": first, "content_sha256": hidden(page, "content_sha256"), "decision": "accept", **MARKS}
    answer = ana.client.request(
        "POST", f"{work}/answer", data={"_csrf": ana.csrf, **fields, "answer": "It is on its way.", "showing": second},
        headers={"Cookie": f"sixfold_session={ana.cookie}", "HX-Request": "true"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert 'id="example"' not in answer.text, "what is shown already is left alone"
    assert re.findall(r'name="item" value="(que_\w+)"', answer.text) != [first]
    assert "<html" not in answer.text
    row = pool.example(pool.item(first).example_id)
    assert row.is_edited
    assert "It is on its way." in row.payload


def test_one_reviewer_does_not_see_what_another_has_said(pool, reader, home):
    ana, bo = reader(Role.DELIVERY_MEMBER), reader(Role.REVIEWER)
    pool.fill(1)
    opened = pool.open([ana.actor, bo.actor])
    item = pool.next(ana.actor, opened).items[0]
    pool.answer(ana.actor, item, "reject", comment="An invented number")
    for path in (f"{home}/{opened}/work", f"{home}/{opened}", f"{home}/{opened}/items/{item.id}"):
        page = bo.get(path)
        assert page.status_code == 200
        assert "An invented number" not in page.text
        assert "1 reject" not in page.text


def test_a_clients_person_finds_their_rounds_and_nothing_inside(pool, reader, home):
    ruth = reader(Role.CLIENT_VIEWER, client_id=pool.client_id)
    ana = pool.person("Ana")
    pool.fill(1)
    opened = pool.open([ana, ruth.actor], name="Refunds")
    other = pool.fill(1) and pool.open([ana], overlap=1, name="Ours alone")
    page = ruth.get(home).text
    assert "Refunds" in page
    assert "Ours alone" not in page
    assert "Ana" not in page
    assert ruth.get(f"{home}/{opened}/work").status_code == 200
    assert ruth.get(f"{home}/{other}/work").status_code == 404
    assert ruth.get(f"{home}/{opened}").status_code == 403
    assert ruth.get(f"{home}/new").status_code == 403
