"""What the rules of a gate read: the plan that was agreed and the evidence that stands. Pure.

Evidence that was superseded is left out, and so is what a later phase recorded: no gate looks ahead. Newest first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from engagements.delivery.evidence import (
    Comparison,
    DatasetVersion,
    Deployment,
    DriftCheck,
    EvaluationRun,
    MetricResult,
    Purpose,
    SplitName,
    Subject,
    TrainingRun,
)
from engagements.evals.intervals import mcnemar_p, paired_difference, wilson
from engagements.evals.verdicts import Gain, Judgement, Measured, Terms, judge
from estimator.evidence import Interval
from estimator.money import Money
from estimator.phases import Phase

Content_co = TypeVar("Content_co", covariant=True)
MUST = "must"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(Generic[Content_co]):
    """A record of evidence, read. `round`: of its phase when it was recorded."""

    id: str
    phase: Phase
    round: int
    measured_at: datetime
    content: Content_co


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedCriterion:
    """An acceptance criterion. `tier`: must, should or stretch; `baseline` as agreed, before it was measured."""

    code: str
    tier: str
    metric: str
    set_name: str
    terms: Terms
    baseline: float | None

    @property
    def is_must(self) -> bool:
        return self.tier == MUST


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """Of the plan in force. None: nothing was agreed about it."""

    criteria: tuple[AgreedCriterion, ...]
    stop_at: float | None
    compute_cap: Money | None
    included_rounds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCondition:
    """What an earlier gate was passed on, and is not met yet."""

    id: str
    phase: Phase
    text: str
    due: date
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`rounds`: of each phase, as it is now."""

    rounds: Mapping[Phase, int]
    agreed: Agreed
    datasets: Sequence[Recorded[DatasetVersion]] = ()
    evaluations: Sequence[Recorded[EvaluationRun]] = ()
    comparisons: Sequence[Recorded[Comparison]] = ()
    runs: Sequence[Recorded[TrainingRun]] = ()
    deployments: Sequence[Recorded[Deployment]] = ()
    drift_checks: Sequence[Recorded[DriftCheck]] = ()
    open_conditions: Sequence[OpenCondition] = ()

    @property
    def dataset(self) -> Recorded[DatasetVersion] | None:
        return self.datasets[0] if self.datasets else None

    @property
    def sealed_sha256(self) -> str:
        """The digest of the sealed test set: as the criteria were bound to it, or as the dataset has it. "": none."""
        bound = next((each.terms.set_sha256 for each in self.agreed.criteria if each.terms.set_sha256), "")
        test = self.dataset.content.split(SplitName.TEST) if self.dataset else None
        return bound or (test.sha256 if test else "")

    @property
    def candidate(self) -> Recorded[TrainingRun] | None:
        """The run whose checkpoint was chosen, the last time one was."""
        return next((run for run in self.runs if run.content.checkpoint), None)

    def is_of_the_candidate(self, model_sha256: str | None) -> bool:
        """Whether a model is the one that training chose; any is, while no training run is recorded."""
        chosen = self.candidate.content.checkpoint if self.candidate else None
        return chosen is None or chosen.sha256 == model_sha256

    def on_the_sealed_set(self, subject: Subject) -> Recorded[EvaluationRun] | None:
        return next(
            (
                run
                for run in self.evaluations
                if run.content.subject is subject
                and run.content.purpose is Purpose.ACCEPTANCE
                and run.content.set_sha256 == self.sealed_sha256
            ),
            None,
        )


def interval_of(result: MetricResult) -> Interval:
    """Wilson's where the hits are known, as criteria are agreed; otherwise the interval that was measured."""
    if result.hits is not None:
        return wilson(result.hits, result.items)
    return Interval(low=result.low, high=result.high)


def judged(facts: Facts, criterion: AgreedCriterion) -> tuple[Judgement, tuple[str, ...]]:
    """The verdict of a criterion on the candidate, and the ids of the evidence it rests on."""
    run = _first_on_the_set(
        criterion,
        [
            each
            for each in facts.evaluations
            if each.content.subject is Subject.CANDIDATE
            and each.content.purpose is Purpose.ACCEPTANCE
            and each.content.result(criterion.metric)
            and facts.is_of_the_candidate(each.content.model_sha256)
        ],
    )
    compared = _first_on_the_set(
        criterion,
        [
            each
            for each in facts.comparisons
            if each.content.purpose is Purpose.ACCEPTANCE
            and each.content.baseline_subject is Subject.BEST_PROMPT
            and each.content.metric.casefold() == criterion.metric.casefold()
            and facts.is_of_the_candidate(each.content.candidate_sha256)
        ],
    )
    judgement = judge(
        criterion.terms,
        _measured(run.content, criterion.metric) if run else None,
        gain_of(compared.content) if compared else None,
    )
    return judgement, tuple(each.id for each in (run, compared if criterion.terms.paired else None) if each)


OverItems = TypeVar("OverItems", EvaluationRun, Comparison)


def _first_on_the_set(criterion: AgreedCriterion, found: Sequence[Recorded[OverItems]]) -> Recorded[OverItems] | None:
    """The newest over the agreed set; another one only where there is none, so that the verdict can say so."""
    agreed = (each for each in found if each.content.set_sha256 == criterion.terms.set_sha256)
    return next(agreed, found[0] if found else None)


def _measured(run: EvaluationRun, metric: str) -> Measured | None:
    result = run.result(metric)
    if result is None:
        return None
    return Measured(
        value=result.value, interval=interval_of(result), items=result.items, set_sha256=run.set_sha256
    )  # fmt: skip


def gain_of(found: Comparison) -> Gain:
    """From the discordant counts where they are known, so that interval and p are of one making."""
    if found.only_candidate is not None and found.only_baseline is not None:
        won, lost = found.only_candidate, found.only_baseline
        between, p = paired_difference(won, lost, found.items), mcnemar_p(won, lost)
    else:
        between, p = Interval(low=found.low, high=found.high), found.p
    return Gain(
        difference=found.difference, interval=between, p=p, items=found.items, set_sha256=found.set_sha256
    )  # fmt: skip
