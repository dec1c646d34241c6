"""Drivers move hours and days; labelling by the formula of the cost reference, section 6.3."""

from collections.abc import Callable
from decimal import Decimal
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator import Brief
from estimator.brief import Drivers, Labelling, Level, ThreePoint
from estimator.effort import EffortModel, EffortPlan, Per, plan_effort, plan_labelling
from estimator.phases import DELIVERY, Phase

BriefOf = Callable[..., Brief]
MODEL = EffortModel.default()
DRIVERS = [name for name in Drivers.model_fields if name != "integrations"]
LABELLING = {
    "examples": 1_000,
    "minutes_per_example": {"low": 1, "likely": 3, "high": 6},
    "annotators": 2,
    "overlap_percent": 20,
    "raters": 3,
    "reject_percent": 10,
    "disagree_percent": 5,
    "adjudication_minutes": 12,
    "guideline_hours": 10,
}


def planned(brief: Brief) -> EffortPlan:
    return plan_effort(brief, MODEL)


def likely(plan: EffortPlan, work: str) -> Decimal:
    return next(line.likely.require() for line in plan.lines if line.work.startswith(work))


def test_the_usual_engagement_takes_the_hours_and_days_of_the_model(brief_of: BriefOf) -> None:
    plan = planned(brief_of())
    assert [line.hours for line in plan.lines] == [row.range for row in MODEL.lines]
    assert dict(plan.days) == dict(MODEL.days)
    assert (plan.review_days.low, plan.review_days.likely, plan.review_days.high) == (1, 3, 7)


def test_the_phases_last_as_long_as_the_method_says() -> None:
    """2-4 weeks, 1, 1-2, 1-2 and 1-2 weeks, in working days; a phase of one week may slip by two days."""
    weeks = {phase: (days.low / 5, days.high / 5) for phase, days in MODEL.days.items()}
    assert weeks[Phase.DATA_PREPARATION] == (2, 4)
    assert weeks[Phase.BASELINE_EVALUATION] == (0.8, 1.4)
    assert {weeks[phase] for phase in (Phase.TRAINING, Phase.EVALUATION, Phase.DEPLOYMENT)} == {(1, 2)}


def test_a_driver_multiplies_only_the_work_it_touches(brief_of: BriefOf) -> None:
    """52 hours of cleaning at 1.2 are 62.4; labelling is none of its business."""
    plan = planned(brief_of({"drivers.data_cleanup": "high"}))
    assert likely(plan, "Import, mapping") == Decimal("62.4")
    assert likely(plan, "Supervision of labelling") == 16


def test_drivers_that_meet_multiply_up_to_the_cap(brief_of: BriefOf) -> None:
    """Security and regulation very high: 1.5 x 1.5 is more than the cap of 2, and 28 hours become 56."""
    levels = {"drivers.security": "very_high", "drivers.regulation": "very_high"}
    assert likely(planned(brief_of(levels)), "Serving, monitoring") == 56
    assert likely(planned(brief_of({"drivers.security": "very_high"})), "Serving, monitoring") == 42


def test_every_further_language_adds_twelve_percent_up_to_half(brief_of: BriefOf) -> None:
    def cleaning(count: int) -> Decimal:
        languages = ["en", "de", "fr", "it", "es", "pt"][:count]
        return likely(planned(brief_of({"task.languages": languages})), "Import, mapping")

    assert [cleaning(count) for count in (1, 2, 3, 6)] == [52, Decimal("58.24"), Decimal("64.48"), 78]


def test_factors_stay_within_what_the_reference_allows() -> None:
    assert all(Decimal("0.8") <= factor <= Decimal("1.5") for factor in MODEL.factors.values())
    assert MODEL.factors[Level.NORMAL] == 1


@given(st.fixed_dictionaries({name: st.sampled_from(list(Level)) for name in DRIVERS}), st.integers(1, 8))
def test_no_line_ever_grows_beyond_the_cap_and_days_grow_slower_than_hours(
    brief_of: BriefOf, levels: dict[str, Level], languages: int
) -> None:
    brief = brief_of()
    task = brief.task.model_copy(update={"languages": ("en",) * languages})
    plan = planned(brief.model_copy(update={"drivers": Drivers(**levels), "task": task}))
    for line, row in zip(plan.lines, MODEL.lines, strict=True):
        assert row.range.likely * 0.5 <= line.hours.likely <= row.range.likely * float(MODEL.product_cap)
        assert isclose(line.hours.likely, float(line.likely.require()))
    for phase in DELIVERY:
        assert plan.days[phase].likely <= MODEL.days[phase].likely * float(MODEL.product_cap) ** 0.5 + 1e-9


def test_days_grow_with_the_square_root_of_the_work(brief_of: BriefOf) -> None:
    """Deployment: 28 h at 1.5 and 7 h as before are 49 of 35 hours, so 7.5 days become 7.5 x sqrt(1.4)."""
    plan = planned(brief_of({"drivers.security": "very_high"}))
    assert isclose(plan.days[Phase.DEPLOYMENT].likely, 7.5 * 1.4**0.5)


def test_a_slow_client_answers_late(brief_of: BriefOf) -> None:
    review = planned(brief_of({"drivers.client_response_time": "very_high"})).review_days
    assert (review.low, review.likely, review.high) == (1.5, 4.5, 10.5)


def test_labelling_hours_follow_the_formula(brief_of: BriefOf) -> None:
    """1,000 x 1.1 x (1 + 0.2 x 2) + 50 pilot examples = 1,590 judgements of 3 minutes = 79.5 h.

    The lead writes the guideline in 10 h and adjudicates 1,000 x 5 % x 12 min = 10 h.
    """
    labelling = planned(brief_of({"data.labelling": LABELLING})).labelling
    assert labelling is not None
    assert labelling.annotator_hours_likely.value == Decimal("79.5")
    assert labelling.lead_hours.value == 20
    hours = labelling.annotator_hours
    assert [round(each, 9) for each in (hours.low, hours.likely, hours.high)] == [26.5, 79.5, 159.0]


def test_labelling_days_are_hours_over_six_a_day_and_person(brief_of: BriefOf) -> None:
    labelling = planned(brief_of({"data.labelling": LABELLING})).labelling
    assert labelling is not None
    assert [round(each, 9) for each in (labelling.days.low, labelling.days.likely, labelling.days.high)] == [
        round(hours / 12, 9) for hours in (26.5, 79.5, 159.0)
    ]


def test_data_preparation_waits_for_labelling(brief_of: BriefOf) -> None:
    """10,000 examples take two people 62.7 days at 3 minutes each; six more go around it."""
    days = planned(brief_of({"data.labelling": {**LABELLING, "examples": 10_000}})).days[Phase.DATA_PREPARATION]
    assert isclose(days.likely, (10_000 * 1.1 * 1.4 + 50) * 3 / 60 / 12 + 6)
    brisk = planned(brief_of({"data.labelling": {**LABELLING, "examples": 100}})).days[Phase.DATA_PREPARATION]
    assert brisk == MODEL.days[Phase.DATA_PREPARATION]


@given(
    examples=st.integers(0, 10**6), annotators=st.integers(1, 50), overlap=st.integers(0, 100),
    raters=st.integers(2, 5), reject=st.integers(0, 100),
)  # fmt: skip
def test_more_judgements_never_take_less_time(
    brief_of: BriefOf, examples: int, annotators: int, overlap: int, raters: int, reject: int
) -> None:
    plain = brief_of()

    def hours(**changed: object) -> float:
        fields = {
            "examples": examples, "annotators": annotators, "overlap_percent": Decimal(overlap), "raters": raters,
            "reject_percent": Decimal(reject), "minutes_per_example": ThreePoint.of(1, 2, 4),
        }  # fmt: skip
        data = plain.data.model_copy(update={"labelling": Labelling.model_validate({**fields, **changed})})
        plan = plan_labelling(plain.model_copy(update={"data": data}))
        assert plan is not None
        return plan.annotator_hours.likely

    assert hours(raters=raters + 1) >= hours()
    assert hours(examples=examples + 1) > hours()
    assert hours(annotators=annotators + 1) == hours()


@pytest.mark.parametrize(("per", "works"), [(Per.MONTH, 3), (Per.RETRAINING, 2), (Per.RUN, 1), (Per.INTEGRATION, 1)])
def test_what_recurs_is_told_from_what_happens_once(brief_of: BriefOf, per: Per, works: int) -> None:
    assert len([line for line in planned(brief_of()).lines if line.per is per]) == works
