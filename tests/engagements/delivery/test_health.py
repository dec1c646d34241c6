"""How an engagement is judged: late, at risk, on track or unknown, each with its reasons and their numbers."""

from datetime import date, timedelta

import pytest

from engagements.delivery.health import Health, health_of
from engagements.delivery.models import PhaseState, Standing
from estimator.phases import Phase

TODAY = date(2027, 1, 11)
ON_TRACK = {
    "phase": Phase.TRAINING, "state": PhaseState.IN_PROGRESS, "planned_gate": date(2027, 1, 20),
    "agreed_gate": date(2027, 1, 20), "late_gate": date(2027, 1, 29), "currency": "EUR", "budget_minor": 1_000_000,
    "budget_late_minor": 1_200_000, "allowed_minor": 500_000, "spent_minor": 400_000, "earned_minor": 380_000,
    "minutes": 6_000, "budget_minutes": 12_000, "spent_unknown": 0, "open_alerts": 0, "next_due": TODAY,
}  # fmt: skip


def judged(**changes: object):
    found = health_of(Standing(**{**ON_TRACK, **changes}), today=TODAY)
    return found.health, found.reasons


def test_without_a_plan_nothing_can_be_said():
    found = health_of(None, today=TODAY)
    assert (found.health, found.reasons) == (Health.UNKNOWN, ("Nothing is agreed yet to measure it by.",))


def test_on_track_has_no_reason_to_give():
    assert judged() == (Health.ON_TRACK, ())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"planned_gate": TODAY - timedelta(days=3), "agreed_gate": TODAY - timedelta(days=3)},
            "The gate of training was planned for 8 Jan 2027, 3 days ago.",
        ),
        (
            {"planned_gate": date(2027, 1, 30)},
            "The gate of training is planned 1 day after 29 Jan 2027, the latest day the plan allowed for.",
        ),
    ],
)
def test_late_is_a_day_that_is_past_or_beyond_what_the_plan_allowed(changes, reason):
    assert judged(**changes) == (Health.LATE, (reason,))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": PhaseState.BLOCKED}, "The phase training is blocked."),
        ({"planned_gate": date(2027, 1, 22)}, "The next gate is planned 2 days later than agreed."),
        ({"next_due": date(2027, 1, 10)}, "A condition or a client’s input has been due for 1 day."),
        ({"spent_minor": 600_000}, "120% of what the plan allows up to the end of training is spent."),
        ({"spent_minor": 1_040_000, "earned_minor": 1_000_000}, "104% of the budget is spent."),
        (
            {"spent_minor": 1_250_000, "earned_minor": 1_200_000, "spent_unknown": 2},
            "At least 125% of the budget is spent, more than four plans in five need.",
        ),
        ({"minutes": 13_200}, "110% of the hours are used."),
        ({"open_alerts": 1}, "1 alert waits for an answer."),
        ({"open_alerts": 2}, "2 alerts wait for an answer."),
    ],
)
def test_at_risk_says_why_with_its_number(changes, reason):
    assert judged(**changes) == (Health.AT_RISK, (reason,))


def test_work_in_the_middle_of_a_phase_is_no_risk_before_it_has_earned_anything():
    assert judged(earned_minor=0) == (Health.ON_TRACK, ())
    assert judged(spent_minor=500_000) == (Health.ON_TRACK, ())


def test_the_last_day_is_still_in_time_and_what_has_no_gate_is_never_late():
    assert judged(planned_gate=TODAY, agreed_gate=TODAY)[0] is Health.ON_TRACK
    assert judged(phase=Phase.MANAGEMENT, planned_gate=None, agreed_gate=None, late_gate=None)[0] is Health.ON_TRACK
    assert judged(phase=None, state=None, planned_gate=None)[0] is Health.ON_TRACK


def test_late_keeps_the_risks_behind_its_reason():
    health, reasons = judged(planned_gate=TODAY - timedelta(days=1), state=PhaseState.BLOCKED)
    assert (health, len(reasons)) == (Health.LATE, 2)
    assert reasons[0].endswith("1 day ago.")
