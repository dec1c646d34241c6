"""A datasheet: questions with their answers and tables, in sections; and the same as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

SCHEMA: Final = 1
UNKNOWN: Final = "unknown"
Cell = str | int | float | None
"""A number is a count, or a share from 0 to 1 where its column says so; None is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`text` None: unknown."""

    question: str
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`shares`: the columns, by index, whose numbers are shares from 0 to 1."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    shares: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    code: str
    title: str
    answers: Sequence[Answer]
    tables: Sequence[Table] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Datasheet:
    name: str
    sha256: str
    made_on: str
    examples: int
    sections: Sequence[Section]

    @property
    def unanswered(self) -> int:
        """Questions that nothing on record answers."""
        return sum(answer.text is None for section in self.sections for answer in section.answers)

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA, "name": self.name, "sha256": self.sha256, "made_on": self.made_on,
            "examples": self.examples, "sections": [_section_json(section) for section in self.sections],
        }  # fmt: skip


def datasheet_from(content: Mapping[str, Any]) -> Datasheet:
    """What `as_json` wrote. Raises `KeyError` for anything else."""
    return Datasheet(
        name=content["name"], sha256=content["sha256"], made_on=content["made_on"], examples=content["examples"],
        sections=tuple(_section_from(section) for section in content["sections"]),
    )  # fmt: skip


def _section_json(section: Section) -> dict[str, Any]:
    return {
        "code": section.code,
        "title": section.title,
        "answers": [{"question": each.question, "answer": each.text} for each in section.answers],
        "tables": [
            {
                "caption": table.caption, "columns": list(table.columns), "rows": [list(row) for row in table.rows],
                "shares": list(table.shares),
            }
            for table in section.tables
        ],
    }  # fmt: skip


def _section_from(content: Mapping[str, Any]) -> Section:
    return Section(
        code=content["code"], title=content["title"],
        answers=tuple(Answer(question=each["question"], text=each["answer"]) for each in content["answers"]),
        tables=tuple(
            Table(
                caption=each["caption"], columns=tuple(each["columns"]), rows=tuple(tuple(row) for row in each["rows"]),
                shares=tuple(each["shares"]),
            )
            for each in content["tables"]
        ),
    )  # fmt: skip
