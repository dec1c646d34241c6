"""A model has a last day for new jobs and a last day at all; the boundary day belongs to the vendor."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator import Brief, Estimate, PriceBook
from estimator.calendar import WorkCalendar
from estimator.phases import Phase
from estimator.prices import Objective, TrainingPrice, Tuning
from estimator.sunset import Finding, PlanDates, Standing, check_base, check_sunset, worst

BriefOf = Callable[..., Brief]
EstimateOf = Callable[..., Estimate]
BOOK = PriceBook.load()
EARLY = date(2026, 12, 1)
NEW_JOBS_UNTIL, SHUTDOWN = date(2027, 1, 6), date(2027, 1, 14)
SHORT = PlanDates(first_job=EARLY, last_job=EARLY, go_live=EARLY, service_end=EARLY)
DAYS = st.dates(date(2026, 11, 1), date(2028, 12, 31))


def row(model: str, provider: str = "openai") -> TrainingPrice:
    found = BOOK.training(provider=provider, model=model, objective=Objective.SFT, tuning=Tuning.LORA)
    assert found is not None
    return found


def found(model: str, **dates: date) -> dict[str, Standing]:
    return {finding.code: finding.standing for finding in check_sunset(row(model), replace(SHORT, **dates))}


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-4o", "gpt-4.1", "gpt-4.1-mini"])
def test_an_openai_job_is_allowed_on_5_january_2027_and_refused_on_the_6th(model: str) -> None:
    last = NEW_JOBS_UNTIL - timedelta(days=1)
    assert found(model, first_job=last, last_job=last, go_live=last, service_end=last) == {}
    assert found(model, first_job=NEW_JOBS_UNTIL, last_job=NEW_JOBS_UNTIL)["model.retired"] is Standing.REFUSED


def test_a_last_run_that_may_come_too_late_is_flagged() -> None:
    assert found("gpt-4o-mini", last_job=NEW_JOBS_UNTIL) == {"model.closing": Standing.FLAGGED}


def test_service_past_the_last_job_needs_another_route_for_retraining() -> None:
    assert found("gpt-4o-mini", service_end=NEW_JOBS_UNTIL) == {"model.closing": Standing.FLAGGED}


def test_serving_until_14_january_2027_is_allowed_and_beyond_it_flagged() -> None:
    assert "model.shutdown" not in found("gpt-4o-mini", service_end=SHUTDOWN)
    beyond = SHUTDOWN + timedelta(days=1)
    assert found("gpt-4o-mini", service_end=beyond)["model.shutdown"] is Standing.FLAGGED


def test_a_model_that_ends_before_it_would_go_live_is_refused() -> None:
    assert found("gpt-4o-mini", go_live=SHUTDOWN)["model.retired"] is Standing.REFUSED


@pytest.mark.parametrize("model", ["gpt-4.1-nano", "gpt-3.5-turbo", "davinci-002", "babbage-002"])
def test_a_closed_model_is_refused_whatever_the_plan(model: str) -> None:
    assert found(model)["model.not_tunable"] is Standing.REFUSED


def test_a_model_without_an_announced_end_stands_against_nothing() -> None:
    far = date(2040, 1, 1)
    plan = PlanDates(first_job=far, last_job=far, go_live=far, service_end=far)
    assert list(check_sunset(row("qwen3-8b", "tinker"), plan)) == []


@given(st.lists(DAYS, min_size=4, max_size=4))
def test_no_plan_past_an_end_goes_by_in_silence(days: list[date]) -> None:
    first_job, last_job, go_live, service_end = sorted(days)
    plan = PlanDates(first_job=first_job, last_job=last_job, go_live=go_live, service_end=service_end)
    standing = worst(list(check_sunset(row("gpt-4o-mini"), plan)))
    if first_job >= NEW_JOBS_UNTIL or go_live >= SHUTDOWN:
        assert standing is Standing.REFUSED
    elif service_end >= NEW_JOBS_UNTIL:
        assert standing is Standing.FLAGGED
    else:
        assert standing is Standing.OPEN


def test_refused_outweighs_unknown_and_unknown_outweighs_flagged() -> None:
    def standings(*several: Standing) -> list[Finding]:
        return [Finding(code="x", standing=each, message="m", remedy="r") for each in several]

    assert worst(standings(Standing.UNKNOWN, Standing.REFUSED, Standing.FLAGGED)) is Standing.REFUSED
    assert worst(standings(Standing.FLAGGED, Standing.UNKNOWN)) is Standing.UNKNOWN
    assert worst([]) is Standing.OPEN


def test_the_prompted_alternative_may_end_or_be_unknown_too() -> None:
    base = BOOK.inference(provider="openai", model="gpt-4o-mini", variant="base")
    beyond = replace(SHORT, service_end=SHUTDOWN + timedelta(days=1))
    assert [finding.code for finding in check_base("openai/gpt-4o-mini", base, beyond)] == ["base.shutdown"]
    assert list(check_base("openai/gpt-4o-mini", base, SHORT)) == []
    (unknown,) = check_base("openai/gpt-99", None, SHORT)
    assert (unknown.code, unknown.standing) == ("base.unknown", Standing.UNKNOWN)
    assert "add [[inference]]" in unknown.remedy


def test_an_estimate_whose_training_begins_on_the_boundary_day_refuses_the_route(
    brief_of: BriefOf, estimate_of: EstimateOf
) -> None:
    """The plan's own calendar decides: training begins after the gates of the two phases before it."""
    routes = [{"provider": "openai", "model": "gpt-4o-mini"}, {"provider": "tinker", "model": "qwen3-8b"}]
    brief = brief_of({"training.routes": routes})
    days = sum(estimate_of(brief).schedule.of(phase).working_days for phase in tuple(Phase)[:2])
    calendar = WorkCalendar(country="US")
    starts = (date(2026, 10, 1) + timedelta(days=n) for n in range(80))
    begins = {calendar.after(start, days + 1): start for start in starts}

    def estimated(begin: date) -> Estimate:
        estimate = estimate_of(brief_of({"training.routes": routes, "project.start": begins[begin]}))
        assert estimate.schedule.of(Phase.TRAINING).begin == begin
        return estimate

    def codes(estimate: Estimate) -> dict[str, Standing]:
        return {finding.code: finding.standing for finding in estimate.routes[0].findings}

    allowed, refused = estimated(date(2027, 1, 5)), estimated(date(2027, 1, 6))
    assert allowed.schedule.go_live >= SHUTDOWN
    assert "takes no new jobs" not in " ".join(
        f.message for f in allowed.routes[0].findings if f.standing is Standing.REFUSED
    )
    assert codes(refused)["model.retired"] is Standing.REFUSED
    assert refused.chosen is not None
    assert refused.chosen.route.provider == "tinker"
    told = next(finding for finding in refused.findings if finding.code == "route.refused")
    assert "takes no new jobs from 2027-01-06; the first run is planned for 2027-01-06" in told.message
    assert told.remedy == "routes that remain: Tinker (Thinking Machines), qwen3-8b"


def test_with_every_route_refused_there_is_no_quote_and_the_estimate_says_why(
    brief_of: BriefOf, estimate_of: EstimateOf
) -> None:
    routes = [{"provider": "openai", "model": "gpt-4o-mini"}, {"provider": "own", "model": "llama-2-7b", "gpu": "T4"}]
    estimate = estimate_of(brief_of({"training.routes": routes}))
    assert (estimate.chosen, estimate.quote, estimate.roi, estimate.compute) == (None, None, None, None)
    assert (estimate.tornado, estimate.shares, estimate.break_evens) == ((), (), ())
    refusal = estimate.findings[0]
    assert (refusal.code, refusal.standing) == ("routes.none_left", Standing.REFUSED)
    assert "takes no new jobs from 2027-01-06" in refusal.message
    assert "needs QLoRA" in refusal.message
