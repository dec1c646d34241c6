"""What a client said is told from what we put in where they said nothing."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from estimator import Brief
from estimator.brief.stated import stated, usd_per_unit
from estimator.figures import Kind
from estimator.what_if import with_value

BriefOf = Callable[..., Brief]


@pytest.mark.parametrize(
    ("field", "kind", "value"),
    [
        ("training.runs.likely", Kind.GIVEN, 5),
        ("data.test_percent", Kind.GIVEN, 10),
        ("commercial.cost_per_h.ml_engineer", Kind.GIVEN, 100),
        ("training.evaluations_per_run", Kind.ASSUMED, 3),
        ("commercial.review_days.high", Kind.ASSUMED, 7),
        ("value.discount_rate_percent", Kind.ASSUMED, 10),
    ],
)
def test_a_default_of_ours_is_not_the_client_s_word(brief_of: BriefOf, field: str, kind: Kind, value: int) -> None:
    figure = stated(brief_of(), field, "unit")
    assert (figure.key, figure.kind, figure.value) == (f"brief.{field}", kind, value)
    assert figure.source == (
        f"brief: {field}" if kind is Kind.GIVEN else f"our default, for the brief leaves {field} out"
    )


def test_what_has_no_default_stays_unknown(brief_of: BriefOf) -> None:
    for field in ("task.baseline_percent", "value.minutes_saved.low"):
        figure = stated(brief_of(), field, "%")
        assert (figure.value, figure.source) == (None, f"the brief leaves {field} out")


def test_one_field_changed_leaves_the_defaults_beside_it_defaults(brief_of: BriefOf) -> None:
    changed = with_value(brief_of(), "value.reviewed_percent", 50)
    assert stated(changed, "value.reviewed_percent", "%").kind is Kind.GIVEN
    assert stated(changed, "value.ramp_months", "months").kind is Kind.ASSUMED
    assert stated(changed, "training.evaluations_per_run", "evaluations").kind is Kind.ASSUMED


def test_a_dollar_is_a_dollar_whatever_rate_the_brief_names(brief_of: BriefOf) -> None:
    rate = {"usd_per_unit": "1.08", "as_of": "2026-11-20", "source": "reference rate"}
    assert usd_per_unit(brief_of({"commercial.exchange": rate})).value == 1
    assert usd_per_unit(brief_of({"commercial.exchange": rate, "commercial.currency": "EUR"})).value == Decimal("1.08")
