"""What a person was told, whether it comes by e-mail too, and the private addresses of their calendars."""

from collections.abc import Iterator
from datetime import datetime

from engagements.client.models import Answer, Versioned
from engagements.client.transport import Transport


class Notice(Answer):
    """One thing that a person was told. `address`: the path of the page that shows more."""

    id: str
    engagement_id: str | None
    kind: str
    text: str
    address: str
    at: datetime
    read_at: datetime | None


class NoticesRead(Answer):
    read: int


class EmailChoice(Answer):
    """`is_possible`: whether the installation can send any."""

    by_email: bool
    is_possible: bool


class Feed(Versioned):
    """A calendar's private address, without the address."""

    name: str
    engagement_id: str | None
    created_at: datetime


class NewFeed(Feed):
    """`url` is told this once."""

    url: str | None


class Notices:
    """One's own, newest first."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def __iter__(self) -> Iterator[Notice]:
        return self.list()

    def list(self, *, unread: bool = False) -> Iterator[Notice]:
        return self._calls.pages(Notice, "/api/v1/notices", query={"unread": unread})

    def mark_read(self, notice_id: str) -> Notice:
        return self._calls.post(Notice, "/api/v1/notices/{}/read", notice_id)

    def mark_all_read(self) -> int:
        """How many were unread."""
        return self._calls.post(NoticesRead, "/api/v1/notices/read-all").read

    def email(self) -> EmailChoice:
        return self._calls.get(EmailChoice, "/api/v1/notices/email")

    def choose_email(self, *, by_email: bool) -> EmailChoice:
        return self._calls.post(EmailChoice, "/api/v1/notices/email", fields={"by_email": by_email})


class Feeds:
    """Calendars of one's own, one for each device; newest first."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def __iter__(self) -> Iterator[Feed]:
        return self.list()

    def list(self) -> Iterator[Feed]:
        return self._calls.pages(Feed, "/api/v1/feeds")

    def make(self, *, name: str, engagement_id: str | None = None) -> NewFeed:
        """Without `engagement_id` it shows all that its maker answers for, or all of a client."""
        return self._calls.post(NewFeed, "/api/v1/feeds", fields={"name": name, "engagement_id": engagement_id})

    def revoke(self, feed: Feed) -> None:
        self._calls.delete("/api/v1/feeds/{}", feed.id, etag=feed.etag)
