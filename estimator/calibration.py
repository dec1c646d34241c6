"""How finished engagements compare with what was predicted of them, and what that says about the next estimate.

Ratios are actual over predicted P50, so 1 is a prediction that was right; their geometric mean has a 95 % interval by
Student's t of the logarithms. Coverage counts how often the actual lay within what it should have, with Wilson's
interval. Too few engagements say nothing, and nothing is suggested by them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import fmean, stdev
from typing import Final

from estimator.brief import Drivers, Level
from estimator.budget import LEVELS, Spread
from estimator.effort import EffortModel
from estimator.evidence import Interval, wilson_interval
from estimator.phases import Phase

ENOUGH: Final = 5
"""Engagements below which nothing is suggested, nor any interval given."""
_AS_PREDICTED: Final = 5
"""How many engagements that went exactly as predicted a suggestion is averaged with, so that few move it little."""
_T_975: Final = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Student's t, 97.5 %, for 1 to 30 degrees of freedom (any table of it)."""
_OUTER: Final = (0.10, 0.90)
_LATE: Final = 0.80


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A quantity as it was predicted, and as it came."""

    predicted: Spread
    actual: float

    @property
    def is_comparable(self) -> bool:
        """Nothing spent where something was predicted says that nobody recorded it, not that it was free."""
        return self.actual > 0 and self.predicted.quantile(0.5) > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """One engagement that has ended. Hours and cost (one currency each) by phase; what is unknown is left out.

    `counts`: training runs, tokens and the like. `drivers`: the levels its brief named.
    """

    name: str
    hours: Mapping[Phase, Outcome]
    cost: Mapping[Phase, Outcome]
    total_cost: Outcome | None
    counts: Mapping[str, Outcome]
    drivers: Mapping[str, Level]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Geometric mean of actual over predicted, with its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def is_off(self) -> bool:
        """Whether 1 lies outside the interval."""
        return not self.low <= 1 <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many of `n` lay where a share `nominal` should; `interval` is Wilson's, None for none."""

    nominal: float
    hits: int
    n: int
    interval: Interval | None

    @property
    def is_off(self) -> bool:
        return self.interval is not None and not self.interval.low <= self.nominal <= self.interval.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One engagement in a chart: P50, P10 and P90 as predicted, and what came."""

    name: str
    predicted: float
    low: float
    high: float
    actual: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One quantity over all engagements. `ratio` None below `ENOUGH`; `suggested`: a multiplier, None for none.

    `crps`: continuous ranked probability score over the P50, 0 for perfect; twice the mean pinball loss over the
    levels of a spread (Gneiting and Raftery, 2007). `why`: what the suggestion rests on, or what is missing.
    """

    key: str
    label: str
    n: int
    ratio: Ratio | None
    within: Coverage
    below_p80: Coverage
    crps: float | None
    suggested: float | None
    why: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverAdvice:
    """What the hours of engagements at one level of a driver say about its factor. `suggested` None: unknown."""

    driver: str
    level: Level
    n: int
    others: int
    factor: float
    suggested: float | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """`needed`: engagements still missing until anything is suggested; 0 where there are enough."""

    engagements: int
    needed: int
    measures: tuple[Measure, ...]
    drivers: tuple[DriverAdvice, ...]


def calibrate(finished: Sequence[Finished], model: EffortModel | None = None) -> Calibration:
    """By phase, in total and by driver. Engagements of other currencies compare as well: only ratios are taken."""
    return Calibration(
        engagements=len(finished),
        needed=max(0, ENOUGH - len(finished)),
        measures=tuple(_measures(finished)),
        drivers=tuple(_drivers(finished, model or EffortModel.default())),
    )


def _measures(finished: Sequence[Finished]) -> Iterator[Measure]:
    for phase in Phase:
        yield _measure(f"{phase}.hours", f"{phase.label}, hours", [(e.name, e.hours.get(phase)) for e in finished])
    for phase in Phase:
        yield _measure(f"{phase}.cost", f"{phase.label}, cost", [(e.name, e.cost.get(phase)) for e in finished])
    yield _measure("total.cost", "Whole engagement, cost", [(each.name, each.total_cost) for each in finished])
    for name in dict.fromkeys(name for each in finished for name in each.counts):
        label = name.replace("_", " ").capitalize()
        yield _measure(name, label, [(each.name, each.counts.get(name)) for each in finished])


def _measure(key: str, label: str, named: Sequence[tuple[str, Outcome | None]]) -> Measure:
    known = [(name, outcome) for name, outcome in named if outcome is not None and outcome.is_comparable]
    outcomes = [outcome for _, outcome in known]
    ratio = ratio_of([_off_by(outcome) for outcome in outcomes])
    suggested = shrunk(ratio.mean, len(outcomes)) if ratio is not None and ratio.is_off else None
    return Measure(
        key=key,
        label=label,
        n=len(outcomes),
        ratio=ratio,
        within=_coverage(outcomes, 0.80, _is_between),
        below_p80=_coverage(outcomes, _LATE, lambda each: each.actual <= each.predicted.quantile(_LATE)),
        crps=fmean(_crps(outcome) for outcome in outcomes) if outcomes else None,
        suggested=suggested,
        why=_why(len(outcomes), ratio),
        points=tuple(_point(name, outcome) for name, outcome in known),
    )


def ratio_of(ratios: Sequence[float]) -> Ratio | None:
    """None for fewer than `ENOUGH`."""
    if len(ratios) < ENOUGH:
        return None
    logs = [log(ratio) for ratio in ratios]
    middle, reach = fmean(logs), _t(len(logs) - 1) * stdev(logs) / sqrt(len(logs))
    return Ratio(mean=exp(middle), low=exp(middle - reach), high=exp(middle + reach))


def shrunk(ratio: float, n: int) -> float:
    """A ratio of `n` engagements drawn towards 1, on the logarithm: n / (n + 5) of it is believed."""
    return exp(log(ratio) * n / (n + _AS_PREDICTED))


def _drivers(finished: Sequence[Finished], model: EffortModel) -> Iterator[DriverAdvice]:
    for driver in (name for name in Drivers.model_fields if name != "integrations"):
        phases = {line.phase for line in model.lines if driver in line.drivers}
        ratios = {each.name: ratio for each in finished if (ratio := _hours_ratio(each, phases)) is not None}
        for level in Level:
            own = [ratios[each.name] for each in finished if each.name in ratios and each.drivers.get(driver) is level]
            if own:
                rest = [ratios[e.name] for e in finished if e.name in ratios and e.drivers.get(driver) is not level]
                yield _advice(driver, level, own, rest, float(model.factors[level]))


def _advice(driver: str, level: Level, own: Sequence[float], rest: Sequence[float], factor: float) -> DriverAdvice:
    """Against the engagements at other levels, so that what is off everywhere is not laid to this driver."""
    suggested, why = None, f"{len(own)} at this level and {len(rest)} at others; {ENOUGH} of each are needed"
    if min(len(own), len(rest)) >= ENOUGH:
        logs, others = ([log(ratio) for ratio in side] for side in (own, rest))
        apart = fmean(logs) - fmean(others)
        # Welch's standard error; its degrees of freedom are at least those of the smaller side.
        error = sqrt(stdev(logs) ** 2 / len(logs) + stdev(others) ** 2 / len(others))
        reach = _t(min(len(own), len(rest)) - 1) * error
        if abs(apart) > reach:
            suggested = round(factor * shrunk(exp(apart), len(own)), 2)
            why = f"their hours came {exp(apart):.2f} times as high as predicted, against the others"
        else:
            why = "their hours are off no further than the others'"
    return DriverAdvice(
        driver=driver, level=level, n=len(own), others=len(rest), factor=factor, suggested=suggested, why=why
    )


def _hours_ratio(each: Finished, phases: set[Phase]) -> float | None:
    """Hours of the phases in which a driver acts, actual over predicted; None where none was recorded."""
    known = [outcome for phase, outcome in each.hours.items() if phase in phases and outcome.is_comparable]
    predicted = sum(outcome.predicted.quantile(0.5) for outcome in known)
    return sum(outcome.actual for outcome in known) / predicted if predicted else None


def _off_by(outcome: Outcome) -> float:
    return outcome.actual / outcome.predicted.quantile(0.5)


def _is_between(outcome: Outcome) -> bool:
    low, high = (outcome.predicted.quantile(level) for level in _OUTER)
    return low <= outcome.actual <= high


def _coverage(outcomes: Sequence[Outcome], nominal: float, is_hit: Callable[[Outcome], bool]) -> Coverage:
    hits, n = sum(map(is_hit, outcomes)), len(outcomes)
    interval = wilson_interval(hits / n, n) if n else None
    return Coverage(nominal=nominal, hits=hits, n=n, interval=interval)


def _crps(outcome: Outcome) -> float:
    losses = []
    for level, quantile in zip(LEVELS, outcome.predicted.quantiles, strict=True):
        off = outcome.actual - quantile
        losses.append(level * off if off >= 0 else (level - 1) * off)
    return 2 * fmean(losses) / outcome.predicted.quantile(0.5)


def _point(name: str, outcome: Outcome) -> Point:
    p50, low, high = (outcome.predicted.quantile(level) for level in (0.5, *_OUTER))
    return Point(name=name, predicted=p50, low=low, high=high, actual=outcome.actual)


def _why(n: int, ratio: Ratio | None) -> str:
    if ratio is None:
        return f"{n} of {ENOUGH} engagements that it takes"
    if not ratio.is_off:
        return f"as predicted: 1 lies within {ratio.low:.2f} to {ratio.high:.2f}"
    return f"{n} engagements came {ratio.mean:.2f} times as high; {n} in {n + _AS_PREDICTED} of that is believed"


def _t(freedom: int) -> float:
    """Beyond the table by its first-order expansion, 1.96 + 2.37 / freedom, right to 0.001."""
    return _T_975[freedom - 1] if freedom <= len(_T_975) else 1.96 + 2.37 / freedom
