"""How routes are declared: a synchronous function that runs in a thread, with its permission or `PUBLIC`.

@get("/{client_id:str}", permission=Permission.VIEW_CLIENTS, summary="One client")
@get("/health", permission=PUBLIC)
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final, Literal

import litestar
from litestar.handlers import HTTPRouteHandler

from engagements.core.roles import Permission


class Public(Enum):
    """A route that asks nobody who they are."""

    PUBLIC = "public"


PUBLIC: Final = Public.PUBLIC
Access = Permission | Literal[Public.PUBLIC]
_Declared = Callable[[Callable[..., Any]], HTTPRouteHandler]


def get(path: str | Sequence[str] = "/", *, permission: Access, **options: Any) -> _Declared:
    return litestar.get(path, sync_to_thread=True, permission=permission, **options)


def post(path: str | Sequence[str] = "/", *, permission: Access, **options: Any) -> _Declared:
    return litestar.post(path, sync_to_thread=True, permission=permission, **options)


def put(path: str | Sequence[str] = "/", *, permission: Access, **options: Any) -> _Declared:
    return litestar.put(path, sync_to_thread=True, permission=permission, **options)


def put_stream(path: str | Sequence[str] = "/", *, permission: Access, **options: Any) -> _Declared:
    """For a body of any length, which the handler takes as it comes (see `streams`): an asynchronous function."""
    return litestar.put(path, permission=permission, request_max_body_size=None, **options)


def patch(path: str | Sequence[str] = "/", *, permission: Access, **options: Any) -> _Declared:
    return litestar.patch(path, sync_to_thread=True, permission=permission, **options)


def delete(path: str | Sequence[str] = "/", *, permission: Access, **options: Any) -> _Declared:
    return litestar.delete(path, sync_to_thread=True, permission=permission, **options)
