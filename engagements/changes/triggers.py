"""What measured facts set off: pure rules over numbers, none of which is taken for known where it is not.

A round beyond those included, compute at 80 and at 100 % of its cap, a client's input late by more than ten working
days, and the trigger of an assumption each call for a change request (agency reference, section 6).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, assert_never

from engagements.changes.register_schemas import Operator, Trigger
from engagements.changes.schemas import AsksIn, ExtraLine
from estimator.money import Money
from estimator.phases import Phase

COMPUTE_PERCENTS: Final = (80, 100)
LATE_DAYS: Final = 10
"""Working days beyond which waiting for a client is a change (the proposal's assumption on reviews)."""
_ROUND_HOURS: Final = 24
"""Of an ML engineer for one round: what a round's price in the proposal rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateInput:
    """Something a client owes: `days` working days after it was planned."""

    code: str
    name: str
    phase: Phase
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`rounds`: passes through training and evaluation so far. `compute`: None where a part of it has no price yet.

    `measures`: whatever a trigger may name, by name; what is missing is unknown.
    """

    rounds: int
    included_rounds: int
    round_price: Money
    compute: Money | None
    compute_cap: Money
    late: Sequence[LateInput]
    measures: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A change request to draft. `key`: what sets it off, so that the same opens no second one."""

    key: str
    origin: str
    title: str
    reason: str
    asks: AsksIn


def wanted(facts: Facts) -> list[Wanted]:
    return [*_rounds(facts), *_compute(facts), *_late(facts)]


def is_true(trigger: Trigger, measures: Mapping[str, Decimal]) -> bool:
    """False also for what nobody has measured."""
    measured = measures.get(trigger.measure)
    if measured is None:
        return False
    value = Decimal(str(trigger.value))
    match trigger.operator:
        case Operator.ABOVE:
            return measured > value
        case Operator.AT_LEAST:
            return measured >= value
        case Operator.BELOW:
            return measured < value
        case Operator.AT_MOST:
            return measured <= value
        case _:
            assert_never(trigger.operator)


def numbers_in(content: Mapping[str, Any], name: str) -> Iterator[tuple[str, Decimal]]:
    """Every number of a piece of evidence by its place, such as `dataset_version.agreement.value`."""
    for key, value in content.items():
        match value:
            case bool() | None:
                continue
            case int() | float():
                yield f"{name}.{key}", Decimal(str(value))
            case Mapping():
                yield from numbers_in(value, f"{name}.{key}")


def _rounds(facts: Facts) -> Iterator[Wanted]:
    further = facts.rounds - facts.included_rounds
    if further <= 0:
        return
    line = ExtraLine(
        label=f"Round {facts.rounds}" if further == 1 else f"Rounds {facts.included_rounds + 1} to {facts.rounds}",
        phase=Phase.TRAINING, hours={"ml_engineer": float(_ROUND_HOURS * further)},
        net_minor=facts.round_price.minor * further,
    )  # fmt: skip
    yield Wanted(
        key=f"rounds:{facts.rounds}",
        origin="rounds",
        title=f"Round {facts.rounds} of training and evaluation",
        reason=f"{facts.included_rounds} rounds are included, and round {facts.rounds} has begun.",
        asks=AsksIn(brief={"commercial.included_rounds": facts.rounds}, lines=[line]),
    )


def _compute(facts: Facts) -> Iterator[Wanted]:
    """Once for each step of each cap: a cap that a change has raised counts anew."""
    if facts.compute is None or facts.compute_cap.minor <= 0:
        return
    percent = 100 * facts.compute.minor // facts.compute_cap.minor
    reached = [step for step in COMPUTE_PERCENTS if percent >= step]
    if reached:
        yield Wanted(
            key=f"compute:{reached[-1]}:{facts.compute_cap.minor}",
            origin="compute",
            title=f"Compute has reached {reached[-1]} % of its cap",
            reason=f"{facts.compute} of {facts.compute_cap} for compute are spent.",
            asks=AsksIn(),
        )


def _late(facts: Facts) -> Iterator[Wanted]:
    for late in facts.late:
        if late.days > LATE_DAYS:
            yield Wanted(
                key=f"late_input:{late.code}",
                origin="late_input",
                title=f"Waiting for: {late.name}"[:200],
                reason=f"It is {late.days} working days late; beyond {LATE_DAYS} the waiting is a change.",
                asks=AsksIn(days={late.phase: late.days}),
            )
