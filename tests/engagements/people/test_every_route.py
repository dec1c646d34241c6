"""The walk: every route × every role × ids of one's own, of another tenant's, of another client's, and invented ones.

Routes come from the application, so a new one is walked as soon as it is there. What has to be added by hand: how to
make a record for each name of a path parameter (`homes.py`), and below which routes ask nobody who they are.
"""

import itertools
import re
import runpy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler, get
from pydantic import BaseModel

from engagements.app import _refuse_undeclared
from engagements.core.models import AuditHead
from engagements.core.roles import MATRIX, Permission, Role
from engagements.web.problem import is_api
from engagements.web.routes import PUBLIC, Access

homes = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("homes.py"))))
Home = Any
"""A `homes.Home`, which no type checker sees through the way it is loaded."""

# --- what a new route may need here ---------------------------------------------------------------------------------

WORDS: Mapping[str, str] = {
    "item": "guideline", "key": "volume.examples", "name": "anything", "number": "1", "phase": homes.PHASE.value,
    "step": "start",
}  # fmt: skip
"""Path parameters that name a part of a record, or of the house; they belong to nobody."""

BODIES: Mapping[str, Callable[[Home], object]] = {
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
    "POST /api/v1/engagements/{engagement_id:str}/briefs": lambda _: homes.brief(),
    "PUT /api/v1/users/{user_id:str}/role": lambda _: {"role": "delivery_member"},
}
"""Where the first example of the schema, or its smallest body, would be refused before the ids are looked at."""

STREAMS = {"PUT /api/v1/uploads/{upload_id:str}/content"}
"""Whose bodies are bytes, and come in pieces."""

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
    "POST /api/v1/training-webhooks/{name:str}",
}
SECRETS = {"token", "sha256"}
"""Path parameters that open a door by being known; the routes they stand in ask nobody."""

FOR_PEOPLE = {"POST /new-password"}
"""What no key may do, whatever its role: the walk asks with keys."""

SENT_ONLY = re.compile(
    r"^/portal/proposals/|/pages/|/plan/phases/|/gates/\{phase|^/engagements/\S+/checklist/|/baselines/|/(value|baseline|decision|differences|certificate|snapshot|on-behalf|accept|decline)$|/learning-curve$"
)
"""What is 404 for a draft, or for an engagement, of one's own too; tests of proposals and of synthesis open these."""

LITESTARS = {
    "GET /static/{file_path:path}",
    "GET /static/fonts/{file_path:path}",
    "GET /api/v1",
    "GET /api/v1/openapi.json",
    "GET /api/v1/{path:str}",
}
"""Routes that the framework adds: files and the schema, which everybody may read."""

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
        return set(self.ids) | {name for name in required if name in homes.RECORDS}

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
    if route.name in STREAMS:
        options |= {"content": iter((b"te", b"xt")), "headers": {"Content-Type": "application/octet-stream"}}
    elif route.method in {"POST", "PUT", "PATCH"}:
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
    return homes.Home(house=house, organisation_id=house.organisation_id)


@pytest.fixture
def theirs(house) -> Home:
    return homes.Home(house=house, organisation_id=house.other_id)


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


def test_no_route_is_left_out_of_the_walk(house, routes):
    only_on_sqlite(house)
    everywhere = {
        f"{method} {route.path}"
        for route in house.client.app.routes
        for handler in route.route_handlers
        for method in handler.http_methods - {"OPTIONS", "HEAD"}
    }
    assert everywhere - {route.name for route in routes} == LITESTARS
    assert {route.name for route in routes if route.method == "PUT" and route.model is None} == STREAMS


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
        answer = send(house.nobody(), route, homes.invented(set(route.ids), ours))
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
            answer = send(api, route, homes.invented(set(route.ids), ours))
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
    ids_there = {name: theirs[name] for name in homes.RECORDS}
    before, wrong = trail_length(house, house.other_id), []
    for route in routes:
        if route.access is PUBLIC:
            continue
        for role in route.roles if house.wiring.store.is_sqlite else route.roles[:1]:
            wrong += list(strangers_found(ours, role, route, ids_there))
    assert not wrong, listed(wrong)
    assert trail_length(house, house.other_id) == before


def test_another_clients_ids_read_like_invented_ones_for_a_clients_people(house, routes, ours):
    neighbour = homes.Home(house=house, organisation_id=house.organisation_id)
    ids_there = {name: neighbour[name] for name in homes.RECORDS}
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
    nothing = homes.invented(route.mentions, ours)
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
            ids = theirs[FILTERS[name]], homes.invented({FILTERS[name]}, theirs)[FILTERS[name]]
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
