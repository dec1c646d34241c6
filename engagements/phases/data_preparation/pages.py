"""The pages of data preparation."""

from collections.abc import Sequence
from typing import Final

from litestar.types import ControllerRouterHandler

from engagements.phases.data_preparation.pool import pages as pool_pages
from engagements.phases.data_preparation.review import pages as review_pages
from engagements.phases.data_preparation.sources import pages as sources_pages
from engagements.phases.data_preparation.synthesis import pages as synthesis_pages
from engagements.phases.data_preparation.versions import pages as versions_pages

ROUTES: Final[Sequence[ControllerRouterHandler]] = (
    *sources_pages.ROUTES,
    *pool_pages.ROUTES,
    *review_pages.ROUTES,
    *synthesis_pages.ROUTES,
    *versions_pages.ROUTES,
)
