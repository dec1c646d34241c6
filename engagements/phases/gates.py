"""The six gates in order: which rules each asks, and what stands open of the gates before it. Pure."""

from collections.abc import Callable, Mapping
from typing import Final

from engagements.phases.baseline_evaluation import rules as baseline_evaluation
from engagements.phases.data_preparation import rules as data_preparation
from engagements.phases.deployment import rules as deployment
from engagements.phases.evaluation import rules as evaluation
from engagements.phases.facts import Facts
from engagements.phases.management import rules as management
from engagements.phases.requirements import Requirement, Status
from engagements.phases.training import rules as training
from estimator.phases import Phase

GATES: Final[Mapping[Phase, Callable[[Facts], tuple[Requirement, ...]]]] = {
    Phase.DATA_PREPARATION: data_preparation.requirements,
    Phase.BASELINE_EVALUATION: baseline_evaluation.requirements,
    Phase.TRAINING: training.requirements,
    Phase.EVALUATION: evaluation.requirements,
    Phase.DEPLOYMENT: deployment.requirements,
    Phase.MANAGEMENT: management.requirements,
}


def requirements_of(phase: Phase, facts: Facts) -> tuple[Requirement, ...]:
    """What its gate asks for, and the open conditions of earlier sittings. Codes are unique."""
    return *GATES[phase](facts), *_conditions(facts)


def _conditions(facts: Facts) -> tuple[Requirement, ...]:
    return tuple(
        Requirement(
            code=f"condition_{each.id}", title=f"Condition of {each.phase.label.lower()}", status=Status.MISSING,
            said=f"{each.text} ({'was due' if each.overdue else 'due'} {each.due.isoformat()})",
            remedy="meet it, and say how",
        )
        for each in facts.open_conditions
    )  # fmt: skip
