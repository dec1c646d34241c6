"""Records as reviewers would have them: read, held against the checks, and told from what they were. Pure."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from engagements.core.errors import Invalid
from engagements.phases.data_preparation.checks.checking import check_record
from engagements.phases.data_preparation.checks.policy import CheckPolicy
from engagements.phases.data_preparation.records import Record, record_of, text_of
from estimator.errors import Problem, Severity

_LIMIT_BYTES: Final = 1_000_000
_KEPT: Final = ("id", "origin", "meta", "group")
"""What an edit of the text leaves as it is: where the example comes from is no matter of opinion."""


def corrected(before: Record, edited: Mapping[str, Any] | None, label: str | None) -> Record:
    """The record as a reviewer would have it; the same where they change nothing.

    A class that is also the answer is changed in both places. Raises `Invalid` for what is no record, and for errors
    that the record did not have before.
    """
    after = before if edited is None else _read(before, edited)
    if label is not None and label != after.label:
        after = _relabelled(after, label)
    if after.content_sha256 != before.content_sha256:
        _refuse_new_errors(before, after)
    return after


def plain_answer(record: Record) -> str | None:
    """The last answer of the assistant where it is text and nothing else."""
    last = next((each for each in reversed(record.messages) if each.get("role") == "assistant"), None)
    if last is None or last.get("tool_calls") or not isinstance(last.get("content"), str):
        return None
    return str(last["content"])


def answered_as(record: Record, text: str | None) -> Mapping[str, Any] | None:
    """The record with the text that was typed over its last answer; None where nothing of it was changed."""
    before = plain_answer(record)
    if text is None or before is None or _lines(text) == _lines(before):
        return None
    return with_answer(record, text)


def with_answer(record: Record, text: str) -> dict[str, Any]:
    """The record as JSON with another last answer of the assistant; its tool calls go where it has any."""
    whole = record.as_json()
    places = [place for place, each in enumerate(record.messages) if each.get("role") == "assistant"]
    if places:
        whole["messages"][places[-1]] = {"role": "assistant", "content": text}
    return whole


def _read(before: Record, edited: Mapping[str, Any]) -> Record:
    kept = before.as_json()
    whole: dict[str, Any] = dict(edited) | {name: kept[name] for name in _KEPT if name in kept}
    try:
        size = len(orjson.dumps(whole))
        after = record_of(whole)
        digest = after.content_sha256
    except (KeyError, TypeError, ValueError, AttributeError, orjson.JSONEncodeError) as error:
        message, remedy = "this is no record", "send the whole record as it was read, with its messages changed"
        raise Invalid.of(Problem(code="record_invalid", where="edited", message=message, remedy=remedy)) from error
    assert digest
    if size > _LIMIT_BYTES:
        message = f"{size:,} bytes are more than an example may have"
        raise Invalid.of(Problem(code="record_too_large", where="edited", message=message, remedy="shorten it"))
    return after


def _relabelled(record: Record, label: str) -> Record:
    answers = [each for each in record.messages if each.get("role") == "assistant"]
    if not answers or record.label is None or text_of(answers[-1]) != record.label:
        return record.replaced(label=label)
    messages = [{**each, "content": label} if each is answers[-1] else each for each in record.messages]
    return record.replaced(label=label, messages=messages)


def _refuse_new_errors(before: Record, after: Record) -> None:
    policy = CheckPolicy()
    known = {each.code for each in check_record(before, policy)}
    brought = [
        each for each in check_record(after, policy) if each.severity is Severity.ERROR and each.code not in known
    ]
    if brought:
        remedy = "correct it further, or reject the example"
        raise Invalid.of(
            *(
                Problem(code=each.code, where=f"edited.{each.where}", message=each.message, remedy=remedy)
                for each in brought
            )
        )


def _lines(text: str) -> str:
    """Without what a text box or a sheet adds of itself."""
    return text.replace("\r\n", "\n").strip("\n")
