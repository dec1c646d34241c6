"""What moved between two reports: a pure comparison of the facts they were written from.

Dates and steps are told apart: a date has days before and days now, a step has a word before and a word now.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from engagements.delivery.gate_models import GateState
from engagements.delivery.models import DeliverableState, MilestoneKind, PhaseState
from engagements.reports.facts import (
    ConditionFact,
    CriterionFact,
    Facts,
    GateFact,
    MilestoneFact,
    PhaseFact,
    PlanMove,
)
from engagements.reports.words import (
    CHANGE_WORDS,
    DELIVERABLE_WORDS,
    GATE_WORDS,
    HEALTH_WORDS,
    PHASE_WORDS,
    RAID_WORDS,
    VERDICT_WORDS,
)

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """From the first to the last; one day where they are the same, none where both are None."""

    first: date | None
    last: date | None

    @classmethod
    def one(cls, day: date | None) -> "Days":
        return cls(first=day, last=day)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateMove:
    """Planned days that are others now."""

    what: str
    before: Days
    now: Days


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that is not what it was: `before` is empty for what is new."""

    what: str
    before: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """`why`: the reasons that were given for moving dates."""

    dates: tuple[DateMove, ...]
    steps: tuple[Step, ...]
    why: tuple[PlanMove, ...]

    @property
    def nothing(self) -> bool:
        return not (self.dates or self.steps)


def moved(before: Facts, now: Facts) -> Moved:
    """Everything that is different, in the order in which a report tells it."""
    return Moved(dates=tuple(_dates(before, now)), steps=tuple(_steps(before, now)), why=_why(before, now))


def _dates(before: Facts, now: Facts) -> Iterator[DateMove]:
    for was, phase in _both(before.phases, now.phases, _phase_key):
        if phase.actual_end is None:
            begun = phase.actual_begin is not None
            name = f"{phase.number} {phase.name}{', gate' if begun else ''}"
            yield from _move(name, _days(was, begun=begun), _days(phase, begun=begun))
    for old, each in _both(before.deliverables, now.deliverables, lambda each: each.code):
        yield from _move(f"{each.code} {each.name}", Days.one(old.due), Days.one(each.due))
    for earlier, milestone in _both(before.milestones, now.milestones, lambda each: each.code):
        if milestone.reached_on is None:
            yield from _move(_milestone_name(milestone), Days.one(earlier.planned_on), Days.one(milestone.planned_on))


def _days(phase: PhaseFact, *, begun: bool) -> Days:
    """Of a phase that has begun only its gate can move."""
    return Days.one(phase.planned_gate) if begun else Days(first=phase.planned_begin, last=phase.planned_gate)


def _move(what: str, before: Days, now: Days) -> Iterator[DateMove]:
    if before != now:
        yield DateMove(what=what, before=before, now=now)


def _steps(before: Facts, now: Facts) -> Iterator[Step]:
    if before.health is not now.health:
        yield Step(what="Overall", before=HEALTH_WORDS[before.health], now=HEALTH_WORDS[now.health])
    if before.baseline != now.baseline:
        was, is_now = f"baseline {before.baseline}", f"baseline {now.baseline}"
        yield Step(what="The plan agreed", before=was, now=is_now)
    yield from _phase_steps(before, now)
    yield from _gate_steps(before, now)
    yield from _changed(
        before.deliverables, now.deliverables, key=lambda each: each.code, what=lambda each: f"{each.code} {each.name}",
        word=lambda each: DELIVERABLE_WORDS[each.state], begins=DELIVERABLE_WORDS[DeliverableState.DRAFT],
    )  # fmt: skip
    yield from _changed(
        before.criteria, now.criteria, key=lambda each: each.code, what=lambda each: f"{each.code} {each.metric}",
        word=_criterion_word, begins=_criterion_word(None),
    )  # fmt: skip
    yield from _changed(
        before.changes, now.changes, key=lambda each: each.number,
        what=lambda each: f"Change {each.number}: {each.title}", word=lambda each: CHANGE_WORDS[each.state],
    )  # fmt: skip
    yield from _changed(
        before.conditions, now.conditions, key=lambda each: each.id, what=lambda each: f"Condition: {each.text}",
        word=_condition_word,
    )  # fmt: skip
    yield from _changed(
        before.milestones, now.milestones, key=lambda each: each.code, what=_milestone_name, word=_milestone_word,
        begins="ahead",
    )  # fmt: skip
    yield from _changed(
        before.register, now.register, key=lambda each: each.code,
        what=lambda each: f"{each.kind.value.capitalize()} {each.code}: {each.title}",
        word=lambda each: RAID_WORDS[each.state] + (f", {each.outcome}" if each.outcome else ""),
    )  # fmt: skip


def _phase_steps(before: Facts, now: Facts) -> Iterator[Step]:
    for was, phase in _both(before.phases, now.phases, _phase_key):
        if (was.state, was.round) != (phase.state, phase.round):
            yield Step(what=f"{phase.number} {phase.name}", before=_phase_word(was), now=_phase_word(phase))


def _phase_word(phase: PhaseFact) -> str:
    why = f": {phase.blocked_reason}" if phase.state is PhaseState.BLOCKED else ""
    return PHASE_WORDS[phase.state] + (f", round {phase.round}" if phase.round > 1 else "") + why


def _gate_steps(before: Facts, now: Facts) -> Iterator[Step]:
    known = {gate.id: gate for gate in before.gates}
    for gate in now.gates:
        was = known.get(gate.id)
        if was is None or was.state is not gate.state:
            earlier = _gate_word(was) if was else ""
            yield Step(what=f"Gate {gate.phase}, sitting {gate.sitting}", before=earlier, now=_gate_word(gate))


def _changed(
    before: Sequence[Row],
    now: Sequence[Row],
    *,
    key: Callable[[Row], object],
    what: Callable[[Row], str],
    word: Callable[[Row], str],
    begins: str | None = None,
) -> Iterator[Step]:
    """Rows whose word is another, and rows that are new; with `begins`, new ones that say more than that."""
    known = {key(row): word(row) for row in before}
    for row in now:
        was, is_now = known.get(key(row), begins), word(row)
        if was != is_now:
            yield Step(what=what(row), before=was or "", now=is_now)


def _why(before: Facts, now: Facts) -> tuple[PlanMove, ...]:
    known = set(before.plan_moves)
    return tuple(move for move in now.plan_moves if move not in known)


def _both(before: Iterable[Row], now: Iterable[Row], key: Callable[[Row], object]) -> Iterator[tuple[Row, Row]]:
    known = {key(row): row for row in before}
    return ((known[key(row)], row) for row in now if key(row) in known)


def _phase_key(phase: PhaseFact) -> int:
    return phase.number


def _gate_word(gate: GateFact) -> str:
    words = VERDICT_WORDS[gate.verdict]
    if gate.overruled:
        words += ", by override"
    return words if gate.state is GateState.FINAL else f"{words}, {GATE_WORDS[gate.state]}"


def _criterion_word(criterion: CriterionFact | None) -> str:
    return criterion.outcome if criterion and criterion.outcome else "not measured"


def _condition_word(condition: ConditionFact) -> str:
    return "open" if condition.met_on is None else "met"


def _milestone_name(milestone: MilestoneFact) -> str:
    words = {MilestoneKind.PAYMENT: "Payment", MilestoneKind.CLIENT_INPUT: "From you", MilestoneKind.OTHER: "Milestone"}
    return f"{words[milestone.kind]}: {milestone.name}"


def _milestone_word(milestone: MilestoneFact) -> str:
    return "ahead" if milestone.reached_on is None else "reached"
