"""How a report names states: the words a client reads, by state."""

from collections.abc import Mapping
from typing import Final

from engagements.changes.models import ChangeState
from engagements.delivery.gate_models import EvidenceKind, GateState, Verdict
from engagements.delivery.health import Health
from engagements.delivery.models import DeliverableState, PhaseState, RaidState

HEALTH_WORDS: Final[Mapping[Health, str]] = {
    Health.ON_TRACK: "on track",
    Health.AT_RISK: "at risk",
    Health.LATE: "late",
    Health.UNKNOWN: "unknown",
}
PHASE_WORDS: Final[Mapping[PhaseState, str]] = {
    PhaseState.PLANNED: "planned",
    PhaseState.READY: "ready to start",
    PhaseState.IN_PROGRESS: "under way",
    PhaseState.BLOCKED: "blocked",
    PhaseState.GATE_REVIEW: "at its gate",
    PhaseState.DONE: "done",
    PhaseState.STOPPED: "stopped",
}
VERDICT_WORDS: Final[Mapping[Verdict, str]] = {
    Verdict.GO: "go",
    Verdict.GO_WITH_CONDITIONS: "go with conditions",
    Verdict.HOLD: "hold",
    Verdict.RECYCLE: "another round",
    Verdict.STOP: "stop",
}
GATE_WORDS: Final[Mapping[GateState, str]] = {
    GateState.AWAITING_CLIENT: "waits for your signature",
    GateState.FINAL: "final",
    GateState.REFUSED: "not signed by you",
}
DELIVERABLE_WORDS: Final[Mapping[DeliverableState, str]] = {
    DeliverableState.DRAFT: "in the making",
    DeliverableState.INTERNAL_REVIEW: "in our own review",
    DeliverableState.SUBMITTED: "handed over, waits for you",
    DeliverableState.ACCEPTED: "accepted",
    DeliverableState.ACCEPTED_WITH_RESERVATIONS: "accepted with reservations",
    DeliverableState.REJECTED: "returned by you",
}
CHANGE_WORDS: Final[Mapping[ChangeState, str]] = {
    ChangeState.DRAFT: "drafted",
    ChangeState.ASSESSED: "assessed",
    ChangeState.APPROVED: "approved by us",
    ChangeState.SENT: "waits for your decision",
    ChangeState.AGREED: "agreed",
    ChangeState.DECLINED: "declined",
    ChangeState.WITHDRAWN: "withdrawn",
}
RAID_WORDS: Final[Mapping[RaidState, str]] = {
    RaidState.OPEN: "open",
    RaidState.CLOSED: "closed",
    RaidState.HELD: "held true",
    RaidState.BROKEN: "turned out false",
}
EVIDENCE_WORDS: Final[Mapping[EvidenceKind, str]] = {
    EvidenceKind.DATASET_VERSION: "Dataset version",
    EvidenceKind.EVALUATION_RUN: "Evaluation run",
    EvidenceKind.COMPARISON: "Comparison",
    EvidenceKind.TRAINING_RUN: "Training run",
    EvidenceKind.DEPLOYMENT: "Deployment",
    EvidenceKind.DRIFT_CHECK: "Drift check",
}
