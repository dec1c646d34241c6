"""How gates are worded and coloured on pages."""

from collections.abc import Mapping
from typing import Final

from engagements.delivery.gate_models import EvidenceKind, GateState, Verdict
from engagements.evals.verdicts import Outcome
from engagements.phases.requirements import Status
from engagements.rendering import Badge


def _badge(tone: str, label: str) -> Badge:
    return Badge(tone=tone, label=label)


STATUSES: Final[Mapping[Status, Badge]] = {
    Status.MET: _badge("good", "Met"),
    Status.MISSING: _badge("quiet", "Missing"),
    Status.FAILED: _badge("bad", "Not met"),
    Status.INCONCLUSIVE: _badge("warn", "Inconclusive"),
    Status.UNKNOWN: _badge("warn", "Unknown"),
}
OUTCOMES: Final[Mapping[Outcome | None, Badge]] = {
    Outcome.PASS: _badge("good", "Pass"),
    Outcome.FAIL: _badge("bad", "Fail"),
    Outcome.INCONCLUSIVE: _badge("warn", "Inconclusive"),
    None: _badge("quiet", "Not measured"),
}
VERDICTS: Final[Mapping[Verdict, Badge]] = {
    Verdict.GO: _badge("good", "Go"),
    Verdict.GO_WITH_CONDITIONS: _badge("good", "Go, with conditions"),
    Verdict.HOLD: _badge("warn", "Hold"),
    Verdict.RECYCLE: _badge("warn", "Another round"),
    Verdict.STOP: _badge("bad", "Stop"),
}
DECISIONS: Final[Mapping[GateState, Badge]] = {
    GateState.AWAITING_CLIENT: _badge("accent", "Waits for the client"),
    GateState.FINAL: _badge("quiet", "Final"),
    GateState.REFUSED: _badge("bad", "Refused by the client"),
}
KINDS: Final[Mapping[EvidenceKind, str]] = {
    EvidenceKind.DATASET_VERSION: "Dataset version",
    EvidenceKind.EVALUATION_RUN: "Evaluation run",
    EvidenceKind.COMPARISON: "Comparison",
    EvidenceKind.TRAINING_RUN: "Training run",
    EvidenceKind.DEPLOYMENT: "Deployment",
    EvidenceKind.DRIFT_CHECK: "Drift check",
}
CHOICES: Final = (
    (Verdict.GO.value, "Go", "The phase is done; the next one is ready."),
    (Verdict.GO_WITH_CONDITIONS.value, "Go, with conditions", "They have to be met before the next gate."),
    (Verdict.HOLD.value, "Hold", "Wait, and look at it again on a day you name."),
    (Verdict.RECYCLE.value, "Another round", "Back to work; the round counts."),
    (Verdict.STOP.value, "Stop", "The work ends here and is closed out."),
)
"""Of the decision form: value, label, what follows."""
