"""Over /api/v1: notices, letters and calendars."""

from collections.abc import Sequence
from typing import Final

from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler
from sqlmodel import Session

from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.notices import reading
from engagements.notices.feeds import feeds_of, make_feed, revoke_feed
from engagements.notices.schemas import EmailIn, EmailOut, FeedIn, FeedMade, FeedOut, NoticeOut, NoticesReadOut
from engagements.web.call import Call, CallOfRequest
from engagements.web.paging import LIMIT, Cursor, Limit
from engagements.web.routes import delete, get, post

_MAY: Final = Permission.SIGNED_IN


class Notices(Controller):
    path = "/api/v1/notices"
    tags = ("Notices",)

    @get(permission=_MAY, summary="What I was told, newest first")
    def list_notices(
        self, call: Call, limit: Limit = LIMIT, cursor: Cursor = None, unread: FromQuery[bool] = False
    ) -> Page[NoticeOut]:
        return call.read(lambda s: reading.notices_of(s, call.actor, limit=limit, cursor=cursor, unread=unread))

    @post("/{notice_id:str}/read", permission=_MAY, summary="Mark a notice as read", status_code=200)
    def mark_read(self, notice_id: FromPath[str], call: Call) -> Response[NoticeOut]:
        return call.act(lambda s: NoticeOut.of(reading.mark_read(s, call.actor, notice_id, at=call.now)))

    @post("/read-all", permission=_MAY, summary="Mark all notices as read", status_code=200)
    def mark_all_read(self, call: Call) -> Response[NoticesReadOut]:
        return call.act(lambda s: NoticesReadOut(read=reading.mark_all_read(s, call.actor, at=call.now)))

    @get("/email", permission=_MAY, summary="Whether notices come by e-mail too")
    def show_email(self, call: Call) -> Response[EmailOut]:
        possible = sends_letters(call)
        return call.show(
            lambda s: EmailOut(by_email=reading.wants_letters(s, call.actor.id), is_possible=possible)
        )  # fmt: skip

    @post("/email", permission=_MAY, summary="Switch e-mail on or off", status_code=200)
    def choose_email(self, data: JSONBody[EmailIn], call: Call) -> Response[EmailOut]:
        possible = sends_letters(call)

        def chosen(session: Session) -> EmailOut:
            wanted = reading.choose_letters(session, call.actor, by_email=data.by_email, at=call.now)
            return EmailOut(by_email=wanted, is_possible=possible)

        return call.act(chosen)


class Feeds(Controller):
    path = "/api/v1/feeds"
    tags = ("Calendars",)

    @get(permission=_MAY, summary="My calendars")
    def list_feeds(self, call: Call) -> Page[FeedOut]:
        return call.read(lambda s: Page(items=[FeedOut.of(feed) for feed in feeds_of(s, call.actor)]))

    @post(permission=_MAY, summary="Make a calendar; its address is shown once")
    def create_feed(self, data: JSONBody[FeedIn], call: Call) -> Response[FeedMade]:
        return call.create(lambda s: feed_made(s, call, data))

    @delete("/{feed_id:str}", permission=_MAY, summary="Take a calendar back")
    def remove_feed(self, feed_id: FromPath[str], call: Call) -> Response[None]:
        return call.remove(lambda s, v: revoke_feed(s, call.actor, feed_id, version=v, at=call.now))


def feed_made(session: Session, call: CallOfRequest, data: FeedIn) -> FeedMade:
    made = make_feed(session, call.actor, data, at=call.now)
    base_url: str = call.request.app.state.wiring.settings.base_url
    return FeedMade(**FeedOut.of(made.feed).model_dump(), url=f"{base_url}/calendar/{made.token}.ics")


def sends_letters(call: CallOfRequest) -> bool:
    return call.request.app.state.wiring.postman.server is not None


ROUTES: Final[Sequence[ControllerRouterHandler]] = (Notices, Feeds)
