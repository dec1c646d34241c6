"""What an installation is made of, put together once: database, clock, prices, who is who, measurements."""

import os
from dataclasses import dataclass, field

from engagements.changes.watching import Watcher
from engagements.core.clock import Clock, SystemClock
from engagements.db.store import Store
from engagements.documents.pictures import Previews
from engagements.notices.bell import Bell
from engagements.notices.postman import Postman
from engagements.notices.smtp import MailServer
from engagements.people.identities import KnownIdentities
from engagements.phases.data_preparation.jobs.worker import Work, Workshop
from engagements.phases.data_preparation.models import JobKind
from engagements.phases.data_preparation.storage import Storage, StorageUnreachable
from engagements.phases.data_preparation.synthesis.endpoints import Endpoints, endpoints_of
from engagements.phases.data_preparation.synthesis.synthesiser import Synthesiser
from engagements.phases.data_preparation.work import UPKEEP, WORK
from engagements.phases.training.supervising.parts import Parts
from engagements.phases.training.supervising.supervisor import Supervisor
from engagements.phases.training.trainers import Trainers, trainers_of
from engagements.proposals.sweeper import Sweeper
from engagements.settings import Settings, SettingsInvalid
from engagements.web.call import InFlight
from engagements.web.metrics import Metrics
from engagements.webhooks.courier import Courier
from estimator.errors import Problem
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
    storage: Storage
    workshop: Workshop
    endpoints: Endpoints
    trainers: Trainers
    supervisor: Supervisor
    metrics: Metrics
    in_flight: InFlight = field(default_factory=InFlight)
    previews: Previews = field(default_factory=Previews)

    def close(self) -> None:
        self.courier.stop()
        self.sweeper.stop()
        self.watcher.stop()
        self.postman.stop()
        self.workshop.stop()
        self.supervisor.stop()
        self.store.close()


def wire(settings: Settings, *, clock: Clock | None = None) -> Wiring:
    """Opens the database that the settings name; it must be there and of this version (see `migrations`).

    Raises `SettingsInvalid` for a storage that cannot be used.
    """
    store = Store(settings.database_url)
    now, metrics = clock or SystemClock(), Metrics()
    storage = _storage(settings, now)
    endpoints = endpoints_of(settings.model_endpoints, os.environ)
    work: dict[JobKind, Work] = {**WORK, JobKind.SYNTHESISE: Synthesiser(endpoints=endpoints, agency=settings.agency)}
    prices = PriceBook.load(*settings.prices)
    # Trainers work in folders of their own: a home that is named from here would lie elsewhere there.
    training = (settings.home_folder / "training").absolute()
    trainers = trainers_of(settings.backends, os.environ, folder=training / "runs")
    parts = Parts(
        store=store, clock=now, storage=storage, trainers=trainers, book=prices, agency=settings.agency,
        folder=training / "data",
    )  # fmt: skip
    return Wiring(
        settings=settings,
        store=store,
        clock=now,
        prices=prices,
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
        storage=storage,
        endpoints=endpoints,
        trainers=trainers,
        supervisor=Supervisor(parts=parts, workers=settings.training_workers),
        workshop=Workshop(
            store=store,
            clock=now,
            storage=storage,
            work=work,
            upkeep=UPKEEP,
            workers=settings.data_workers,
            places=settings.data_places,
        ),
        metrics=metrics,
    )


def _storage(settings: Settings, clock: Clock) -> Storage:
    """Raises `SettingsInvalid` where the place that is named cannot be used."""
    try:
        storage = Storage(settings.storage_url, **settings.storage_options)
        storage.prepare(at=clock.now())
    except StorageUnreachable as error:
        problem = Problem(code="setting_invalid", where="storage", message=error.message, remedy=error.remedy)
        raise SettingsInvalid(problem) from error
    return storage


def _mail_server(settings: Settings) -> MailServer | None:
    """Where letters are handed in; None where nobody named a server."""
    if not settings.smtp_host:
        return None
    return MailServer(
        host=settings.smtp_host, port=settings.smtp_port, tls=settings.smtp_tls, user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(), sender_email=settings.letter_sender,
        sender_name=settings.agency.name,
    )  # fmt: skip
