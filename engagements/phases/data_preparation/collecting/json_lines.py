"""JSON Lines, and objects that simply follow one another, into rows."""

from collections.abc import Iterator
from dataclasses import replace

from engagements.phases.data_preparation.collecting.encodings import EncodedSource
from engagements.phases.data_preparation.collecting.findings import finding
from engagements.phases.data_preparation.collecting.rows import Row, damaged
from estimator.errors import Problem, Severity
from estimator.tokens.json_row import JsonRow, read_row
from estimator.tokens.reading import Line, rows


def read_json_lines(source: EncodedSource) -> Iterator[Row]:
    """The rows of the file; what is wrong with it as a whole goes to `source.problems`."""
    blank: int | None = None
    found = False
    for line in rows(source):
        if not line.problem and not line.content.strip():
            blank = blank or line.number
        else:
            found = True
            yield row_of(line)
    if found:
        # An array, or objects spread over many lines, is no fault here: its rows were read all the same.
        source.problems[:] = [each for each in source.problems if each.code != "not_jsonl"]
    if blank:
        source.problems.append(finding("blank_lines", "blank lines stand between the rows", line=blank))


def row_of(line: Line) -> Row:
    """The row that a line holds, or why it holds none."""
    if line.problem:
        return damaged(line.number, line.problem)
    return row_from(line.number, read_row(line.content))


def row_from(number: int, read: JsonRow) -> Row:
    """What was read as a row; anything but an object is none. NUL is refused: not every store can hold it."""
    if not read.problems and isinstance(read.value, dict):
        return Row(number, read.value)
    found = [replace(each, line=number, severity=_severity(each)) for each in read.problems]
    refused = any(each.severity is Severity.ERROR for each in found)
    if not refused and not isinstance(read.value, dict):
        found.append(finding("row.not_object", "the row is no JSON object", line=number))
        refused = True
    return Row(number, None if refused or not isinstance(read.value, dict) else read.value, tuple(found))


def _severity(problem: Problem) -> Severity:
    return Severity.ERROR if problem.code == "row.nul_char" else problem.severity
