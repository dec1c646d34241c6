"""Training over /api/v1."""

from collections.abc import Sequence
from typing import Final

from litestar.types import ControllerRouterHandler

from engagements.phases.training import catalogue_api, experiment_api, run_api, version_api, webhook_api

ROUTES: Final[Sequence[ControllerRouterHandler]] = (
    *catalogue_api.ROUTES,
    *experiment_api.ROUTES,
    *run_api.ROUTES,
    *version_api.ROUTES,
    *webhook_api.ROUTES,
)
