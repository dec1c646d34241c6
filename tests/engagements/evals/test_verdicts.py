"""A criterion has three outcomes, and the bound of the interval decides."""

from dataclasses import replace

import pytest

from engagements.evals.intervals import mcnemar_p, paired_difference, wilson
from engagements.evals.verdicts import Gain, Measured, Operator, Outcome, Terms, judge

SEALED, OTHER = "a" * 64, "b" * 64
TERMS = Terms(operator=Operator.AT_LEAST, threshold=0.82, items=540, set_sha256=SEALED, paired=False)
PAIRED = replace(TERMS, paired=True)


def rate(hits, items=540, sha256=SEALED):
    return Measured(value=hits / items, interval=wilson(hits, items), items=items, set_sha256=sha256)


def gain(won, lost, items=540, sha256=SEALED):
    return Gain(
        difference=(won - lost) / items, interval=paired_difference(won, lost, items), p=mcnemar_p(won, lost),
        items=items, set_sha256=sha256,
    )  # fmt: skip


@pytest.mark.parametrize(("hits", "outcome"), [(470, Outcome.PASS), (455, Outcome.INCONCLUSIVE), (400, Outcome.FAIL)])
def test_the_lower_bound_decides_and_not_the_value(hits, outcome):
    assert judge(TERMS, rate(hits)).outcome is outcome


@pytest.mark.parametrize(("hits", "outcome"), [(5, Outcome.PASS), (20, Outcome.INCONCLUSIVE), (60, Outcome.FAIL)])
def test_at_most_reads_the_upper_bound(hits, outcome):
    assert judge(replace(TERMS, operator=Operator.AT_MOST, threshold=0.04), rate(hits)).outcome is outcome


def test_another_set_and_fewer_items_never_pass():
    assert judge(TERMS, rate(530, sha256=OTHER)).outcome is Outcome.INCONCLUSIVE
    few = judge(TERMS, rate(98, 100))
    assert few.outcome is Outcome.INCONCLUSIVE
    assert few.remedy == "measure all 540 items agreed, 440 more"
    assert judge(replace(TERMS, set_sha256=""), rate(530)).outcome is Outcome.INCONCLUSIVE
    assert judge(TERMS, rate(10, 100)).outcome is Outcome.FAIL, "few items may still show that it falls short"


def test_what_was_not_measured_has_no_outcome():
    assert judge(TERMS, None).outcome is None


@pytest.mark.parametrize(
    ("shown", "outcome"),
    [
        (gain(90, 20), Outcome.PASS),
        (gain(15, 14), Outcome.INCONCLUSIVE),
        (gain(20, 90), Outcome.FAIL),
        (gain(90, 20, sha256=OTHER), Outcome.INCONCLUSIVE),
        (gain(30, 2, items=100), Outcome.INCONCLUSIVE),
        (None, Outcome.INCONCLUSIVE),
    ],
)
def test_better_is_said_only_where_the_same_items_show_it(shown, outcome):
    assert judge(PAIRED, rate(470), shown).outcome is outcome


def test_a_gain_does_not_save_a_rate_that_falls_short():
    assert judge(PAIRED, rate(400), gain(90, 20)).outcome is Outcome.FAIL


def test_a_verdict_says_its_interval_and_its_items():
    said = judge(TERMS, rate(470)).said
    assert said == "87.0% (95% interval 83.9% to 89.6%, 540 items); at least 82.0%"
