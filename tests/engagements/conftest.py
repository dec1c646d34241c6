"""What the tests of the application share: somebody who is signed in, and an engagement whose proposal was accepted."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from engagements.core.roles import Actor, Origin, Role, system_actor
from engagements.people.identities import actor_of
from engagements.people.models import LinkPurpose, User
from engagements.people.service import add_user, one_time_link, use_link
from engagements.web.auth import SESSION_COOKIE


class Markup(HTMLParser):
    """The ids of a page, and the tags that name one, which has to stand on it once and not be their own."""

    NAMES = ("for", "list", "aria-labelledby", "aria-describedby", "aria-controls")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.joins: list[tuple[str, str]] = []
        self.faults: list[str] = []
        self.feed(page)
        self.faults += [f"two have the id {name!r}" for name, count in self.ids.items() if count > 1]
        self.faults += [f"{tag} names {name!r}, which is nowhere" for tag, name in self.joins if name not in self.ids]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        own = given.get("id")
        self.ids.update([own] if own is not None else [])
        for name in (each for key in self.NAMES for each in given.get(key, "").split()):
            self.joins.append((self.get_starttag_text() or tag, name))
            if name == own:
                self.faults.append(f"{self.get_starttag_text()} is named by itself")


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One session. `post` sends the CSRF token of its own pages unless the form brings another. Of every page that is
    read, what names an id of it finds that id."""

    client: TestClient[Litestar]
    actor: Actor
    cookie: str
    csrf: str

    def get(self, path: str) -> httpx.Response:
        return self._ask("GET", path)

    def post(self, path: str, form: Mapping[str, object] | None = None) -> httpx.Response:
        return self._ask("POST", path, data={"_csrf": self.csrf} | dict(form or {}))

    def follow(self, answer: httpx.Response) -> httpx.Response:
        """The page that a form leads to, with what is said there."""
        assert answer.status_code == 303, answer.text
        said = answer.cookies.get("sixfold_said")
        return self._ask("GET", answer.headers["location"], said=said)

    def _ask(self, method: str, path: str, *, said: str | None = None, **options: object) -> httpx.Response:
        cookies = f"{SESSION_COOKIE}={self.cookie}" + (f"; sixfold_said={said}" if said else "")
        self.client.cookies.clear()
        answer = self.client.request(method, path, headers={"Cookie": cookies}, follow_redirects=False, **options)
        if answer.text.startswith("<!doctype html>"):
            assert Markup(answer.text).faults == [], path
        return answer


@pytest.fixture
def reader(house):
    """Signs somebody of a role in."""

    def signed_in(
        role: Role = Role.ADMINISTRATOR, *, client_id: str | None = None, elsewhere: bool = False, named: str = ""
    ) -> Reader:
        home = house.other_id if elsewhere else house.organisation_id
        name, email = f"{role.label} {client_id or home}"[:40], f"{named or role.value}.{client_id or home}@example.com"
        with house.wiring.store.write() as session:
            user: User = add_user(
                session, system_actor(home), name=name, email=email, role=role, client_id=client_id,
                at=house.clock.now(),
            )  # fmt: skip
            actor = actor_of(user)
            token = one_time_link(session, user, LinkPurpose.SIGN_IN, at=house.clock.now())
        with house.wiring.store.write() as session:
            opened = use_link(session, token, Origin(), at=house.clock.now())
        made = Reader(client=house.client, actor=actor, cookie=opened.token, csrf="")
        page = made.get("/audit").text
        csrf = re.search(r'name="_csrf" value="([^"]+)"', page)
        assert csrf
        return Reader(client=house.client, actor=actor, cookie=opened.token, csrf=csrf[1])

    return signed_in


@pytest.fixture
def begin(house, sign) -> Callable[..., Any]:
    """Signs a new engagement of a new client of the first tenant; with `option` prove, deliver or run."""

    def begun(name: str = "Draft replies", *, option: str = "run", elsewhere: bool = False) -> Any:
        return sign(house.wiring, house.other_id if elsewhere else house.organisation_id, name, option=option)

    return begun


@pytest.fixture
def under_way(begin) -> Any:
    return begin()
