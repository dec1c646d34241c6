"""Over /api/v1: what finished engagements say about estimates."""

from collections.abc import Sequence
from typing import Final

from litestar import Controller
from litestar.types import ControllerRouterHandler

from engagements.core.roles import Permission
from engagements.core.schemas import Out
from engagements.reports.calibration import Calibrated, calibration_of
from engagements.web.call import Call
from engagements.web.routes import get
from estimator.brief import Level
from estimator.calibration import Calibration, Coverage, Measure


class RatioOut(Out):
    """Actual over predicted P50: geometric mean with its 95 % interval."""

    mean: float
    low: float
    high: float


class CoverageOut(Out):
    """`hits` of `n` where a share `nominal` should be; with Wilson's 95 % interval, null for none."""

    nominal: float
    hits: int
    n: int
    low: float | None
    high: float | None


class MeasureOut(Out):
    """One quantity. `ratio` null below five engagements; `suggested`: a multiplier, null where none is due."""

    key: str
    label: str
    n: int
    ratio: RatioOut | None
    within_p10_p90: CoverageOut
    below_p80: CoverageOut
    crps: float | None
    suggested: float | None
    why: str


class DriverAdviceOut(Out):
    """`factor`: what the estimator takes for this level today; `suggested` null: nothing is known against it."""

    driver: str
    level: Level
    n: int
    others: int
    factor: float
    suggested: float | None
    why: str


class CalibrationOut(Out):
    """`needed`: closed engagements still missing until anything is suggested. `changed`: those with agreed changes."""

    engagements: int
    needed: int
    changed: int
    unread: int
    measures: list[MeasureOut]
    drivers: list[DriverAdviceOut]


def calibration_out(found: Calibrated) -> CalibrationOut:
    calibration: Calibration = found.calibration
    return CalibrationOut(
        engagements=calibration.engagements, needed=calibration.needed, changed=found.changed, unread=found.unread,
        measures=[_measure(each) for each in calibration.measures],
        drivers=[DriverAdviceOut.of(each) for each in calibration.drivers],
    )  # fmt: skip


def _measure(each: Measure) -> MeasureOut:
    return MeasureOut(
        key=each.key, label=each.label, n=each.n, ratio=RatioOut.of(each.ratio) if each.ratio else None,
        within_p10_p90=_coverage(each.within), below_p80=_coverage(each.below_p80), crps=each.crps,
        suggested=each.suggested, why=each.why,
    )  # fmt: skip


def _coverage(each: Coverage) -> CoverageOut:
    low, high = (each.interval.low, each.interval.high) if each.interval else (None, None)
    return CoverageOut(nominal=each.nominal, hits=each.hits, n=each.n, low=low, high=high)


class CalibrationOfEstimates(Controller):
    path = "/api/v1/calibration"
    tags = ("Briefs and estimates",)

    @get(permission=Permission.VIEW_COST, summary="Predicted against actual")
    def show(self, call: Call) -> CalibrationOut:
        """Over the closed engagements: ratios by phase, how often ranges held, and what they suggest."""
        return call.read(lambda s: calibration_out(calibration_of(s, call.actor)))


ROUTES: Final[Sequence[ControllerRouterHandler]] = (CalibrationOfEstimates,)
