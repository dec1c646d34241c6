"""What a report says first: what is needed of the client, and what is done, in flight and next. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from engagements.changes.models import ChangeState
from engagements.delivery.gate_models import GateState
from engagements.delivery.models import DeliverableState, MilestoneKind, PhaseState
from engagements.reports.facts import ACCEPTED, DeliverableFact, Facts, MilestoneFact
from engagements.reports.words import DELIVERABLE_WORDS, PHASE_WORDS, VERDICT_WORDS

AHEAD: Final = timedelta(weeks=4)
"""How far a report looks ahead: until after the next one, where they come by the month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing that waits for the client. `since`: how long it has waited, where it waits already."""

    what: str
    why: str
    due: date | None
    since: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line of what is done, in flight or next; `on` where it has a day."""

    what: str
    state: str
    on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    done: tuple[Item, ...]
    in_flight: tuple[Item, ...]
    ahead: tuple[Item, ...]


def needs_of(facts: Facts) -> tuple[Need, ...]:
    """The oldest and the most urgent first; what has no day stands after what waits already."""
    needs = [*_signatures(facts), *_acceptances(facts), *_decisions(facts), *_conditions(facts), *_inputs(facts)]
    return tuple(sorted(needs, key=lambda need: need.due or need.since or date.max))


def next_need(facts: Facts) -> Need | None:
    """The first thing with a day that will be asked of the client, after those that are asked already."""
    inputs = [
        Need(what=each.name, why="", due=each.planned_on, since=None)
        for each in facts.milestones
        if each.kind is MilestoneKind.CLIENT_INPUT and each.reached_on is None and not _is_near(each, facts.day)
    ]
    signatures = [
        Need(what=f"your signature under gate {phase.number}, {phase.name.lower()}", why="", due=day, since=None)
        for phase in facts.phases
        if phase.cosigned and phase.actual_end is None and (day := phase.planned_gate) is not None and day >= facts.day
    ]
    dated = [need for need in (*inputs, *signatures) if need.due is not None]
    return min(dated, key=lambda need: need.due or date.max, default=None)


def progress_of(facts: Facts, *, since: date | None) -> Progress:
    """Done since the last report, or at all where `since` is None; the rest as of today."""
    return Progress(done=tuple(_done(facts, since)), in_flight=tuple(_in_flight(facts)), ahead=tuple(_ahead(facts)))


def _signatures(facts: Facts) -> Iterator[Need]:
    for gate in facts.gates:
        if gate.state is GateState.AWAITING_CLIENT:
            name = facts.phases[gate.phase - 1].name
            why = f"We decided {VERDICT_WORDS[gate.verdict]}; the gate passes with your signature."
            yield Need(what=f"Sign gate {gate.phase}, {name.lower()}", why=why, due=None, since=gate.day)


def _acceptances(facts: Facts) -> Iterator[Need]:
    for each in facts.deliverables:
        if each.state is DeliverableState.SUBMITTED:
            what = f"Accept {each.code} {each.name}, or return it with a reason"
            why = f"To be reviewed by {each.reviewer}." if each.reviewer else "It was handed over for your review."
            yield Need(what=what, why=why, due=None, since=each.submitted_on)


def _decisions(facts: Facts) -> Iterator[Need]:
    for change in facts.changes:
        if change.state is ChangeState.SENT:
            what, why = f"Decide change {change.number}: {change.title}", change.reason
            yield Need(what=what, why=why, due=None, since=change.sent_on)


def _conditions(facts: Facts) -> Iterator[Need]:
    for each in facts.conditions:
        if each.met_on is None and each.with_client:
            why = f"A condition of gate {each.phase}; it has to be met before the next gate."
            yield Need(what=each.text, why=why, due=each.due, since=None)


def _inputs(facts: Facts) -> Iterator[Need]:
    for each in facts.milestones:
        if each.kind is MilestoneKind.CLIENT_INPUT and _is_near(each, facts.day):
            phase = facts.phases[each.phase - 1].name if each.phase else "The work"
            yield Need(what=each.name, why=f"{phase} starts with it.", due=each.planned_on, since=None)


def _is_near(milestone: MilestoneFact, day: date) -> bool:
    on = milestone.planned_on
    return milestone.reached_on is None and on is not None and on <= day + AHEAD


def _done(facts: Facts, since: date | None) -> Iterator[Item]:
    for phase in facts.phases:
        if phase.actual_end is not None and _is_new(phase.actual_end, since):
            yield Item(what=f"{phase.number} {phase.name}", state=PHASE_WORDS[phase.state], on=phase.actual_end)
    for each in facts.deliverables:
        if each.state in ACCEPTED and each.decided_on is not None and _is_new(each.decided_on, since):
            yield Item(what=f"{each.code} {each.name}", state=DELIVERABLE_WORDS[each.state], on=each.decided_on)
    for condition in facts.conditions:
        if condition.met_on is not None and _is_new(condition.met_on, since):
            yield Item(what=f"Condition: {condition.text}", state="met", on=condition.met_on)


def _is_new(day: date, since: date | None) -> bool:
    return since is None or day >= since


def _in_flight(facts: Facts) -> Iterator[Item]:
    phase = facts.current
    if phase is None:
        return
    round_words = f", round {phase.round}" if phase.round > 1 else ""
    yield Item(what=f"{phase.number} {phase.name}", state=PHASE_WORDS[phase.state] + round_words, on=phase.actual_begin)
    for each in _of_phase(facts, phase.number):
        if each.state not in ACCEPTED and phase.state is not PhaseState.READY:
            yield Item(what=f"{each.code} {each.name}", state=DELIVERABLE_WORDS[each.state], on=each.due)


def _ahead(facts: Facts) -> Iterator[Item]:
    current = facts.current
    if current is not None and current.planned_gate is not None:
        yield Item(what=f"Gate {current.number}, {current.name.lower()}", state="planned", on=current.planned_gate)
    following = next((phase for phase in facts.phases if phase.state is PhaseState.PLANNED), None)
    if following is not None:
        yield Item(what=f"{following.number} {following.name}", state="starts", on=following.planned_begin)
        for each in _of_phase(facts, following.number):
            if each.due is not None and each.due <= facts.day + AHEAD:
                yield Item(what=f"{each.code} {each.name}", state="due", on=each.due)


def _of_phase(facts: Facts, number: int) -> Sequence[DeliverableFact]:
    return [each for each in facts.deliverables if each.phase == number]
