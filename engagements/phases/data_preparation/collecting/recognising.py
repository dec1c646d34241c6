"""What the rows of a table are: a set that is known, a provider's format, or columns."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from engagements.phases.data_preparation.collecting.dialogue_sets import DIALOGUE_SETS
from engagements.phases.data_preparation.collecting.examples import KnownSet
from engagements.phases.data_preparation.collecting.mapping import ColumnMapping, find_mapping
from engagements.phases.data_preparation.collecting.reading import Table, open_table
from engagements.phases.data_preparation.collecting.rows import Values
from engagements.phases.data_preparation.collecting.text_sets import TEXT_SETS
from engagements.phases.data_preparation.formats.detecting import detect
from engagements.phases.data_preparation.records import Task

KNOWN_SETS: Final[Mapping[str, KnownSet]] = {each.name: each for each in (*TEXT_SETS, *DIALOGUE_SETS)}

_FLAT_TASKS: Final = frozenset({Task.CLASSIFICATION, Task.EXTRACTION})
_SHARE: Final = 0.5
"""Of the rows of a sample: with more of one shape than this, the others are damaged rows of it."""
_VOTERS: Final = 100


def mapping_of(table: Table, *, task: Task | None = None, **named: Any) -> ColumnMapping:
    """The shape of the rows where they have one that is known, else the columns as `find_mapping` finds them.

    `named` are columns by their role, and `system_prompt`. Raises `MappingInvalid`.
    """
    sample = [row.value for row in table.sample() if row.value is not None]
    return mapping_of_rows(table.columns, sample, task=task, **named)


def mapping_of_rows(
    columns: Sequence[str], sample: Sequence[Values], *, task: Task | None = None, system_prompt: str = "", **named: Any
) -> ColumnMapping:
    """As `mapping_of`, of a sample of rows. Raises `MappingInvalid`."""
    if not any(named.values()) and (shape := shape_of(sample, task)):
        return ColumnMapping(shape=shape, task=task, system_prompt=system_prompt)
    columns = list(dict.fromkeys([*columns, *(key for value in sample for key in value)]))
    if not columns:
        return ColumnMapping(input=("text",), task=task, system_prompt=system_prompt)
    return find_mapping(columns, sample, task=task, system_prompt=system_prompt, **named)


def shape_of(sample: Sequence[Values], task: Task | None = None) -> str:
    """The known set or format that most rows of a sample are in; empty where there is none.

    Where a task asks for labels or objects, rows that are no more than two texts are columns.
    """
    for known in KNOWN_SETS.values():
        if sum(map(known.detects, sample)) > _SHARE * len(sample):
            return known.name
    found = detect(sample)
    name = found.name if found else _most_voted(sample[:_VOTERS])
    return "" if task in _FLAT_TASKS and _is_flat(sample) else name


def _most_voted(sample: Sequence[Values]) -> str:
    votes = Counter(found.name for value in sample if (found := detect([value])))
    name, count = next(iter(votes.most_common(1)), ("", 0))
    return name if count > _SHARE * len(sample) else ""


def rows_by_id(path: Path) -> dict[str, Values]:
    """The rows of a second file by their id, to be joined to those of the first. Held in memory."""
    return {str(row.value["id"]): row.value for row in open_table(path) if row.value and "id" in row.value}


def with_joined(value: Values, joined: Mapping[str, Values]) -> Values:
    return {**joined.get(str(value.get("id")), {}), **value}


def _is_flat(sample: Iterable[Values]) -> bool:
    return all(isinstance(each, str) for value in sample for each in value.values())
