"""What an installation is made of, put together once: database, clock, prices, who is who, measurements."""

from dataclasses import dataclass, field

from engagements.changes.watching import Watcher
from engagements.core.clock import Clock, SystemClock
from engagements.db.store import Store
from engagements.documents.pictures import Previews
from engagements.notices.bell import Bell
from engagements.notices.postman import Postman
from engagements.notices.smtp import MailServer
from engagements.people.identities import KnownIdentities
from engagements.proposals.sweeper import Sweeper
from engagements.settings import Settings
from engagements.web.call import InFlight
from engagements.web.metrics import Metrics
from engagements.webhooks.courier import Courier
from estimator.prices import PriceBook


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """The parts of a running Sixfold; `close` gives back what they hold."""

    settings: Settings
    store: Store
    clock: Clock
    prices: PriceBook
    identities: KnownIdentities
    courier: Courier
    sweeper: Sweeper
    watcher: Watcher
    postman: Postman
    bell: Bell
    metrics: Metrics
    in_flight: InFlight = field(default_factory=InFlight)
    previews: Previews = field(default_factory=Previews)

    def close(self) -> None:
        self.courier.stop()
        self.sweeper.stop()
        self.watcher.stop()
        self.postman.stop()
        self.store.close()


def wire(settings: Settings, *, clock: Clock | None = None) -> Wiring:
    """Opens the database that the settings name; it must be there and of this version (see `migrations`)."""
    store = Store(settings.database_url)
    now, metrics = clock or SystemClock(), Metrics()
    return Wiring(
        settings=settings,
        store=store,
        clock=now,
        prices=PriceBook.load(*settings.prices),
        identities=KnownIdentities(store, now),
        courier=Courier(
            store=store,
            clock=now,
            metrics=metrics,
            local_hosts=frozenset(host.lower() for host in settings.webhook_hosts),
            senders=settings.webhook_senders,
        ),
        sweeper=Sweeper(store=store, clock=now),
        watcher=Watcher(store=store, clock=now, agency=settings.agency),
        postman=Postman(store=store, clock=now, server=_mail_server(settings), base_url=settings.base_url),
        bell=Bell(store=store),
        metrics=metrics,
    )


def _mail_server(settings: Settings) -> MailServer | None:
    """Where letters are handed in; None where nobody named a server."""
    if not settings.smtp_host:
        return None
    return MailServer(
        host=settings.smtp_host, port=settings.smtp_port, tls=settings.smtp_tls, user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(), sender_email=settings.letter_sender,
        sender_name=settings.agency.name,
    )  # fmt: skip
