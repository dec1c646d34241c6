"""Who works how long: hours by phase and role as three-point estimates, moved by what makes this client different."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final

from estimator.brief import Brief, Drivers, Level
from estimator.brief.stated import stated
from estimator.figures import Figure, assumed, given, least, product
from estimator.phases import DELIVERY, Phase
from estimator.simulation import Triangle

_DRIVER_FIELDS: Final = tuple(name for name in Drivers.model_fields if name != "integrations")
_PRODUCTIVE_HOURS: Final = 6
"""Hours a day that people really label (cost reference, section 6.3)."""
_PILOT_EXAMPLES: Final = 50
_AROUND_LABELLING_DAYS: Final = 6
"""Guideline and pilot before labelling, agreement and adjudication after it."""


class Per(StrEnum):
    """How often the hours of a line occur."""

    ENGAGEMENT = "engagement"
    RUN = "run"
    INTEGRATION = "integration"
    MONTH = "month"
    RETRAINING = "retraining"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkLine:
    """One kind of work of one role in the usual engagement. `range` in hours per occurrence."""

    phase: Phase
    role: str
    work: str
    range: Triangle
    per: Per
    drivers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortModel:
    """Hours and working days of the usual engagement, and what each driver does to them."""

    lines: tuple[WorkLine, ...]
    days: Mapping[Phase, Triangle]
    factors: Mapping[Level, Decimal]
    product_cap: Decimal
    per_further_language: Decimal
    language_cap: Decimal
    source: str

    @classmethod
    @cache
    def default(cls) -> "EffortModel":
        """The packaged model, `estimator/effort.toml`."""
        return read_effort_model((resources.files("estimator") / "effort.toml").read_text("utf-8"))


def read_effort_model(text: str) -> EffortModel:
    """A model from TOML of the packaged form; a malformed one is a programming error."""
    data = tomllib.loads(text)
    return EffortModel(
        lines=tuple(
            WorkLine(
                phase=Phase(row["phase"]),
                role=row["role"],
                work=row["work"],
                range=_triangle(row["range"]),
                per=Per(row.get("per", "engagement")),
                drivers=tuple(row.get("drivers", ())),
            )
            for row in data["hours"]
        ),
        days={Phase(name): _triangle(days) for name, days in data["days"].items()},
        factors={Level(name): Decimal(factor) for name, factor in data["levels"].items()},
        product_cap=Decimal(data["limits"]["product_cap"]),
        per_further_language=Decimal(data["limits"]["per_further_language"]),
        language_cap=Decimal(data["limits"]["language_cap"]),
        source=data["source"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortLine:
    """A line for this client: `hours` after the drivers, per occurrence; `likely` explains the middle value."""

    key: str
    phase: Phase
    role: str
    work: str
    per: Per
    hours: Triangle
    likely: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class LabellingPlan:
    """What labelling takes. Hours are triangles over the minutes an example needs; `days` is people at capacity."""

    annotator_hours: Triangle
    annotator_hours_likely: Figure
    lead_hours: Figure
    days: Triangle


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortPlan:
    """All work of an engagement, with working days by phase and the client's answer time after each gate."""

    lines: tuple[EffortLine, ...]
    labelling: LabellingPlan | None
    days: Mapping[Phase, Triangle]
    review_days: Triangle
    integrations: int
    factors: tuple[Figure, ...]

    def of(self, phase: Phase, per: Iterable[Per] = tuple(Per)) -> list[EffortLine]:
        wanted = set(per)
        return [line for line in self.lines if line.phase is phase and line.per in wanted]


def plan_effort(brief: Brief, model: EffortModel) -> EffortPlan:
    """The usual engagement, moved by the brief's drivers."""
    factors = _driver_factors(brief, model)
    lines = tuple(
        _line(row, f"effort.{row.phase}.{number}", factors, model) for number, row in enumerate(model.lines, start=1)
    )
    labelling = plan_labelling(brief)
    review = brief.commercial.review_days
    slowness = float(factors["client_response_time"].require())
    return EffortPlan(
        lines=lines,
        labelling=labelling,
        days={phase: _days(phase, lines, labelling, model) for phase in DELIVERY},
        review_days=Triangle(low=float(review.low), likely=float(review.likely), high=float(review.high)).scaled(
            slowness
        ),
        integrations=brief.drivers.integrations,
        factors=tuple(factors.values()),
    )


def plan_labelling(brief: Brief) -> LabellingPlan | None:
    """Hours and days of labelling (cost reference, section 6.3); None where nothing is to be labelled.

    annotator hours = n (1 + reject) minutes / 60 (1 + overlap (raters - 1)) + pilot; the lead writes the guideline
    and adjudicates what disagrees. capacity = annotators x 6 productive hours a day.
    """
    labelling = brief.data.labelling
    if labelling is None:
        return None
    n = stated(brief, "data.labelling.examples", "examples")
    minutes = stated(brief, "data.labelling.minutes_per_example.likely", "minutes")
    reject = stated(brief, "data.labelling.reject_percent", "%")
    overlap = stated(brief, "data.labelling.overlap_percent", "%")
    raters = stated(brief, "data.labelling.raters", "people")
    pilot = assumed("labelling.pilot", _PILOT_EXAMPLES, "examples", source="cost reference, section 6.3")
    judgements = n * (1 + reject / 100) * (1 + overlap / 100 * (raters - 1)) + pilot
    hours = (judgements * minutes / 60).named("labelling.annotator_hours", "h", "Annotator hours")
    disagree = stated(brief, "data.labelling.disagree_percent", "%")
    adjudication = stated(brief, "data.labelling.adjudication_minutes", "minutes")
    guideline = stated(brief, "data.labelling.guideline_hours", "h")
    adjudicated = n * disagree / 100 * adjudication / 60
    lead = (adjudicated + guideline).named("labelling.lead_hours", "h", "Guideline and adjudication")
    assert judgements.value is not None, "a labelling section states all its numbers"
    per_minute = float(judgements.value / 60)
    spread = labelling.minutes_per_example
    annotator_hours = Triangle(low=float(spread.low), likely=float(spread.likely), high=float(spread.high)).scaled(
        per_minute
    )
    return LabellingPlan(
        annotator_hours=annotator_hours,
        annotator_hours_likely=hours,
        lead_hours=lead,
        days=annotator_hours.scaled(1 / (labelling.annotators * _PRODUCTIVE_HOURS)),
    )


def _driver_factors(brief: Brief, model: EffortModel) -> dict[str, Figure]:
    factors = {
        name: assumed(
            f"driver.{name}",
            model.factors[getattr(brief.drivers, name)],
            "x",
            source=f"{model.source}; the brief says {getattr(brief.drivers, name)}",
        )
        for name in _DRIVER_FIELDS
    }
    languages = given("brief.task.languages", len(brief.task.languages), "languages", source="brief: task.languages")
    step = assumed("driver.per_further_language", model.per_further_language, "x", source=model.source)
    factors["languages"] = least(1 + (languages - 1) * step, model.language_cap).named("driver.languages", "x")
    return factors


def _line(row: WorkLine, key: str, factors: Mapping[str, Figure], model: EffortModel) -> EffortLine:
    base = assumed(f"{key}.base", row.range.likely, "h", source=model.source, label=row.work)
    factor = least(product(factors[driver] for driver in row.drivers), model.product_cap)
    assert factor.value is not None, "every driver has a factor"
    likely = (base * factor).named(
        f"{key}.hours",
        "h",
        row.work,
        note=f"usual range {row.range.low:g}-{row.range.high:g} h per {row.per}",
    )
    return EffortLine(
        key=key,
        phase=row.phase,
        role=row.role,
        work=row.work,
        per=row.per,
        hours=row.range.scaled(float(factor.value)),
        likely=likely,
    )


def _days(phase: Phase, lines: Iterable[EffortLine], labelling: LabellingPlan | None, model: EffortModel) -> Triangle:
    """Days grow with the square root of the work, for more hands help; labelling has its own pace."""
    own = [line for line in lines if line.phase is phase and line.per is Per.ENGAGEMENT]
    usual = sum(row.range.likely for row in model.lines if row.phase is phase and row.per is Per.ENGAGEMENT)
    moved = sum(line.hours.likely for line in own)
    days = model.days[phase].scaled((moved / usual) ** 0.5)
    if phase is not Phase.DATA_PREPARATION or labelling is None:
        return days
    paced = labelling.days
    return Triangle(
        low=max(days.low, paced.low + _AROUND_LABELLING_DAYS),
        likely=max(days.likely, paced.likely + _AROUND_LABELLING_DAYS),
        high=max(days.high, paced.high + _AROUND_LABELLING_DAYS),
    )


def _triangle(values: list[float]) -> Triangle:
    low, likely, high = values
    return Triangle(low=float(low), likely=float(likely), high=float(high))
