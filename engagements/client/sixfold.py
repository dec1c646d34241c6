"""`Sixfold`: the API of one installation, as one key sees it."""

from types import TracebackType
from typing import Final, Self

import httpx

from engagements.client.actuals import Budgets, Costs, Invoices, Time
from engagements.client.changes import Changes, Register
from engagements.client.data import Examples, Jobs, Sources, Uploads
from engagements.client.datasets import Datasets, Erasures
from engagements.client.delivery import Deliverables, Milestones, Plans
from engagements.client.engagements import Audit, Clients, Contacts, Engagements
from engagements.client.gates import EvidenceRecords, Gates
from engagements.client.models import Health
from engagements.client.notices import Feeds, Notices
from engagements.client.people import Invitations, Keys, Myself, Users
from engagements.client.proposals import Portal, Proposals
from engagements.client.reports import Reports
from engagements.client.review import Reviews
from engagements.client.scoping import Briefs, Estimates
from engagements.client.synthesis import Synthesis
from engagements.client.training import Experiments, Models, TrainingRuns
from engagements.client.transport import Transport
from engagements.client.webhooks import Webhooks
from engagements.client.work import Portfolio, Work

_CONNECT_S: Final = 5.0


class Sixfold:
    """The API of one installation, as one key sees it.

    `base_url`: where people reach the server, such as `https://sixfold.example.com`. `timeout_s`: how long an answer
    may take. `retries`: how often a call that is safe to repeat is sent again after the first time; that is reading,
    and making something, which carries an Idempotency-Key. A call that failed with `Unreachable` and is made anew is
    another call with another key.

    Threads may share one. Close it, or use it as a context. Every method may raise `SixfoldError`.
    """

    def __init__(
        self,
        base_url: str,
        key: str = "",
        *,
        timeout_s: float = 60.0,
        retries: int = 3,
        backoff_s: float = 0.5,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(
            base_url=base_url.rstrip("/"),
            headers={"X-API-Key": key} if key else {},
            timeout=httpx.Timeout(timeout_s, connect=_CONNECT_S),
            transport=transport,
            follow_redirects=False,
        )
        self._calls = Transport(self._http, retries=retries, backoff_s=backoff_s)
        self.clients: Final = Clients(self._calls)
        self.contacts: Final = Contacts(self._calls)
        self.engagements: Final = Engagements(self._calls)
        self.briefs: Final = Briefs(self._calls)
        self.estimates: Final = Estimates(self._calls)
        self.proposals: Final = Proposals(self._calls)
        self.portal: Final = Portal(self._calls)
        self.plans: Final = Plans(self._calls)
        self.milestones: Final = Milestones(self._calls)
        self.deliverables: Final = Deliverables(self._calls)
        self.gates: Final = Gates(self._calls)
        self.evidence: Final = EvidenceRecords(self._calls)
        self.reports: Final = Reports(self._calls)
        self.time: Final = Time(self._calls)
        self.costs: Final = Costs(self._calls)
        self.budgets: Final = Budgets(self._calls)
        self.invoices: Final = Invoices(self._calls)
        self.uploads: Final = Uploads(self._calls)
        self.sources: Final = Sources(self._calls)
        self.jobs: Final = Jobs(self._calls)
        self.examples: Final = Examples(self._calls)
        self.reviews: Final = Reviews(self._calls)
        self.synthesis: Final = Synthesis(self._calls)
        self.datasets: Final = Datasets(self._calls)
        self.erasures: Final = Erasures(self._calls)
        self.experiments: Final = Experiments(self._calls)
        self.training_runs: Final = TrainingRuns(self._calls)
        self.models: Final = Models(self._calls)
        self.changes: Final = Changes(self._calls)
        self.register: Final = Register(self._calls)
        self.me: Final = Myself(self._calls)
        self.users: Final = Users(self._calls)
        self.keys: Final = Keys(self._calls)
        self.invitations: Final = Invitations(self._calls)
        self.webhooks: Final = Webhooks(self._calls)
        self.portfolio: Final = Portfolio(self._calls)
        self.work: Final = Work(self._calls)
        self.notices: Final = Notices(self._calls)
        self.feeds: Final = Feeds(self._calls)
        self.audit: Final = Audit(self._calls)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._calls.close()

    def health(self) -> Health:
        """Whether the process is alive, and what it runs on."""
        return self._calls.get(Health, "/health")

    def ready(self) -> Health:
        """Whether the database answers. Raises `ServerFault` where it does not."""
        return self._calls.get(Health, "/ready")

    def metrics(self) -> str:
        """Prometheus' text format."""
        return self._calls.get_text("/metrics")
