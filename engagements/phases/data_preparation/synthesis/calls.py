"""The requests of a run as rows: written before they are sent, so that a killed worker leaves what it had out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from engagements.phases.data_preparation.synthesis.budget import Budget, Purpose, Tokens
from engagements.phases.data_preparation.synthesis.models import CallState, SynthesisCall
from engagements.phases.data_preparation.synthesis.questions import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which request of a run. `part` counts the examples of an answer from 1; 0 is the answer itself."""

    purpose: Purpose
    number: int
    part: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came back, and was paid."""

    content: str
    finish_reason: str


def calls_of(session: Session, run_id: str) -> list[SynthesisCall]:
    chosen = select(SynthesisCall).where(SynthesisCall.run_id == run_id)
    by = (SynthesisCall.purpose, SynthesisCall.number, SynthesisCall.part, SynthesisCall.attempt)
    return list(session.exec(chosen.order_by(*map(col, by))))


def take_up(session: Session, run_id: str, *, at: datetime) -> list[SynthesisCall]:
    """All calls of a run that begins, or begins again: what was out when its worker died is lost, and may be billed."""
    calls = calls_of(session, run_id)
    for call in calls:
        if call.state is CallState.SENT:
            call.state, call.failure, call.ended_at = CallState.LOST, "the worker ended before an answer came", at
            session.add(call)
    return calls


def charge(budget: Budget, calls: Iterable[SynthesisCall]) -> None:
    """What calls of before have used, or may have."""
    for call in calls:
        key = (call.purpose, call.number, call.part, call.attempt)
        if call.state is CallState.ANSWERED:
            used = Tokens(input=call.input_tokens, output=call.output_tokens)
            budget.spent[call.purpose] = budget.spent.get(call.purpose, Tokens()) + used
        elif call.state is CallState.LOST:
            budget.held[key] = call.purpose, Tokens(input=call.most_input, output=call.most_output)
            budget.lose(key)


def answers_in(calls: Iterable[SynthesisCall]) -> dict[Place, Answered]:
    return {
        Place(purpose=call.purpose, number=call.number, part=call.part): Answered(
            content=call.content, finish_reason=call.finish_reason
        )
        for call in calls
        if call.state is CallState.ANSWERED
    }


def attempts_in(calls: Sequence[SynthesisCall]) -> dict[Place, int]:
    """How often each was sent."""
    return {Place(purpose=call.purpose, number=call.number, part=call.part): call.attempt for call in calls}


def note_sent(session: Session, run_id: str, place: Place, attempt: int, most: Tokens, *, at: datetime) -> None:
    row = SynthesisCall(
        run_id=run_id, purpose=place.purpose, number=place.number, part=place.part, attempt=attempt,
        most_input=most.input, most_output=most.output, sent_at=at,
    )  # fmt: skip
    session.add(row)


def note_answer(
    session: Session, run_id: str, place: Place, attempt: int, answer: Answered, charged: Tokens, *,
    is_estimated: bool, at: datetime,
) -> None:  # fmt: skip
    row = _row(session, run_id, place, attempt)
    row.state, row.ended_at, row.is_estimated = CallState.ANSWERED, at, is_estimated
    # NUL is no character of a text in PostgreSQL; as JSON it would be written otherwise.
    row.content, row.finish_reason = answer.content.replace("\0", ""), answer.finish_reason
    row.input_tokens, row.output_tokens = charged.input, charged.output
    session.add(row)


def note_failure(session: Session, run_id: str, place: Place, attempt: int, failure: Failure, *, at: datetime) -> None:
    row = _row(session, run_id, place, attempt)
    row.state = CallState.LOST if failure.may_be_billed else CallState.REFUSED
    row.failure, row.ended_at = failure.said[:400], at
    session.add(row)


def _row(session: Session, run_id: str, place: Place, attempt: int) -> SynthesisCall:
    return session.get_one(SynthesisCall, (run_id, place.purpose, place.number, place.part, attempt))
