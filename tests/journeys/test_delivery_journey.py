"""Delivery in a real browser: a delivery lead, an account lead and a client, from the plan to the signed gate."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from engagements.core.roles import Actor, Role
from engagements.delivery.evidence import EvidenceIn
from engagements.delivery.recording import record_evidence
from engagements.demo import measured

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
BEGINS = datetime(2027, 1, 11, 9, 0, tzinfo=UTC)
ITEMS = 540
STAFF_PAGES = (
    "", "/timeline", "/as-client", "/plan", "/plan/reschedule", "/plan/phases/data_preparation", "/plan/milestones/new",
    "/gates", "/gates/data_preparation", "/gates/training", "/actuals", "/actuals/approval", "/actuals/costs/new",
    "/changes", "/changes/new", "/register", "/reports",
)  # fmt: skip
OWN_PAGES = ("/", "/work", "/time", "/notices", "/notices/settings", "/calendar", "/calibration", "/sample-size")
CLIENT_PAGES = ("", "/plan", "/gates", "/gates/baseline_evaluation", "/changes", "/reports")


@pytest.fixture
def engagement(site, sign):
    return sign(site.wiring, site.organisation_id, "Draft replies")


@pytest.fixture
def approver(site, engagement) -> Actor:
    return site.person(Role.CLIENT_APPROVER, "Ana Brandt", engagement.client_id)


def measure(site, engagement, lead: Actor, name: str, content) -> None:
    """What the team's own tools post over the API."""
    at = site.clock.now()
    data = EvidenceIn.model_validate(
        {"external_id": name, "source": "own tools 1.4", "measured_at": at.isoformat(), "content": content}
    )
    with site.wiring.store.write() as session:
        record_evidence(session, lead, engagement.engagement_id, data, at=at)


def measure_data(site, engagement, lead: Actor, *, near_copies: int) -> None:
    closed = {"passed": True, "by": lead.name, "on": site.clock.now().date().isoformat()}
    version = "v1" if near_copies else "v2"
    sizes = {"train": 6 * ITEMS, "validation": ITEMS, "test": ITEMS}
    content = {
        "kind": "dataset_version", "name": f"tickets@{version}", "sha256": measured.digest(version),
        "splits": [
            {"name": name, "examples": size, "sha256": measured.digest(f"{version} {name}")}
            for name, size in sizes.items()
        ],
        "sealed_at": site.clock.now().isoformat(),
        "leakage": {"exact": 0, "normalised": 0, "near": near_copies, "near_rule": "MinHash, Jaccard from 0.8"},
        "agreement": {"measure": "Krippendorff's alpha", "value": 0.84, "target": 0.8, "items": 300},
        "licence": closed, "personal_data": closed, "card_sha256": measured.digest(f"card {version}"),
    }  # fmt: skip
    measure(site, engagement, lead, content["name"], content)


def press(visitor, name: str) -> None:
    visitor.page.get_by_role("button", name=name, exact=True).click()


def start(visitor, home: str, phase: str, label: str) -> None:
    visitor.open(f"{home}/plan/phases/{phase}")
    press(visitor, f"Start {label}")


def decide(visitor, home: str, phase: str, verdict: str) -> None:
    visitor.open(f"{home}/gates/{phase}")
    visitor.page.locator(f"input[name=verdict][value={verdict}]").check()
    visitor.page.locator("textarea[name=reason]").fill("The evidence is in.")
    press(visitor, "Decide")


@ON_SQLITE
def test_a_delivery_lead_starts_logs_time_and_passes_the_gate_only_on_evidence(site, visitors, engagement):
    lead, visitor = site.person(Role.DELIVERY_LEAD, "Nele Ostermann"), visitors()
    home = f"/engagements/{engagement.engagement_id}"
    site.clock.at = BEGINS
    visitor.sign_in(lead, home)
    start(visitor, home, "data_preparation", "Data preparation")
    visitor.open("/time")
    page = visitor.page
    page.get_by_label("Engagement and phase").select_option(label="Data preparation")
    page.get_by_label("Hours", exact=True).fill("7:30")
    page.get_by_label("Role", exact=True).select_option(label="Delivery lead")
    press(visitor, "Log time")
    expect(page.get_by_role("region", name="Hours of the week")).to_contain_text("7.50")
    page.get_by_label("Engagement and phase").select_option(label="Data preparation")
    page.get_by_label("Hours", exact=True).fill("17")
    page.get_by_label("Role", exact=True).select_option(label="Delivery lead")
    visitor.expects_refusal(422)
    press(visitor, "Log time")
    expect(page.get_by_text("a day has 24 h").first).to_be_visible()

    measure_data(site, engagement, lead, near_copies=3)
    visitor.expects_refusal(409)
    decide(visitor, home, "data_preparation", "go")
    expect(page.get_by_text("3 near copies").first).to_be_visible()
    measure_data(site, engagement, lead, near_copies=0)
    decide(visitor, home, "data_preparation", "go")
    visitor.open(home)
    expect(page.get_by_role("list", name="Phases").locator("li").first).to_have_class("done")


@ON_SQLITE
def test_an_account_lead_sees_cost_and_takes_a_change_to_the_client_with_a_second_person(
    site, visitors, engagement, approver
):
    site.clock.at = BEGINS
    home = f"/engagements/{engagement.engagement_id}"
    writer = visitors()
    writer.sign_in(site.person(Role.DELIVERY_LEAD, "Nele Ostermann"), f"{home}/changes/new")
    writer.page.get_by_label("Title", exact=True).fill("A second system")
    writer.page.get_by_label("Reason", exact=True).fill("The web chat shows the drafts too.")
    writer.page.get_by_label("Integrations").fill("3")
    press(writer, "Draft the change")
    press(writer, "Assess")
    expect(writer.page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    change = writer.at()

    lead = visitors()
    lead.sign_in(site.person(Role.ACCOUNT_LEAD, "Jonas Roth"), f"{home}/actuals")
    expect(lead.page.get_by_text("Budget", exact=False).first).to_be_visible()
    lead.open(change)
    expect(lead.page.locator("main")).to_contain_text(re.compile("our cost", re.IGNORECASE))
    press(lead, "Approve")
    press(lead, "Send to the client")

    client = visitors()
    client.sign_in(approver, change)
    expect(client.page.locator("main")).not_to_contain_text(re.compile("our cost|margin", re.IGNORECASE))
    client.page.get_by_role("link", name="Agree…").click()
    client.page.get_by_label("Your e-mail").fill("ana@example.com")
    client.page.get_by_label("I agree to this change").check()
    press(client, "Agree to the change")
    lead.open(f"{home}/changes")
    expect(lead.page.locator("main")).to_contain_text("Agreed")
    lead.open(f"{home}/reports")
    lead.page.get_by_label("In your own words").fill("A change was agreed.")
    lead.page.set_default_timeout(20_000)
    press(lead, "Issue the report")
    client.open(f"{home}/reports")
    expect(client.page.get_by_role("link", name="Report 1", exact=True)).to_be_visible()


@ON_SQLITE
def test_a_client_sees_what_is_needed_and_signs_the_gate_and_never_what_it_cost(site, visitors, engagement, approver):
    home = f"/engagements/{engagement.engagement_id}"
    lead, visitor, client = site.person(Role.DELIVERY_LEAD, "Nele Ostermann"), visitors(), visitors()
    site.clock.at = BEGINS
    visitor.sign_in(lead, home)
    start(visitor, home, "data_preparation", "Data preparation")
    measure_data(site, engagement, lead, near_copies=0)
    decide(visitor, home, "data_preparation", "go")
    start(visitor, home, "baseline_evaluation", "Baseline evaluation")
    for subject, share in (("base_model", 0.41), ("best_prompt", 0.63)):
        metric = "drafts sent without edits"
        content = measured.evaluation(
            subject, f"{subject} 1", metric, hits=round(share * ITEMS), items=ITEMS,
            set_sha256=measured.digest("v2 test"),
        )  # fmt: skip
        measure(site, engagement, lead, subject, content)
    decide(visitor, home, "baseline_evaluation", "go")

    client.sign_in(approver)
    expect(client.page.locator("main")).to_contain_text("Needs you")
    client.open(f"{home}/gates/baseline_evaluation")
    client.page.get_by_role("link", name="Read and answer").click()
    client.page.get_by_label("I have read what was found").check()
    press(client, "Sign")
    client.open(home)
    text = client.page.locator("main").inner_text()
    assert not re.search(r"margin|cost|\bhours\b", text, re.IGNORECASE)
    visitor.open(f"{home}/as-client")
    stands = text.partition("Needs you")[2].partition("What was agreed")[0]
    assert "Phase 3, training, is ready to begin" in stands
    assert stands in visitor.page.locator("main").inner_text()


@ON_SQLITE
def test_every_page_of_delivery_can_be_used_by_everybody(site, visitors, violations, engagement):
    visitor = visitors()
    visitor.sign_in(site.person(Role.ADMINISTRATOR, "Ingrid Halden"))
    home = f"/engagements/{engagement.engagement_id}"
    look_through(visitor, [*OWN_PAGES, *(home + path for path in STAFF_PAGES)], violations)


@ON_SQLITE
def test_every_page_of_delivery_can_be_used_by_every_client(visitors, violations, engagement, approver):
    visitor = visitors()
    visitor.sign_in(approver)
    home = f"/engagements/{engagement.engagement_id}"
    look_through(visitor, ["/", "/work", "/notices", "/calendar", *(home + path for path in CLIENT_PAGES)], violations)


def look_through(visitor, paths, violations) -> None:
    for path in paths:
        visitor.open(path)
        expect(visitor.page.locator("h1")).to_have_count(1)
        assert violations(visitor.page) == [], path
        visitor.page.set_viewport_size(PHONE)
        assert visitor.sideways_px() == 0, path
        visitor.page.set_viewport_size(DESKTOP)
