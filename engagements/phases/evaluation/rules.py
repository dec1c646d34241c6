"""Gate 4: every criterion by its interval, nothing lost beside it, its failures known and read by the client."""

from typing import Final

from engagements.delivery.evidence import EvaluationRun, Purpose, Subject
from engagements.evals.intervals import none_seen
from engagements.evals.verdicts import Outcome, percent
from engagements.phases.facts import AgreedCriterion, Facts, Recorded, gain_of, judged
from engagements.phases.requirements import Requirement, Status
from engagements.phases.training.rules import rounds
from estimator.phases import Phase

_STATUSES: Final = {
    Outcome.PASS: Status.MET,
    Outcome.FAIL: Status.FAILED,
    Outcome.INCONCLUSIVE: Status.INCONCLUSIVE,
    None: Status.MISSING,
}


def requirements(facts: Facts) -> tuple[Requirement, ...]:
    return (
        _candidate(facts),
        *(_criterion(facts, each) for each in facts.agreed.criteria),
        _regression(facts),
        _robustness(facts),
        _failures(facts),
        _client_review(facts),
        rounds(facts, Phase.EVALUATION),
        *_used_once(facts),
    )


def evaluated(facts: Facts) -> Recorded[EvaluationRun] | None:
    """The candidate's run over the sealed set."""
    return facts.on_the_sealed_set(Subject.CANDIDATE)


def _of(code: str, title: str, status: Status, said: str, remedy: str = "", *evidence: str) -> Requirement:
    return Requirement(
        code=code, title=title, status=status, said=said, remedy="" if status is Status.MET else remedy,
        evidence=evidence,
    )  # fmt: skip


def _candidate(facts: Facts) -> Requirement:
    code, title, run, trained = (
        "candidate",
        "The chosen candidate, on the sealed set",
        evaluated(facts),
        facts.candidate,
    )
    if run is None:
        remedy = "evaluate the candidate on the sealed test set"
        return _of(code, title, Status.MISSING, "the candidate is not measured on the sealed set", remedy)
    chosen = trained.content.checkpoint.sha256 if trained and trained.content.checkpoint else None
    if chosen is None or run.content.model_sha256 != chosen:
        seen = f"{run.content.model_sha256[:12]}" if run.content.model_sha256 else "a model without digest"
        said = f"evaluated was {seen}; chosen was {f'{chosen[:12]}' if chosen else 'nothing'}"
        return _of(code, title, Status.FAILED, said, "evaluate the checkpoint that training chose", run.id)
    return _of(code, title, Status.MET, f"{run.content.items} items: {run.content.name}", "", run.id)


def _criterion(facts: Facts, criterion: AgreedCriterion) -> Requirement:
    judgement, evidence = judged(facts, criterion)
    return Requirement(
        code=f"criterion_{criterion.code.lower()}", title=f"{criterion.code} ({criterion.tier}): {criterion.metric}",
        status=_STATUSES[judgement.outcome], said=judgement.said, remedy=judgement.remedy, must=criterion.is_must,
        evidence=evidence,
    )  # fmt: skip


def _regression(facts: Facts) -> Requirement:
    code, title = "regression", "No general skill lost beyond the limit"
    wanted = (each for each in facts.comparisons if each.content.purpose is Purpose.REGRESSION)
    found = next((each for each in wanted if facts.is_of_the_candidate(each.content.candidate_sha256)), None)
    if found is None:
        remedy = "compare the candidate with the base model on tasks outside its own"
        return _of(code, title, Status.MISSING, "regression was not tested", remedy)
    gain, loss_max = gain_of(found.content), found.content.loss_max
    said = (
        f"{found.content.metric}: {100 * gain.difference:+.1f} points (95% interval {100 * gain.interval.low:+.1f} to "
        f"{100 * gain.interval.high:+.1f}, {gain.items} items)"
    )
    if loss_max is None:
        return _of(code, title, Status.UNKNOWN, f"{said}; no limit is named", "record the limit agreed", found.id)
    said = f"{said}; at most {100 * loss_max:.1f} points may be lost"
    if gain.interval.low >= -loss_max:
        return _of(code, title, Status.MET, said, "", found.id)
    if gain.interval.high < -loss_max:
        remedy = "mix general examples into training, or lower the learning rate, and come again"
        return _of(code, title, Status.FAILED, said, remedy, found.id)
    return _of(code, title, Status.INCONCLUSIVE, said, "compare more items", found.id)


def _robustness(facts: Facts) -> Requirement:
    code, title = "robustness", "Robustness: edge cases, attacks, other inputs"
    wanted = (each for each in facts.evaluations if each.content.purpose is Purpose.ROBUSTNESS)
    found = next((each for each in wanted if facts.is_of_the_candidate(each.content.model_sha256)), None)
    if found is None:
        remedy = "run the candidate on edge cases, hostile inputs and inputs of another kind"
        return _of(code, title, Status.MISSING, "robustness was not tested", remedy)
    result = found.content.results[0]
    said = f"{result.metric}: {percent(result.value)} of {result.items} items"
    if result.hits == result.items:
        said += f"; no failure seen, up to {percent(none_seen(result.items))} may fail"
    return _of(code, title, Status.MET, said, "", found.id)


def _failures(facts: Facts) -> Requirement:
    code, title, run = "failure_modes", "Failure modes, sorted and counted", evaluated(facts)
    if run is None or run.content.failures is None:
        remedy = "sort what went wrong by kind, with count, severity, cause and remedy"
        return _of(code, title, Status.MISSING, "nobody sorted the failures", remedy, *([run.id] if run else []))
    grave = sum(mode.severity == "high" for mode in run.content.failures)
    return _of(code, title, Status.MET, f"{len(run.content.failures)} kinds, {grave} of them grave", "", run.id)


def _client_review(facts: Facts) -> Requirement:
    code, title, run = "client_review", "Results reviewed with the client", evaluated(facts)
    review = run.content.client_review if run else None
    if run is None or review is None:
        remedy = "go through the results and the failures with the client's experts"
        return _of(code, title, Status.MISSING, "the client has not reviewed them", remedy, *([run.id] if run else []))
    said = f"{review.by}, {review.on.isoformat()}{'' if review.passed else ': not content'}"
    return _of(code, title, Status.MET if review.passed else Status.FAILED, said, "mend what they found", run.id)


def _used_once(facts: Facts) -> tuple[Requirement, ...]:
    """The sealed set wears out: who looks often enough finds what fits it."""
    runs = [
        each
        for each in facts.evaluations
        if each.content.subject is Subject.CANDIDATE and each.content.set_sha256 == facts.sealed_sha256
    ]
    models = {each.content.model_sha256 for each in runs}
    if len(runs) <= len(models):
        return ()
    said = f"{len(runs)} evaluations of {len(models)} candidates on the sealed set"
    return (
        Requirement(
            code="used_once", title="Sealed set used once for each candidate", status=Status.FAILED, said=said,
            remedy="say in the report why it was used again", must=False, evidence=tuple(each.id for each in runs),
        ),
    )  # fmt: skip
