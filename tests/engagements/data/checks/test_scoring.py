from hypothesis import given
from hypothesis import strategies as st

from engagements.phases.data_preparation.checks.findings import RULES, Finding, found
from engagements.phases.data_preparation.checks.scoring import reasons_of, score_of
from estimator.errors import Severity

FINDINGS = st.lists(st.sampled_from(sorted(RULES)).map(lambda code: found(code, "x")), max_size=8)


def test_an_example_without_findings_has_all_points() -> None:
    assert score_of([]) == 100


def test_each_kind_of_finding_takes_its_weight_once() -> None:
    findings = [found("safety.toxic", "a"), found("safety.toxic", "b"), found("licence.missing", "c")]
    assert score_of(findings) == 100 - 30 - 5
    assert [(reason.code, reason.points) for reason in reasons_of(findings)] == [
        ("safety.toxic", 30), ("licence.missing", 5),
    ]  # fmt: skip


def test_an_example_with_an_error_has_a_quarter_of_the_points_at_most() -> None:
    for code in RULES:
        assert score_of([found(code, "x", severity=Severity.ERROR)]) <= 25


@given(FINDINGS, st.sampled_from(sorted(RULES)), st.sampled_from(list(Severity)))
def test_one_finding_more_never_raises_a_score(findings: list[Finding], code: str, severity: Severity) -> None:
    more = [*findings, found(code, "y", severity=severity)]
    assert 0 <= score_of(more) <= score_of(findings) <= 100


@given(FINDINGS)
def test_the_reasons_add_up_to_what_was_taken(findings: list[Finding]) -> None:
    assert score_of(findings) == max(0, 100 - sum(reason.points for reason in reasons_of(findings)))
