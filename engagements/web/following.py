"""Something that moves, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final, TypeVar

from litestar.concurrency import sync_to_thread
from litestar.response.sse import ServerSentEventMessage
from pydantic import BaseModel

LOOKED_EVERY_S: Final = 0.5
FOLLOWED_S: Final = 30.0
"""Then the stream ends and its reader asks again: nothing keeps a server from stopping."""
T = TypeVar("T", bound=BaseModel)


async def followed(look: Callable[[], T], has_ended: Callable[[T], bool]) -> AsyncIterator[ServerSentEventMessage]:
    """`progress` whenever what is looked at has moved, `ended` once it has; each with the whole of it as JSON."""
    said = ""
    for _ in range(int(FOLLOWED_S / LOOKED_EVERY_S)):
        found = await sync_to_thread(look)
        now, ended = found.model_dump_json(), has_ended(found)
        if now != said:
            yield ServerSentEventMessage(data=now, event="ended" if ended else "progress", retry=500)
        if ended:
            return
        said = now
        await asyncio.sleep(LOOKED_EVERY_S)
