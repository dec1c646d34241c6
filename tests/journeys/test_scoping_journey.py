"""From an empty engagement to an accepted proposal: an account lead prices and sends, a client on a phone accepts."""

import hashlib
import re
from datetime import date

import pytest
from playwright.sync_api import Page, expect

from engagements.core import service
from engagements.core.roles import Role
from engagements.core.schemas import ClientIn, ContactIn, EngagementIn
from engagements.proposals.brief_form import values_of
from engagements.proposals.brief_questions import Kind, sections
from estimator.brief import read_brief
from estimator.brief.example import example_brief
from estimator.plain import plain

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

PHONE = (390, 844)
SLOW_MS = 30_000
"""Sending and accepting render a PDF, which a busy machine takes its time for."""


@pytest.fixture
def looks_right(site, violations):
    """Whether axe finds nothing in light and in dark; once is enough, it does not depend on the database."""

    def look(visitor) -> None:
        if site.wiring.store.is_sqlite:
            assert violations(visitor.page) == []

    return look


@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True)
def test_a_lead_prices_and_sends_and_the_client_accepts(site, visitors, looks_right):
    lead = visitors()
    lead.sign_in(site.person(Role.ACCOUNT_LEAD, "Ines Halden"), f"/engagements/{_engagement(site)}")
    _write_the_brief(lead, looks_right)
    _read_why_a_number(lead, looks_right)
    _raise_the_margin(lead, looks_right)
    proposal = _draft(lead, looks_right)
    _approve_as_a_second_person(visitors(), site, proposal)
    link = _send(lead, proposal, looks_right)
    client = visitors(PHONE)
    _accept_on_a_phone(client, link, looks_right)
    lead.open(proposal)
    expect(lead.page.get_by_role("heading", name="Accepted")).to_be_visible()
    expect(lead.page.get_by_text("Opened on 1 day")).to_be_visible()
    _drawn(lead)
    looks_right(lead)


def _engagement(site) -> str:
    at = site.clock.now()
    with site.wiring.store.write() as session:
        client = service.create_client(session, site.house, ClientIn(name="Nordlicht Energie", country="DE"), at=at)
        contact = ContactIn(name="Jana Petersen", email="jana@nordlicht.example", role="Head of Customer Service")
        service.create_contact(session, site.house, client.id, contact, at=at)
        data = EngagementIn(client_id=client.id, name="Draft replies")
        return service.open_engagement(session, site.house, data, at=at).id


def _write_the_brief(lead, looks_right) -> None:
    page = lead.page
    page.get_by_role("link", name="Write the brief").click()
    expect(page.get_by_label("Company needed")).to_have_value("Nordlicht Energie")
    expect(page.get_by_label("Contact", exact=True)).to_have_value("Jana Petersen")
    answer = page.locator("#answer")
    expect(answer.get_by_text("Not enough yet")).to_be_visible()
    looks_right(lead)
    _fill_as_the_example(page)
    expect(answer.get_by_text("Fine-tuning.")).to_be_visible()
    price = answer.locator("tr.recommended td")
    before = price.inner_text()
    page.locator("[id='data.examples']").fill("5200")
    page.locator("[id='data.labelling.examples']").fill("5200")
    expect(price).not_to_have_text(before)
    page.locator("[id='task.target_percent']").fill("much")
    expect(answer.get_by_text("'much' is not a percentage")).to_be_visible()
    lead.expects_refusal(422)
    page.get_by_role("button", name="Save as version 1").click()
    expect(page.locator("[id='task.target_percent-fault']")).to_contain_text("'much' is not a percentage")
    looks_right(lead)
    page.locator("[id='task.target_percent']").fill("82")
    page.get_by_role("button", name="Add tax").click()
    page.locator("[id='commercial.tax[1].name']").fill("VAT")
    page.locator("[id='commercial.tax[1].percent']").fill("19")
    page.get_by_role("button", name="Save as version 1").click()
    expect(page.get_by_text("Brief saved as a new version")).to_be_visible()
    looks_right(lead)


def _fill_as_the_example(page: Page) -> None:
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    brief = plain(read_brief(example_brief(date(2026, 11, 23))))
    assert isinstance(brief, dict)
    kinds = {
        f"{group.path}.{field.name}": field for part in sections(()) for group in part.groups for field in group.fields
    }
    for name, value in values_of(brief).items():
        field = kinds.get(name) or kinds.get(name.rpartition(".")[0])
        if field is None or "[" in name:
            continue
        box = page.locator(f"[id='{name}']")
        if field.choices:
            box.select_option(value)
        elif field.kind is not Kind.THREE or name.rpartition(".")[2] in {"low", "likely", "high"}:
            box.fill(value)


def _read_why_a_number(lead, looks_right) -> None:
    page = lead.page
    page.locator("dl.tiles a.why").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Net price")).to_be_visible()
    dialog.get_by_role("link", name="Sum of the lines").click()
    expect(dialog.get_by_text("option.deliver.data_preparation").first).to_be_visible()
    looks_right(lead)
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def _raise_the_margin(lead, looks_right) -> None:
    page = lead.page
    page.get_by_role("link", name="Edit options").click()
    page.wait_for_url("**/options")
    before = page.locator("#answer dd").first.inner_text()
    page.get_by_label("Margin", exact=True).fill("45")
    expect(page.locator("#answer dd").first).not_to_have_text(before)
    looks_right(lead)
    page.get_by_role("button", name="Save as a new estimate").click()
    expect(page.get_by_role("heading", name="What changed")).to_be_visible()
    expect(page.get_by_role("row", name="commercial.margin_percent 40 45")).to_be_visible()


def _draft(lead, looks_right) -> str:
    page = lead.page
    page.get_by_role("link", name="Draft a proposal").click()
    page.get_by_label("A few words to the client").fill("As discussed on Monday.")
    looks_right(lead)
    page.get_by_role("button", name="Write the draft").click()
    expect(page.get_by_role("heading", name="Nothing stands against sending it")).to_be_visible()
    _drawn(lead)
    looks_right(lead)
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("Waiting for a second person's approval")).to_be_visible()
    _drawn(lead)
    lead.expects_refusal(403)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Who wrote a proposal does not approve it.")).to_be_visible()
    _drawn(lead)
    return "/" + "/".join(lead.at().split("/")[1:3])


def _drawn(visitor) -> None:
    """Its pages are there: who leaves earlier breaks off a request, which the browser notes."""
    expect(visitor.page.get_by_alt_text(re.compile("Page 1 of "))).to_be_visible(timeout=SLOW_MS)


def _approve_as_a_second_person(second, site, proposal: str) -> None:
    second.sign_in(site.person(Role.ACCOUNT_LEAD, "Tom Roth"), proposal)
    _drawn(second)
    second.page.get_by_role("button", name="Approve").click()
    expect(second.page.get_by_role("heading", name="Ready to send")).to_be_visible()
    _drawn(second)


def _send(lead, proposal: str, looks_right) -> str:
    page = lead.page
    lead.open(proposal)
    _drawn(lead)
    page.get_by_role("link", name="Send…").click()
    expect(page.get_by_label("Jana Petersen")).to_be_checked()
    looks_right(lead)
    page.get_by_role("button", name="Freeze and send").click(timeout=SLOW_MS)
    expect(page.get_by_role("heading", name="P-2026-0001, version 1 is sent")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Copy the link").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    looks_right(lead)
    link: str = page.evaluate("navigator.clipboard.readText()")
    return link.removeprefix(lead.site.origin)


def _accept_on_a_phone(client, link: str, looks_right) -> None:
    page = client.page
    client.open(link)
    expect(page.get_by_text("As discussed on Monday.")).to_be_visible()
    assert "margin" not in page.content().lower()
    assert client.sideways_px() == 0
    looks_right(client)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Your name")).to_have_value("Jana Petersen")
    page.get_by_label("Your role").fill("Head of Customer Service")
    looks_right(client)
    client.expects_refusal(422)
    page.get_by_role("button", name="Accept for").click()
    expect(page.locator("#agree-fault")).to_be_visible()
    page.get_by_label("I accept the offer").check()
    page.get_by_role("button", name="Accept for").click(timeout=SLOW_MS)
    expect(page.get_by_role("heading", name="Thank you. It is agreed.")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text("Jana Petersen, Head of Customer Service, for")).to_be_visible()
    assert client.sideways_px() == 0
    looks_right(client)
    digest = page.locator("#digest").inner_text()
    document = page.request.get(f"{client.site.origin}{link}/document")
    assert hashlib.sha256(document.body()).hexdigest() == digest
    assert page.request.get(f"{client.site.origin}{link}/certificate").body().startswith(b"%PDF")
    client.open(f"/verify/{digest}")
    expect(page.get_by_text("This is ours, unchanged")).to_be_visible()
    looks_right(client)
