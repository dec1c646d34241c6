"""What is done for `JobKind.SYNTHESISE`, with what the installation knows: which models it may ask, and who it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engagements.phases.data_preparation.jobs.context import JobContext
from engagements.phases.data_preparation.synthesis.endpoints import Endpoints
from engagements.settings import Agency


@dataclass(frozen=True, kw_only=True)
class Synthesiser:
    """`backoff_s`: how long is waited before a request is sent a second time; twice as long each time after."""

    endpoints: Endpoints
    agency: Agency
    backoff_s: float = 1.0

    def __call__(self, context: JobContext) -> Mapping[str, Any]:
        # Deferred, as all work is: the client of the provider and the checks weigh more than the pages do.
        from engagements.phases.data_preparation.synthesis.running import run  # noqa: PLC0415

        return run(context, endpoints=self.endpoints, agency=self.agency, backoff_s=self.backoff_s)
