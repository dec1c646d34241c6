"""Training in a browser: an experiment is planned, watched as it grows, cancelled, compared; its model is looked at."""

import re
import runpy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from engagements.core.roles import Role
from engagements.people.keys import create_key
from engagements.settings import TrainingBackend

_RUNS = runpy.run_path(str(Path(__file__).parents[1] / "engagements" / "training_runs" / "conftest.py"))
work_to_training = _RUNS["work_to_training"]

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PHONE = {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 700}
DESKTOP = {"width": 1280, "height": 900}
MOMENT = timedelta(seconds=20)
MOMENTS = 12
HOUR = {"amount": "1.80", "currency": "EUR", "source": "a machine of our own", "as_of": "2026-11-01"}


@dataclass(frozen=True, kw_only=True)
class Api:
    """A key's way to the served application."""

    origin: str
    key: str

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.origin + path, headers={"X-API-Key": self.key})

    def post(self, path: str, json: object = None) -> httpx.Response:
        body = {} if json is None else json
        return httpx.post(self.origin + path, headers={"X-API-Key": self.key}, json=body)


@dataclass(frozen=True, kw_only=True)
class Office:
    """The served application as the fixtures of the runs' own tests know it."""

    site: Any

    @property
    def wiring(self) -> Any:
        return self.site.wiring

    @property
    def clock(self) -> Any:
        return self.site.clock

    def api(self, role: Role = Role.ADMINISTRATOR) -> Api:
        with self.wiring.store.write() as session:
            _, key = create_key(session, self.site.house, name=role.label, role=role, at=self.clock.now())
        return Api(origin=self.site.origin, key=key)


@pytest.fixture
def house(site) -> Office:
    return Office(site=site)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """An engagement at phase 3 whose backend works a moment when it is told to."""

    site: Any
    engagement: Any
    version_id: str

    @property
    def home(self) -> str:
        return f"/engagements/{self.engagement.engagement_id}/training"

    def moment(self, count: int = 1) -> None:
        for _ in range(count):
            self.site.clock.move(MOMENT)
            self.site.wiring.supervisor.do_due()

    def finish(self) -> None:
        self.moment(3 * MOMENTS)


@pytest.fixture
def bench(site, house, sign, work_to_training) -> Bench:
    for part in (site.wiring.supervisor, site.wiring.workshop):
        part.stop()
        part.workers = 0
        part.start()
    told = {"kind": "fake", "settings": {"moments": MOMENTS}, "hour": HOUR, "at_once": 4}
    site.wiring.trainers.by_name = {"fake": TrainingBackend.model_validate(told)}
    engagement = sign(site.wiring, site.organisation_id, "Draft replies")
    version_id = _RUNS["sealed"](house, engagement)
    work_to_training(engagement.engagement_id)
    return Bench(site=site, engagement=engagement, version_id=version_id)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def fits(visitor) -> None:
    """The page that is open is as wide as a phone, and as the narrowest; then it is as before."""
    for size in (PHONE, NARROW):
        visitor.page.set_viewport_size(size)
        assert visitor.sideways_px() == 0, (visitor.at(), size)
    visitor.page.set_viewport_size(DESKTOP)


def plan(visitor, bench, name: str, **fields: str) -> None:
    """The form, filled in and sent."""
    page = visitor.page
    visitor.open(f"{bench.home}/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Model", exact=True).fill("tiny")
    page.locator("[name=cap_hours]").fill("5")
    page.get_by_label("Runs whose cost nobody can predict may start").check()
    for field, value in fields.items():
        page.locator(f"[name='{field.replace('__', '.')}']").fill(value)
    press(page, "Plan it")
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def points(page: Page) -> int:
    """How long the curve of training is that is on the screen."""
    path = page.locator('.at-a-desk path[stroke-width="2"]').first.get_attribute("d") or ""
    return len(re.findall("[ML]", path))


@ON_SQLITE
def test_an_experiment_is_planned_with_its_forecast_and_watched_until_its_model_is_there(site, visitors, bench):
    visitor = visitors()
    visitor.sign_in(site.person(Role.DELIVERY_LEAD, "Nele Ostermann"), bench.home)
    page = visitor.page
    page.get_by_role("link", name="New experiment").click()
    page.get_by_label("Model", exact=True).fill("tiny")
    page.get_by_label("Epochs", exact=False).fill("2")
    page.get_by_label("Epochs", exact=False).press("Tab")
    forecast = page.locator("#plan")
    expect(forecast).to_contain_text("lower-rate")
    before = forecast.inner_text()
    page.get_by_label("Epochs", exact=False).fill("4")
    page.get_by_label("Epochs", exact=False).press("Tab")
    expect(forecast).to_contain_text("epochs 4")
    assert forecast.inner_text() != before
    fits(visitor)

    plan(visitor, bench, "First three")
    expect(page.get_by_role("row").filter(has_text="curated")).to_contain_text("Planned")
    press(page, "Start it")
    bench.moment(2)
    page.get_by_role("link", name="1: defaults").click()
    expect(page.locator("#live")).to_contain_text("Step 5 of 60")
    page.evaluate("window.sixfoldWasHere = true")
    grown = [points(page)]
    for step in (10, 15):
        bench.moment()
        expect(page.locator("#live")).to_contain_text(f"Step {step} of 60")
        grown.append(points(page))
    assert grown == [5, 10, 15]
    assert page.evaluate("window.sixfoldWasHere")
    fits(visitor)

    bench.finish()
    expect(page.locator("#live")).to_contain_text("Chosen")
    expect(page.get_by_role("heading", name="Checkpoints")).to_be_visible()
    page.get_by_role("link", name="First three").click()
    expect(page.get_by_role("heading", name=re.compile("Chosen: run"))).to_be_visible()
    table = page.get_by_role("region", name="The runs beside each other", exact=True)
    expect(table.locator("thead")).to_contain_text("Learning rate")
    expect(page.get_by_role("img", name=re.compile("What each run was given"))).to_be_visible()
    fits(visitor)
    page.get_by_role("link", name="The model version").click()
    expect(page.get_by_role("region", name="Made again by one command")).to_contain_text("sixfold train")
    expect(page.get_by_role("region", name="Where it comes from")).to_contain_text("dataset@v1")
    fits(visitor)


@ON_SQLITE
def test_an_experiment_is_cancelled_by_whoever_is_sure(site, visitors, bench):
    visitor = visitors()
    visitor.sign_in(site.person(Role.DELIVERY_MEMBER, "Tim Brandt"))
    plan(visitor, bench, "Too long")
    page = visitor.page
    press(page, "Start it")
    bench.moment(3)
    page.get_by_text("Cancel…").click()
    press(page, "Cancel the experiment")
    bench.moment(2)
    expect(page.locator("main > header")).to_contain_text("Cancelled")
    expect(page.locator("#runs tbody tr").first).to_contain_text("Cancelled")
    expect(page.get_by_text("Cancel…")).to_have_count(0)


@ON_SQLITE
def test_a_knob_that_no_run_can_have_is_said_at_its_field_and_nothing_is_planned(site, visitors, bench):
    visitor = visitors()
    visitor.sign_in(site.person(Role.DELIVERY_MEMBER, "Tim Brandt"), f"{bench.home}/new")
    page = visitor.page
    page.get_by_label("Name", exact=True).fill("Wrong")
    page.get_by_label("Model", exact=True).fill("tiny")
    page.locator("[name='base.hyperparameters.epochs']").fill("900")
    page.locator("[name='base.hyperparameters.rank']").fill("none")
    visitor.expects_refusal(422)
    press(page, "Plan it")
    faults = page.get_by_role("alert")
    expect(faults).to_contain_text("3 things are to mend")
    expect(page.locator("[id='base.hyperparameters.epochs-fault']")).to_be_visible()
    expect(page.locator("[id='base.hyperparameters.rank-fault']")).to_be_visible()
    visitor.open(bench.home)
    expect(page.get_by_role("heading", name="No experiment yet")).to_be_visible()


@ON_SQLITE
def test_every_page_of_training_can_be_used_by_everybody(site, visitors, violations, bench):
    lead, client = visitors(), visitors()
    lead.sign_in(site.person(Role.ADMINISTRATOR, "Ingrid Halden"), bench.home)
    look_at(lead, [bench.home, f"{bench.home}/new"], violations)
    plan(lead, bench, "First three")
    look_at(lead, [lead.at()], violations)
    press(lead.page, "Start it")
    experiment = lead.at()
    bench.moment(4)
    run = lead.page.get_by_role("link", name="1: defaults").get_attribute("href")
    look_at(lead, [experiment, run], violations)
    client.sign_in(site.person(Role.CLIENT_APPROVER, "Ana Brandt", bench.engagement.client_id))
    look_at(client, [bench.home, experiment], violations)
    bench.finish()
    lead.open(experiment)
    version = lead.page.get_by_role("link", name="The model version").get_attribute("href")
    look_at(lead, [bench.home, experiment, run, version], violations)
    look_at(client, [bench.home, experiment, version], violations)
    for path in (bench.home, experiment, version):
        client.open(path)
        said = client.page.locator("main").inner_text()
        assert not re.search(r"€|EUR|\bcost|\bspent|\bcap\b|prompt", said, re.IGNORECASE), said


def look_at(visitor, paths, violations) -> None:
    for path in paths:
        visitor.open(path)
        expect(visitor.page.locator("h1")).to_have_count(1)
        assert violations(visitor.page) == [], path
        fits(visitor)
