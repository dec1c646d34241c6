"""What the tests of the application share: somebody who is signed in, and an engagement whose proposal was accepted."""

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from engagements.core import audit
from engagements.core.roles import Actor, Origin, Role, system_actor
from engagements.core.schemas import ClientIn, EngagementIn
from engagements.core.service import create_client, open_engagement
from engagements.db.columns import new_id
from engagements.people.identities import actor_of
from engagements.people.models import LinkPurpose, User
from engagements.people.service import add_user, one_time_link, use_link
from engagements.proposals import drafting, scoping
from engagements.proposals.baseline import plans_of
from engagements.proposals.deciding import accept
from engagements.proposals.drafting import Composed
from engagements.proposals.frozen import snapshot_bytes
from engagements.proposals.models import EstimateVersion, NumberSeries
from engagements.proposals.schemas import AcceptIn, BriefIn, ProposalIn, Recipient, SendIn
from engagements.proposals.sending import Prepared, send
from engagements.proposals.writing import Issue, write_proposal
from engagements.settings import Agency
from engagements.web.auth import SESSION_COOKIE
from estimator.brief import read_brief
from estimator.brief.example import example_brief
from estimator.budget import budgets_of
from estimator.estimating import Estimate, estimate
from estimator.plain import estimate_as_plain, plain
from estimator.prices import PriceBook

AGREED_ON = date(2026, 11, 23)
OPTION = "run"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One session. `post` sends the CSRF token of its own pages unless the form brings another."""

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
        return self.client.request(method, path, headers={"Cookie": cookies}, follow_redirects=False, **options)


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
def begin(house, agreed) -> Callable[..., UnderWay]:
    """Signs a new engagement of a new client of the first tenant; with `option` prove, deliver or run."""

    numbers: Iterator[int] = iter(range(1, 1000))

    def signed(name: str = "Draft replies", *, option: str = OPTION, elsewhere: bool = False) -> UnderWay:
        number = next(numbers)
        home = house.other_id if elsewhere else house.organisation_id
        at, ours = house.clock.now(), system_actor(home)
        with house.wiring.store.write() as session:
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


def _number(session, organisation_id: str) -> str:
    series = session.get(NumberSeries, (organisation_id, AGREED_ON.year))
    return f"{series.last + 1 if series else 1:04d}"


@pytest.fixture
def under_way(begin) -> UnderWay:
    return begin()
