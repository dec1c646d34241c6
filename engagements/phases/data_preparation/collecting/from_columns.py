"""One row of a table into a record, by its mapping."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from engagements.phases.data_preparation.collecting.examples import Examples, Ids, content_id
from engagements.phases.data_preparation.collecting.findings import finding
from engagements.phases.data_preparation.collecting.mapping import ColumnMapping
from engagements.phases.data_preparation.collecting.rows import Row, Values, text_of_cell
from engagements.phases.data_preparation.records import Message, Origin, Record, Task
from estimator.errors import Problem
from estimator.tokens.json_row import read_row

Reader = Callable[[Row], Examples]

_EMPTY: Final = {
    Task.CLASSIFICATION: "the label is empty",
    Task.EXTRACTION: "there is nothing to extract",
    Task.GENERATION: "the answer is empty",
}


def reader_of(mapping: ColumnMapping, origin: Origin, ids: Ids) -> Reader:
    """Reads rows of a table: the text as the user, the label, object or answer as the assistant."""
    mapped = mapping.columns
    origin_of = _origins(mapping, origin)

    def read(row: Row) -> Examples:
        assert row.value is not None
        value = row.value
        asked = _joined(value, mapping.input)
        if not asked or asked.isspace():
            yield finding("row.bad_content", "the text is empty", where=mapping.input[0], line=row.number)
            return
        answer = _taught(value.get(mapping.target), mapping, row.number) if mapping.target else _UNTAUGHT
        if isinstance(answer, Problem):
            yield answer
            return
        messages: list[Message] = [{"role": "user", "content": asked}]
        if said := _cell(value, mapping.system) or mapping.system_prompt:
            messages.insert(0, {"role": "system", "content": said})
        if answer.content:
            messages.append({"role": "assistant", "content": answer.content})
        wanted = _cell(value, mapping.id).strip() if mapping.id else ""
        name = ids.unique(wanted or content_id(messages, answer.label, answer.target))
        if wanted and name != wanted:
            yield ids.renamed(wanted, name, row.number)
        yield Record(
            id=name, messages=messages, label=answer.label, target=answer.target,
            group=_cell(value, mapping.group) or None, weight=_weight(value.get(mapping.weight)),
            origin=origin_of(row.number, value),
            meta={name: each for name, each in value.items() if name not in mapped},
        )  # fmt: skip

    return read


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the assistant says, with the class or the object that it stands for."""

    content: str = ""
    label: str | None = None
    target: Mapping[str, Any] | None = None


_UNTAUGHT: Final = _Answer()


def _cell(value: Values, name: str) -> str:
    cell = value.get(name) if name else None
    return cell if type(cell) is str else text_of_cell(cell)


def _joined(value: Values, names: Sequence[str]) -> str:
    if len(names) == 1:
        return _cell(value, names[0])
    return "\n\n".join(text for name in names if (text := _cell(value, name)))


def _taught(value: object, mapping: ColumnMapping, number: int) -> _Answer | Problem:
    task = mapping.task or Task.GENERATION
    text = value if isinstance(value, str) else text_of_cell(value)
    if not text or text.isspace():
        return finding("row.no_assistant_target", _EMPTY.get(task, ""), where=mapping.target, line=number)
    if task is Task.CLASSIFICATION:
        label = text.strip()
        return _Answer(label, label)
    if task is not Task.EXTRACTION:
        return _Answer(text)
    found = read_row(text.encode()).value if isinstance(value, str) else value
    if isinstance(found, list):
        found = {mapping.target: found}
    if not isinstance(found, dict):
        return finding("row.bad_target", "the answer is no JSON object", where=mapping.target, line=number)
    return _Answer(orjson.dumps(found).decode(), None, found)


def _weight(value: object) -> float:
    """1 where the column is empty or holds no weight."""
    if value is None or value == "" or not isinstance(value, int | float | str):
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 1.0
    return weight if 0 <= weight < float("inf") else 1.0


def _origins(mapping: ColumnMapping, origin: Origin) -> Callable[[int, Values], Origin]:
    kind, source, seed = origin.kind, origin.source, origin.seed

    def origin_of(number: int, value: Values) -> Origin:
        author = (_cell(value, mapping.author) if mapping.author else "") or origin.author
        licence = (_cell(value, mapping.licence) if mapping.licence else "") or origin.licence
        return Origin(kind=kind, source=source, row=number, author=author, licence=licence, seed=seed)

    return origin_of
