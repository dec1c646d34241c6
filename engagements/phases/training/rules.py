"""Gate 3: a candidate that can be made again, chosen on validation, within the cost and the rounds agreed."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from engagements.delivery.evidence import ChosenBy, TrainingRun
from engagements.phases.facts import Facts, Recorded
from engagements.phases.requirements import Requirement, Status
from estimator.money import Money
from estimator.phases import Phase

EPOCHS: Final = (1, 4)
"""Two to four are the usual start; more on little data learns it by heart."""
RUNS_USUAL: Final = 3
"""Defaults, a lower learning rate, the best examples alone: what a choice is made among."""


def requirements(facts: Facts) -> tuple[Requirement, ...]:
    return (_reproducible(facts), _dataset(facts), _checkpoint(facts), _cost(facts), rounds(facts), *_advice(facts))


def rounds(facts: Facts, phase: Phase = Phase.TRAINING) -> Requirement:
    """Rounds of training up to this phase: what evaluation sends back counts, as the proposal says."""
    used = facts.rounds.get(Phase.TRAINING, 1)
    if phase is Phase.EVALUATION:
        used += facts.rounds.get(Phase.EVALUATION, 1) - 1
    included = facts.agreed.included_rounds
    code, title = "rounds", "Rounds within the plan"
    if included is None:
        return Requirement(code=code, title=title, status=Status.MET, said=f"round {used}; no limit is agreed")
    said = f"round {used} of {included} included"
    if used <= included:
        return Requirement(code=code, title=title, status=Status.MET, said=said)
    remedy = "agree the further round as a change, at the price of the proposal"
    return Requirement(code=code, title=title, status=Status.FAILED, said=said, remedy=remedy)


def _of(code: str, title: str, status: Status, said: str, remedy: str = "", *runs: str) -> Requirement:
    return Requirement(
        code=code, title=title, status=status, said=said, remedy="" if status is Status.MET else remedy, evidence=runs
    )


def _no_candidate(code: str, title: str, facts: Facts) -> Requirement:
    said = "no run gave a candidate" if facts.runs else "no training run is recorded"
    return _of(code, title, Status.MISSING, said, "record the run with the checkpoint that was chosen")


def _reproducible(facts: Facts) -> Requirement:
    code, title, run = "reproducible", "The run can be repeated from its record", facts.candidate
    if run is None:
        return _no_candidate(code, title, facts)
    if run.content.record_sha256 is None:
        remedy = "keep configuration, data digest, seed and versions together, and record the digest"
        return _of(
            code, title, Status.MISSING, f"run {run.content.run} has no record to repeat it from", remedy, run.id
        )
    said = f"run {run.content.run}, seed {run.content.seed}, record {run.content.record_sha256[:12]}"
    return _of(code, title, Status.MET, said, "", run.id)


def _dataset(facts: Facts) -> Requirement:
    code, title, run = "trained_on", "Trained on the dataset that was sealed", facts.candidate
    if run is None:
        return _no_candidate(code, title, facts)
    known = {each.content.sha256: each for each in facts.datasets}
    digest = run.content.dataset_sha256
    if digest not in known:
        remedy = "train on a dataset version that passed its gate, or record the version it was trained on"
        return _of(code, title, Status.FAILED, f"trained on {digest[:12]}, which nobody recorded", remedy, run.id)
    return _of(code, title, Status.MET, f"dataset {known[digest].content.name}", "", run.id, known[digest].id)


def _checkpoint(facts: Facts) -> Requirement:
    code, title, run = "checkpoint", "Candidate chosen on validation, never on test", facts.candidate
    if run is None or run.content.checkpoint is None:
        return _no_candidate(code, title, facts)
    chosen = run.content.checkpoint
    said = f"chosen by {chosen.chosen_by} at step {chosen.step}: {chosen.name}, {chosen.metric} {chosen.value:g}"
    status = Status.MET if chosen.chosen_by is ChosenBy.VALIDATION else Status.FAILED
    return _of(code, title, status, said, "choose the checkpoint on the validation split alone", run.id)


def _cost(facts: Facts) -> Requirement:
    code, title, cap = "compute_cost", "Training cost within the cap", facts.agreed.compute_cap
    if not facts.runs:
        return _no_candidate(code, title, facts)
    if cap is None:
        return _of(code, title, Status.MET, "no cap is agreed")
    known, unknown = _spent(facts.runs, cap.currency)
    ids = tuple(run.id for run in facts.runs)
    count = f"{len(facts.runs)} {'run' if len(facts.runs) == 1 else 'runs'}"
    inside = f"{known.amount:f} of {cap.amount:f} {cap.currency}"
    if known.minor > cap.minor:
        remedy = "agree a higher cap as a change before anything more is run"
        status, said = Status.FAILED, f"{count} cost more than the cap of {cap.amount:f} {cap.currency}"
    elif unknown:
        remedy = f"find out what {', '.join(unknown)} cost in {cap.currency}, and record the run anew"
        status, said = Status.UNKNOWN, f"the cost of {len(unknown)} of {count} is not known"
    else:
        remedy, status, said = "", Status.MET, f"{count} within the cap of {cap.amount:f} {cap.currency}"
    return Requirement(code=code, title=title, status=status, said=said, remedy=remedy, inside=inside, evidence=ids)


def _spent(runs: Sequence[Recorded[TrainingRun]], currency: str) -> tuple[Money, list[str]]:
    """What is known in this currency, and the runs of which it is not."""
    total, unknown = Decimal(0), []
    for run in runs:
        cost = run.content.cost
        if cost is None or cost.currency != currency:
            unknown.append(run.content.run)
        else:
            total += cost.amount
    return Money.of(total, currency), unknown


def _advice(facts: Facts) -> tuple[Requirement, ...]:
    run = facts.candidate
    if run is None:
        return ()
    advice = []
    if not EPOCHS[0] <= run.content.epochs <= EPOCHS[1]:
        said = f"{run.content.epochs:g} epochs; {EPOCHS[0]} to {EPOCHS[1]} are usual"
        advice.append(("epochs", "Number of epochs", said, "look at the validation loss before trusting it"))
    curves, chosen = run.content.curves, run.content.checkpoint
    if curves is None:
        advice.append(("curves", "Loss curves", "no curves are recorded", "record losses of training and validation"))
    elif chosen and chosen.step > curves.best_step and curves.validation_last > curves.validation_best:
        said = f"validation was best at step {curves.best_step}, and step {chosen.step} was chosen"
        advice.append(("overfitting", "No overfitting", said, "take the checkpoint where validation was best"))
    if len(facts.runs) < RUNS_USUAL:
        said = f"{len(facts.runs)} of {RUNS_USUAL} usual experiments"
        remedy = "try a lower learning rate and the best examples alone"
        advice.append(("experiments", "Experiments to choose among", said, remedy))
    return tuple(
        Requirement(
            code=code, title=title, status=Status.FAILED, said=said, remedy=remedy, must=False, evidence=(run.id,)
        )
        for code, title, said, remedy in advice
    )
