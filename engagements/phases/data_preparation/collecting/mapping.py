"""Which columns hold what: named by the caller, or found from the names of the columns and what stands in them."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from engagements.phases.data_preparation.collecting.columns import Column, columns_of
from engagements.phases.data_preparation.collecting.findings import MappingInvalid, finding
from engagements.phases.data_preparation.collecting.rows import PART, Values
from engagements.phases.data_preparation.records import Task
from estimator.errors import Problem

_TASKS_OF_COLUMNS: Final = frozenset({Task.CLASSIFICATION, Task.EXTRACTION, Task.GENERATION})

# The more telling names first. From the sets this was tried on and the column mappings of LLaMA-Factory and Axolotl.
_INPUT_NAMES: Final = (
    "text", "utterance", "question", "query", "prompt", "input", "instruction", "message", "request", "ticket",
    "content", "body", "sentence", "document", "description", "subject", "title", "review", "comment", "source",
    "meaning", "mr", "context", "email", "complaint", "value",
)  # fmt: skip
_LABEL_NAMES: Final = (
    "label", "intent", "category", "class", "topic", "sentiment", "priority", "queue", "tag", "department",
    "classification", "kind", "type", "status", "scenario", "severity",
)  # fmt: skip
_ANSWER_NAMES: Final = (
    "answer", "output", "response", "completion", "reply", "target", "reference", "ref", "summary", "translation",
    "solution", "expected", "result", "gold", "resolution", "entities", "slots", "json",
)  # fmt: skip
_ID_NAMES: Final = ("id", "uid", "uuid", "guid", "key")
_GROUP_NAMES: Final = (
    "group", "customer", "conversation", "thread", "session", "user", "account", "client", "dialogue", "dialog",
    "convo", "document",
)  # fmt: skip
_SYSTEM_NAMES: Final = ("system", "system prompt", "system message", "system instruction")
_ALONE: Final[Mapping[str, tuple[str, ...]]] = {
    "author": ("author", "annotator", "agent name", "written by", "created by"),
    "licence": ("licence", "license"),
    "language": ("language", "lang", "locale"),
    "weight": ("weight", "sample weight"),
}
_ROLES: Final = ("id", "group", "system", "author", "licence", "language", "weight")
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[^\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """Either a `shape` (the name of a format or of a known kind of set), or columns.

    Several columns of `input` are joined by a blank line. Empty names mean: no such column. `task` None: as the shape
    has it. Columns that nothing here names go to `meta`.
    """

    shape: str = ""
    input: tuple[str, ...] = ()
    target: str = ""
    id: str = ""
    group: str = ""
    system: str = ""
    author: str = ""
    licence: str = ""
    language: str = ""
    weight: str = ""
    system_prompt: str = ""
    task: Task | None = None

    @property
    def columns(self) -> frozenset[str]:
        """Whose values have a place of their own in a record."""
        named = (self.target, self.id, self.group, self.system, self.author, self.licence, self.weight)
        return frozenset(name for name in (*self.input, *named) if name)

    def to_json(self) -> dict[str, Any]:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Raises `MappingInvalid` with everything that is none of a mapping."""
        if problems := list(_plain_problems(cls.__slots__, plain)):
            raise MappingInvalid(*problems)
        given = dict(plain)
        columns = given.pop("input", ())
        task = given.pop("task", None)
        return cls(**given, input=_listed(columns), task=Task(task) if task else None)


def find_mapping(
    columns: Sequence[str],
    sample: Sequence[Values],
    *,
    task: Task | None = None,
    input: str | Sequence[str] | None = None,  # noqa: A002  # as everybody calls it
    target: str | None = None,
    system_prompt: str = "",
    **named: str | None,
) -> ColumnMapping:
    """What is named as it is named, the rest found. `named`: id, group, system, author, licence, language, weight.

    Raises `MappingInvalid`: a column that is not there, nothing that could be the text, or a task that needs more than
    columns.
    """
    chosen = {key: value for key, value in named.items() if value}
    inputs = _listed(input or ())
    if problems := [*_absent(columns, inputs, target, chosen), *_unsuited(task)]:
        raise MappingInvalid(*problems)
    if not sample:
        inputs = inputs or tuple(columns[:1])
        return ColumnMapping(input=inputs, target=target or "", system_prompt=system_prompt, task=task, **chosen)
    looked_at = columns_of(columns, sample)
    taken = {*inputs, *chosen.values(), target or ""}
    for role, names in (("id", _ID_NAMES), *_ALONE.items(), ("system", _SYSTEM_NAMES)):
        if role not in chosen and (found := _named_like(looked_at, names, taken, role=role)):
            chosen[role] = found
            taken.add(found)
    if target is None:
        target = _target(looked_at, taken, task, inputs)
    taken.add(target)
    if not inputs:
        inputs = _listed(_input(looked_at, taken) or ())
        if not inputs:
            raise MappingInvalid(
                finding("mapping_unclear", f"no telling which column holds the text: {_some(columns)}")
            )
    taken.update(inputs)
    task = task or _task(next((each for each in looked_at if each.name == target), None))
    if "group" not in chosen and (group := _group(looked_at, taken, inputs, task)):
        chosen["group"] = group
    return ColumnMapping(input=inputs, target=target, system_prompt=system_prompt, task=task, **chosen)


def check_columns(mapping: ColumnMapping, columns: Sequence[str]) -> None:
    """Raises `MappingInvalid` with every column of the mapping that is not there."""
    chosen = {role: name for role in _ROLES if (name := getattr(mapping, role))}
    if problems := list(_absent(columns, mapping.input, mapping.target, chosen)):
        raise MappingInvalid(*problems)


def words_of(name: str) -> tuple[str, ...]:
    """The words of a column's name, in lower case: "Customer_ID", "customerId" and "customer id" are alike."""
    return tuple(word.lower() for word in _WORDS.findall(name))


def _listed(columns: str | Sequence[str]) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else tuple(columns)


def _plain_problems(fields: Iterable[str], plain: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in plain.items():
        if key not in fields:
            yield finding("mapping_invalid", f"a mapping has no {key!r}", where=key)
        elif key == "task":
            if value is not None and value not in set(Task):
                yield finding("mapping_invalid", f"no task is called {value!r}; there are {', '.join(Task)}", where=key)
        elif key == "input":
            if not isinstance(value, str) and not (
                isinstance(value, list) and all(isinstance(each, str) for each in value)
            ):
                yield finding("mapping_invalid", "the input is no column and no list of columns", where=key)
        elif not isinstance(value, str):
            yield finding("mapping_invalid", f"{key} is not the name of a column", where=key)


def _absent(
    columns: Sequence[str], inputs: Sequence[str], target: str | None, chosen: Mapping[str, str]
) -> Iterator[Problem]:
    named = [*(("input", name) for name in inputs), *([("target", target)] if target else []), *chosen.items()]
    for role, name in named:
        if name not in columns:
            near = difflib.get_close_matches(name, columns, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {_some(columns)}"
            yield finding("csv.missing_column", f"there is no column {name!r}; {hint}", where=role)


def _unsuited(task: Task | None) -> Iterator[Problem]:
    if task and task not in _TASKS_OF_COLUMNS:
        yield finding("mapping_invalid", f"{task} needs conversations, and this is a table of columns", where="task")


def _some(columns: Sequence[str]) -> str:
    listed = ", ".join(repr(name[:40]) for name in columns[:20])
    return f"{listed} ..." if len(columns) > 20 else listed or "no columns"


def _named_like(columns: Sequence[Column], names: Sequence[str], taken: Iterable[str], *, role: str) -> str:
    """The column with one of these names; for an id also one with a word before it, if its values are unique."""
    free = [column for column in columns if column.name not in taken]
    for name in names:
        for column in free:
            words = words_of(column.name)
            if " ".join(words) == name or (
                role == "id" and words[-1:] == (name,) and column.is_unique and column.filled
            ):
                return column.name
    return ""


def _rank(column: Column, names: Sequence[str]) -> float:
    """How early a name of the list stands in the name of the column; exact names before names with more words."""
    words = words_of(column.name)
    joined = " ".join(words)
    ranks = [
        index + (0 if joined == name else 0.5) for index, name in enumerate(names) if name == joined or name in words
    ]
    return min(ranks, default=len(names) + 1)


def _target(columns: Sequence[Column], taken: Iterable[str], task: Task | None, inputs: Sequence[str]) -> str:
    free = [column for column in columns if column.name not in taken and column.filled and column.name != PART]
    if not inputs and len(free) < 2:
        return ""
    labels = () if task in (Task.EXTRACTION, Task.GENERATION) else _LABEL_NAMES
    answers = () if task is Task.CLASSIFICATION else _ANSWER_NAMES
    names = (*labels, *answers)
    called = [column for column in free if column.is_short and _rank(column, names) <= len(names)]
    called += [column for column in free if not column.is_short and _rank(column, answers) <= len(answers)]
    if called:
        return min(called, key=lambda column: _rank(column, names)).name
    if task is not Task.GENERATION and (short := [column for column in free if column.is_label]):
        return min(short, key=lambda column: column.distinct).name
    return ""


def _input(columns: Sequence[Column], taken: Iterable[str]) -> str:
    free = [column for column in columns if column.name not in taken and column.filled and column.is_text]
    called = [column for column in free if _rank(column, _INPUT_NAMES) <= len(_INPUT_NAMES)]
    if called:
        return min(called, key=lambda column: _rank(column, _INPUT_NAMES)).name
    return max(free, key=lambda column: column.mean_length, default=Column(name="")).name


def _group(columns: Sequence[Column], taken: Iterable[str], inputs: Sequence[str], task: Task) -> str:
    for column in columns:
        words = words_of(column.name)
        is_key = words[-1:] in (("id",), ("number",), ("key",)) or len(words) == 1
        if column.name not in taken and is_key and any(name in words for name in _GROUP_NAMES) and column.filled:
            return column.name
    # Many answers to one and the same text: it must not stand on both sides of a split.
    asked = next((column for column in columns if [column.name] == list(inputs)), None)
    repeats = asked is not None and task is Task.GENERATION and 2 * asked.distinct < asked.filled
    return inputs[0] if repeats else ""


def _task(target: Column | None) -> Task:
    if target is None:
        return Task.GENERATION
    if target.is_object:
        return Task.EXTRACTION
    called = _rank(target, _LABEL_NAMES) <= len(_LABEL_NAMES)
    return Task.CLASSIFICATION if target.is_label or (called and target.is_short) else Task.GENERATION
