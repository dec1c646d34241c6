"""How states are said on a page: a tone of the badge and its words."""

from collections.abc import Mapping
from typing import Final

from engagements.delivery.lines import MilestoneStanding
from engagements.delivery.models import DeliverableState, PhaseState
from engagements.delivery.steps import Step
from engagements.rendering import Badge

PHASES: Final[Mapping[PhaseState, Badge]] = {
    PhaseState.PLANNED: Badge(tone="quiet", label="Planned"),
    PhaseState.READY: Badge(tone="quiet", label="Ready to begin"),
    PhaseState.IN_PROGRESS: Badge(tone="accent", label="In progress"),
    PhaseState.BLOCKED: Badge(tone="bad", label="Blocked"),
    PhaseState.GATE_REVIEW: Badge(tone="warn", label="At its gate"),
    PhaseState.DONE: Badge(tone="good", label="Done"),
    PhaseState.STOPPED: Badge(tone="bad", label="Stopped"),
}
MILESTONES: Final[Mapping[MilestoneStanding, Badge]] = {
    MilestoneStanding.REACHED: Badge(tone="good", label="Reached"),
    MilestoneStanding.LATE: Badge(tone="warn", label="Past its day"),
    MilestoneStanding.DUE: Badge(tone="quiet", label="Ahead"),
}
DELIVERABLES: Final[Mapping[DeliverableState, Badge]] = {
    DeliverableState.DRAFT: Badge(tone="quiet", label="In preparation"),
    DeliverableState.INTERNAL_REVIEW: Badge(tone="accent", label="In internal review"),
    DeliverableState.SUBMITTED: Badge(tone="warn", label="With the client"),
    DeliverableState.ACCEPTED: Badge(tone="good", label="Accepted"),
    DeliverableState.ACCEPTED_WITH_RESERVATIONS: Badge(tone="good", label="Accepted with reservations"),
    DeliverableState.REJECTED: Badge(tone="bad", label="Returned"),
}
STEPS: Final[Mapping[Step, str]] = {
    Step.START: "Start",
    Step.BLOCK: "Block",
    Step.UNBLOCK: "Go on",
    Step.REVIEW: "Hand in for the gate",
    Step.RESUME: "Take back from the gate",
}
