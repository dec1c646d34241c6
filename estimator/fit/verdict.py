"""The verdict: approaches scored from the answers, and rules that no score outvotes.

An approach's score is the sum of the points of the answers that speak of it, as a share of what they could have
said. Above the scores stand: a prompt that already reaches the target, a need that prompting or retrieval serves
better, and a prompt that nobody has tried to improve.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from estimator.brief import Brief, Task
from estimator.evidence import wilson_interval
from estimator.fit.readiness import ReadinessCheck, check_readiness
from estimator.fit.signals import QUESTIONS, Approach, Signal, signals_of

_TUNING: Final = frozenset({Approach.FINE_TUNE, Approach.BOTH})


class Verdict(StrEnum):
    """`PROVE_FIRST` buys phases 1 and 2 and decides at gate 2; `DO_NOT_FINE_TUNE` is a plain no."""

    FINE_TUNE = "fine_tune"
    PROVE_FIRST = "prove_first"
    DO_NOT_FINE_TUNE = "do_not_fine_tune"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproachScore:
    """0 to 100; 50 where the answers say nothing either way. `points` for it less those against it."""

    approach: Approach
    score: int
    points: int
    reasons: tuple[str, ...]

    @property
    def strength(self) -> tuple[int, int]:
        """Of two approaches that nothing speaks against, the one is stronger that more speaks for."""
        return self.score, self.points


@dataclass(frozen=True, slots=True, kw_only=True)
class FitReport:
    verdict: Verdict
    approach: Approach
    headline: str
    scores: tuple[ApproachScore, ...]
    reasons: tuple[str, ...]
    missing: tuple[str, ...]
    stop_condition: str
    stop_at_percent: Decimal
    readiness: tuple[ReadinessCheck, ...]

    @property
    def ready(self) -> bool:
        return all(check.ready for check in self.readiness)


def assess_fit(brief: Brief) -> FitReport:
    """The verdict on a brief, with everything that led to it."""
    signals = signals_of(brief.fit)
    scores = tuple(_score(approach, signals) for approach in Approach)
    # Between equals the verdict is open: tuning is named, and `_decide` has it proven first.
    best = max(scores, key=lambda score: (*score.strength, score.approach in _TUNING)).approach
    readiness = check_readiness(brief)
    stop_at = brief.task.stop_at_percent if brief.task.stop_at_percent is not None else brief.task.target_percent
    verdict, reasons = _decide(brief, scores, best, min(stop_at, brief.task.target_percent), readiness)
    return FitReport(
        verdict=verdict,
        approach=best,
        headline=_headline(verdict, best),
        scores=tuple(sorted(scores, key=lambda score: score.strength, reverse=True)),
        reasons=reasons,
        missing=_missing(brief),
        stop_condition=(
            f"If the prompt-optimised baseline reaches {stop_at} % on {brief.task.metric}, stop after phase 2: "
            "the prompt does the job and only phases 1 and 2 are paid."
        ),
        stop_at_percent=stop_at,
        readiness=readiness,
    )


def _score(approach: Approach, signals: list[Signal]) -> ApproachScore:
    speaking = [signal for signal in signals if approach in signal.points]
    said = sum(signal.points[approach] for signal in speaking)
    possible = sum(abs(signal.points[approach]) for signal in speaking)
    score = round(50 + 50 * said / possible) if possible else 50
    loudest = sorted(speaking, key=lambda signal: -abs(signal.points[approach]))
    reasons = tuple(f"{signal.reason} ({signal.points[approach]:+d})" for signal in loudest)
    return ApproachScore(approach=approach, score=score, points=said, reasons=reasons)


def _decide(
    brief: Brief,
    scores: tuple[ApproachScore, ...],
    best: Approach,
    enough: Decimal,
    readiness: tuple[ReadinessCheck, ...],
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict and its reasons; the first rule that holds decides."""
    task = brief.task
    measured = task.baseline_percent if task.baseline_source == "measured" else None
    reached = measured is not None and measured >= enough
    shown = not reached or _is_shown(task, enough)
    if reached and shown:
        reason = f"the prompted baseline was measured at {measured} % and {enough} % is enough"
        return Verdict.DO_NOT_FINE_TUNE, (reason,)
    if best not in _TUNING:
        reason = f"your answers speak most for {best.words}; try that first, it is cheaper and sooner"
        return Verdict.DO_NOT_FINE_TUNE, (reason,)
    doubts = [*_open_answers(brief, scores, best)]
    if not shown:
        said = f"measured at {measured} %, but on {task.baseline_items:,} items that may be less than {enough} %"
        doubts.append(f"the prompted baseline was {said}: the prompt may or may not do")
    doubts += [f"{check.finding}; {check.remedy}" for check in readiness if not check.ready]
    if measured is None:
        doubts.append("the baseline is not measured, so the gain is a hope")
    if doubts:
        return Verdict.PROVE_FIRST, tuple(dict.fromkeys(doubts))
    return Verdict.FINE_TUNE, (f"your answers speak for {best.words}, and everything it needs is there",)


def _is_shown(task: Task, enough: Decimal) -> bool:
    """Whether the baseline's 95 % interval clears what is enough; a client's word stands where no items are named."""
    assert task.baseline_percent is not None, "only a baseline that is known can reach anything"
    if task.baseline_items is None:
        return True
    return wilson_interval(float(task.baseline_percent) / 100, task.baseline_items).low >= float(enough) / 100


def _open_answers(brief: Brief, scores: tuple[ApproachScore, ...], best: Approach) -> Iterator[str]:
    strongest = max(score.strength for score in scores)
    equal = [score.approach.words for score in scores if score.strength == strongest and score.approach not in _TUNING]
    if equal:
        yield f"your answers speak as much for {' and '.join(equal)} as for {best.words}"
    if brief.fit.prompt_optimised is not True:
        yield "nobody has optimised the prompt yet, so the gain of tuning is unknown"


def _headline(verdict: Verdict, best: Approach) -> str:
    match verdict:
        case Verdict.FINE_TUNE:
            return f"Go: {best.words}."
        case Verdict.PROVE_FIRST:
            return f"Prove it first: {best.words} fits, and phases 1 and 2 must show the gain before more is spent."
        case Verdict.DO_NOT_FINE_TUNE:
            instead = Approach.PROMPT if best in _TUNING else best
            return f"Do not fine-tune: {instead.words} is the better answer."


def _missing(brief: Brief) -> tuple[str, ...]:
    unanswered = [question for field, question in QUESTIONS.items() if getattr(brief.fit, field) is None]
    if brief.task.baseline_percent is None:
        unanswered.append("what the base model reaches today")
    if brief.data.quality is None:
        unanswered.append("in what state the examples are")
    return tuple(unanswered)
