"""The six phases of an engagement, in order."""

from enum import StrEnum


class Phase(StrEnum):
    DATA_PREPARATION = "data_preparation"
    BASELINE_EVALUATION = "baseline_evaluation"
    TRAINING = "training"
    EVALUATION = "evaluation"
    DEPLOYMENT = "deployment"
    MANAGEMENT = "management"

    @property
    def number(self) -> int:
        """1 to 6."""
        return list(Phase).index(self) + 1

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Phase.DATA_PREPARATION: "Data preparation",
    Phase.BASELINE_EVALUATION: "Baseline evaluation",
    Phase.TRAINING: "Training",
    Phase.EVALUATION: "Evaluation",
    Phase.DEPLOYMENT: "Deployment",
    Phase.MANAGEMENT: "Ongoing management",
}

DELIVERY = tuple(Phase)[:5]
"""The phases that end; ongoing management goes on month by month."""
