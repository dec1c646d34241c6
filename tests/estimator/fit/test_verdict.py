"""Three verdicts with their reasons, what is still missing, and when to stop."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator import Brief
from estimator.brief import FitAnswers
from estimator.fit import Approach, FitReport, Verdict, assess_fit
from estimator.fit.signals import QUESTIONS, signals_of

BriefOf = Callable[..., Brief]
TUNING = {"instructions": "not_enough", "few_shot": "poor", "house_style": True, "hard_to_describe": True}
PROMPTING = {"instructions": "enough", "few_shot": "good", "house_style": False, "hard_to_describe": False}
FACTS = {"needs_facts": True, "facts_change": "daily", "needs_citations": True}
READY = {
    "task.baseline_percent": 70,
    "task.baseline_source": "measured",
    "data.quality": "reviewed",
    "data.licence_clear": True,
    "data.owner": "Ann Owner",
    "fit": {**TUNING, "prompt_optimised": True, "needs_facts": False},
}
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        name: st.sampled_from(list(field.annotation.__args__[0].__args__))
        if hasattr(field.annotation.__args__[0], "__args__")
        else st.booleans()
        for name, field in FitAnswers.model_fields.items()
    },
)


def score(report: FitReport, approach: Approach) -> int:
    return next(each.score for each in report.scores if each.approach is approach)


def test_everything_there_and_answers_for_tuning_is_a_go(brief_of: BriefOf) -> None:
    report = assess_fit(brief_of(READY))
    assert (report.verdict, report.approach) == (Verdict.FINE_TUNE, Approach.FINE_TUNE)
    assert report.ready
    assert report.headline == "Go: fine-tuning."
    assert report.reasons == ("your answers speak for fine-tuning, and everything it needs is there",)


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ({"task.baseline_source": "estimated"}, "the baseline is not measured, so the gain is a hope"),
        ({"task.baseline_percent": None}, "no baseline is known; phase 2 measures it"),
        ({"fit": TUNING}, "nobody has optimised the prompt yet, so the gain of tuning is unknown"),
        ({"data.owner": None}, "nobody at the client is named as owner of the data; have the client name one"),
        ({"data.licence_clear": False}, "the right to train on the data is open; settle licence and consent"),
        ({"data.licence_clear": None}, "whether the data may be trained on is unknown; settle licence and consent"),
        ({"data.quality": "raw"}, "the examples are raw; plan a review of every example"),
        ({"data.examples": 400}, "400 examples at hand or planned; 500-2,000 examples are usual for style"),
    ],
)
def test_a_doubt_has_the_gain_proven_first(brief_of: BriefOf, lacking: dict[str, object], said: str) -> None:
    report = assess_fit(brief_of({**READY, **lacking}))
    assert report.verdict is Verdict.PROVE_FIRST
    assert any(reason.startswith(said) for reason in report.reasons), report.reasons
    assert report.headline.startswith("Prove it first: fine-tuning fits")


@pytest.mark.parametrize("baseline", [90, 95, 100])
def test_a_prompt_measured_at_the_target_is_a_plain_no(brief_of: BriefOf, baseline: int) -> None:
    report = assess_fit(brief_of({**READY, "task.baseline_percent": baseline}))
    assert report.verdict is Verdict.DO_NOT_FINE_TUNE
    assert report.reasons == (f"the prompted baseline was measured at {baseline} % and 90 % is enough",)
    assert report.headline == "Do not fine-tune: prompt engineering is the better answer."


@pytest.mark.parametrize(
    ("items", "verdict"), [(30, Verdict.PROVE_FIRST), (300, Verdict.DO_NOT_FINE_TUNE), (None, Verdict.DO_NOT_FINE_TUNE)]
)
def test_a_prompt_that_may_have_been_lucky_is_measured_again(
    brief_of: BriefOf, items: int | None, verdict: Verdict
) -> None:
    """94 % on 30 items may be 80 %, on 300 it is at least 90.7 %."""
    report = assess_fit(brief_of({**READY, "task.baseline_percent": 94, "task.baseline_items": items}))
    assert report.verdict is verdict
    lucky = "the prompted baseline was measured at 94 %, but on 30 items that may be less than 90 %"
    assert any(reason.startswith(lucky) for reason in report.reasons) is (verdict is Verdict.PROVE_FIRST)


def test_a_prompt_measured_where_phase_two_would_stop_is_a_no_already(brief_of: BriefOf) -> None:
    stop = {**READY, "task.stop_at_percent": 85}
    assert assess_fit(brief_of({**stop, "task.baseline_percent": 84})).verdict is not Verdict.DO_NOT_FINE_TUNE
    report = assess_fit(brief_of({**stop, "task.baseline_percent": 85}))
    assert report.verdict is Verdict.DO_NOT_FINE_TUNE
    assert report.reasons == ("the prompted baseline was measured at 85 % and 85 % is enough",)


def test_an_estimate_of_the_baseline_is_no_reason_to_refuse(brief_of: BriefOf) -> None:
    report = assess_fit(brief_of({**READY, "task.baseline_percent": 95, "task.baseline_source": "estimated"}))
    assert report.verdict is Verdict.PROVE_FIRST


def test_facts_alone_are_a_case_for_retrieval(brief_of: BriefOf) -> None:
    report = assess_fit(brief_of({**READY, "fit": FACTS}))
    assert (report.verdict, report.approach) == (Verdict.DO_NOT_FINE_TUNE, Approach.RETRIEVAL)
    assert report.headline == "Do not fine-tune: retrieval (RAG) is the better answer."
    assert report.reasons == ("your answers speak most for retrieval (RAG); try that first, it is cheaper and sooner",)


def test_what_instructions_describe_is_a_case_for_a_prompt(brief_of: BriefOf) -> None:
    report = assess_fit(brief_of({**READY, "fit": PROMPTING}))
    assert (report.verdict, report.approach) == (Verdict.DO_NOT_FINE_TUNE, Approach.PROMPT)


def test_facts_and_a_house_style_are_a_case_for_both(brief_of: BriefOf) -> None:
    report = assess_fit(brief_of({**READY, "fit": {**TUNING, **FACTS, "retrieval_tried": True}}))
    assert report.approach is Approach.BOTH
    assert report.verdict is not Verdict.DO_NOT_FINE_TUNE


def test_a_brief_that_answers_nothing_is_told_so_and_not_refused(brief_of: BriefOf) -> None:
    report = assess_fit(brief_of())
    assert report.verdict is Verdict.PROVE_FIRST
    assert [each.score for each in report.scores] == [50] * 4
    assert report.reasons[0] == (
        "your answers speak as much for prompt engineering and retrieval (RAG) as for fine-tuning"
    )
    assert len(report.missing) == len(QUESTIONS) + 2


def test_what_is_still_missing_is_named_and_nothing_else(brief_of: BriefOf) -> None:
    report = assess_fit(brief_of({**READY, "fit": {**TUNING, "prompt_optimised": True}}))
    assert QUESTIONS["needs_facts"] in report.missing
    assert QUESTIONS["house_style"] not in report.missing
    everything = {name: next(iter(_choices(name))) for name in FitAnswers.model_fields}
    assert assess_fit(brief_of({**READY, "fit": everything})).missing == ()


def _choices(name: str) -> tuple[object, ...]:
    asked = FitAnswers.model_fields[name].annotation.__args__[0]
    return getattr(asked, "__args__", (True, False))


def test_when_to_stop_is_said_with_the_number_and_the_metric(brief_of: BriefOf) -> None:
    report = assess_fit(brief_of({"task.stop_at_percent": 94}))
    assert report.stop_at_percent == 94
    assert report.stop_condition.startswith(
        "If the prompt-optimised baseline reaches 94 % on drafts sent unchanged, stop after phase 2"
    )
    assert assess_fit(brief_of()).stop_at_percent == Decimal(90)


def test_a_score_is_what_was_said_of_what_could_have_been(brief_of: BriefOf) -> None:
    """For prompting: -3 and -1 of 4 possible points. For tuning: 3 and 2 of 5."""
    report = assess_fit(brief_of({"fit": {"instructions": "not_enough", "house_style": True}}))
    assert (score(report, Approach.PROMPT), score(report, Approach.FINE_TUNE)) == (0, 100)
    mixed = assess_fit(brief_of({"fit": {"instructions": "not_enough", "few_shot": "good"}}))
    assert score(mixed, Approach.FINE_TUNE) == 60
    reasons = next(each.reasons for each in mixed.scores if each.approach is Approach.FINE_TUNE)
    assert reasons == ("instructions alone do not get there (+3)", "a few examples in the prompt do (-2)")


@given(ANSWERS)
def test_scores_stay_between_0_and_100_and_every_answer_counts_once(
    brief_of: BriefOf, answers: dict[str, object]
) -> None:
    brief = brief_of()
    report = assess_fit(brief.model_copy(update={"fit": FitAnswers.model_validate(answers)}))
    assert all(0 <= each.score <= 100 for each in report.scores)
    assert [each.score for each in report.scores] == sorted((each.score for each in report.scores), reverse=True)
    assert report.reasons
    unscored = {"prompt_optimised"}
    assert {signal.field for signal in signals_of(FitAnswers.model_validate(answers))} == set(answers) - unscored
    if report.verdict is Verdict.DO_NOT_FINE_TUNE:
        assert report.approach in {Approach.PROMPT, Approach.RETRIEVAL}
        assert report.scores[0].approach is report.approach


@given(ANSWERS)
def test_a_stronger_answer_for_tuning_never_lowers_its_points(answers: dict[str, object]) -> None:
    before = sum(signal.points.get(Approach.FINE_TUNE, 0) for signal in signals_of(FitAnswers.model_validate(answers)))
    stronger = {**answers, "hard_to_describe": True}
    after = sum(signal.points.get(Approach.FINE_TUNE, 0) for signal in signals_of(FitAnswers.model_validate(stronger)))
    assert after >= before
