"""The desk of a reviewer as a page: the example that is shown, the next one at hand, and answers as they are typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import orjson
from pydantic import BeforeValidator, Field
from sqlmodel import Session, col, select

from engagements.core.errors import Invalid
from engagements.core.roles import Actor
from engagements.core.schemas import In, Text
from engagements.phases.data_preparation.models import Example
from engagements.phases.data_preparation.records import Record
from engagements.phases.data_preparation.review.correcting import answered_as
from engagements.phases.data_preparation.review.reviewers import reach_item, record_in
from engagements.phases.data_preparation.review.reviewing import next_items, submit, undo
from engagements.phases.data_preparation.review.rounds import round_seen
from engagements.phases.data_preparation.review.rules import Decision
from engagements.phases.data_preparation.review.schemas import AnswerIn, HandedOut, Id, ItemOut, Label, RoundOut
from engagements.phases.data_preparation.review.showing import Shown, shown
from engagements.web.pages import read_form
from estimator.errors import Problem

AT_HAND: Final = 2
"""The example that is looked at, and the one after it, which is there before it is asked for."""
_TEXT_MAX: Final = 1_000_000
_LABELS_MAX: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """One example on the desk."""

    item: ItemOut
    shown: Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskShown:
    """`now` None: nothing is left, or others have the rest."""

    round: RoundOut
    now: Laid | None
    ahead: Laid | None
    answered: int
    settled: int
    total: int


def _blank_is_nothing(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


_Typed = Annotated[str | None, BeforeValidator(_blank_is_nothing)]


class AnswerForm(In):
    """What a browser sends. `answer` and `record` are the text as it stands in its boxes, changed or not.

    `showing`: the example that the browser shows already, so that only the one after it is sent.
    """

    item: Id
    content_sha256: str
    decision: Annotated[Decision | None, BeforeValidator(_blank_is_nothing)] = None
    accuracy: _Typed = None
    consistency: _Typed = None
    completeness: _Typed = None
    format: _Typed = None
    edge_case: _Typed = None
    label: Annotated[Label | None, BeforeValidator(_blank_is_nothing)] = None
    comment: Text = ""
    answer: Annotated[str | None, Field(max_length=_TEXT_MAX)] = None
    record: Annotated[str | None, Field(max_length=_TEXT_MAX)] = None
    seconds: _Typed = None
    showing: _Typed = None


def desk_shown(session: Session, actor: Actor, round_id: str, *, at: datetime) -> DeskShown:
    """Raises what `reviewing.next_items` does."""
    handed = next_items(session, actor, round_id, count=AT_HAND, at=at)
    return _laid(session, actor, handed)


def answered(session: Session, actor: Actor, typed: AnswerForm, *, at: datetime) -> DeskShown:
    """The answer, and the desk after it. Raises what `reviewing.submit` does."""
    item = reach_item(session, actor, typed.item)
    record = record_in(session.get_one(Example, item.example_id))
    submit(session, actor, item.id, _answer(typed, record), at=at)
    return desk_shown(session, actor, item.round_id, at=at)


def taken_back(session: Session, actor: Actor, round_id: str, *, at: datetime) -> DeskShown:
    """The desk with the example whose answer was taken back first. Raises what `reviewing.undo` does."""
    back = undo(session, actor, round_id, at=at).id
    handed = next_items(session, actor, round_id, count=AT_HAND + 1, at=at)
    return _laid(session, actor, handed.model_copy(update={"items": _first(handed.items, back)}))


def labels_of(session: Session, engagement_id: str) -> Sequence[str]:
    """What examples are labelled with, to choose from while correcting one."""
    chosen = select(Example.label).where(Example.engagement_id == engagement_id, col(Example.label).is_not(None))
    found = session.exec(chosen.distinct().order_by(col(Example.label)).limit(_LABELS_MAX))
    return [label for label in found if label is not None]


def _first(items: Sequence[ItemOut], item_id: str) -> list[ItemOut]:
    return sorted(items, key=lambda each: each.id != item_id)


def _laid(session: Session, actor: Actor, handed: HandedOut) -> DeskShown:
    laid = [Laid(item=each, shown=shown(each.record)) for each in handed.items[:AT_HAND]]
    return DeskShown(
        round=round_seen(session, actor, handed.round_id),
        now=laid[0] if laid else None,
        ahead=laid[1] if len(laid) > 1 else None,
        answered=handed.answered,
        settled=handed.settled,
        total=handed.total,
    )


def _answer(typed: AnswerForm, record: Record) -> AnswerIn:
    """Raises `Invalid` with all that is wrong."""
    if typed.decision is None:
        message, remedy = "nothing is decided", "accept it, reject it, or skip it"
        raise Invalid.of(Problem(code="field_missing", where="decision", message=message, remedy=remedy))
    fields: dict[str, Any] = typed.model_dump(exclude={"item", "answer", "record", "showing"}, exclude_none=True)
    numbers = {name: _number(fields[name]) for name in fields if name not in _WORDS}
    edited = _edited(record, typed) if typed.decision is Decision.ACCEPT else None
    return read_form(AnswerIn, {**fields, **numbers, "edited": edited})


_WORDS: Final = frozenset({"content_sha256", "decision", "label", "comment"})


def _number(text: str) -> object:
    """As it was typed where it is no number: the schema says what is wrong with it."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _edited(record: Record, typed: AnswerForm) -> Mapping[str, Any] | None:
    """The record as JSON where its box was changed, otherwise with the answer that was typed; None for neither."""
    if typed.record and typed.record.strip():
        try:
            whole = orjson.loads(typed.record)
        except orjson.JSONDecodeError as error:
            remedy = f"mend it near line {error.lineno}, or empty the box"
            raise Invalid.of(
                Problem(code="record_invalid", where="record", message="this is no JSON", remedy=remedy)
            ) from error
        if whole != record.as_json():
            if not isinstance(whole, dict):
                message, remedy = "this is no record", "write the whole record as one JSON object"
                raise Invalid.of(Problem(code="record_invalid", where="record", message=message, remedy=remedy))
            return whole
    return answered_as(record, typed.answer)
