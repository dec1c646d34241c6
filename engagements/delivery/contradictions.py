"""Evidence that contradicts itself: everything wrong in one pass. Pure; the shape was checked before."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from math import isclose
from typing import Final, assert_never

from engagements.delivery.evidence import (
    Check,
    Comparison,
    Curves,
    DatasetVersion,
    Deployment,
    DriftCheck,
    EvaluationRun,
    Evidence,
    Method,
    MetricResult,
    SplitName,
    TrainingRun,
)
from engagements.evals.intervals import mcnemar_p, wilson
from estimator.errors import Problem

CLOCKS_APART_MAX: Final = timedelta(minutes=5)
"""How far ahead of ours the clock of a measuring machine may be."""
_ROUNDING: Final = 6e-4
"""Values and intervals come with three decimals at least."""


def contradictions(content: Evidence, *, measured_at: datetime, now: datetime) -> Sequence[Problem]:
    """Places are those of `EvidenceIn`."""
    return [*_future("measured_at", measured_at, now), *_inside(content, now)]


def _inside(content: Evidence, now: datetime) -> Iterator[Problem]:
    match content:
        case DatasetVersion():
            yield from _dataset(content, now)
        case EvaluationRun():
            yield from _evaluation(content, now)
        case Comparison():
            yield from _comparison(content)
        case TrainingRun():
            yield from _training(content)
        case Deployment():
            yield from _deployment(content, now)
        case DriftCheck():
            yield from _drift(content, now)
        case _:
            assert_never(content)


def _problem(code: str, where: str, message: str, remedy: str) -> Problem:
    return Problem(code=f"evidence.{code}", where=where, message=message, remedy=remedy)


def _future(where: str, moment: datetime | None, now: datetime) -> Iterator[Problem]:
    if moment is not None and moment > now + CLOCKS_APART_MAX:
        yield _problem("in_future", where, f"{moment.isoformat()} is still to come", "send the time of the measurement")


def _check(name: str, check: Check | None, now: datetime) -> Iterator[Problem]:
    if check is not None and check.on > (now + timedelta(days=1)).date():
        where = f"content.{name}.on"
        yield _problem("in_future", where, f"{check.on.isoformat()} is still to come", "send the day of the check")


def _dataset(data: DatasetVersion, now: datetime) -> Iterator[Problem]:
    seen: dict[str, SplitName] = {}
    names: set[SplitName] = set()
    for place, split in enumerate(data.splits):
        where = f"content.splits.{place}"
        if split.name in names:
            yield _problem("split_twice", f"{where}.name", f"{split.name} stands twice", "send each split once")
        elif split.sha256 in seen:
            message = f"{split.name} has the digest of {seen[split.sha256]}: they are the same examples"
            yield _problem("splits_overlap", f"{where}.sha256", message, "split the data anew, or send its own digest")
        names.add(split.name)
        seen.setdefault(split.sha256, split.name)
    yield from _future("content.sealed_at", data.sealed_at, now)
    if data.sealed_at is not None and data.split(SplitName.TEST) is None:
        yield _problem("nothing_sealed", "content.sealed_at", "there is no test split to seal", "send the test split")
    test = data.split(SplitName.TEST)
    if data.leakage and test:
        found = max(data.leakage.exact, data.leakage.normalised, data.leakage.near)
        if found > test.examples:
            message = f"{found} of {test.examples} test examples leak"
            yield _problem("more_than_all", "content.leakage", message, "count test examples, each once")
    yield from _check("licence", data.licence, now)
    yield from _check("personal_data", data.personal_data, now)


def _evaluation(run: EvaluationRun, now: datetime) -> Iterator[Problem]:
    metrics: set[str] = set()
    for place, result in enumerate(run.results):
        where = f"content.results.{place}"
        if result.metric.casefold() in metrics:
            yield _problem("metric_twice", f"{where}.metric", f"{result.metric} stands twice", "send each metric once")
        metrics.add(result.metric.casefold())
        if result.items > run.items:
            message = f"{result.items} items of a set of {run.items}"
            yield _problem("more_than_all", f"{where}.items", message, "send the items that were scored")
        yield from _result(where, result)
    for place, failure in enumerate(run.failures or ()):
        if failure.items > run.items:
            message = f"{failure.items} items of a set of {run.items}"
            yield _problem("more_than_all", f"content.failures.{place}.items", message, "count items of the set")
    yield from _check("client_review", run.client_review, now)


def _result(where: str, result: MetricResult) -> Iterator[Problem]:
    yield from _interval(where, result.low, result.value, result.high)
    if result.hits is None:
        if result.method is Method.WILSON:
            message = "a Wilson interval is of so many hits among the items"
            yield _problem("hits_missing", f"{where}.hits", message, "send hits, or name the method that was used")
        return
    if result.hits > result.items:
        message = f"{result.hits} hits among {result.items} items"
        yield _problem("more_than_all", f"{where}.hits", message, "hits are at most the items")
        return
    rate = result.hits / result.items
    if not isclose(result.value, rate, abs_tol=_ROUNDING):
        message = f"{result.hits} of {result.items} is {rate:.4f}, not {result.value:.4f}"
        yield _problem("value_differs", f"{where}.value", message, "send the share as a number from 0 to 1")
    between = wilson(result.hits, result.items)
    apart = max(abs(between.low - result.low), abs(between.high - result.high))
    if result.method is Method.WILSON and apart > _ROUNDING:
        message = f"the Wilson interval of {result.hits} of {result.items} is {between.low:.4f} to {between.high:.4f}"
        remedy = "send that one, or name the method that was used"
        yield _problem("interval_differs", f"{where}.low", message, remedy)


def _interval(where: str, low: float, value: float, high: float) -> Iterator[Problem]:
    if not low - _ROUNDING <= value <= high + _ROUNDING:
        message = f"{value:g} is not within {low:g} to {high:g}"
        yield _problem("outside_interval", f"{where}.low", message, "send the interval of this very value")


def _comparison(found: Comparison) -> Iterator[Problem]:
    yield from _interval("content", found.low, found.difference, found.high)
    if (found.only_candidate is None) != (found.only_baseline is None):
        message = "one count of discordant items says nothing without the other"
        yield _problem("half_a_pair", "content.only_candidate", message, "send both, or neither")
    if found.only_candidate is None or found.only_baseline is None:
        return
    won, lost = found.only_candidate, found.only_baseline
    if won + lost > found.items:
        message = f"{won} and {lost} discordant items among {found.items}"
        yield _problem("more_than_all", "content.only_candidate", message, "count each item once")
        return
    difference = (won - lost) / found.items
    if not isclose(found.difference, difference, abs_tol=_ROUNDING):
        message = f"{won} won and {lost} lost of {found.items} is {difference:+.4f}, not {found.difference:+.4f}"
        yield _problem("value_differs", "content.difference", message, "send won less lost, as a share of the items")
    p = mcnemar_p(won, lost)
    if not isclose(found.p, p, abs_tol=_ROUNDING):
        message = f"the exact p of {won} against {lost} is {p:.4f}, not {found.p:.4f}"
        yield _problem("p_differs", "content.p", message, "send the two-sided exact p of McNemar's test")


def _training(run: TrainingRun) -> Iterator[Problem]:
    curves, chosen = run.curves, run.checkpoint
    if curves and chosen and chosen.step > curves.steps:
        message = f"step {chosen.step} of a run of {curves.steps}"
        yield _problem("more_than_all", "content.checkpoint.step", message, "send the step it was taken at")
    if curves:
        yield from _curves(curves)


def _curves(curves: Curves) -> Iterator[Problem]:
    if curves.best_step > curves.steps:
        message = f"step {curves.best_step} of a run of {curves.steps}"
        yield _problem("more_than_all", "content.curves.best_step", message, "send a step of this run")
    if curves.validation_best > curves.validation_last:
        message = f"the best validation loss, {curves.validation_best:g}, is above the last, {curves.validation_last:g}"
        yield _problem("value_differs", "content.curves.validation_best", message, "send the lowest loss of the run")


def _deployment(made: Deployment, now: datetime) -> Iterator[Problem]:
    yield from _future("content.rollback.at", made.rollback.at if made.rollback else None, now)
    yield from _future("content.monitoring_since", made.monitoring_since, now)
    yield from _check("access", made.access, now)


def _drift(found: DriftCheck, now: datetime) -> Iterator[Problem]:
    if found.window_begin > found.window_end:
        message = f"{found.window_begin.isoformat()} is after {found.window_end.isoformat()}"
        yield _problem("window_turned", "content.window_begin", message, "send the first day before the last")
    if found.window_end > (now + timedelta(days=1)).date():
        message = f"{found.window_end.isoformat()} is still to come"
        yield _problem("in_future", "content.window_end", message, "send the window that was measured")
