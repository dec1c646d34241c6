"""Is everything there that fine-tuning needs?"""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator import Brief
from estimator.brief import TaskKind
from estimator.fit import VOLUME, ReadinessCheck, check_readiness

BriefOf = Callable[..., Brief]
REVIEW = {"examples": 2_000, "minutes_per_example": 2}


def checked(brief: Brief, name: str) -> ReadinessCheck:
    return next(check for check in check_readiness(brief) if check.name == name)


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("classification", 100, 500),
        ("extraction", 100, 500),
        ("style", 500, 2_000),
        ("domain", 1_000, 5_000),
        ("reasoning", 5_000, 20_000),
    ],
)
def test_the_volume_a_kind_of_task_needs(brief_of: BriefOf, kind: str, low: int, high: int) -> None:
    assert (VOLUME[TaskKind(kind)].low, VOLUME[TaskKind(kind)].high) == (low, high)
    enough = checked(brief_of({"task.kind": kind, "data.examples": low}), "volume")
    short = checked(brief_of({"task.kind": kind, "data.examples": low - 1}), "volume")
    assert (enough.ready, enough.remedy) == (True, "none needed")
    assert (short.ready, short.remedy) == (False, "label 1 more")


def test_examples_to_be_written_count(brief_of: BriefOf) -> None:
    planned = {"data.examples": 300, "data.labelling": {**REVIEW, "new": 200}}
    assert checked(brief_of(planned), "volume").ready is True


@pytest.mark.parametrize(
    ("quality", "ready"), [(None, None), ("raw", False), ("cleaned", False), ("reviewed", True), ("gold", True)]
)
def test_quality_is_ready_once_examples_were_reviewed(
    brief_of: BriefOf, quality: str | None, ready: bool | None
) -> None:
    assert checked(brief_of({"data.quality": quality}), "quality").ready is ready


def test_a_full_review_makes_up_for_raw_examples_and_half_a_one_does_not(brief_of: BriefOf) -> None:
    whole = checked(brief_of({"data.quality": "raw", "data.labelling": REVIEW}), "quality")
    assert (whole.ready, whole.finding) == (True, "the examples are raw, a full review is planned")
    written = {"data.quality": "raw", "data.labelling": {**REVIEW, "new": 100}}
    assert checked(brief_of(written), "quality").ready is False
    partly = {"data.quality": "gold", "data.labelling": {**REVIEW, "examples": 5}}
    assert checked(brief_of(partly), "quality").finding == "the examples are gold"


@pytest.mark.parametrize(("clear", "ready"), [(True, True), (False, False), (None, None)])
def test_what_nobody_said_about_rights_is_unknown(brief_of: BriefOf, clear: bool | None, ready: bool | None) -> None:
    assert checked(brief_of({"data.licence_clear": clear}), "rights").ready is ready


def test_a_baseline_counts_when_it_was_measured(brief_of: BriefOf) -> None:
    measured = {"task.baseline_percent": 70, "task.baseline_source": "measured"}
    assert checked(brief_of(measured), "baseline").ready is True
    guessed = checked(brief_of({**measured, "task.baseline_source": "estimated"}), "baseline")
    assert (guessed.ready, guessed.remedy) == (False, "phase 2 measures it")
    assert checked(brief_of(), "baseline").finding == "no baseline is known"
    counted = checked(brief_of({**measured, "task.baseline_items": 180}), "baseline")
    assert counted.finding == "the baseline of 70 % is measured on 180 items (95 % interval 62.9-76.2 %)"


def test_five_points_over_eighty_percent_need_470_test_items(brief_of: BriefOf) -> None:
    step = {"task.baseline_percent": 80, "task.target_percent": 85}
    short = checked(brief_of({**step, "data.examples": 4_690}), "test set")
    assert (short.ready, short.remedy) == (False, "hold out 470 items")
    assert (
        "a test split of 469 items shows a rise of 5.0 points or more; a rise from 80 % to 85 % needs 470 items"
        in short.finding
    )
    assert checked(brief_of({**step, "data.examples": 4_700}), "test set").ready is True


def test_what_a_test_set_must_show_is_unknown_without_a_baseline_below_the_target(brief_of: BriefOf) -> None:
    assert checked(brief_of(), "test set").ready is None
    assert checked(brief_of({"task.baseline_percent": 90}), "test set").ready is None


@given(baseline=st.decimals(0, 100, places=6), target=st.decimals(0, 100, places=6), examples=st.integers(0, 10**6))
def test_readiness_answers_every_brief(brief_of: BriefOf, baseline: object, target: object, examples: int) -> None:
    brief = brief_of()
    task = brief.task.model_copy(update={"baseline_percent": baseline, "target_percent": target})
    data = brief.data.model_copy(update={"examples": examples})
    checks = check_readiness(brief.model_copy(update={"task": task, "data": data}))
    assert [check.name for check in checks] == ["volume", "quality", "rights", "baseline", "owner", "test set"]
    assert all(check.finding and check.remedy for check in checks)
