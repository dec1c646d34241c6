"""Status reports: what a client is told in writing, frozen as it was issued."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from pydantic import AwareDatetime

from engagements.client.models import Versioned
from engagements.client.transport import Transport

CLIENT_EDITION: Final = "client"
INTERNAL_EDITION: Final = "internal"


class Report(Versioned):
    """`health`: on_track, at_risk, late or unknown. `since`: the day of the report before, None for the first."""

    engagement_id: str
    client_id: str
    number: int
    day: date
    since: date | None
    health: str
    summary: str
    pdf_sha256: str
    created_at: AwareDatetime


class Reports:
    """Newest first."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def of_engagement(self, engagement_id: str) -> Iterator[Report]:
        return self._calls.pages(Report, "/api/v1/engagements/{}/reports", engagement_id)

    def issue(self, engagement_id: str, summary: str = "") -> Report:
        """Number it, freeze it and tell the client's people. Raises `Conflict` where it would say nothing new."""
        fields = {"summary": summary}
        return self._calls.post(Report, "/api/v1/engagements/{}/reports", engagement_id, fields=fields)

    def preview(self, engagement_id: str, *, summary: str = "", edition: str = CLIENT_EDITION) -> bytes:
        """The PDF of the next report as it stands, DRAFT on every page; the internal edition shows our cost."""
        path = "/api/v1/engagements/{}/reports/preview"
        return self._calls.get_bytes(path, engagement_id, query={"edition": edition, "summary": summary})

    def get(self, report_id: str) -> Report:
        return self._calls.get(Report, "/api/v1/reports/{}", report_id)

    def document(self, report: Report) -> bytes:
        """The PDF that was issued, byte for byte. Raises `DigestMismatch`."""
        return self._calls.get_bytes("/api/v1/reports/{}/document", report.id, sha256=report.pdf_sha256)
