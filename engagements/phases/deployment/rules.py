"""Gate 5: the accepted model in production, watched, within its guardrails, with a way back that was tried."""

from typing import Final

from engagements.delivery.evidence import Deployment
from engagements.phases.evaluation.rules import evaluated
from engagements.phases.facts import Facts, Recorded
from engagements.phases.requirements import Requirement, Status

_TITLES: Final = {
    "model": "The model that was accepted",
    "rollback": "Rollback rehearsed and timed",
    "guardrails": "Canary metrics within the guardrails",
    "monitoring": "Monitoring live",
    "model_card": "Model card handed over",
    "access": "Access and runbook handed over",
}


def requirements(facts: Facts) -> tuple[Requirement, ...]:
    if not facts.deployments:
        said, remedy = "no deployment is recorded", "record the deployment as evidence"
        return tuple(
            Requirement(code=code, title=title, status=Status.MISSING, said=said, remedy=remedy)
            for code, title in _TITLES.items()
        )
    made = facts.deployments[0]
    return (
        _model(made, facts), _rollback(made), _guardrails(made), _monitoring(made), _card(made), _access(made)
    )  # fmt: skip


def _of(made: Recorded[Deployment], code: str, status: Status, said: str, remedy: str = "") -> Requirement:
    remedy = "" if status is Status.MET else remedy
    return Requirement(code=code, title=_TITLES[code], status=status, said=said, remedy=remedy, evidence=(made.id,))


def _model(made: Recorded[Deployment], facts: Facts) -> Requirement:
    accepted = evaluated(facts)
    digest = made.content.model_sha256
    if accepted is None or accepted.content.model_sha256 != digest:
        seen = accepted.content.model_sha256 if accepted else None
        said = f"deployed is {digest[:12]}, evaluated was {f'{seen[:12]}' if seen else 'no model with a digest'}"
        return _of(made, "model", Status.FAILED, said, "deploy the model that was evaluated")
    return _of(made, "model", Status.MET, f"{digest[:12]}, as evaluated")


def _rollback(made: Recorded[Deployment]) -> Requirement:
    tried = made.content.rollback
    if tried is None:
        remedy = "switch back once under load, and record when and how long it took"
        return _of(made, "rollback", Status.MISSING, "the way back was not rehearsed", remedy)
    return _of(made, "rollback", Status.MET, f"{tried.at.date().isoformat()}, {tried.seconds:g} seconds")


def _guardrails(made: Recorded[Deployment]) -> Requirement:
    rails = made.content.guardrails
    if not rails:
        remedy = "name limits for errors, latency and quality, and measure them on part of the traffic"
        return _of(made, "guardrails", Status.MISSING, "no guardrail was measured", remedy)
    broken = [rail for rail in rails if not rail.holds]
    if broken:
        said = "; ".join(f"{rail.name} {rail.value:g}, {rail.operator} {rail.limit:g}" for rail in broken)
        return _of(made, "guardrails", Status.FAILED, said, "go back, mend it, and run the canary again")
    unseen = [rail.name for rail in rails if not rail.requests]
    if unseen:
        said = f"{', '.join(unseen)} measured on no request"
        return _of(made, "guardrails", Status.UNKNOWN, said, "let it answer part of the traffic first")
    said = f"{len(rails)} of {len(rails)} hold at {100 * made.content.traffic:.0f}% of the traffic"
    return _of(made, "guardrails", Status.MET, said)


def _monitoring(made: Recorded[Deployment]) -> Requirement:
    since = made.content.monitoring_since
    if since is None:
        remedy = "watch quality, latency, errors, cost and inputs, and record since when"
        return _of(made, "monitoring", Status.MISSING, "nobody watches it yet", remedy)
    return _of(made, "monitoring", Status.MET, f"since {since.date().isoformat()}")


def _card(made: Recorded[Deployment]) -> Requirement:
    card = made.content.card_sha256
    if card is None:
        return _of(made, "model_card", Status.MISSING, "no model card", "write it and record its digest")
    return _of(made, "model_card", Status.MET, f"digest {card[:12]}")


def _access(made: Recorded[Deployment]) -> Requirement:
    access = made.content.access
    if access is None:
        return _of(made, "access", Status.MISSING, "nothing handed over yet", "hand over access and the runbook")
    said = f"{access.by}, {access.on.isoformat()}{'' if access.passed else ': not complete'}"
    return _of(made, "access", Status.MET if access.passed else Status.FAILED, said, "hand over what is missing")
