"""Data preparation over /api/v1."""

from collections.abc import Sequence
from typing import Final

from litestar.types import ControllerRouterHandler

from engagements.phases.data_preparation.jobs import api as jobs_api
from engagements.phases.data_preparation.pool import api as pool_api
from engagements.phases.data_preparation.review import api as review_api
from engagements.phases.data_preparation.sources import api as sources_api
from engagements.phases.data_preparation.synthesis import api as synthesis_api
from engagements.phases.data_preparation.versions import api as versions_api

ROUTES: Final[Sequence[ControllerRouterHandler]] = (
    *jobs_api.ROUTES,
    *sources_api.ROUTES,
    *pool_api.ROUTES,
    *review_api.ROUTES,
    *synthesis_api.ROUTES,
    *versions_api.ROUTES,
)
