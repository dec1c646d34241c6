"""Gate 2: the bar is measured on the sealed set, tuning can clear it, and stopping now is not the agreed answer."""

from typing import Final

from engagements.delivery.evidence import EvaluationRun, MetricResult, Subject
from engagements.evals.verdicts import Operator, Outcome, bound_outcome, percent, written
from engagements.phases.facts import AgreedCriterion, Facts, Recorded, interval_of
from engagements.phases.requirements import Requirement, Status
from estimator.evidence import detectable_gain, items_needed

_BASELINES: Final = (
    (Subject.BASE_MODEL, "Base model", True),
    (Subject.BEST_PROMPT, "Best prompt", True),
    (Subject.RETRIEVAL, "Retrieval", False),
    (Subject.HUMAN, "People", False),
)
"""What is measured before anything is trained, and whether the gate insists on it."""


def requirements(facts: Facts) -> tuple[Requirement, ...]:
    return (
        *(_baseline(facts, subject, title, must) for subject, title, must in _BASELINES),
        _criteria_bound(facts),
        _detectable(facts),
        _stop_condition(facts),
    )


def headline(facts: Facts) -> AgreedCriterion | None:
    """The criterion that the gain was promised for: the first that asks for a paired comparison."""
    return next((each for each in facts.agreed.criteria if each.terms.paired), None)


def best_prompt(facts: Facts) -> tuple[Recorded[EvaluationRun], MetricResult] | None:
    """The best prompt's run over the sealed set, and its result on the headline's metric."""
    promised, run = headline(facts), facts.on_the_sealed_set(Subject.BEST_PROMPT)
    result = run.content.result(promised.metric) if run and promised else None
    return (run, result) if run and result else None


def _baseline(facts: Facts, subject: Subject, title: str, must: bool) -> Requirement:
    code, promised = f"baseline_{subject}", headline(facts)
    title = f"Baseline: {title.lower()}, with its interval"
    run = facts.on_the_sealed_set(subject)
    if run is None:
        stray = next((each for each in facts.evaluations if each.content.subject is subject), None)
        said = f"measured on set {stray.content.set_sha256[:12]}, not on the sealed one" if stray else "not measured"
        remedy = "evaluate it on the sealed test set"
        return Requirement(code=code, title=title, status=Status.MISSING, said=said, remedy=remedy, must=must)
    result = run.content.result(promised.metric) if promised else run.content.results[0]
    if result is None and promised is not None:
        said, remedy = f"its run has no {promised.metric}", f"score it by {promised.metric} too"
        return Requirement(
            code=code, title=title, status=Status.MISSING, said=said, remedy=remedy, must=must, evidence=(run.id,)
        )
    assert result is not None, "a run has a result"
    said = f"{written(result.value, interval_of(result), result.items)}: {run.content.name}"
    return Requirement(code=code, title=title, status=Status.MET, said=said, must=must, evidence=(run.id,))


def _criteria_bound(facts: Facts) -> Requirement:
    title = "Acceptance criteria bound to the sealed set"
    criteria = facts.agreed.criteria
    loose = [each.code for each in criteria if not each.terms.set_sha256]
    if not criteria or loose:
        said = f"{', '.join(loose)} name no set" if loose else "no acceptance criterion is agreed"
        remedy = "pass the gate of data preparation" if loose else "agree acceptance criteria as a change"
        return Requirement(code="criteria_bound", title=title, status=Status.MISSING, said=said, remedy=remedy)
    said = f"{len(criteria)} criteria on set {facts.sealed_sha256[:12]}"
    return Requirement(code="criteria_bound", title=title, status=Status.MET, said=said)


def _detectable(facts: Facts) -> Requirement:
    code, title = "detectable_gain", "The smallest gain the test set can show"
    promised, measured = headline(facts), best_prompt(facts)
    if promised is None or promised.terms.operator is Operator.AT_MOST:
        return Requirement(code=code, title=title, status=Status.MET, said="no criterion promises a gain")
    if measured is None:
        said, remedy = "the best prompt is not measured on the sealed set", "measure it first"
        return Requirement(code=code, title=title, status=Status.MISSING, said=said, remedy=remedy)
    run, result = measured
    value, target, items = result.value, promised.terms.threshold, result.items
    if value >= target:
        said = f"the best prompt is at {percent(value)} already; {percent(target)} is promised"
        return Requirement(code=code, title=title, status=Status.MET, said=said, evidence=(run.id,))
    gain = detectable_gain(value, items)
    shown = f"{items} items show a gain of {100 * gain:.1f} points" if gain else f"{items} items show no gain at all"
    said = f"{shown}; {100 * (target - value):.1f} points are promised over {percent(value)}"
    if gain is not None and gain <= target - value:
        return Requirement(code=code, title=title, status=Status.MET, said=said, evidence=(run.id,))
    remedy = f"{items_needed(value, target)} items show it: hold out more, or agree another promise"
    return Requirement(code=code, title=title, status=Status.FAILED, said=said, remedy=remedy, evidence=(run.id,))


def _stop_condition(facts: Facts) -> Requirement:
    code, title = "stop_condition", "The stop condition, read"
    stop_at, measured = facts.agreed.stop_at, best_prompt(facts)
    if stop_at is None:
        return Requirement(code=code, title=title, status=Status.MET, said="no stop condition is agreed")
    if measured is None:
        said, remedy = "the best prompt is not measured on the sealed set", "measure it, then read the condition"
        return Requirement(code=code, title=title, status=Status.MISSING, said=said, remedy=remedy)
    run, result = measured
    between = interval_of(result)
    said = f"best prompt at {written(result.value, between, result.items)}; stop at {percent(stop_at)}"
    match bound_outcome(Operator.AT_LEAST, stop_at, between):
        case Outcome.PASS:
            status, remedy = Status.FAILED, "the prompt is enough: stop is the agreed answer"
        case Outcome.FAIL:
            status, remedy = Status.MET, ""
        case Outcome.INCONCLUSIVE:
            status, remedy = Status.INCONCLUSIVE, "measure more items, or decide with the client and say why"
    return Requirement(code=code, title=title, status=status, said=said, remedy=remedy, evidence=(run.id,))
