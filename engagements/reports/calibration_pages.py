"""The page of calibration: what was predicted against what came, and what that suggests."""

from collections.abc import Sequence
from typing import Final

from litestar import Controller, Response
from litestar.types import ControllerRouterHandler

from engagements.core.roles import Permission
from engagements.documents.palette import Palette
from engagements.proposals.proposal_api import desk_of
from engagements.rendering import Formats
from engagements.reports.calibration import calibration_of
from engagements.reports.calibration_chart import calibration_chart
from engagements.web.call import Call
from engagements.web.pages import page
from engagements.web.routes import get
from estimator.calibration import ENOUGH


class CalibrationPage(Controller):
    path = "/calibration"
    include_in_schema = False

    @get(permission=Permission.VIEW_COST)
    def show(self, call: Call) -> Response[str]:
        found = call.read(lambda s: calibration_of(s, call.actor))
        agency = desk_of(call).agency
        formats = Formats(agency.locale)
        chart = calibration_chart(
            found.calibration.measures, text=lambda ratio: f"{formats.number(ratio, 2)}×",
            palette=Palette(accent=agency.accent),
        )  # fmt: skip
        return page(call, "pages/calibration/calibration.html", found=found, chart=chart, enough=ENOUGH)


ROUTES: Final[Sequence[ControllerRouterHandler]] = (CalibrationPage,)
