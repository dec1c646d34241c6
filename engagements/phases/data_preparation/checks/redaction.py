"""A record without its personal data: typed placeholders, the same for the same value throughout the example.

What comes out is an edit: whoever stores it keeps the first text.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from engagements.phases.data_preparation.checks.personal_data import PersonalKind, find, redact
from engagements.phases.data_preparation.records import Record

_DEPTH_MAX: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """The record after, and how many places of each kind were replaced; none where it is the record itself."""

    record: Record
    replaced: Mapping[PersonalKind, int]


def redacted(record: Record) -> Redacted:
    """Messages, arguments of calls, target, the rejected answer and what came along in other columns."""
    redaction = _Redaction()
    after = record.replaced(
        messages=[redaction.of_message(message) for message in record.messages],
        target=redaction.of_value(record.target),
        rejected=None if record.rejected is None else redaction.of_message(record.rejected),
        meta=redaction.of_value(record.meta),
    )
    return Redacted(record=after if redaction.replaced else record, replaced=dict(redaction.replaced))


class _Redaction:
    """What stands for what in one example."""

    def __init__(self) -> None:
        self._placeholders: dict[str, str] = {}
        self.replaced: Counter[PersonalKind] = Counter()

    def of_message(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Content and calls; the role, ids and names of functions stay."""
        after = dict(message)
        if "content" in after:
            after["content"] = self.of_value(after["content"])
        if isinstance(calls := after.get("tool_calls"), list):
            after["tool_calls"] = [self._of_call(call) for call in calls]
        return after

    def of_value(self, value: Any, depth: int = 0) -> Any:  # JSON has no narrower type
        """Every text in a JSON value; keys stay."""
        match value:
            case str():
                return self._of_text(value)
            case Mapping() if depth < _DEPTH_MAX:
                return {key: self.of_value(member, depth + 1) for key, member in value.items()}
            case list() if depth < _DEPTH_MAX:
                return [self.of_value(member, depth + 1) for member in value]
            case _:
                return value

    def _of_call(self, call: object) -> object:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(call, dict) or not isinstance(function, dict):
            return call
        arguments = function.get("arguments")
        after = self._of_arguments(arguments) if isinstance(arguments, str) else self.of_value(arguments)
        return {**call, "function": {**function, "arguments": after}}

    def _of_arguments(self, arguments: str) -> str:
        """Value by value, so that what was JSON stays JSON; as it is where there is nothing to redact."""
        try:
            before = orjson.loads(arguments)
        except orjson.JSONDecodeError:
            return self._of_text(arguments)
        after = self.of_value(before)
        return arguments if after == before else orjson.dumps(after).decode()

    def _of_text(self, text: str) -> str:
        spans = find(text)
        self.replaced.update(span.kind for span in spans)
        return redact(text, spans, self._placeholders) if spans else text
