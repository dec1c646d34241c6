"""Is what the model shall learn to say in the agreed form: labels, extracted objects, calls, spans, pairs?"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import orjson

from engagements.phases.data_preparation.checks.findings import Finding, found
from engagements.phases.data_preparation.checks.json_schema import departures
from engagements.phases.data_preparation.checks.policy import CheckPolicy
from engagements.phases.data_preparation.records import Record, Task, text_of
from estimator.errors import Severity
from estimator.tokens.function_block import functions_of

_SHOWN: Final = 3
_SEPARATORS: Final = str.maketrans("_-/", "   ")


def output_findings(record: Record, answer: str, policy: CheckPolicy) -> Iterator[Finding]:
    """Everything about labels and outputs; `answer` is the text of the last message."""
    if record.label is not None or policy.task is Task.CLASSIFICATION:
        yield from _label(record.label, answer, policy)
    if policy.output_pattern is not None and answer and not _pattern(policy.output_pattern).fullmatch(answer):
        yield found("output.pattern", f"the answer {answer[:40]!r} is not like {policy.output_pattern[:60]}")
    if record.target is not None or policy.task is Task.EXTRACTION or policy.output_schema is not None:
        yield from _object(record, answer, policy)
    if record.tools:
        yield from _calls(record)
    if policy.task is Task.PREFERENCE or record.rejected is not None:
        yield from _pair(record, answer)
    if record.meta:
        yield from _span(record)


def _label(label: str | None, answer: str, policy: CheckPolicy) -> Iterator[Finding]:
    if label is None or not label.strip():
        yield found("label.missing", "the example has no label")
        return
    if policy.labels and label not in policy.labels:
        yield found("label.unknown", f"the label {label[:60]!r} is not in the declared set")
    if label != answer and answer and _words(label) not in _words(answer):
        yield found("label.not_answered", f"the label is {label[:40]!r}, the answer {answer[:40]!r}")


def _words(text: str) -> str:
    return " ".join(text.translate(_SEPARATORS).casefold().split())


def _object(record: Record, answer: str, policy: CheckPolicy) -> Iterator[Finding]:
    said = _loaded(answer)
    value = record.target if record.target is not None else said
    if value is None:
        code = "output.target_missing" if policy.output_schema is None else "output.not_json"
        yield found(code, "there is no object to extract" if not answer else f"{answer[:40]!r} is not JSON")
        return
    if record.target is not None and isinstance(said, dict) and said != record.target:
        yield found("output.target_differs", "the answer is another object than the target")
    if policy.output_schema is not None and (wrong := list(islice(departures(value, policy.output_schema), _SHOWN))):
        yield found("output.schema", "; ".join(wrong))


def _calls(record: Record) -> Iterator[Finding]:
    """Arguments of each call against the parameters of the function; names are looked at by the row's own check."""
    schemas = {str(each.get("name")): each.get("parameters") for each in functions_of({"tools": list(record.tools)})
               if isinstance(each, dict)}  # fmt: skip
    for index, message in enumerate(record.messages):
        for name, arguments in called(message):
            value, schema = _loaded(arguments), schemas.get(name)
            if isinstance(value, dict) and isinstance(schema, Mapping):
                wrong = list(islice(departures(value, {"additionalProperties": False, **schema}), _SHOWN))
                if wrong:
                    severity = None if _is_grave(wrong) else Severity.WARNING
                    said = f"{name[:40]}: {'; '.join(wrong)}"
                    yield found("tools.arguments", said, where=f"messages[{index}]", severity=severity)


def _is_grave(wrong: list[str]) -> bool:
    """Something that no schema forbids expressly (an undeclared argument) is only to be looked at."""
    return any(not each.endswith("is not in the schema") for each in wrong)


def called(message: object) -> Iterator[tuple[str, str]]:
    """Name and arguments of each call in a message that are written as texts."""
    calls = message.get("tool_calls") if isinstance(message, Mapping) else None
    for call in calls if isinstance(calls, list) else []:
        match call:
            case {"function": {"name": str(name), "arguments": str(arguments)}}:
                yield name, arguments


def _pair(record: Record, answer: str) -> Iterator[Finding]:
    if record.rejected is None:
        yield found("preference.missing", "there is no answer that was liked less")
    elif answer and text_of(record.rejected).strip() == answer.strip():
        yield found("preference.same", "the answer that was liked less is the same as the other")


def _span(record: Record) -> Iterator[Finding]:
    """A value with its offsets beside the input, as sets of entities carry them: do they cut it out?"""
    meta = record.meta
    value, start, end = meta.get("entity_value"), _whole(meta, "start"), _whole(meta, "end")
    if isinstance(value, str) and value and start is not None and end is not None:
        cut = record.question[start:end]
        if cut != value:
            yield found("span.offset", f"characters {start} to {end} are {cut[:40]!r}, not {value[:40]!r}")


def _whole(meta: Mapping[str, Any], name: str) -> int | None:
    """Columns are called `start` or `start_offset`, and are texts where they come from a table."""
    value = meta.get(f"{name}_offset", meta.get(name))
    if isinstance(value, str) and value.strip().removesuffix(".0").isdecimal():
        return int(value.strip().removesuffix(".0"))
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value == value else None


def _loaded(text: str) -> object:
    try:
        return orjson.loads(text) if text[:1] in '{["' else None
    except orjson.JSONDecodeError:
        return None


@lru_cache(maxsize=8)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)
