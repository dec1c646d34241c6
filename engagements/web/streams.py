"""Bodies that are too long to be read whole: taken as they come, counted, and given up when they trickle.

The gate lets the body of these routes through unread; everything else about the request it judges as ever.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

from litestar.types import Receive

from engagements.core.errors import EngagementError

SILENT_S: Final = 30.0
LEAST_BYTES: Final = 16_384
"""What has to come within `SILENT_S`, but for the end of a body: half a kilobyte a second."""
_STREAMED: Final = re.compile(r"/api/v1/uploads/[^/]+/content")


class BodySilent(EngagementError):
    """Too little came for too long. What came before is kept."""

    code, status = "request_timeout", 408


class BodyCut(EngagementError):
    """The connection ended before the body did. What came before is kept."""

    code, status = "malformed_request", 400


class BodyTooLong(EngagementError):
    """More came than was announced."""

    code, status = "body_too_large", 413


def is_streamed(method: str, path: str) -> bool:
    return method == "PUT" and _STREAMED.fullmatch(path) is not None


async def pieces_of(receive: Receive, *, bytes_max: int, silent_s: float = SILENT_S) -> AsyncIterator[bytes]:
    """The body in pieces of some kilobytes. Raises `BodySilent`, `BodyCut` and `BodyTooLong`, after what came."""
    count, more = 0, True
    while more:
        piece = bytearray()
        stopped: EngagementError | None = None
        try:
            async with asyncio.timeout(silent_s):
                while more and len(piece) < LEAST_BYTES:
                    message = await receive()
                    if message["type"] != "http.request":
                        stopped = BodyCut("the body ended before its length", remedy="send the rest")
                        break
                    piece += message.get("body", b"")
                    more = message.get("more_body", False)
        except TimeoutError:
            stopped = BodySilent(
                f"fewer than {LEAST_BYTES:,} bytes came in {silent_s:.0f} seconds", remedy="send the rest"
            )
        count += len(piece)
        if count > bytes_max:
            raise BodyTooLong(f"the body holds more than the {bytes_max:,} bytes that are expected")
        if piece:
            yield bytes(piece)
        if stopped is not None:
            raise stopped
