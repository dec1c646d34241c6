"""Is everything there that fine-tuning needs: examples, their quality and rights, a baseline, an owner, a test set?"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from estimator.brief import Brief, Data, TaskKind
from estimator.evidence import detectable_gain, items_needed, wilson_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeGuidance:
    """Examples a kind of task usually needs (seed, phase 1)."""

    kind: TaskKind
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessCheck:
    """One thing that has to be there. `ready` None means that nobody has said."""

    name: str
    ready: bool | None
    finding: str
    remedy: str


VOLUME: Final = {
    TaskKind.CLASSIFICATION: VolumeGuidance(kind=TaskKind.CLASSIFICATION, low=100, high=500),
    TaskKind.EXTRACTION: VolumeGuidance(kind=TaskKind.EXTRACTION, low=100, high=500),
    TaskKind.STYLE: VolumeGuidance(kind=TaskKind.STYLE, low=500, high=2_000),
    TaskKind.DOMAIN: VolumeGuidance(kind=TaskKind.DOMAIN, low=1_000, high=5_000),
    TaskKind.REASONING: VolumeGuidance(kind=TaskKind.REASONING, low=5_000, high=20_000),
}


def check_readiness(brief: Brief) -> tuple[ReadinessCheck, ...]:
    """Examples, their quality and rights, a baseline, an owner, and a test set that can show the promise."""
    return tuple(check(brief) for check in _READINESS)


def _examples_to_come(data: Data) -> int:
    return data.examples + (data.labelling.new if data.labelling else 0)


def _volume(brief: Brief) -> ReadinessCheck:
    guidance, examples = VOLUME[brief.task.kind], _examples_to_come(brief.data)
    span = f"{guidance.low:,}-{guidance.high:,} examples are usual for {guidance.kind}"
    return ReadinessCheck(
        name="volume",
        ready=examples >= guidance.low,
        finding=f"{examples:,} examples at hand or planned; {span}",
        remedy=f"label {guidance.low - examples:,} more" if examples < guidance.low else "none needed",
    )


def _quality(brief: Brief) -> ReadinessCheck:
    quality, labelling = brief.data.quality, brief.data.labelling
    reviewed = quality in {"reviewed", "gold"}
    planned = labelling is not None and labelling.examples - labelling.new >= brief.data.examples
    ready = reviewed or planned
    return ReadinessCheck(
        name="quality",
        ready=None if quality is None and not ready else ready,
        finding=f"the examples are {quality or 'of unknown quality'}"
        + (", a full review is planned" if planned else ""),
        remedy="none needed" if ready else "plan a review of every example",
    )


def _rights(brief: Brief) -> ReadinessCheck:
    clear = brief.data.licence_clear
    said = {True: "the right to train on the data is settled", False: "the right to train on the data is open"}
    return ReadinessCheck(
        name="rights",
        ready=clear,
        finding="whether the data may be trained on is unknown" if clear is None else said[clear],
        remedy="none needed" if clear else "settle licence and consent before phase 1 ends",
    )


def _baseline(brief: Brief) -> ReadinessCheck:
    task = brief.task
    if task.baseline_percent is None:
        finding = "no baseline is known"
    else:
        finding = f"the baseline of {task.baseline_percent} % is {task.baseline_source or 'of unknown origin'}"
        finding += _certainty(task.baseline_percent, task.baseline_items)
    measured = task.baseline_percent is not None and task.baseline_source == "measured"
    return ReadinessCheck(
        name="baseline", ready=measured, finding=finding, remedy="none needed" if measured else "phase 2 measures it"
    )


def _certainty(percent: Decimal, items: int | None) -> str:
    if items is None:
        return ""
    between = wilson_interval(float(percent) / 100, items)
    return f" on {items:,} items (95 % interval {100 * between.low:.1f}-{100 * between.high:.1f} %)"


def _owner(brief: Brief) -> ReadinessCheck:
    owner = brief.data.owner
    return ReadinessCheck(
        name="owner",
        ready=owner is not None,
        finding=f"{owner} owns the data" if owner else "nobody at the client is named as owner of the data",
        remedy="none needed" if owner else "have the client name one",
    )


def _test_set(brief: Brief) -> ReadinessCheck:
    """Can the planned test split show the step from baseline to target?"""
    task = brief.task
    items = int(_examples_to_come(brief.data) * brief.data.test_percent / 100)
    if task.baseline_percent is None or task.baseline_percent >= task.target_percent:
        finding = f"{items:,} test items; what they must show is unknown without a baseline below the target"
        return ReadinessCheck(name="test set", ready=None, finding=finding, remedy="measure the baseline first")
    baseline, target = float(task.baseline_percent) / 100, float(task.target_percent) / 100
    needed = items_needed(baseline, target)
    shown = detectable_gain(baseline, items) if items else None
    rise = f"{task.baseline_percent} % to {task.target_percent} %"
    gain = f"shows a rise of {100 * shown:.1f} points or more" if shown else "shows no rise at all"
    return ReadinessCheck(
        name="test set",
        ready=items >= needed,
        finding=f"a test split of {items:,} items {gain}; a rise from {rise} needs {needed:,} items",
        remedy="none needed" if items >= needed else f"hold out {needed:,} items",
    )


_READINESS: Final[tuple[Callable[[Brief], ReadinessCheck], ...]] = (
    _volume,
    _quality,
    _rights,
    _baseline,
    _owner,
    _test_set,
)
