"""The walk: every route × every role × ids of one's own, of another tenant's, of another client's, and invented ones.

Routes come from the application, so a new one is walked as soon as it is there. What has to be added by hand is below:
how to make a record for each name of a path parameter, and which routes ask nobody who they are.
"""

import io
import itertools
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import httpx
import pypdf
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler, get
from pydantic import BaseModel

from engagements.actuals.models import Alert, AlertKind, CostEntry, CostKind, Invoice, TimeEntry
from engagements.app import _refuse_undeclared
from engagements.changes.models import ChangeRequest, ChangeState
from engagements.core import audit
from engagements.core.models import AuditHead
from engagements.core.roles import MATRIX, Origin, Permission, Role, system_actor
from engagements.db.columns import Record, new_id
from engagements.delivery.gate_models import (
    EvidenceKind,
    EvidenceRecord,
    GateCondition,
    GateDecision,
    GateState,
)
from engagements.delivery.gate_models import Verdict as GateVerdict
from engagements.delivery.health import Health
from engagements.delivery.models import (
    Baseline,
    DeliverableRecord,
    Milestone,
    MilestoneKind,
    PhaseRecord,
    RaidItem,
    RaidKind,
)
from engagements.notices.models import Notice
from engagements.people import sign_in
from engagements.people.models import User
from engagements.people.users import add_user
from engagements.proposals.frozen import PDF, freeze
from engagements.proposals.models import Decision, ProposalLink, Verdict
from engagements.reports.models import StatusReport
from engagements.web.problem import is_api
from engagements.web.routes import PUBLIC, Access
from estimator.brief.example import example_brief
from estimator.phases import Phase

# --- what a new route may need here ---------------------------------------------------------------------------------

PHASE = Phase.DATA_PREPARATION
NUMBERS = itertools.count(1)
PHASES = itertools.cycle(Phase)
"""So that each that is made of one engagement is another phase of it."""
NUMBERS = itertools.count(1)

RECORDS: Mapping[str, Callable[["Home"], str]] = {
    "alert_id": lambda home: home.of_the_plan(
        Alert,
        kind=AlertKind.HOURS,
        threshold=next(NUMBERS),
        text="80 % used",
        first_at=home.house.clock.now(),
        told_at=home.house.clock.now(),
    ),
    "cost_id": lambda home: home.of_the_plan(
        CostEntry,
        phase=PHASE,
        kind=CostKind.COMPUTE,
        day=date(2026, 11, 23),
        currency="EUR",
        created_by="system",
        created_at=home.house.clock.now(),
    ),
    "entry_id": lambda home: home.of_the_plan(
        TimeEntry,
        phase=PHASE,
        person_id="usr_nobody",
        role="annotator",
        day=date(2026, 11, 23),
        minutes=60,
        currency="EUR",
        created_by="system",
        created_at=home.house.clock.now(),
    ),
    "invoice_id": lambda home: home.of_the_plan(
        Invoice,
        number=next(NUMBERS),
        day=date(2026, 11, 23),
        lines=[],
        net_minor=0,
        currency="EUR",
        sha256="0" * 64,
        created_by="system",
        created_at=home.house.clock.now(),
    ),
    "brief_id": lambda home: home.make(f"/api/v1/engagements/{home['engagement_id']}/briefs", _brief()),
    "client_id": lambda home: home.make("/api/v1/clients", {"name": new_id("Client"), "country": "DE"}),
    "deliverable_id": lambda home: home.of_the_plan(DeliverableRecord, code=new_id("D")[:20], name="Card", phase=PHASE),
    "milestone_id": lambda home: home.of_the_plan(
        Milestone, code=new_id("M")[:20], name="Kick-off", kind=MilestoneKind.OTHER
    ),
    "phase_id": lambda home: home.of_the_plan(PhaseRecord, phase=next(PHASES), changed_at=home.house.clock.now()),
    "change_id": lambda home: home.sent_change(),
    "condition_id": lambda home: home.of_the_plan(
        GateCondition, gate_id=home["gate_id"], phase=PHASE, text="Close the checklist", due=date(2026, 12, 1)
    ),
    "evidence_id": lambda home: home.of_the_plan(
        EvidenceRecord,
        phase=PHASE,
        kind=EvidenceKind.DATASET_VERSION,
        external_id="v1",
        content={"kind": "dataset_version", "name": "v1", "sha256": "0" * 64, "splits": []},
        sha256="0" * 64,
        source="dvc",
        measured_at=home.house.clock.now(),
        recorded_by="system",
        created_at=home.house.clock.now(),
    ),
    "gate_id": lambda home: home.gate_to_sign(),
    "item_id": lambda home: home.of_the_plan(
        RaidItem,
        kind=RaidKind.RISK,
        code=f"R{next(NUMBERS)}",
        title="Late",
        client_sees=True,
        created_at=home.house.clock.now(),
        changed_at=home.house.clock.now(),
    ),
    "contact_id": lambda home: home.make(
        f"/api/v1/clients/{home['client_id']}/contacts", {"name": "Ana", "email": "ana@example.com"}
    ),
    "delivery_id": lambda home: home.make(f"/api/v1/webhooks/{home['webhook_id']}/test", {}),
    "engagement_id": lambda home: home.make("/api/v1/engagements", {"client_id": home["client_id"], "name": "Replies"}),
    "estimate_id": lambda home: home.make(
        f"/api/v1/engagements/{home['engagement_id']}/estimates", {"brief_id": home["brief_id"]}
    ),
    "feed_id": lambda home: home.make("/api/v1/feeds", {"name": "My phone"}),
    "invitation_id": lambda home: home.make(
        "/api/v1/invitations",
        {"email": "bo@example.com", "role": "client_viewer", "client_id": home["client_id"]},
    ),
    "key_id": lambda home: home.make(
        "/api/v1/keys", {"name": "CRM", "role": "client_viewer", "client_id": home["client_id"]}
    ),
    "link_id": lambda home: home.link_to_a_proposal(),
    "notice_id": lambda home: home.someone_told(),
    "person_id": lambda home: home.someone(),
    "proposal_id": lambda home: home.make(
        f"/api/v1/engagements/{home['engagement_id']}/proposals", {"estimate_id": home["estimate_id"]}
    ),
    "report_id": lambda home: home.issued_report(),
    "session_id": lambda home: home.someone_signed_in(),
    "user_id": lambda home: home.someone(),
    "webhook_id": lambda home: home.make("/api/v1/webhooks", {"url": "https://hooks.example.com/x"}),
}
"""By name of a path parameter, and of a field of a body: makes such a record and says its id."""

WORDS: Mapping[str, str] = {
    "item": "guideline", "key": "volume.examples", "name": "anything", "number": "1", "phase": PHASE.value,
    "step": "start",
}  # fmt: skip
"""Path parameters that name a part of a record, or of the house; they belong to nobody."""

BODIES: Mapping[str, Callable[["Home"], object]] = {
    **{
        f"POST /api/v1/engagements/{{engagement_id:str}}/costs/{step}": lambda home: {
            "ids": [home["cost_id"]],
            "reason": "Paid already",
        }
        for step in ("reject", "reopen")
    },
    **{
        f"POST /api/v1/engagements/{{engagement_id:str}}/costs/{step}": lambda home: {"ids": [home["cost_id"]]}
        for step in ("submit", "approve")
    },
    "POST /api/v1/engagements/{engagement_id:str}/briefs": lambda _: _brief(),
    "PUT /api/v1/users/{user_id:str}/role": lambda _: {"role": "delivery_member"},
}
"""Where the first example of the schema, or its smallest body, would be refused before the ids are looked at."""

FILTERS: Mapping[str, str] = {
    "client": "client_id",
    "engagement": "engagement_id",
    "entity_id": "engagement_id",
    "owner": "person_id",
}
"""Query parameters that hold an id, and whose."""

ASKS_NOBODY = {
    "GET /api/v1/portal/{token:str}",
    "GET /api/v1/portal/{token:str}/certificate",
    "GET /api/v1/portal/{token:str}/document",
    "POST /api/v1/portal/{token:str}/accept",
    "POST /api/v1/portal/{token:str}/decline",
    "GET /api/v1/verify/{sha256:str}",
    "GET /p/{token:str}",
    "GET /p/{token:str}/accept",
    "GET /p/{token:str}/certificate",
    "GET /p/{token:str}/decline",
    "GET /p/{token:str}/document",
    "POST /p/{token:str}/accept",
    "POST /p/{token:str}/decline",
    "GET /verify",
    "GET /verify/{sha256:str}",
    "GET /calendar/{token:str}",
    "GET /health",
    "GET /ready",
    "GET /static/theme.css",
    "GET /sign-in",
    "POST /sign-in",
    "POST /sign-out",
    "GET /sign-in/link/{token:str}",
    "POST /sign-in/link/{token:str}",
    "GET /invitation/{token:str}",
    "POST /invitation/{token:str}",
    "GET /new-password/{token:str}",
    "POST /new-password/{token:str}",
}
SECRETS = {"token", "sha256"}
"""Path parameters that open a door by being known; the routes they stand in ask nobody."""

OF_AN_ENGAGEMENT = {
    "baseline_id", "condition_id", "evidence_id", "gate_id",
    "engagement_id", "brief_id", "estimate_id", "proposal_id", "link_id", "deliverable_id", "milestone_id", "phase_id",
    "change_id",
    "item_id", "alert_id", "cost_id", "report_id",
    "entry_id", "invoice_id",
}  # fmt: skip
"""Records that are of one engagement, so that a new one of it goes with new ones of these."""

FOR_PEOPLE = {"POST /new-password"}
"""What no key may do, whatever its role: the walk asks with keys."""

SENT_ONLY = re.compile(
    r"^/portal/proposals/|/pages/|/plan/phases/|/gates/\{phase|^/engagements/\S+/checklist/|/baselines/|/(value|baseline|decision|differences|certificate|snapshot|on-behalf|accept|decline)$"
)
"""What is 404 for a draft of one's own too; `tests/engagements/proposals` opens these."""

ONES_OWN = {"session_id", "notice_id", "feed_id"}
"""Ids that only the very person they belong to may use: no key has one of its own."""

# --- the routes and the records -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Route:
    method: str
    path: str
    access: Access
    handler: HTTPRouteHandler

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def ids(self) -> Sequence[str]:
        named = [part.split(":")[0].strip("{}") for part in self.path.split("/") if part.startswith("{")]
        return [name for name in named if name not in WORDS]

    @property
    def model(self) -> type[BaseModel] | None:
        data = self.handler.parsed_fn_signature.parameters.get("data")
        return data.annotation if data is not None and issubclass(data.annotation, BaseModel) else None

    @property
    def roles(self) -> Sequence[Role]:
        return [role for role in Role if isinstance(self.access, Permission) and self.access in MATRIX[role]]

    @property
    def mentions(self) -> set[str]:
        """Names of all ids that a request holds, in its path and its body."""
        required = (self.model.model_json_schema().get("required", []) if self.model else []) or []
        return set(self.ids) | {name for name in required if name in RECORDS}

    def at(self, ids: Mapping[str, str]) -> str:
        known = {**WORDS, **ids}
        return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: known[found[1]], self.path)


def routes_of(app: Litestar) -> Iterator[Route]:
    """Ours; what Litestar adds (OPTIONS, static files, the schema) belongs to nobody."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if not getattr(handler.fn, "func", handler.fn).__module__.startswith("litestar."):
                for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"}):
                    yield Route(method=method, path=route.path, access=handler.opt["permission"], handler=handler)


@dataclass(kw_only=True)
class Home:
    """Records of one client of one tenant, each made when it is first asked for."""

    house: Any
    organisation_id: str
    made: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        assert name in RECORDS, f"add {name!r} to RECORDS in test_every_route.py, so that its routes can be walked"
        if name not in self.made:
            self.made[name] = RECORDS[name](self)
        return self.made[name]

    def but_new(self, names: set[str]) -> "Home":
        """The same records but for these, which a step may use up."""
        gone = names | (OF_AN_ENGAGEMENT if "engagement_id" in names and len(names) > 1 else set())
        if not gone & {"engagement_id", "proposal_id"}:
            self.lay_a_baseline()
        kept = {name: made for name, made in self.made.items() if name not in gone}
        return Home(house=self.house, organisation_id=self.organisation_id, made=kept)

    def make(self, path: str, body: object) -> str:
        answer = self.house.api(Role.ADMINISTRATOR, organisation_id=self.organisation_id).post(path, body)
        assert answer.status_code in {200, 201}, f"{path}: {answer.text}"
        return str(answer.json()["id"])

    def someone(self) -> str:
        client_id = self["client_id"]
        with self.house.wiring.store.write() as session:
            return add_user(
                session, system_actor(self.organisation_id), name="Cy", email=f"{new_id('cy')}@example.com",
                role=Role.CLIENT_VIEWER, client_id=client_id, at=self.house.clock.now(),
            ).id  # fmt: skip

    def someone_signed_in(self) -> str:
        user_id = self["user_id"]
        with self.house.wiring.store.write() as session:
            user = session.get_one(User, user_id)
            sign_in.open_session(session, user, Origin(), at=self.house.clock.now(), reason="for the walk")
            return str(sign_in.own_sessions(session, sign_in.actor_of(user), at=self.house.clock.now())[0].id)

    def someone_told(self) -> str:
        row = Notice(
            id=new_id(Notice.PREFIX), organisation_id=self.organisation_id, person_id=self["user_id"],
            topic=new_id("t"), kind="gate.decided", text="The gate is passed", at=self.house.clock.now(),
        )  # fmt: skip
        with self.house.wiring.store.write() as session:
            session.add(row)
            return row.id

    def link_to_a_proposal(self) -> str:
        owner, at = system_actor(self.organisation_id), self.house.clock.now()
        row = ProposalLink(
            id=new_id(ProposalLink.PREFIX), organisation_id=owner.organisation_id, proposal_id=self["proposal_id"],
            engagement_id=self["engagement_id"], client_id=self["client_id"], recipient_name="Ana",
            recipient_email="ana@example.com", digest=new_id("d"), created_by="system", created_at=at, expires_at=at,
        )  # fmt: skip
        with self.house.wiring.store.write() as session:
            session.add(row)
            audit.record(session, owner, "link.made", row, at=at)
            return str(row.id)

    def of_the_plan(self, table: type[Record], /, **fields: Any) -> str:
        """A row under a baseline that agrees on nothing; the engagement is not active, so that steps are refused."""
        self.lay_a_baseline()
        return self.laid(table, **fields)

    def lay_a_baseline(self) -> None:
        if "baseline_id" not in self.made:
            at = self.house.clock.now()
            decision_id = self.laid(
                Decision, proposal_id=self["proposal_id"], verdict=Verdict.ACCEPTED, signer_name="Ana",
                signer_email="ana@example.com", pdf_sha256="0" * 64, at=at,
            )  # fmt: skip
            plan = {
                "phases": [], "deliverables": [], "calendar": {"country": "DE", "region": None}, "currency": "EUR",
                "pricing": "fixed", "lines": [], "option": {"id": "run"},
                "agreed": {"net": "0.00", "gross": "0.00", "currency": "EUR"},
            }  # fmt: skip
            self.made["baseline_id"] = self.laid(
                Baseline, proposal_id=self["proposal_id"], decision_id=decision_id, plan=plan, created_at=at
            )

    def laid(self, table: type[Record], /, **fields: Any) -> str:
        owner = system_actor(self.organisation_id)
        owners = {name: self[name] for name in ("engagement_id", "client_id")}
        row = table(id=new_id(table.PREFIX), organisation_id=owner.organisation_id, **owners, **fields)
        with self.house.wiring.store.write() as session:
            session.add(row)
            audit.record(session, owner, "plan.laid", row, at=self.house.clock.now())
            return str(row.id)

    def gate_to_sign(self) -> str:
        """Of a phase that is there, waiting for the client."""
        assert self["phase_id"]
        return self.of_the_plan(
            GateDecision, phase=PHASE, round=1, sitting=next(NUMBERS), verdict=GateVerdict.GO,
            state=GateState.AWAITING_CLIENT, decided_by="system", decided_by_name="Sixfold", at=self.house.clock.now(),
        )  # fmt: skip

    def sent_change(self) -> str:
        """With the client, so that people of both sides find it."""
        at = self.house.clock.now()
        return self.of_the_plan(
            ChangeRequest, number=next(NUMBERS), title="More", reason="It is.", on_baseline=1, state=ChangeState.SENT,
            sent_at=at, created_by="system", created_at=at, changed_at=at,
        )  # fmt: skip

    def issued_report(self) -> str:
        """With a page that can be drawn."""
        at, page = self.house.clock.now(), io.BytesIO()
        writer = pypdf.PdfWriter()
        writer.add_blank_page(width=595, height=842)
        writer.write(page)
        with self.house.wiring.store.write() as session:
            kept = freeze(session, self.organisation_id, page.getvalue(), media_type=PDF, name="report.pdf", at=at)
            digest = kept.sha256
        return self.of_the_plan(
            StatusReport, number=1, day=at.date(), health=Health.ON_TRACK, facts={}, pdf_sha256=digest,
            created_by="system", created_at=at,
        )  # fmt: skip

    def api(self, role: Role) -> Any:
        client_id = self["client_id"] if role.is_client else None
        return self.house.api(role, organisation_id=self.organisation_id, client_id=client_id)

    def ids(self, route: Route) -> dict[str, str]:
        return {name: self[name] for name in route.mentions}


def invented(names: set[str], like: Home) -> dict[str, str]:
    """Ids that look like ours and name nothing."""
    return {name: new_id(like[name].partition("_")[0]) if "_" in like[name] else "0" * 64 for name in names}


def _brief() -> object:
    return {"content": _plain(tomllib.loads(example_brief(date(2026, 11, 22))))}


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case date() | datetime():
            return value.isoformat()
        case _:
            return value


def body_for(route: Route, home: Home, ids: Mapping[str, str]) -> Any:
    """The route's own body, or the first example of its schema, or the smallest that fits; with these ids in it."""
    if route.name in BODIES:
        return BODIES[route.name](home)
    if route.model is None:
        return {}
    schema = route.model.model_json_schema()
    body = dict((schema.get("examples") or [_smallest(schema, schema.get("$defs", {}))])[0])
    return body | {name: ids[name] for name in route.mentions if name in schema["properties"]}


def _smallest(schema: Mapping[str, Any], kinds: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _smallest(kinds[schema["$ref"].rsplit("/", 1)[-1]], kinds)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            wanted = schema.get("required", [])
            return {name: _smallest(schema["properties"][name], kinds) for name in wanted}
        case "array":
            return []
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return "ana@example.com"


def send(api: Any, route: Route, ids: Mapping[str, str], body: Any = None, *, follow: bool = False) -> httpx.Response:
    options: dict[str, Any] = {"headers": {"If-Match": '"1"'}, "follow_redirects": follow}
    if route.method in {"POST", "PUT", "PATCH"}:
        options |= {"json": body if body is not None else {}} if is_api(route.path) else {"data": body or {}}
    answer: httpx.Response = api.ask(route.method, route.at(ids), **options)
    return answer


def without_request_id(answer: httpx.Response) -> object:
    if "json" not in answer.headers.get("content-type", ""):
        return answer.text.replace(answer.headers["x-request-id"], "")
    return {name: value for name, value in answer.json().items() if name != "request_id"}


@pytest.fixture
def routes(house) -> list[Route]:
    return list(routes_of(house.client.app))


@pytest.fixture
def ours(house) -> Home:
    return Home(house=house, organisation_id=house.organisation_id)


@pytest.fixture
def theirs(house) -> Home:
    return Home(house=house, organisation_id=house.other_id)


def only_on_sqlite(house) -> None:
    if not house.wiring.store.is_sqlite:
        pytest.skip("who may do what is decided before the database is asked")


def listed(wrong: Sequence[object]) -> str:
    return "\n".join(map(str, wrong))


def trail_length(house, organisation_id: str) -> int:
    with house.wiring.store.read() as session:
        return int(session.get_one(AuditHead, organisation_id).seq)


# --- the claims -----------------------------------------------------------------------------------------------------


def test_a_route_that_does_not_say_whose_it_is_stops_the_application():
    @get("/forgotten", sync_to_thread=True)
    def forgotten() -> None: ...

    with pytest.raises(AssertionError, match="/forgotten does not say whose it is"):
        _refuse_undeclared(Litestar([forgotten], openapi_config=None))


def test_only_the_routes_named_here_ask_nobody_who_they_are(house, routes):
    only_on_sqlite(house)
    assert {route.name for route in routes if route.access is PUBLIC} == ASKS_NOBODY
    assert all(isinstance(route.access, Permission) for route in routes if route.name not in ASKS_NOBODY)


def test_nobody_is_asked_to_sign_in(house, routes, ours):
    only_on_sqlite(house)
    wrong = []
    for route in routes:
        if route.access is PUBLIC:
            continue
        answer = send(house.nobody(), route, invented(set(route.ids), ours))
        page = route.method == "GET" and not is_api(route.path)
        fits = answer.headers["location"].startswith("/sign-in") if answer.status_code == 303 and page else (
            not page and answer.status_code == 401
        )  # fmt: skip
        wrong += [] if fits else [(route.name, answer.status_code)]
    assert not wrong, listed(wrong)


def test_a_role_reaches_the_routes_of_its_permissions_and_no_other(house, routes, ours):
    only_on_sqlite(house)
    wrong = []
    for role in Role:
        api = ours.api(role)
        for route in routes:
            if route.access is PUBLIC or route.name in FOR_PEOPLE:
                continue
            answer = send(api, route, invented(set(route.ids), ours))
            refused = answer.status_code == 403 and (
                not is_api(route.path) or answer.json()["code"] == "forbidden_role"
            )
            passed = answer.status_code not in {401, 403} and answer.status_code < 500
            if not (passed if role in route.roles else refused):
                wrong.append((role.value, route.name, answer.status_code))
    assert not wrong, listed(wrong)


@pytest.mark.slow
def test_ones_own_ids_are_found(house, routes, ours):
    """Without this the refusals below would say nothing."""
    only_on_sqlite(house)
    wrong = []
    for route in routes:
        if not route.ids or route.access is PUBLIC or set(route.ids) & ONES_OWN or SENT_ONLY.search(route.path):
            continue
        home = ours if route.method == "GET" else ours.but_new(route.mentions)
        answer = send(home.api(route.roles[0]), route, home.ids(route), body_for(route, home, home.ids(route)))
        if answer.status_code in {401, 403, 404, 415} or answer.status_code >= 500:
            wrong.append((route.name, answer.status_code, answer.text[:200]))
    assert not wrong, listed(wrong)


def test_another_tenants_ids_read_like_invented_ones_in_every_role(house, routes, ours, theirs):
    ids_there = {name: theirs[name] for name in RECORDS}
    before, wrong = trail_length(house, house.other_id), []
    for route in routes:
        if route.access is PUBLIC:
            continue
        for role in route.roles if house.wiring.store.is_sqlite else route.roles[:1]:
            wrong += list(strangers_found(ours, role, route, ids_there))
    assert not wrong, listed(wrong)
    assert trail_length(house, house.other_id) == before


def test_another_clients_ids_read_like_invented_ones_for_a_clients_people(house, routes, ours):
    neighbour = Home(house=house, organisation_id=house.organisation_id)
    ids_there = {name: neighbour[name] for name in RECORDS}
    wrong = []
    for role, route in itertools.product((Role.CLIENT_APPROVER, Role.CLIENT_VIEWER), routes):
        if role in route.roles:
            wrong += list(strangers_found(ours, role, route, ids_there))
    assert not wrong, listed(wrong)


def strangers_found(ours: Home, role: Role, route: Route, ids_there: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Where ids from elsewhere are not answered as if they were invented: all of them, and each beside our own."""
    if not route.mentions or set(route.ids) & SECRETS:
        return
    api = ours.api(role)
    nothing = invented(route.mentions, ours)
    alone = [{name} for name in sorted(route.mentions)] if len(route.mentions) > 1 else []
    for strange in [route.mentions, *alone]:
        own = {name: ours[name] for name in route.mentions - strange}
        answers = []
        for elsewhere in (ids_there, nothing):
            ids = own | {name: elsewhere[name] for name in strange}
            answers.append(send(api, route, ids, body_for(route, ours, ids), follow=True))
        theirs, invented_answer = answers
        # A form of a page, or an id inside a body, may be refused as a whole: then it is enough that both read alike.
        whole = not set(strange) & set(route.ids) or (not is_api(route.path) and route.method != "GET")
        hidden = theirs.status_code == 404 or whole
        alike = theirs.status_code == invented_answer.status_code >= 400
        same = without_request_id(theirs) == without_request_id(invented_answer)
        if not (hidden and alike and same):
            yield role.value, route.name, ",".join(strange), str(theirs.status_code), theirs.text[:200]


def test_another_tenants_ids_as_a_filter_find_nothing(house, routes, ours, theirs):
    wrong = []
    for route in routes:
        names = set(route.handler.parsed_fn_signature.parameters) & set(FILTERS)
        if route.method != "GET" or not names or route.ids or not is_api(route.path):
            continue
        for name in names:
            ids = theirs[FILTERS[name]], invented({FILTERS[name]}, theirs)[FILTERS[name]]
            found = [house.api().get(f"{route.path}?{name}={each}") for each in ids]
            if [answer.status_code for answer in found] != [200, 200] or found[0].json() != found[1].json():
                wrong.append((route.name, name, found[0].text[:200]))
    assert not wrong, listed(wrong)


def test_a_secret_that_opens_nothing_says_nothing(house, routes, ours):
    only_on_sqlite(house)
    wrong = []
    for route in routes:
        if set(route.ids) & SECRETS:
            unknown = {name: "0" * 64 if name == "sha256" else "A" * 43 for name in route.ids}
            answer = send(house.nobody(), route, unknown, body_for(route, ours, unknown))
            wrong += [] if answer.status_code in {404, 410} else [(route.name, answer.status_code)]
    assert not wrong, listed(wrong)
