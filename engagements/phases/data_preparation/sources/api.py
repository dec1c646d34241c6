"""Uploads and sources over /api/v1."""

from collections.abc import Sequence
from typing import Final

from litestar.types import ControllerRouterHandler

from engagements.phases.data_preparation.sources.source_api import EngagementSources, Sources
from engagements.phases.data_preparation.sources.upload_api import EngagementUploads, Uploads

ROUTES: Final[Sequence[ControllerRouterHandler]] = (EngagementUploads, Uploads, EngagementSources, Sources)
