"""What a sitting can be refused for; every one of them leaves all as it was."""

from engagements.core.errors import Conflict


class GateConflict(Conflict):
    """The state of the phase or of the gate says no: `gate_conflict`."""

    code = "gate_conflict"


class PhaseSkipped(Conflict):
    """A gate whose phase has not begun; the one before it comes first."""

    code = "phase_skipped"


class PhaseBlocked(Conflict):
    """Must-meet requirements are not met, nor overridden; `problems` has all of them."""

    code = "phase_blocked"
