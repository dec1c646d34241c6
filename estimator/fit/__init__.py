"""Should this client fine-tune at all? A verdict with reasons, what is missing, and when to stop."""

from estimator.fit.readiness import VOLUME, ReadinessCheck, VolumeGuidance, check_readiness
from estimator.fit.signals import Approach, Signal
from estimator.fit.verdict import ApproachScore, FitReport, Verdict, assess_fit

__all__ = [
    "VOLUME",
    "Approach",
    "ApproachScore",
    "FitReport",
    "ReadinessCheck",
    "Signal",
    "Verdict",
    "VolumeGuidance",
    "assess_fit",
    "check_readiness",
]
