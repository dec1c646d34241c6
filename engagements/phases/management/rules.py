"""Gate 6, once a month: drift read, retraining decided, service held, the month reported."""

from typing import Final

from engagements.delivery.evidence import DriftCheck, Retraining
from engagements.phases.facts import Facts, Recorded
from engagements.phases.requirements import Requirement, Status
from estimator.phases import Phase

_TITLES: Final = {
    "drift": "Drift within the thresholds, or answered",
    "retraining": "Retraining decided",
    "service_levels": "Service levels held",
    "monthly_report": "Monthly report delivered",
}


def requirements(facts: Facts) -> tuple[Requirement, ...]:
    """Evidence of this month's round only: what was read last month says nothing of this one."""
    month = facts.rounds.get(Phase.MANAGEMENT, 1)
    found = next((each for each in facts.drift_checks if each.phase is Phase.MANAGEMENT and each.round == month), None)
    if found is None:
        said, remedy = f"no drift check of month {month}", "compare the month with training, and record the check"
        return tuple(
            Requirement(code=code, title=title, status=Status.MISSING, said=said, remedy=remedy)
            for code, title in _TITLES.items()
        )
    return _drift(found), _retraining(found), _service_levels(found), _report(found)


def _of(found: Recorded[DriftCheck], code: str, status: Status, said: str, remedy: str = "") -> Requirement:
    remedy = "" if status is Status.MET else remedy
    return Requirement(code=code, title=_TITLES[code], status=status, said=said, remedy=remedy, evidence=(found.id,))


def _drift(found: Recorded[DriftCheck]) -> Requirement:
    signals = found.content.signals
    over = [signal for signal in signals if signal.drifts]
    if not over:
        return _of(found, "drift", Status.MET, f"0 of {len(signals)} signals over their threshold")
    names = "; ".join(f"{signal.name} {signal.value:g}, threshold {signal.threshold:g}" for signal in over)
    said = f"{len(over)} of {len(signals)} signals over: {names}"
    decided = found.content.retraining
    if decided is not None and decided.decision is Retraining.RETRAIN:
        return _of(found, "drift", Status.MET, f"{said}; retraining is decided")
    return _of(found, "drift", Status.FAILED, said, "retrain, or overrule it and say why waiting is right")


def _retraining(found: Recorded[DriftCheck]) -> Requirement:
    decided = found.content.retraining
    if decided is None:
        remedy = "decide: retrain, wait, or not needed, with the reason"
        return _of(found, "retraining", Status.MISSING, "retraining is not decided", remedy)
    said = f"{decided.decision.replace('_', ' ')}, {decided.by}{f': {decided.reason}' if decided.reason else ''}"
    return _of(found, "retraining", Status.MET, said)


def _service_levels(found: Recorded[DriftCheck]) -> Requirement:
    levels = found.content.service_levels
    if not levels:
        remedy = "measure what was promised: availability, latency, answers to incidents"
        return _of(found, "service_levels", Status.MISSING, "no service level was measured", remedy)
    missed = [level for level in levels if not level.holds]
    if missed:
        said = "; ".join(f"{level.name} {level.value:g}, {level.operator} {level.limit:g}" for level in missed)
        return _of(found, "service_levels", Status.FAILED, said, "tell the client, and say what is done about it")
    return _of(found, "service_levels", Status.MET, f"{len(levels)} of {len(levels)} held")


def _report(found: Recorded[DriftCheck]) -> Requirement:
    report = found.content.report_sha256
    if report is None:
        return _of(found, "monthly_report", Status.MISSING, "no report of the month", "write it, record its digest")
    return _of(found, "monthly_report", Status.MET, f"digest {report[:12]}")
