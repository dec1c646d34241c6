"""The running server and a real browser: pages are opened, clicked and looked through as a person would."""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from litestar import Litestar
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from pydantic import SecretStr
from sqlmodel import Session

from engagements.app import connected
from engagements.core.clock import FixedClock
from engagements.core.roles import Actor, Role, system_actor
from engagements.people.identities import actor_of
from engagements.people.models import LinkPurpose, User
from engagements.people.service import add_user, found_organisation, one_time_link
from engagements.settings import Agency, Settings
from engagements.wiring import Wiring, wire

CHROMIUM = Path(os.environ.get("SIXFOLD_TEST_BROWSER", "/usr/bin/chromium"))
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
DESKTOP = (1280, 900)
PATIENCE_MS = 30_000
"""A page that needs so long never comes; what is quick is not asserted here."""
expect.set_options(timeout=PATIENCE_MS)


@dataclass(frozen=True, kw_only=True)
class Site:
    """A server on a port of its own with one agency in it; the clock stands still until it is moved."""

    wiring: Wiring
    origin: str
    organisation_id: str
    clock: FixedClock

    @property
    def house(self) -> Actor:
        return system_actor(self.organisation_id)

    def person(self, role: Role, name: str = "", client_id: str | None = None) -> Actor:
        """Somebody of this role who can sign in."""
        with self.wiring.store.write() as session:
            return self.person_in(session, role, name, client_id)

    def person_in(self, session: Session, role: Role, name: str = "", client_id: str | None = None) -> Actor:
        called = name or f"Ana {role.label}"
        email = f"{called.lower().replace(' ', '.')}@example.com"
        made = add_user(
            session, self.house, name=called, email=email, role=role, client_id=client_id, at=self.clock.now()
        )
        return actor_of(made)

    def sign_in_link(self, person: Actor) -> str:
        with self.wiring.store.write() as session:
            user = session.get(User, person.id)
            assert user is not None
            return f"/sign-in/link/{one_time_link(session, user, LinkPurpose.SIGN_IN, at=self.clock.now())}"


@pytest.fixture
def site(database_url: str, tmp_path: Path, socket_enabled: None, unconnected: Litestar) -> Iterator[Site]:
    clock = FixedClock(at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
    listening = socket.create_server(("127.0.0.1", 0))
    port: int = listening.getsockname()[1]
    settings = Settings(
        home=tmp_path, database=SecretStr(database_url), port=port, agency=Agency(name="Halden & Roth")
    )  # fmt: skip
    wiring = wire(settings, clock=clock)
    with wiring.store.write() as session:
        organisation_id = found_organisation(session, "Halden & Roth", at=clock.now()).id
    config = uvicorn.Config(connected(unconnected, wiring), log_config=None, ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield Site(wiring=wiring, origin=f"http://127.0.0.1:{port}", organisation_id=organisation_id, clock=clock)
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail(
            f"the journeys need a browser at {CHROMIUM}; run: apt-get install -y --no-install-recommends chromium"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody at a browser. What goes wrong behind their back lands in `faults`, which has to stay empty.

    A refused form is answered with 4xx, which the browser itself reports: `expects_refusal` says that it is meant.
    """

    page: Page
    site: Site
    faults: list[str]
    refusals: list[int] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Once more where the page that is left was just loading itself anew, as live ones do when work ends."""
        with suppress(PlaywrightError):
            self.page.goto(self.site.origin + path)
            return
        self.page.goto(self.site.origin + path)

    def sign_in(self, person: Actor, path: str = "/") -> None:
        self.open(self.site.sign_in_link(person))
        self.page.get_by_role("button", name="Sign in").click()
        self.open(path)

    def expects_refusal(self, *statuses: int) -> None:
        self.refusals.extend(statuses)

    def at(self) -> str:
        """The path of the page that is open."""
        return self.page.url.removeprefix(self.site.origin)

    def sideways_px(self) -> int:
        """By how much the page is wider than the window. Waits for a page that is on its way to have a body."""
        width: int = self.page.locator("body").evaluate(
            "({ ownerDocument: { documentElement: root } }) => root.scrollWidth - root.clientWidth"
        )
        return width


@pytest.fixture
def visitors(chromium: Browser, site: Site) -> Iterator[Callable[..., Visitor]]:
    """Makes a visitor with a browser window of their own; at the end nothing may have gone wrong in any."""
    made: list[tuple[BrowserContext, Visitor]] = []

    def visitor(size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> Visitor:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce",
            color_scheme="dark" if dark else "light", permissions=["clipboard-read", "clipboard-write"],
            locale="en-GB",
        )  # fmt: skip
        context.set_default_timeout(PATIENCE_MS)
        new = Visitor(page=context.new_page(), site=site, faults=[])
        _watch(new)
        made.append((context, new))
        return new

    yield visitor
    for context, each in made:
        context.close()
        assert each.faults == []


def _watch(visitor: Visitor) -> None:
    def only_ours(route: Route) -> None:
        if route.request.url.startswith((f"{visitor.site.origin}/", "data:")):
            route.continue_()
        else:
            visitor.faults.append(f"asked for {route.request.url}")
            route.abort()

    def heard(line: ConsoleMessage) -> None:
        refused = next((status for status in visitor.refusals if f"status of {status}" in line.text), None)
        if refused is not None:
            visitor.refusals.remove(refused)
        elif line.type in {"error", "warning"}:
            visitor.faults.append(f"{line.text} ({line.location['url']})")

    visitor.page.route("**/*", only_ours)
    visitor.page.on("pageerror", lambda error: visitor.faults.append(str(error)))
    visitor.page.on("console", heard)


@pytest.fixture(scope="session")
def violations() -> Callable[[Page], Sequence[str]]:
    """What axe-core finds serious or critical, in light and in dark. Evaluated, not inserted: our policy stands."""
    if not AXE.exists():
        pytest.fail("axe-core is not there; run: .venv/bin/python .ci/assets.py")
    source = AXE.read_text("utf-8")

    def found(page: Page) -> Sequence[str]:
        page.evaluate(source)
        faults = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            violated = page.evaluate("axe.run({resultTypes: ['violations']}).then(found => found.violations)")
            faults += [
                f"{scheme}: {fault['id']}: {node['html'][:160]}: {node['failureSummary'][:240]}"
                for fault in violated
                if fault["impact"] in {"serious", "critical"}
                for node in fault["nodes"]
            ]
        page.emulate_media(color_scheme="light")
        return faults

    return found
