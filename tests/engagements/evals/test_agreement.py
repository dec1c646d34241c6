"""Agreement against published examples, against the `krippendorff` package, and the laws that it obeys."""

import json
from dataclasses import replace

import krippendorff as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engagements.evals.agreement import (
    Agreement,
    Reading,
    Scale,
    Weights,
    cohen,
    fleiss,
    krippendorff,
    raw_agreement,
    read,
)
from estimator.evidence import Interval

ITEMS = st.lists(st.lists(st.one_of(st.none(), st.integers(1, 5)), min_size=3, max_size=3), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def vectors(shared_data):
    return {row["id"]: row for row in json.loads((shared_data / "sets/17_metric_vectors/vectors.json").read_text())}


def spread(table):
    """A table of two raters as its items."""
    return [[row, column] for row, line in enumerate(table) for column, count in enumerate(line) for _ in range(count)]


def by_item(counts):
    return [[category for category, count in enumerate(line) for _ in range(count)] for line in counts]


@pytest.mark.shared_data
def test_cohens_kappa_is_that_of_sas_and_its_interval_lies_about_the_asymptotic_one(vectors):
    vector = vectors["cohen_sas"]
    found = cohen(spread(vector["input"]["table"]), seed=7)
    assert found.value == pytest.approx(vector["expected"]["kappa"], abs=vector["tol"])
    assert found.items == 19
    assert found.interval.low == pytest.approx(vector["expected"]["low95"], abs=0.1)
    assert found.interval.high == pytest.approx(vector["expected"]["upp95"], abs=0.1)


def test_weighted_kappa_by_hand():
    # One of four items is one step apart; the raters' shares of 1, 2 and 3 are as below.
    items = [[1, 1], [2, 2], [3, 3], [1, 2]]
    first, second = [0.5, 0.25, 0.25], [0.25, 0.5, 0.25]
    for weights, power in ((Weights.LINEAR, 1), (Weights.QUADRATIC, 2)):
        expected = sum(first[a] * second[b] * abs(a - b) ** power for a in range(3) for b in range(3))
        assert cohen(items, weights=weights, seed=1).value == pytest.approx(1 - 0.25 / expected)
    assert cohen(items, seed=1).value == pytest.approx((0.75 - 0.3125) / (1 - 0.3125))


def test_a_category_that_nobody_chose_still_lies_between_two_others():
    items = [[1, 1], [3, 3], [1, 3]]
    narrow, wide = cohen(items, weights=Weights.LINEAR, seed=1), cohen(
        items, weights=Weights.LINEAR, categories=(1, 2, 3), seed=1
    )  # fmt: skip
    assert narrow.value == pytest.approx(wide.value)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["fleiss_wikipedia", "randolph_7"])
def test_fleiss_kappa_is_the_published_one(vectors, name):
    expected = vectors[name]["expected"]
    expected = expected["fleiss"] if isinstance(expected, dict) else expected
    found = fleiss(by_item(vectors[name]["input"]["counts"]), seed=7)
    assert found.value == pytest.approx(expected, abs=vectors[name]["tol"])


@pytest.mark.shared_data
def test_krippendorffs_alpha_is_the_published_one(vectors):
    vector = vectors["krippendorff_nominal"]
    items = list(zip(*vector["input"]["raters_by_unit"], strict=True))
    found = krippendorff(items, seed=7)
    assert found.value == pytest.approx(vector["expected"], abs=vector["tol"])
    assert (found.items, found.unmeasured) == (12, 3)


@pytest.mark.parametrize("scale", list(Scale))
@settings(max_examples=50)
@given(items=ITEMS)
def test_alpha_is_that_of_the_reference_package_on_every_scale(scale, items):
    found = krippendorff(items, scale=scale, seed=1, draws=2)
    values = {rating for each in items if sum(r is not None for r in each) > 1 for rating in each if rating is not None}
    if len(values) < 2:
        assert found.value is None
        return
    units = np.array([[np.nan if rating is None else rating for rating in each] for each in items]).T
    assert found.value == pytest.approx(reference.alpha(units, level_of_measurement=scale.value), abs=1e-9)


@settings(max_examples=50)
@given(items=ITEMS)
def test_nothing_is_above_one_and_the_order_of_items_and_raters_changes_nothing(items):
    turned = [list(reversed(each)) for each in reversed(items)]
    for measure in (raw_agreement, fleiss, krippendorff):
        found, again = measure(items, seed=1, draws=2), measure(turned, seed=1, draws=2)
        assert found.items + found.unmeasured == len(items)
        assert found.value is None or found.value <= 1 + 1e-12
        assert again.value == (None if found.value is None else pytest.approx(found.value))


def test_the_interval_is_the_same_for_the_same_seed_and_holds_the_value():
    items = [["a", "a"], ["b", "b"], ["a", "b"], ["c", "c"], ["b", "b"]] * 8
    found = krippendorff(items, seed=7)
    assert found == krippendorff(items, seed=7)
    assert found.interval.low < found.value < found.interval.high
    assert found.interval != krippendorff(items, seed=8).interval
    wider = krippendorff(items[:20], seed=7)
    assert wider.interval.high - wider.interval.low > found.interval.high - found.interval.low


def test_what_one_rater_has_seen_is_unmeasured():
    found = krippendorff([["a", None], [None, "b"], [None, None]], seed=7)
    assert (found.value, found.interval, found.raw, found.items, found.unmeasured) == (None, None, None, 0, 3)
    assert read(found).reading is Reading.UNMEASURED


def test_where_all_is_the_same_chance_cannot_be_told_from_agreement():
    found = krippendorff([["a", "a"]] * 20, seed=7)
    assert (found.value, found.interval, found.raw) == (None, None, 1.0)
    assert read(found).reading is Reading.NO_VARIATION


def an_agreement(value: float) -> Agreement:
    between = Interval(low=value - 0.05, high=min(1, value + 0.05))
    return Agreement(measure="alpha", value=value, interval=between, items=50, unmeasured=0, raw=0.7, commonest=0.4)


@pytest.mark.parametrize(
    ("value", "reading"),
    [(0.80, Reading.DEPENDABLE), (0.799, Reading.TENTATIVE), (0.667, Reading.TENTATIVE), (0.666, Reading.UNRELIABLE)],
)
def test_the_bounds_of_the_reading(value, reading):
    assert read(an_agreement(value)).reading is reading


def test_a_dominant_class_is_told_from_raters_who_differ():
    differ, dominated = an_agreement(0.3), replace(an_agreement(0.3), raw=0.95, commonest=0.96)
    assert "guideline" in read(differ).remedy
    assert "dominates" in read(dominated).remedy
    assert read(dominated).said.endswith("95% of pairs agree, and 96% of ratings are alike")


def test_a_number_that_may_be_lower_asks_for_more_items():
    assert read(an_agreement(0.82)).remedy == "the interval reaches down to 0.77: more items would settle it"
    assert read(an_agreement(0.90)).remedy == ""
