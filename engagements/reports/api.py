"""Over /api/v1: status reports and calibration."""

from collections.abc import Sequence
from typing import Final

from litestar.types import ControllerRouterHandler

from engagements.reports.calibration_api import CalibrationOfEstimates
from engagements.reports.status_api import EngagementReports, Reports

ROUTES: Final[Sequence[ControllerRouterHandler]] = (EngagementReports, Reports, CalibrationOfEstimates)
