"""Pages of sources: the next step is said, another encoding is no dead end, work is named by its file."""

import pytest

from engagements.core.roles import Role

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def member(reader):
    return reader(Role.DELIVERY_MEMBER)


def test_the_data_page_says_what_comes_next_until_examples_are_reviewed(house, desk, member, tickets):
    home = f"/engagements/{desk.engagement_id}/data"
    assert "Next:" not in member.get(home).text
    source = desk.add(tickets(12))
    assert "say what the columns of tickets.csv are" in member.get(home).text
    desk.ask_import(source["id"])
    house.wiring.workshop.do_due()
    assert "check the pool" in member.get(home).text
    desk.check()
    assert "review the 12 examples that wait for it" in member.get(home).text
    assert "Import of tickets.csv" in member.get(f"{home}/jobs").text


def test_a_file_in_another_encoding_is_read_once_its_page_was_told(desk, member):
    source = desk.add("text,category\r\nGrüße aus Köln,refund\r\nZähler steht,meter\r\n".encode("cp1252"))
    at = f"/data-sources/{source['id']}"
    unread = member.get(at).text
    assert "it reads well as cp1252" in unread
    assert "Import it" not in unread
    told = {"version": str(source["version"]), "format": "csv", "encoding": "cp1252"}
    read = member.follow(member.post(f"{at}/mapping", told)).text
    assert "Grüße aus Köln" in read
    assert "Import it" in read
    assert desk.source(source["id"])["mapping"] == {}


def test_a_page_that_answers_a_refused_form_is_not_loaded_anew_when_the_work_ends(desk, member, tickets):
    """It would be posted once more."""
    desk.fill(tickets(12))
    checks = f"/engagements/{desk.engagement_id}/data/checks"
    begun = member.follow(member.post(checks, {"personal_data": "redact"})).text
    assert 'hx-trigger="every 1s"' in begun
    refused = member.post(checks, {"personal_data": "redact"})
    assert refused.status_code == 409
    assert "hx-trigger" not in refused.text
