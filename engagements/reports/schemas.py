"""What comes in and goes out about status reports."""

from datetime import date, datetime

from pydantic import ConfigDict

from engagements.core.schemas import In, Out, Text
from engagements.delivery.health import Health


class ReportIn(In):
    """`summary`: what the lead has to say in a few sentences; it stands beside the overall state."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"summary": "Two gates passed; labelling runs ahead."}]})

    summary: Text = ""


class ReportOut(Out):
    """An issued report. `since`: the day of the one before; `pdf_sha256`: of the document, byte for byte."""

    id: str
    version: int
    engagement_id: str
    client_id: str
    number: int
    day: date
    since: date | None
    health: Health
    summary: str
    pdf_sha256: str
    created_at: datetime
