"""Pages of notices, letters and calendars."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Controller, Response
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from engagements.core.roles import Permission
from engagements.notices import reading
from engagements.notices.api import feed_made, sends_letters
from engagements.notices.feeds import choices_of, feeds_of, revoke_feed
from engagements.notices.schemas import FeedIn, FeedOut
from engagements.notices.telling import unread_of
from engagements.web.call import Call
from engagements.web.pages import go, page, submit, typed, version_typed
from engagements.web.paging import Cursor
from engagements.web.routes import get, post
from engagements.web.templates import EMPTY_FORM, Form

_MAY: Final = Permission.SIGNED_IN
_ROWS: Final = 50


class NoticePages(Controller):
    path = "/notices"
    include_in_schema = False

    @get(permission=_MAY)
    def show_notices(self, call: Call, cursor: Cursor = None) -> Response[str]:
        found = call.read(lambda s: reading.notices_of(s, call.actor, limit=_ROWS, cursor=cursor))
        any_unread = call.read(lambda s: bool(unread_of(s, call.actor.id)))
        return page(call, "pages/notices/notices.html", notices=found, is_first=cursor is None, any_unread=any_unread)

    @post("/read-all", permission=_MAY)
    def mark_all_read(self, call: Call) -> Response[Any]:
        call.write(lambda s: reading.mark_all_read(s, call.actor, at=call.now))
        return go("/notices", said="All read")

    @post("/{notice_id:str}/read", permission=_MAY)
    def open_notice(self, notice_id: FromPath[str], call: Call) -> Response[Any]:
        """Marked as read, then on to the page that shows more."""
        there = call.write(lambda s: reading.mark_read(s, call.actor, notice_id, at=call.now).address)
        return go(there or "/notices")

    @get("/settings", permission=_MAY)
    def show_settings(self, call: Call) -> Response[str]:
        wanted = call.read(lambda s: reading.wants_letters(s, call.actor.id))
        return page(call, "pages/notices/settings.html", wanted=wanted, is_possible=sends_letters(call))

    @post("/settings", permission=_MAY)
    def change_settings(self, call: Call) -> Response[Any]:
        by_email = typed(call.request).get("by_email") == "yes"
        call.write(lambda s: reading.choose_letters(s, call.actor, by_email=by_email, at=call.now))
        return go("/notices/settings", said="Notices come by e-mail too" if by_email else "No more e-mail")


class CalendarPages(Controller):
    path = "/calendar"
    include_in_schema = False

    @get(permission=_MAY)
    def show_calendars(self, call: Call) -> Response[str]:
        return self._list(call)

    @post(permission=_MAY)
    def make_calendar(self, call: Call) -> Response[Any]:
        return submit(
            call, FeedIn, lambda s, data: feed_made(s, call, data),
            then=lambda made: page(call, "pages/calendar/made.html", made=made),
            show=lambda form, status: self._list(call, form, status),
        )  # fmt: skip

    @post("/revoke/{feed_id:str}", permission=_MAY)
    def revoke_calendar(self, feed_id: FromPath[str], call: Call) -> Response[Any]:
        version = version_typed(call)
        call.write(lambda s: revoke_feed(s, call.actor, feed_id, version=version, at=call.now))
        return go("/calendar", said="Calendar taken back")

    def _list(self, call: Call, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
        feeds = call.read(lambda s: [FeedOut.of(feed) for feed in feeds_of(s, call.actor)])
        names = call.read(lambda s: choices_of(s, call.actor))
        return page(call, "pages/calendar/calendars.html", feeds=feeds, names=names, form=form, status=status)


ROUTES: Final[Sequence[ControllerRouterHandler]] = (NoticePages, CalendarPages)
