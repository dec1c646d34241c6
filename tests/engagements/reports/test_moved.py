"""What moved between two reports: everything that is different, and nothing that is not."""

from dataclasses import replace
from datetime import date

import pytest

from engagements.delivery.gate_models import GateState
from engagements.delivery.models import PhaseState
from engagements.reports.facts import Facts
from engagements.reports.moved import DateMove, Days, Step, moved

STATES = ("opened", "in_data_preparation", "two_gates_passed", "late_and_blocked", "everything_unknown")


@pytest.mark.parametrize("name", STATES)
def test_against_itself_nothing_moved(states, name: str) -> None:
    facts = getattr(states, name)()
    assert moved(facts, facts).nothing


@pytest.mark.parametrize("name", STATES)
def test_kept_facts_read_as_they_were(states, name: str) -> None:
    facts = getattr(states, name)()
    assert Facts.kept(facts.to_keep()) == facts


def test_facts_kept_before_a_field_was_added_still_read(states) -> None:
    facts = states.opened()
    older = facts.to_keep()
    del older["holidays"]
    assert Facts.kept(older) == replace(facts, holidays=())


def test_a_month_of_work_is_told_step_by_step(states) -> None:
    found = moved(states.in_data_preparation(), states.two_gates_passed())
    assert found.dates == (
        DateMove(
            what="3 Training, gate", before=Days.one(date(2027, 2, 3)), now=Days.one(date(2027, 2, 10))
        ),
        DateMove(
            what="4 Evaluation", before=Days(first=date(2027, 2, 4), last=date(2027, 2, 18)),
            now=Days(first=date(2027, 2, 11), last=date(2027, 2, 25)),
        ),
        DateMove(
            what="5 Deployment", before=Days(first=date(2027, 2, 19), last=date(2027, 3, 5)),
            now=Days(first=date(2027, 2, 26), last=date(2027, 3, 12)),
        ),
    )  # fmt: skip
    assert [step.what for step in found.steps] == [
        "Overall", "The plan agreed", "1 Data preparation", "2 Baseline evaluation", "3 Training", "Gate 1, sitting 1",
        "Gate 2, sitting 1", "Gate 3, sitting 1", "D1 Dataset card and sealed test split", "D2 Labelling guideline",
        "D3 Baseline report", "C1 Replies sent without a change", "C2 Replies that name the right tariff",
        "C3 Replies in the customer's language", "Change 1: Gas tariffs as well", "Change 2: A third training round",
        "Condition: Two of your reviewers score 100 items of the sealed set", "Payment: Dataset sealed",
        "Assumption A1: 4,000 solved tickets are there",
    ]  # fmt: skip
    assert Step(what="Gate 2, sitting 1", before="", now="go with conditions, by override") in found.steps
    assert Step(what="3 Training", before="planned", now="under way, round 2") in found.steps
    assert [why.reason for why in found.why] == ["a second round of training", "the gas tickets came a week late"]


def test_a_signature_moves_a_gate_that_was_decided_before(states) -> None:
    waiting = states.late_and_blocked()
    *before, last = waiting.gates
    signed = replace(waiting, gates=(*before, replace(last, state=GateState.FINAL, cosigned_by="Ana Brandt")))
    (step,) = moved(waiting, signed).steps
    assert step == Step(what="Gate 3, sitting 3", before="go, waits for your signature", now="go")


def test_a_block_is_told_with_its_reason_and_dates_that_are_past_are_not(states) -> None:
    before = states.opened()
    blocked = replace(
        before.phases[0], state=PhaseState.BLOCKED, blocked_reason="no access to the sources",
        actual_begin=date(2026, 11, 30), planned_begin=date(2026, 12, 7), planned_gate=before.phases[0].planned_gate,
    )  # fmt: skip
    found = moved(before, replace(before, phases=(blocked, *before.phases[1:])))
    assert found.dates == ()
    (step,) = found.steps
    assert step == Step(what="1 Data preparation", before="ready to start", now="blocked: no access to the sources")
