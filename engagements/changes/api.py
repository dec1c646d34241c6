"""Over /api/v1: change requests and the register."""

from collections.abc import Sequence
from typing import Final

from litestar.types import ControllerRouterHandler

ROUTES: Final[Sequence[ControllerRouterHandler]] = ()
