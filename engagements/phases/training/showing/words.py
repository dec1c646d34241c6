"""How training is said on a page."""

from collections.abc import Mapping
from typing import Final

from engagements.phases.training.judging.verdicts import VerdictKind
from engagements.phases.training.models import ExperimentState, Strategy, TrainingState
from engagements.phases.training.schemas import Design
from engagements.rendering import Badge
from estimator.money import Money

EXPERIMENTS: Final[Mapping[ExperimentState, Badge]] = {
    ExperimentState.PLANNED: Badge(tone="warn", label="Planned"),
    ExperimentState.RUNNING: Badge(tone="accent", label="Under way"),
    ExperimentState.DONE: Badge(tone="good", label="Done"),
    ExperimentState.CANCELLED: Badge(tone="quiet", label="Cancelled"),
}
RUNS: Final[Mapping[TrainingState, Badge]] = {
    TrainingState.PLANNED: Badge(tone="quiet", label="Planned"),
    TrainingState.WAITING: Badge(tone="quiet", label="Waiting"),
    TrainingState.SUBMITTING: Badge(tone="accent", label="Being sent"),
    TrainingState.SUBMIT_UNKNOWN: Badge(tone="warn", label="Sent, not confirmed"),
    TrainingState.VALIDATING: Badge(tone="accent", label="Files checked"),
    TrainingState.QUEUED: Badge(tone="accent", label="In the queue"),
    TrainingState.RUNNING: Badge(tone="accent", label="Training"),
    TrainingState.PAUSED: Badge(tone="warn", label="Paused"),
    TrainingState.FINALIZING: Badge(tone="accent", label="Finishing"),
    TrainingState.SCORING: Badge(tone="accent", label="Being scored"),
    TrainingState.SUCCEEDED: Badge(tone="good", label="Done"),
    TrainingState.FAILED: Badge(tone="bad", label="Failed"),
    TrainingState.CANCELLED: Badge(tone="quiet", label="Cancelled"),
    TrainingState.PROVIDER_LOST: Badge(tone="bad", label="Lost by the backend"),
}
VERDICTS: Final[Mapping[str, Badge]] = {
    VerdictKind.HEALTHY: Badge(tone="good", label="Healthy"),
    VerdictKind.UNDERFITTING: Badge(tone="warn", label="Underfitting"),
    VerdictKind.OVERFITTING: Badge(tone="bad", label="Overfitting"),
    VerdictKind.MEMORISING: Badge(tone="bad", label="Learnt by heart"),
    VerdictKind.DIVERGED: Badge(tone="bad", label="Diverged"),
    VerdictKind.UNSTABLE: Badge(tone="warn", label="Unstable"),
    VerdictKind.FROZEN: Badge(tone="bad", label="Frozen"),
    VerdictKind.MASK_BROKEN: Badge(tone="bad", label="Mask broken"),
    VerdictKind.PLATEAU: Badge(tone="warn", label="Plateau"),
    VerdictKind.NO_VALIDATION: Badge(tone="quiet", label="Without validation"),
    VerdictKind.TOO_EARLY: Badge(tone="quiet", label="Too early to say"),
}
DESIGNS: Final[Mapping[Design, tuple[str, str]]] = {
    Design.THREE: (
        "The usual three", "Defaults, half the learning rate, and the best-scored examples alone.",
    ),
    Design.ONE: ("One run", "As it is set below."),
    Design.GRID: ("A grid", "Every combination of the values that you name, ten runs at most."),
}  # fmt: skip
STRATEGIES: Final[Mapping[Strategy, tuple[str, str]]] = {
    Strategy.ALL: ("Every run to its end", ""),
    Strategy.SUCCESSIVE_HALVING: (
        "Stop those behind early", "All begin; at each rung a third goes on, by validation loss.",
    ),
}  # fmt: skip
_SMALL: Final = 0.001
METRICS: Final[Mapping[str, str]] = {
    "exact_match": "Exact match",
    "label": "Right label",
    "token_f1": "Token F1",
    "json_fields": "Fields right",
}


def metric(name: str) -> str:
    return METRICS.get(name, name.replace("_", " ").capitalize())


def duration(hours: float) -> str:
    """How long, as people say it: 40 s, 12 min, 3 h 05 min, 2 days 4 h."""
    seconds = round(hours * 3600)
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    whole, rest = divmod(minutes, 60)
    if whole < 48:
        return f"{whole} h {rest:02} min" if rest else f"{whole} h"
    days, left = divmod(whole, 24)
    return f"{days} days {left} h" if left else f"{days} days"


def short(value: float) -> str:
    """The shortest that says it: 2e-4, 0.05, 16; rates are compared by their powers of ten."""
    if not value or abs(value) >= _SMALL:
        return f"{value:g}"
    mantissa, _, power = f"{value:.2e}".partition("e")
    return f"{float(mantissa):g}e{int(power)}"


def money_of(minor: int | None, currency: str) -> Money | None:
    return None if minor is None else Money(minor, currency)
