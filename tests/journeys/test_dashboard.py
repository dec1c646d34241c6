"""The dashboard in a real browser: every page opened and clicked, by keyboard too, in light, dark and phone width."""

import re
from collections.abc import Mapping

import pytest
from playwright.sync_api import expect

from engagements.core import service
from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import Role
from engagements.core.schemas import ClientIn, ContactIn, EngagementIn, EngagementPatch

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PHONE = (390, 844)
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
STAFF_PAGES = (
    "/", "/?search=nothing", "/work", "/notices", "/notices/settings", "/calendar",
    "/engagements/{engagement}/timeline", "/engagements/{engagement}/as-client", "/clients", "/clients/{client}",
    "/engagements/{engagement}", "/audit", "/people",
    "/people/keys", "/people/{person}", "/styleguide", "/clients/nowhere",
)  # fmt: skip
FORM_PAGES = (
    "/clients/new", "/clients/{client}/edit", "/clients/{client}/contacts/new", "/contacts/{contact}/edit",
    "/engagements/new?client={client}", "/engagements/{engagement}/edit", "/engagements/{engagement}/state",
    "/people/invite", "/people/keys/new",
)  # fmt: skip
CLIENT_PAGES = (
    "/", "/work", "/engagements/{engagement}", "/engagements/{engagement}/timeline", "/calendar", "/audit",
    "/people", "/people/invite",
)  # fmt: skip


@pytest.fixture
def admin(site):
    return site.person(Role.ADMINISTRATOR, "Ingrid Halden")


@pytest.fixture
def places(site, admin) -> Mapping[str, str]:
    """One of everything, with names as long as they come."""
    at = site.clock.now()
    with site.wiring.store.write() as session:
        client = service.create_client(session, admin, ClientIn(name=LONG, country="AT"), at=at)
        contact = service.create_contact(
            session, admin, client.id, ContactIn(name="Petra Lind", email="petra@example.com"), at=at
        )
        engagement = service.open_engagement(session, admin, EngagementIn(client_id=client.id, name=LONG), at=at)
        hold = EngagementPatch(state=EngagementState.ACTIVE)
        service.change_engagement(session, admin, engagement.id, hold, version=1, at=at)
        return {
            "client": client.id, "contact": contact.id, "engagement": engagement.id,
            "person": site.person_in(session, Role.REVIEWER, "Ruth Reviewer").id,
        }  # fmt: skip


def look_through(visitor, paths, places, violations) -> None:
    for path in paths:
        visitor.expects_refusal(*([404] if path.endswith("nowhere") else []))
        visitor.open(path.format(**places))
        expect(visitor.page.locator("h1")).to_have_count(1)
        assert violations(visitor.page) == [], path
        visitor.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        assert visitor.sideways_px() == 0, path
        visitor.page.set_viewport_size({"width": 1280, "height": 900})


@ON_SQLITE
@pytest.mark.parametrize("paths", [STAFF_PAGES, FORM_PAGES], ids=["lists", "forms"])
def test_every_page_of_the_agency_can_be_used_by_everybody(visitors, violations, admin, places, paths):
    visitor = visitors()
    visitor.sign_in(admin)
    look_through(visitor, paths, places, violations)


@ON_SQLITE
def test_every_page_of_a_clients_people_can_be_used_by_everybody(site, visitors, violations, places):
    visitor = visitors()
    visitor.sign_in(site.person(Role.CLIENT_APPROVER, "Petra Lind", places["client"]))
    look_through(visitor, CLIENT_PAGES, places, violations)


@ON_SQLITE
def test_an_agency_that_has_nothing_yet_is_told_what_to_do(visitors, violations, admin):
    visitor = visitors()
    visitor.sign_in(admin)
    look_through(visitor, ("/", "/clients", "/engagements/new", "/people/keys"), {}, violations)


def test_a_client_an_engagement_and_its_states(site, visitors):
    visitor = visitors()
    visitor.sign_in(site.person(Role.ACCOUNT_LEAD, "Marten Roth"))
    page = visitor.page
    page.get_by_role("link", name="Add the first client").click()
    page.get_by_label("Name", exact=False).first.fill("Nordwind Energie")
    page.get_by_label("Country").select_option("DE")
    page.get_by_role("button", name="Add client").click()
    expect(page.get_by_role("status")).to_have_text("Client added")
    page.get_by_role("link", name="Add a contact").click()
    page.get_by_label("Name").fill("Petra Lind")
    page.get_by_label("E-mail").fill("petra@nordwind.example")
    page.get_by_role("button", name="Add contact").click()
    expect(page.get_by_role("row", name="Petra Lind")).to_be_visible()
    page.get_by_role("link", name="Open an engagement").click()
    expect(page.get_by_label("Client")).to_have_value(re.compile("^cli_"))
    page.get_by_label("Name").fill("Ticket replies")
    page.get_by_role("button", name="Open engagement").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ticket replies")
    page.get_by_role("link", name="Change state").click()
    page.get_by_label("Terminated").check()
    visitor.expects_refusal(422)
    page.get_by_role("button", name="Change state").click()
    expect(page.locator(".faults")).to_be_focused()
    page.get_by_role("link", name="No reason is given.").click()
    reason = page.get_by_role("textbox", name="Reason")
    expect(reason).to_be_focused()
    reason.fill("They chose to buy a product")
    page.get_by_role("button", name="Change state").click()
    expect(page.get_by_text("They chose to buy a product").first).to_be_visible()
    page.get_by_role("link", name="Portfolio").first.click()
    page.get_by_label("Client or engagement").fill("nordwind")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("row", name="Ticket replies")).to_contain_text("Terminated")
    with site.wiring.store.read() as session:
        (engagement,) = session.exec(service.scoped(Engagement, site.house)).all()
        assert engagement.state is EngagementState.TERMINATED


@ON_SQLITE
def test_chosen_colours_are_remembered(visitors, admin):
    visitor = visitors()
    visitor.sign_in(admin)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = visitor.page.evaluate(ground)
    visitor.page.get_by_text("Ingrid Halden").first.click()
    visitor.page.get_by_role("button", name="Dark").click()
    dark = visitor.page.evaluate(ground)
    visitor.open("/clients")
    assert visitor.page.evaluate(ground) == dark != light
    visitor.page.get_by_text("Ingrid Halden").first.click()
    expect(visitor.page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    visitor.page.get_by_role("button", name="System").click()
    assert visitor.page.evaluate(ground) == light


@ON_SQLITE
def test_the_keyboard_reaches_everything_in_order(visitors, admin, places):
    visitor = visitors()
    visitor.sign_in(admin)
    page = visitor.page

    def focused() -> str:
        return page.evaluate("document.activeElement.textContent.trim()")

    order = []
    for _ in range(11):
        page.keyboard.press("Tab")
        order.append(focused())
    assert order[:10] == [
        "Skip to the content", "Halden & Roth", "Portfolio", "My work", "Time", "Clients", "People", "Calibration",
        "Audit", "Notices",
    ]  # fmt: skip
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    page.locator("h1").click()
    page.keyboard.press("/")
    expect(page.get_by_label("Client or engagement")).to_be_focused()


@ON_SQLITE
def test_what_is_shown_once_can_be_copied(visitors, admin):
    visitor = visitors()
    visitor.sign_in(admin, "/people/keys/new")
    page = visitor.page
    page.get_by_label("Name").fill("CRM export")
    page.get_by_label("Role").select_option("finance")
    page.get_by_role("button", name="Make key").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#secret").text_content()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("row", name="CRM export")).to_be_visible()
    assert "sixfold_finance" not in page.content()


@ON_SQLITE
def test_signing_out_ends_the_session(visitors, admin):
    visitor = visitors()
    visitor.sign_in(admin)
    visitor.page.get_by_text("Ingrid Halden").first.click()
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.open("/clients")
    assert visitor.at().startswith("/sign-in")
