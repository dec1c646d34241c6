"""The application beside what it stands on: a bare Litestar handler, and the bars of its pages.

One process, no socket: requests go straight to the ASGI application, ours and the peer's in turn, so that a noisy
neighbour strikes both alike. The peer runs the same query on the same database and gives the same bytes back: no key is
checked, nothing is measured or logged. Ours is asked with an API key, as a program asks.
"""

import asyncio
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

import litestar
from litestar import Litestar, Response
from litestar.params import FromPath
from measurement import Measurement
from sqlalchemy import event
from sqlmodel import col, select

from engagements.app import create_app
from engagements.core.clock import FixedClock
from engagements.core.models import Client
from engagements.core.roles import Origin, Role, system_actor
from engagements.core.schemas import ClientIn, ClientOut, EngagementIn
from engagements.core.service import create_client, open_engagement
from engagements.migrations import upgrade
from engagements.people.models import LinkPurpose
from engagements.people.service import add_user, create_key, found_organisation, one_time_link, use_link
from engagements.proposals.brief_form import values_of
from engagements.settings import Settings
from engagements.web.auth import SESSION_COOKIE
from engagements.wiring import Wiring, wire
from estimator.brief.example import example_brief

ENGAGEMENTS = 1_000
READS, ROUNDS = 300, 9
PAGES = 15
GET_BAR, PAGE_BAR_MS = 0.7, 150
DAY = date(2026, 11, 23)


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An application with a thousand engagements, a key, and somebody signed in."""

    wiring: Wiring
    app: Litestar
    key: str
    session: str
    csrf: str
    client_id: str
    engagement_id: str
    statements: list[str] = field(default_factory=list)


def measure() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        yield from asyncio.run(_measured(installation(Path(folder))))


async def _measured(here: Installation) -> list[Measurement]:
    return [await measure_get(here), *await measure_portfolio(here), await measure_recalculation(here)]


async def measure_get(here: Installation) -> Measurement:
    path, key = f"/api/v1/clients/{here.client_id}", {"x-api-key": here.key}
    peer = bare(here)
    shares = []
    for _ in range(ROUNDS):
        ours_s = await seconds_of(here.app, path, key)
        shares.append(await seconds_of(peer, path, {}) / ours_s)
    share = median(shares)
    return Measurement(
        name="GET of one record, requests a second, of a bare handler's", measured=share, unit="x",
        bar=f">= {GET_BAR}", holds=share >= GET_BAR, beside=f"{READS} requests each, {ROUNDS} rounds in turn",
    )  # fmt: skip


async def measure_portfolio(here: Installation) -> list[Measurement]:
    cookie = {"cookie": f"{SESSION_COOKIE}={here.session}"}
    await ask(here.app, "GET", "/", cookie)
    here.statements.clear()
    took_ms = [1_000 * await timed(here.app, "GET", "/", cookie) for _ in range(PAGES)]
    queries = len(here.statements) / PAGES
    return [
        Measurement(
            name=f"portfolio page with {ENGAGEMENTS:,} engagements, median", measured=median(took_ms), unit="ms",
            bar=f"<= {PAGE_BAR_MS}", holds=median(took_ms) <= PAGE_BAR_MS, beside=f"{queries:.0f} statements a page",
        ),
    ]  # fmt: skip


async def measure_recalculation(here: Installation) -> Measurement:
    headers = {
        "cookie": f"{SESSION_COOKIE}={here.session}", "x-csrf-token": here.csrf, "hx-request": "true",
        "content-type": "application/x-www-form-urlencoded",
    }  # fmt: skip
    body = urlencode(values_of(tomllib.loads(example_brief(DAY)))).encode()
    path = f"/engagements/{here.engagement_id}/briefs/recalculate"
    await ask(here.app, "POST", path, headers, body)
    took_ms = [1_000 * await timed(here.app, "POST", path, headers, body) for _ in range(PAGES)]
    return Measurement(
        name="estimate recalculated in the page, median", measured=median(took_ms), unit="ms",
        bar=f"<= {PAGE_BAR_MS}", holds=median(took_ms) <= PAGE_BAR_MS, beside="10,000 draws, all fields of the example",
    )  # fmt: skip


async def seconds_of(app: Litestar, path: str, headers: Mapping[str, str]) -> float:
    await ask(app, "GET", path, headers)
    begin = time.perf_counter()
    for _ in range(READS):
        await ask(app, "GET", path, headers)
    return time.perf_counter() - begin


async def timed(app: Litestar, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> float:
    begin = time.perf_counter()
    await ask(app, method, path, headers, body)
    return time.perf_counter() - begin


async def ask(app: Litestar, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """One request through the ASGI interface; anything but 200 is an error of the benchmark."""
    place, _, query = path.partition("?")
    sent = [(b"host", b"localhost"), *([(b"content-length", str(len(body)).encode())] if body else [])]
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": place, "raw_path": place.encode(), "query_string": query.encode(), "root_path": "",
        "client": ("127.0.0.1", 1), "server": ("localhost", 80),
        "headers": [*sent, *((k.encode(), v.encode()) for k, v in headers.items())],
    }  # fmt: skip
    status, content = 0, bytearray()

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)
        content.extend(message.get("body", b""))

    await app(scope, receive, send)  # type: ignore[arg-type]
    assert status == 200, f"{method} {path}: {status} {bytes(content[:300])!r}"
    return bytes(content)


def installation(folder: Path) -> Installation:
    settings = Settings(home=folder, webhook_senders=0)
    upgrade(settings.database_url)
    wiring = wire(settings, clock=FixedClock(at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC)))
    now = wiring.clock.now()
    with wiring.store.write() as session:
        owner = system_actor(found_organisation(session, "Halden & Roth", at=now).id)
        _, key = create_key(session, owner, name="bench", role=Role.ADMINISTRATOR, at=now)
        lead = add_user(session, owner, name="Ana", email="ana@example.com", role=Role.ACCOUNT_LEAD, at=now)
        signed_in = use_link(session, one_time_link(session, lead, LinkPurpose.SIGN_IN, at=now), Origin(), at=now)
        clients = [
            create_client(session, owner, ClientIn(name=f"Client {n}", country="DE"), at=now).id for n in range(100)
        ]
        opened = [
            open_engagement(session, owner, EngagementIn(client_id=clients[n % 100], name=f"Tickets {n}"), at=now).id
            for n in range(ENGAGEMENTS)
        ]
    found = wiring.identities.by_session(signed_in.token, Origin())
    assert found is not None
    here = Installation(
        wiring=wiring, app=create_app(wiring=wiring), key=key, session=signed_in.token, csrf=found.csrf,
        client_id=clients[0], engagement_id=opened[0],
    )  # fmt: skip
    event.listen(wiring.store.engine, "before_cursor_execute", lambda *args: here.statements.append(args[2]))
    return here


def bare(here: Installation) -> Litestar:
    """A handler that runs the query of ours on the same database, in a thread, and answers the same bytes."""
    store = here.wiring.store

    @litestar.get("/api/v1/clients/{client_id:str}", sync_to_thread=True)
    def show(client_id: FromPath[str]) -> Response[bytes]:
        with store.read() as session:
            row = session.exec(select(Client).where(col(Client.id) == client_id)).one()
            return Response(ClientOut.of(row).model_dump_json().encode(), media_type="application/json")

    return Litestar([show], openapi_config=None, logging_config=None)
