"""The pages of reports, as a lead and as a client's person find them."""

import html
import re

import pytest

from engagements.core.roles import Role


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_lead_sees_the_next_report_issues_it_and_the_client_reads_it(house, under_way, reader) -> None:
    lead = reader(Role.ACCOUNT_LEAD)
    theirs = reader(Role.CLIENT_VIEWER, client_id=under_way.client_id)
    home = f"/engagements/{under_way.engagement_id}/reports"
    before = lead.get(home).text
    assert "Report 1, as it stands" in before
    assert "It is the first, so nothing can have moved." in before
    empty = theirs.get(home).text
    assert "No report yet" in empty
    assert "as it stands" not in empty

    preview = lead.get(f"{home}/preview")
    assert preview.headers["content-type"] == "application/pdf"
    made = lead.post(home, {"summary": "We begin."})
    page = lead.follow(made)
    assert "The report is issued" in page.text
    address = made.headers["location"]
    assert "We begin." in theirs.get(address).text
    assert theirs.get(f"{address}/document").content.startswith(b"%PDF")
    leaves = theirs.get(f"{address}/pages").text
    pictures = re.findall(r'src="([^"]+)"', leaves)
    assert len(pictures) >= 2
    assert theirs.get(pictures[0]).headers["content-type"] == "image/png"
    assert theirs.get(f"{address}/pages/99.png").status_code == 404
    assert "Nothing has moved since report 1." in lead.get(home).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_pressing_twice_is_refused_on_the_page_with_what_was_typed(house, under_way, reader) -> None:
    lead, home = reader(Role.DELIVERY_LEAD), f"/engagements/{under_way.engagement_id}/reports"
    assert lead.post(home, {"summary": "We begin."}).status_code == 303
    again = lead.post(home, {"summary": "We begin."})
    assert again.status_code == 409
    assert "Report 1 of today says the very same." in again.text
    assert ">\nWe begin.</textarea>" in html.unescape(again.text)
    assert lead.get(f"{home}/preview?edition=internal").status_code == 403
    assert "Internal edition" not in again.text
