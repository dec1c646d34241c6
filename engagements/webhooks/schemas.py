"""What comes in and goes out about webhooks."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from engagements.core.outbox import EventType
from engagements.core.schemas import In, Line, Out, ShownOnce, absent
from engagements.webhooks.models import DeliveryState

Address = Annotated[str, Field(min_length=1, max_length=500)]
Types = Annotated[list[EventType], Field(max_length=len(EventType))]


class WebhookIn(In):
    """Without `event_types` the endpoint hears everything."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"url": "https://crm.example.com/sixfold", "event_types": ["proposal.accepted"]}]
        }
    )

    url: Address
    description: Line = ""
    event_types: Types = Field(default_factory=list)


class WebhookPatch(In):
    url: Address = absent()
    description: Line = absent()
    event_types: Types = absent()
    active: Annotated[bool, Field(strict=True)] = absent()


class WebhookOut(Out):
    id: str
    version: int
    url: str
    description: str
    event_types: list[str]
    active: bool
    previous_until: datetime | None
    created_at: datetime


class WebhookSecretOut(WebhookOut):
    """`secret` is shown in the first answer only; the same request again gets null there."""

    secret: ShownOnce


class DeliveryOut(Out):
    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    state: DeliveryState
    attempts: int
    due_at: datetime
    response_status: int | None
    failure: str
    settled_at: datetime | None
    created_at: datetime


class EventKindOut(Out):
    type: str
    when: str
    data: dict[str, str | int | None]
