"""Pages of plan, milestones, deliverables, criteria and evidence."""

from collections.abc import Sequence
from typing import Final

from litestar.types import ControllerRouterHandler

ROUTES: Final[Sequence[ControllerRouterHandler]] = ()
