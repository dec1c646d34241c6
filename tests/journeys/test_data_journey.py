"""Data preparation in a browser: a messy file that is cut on its way and imported, a dataset split, sealed and kept."""

import random
from pathlib import Path

import orjson
import pytest
from playwright.sync_api import Page, Route, expect
from sqlmodel import Session, col, select

from engagements.core import audit
from engagements.core.roles import Actor, Role
from engagements.db.columns import new_id
from engagements.phases.data_preparation.models import DataJob, DataSource, Example, ExampleState, JobKind, SourceState
from engagements.phases.data_preparation.records import Origin, Provenance, Record
from engagements.phases.data_preparation.review import reviewing, rounds
from engagements.phases.data_preparation.review.schemas import AnswerIn, RoundIn
from engagements.phases.data_preparation.versions.models import DatasetVersion, VersionMember

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
PIECE_BYTES = 8 * 1024 * 1024
LONG_MS = 60_000
LABELS = ("invoice", "meter", "contract", "outage")
WORDS = [first + last for first in ("bal", "cer", "dun", "fig", "hol", "jak", "lem", "mor", "pra", "quo", "rys", "sno")
         for last in ("ta", "win", "zek", "bed", "gof", "kil")]  # fmt: skip


@pytest.fixture
def engagement(site, sign):
    return sign(site.wiring, site.organisation_id, "Draft replies")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def fits_a_phone(visitor) -> None:
    """The page that is open is as wide as a phone; then it is opened as before."""
    visitor.page.set_viewport_size(PHONE)
    assert visitor.sideways_px() == 0, visitor.at()
    visitor.page.set_viewport_size(DESKTOP)


def words_of(number: int) -> str:
    """Twelve by chance: no two of them are nearly the same."""
    return " ".join(random.Random(number).sample(WORDS, 12))


# --- a file, on its way and into the pool -----------------------------------------------------------------------------


def messy_export(path: Path) -> Path:
    """Three pieces of cp1252 with semicolons: 150 good rows; 1 ragged, 2 without text, 1 without label, 3 copies, an id
    twice, a person. The page that each ticket was written on makes it large."""
    rows = [f"T-{n:03};Grüße, {words_of(n)};{LABELS[n % 4]};K{n % 20};{'x' * 120_000}" for n in range(150)]
    rows += ["T-300;only;three", "T-301;;invoice;K1;", "T-302;;meter;K1;", "T-303;Der Zähler steht;;K2;"]
    rows += [f"T-{200 + n};Grüße, {words_of(n)};{LABELS[n % 4]};K9;" for n in range(3)]
    rows += ["T-007;Schreiben Sie an anna.meier@example.com, danke schön;contract;K3;"]
    path.write_bytes("\r\n".join(["ticket;text;category;customer;page", *rows, ""]).encode("cp1252"))
    return path


class Line:
    """The way to the server, which goes silent after so many pieces. `sent`: the first byte of each piece that came."""

    def __init__(self, page: Page) -> None:
        self.sent: list[int] = []
        self.pieces_max = 100
        page.route("**/api/v1/uploads/*/content", self._pass)

    def _pass(self, route: Route) -> None:
        if len(self.sent) < self.pieces_max:
            self.sent.append(int(route.request.headers["content-range"].removeprefix("bytes ").partition("-")[0]))
            route.continue_()


def send(page: Page, export: Path) -> None:
    page.get_by_label("File", exact=True).set_input_files(export)
    page.get_by_label("Licence", exact=True).fill("the client's own, contract of 3 May")
    press(page, "Add it")


@ON_SQLITE
def test_a_messy_export_is_cut_resumed_mapped_imported_and_checked(site, visitors, engagement, tmp_path):
    export, home = messy_export(tmp_path / "tickets.csv"), f"/engagements/{engagement.engagement_id}/data"
    size = export.stat().st_size
    assert 2 * PIECE_BYTES < size < 3 * PIECE_BYTES
    visitor = visitors()
    visitor.sign_in(site.person(Role.DELIVERY_MEMBER, "Tim Brandt"), home)
    page = visitor.page
    fits_a_phone(visitor)

    line = Line(page)
    line.pieces_max = 1
    page.get_by_role("link", name="Add data").click()
    send(page, export)
    expect(page.get_by_text(f"Sending: {100 * PIECE_BYTES // size}%")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_visible()
    visitor.open(home)
    expect(page.get_by_role("listitem").filter(has_text="tickets.csv")).to_contain_text("8.4 MB of 18.0 MB")
    fits_a_phone(visitor)

    line.pieces_max = 100
    page.get_by_role("link", name="Send the same file again").click()
    expect(page.get_by_label("File", exact=True)).to_be_visible()
    fits_a_phone(visitor)
    send(page, export)
    expect(page.get_by_role("heading", name="tickets.csv")).to_be_visible()
    assert line.sent == [0, PIECE_BYTES, 2 * PIECE_BYTES]

    _says_how_it_reads(visitor)
    _imports(visitor, site)
    _checks(visitor)


def _says_how_it_reads(visitor) -> None:
    page = visitor.page
    expect(page.get_by_text("it reads well as cp1252")).to_be_visible()
    expect(page.get_by_role("button", name="Import it")).to_have_count(0)
    fits_a_phone(visitor)
    page.get_by_label("Encoding").fill("cp1252")
    press(page, "Save and look again")
    page.get_by_label("Text (optional)", exact=True).select_option("text")
    page.get_by_label("Label or answer").select_option("category")
    page.get_by_label("Id (optional)", exact=True).select_option("ticket")
    page.get_by_label("Group").select_option("customer")
    press(page, "Save and look again")
    preview = page.get_by_role("article").first
    expect(preview).to_contain_text(f"Grüße, {words_of(0)}")
    expect(preview).to_contain_text("invoice")
    expect(page.get_by_role("region", name="The first rows")).to_contain_text("T-000")
    fits_a_phone(visitor)


def _imports(visitor, site) -> None:
    page = visitor.page
    site.wiring.workshop.stop()
    press(page, "Import it")
    expect(page.get_by_text("Waiting for its turn")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Import")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel the import")).to_be_visible()
    fits_a_phone(visitor)
    site.wiring.workshop.start()
    kept = page.locator(".tile").filter(has_text="Kept as examples")
    expect(kept).to_contain_text("154", timeout=LONG_MS)
    expect(page.locator(".tile").filter(has_text="Rows in the file")).to_contain_text("158")
    account = page.get_by_role("region", name="What was found in its rows")
    ragged = account.get_by_role("group").filter(has_text="Ragged row")
    expect(ragged).to_contain_text("1 row left out")
    if not ragged.get_attribute("open"):
        ragged.locator("summary").click()
    expect(ragged).to_contain_text("3 cells; the header has 5")
    expect(account.get_by_role("group").filter(has_text="Duplicate id")).to_contain_text("1 note")
    fits_a_phone(visitor)


def _checks(visitor) -> None:
    page = visitor.page
    page.get_by_role("link", name="To the checks").click()
    page.locator("form").get_by_role("button", name="Check the pool").click()
    expect(page.get_by_role("heading", name="What to mend first")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_role("heading", name="1 example holds personal data")).to_be_visible()
    expect(page.locator(".tile").filter(has_text="Exact copies")).to_contain_text("3")
    heat = page.locator(".heat")
    expect(heat.locator("thead")).to_contain_text("Personal data")
    expect(heat.locator("tr").filter(has_text="contract")).to_contain_text("3%")
    fits_a_phone(visitor)
    page.get_by_role("link", name="Duplicate", exact=True).click()
    expect(page.get_by_role("rowheader").filter(has_text="T-200")).to_be_visible()
    fits_a_phone(visitor)
    page.get_by_role("link", name="T-200").click()
    expect(page.get_by_text("The same example as T-000")).to_be_visible()
    fits_a_phone(visitor)


# --- split, proved and sealed -----------------------------------------------------------------------------------------


def fill(site, engagement, count: int, *, to_review: int) -> None:
    """Accepted examples, of which these last wait for review; the first names a person."""
    at = site.clock.now()
    owners = {
        "organisation_id": site.organisation_id, "engagement_id": engagement.engagement_id,
        "client_id": engagement.client_id,
    }  # fmt: skip
    records = [record_of_row(number) for number in range(count)]
    raw = site.wiring.storage.put(record.as_line() for record in records)
    source = DataSource(
        id=new_id("src"), **owners, name="tickets.jsonl", kind=Provenance.HISTORICAL, licence="theirs", format="jsonl",
        sha256=raw.sha256, size_bytes=raw.size_bytes, state=SourceState.IMPORTED, rows_in=count, kept=count,
        created_by="system", created_at=at, changed_at=at,
    )  # fmt: skip
    source_id = source.id
    with site.wiring.store.write() as session:
        session.add(source)
        audit.record(session, site.house, "data_source.added", source, at=at)
        session.add_all(
            Example(
                id=new_id("exa"), **owners, source_id=source_id, row_number=number + 1, record_id=record.id,
                sha256=record.content_sha256, payload=orjson.dumps(record.as_json()).decode(), label=record.label,
                state=ExampleState.ACCEPTED if number < count - to_review else ExampleState.PENDING, created_at=at,
                changed_at=at,
            )
            for number, record in enumerate(records)
        )  # fmt: skip


def record_of_row(number: int) -> Record:
    label, person = LABELS[number % 4], "" if number else ", from anna.meier@example.com"
    messages = (
        {"role": "user", "content": f"{label}: {words_of(number)}{person}"},
        {"role": "assistant", "content": label},
    )
    origin = Origin(source="tickets.jsonl", row=number + 1, licence="theirs")
    return Record(id=f"row-{number:04}", messages=messages, label=label, origin=origin)


def review(site, engagement, lead: Actor, people: list[Actor]) -> None:
    """Two who agree in everything, by the service."""
    at, scores = site.clock.now(), dict.fromkeys(("accuracy", "consistency", "completeness", "format", "edge_case"), 5)
    with site.wiring.store.write() as session:
        asked = {"name": "First look", "reviewers": [each.id for each in people], "overlap": 2, "target": 0.8}
        given = RoundIn.model_validate(asked)
        opened = rounds.open_round(session, lead, engagement.engagement_id, given, at=at).id
    for person in people:
        while handed := _next(site, person, opened):
            with site.wiring.store.write() as session:
                answer = {**scores, "decision": "accept", "content_sha256": handed.content_sha256, "seconds": 9}
                reviewing.submit(session, person, handed.id, AnswerIn.model_validate(answer), at=at)
    with site.wiring.store.write() as session:
        rounds.close_round(session, lead, opened, at=at)


def _next(site, person: Actor, opened: str):
    with site.wiring.store.write() as session:
        items = reviewing.next_items(session, person, opened, count=1, at=site.clock.now()).items
        return items[0] if items else None


def sealed_example(session: Session) -> str:
    return session.exec(select(VersionMember.example_id).where(col(VersionMember.split) == "test")).first() or ""


@ON_SQLITE
def test_a_dataset_is_sealed_once_proved_clean_and_its_gate_reads_it(site, visitors, engagement):
    home = f"/engagements/{engagement.engagement_id}"
    lead, other = site.person(Role.DELIVERY_LEAD, "Nele Ostermann"), site.person(Role.ACCOUNT_LEAD, "Jonas Roth")
    fill(site, engagement, 1_440, to_review=40)
    review(
        site, engagement, lead, [site.person(Role.REVIEWER, "Bo Lind"), site.person(Role.DELIVERY_MEMBER, "Ana Ruiz")]
    )
    visitor, second = visitors(), visitors()
    visitor.sign_in(lead, f"{home}/plan/phases/data_preparation")
    page = visitor.page
    press(page, "Start Data preparation")
    visitor.expects_refusal(409)
    _decide(visitor, home)
    expect(page.get_by_text("No dataset version is recorded").first).to_be_visible()

    visitor.open(f"{home}/data/checks")
    page.locator("form").get_by_role("button", name="Check the pool").click()
    expect(page.get_by_role("heading", name="1 example holds personal data")).to_be_visible(timeout=LONG_MS)
    _seal(visitor, home, refused=True)
    expect(page.get_by_role("alert")).to_contain_text("Personal data stands in 1 of the examples")
    visitor.open(f"{home}/data/checks")
    page.get_by_label("Why they may stay").fill("An address of our own, made for tests.")
    press(page, "I, Nele Ostermann, answer for it")

    site.wiring.workshop.stop()
    second.sign_in(other, f"{home}/datasets")
    _seal(visitor, home)
    expect(page.get_by_text("Waiting for its turn")).to_be_visible()
    second.expects_refusal(409)
    press(second.page, "Seal it")
    expect(second.page.get_by_role("alert")).to_contain_text("This dataset is being sealed already")
    fits_a_phone(second)
    site.wiring.workshop.start()
    page.get_by_role("link", name="tickets@v1").click(timeout=LONG_MS)
    _shows_its_proof(visitor)
    with site.wiring.store.read() as session:
        assert len(session.exec(select(DataJob).where(col(DataJob.kind) == JobKind.SEAL)).all()) == 1
        assert len(session.exec(select(DatasetVersion)).all()) == 1

    visitor.open(f"{home}/gates/data_preparation")
    expect(page.get_by_role("row").filter(has_text="nor a near copy")).to_contain_text(
        "0 exact, 0 normalised and 0 near"
    )
    expect(page.get_by_role("region", name="Evidence")).to_contain_text("tickets@v1")
    fits_a_phone(visitor)
    _decide(visitor, home)
    visitor.open(home)
    expect(page.get_by_role("list", name="Phases").locator("li").first).to_have_class("done")


def _decide(visitor, home: str) -> None:
    visitor.open(f"{home}/gates/data_preparation")
    visitor.page.locator("input[name=verdict][value=go]").check()
    visitor.page.locator("textarea[name=reason]").fill("The evidence is in.")
    press(visitor.page, "Decide")


def _seal(visitor, home: str, *, refused: bool = False) -> None:
    page = visitor.page
    visitor.open(f"{home}/datasets")
    fits_a_phone(visitor)
    page.get_by_label("Name").fill("tickets@v1")
    page.get_by_label("What a model learns from it").select_option("classification")
    for name, share in (("Train", "50"), ("Validation", "10"), ("Test", "40")):
        page.get_by_label(name, exact=True).fill(share)
    if refused:
        visitor.expects_refusal(409)
    press(page, "Seal it")


def _shows_its_proof(visitor) -> None:
    page = visitor.page
    proof = page.get_by_role("region", name="Proof that nothing leaked")
    for tile in ("The same", "After folding", "Near copies", "Shared passages"):
        expect(proof.locator(".tile").filter(has_text=tile).locator("dd").first).to_have_text("0")
    expect(page.get_by_text("Recorded", exact=True)).to_be_visible()
    fits_a_phone(visitor)
    page.get_by_role("link", name="Datasheet", exact=True).click()
    expect(page.get_by_role("region", name="Composition")).to_contain_text("1,440 examples")
    fits_a_phone(visitor)


@ON_SQLITE
def test_the_test_split_is_no_download_for_anybody_and_no_text_of_it_is_shown(site, visitors, engagement):
    home, count = f"/engagements/{engagement.engagement_id}", 200
    lead = site.person(Role.DELIVERY_LEAD, "Nele Ostermann")
    fill(site, engagement, count, to_review=0)
    visitor = visitors()
    visitor.sign_in(lead)
    _seal(visitor, home)
    visitor.page.get_by_role("link", name="tickets@v1").click(timeout=LONG_MS)
    version = visitor.at()
    with site.wiring.store.read() as session:
        hidden = sealed_example(session)
        text = record_of_row(session.get_one(Example, hidden).row_number - 1).question

    member = visitors()
    member.sign_in(site.person(Role.DELIVERY_MEMBER, "Tim Brandt"), version)
    splits = member.page.get_by_role("region", name="Splits")
    expect(splits.get_by_role("row", name="Train").get_by_role("link", name="JSONL")).to_be_visible()
    expect(splits.get_by_role("row", name="Test").get_by_role("link")).to_have_count(0)
    expect(splits.get_by_role("row", name="Test")).to_contain_text("Opened by evaluations")
    member.open(f"/examples/{hidden}")
    expect(member.page.get_by_role("heading", name="Sealed")).to_be_visible()
    expect(member.page.locator("main")).not_to_contain_text(text)
    fits_a_phone(member)
    assert _asked(member, f"/api/v1{version}/export?split=train") == 200
    assert _asked(member, f"/api/v1{version}/export?split=test") == 409
    assert _asked(member, f"/api/v1{version}/test-split", opens=True) == 403

    client = visitors()
    client.sign_in(site.person(Role.CLIENT_VIEWER, "Ana Brandt", engagement.client_id), version)
    expect(client.page.get_by_role("region", name="Splits").get_by_role("link")).to_have_count(0)
    assert _asked(client, f"/api/v1{version}/export?split=train") == 403
    assert _asked(client, f"/api/v1{version}/export?split=test") == 403
    fits_a_phone(client)
    visitor.page.reload()
    expect(visitor.page.get_by_text("Nobody has opened it")).to_be_visible()


def _asked(visitor, path: str, *, opens: bool = False) -> int:
    """The status that the API answers to whoever is signed in."""
    ask = visitor.page.context.request
    if not opens:
        return ask.get(visitor.site.origin + path).status
    visitor.open("/work")
    token = visitor.page.locator("input[name=_csrf]").first.get_attribute("value")
    return ask.post(visitor.site.origin + path, data={"purpose": "To look"}, headers={"X-CSRF-Token": token}).status
