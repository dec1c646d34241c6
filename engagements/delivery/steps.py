"""What can be done with a phase in each of its states; pure.

ready -start-> in_progress <-block | unblock-> blocked
in_progress -review-> gate_review, from where its gate decides or `resume` leads back
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from engagements.core.errors import Conflict
from engagements.delivery.models import CURRENT, PhaseState
from estimator.phases import Phase


class PhaseConflict(Conflict):
    """The state of a phase says no."""

    code = "phase_conflict"


class Step(StrEnum):
    START = "start"
    BLOCK = "block"
    UNBLOCK = "unblock"
    REVIEW = "review"
    RESUME = "resume"


_S: Final = PhaseState
STEPS: Final[Mapping[Step, tuple[PhaseState, PhaseState]]] = {
    Step.START: (_S.READY, _S.IN_PROGRESS),
    Step.BLOCK: (_S.IN_PROGRESS, _S.BLOCKED),
    Step.UNBLOCK: (_S.BLOCKED, _S.IN_PROGRESS),
    Step.REVIEW: (_S.IN_PROGRESS, _S.GATE_REVIEW),
    Step.RESUME: (_S.GATE_REVIEW, _S.IN_PROGRESS),
}
"""From which state, into which."""

DONE: Final = {
    Step.START: "started",
    Step.BLOCK: "blocked",
    Step.UNBLOCK: "unblocked",
    Step.REVIEW: "handed in for its gate",
    Step.RESUME: "taken back from its gate",
}


def steps_from(state: PhaseState) -> tuple[Step, ...]:
    return tuple(step for step, (before, _) in STEPS.items() if before is state)


def stepped(states: Mapping[Phase, PhaseState], phase: Phase, step: Step) -> PhaseState:
    """The state a step leads into. `states`: of every phase of the engagement. Raises `PhaseConflict`."""
    if phase not in states:
        ours = ", ".join(each.label for each in states)
        raise PhaseConflict(f"{phase.label} is no part of this engagement", remedy=f"its phases are {ours}")
    before, after = STEPS[step]
    if states[phase] is before:
        return after
    state = states[phase].replace("_", " ")
    raise PhaseConflict(f"{phase.label} is {state} and cannot be {DONE[step]}", remedy=_remedy(states, phase))


def _remedy(states: Mapping[Phase, PhaseState], phase: Phase) -> str:
    if possible := steps_from(states[phase]):
        return f"it can be {' or '.join(DONE[step] for step in possible)}"
    current: Sequence[Phase] = [each for each, state in states.items() if state in CURRENT]
    if states[phase] is PhaseState.PLANNED and current:
        return f"{current[0].label} is the current phase: its gate has to pass first"
    return "go on with the current phase" if current else "no phase is under way"
