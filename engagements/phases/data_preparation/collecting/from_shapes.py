"""One row of a known set or of a provider's format into its records."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from engagements.phases.data_preparation.collecting.examples import Examples, Ids, content_id
from engagements.phases.data_preparation.collecting.findings import MappingInvalid, finding
from engagements.phases.data_preparation.collecting.from_columns import Reader
from engagements.phases.data_preparation.collecting.mapping import ColumnMapping
from engagements.phases.data_preparation.collecting.recognising import KNOWN_SETS
from engagements.phases.data_preparation.collecting.rows import Row, Values, is_list_of
from engagements.phases.data_preparation.formats.registry import FORMATS
from engagements.phases.data_preparation.records import Origin, Record, Task
from estimator.errors import Problem, Severity
from estimator.tokens.json_row import read_row
from estimator.tokens.structure import structure_problems

_UNSOUND: Final = frozenset({"row.messages_missing", "row.bad_message", "row.unknown_role", "row.bad_content"})


def shape_reader(mapping: ColumnMapping, origin: Origin, ids: Ids) -> Reader:
    """Reads rows of `mapping.shape`. Raises `MappingInvalid` for one that nobody knows."""
    read = _examples_of(mapping.shape)
    is_format, is_ours = mapping.shape in FORMATS, mapping.shape == "record"

    def examples(row: Row) -> Examples:
        assert row.value is not None
        # Formats call a row without an id by its number, which changes whenever rows are added.
        unnamed = is_format and row.value.get("id") in (None, "")
        for found in read(row.value, row.number):
            problem = found if isinstance(found, Problem) else unsound(found)
            if problem or isinstance(found, Problem):
                assert problem is not None
                yield replace(problem, line=row.number)
                continue
            record = taught(prompted(found, mapping.system_prompt), mapping.task)
            wanted = "" if unnamed else record.id
            name = ids.unique(wanted or content_id(*_content(record)))
            if wanted and name != wanted:
                yield ids.renamed(wanted, name, row.number)
            yield record.replaced(id=name, origin=record.origin if is_ours else replace(origin, row=row.number))

    return examples


def prompted(record: Record, system_prompt: str) -> Record:
    """With the system prompt in front, where the conversation has none of its own."""
    if not system_prompt or any(message.get("role") == "system" for message in record.messages):
        return record
    return record.replaced(messages=[{"role": "system", "content": system_prompt}, *record.messages])


def taught(record: Record, task: Task | None) -> Record:
    """What an answer stands for in a task: the class it names, or the object that it is as JSON."""
    if record.label is not None or record.target is not None:
        return record
    if task is Task.CLASSIFICATION and (label := record.answer.strip()):
        return record.replaced(label=label)
    if task is Task.EXTRACTION and isinstance(found := read_row(record.answer.encode()).value, dict):
        return record.replaced(target=found)
    return record


def unsound(record: Record) -> Problem | None:
    """Why this is no conversation that could be written anywhere: what only a check would mind is let through."""
    row = {"messages": record.messages, **({"tools": record.tools} if record.tools else {})}
    for problem in structure_problems(row):
        if problem.code in _UNSOUND and problem.severity is Severity.ERROR:
            return problem
    if not all(isinstance(tool, dict) and isinstance(tool.get("function"), dict) for tool in record.tools):
        return finding("row.bad_tools", "a tool is no object with a function in it", where="tools")
    calls = [message["tool_calls"] for message in record.messages if message.get("tool_calls")]
    if not all(
        is_list_of(each, dict) and all(isinstance(call.get("function"), dict) for call in each) for each in calls
    ):
        return finding("row.bad_tool_call", "a call is no object with a function in it", where="messages")
    return None


def _content(record: Record) -> tuple[object, ...]:
    return record.messages, record.tools, record.label, record.target, record.rejected, record.desirable


def _examples_of(shape: str) -> Callable[[Values, int], Examples]:
    if known := KNOWN_SETS.get(shape):

        def read_known(value: Values, number: int) -> Examples:
            if known.detects(value):
                yield from known.read(value, number)
            else:
                yield finding("row.mixed_format", f"the row is not like the others, which are {shape}")

        return read_known
    if known_format := FORMATS.get(shape):

        def read_format(value: Values, number: int) -> Examples:
            yield known_format.read(value, number)

        return read_format
    raise MappingInvalid(finding("mapping_invalid", f"no shape is called {shape!r}", where="shape"))
