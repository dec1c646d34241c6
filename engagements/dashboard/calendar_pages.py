"""The calendar that a private address opens, for programs that sign nobody in."""

import hashlib

from litestar import Controller, Response
from litestar.params import FromPath

from engagements.dashboard.calendar import calendar_for
from engagements.notices.ical import CONTENT_TYPE
from engagements.web.call import Call
from engagements.web.routes import PUBLIC, get


class CalendarFeed(Controller):
    path = "/calendar/{token:str}"
    include_in_schema = False

    @get(permission=PUBLIC)
    def show_calendar(self, token: FromPath[str], call: Call) -> Response[bytes]:
        """RFC 5545; 304 where it is known already, 410 where the address was taken back."""
        base_url = call.request.app.state.wiring.settings.base_url
        content = call.read(
            lambda s: calendar_for(s, token.removesuffix(".ics"), at=call.now, base_url=base_url)
        )  # fmt: skip
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        known = call.request.headers.get("if-none-match") == etag
        return Response(
            b"" if known else content, status_code=304 if known else 200, media_type=CONTENT_TYPE, headers=headers
        )


PAGES = (CalendarFeed,)
