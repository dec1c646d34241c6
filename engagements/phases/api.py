"""Over /api/v1: phases and their gates."""

from collections.abc import Sequence
from typing import Final

from litestar.types import ControllerRouterHandler

ROUTES: Final[Sequence[ControllerRouterHandler]] = ()
