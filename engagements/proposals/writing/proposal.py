"""The whole proposal, written from an estimate."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from engagements.proposals.method import method
from engagements.proposals.view import (
    ApproachView,
    Control,
    CriterionView,
    FitView,
    Headline,
    Party,
    ProposalView,
    Provenance,
    RaciRow,
    Situation,
    Stage,
)
from engagements.proposals.writing.commitments import (
    assets_of,
    assumptions_of,
    exclusions_of,
    privacy_of,
    risks_of,
    terms_of,
)
from engagements.proposals.writing.plan import deliverables_of, holidays_of, phases_of, team_of
from engagements.proposals.writing.price import compute_of, instalments_of, oldest_price, price_of
from engagements.proposals.writing.value import value_of
from engagements.settings import Agency
from estimator.brief import Brief, Criterion
from estimator.estimating import Estimate
from estimator.evidence import detectable_gain
from estimator.money import Money
from estimator.quote import Quote
from estimator.roi import Case, Roi
from estimator.routes import RouteEstimate
from estimator.sunset import Standing

_TEST_SET: Final = "acceptance-test@v1"
_RATE_RULE: Final = "lower end of the 95% Wilson interval"
_PAIRED_RULE: Final = "lower end of the 95% Wilson interval; paired difference to the baseline above zero"
_SERVING_SAVED: Final = "roi.inference_saving"
_QUESTIONS_NAMED: Final = 4
# What the test set can show stands below the acceptance criteria.
_BY_CRITERIA: Final = "test set"
# What else stands about a route is for us to settle before sending.
_OF_THE_CLIENT: Final = {"model.closing", "model.shutdown"}
_RANGE: Final = re.compile(r"(?<![\d-])(\d[\d.,]*)-(\d[\d.,]*)(?![\d-])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """How a proposal is issued: without a number it is a draft. `despite` overrides a verdict against fine-tuning.

    What is empty or None is as the estimate and the agency have it; issued means the day of the estimate then.
    """

    number: str = ""
    version: int = 1
    supersedes: str = ""
    despite: str = ""
    title: str = ""
    prepared_by: str = ""
    reviewed_by: str = ""
    issued: date | None = None
    valid_until: date | None = None


def write_proposal(estimate: Estimate, agency: Agency, issue: Issue) -> ProposalView:
    """The proposal of an estimate that has a quote. Raises `SettingsInvalid` for terms that cannot be read."""
    quote, roi, route = estimate.quote, estimate.roi, estimate.chosen
    assert quote is not None, "an estimate without a route has nothing to propose"
    assert roi is not None
    assert route is not None
    brief, option, words = estimate.brief, quote.recommended, method()
    compute, value = compute_of(estimate, quote, route), value_of(estimate, roi, route)
    control = _control(estimate, agency, issue, route)
    return ProposalView(
        title=issue.title or brief.project.title,
        control=control,
        agency=_agency(agency),
        client=_client(brief),
        headline=_headline(estimate, quote, roi, control),
        situation=_situation(brief),
        criteria=tuple(criteria_of(estimate)),
        fit=_fit(estimate, quote, issue),
        phases=phases_of(estimate, option, words),
        holidays=holidays_of(estimate),
        deliverables=deliverables_of(estimate, option, words),
        roles=team_of(estimate, option, words),
        raci_roles=words.raci.roles,
        raci=tuple(RaciRow(activity=row.activity, values=row.values) for row in words.raci.rows),
        price=price_of(estimate, quote, words),
        instalments=instalments_of(estimate, option),
        compute=compute,
        value=value,
        assumptions=assumptions_of(estimate, route),
        exclusions=exclusions_of(brief, option, words),
        risks=risks_of(brief, words),
        assets=assets_of(words),
        privacy=privacy_of(brief, words),
        terms=terms_of(brief, words, agency.terms),
        provenance=_provenance(estimate, oldest_price(compute.unit_prices)),
        flags=tuple(_flags(estimate, roi, route)),
        time_zone=agency.time_zone,
    )


def _control(estimate: Estimate, agency: Agency, issue: Issue, route: RouteEstimate) -> Control:
    """Valid as long as the brief says, but never past the day on which the route's model ends."""
    issued = issue.issued or estimate.on
    last = issue.valid_until or issued + timedelta(days=estimate.brief.commercial.valid_days)
    return Control(
        number=issue.number or "Draft",
        version=issue.version,
        stage=Stage.FINAL if issue.number else Stage.DRAFT,
        issued=issued,
        valid_until=min(last, route.shutdown) if route.shutdown else last,
        prepared_by=issue.prepared_by or agency.prepared_by or agency.signatory,
        reviewed_by=issue.reviewed_by or agency.reviewed_by,
        confidentiality=f"Confidential: for {estimate.brief.client.name} only",
        supersedes=issue.supersedes,
    )


def _agency(agency: Agency) -> Party:
    return Party(
        name=agency.name,
        legal_name=agency.legal_name or agency.name,
        address=agency.address,
        registration=agency.registration,
        vat_id=agency.vat_id,
        email=agency.email,
        website=agency.website,
        contact=agency.signatory,
        contact_role=agency.signatory_role,
    )


def _client(brief: Brief) -> Party:
    client = brief.client
    return Party(
        name=client.name,
        legal_name=client.legal_name or client.name,
        address=client.address or "",
        registration=client.registration or "",
        vat_id=client.vat_id or "",
        email=client.contact_email or "",
        contact=client.contact_name or "",
        contact_role=client.contact_role or "",
        purchase_order=client.purchase_order or "",
    )


def _headline(estimate: Estimate, quote: Quote, roi: Roi, control: Control) -> Headline:
    brief, expected = estimate.brief, roi.of(Case.EXPECTED)
    # A saving in serving alone says nothing of the problem that the client has.
    told = any(benefit.monthly.known for benefit in expected.benefits if benefit.monthly.key != _SERVING_SAVED)
    waiting = expected.monthly_benefit.value if told else None
    baseline = brief.task.baseline_percent
    return Headline(
        cost_of_waiting=None if waiting is None else Money.of(waiting, quote.currency),
        investment=quote.recommended.net,
        metric=brief.task.metric,
        baseline=None if baseline is None else baseline / 100,
        target=brief.task.target_percent / 100,
        payback_month=expected.payback_month,
        payback_month_low=roi.of(Case.LOW).payback_month,
        test_items=int(estimate.volume.test.value or 0),
        option=quote.recommended.name,
        decision_by=brief.project.decision_by or min(brief.project.start, control.valid_until),
        go_live=estimate.schedule.go_live,
        go_live_late=estimate.schedule.go_live_p80,
    )


def _situation(brief: Brief) -> Situation:
    project = brief.project
    return Situation(
        problem=project.problem,
        work=brief.task.summary,
        affected=project.affected,
        magnitude=project.magnitude,
        why_now=project.why_now,
        tried_before=project.tried_before,
    )


def criteria_of(estimate: Estimate) -> Iterator[CriterionView]:
    """The main metric first, against its baseline; then the brief's further criteria."""
    task, items = estimate.brief.task, int(estimate.volume.test.value or 0)
    baseline = None if task.baseline_percent is None else task.baseline_percent / 100
    yield CriterionView(
        id="C1",
        tier="must",
        metric=task.metric,
        dataset=_TEST_SET,
        operator="at least",
        threshold=task.target_percent / 100,
        items=items,
        rule=_PAIRED_RULE,
        baseline=baseline,
        detectable=_detectable(baseline, items),
    )
    for number, criterion in enumerate(estimate.brief.criteria, start=2):
        yield _further(number, criterion)


def _further(number: int, criterion: Criterion) -> CriterionView:
    return CriterionView(
        id=f"C{number}",
        tier=criterion.tier,
        metric=criterion.metric,
        dataset=_TEST_SET,
        operator=criterion.operator.replace("_", " "),
        threshold=criterion.threshold_percent / 100,
        items=criterion.items,
        rule=_RATE_RULE if criterion.operator == "at_least" else _RATE_RULE.replace("lower", "upper"),
        baseline=None,
        detectable=None,
    )


def _detectable(baseline: Decimal | None, items: int) -> Decimal | None:
    if baseline is None or not items or not 0 < baseline < 1:
        return None
    gain = detectable_gain(float(baseline), items)
    return None if gain is None else Decimal(str(round(gain, 4)))


def _fit(estimate: Estimate, quote: Quote, issue: Issue) -> FitView:
    report = estimate.fit
    found = [check.finding for check in report.readiness]
    return FitView(
        verdict=report.verdict.value,
        reasons=tuple(_in_print(reason) for reason in report.reasons if not any(map(reason.startswith, found))),
        there=tuple(
            _in_print(check.finding) for check in report.readiness if check.ready and check.name != _BY_CRITERIA
        ),
        lacking=tuple(
            _in_print(f"{check.finding}, so {check.remedy}") for check in report.readiness if not check.ready
        ),
        approaches=tuple(
            ApproachView(
                name=score.approach.words,
                score=score.score,
                reasons=tuple(reason.rpartition(" (")[0] for reason in score.reasons[:3]),
                recommended=score.approach is report.approach,
            )
            for score in report.scores
        ),
        stop_at=report.stop_at_percent / 100,
        stop_price=quote.stop_price,
        open_questions=report.missing,
        despite=issue.despite,
    )


def _in_print(text: str) -> str:
    """Percentages and ranges as the rest of the document sets them: 68% and 500–2,000."""
    return _RANGE.sub("\\1\N{EN DASH}\\2", text.replace(" %", "%"))


def _provenance(estimate: Estimate, oldest: str) -> Provenance:
    return Provenance(
        estimated_on=estimate.on,
        seed=estimate.seed,
        draws=estimate.draws,
        price_book=estimate.prices_digest,
        brief_sha256=hashlib.sha256(estimate.brief.model_dump_json(by_alias=True).encode()).hexdigest(),
        oldest_price=oldest,
    )


def _flags(estimate: Estimate, roi: Roi, route: RouteEstimate) -> Iterator[str]:
    """What a client has to know before deciding: no gain to show, a model that ends early, a loss, open questions."""
    task = estimate.brief.task
    if task.baseline_percent is not None and task.baseline_percent >= task.target_percent:
        yield f"Today's {task.baseline_percent:f}% already reach the target of {task.target_percent:f}%."
    for finding in route.findings:
        if finding.code in _OF_THE_CLIENT and finding.standing is Standing.FLAGGED:
            yield f"{finding.message}. Annex B names the routes that remain."
    expected = roi.of(Case.EXPECTED)
    if route.shutdown is not None and (expected.payback_month is None or expected.payback_month > roi.horizon_months):
        yield f"The model ends on {route.shutdown}, before the engagement has paid for itself."
    yield from _losses(roi)
    if estimate.fit.missing:
        more = len(estimate.fit.missing) - _QUESTIONS_NAMED
        questions = [*estimate.fit.missing[:_QUESTIONS_NAMED], *([f"and {more} more"] if more > 0 else [])]
        yield f"Still to find out: {'; '.join(questions)}."


def _losses(roi: Roi) -> Iterator[str]:
    low, expected = roi.of(Case.LOW).npv.value, roi.of(Case.EXPECTED).npv.value
    if expected is not None and expected < 0:
        yield "Neither in the expected nor in the low case does the engagement pay for itself in the time considered."
    elif low is not None and low < 0:
        yield "In the low case the engagement does not pay for itself in the time considered."
