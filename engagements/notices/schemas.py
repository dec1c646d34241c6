"""What comes in and goes out about notices and calendars."""

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field

from engagements.core.schemas import In, Out, ShownOnce
from estimator.brief.fields import Name


class NoticeOut(Out):
    """One thing that a person was told. `address`: the path of the page that shows more."""

    id: str
    engagement_id: str | None
    kind: str
    text: str
    address: str
    at: datetime
    read_at: datetime | None


class NoticesReadOut(Out):
    """How many notices were unread."""

    read: int


class EmailIn(In):
    by_email: Annotated[bool, Field(strict=True)]


class EmailOut(Out):
    """Whether notices come by e-mail too. `is_possible`: whether this installation can send any."""

    by_email: bool
    is_possible: bool


class FeedIn(In):
    """`engagement_id`: only this one; without it all that the maker may see, now and later."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "My phone"}]})

    name: Name
    engagement_id: Annotated[str | None, BeforeValidator(lambda chosen: chosen or None)] = None


class FeedOut(Out):
    """A calendar's private address, without the address."""

    id: str
    version: int
    name: str
    engagement_id: str | None
    created_at: datetime


class FeedMade(FeedOut):
    """`url` is told this once: whoever knows it reads the calendar."""

    url: ShownOnce
