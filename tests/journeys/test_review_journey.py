"""Review in a browser: a reviewer at the keyboard, a lead who opens, decides and closes; light, dark and a phone."""

import time

import orjson
import pytest
from playwright.sync_api import Page, expect
from sqlmodel import col, select

from engagements.core import audit
from engagements.core.roles import Actor, Role
from engagements.db.columns import new_id
from engagements.phases.data_preparation.models import DataSource, Example, ExampleState
from engagements.phases.data_preparation.records import Provenance, Record
from engagements.phases.data_preparation.review import reviewing, rounds
from engagements.phases.data_preparation.review.models import ExampleReview
from engagements.phases.data_preparation.review.schemas import AnswerIn, RoundIn

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
EXAMPLES = 30
LABELS = ("billing", "refund", "order")


@pytest.fixture
def engagement(site, sign):
    return sign(site.wiring, site.organisation_id, "Draft replies")


def fill(site, engagement, count: int) -> list[str]:
    """Pending examples of one source."""
    owners = {
        "organisation_id": site.organisation_id, "engagement_id": engagement.engagement_id,
        "client_id": engagement.client_id,
    }  # fmt: skip
    at, ids = site.clock.now(), []
    source = DataSource(
        id=new_id("src"), **owners, name="tickets.csv", kind=Provenance.EXISTING_WORK, licence="theirs",
        sha256="0" * 64, size_bytes=4, created_by="system", created_at=at, changed_at=at,
    )  # fmt: skip
    with site.wiring.store.write() as session:
        session.add(source)
        audit.record(session, site.house, "data_source.added", source, at=at)
        for number in range(count):
            label = LABELS[number % 3]
            messages = (
                {"role": "system", "content": "Name what the customer writes about."},
                {"role": "user", "content": f"Hello, my order {number} has not come yet.\nWhere is it? " * 3},
                {"role": "assistant", "content": label},
            )
            record = Record(id=f"ticket-{number:03}", messages=messages, label=label)
            finding = {
                "code": "x",
                "severity": "warning",
                "message": "a name stands in the text",
                "where": "messages[1]",
            }
            row = Example(
                id=new_id("exa"), **owners, source_id=source.id, row_number=number + 1, record_id=record.id,
                sha256=record.content_sha256, payload=orjson.dumps(record.as_json()).decode(), label=label, score=90,
                findings=[finding] if number % 4 == 0 else [], created_at=at, changed_at=at,
            )  # fmt: skip
            session.add(row)
            ids.append(row.id)
    return ids


def open_round(site, engagement, lead: Actor, people: list[Actor], **fields) -> str:
    guideline = "Accept what an agent would have chosen.\nReject what names a person."
    given = {"name": "First look", "reviewers": [each.id for each in people], "guideline": guideline, **fields}
    with site.wiring.store.write() as session:
        data = RoundIn.model_validate(given)
        return rounds.open_round(session, lead, engagement.engagement_id, data, at=site.clock.now()).id


def answer_all(site, person: Actor, opened: str, decide) -> None:
    """What another reviewer says, by the service."""
    while True:
        with site.wiring.store.write() as session:
            handed = reviewing.next_items(session, person, opened, count=1, at=site.clock.now()).items
            if not handed:
                return
            scores = {"accuracy": 4, "consistency": 4, "completeness": 5, "format": 5, "edge_case": 3}
            data = AnswerIn.model_validate(
                {**scores, "content_sha256": handed[0].content_sha256, "seconds": 11, **decide(handed[0])}
            )
            reviewing.submit(session, person, handed[0].id, data, at=site.clock.now())


def shown(page: Page) -> str:
    return page.locator("#example input[name=item]").input_value()


def answered(page: Page) -> int:
    return int(page.locator("[data-answered]").inner_text())


@ON_SQLITE
def test_a_reviewer_answers_thirty_examples_by_keys_alone_without_waiting(site, visitors, engagement, record_property):
    ana, lead = site.person(Role.DELIVERY_MEMBER, "Ana Ruiz"), site.person(Role.DELIVERY_LEAD, "Nele Ostermann")
    examples = fill(site, engagement, EXAMPLES)
    opened = open_round(site, engagement, lead, [ana], overlap=1)
    visitor = visitors()
    visitor.sign_in(ana, f"/engagements/{engagement.engagement_id}/review/{opened}/work")
    page, loaded = visitor.page, []
    page.on("framenavigated", lambda frame: loaded.append(frame.url))
    seen = []
    began = time.perf_counter()
    for _ in range(EXAMPLES):
        seen.append(shown(page))
        page.keyboard.type("54453")
        page.keyboard.press("a")
        page.keyboard.press("Enter")
        if len(seen) < EXAMPLES:
            page.wait_for_function(
                "id => document.querySelector('#example input[name=item]')?.value !== id", arg=seen[-1]
            )
    expect(page.get_by_role("heading", name="All done")).to_be_visible()
    per_example_ms = 1000 * (time.perf_counter() - began) / EXAMPLES
    record_property("machine_ms_per_example", round(per_example_ms))
    print(f"{per_example_ms:.0f} ms an example are the machine's, of the 12,000 that 300 an hour allow")  # noqa: T201  # read with -s
    assert loaded == [], "no page was loaded anew"
    assert len(set(seen)) == EXAMPLES
    assert answered(page) == EXAMPLES
    with site.wiring.store.read() as session:
        assert {each.state for each in session.exec(select(Example).where(col(Example.id).in_(examples)))} == {
            ExampleState.ACCEPTED
        }
        given = session.exec(select(ExampleReview)).all()
        assert {
            (each.accuracy, each.consistency, each.completeness, each.format, each.edge_case) for each in given
        } == {(5, 4, 4, 5, 3)}
        assert all(each.seconds is not None for each in given)


@ON_SQLITE
def test_the_keys_edit_comment_undo_skip_and_say_what_is_missing(site, visitors, engagement):
    ana, bo = site.person(Role.DELIVERY_MEMBER, "Ana Ruiz"), site.person(Role.REVIEWER, "Bo Lind")
    lead = site.person(Role.DELIVERY_LEAD, "Nele Ostermann")
    fill(site, engagement, 4)
    opened = open_round(site, engagement, lead, [ana, bo])
    visitor = visitors()
    visitor.sign_in(ana, f"/engagements/{engagement.engagement_id}/review/{opened}/work")
    page = visitor.page
    first = shown(page)
    page.keyboard.type("55")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Completeness has no score")).to_be_visible()
    page.keyboard.type("555")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Accept, reject or skip it")).to_be_visible()
    page.keyboard.press("c")
    page.keyboard.type("as in 12")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    page.keyboard.press("Enter")
    expect(page.locator("[data-answered]")).to_have_text("1")
    assert shown(page) != first
    page.keyboard.press("u")
    expect(page.locator("[data-answered]")).to_have_text("0")
    assert shown(page) == first

    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("delivery")
    page.keyboard.press("Escape")
    page.keyboard.type("55555a")
    page.keyboard.press("Enter")
    expect(page.locator("[data-answered]")).to_have_text("1")
    with site.wiring.store.read() as session:
        (kept,) = session.exec(select(ExampleReview)).all()
        assert kept.edited is not None
        assert orjson.loads(kept.edited)["messages"][-1]["content"] == "delivery"
    second = shown(page)
    page.keyboard.press("s")
    page.keyboard.press("Enter")
    expect(page.locator("[data-answered]")).to_have_text("2")
    assert shown(page) != second
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")


@ON_SQLITE
def test_an_answer_that_comes_too_late_is_said_and_the_desk_goes_on(site, visitors, engagement):
    ana, lead = site.person(Role.DELIVERY_MEMBER, "Ana Ruiz"), site.person(Role.DELIVERY_LEAD, "Nele Ostermann")
    fill(site, engagement, 3)
    opened = open_round(site, engagement, lead, [ana], overlap=1)
    visitor = visitors()
    visitor.sign_in(ana, f"/engagements/{engagement.engagement_id}/review/{opened}/work")
    page, item = visitor.page, shown(visitor.page)
    with site.wiring.store.write() as session:
        row = session.get_one(Example, session.get_one(reviewing.QueueItem, item).example_id)
        row.payload, row.sha256 = row.payload.replace("Hello", "Good day"), "f" * 64
    visitor.expects_refusal(409)
    page.keyboard.type("55555a")
    page.keyboard.press("Enter")
    expect(page.locator("#example")).to_contain_text("Good day")
    expect(page.get_by_text("This example was changed meanwhile")).to_be_visible()
    assert shown(page) == item
    page.keyboard.type("55555a")
    page.keyboard.press("Enter")
    expect(page.locator("[data-answered]")).to_have_text("1")
    expect(page.get_by_text("This example was changed meanwhile")).to_have_count(0)


@ON_SQLITE
def test_a_lead_opens_a_round_sees_how_it_goes_decides_and_closes_it(site, visitors, engagement, violations):
    ana, bo = site.person(Role.DELIVERY_MEMBER, "Ana Ruiz"), site.person(Role.REVIEWER, "Bo Lind")
    lead = site.person(Role.DELIVERY_LEAD, "Nele Ostermann")
    fill(site, engagement, 9)
    home, visitor = f"/engagements/{engagement.engagement_id}/review", visitors()
    visitor.sign_in(lead, home)
    page = visitor.page
    page.get_by_role("link", name="Open a round").first.click()
    page.get_by_label("Name").fill("First look")
    page.get_by_label("Ana Ruiz").check()
    page.get_by_label("Bo Lind").check()
    page.get_by_role("button", name="Open the round").click()
    expect(page.get_by_text("The round is open")).to_be_visible()
    opened = visitor.at().rsplit("/", 1)[1]
    answer_all(site, ana, opened, lambda _: {"decision": "accept"})
    answer_all(
        site, bo, opened,
        lambda item: {"decision": "reject", "comment": "It is about delivery.", "accuracy": 2}
        if item.record["id"].endswith(("2", "5"))
        else {"decision": "accept", "label": "delivery"} if item.record["id"].endswith("7") else {"decision": "accept"},
    )  # fmt: skip
    visitor.open(f"{home}/{opened}")
    expect(page.get_by_role("heading", name="Disagreements 3")).to_be_visible()
    page.get_by_role("link", name="ticket-007").click()
    expect(page.locator(".edit ins").first).to_have_text("delivery")
    page.get_by_label("As Bo Lind would have it").check()
    page.get_by_label("Accept").check()
    page.get_by_label("Reason").fill("Delivery has a class of its own.")
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Decided").first).to_be_visible()
    waiting = page.get_by_role("link", name="ticket-002").get_attribute("href")
    page.get_by_role("button", name="Close the round").click()
    expect(page.get_by_text("The round is closed")).to_be_visible()
    fill_more(site, engagement)
    second = open_round(site, engagement, lead, [lead], overlap=1, name="Once more")
    for path in (home, f"{home}/new", f"{home}/{opened}", waiting, f"{home}/{second}/work"):
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)
            visitor.open(path)
            assert visitor.sideways_px() == 0, f"{path} at {size['width']}"
        page.set_viewport_size(DESKTOP)
        assert violations(page) == [], path


def fill_more(site, engagement) -> None:
    """One more, without a label."""
    at = site.clock.now()
    with site.wiring.store.write() as session:
        source = session.exec(select(DataSource)).first()
        assert source is not None
        record = Record(
            id="more-1",
            messages=({"role": "user", "content": "Where?"}, {"role": "assistant", "content": "Here."}),
        )
        session.add(
            Example(
                id=new_id("exa"), organisation_id=site.organisation_id, engagement_id=engagement.engagement_id,
                client_id=engagement.client_id, source_id=source.id, row_number=100, record_id=record.id,
                sha256=record.content_sha256, payload=orjson.dumps(record.as_json()).decode(), created_at=at,
                changed_at=at,
            )
        )  # fmt: skip
