"""A mail server of the tests' own on a socket, which takes, refuses or forgets to answer as it is told."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlmodel import select

from engagements.core.roles import Role, system_actor
from engagements.notices.models import Letter
from engagements.notices.postman import Postman
from engagements.notices.smtp import MailServer
from engagements.notices.telling import tell_people
from engagements.people.service import add_user


@dataclass(kw_only=True)
class Mailbox:
    """What arrived. `after_data` runs when a letter is there whole: it answers, or lets go of the connection."""

    got: list[EmailMessage] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    after_data: Callable[[SMTP], str] = lambda _: "250 taken"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd calls it by this name
        self, server: SMTP, _s: Session, envelope: Envelope, address: str, _o: list[str]
    ) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server: SMTP, _s: Session, envelope: Envelope) -> str:  # noqa: N802  # the same
        assert isinstance(envelope.content, bytes)
        self.got.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.after_data(server)


@pytest.fixture
def mailbox(socket_enabled: None) -> Iterator[tuple[Mailbox, int]]:
    """The mailbox and the port it is reached at."""
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture
def postman(house, mailbox) -> Postman:
    server = MailServer(
        host="127.0.0.1", port=mailbox[1], tls="none", sender_email="delivery@example.com", sender_name="Halden & Roth",
        timeout_s=2,
    )  # fmt: skip
    return Postman(store=house.wiring.store, clock=house.clock, server=server, base_url="https://sixfold.example")


@pytest.fixture
def tell(house):
    """Tells one person something; says who it is."""
    made: list[str] = []

    def told(text: str = "The gate of training is passed", topic: str = "gate:1") -> str:
        with house.wiring.store.write() as session:
            if not made:
                owner = system_actor(house.organisation_id)
                made.append(
                    add_user(
                        session, owner, name="Zoë Brandt", email="zoe@example.com", role=Role.DELIVERY_LEAD,
                        at=house.clock.now(),
                    ).id
                )  # fmt: skip
            tell_people(
                session, house.organisation_id, made, topic=topic, kind="gate.decided", text=text,
                address="/engagements/eng_1/gates", at=house.clock.now(),
            )  # fmt: skip
        return made[0]

    return told


@pytest.fixture
def letters(house):
    """Every letter as (state, tries, failure), oldest first."""

    def found() -> list[tuple[str, int, str]]:
        with house.wiring.store.read() as session:
            rows = session.exec(select(Letter).order_by(Letter.id))
            return [(row.state.value, row.tries, row.failure) for row in rows]

    return found
