"""Pages of status reports and calibration."""

from collections.abc import Sequence
from typing import Final

from litestar.types import ControllerRouterHandler

from engagements.reports.calibration_pages import CalibrationPage
from engagements.reports.status_pages import EngagementReportPages, ReportPages

ROUTES: Final[Sequence[ControllerRouterHandler]] = (EngagementReportPages, ReportPages, CalibrationPage)
