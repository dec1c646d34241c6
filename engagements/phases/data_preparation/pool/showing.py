"""What pages show of the pool: excerpts of examples, the heat map with its grades, addresses of what is found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from engagements.phases.data_preparation.pool.schemas import ExampleOut
from engagements.phases.data_preparation.records import record_of

_EXCERPT_MAX: Final = 160
_GRADES: Final = (0.0, 0.05, 0.20, 0.50)
"""Shares above which a cell of the heat map is a grade darker: any, a twentieth, a fifth, half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleLine:
    """An example in a list. `asked` None where it is sealed."""

    example: ExampleOut
    asked: str | None
    answered: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatCell:
    share: float
    grade: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatLine:
    name: str
    examples: int
    cells: Sequence[HeatCell]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterLine:
    """A cluster of copies. `asked`: what one of them says; None where that one is sealed."""

    id: str
    size: int
    asked: str | None


def line_of(example: ExampleOut) -> ExampleLine:
    if example.record is None:
        return ExampleLine(example=example, asked=None, answered="")
    record = record_of(example.record)
    return ExampleLine(example=example, asked=_excerpt(record.question), answered=_excerpt(record.answer))


def heat_of(report: Mapping[str, Any]) -> Sequence[HeatLine]:
    """The rows of the report's heat map."""
    return [
        HeatLine(
            name=row["name"] or "(none)", examples=row["examples"],
            cells=[HeatCell(share=share, grade=sum(share > least for least in _GRADES)) for share in row["shares"]],
        )
        for row in report["heat_map"]["rows"]
    ]  # fmt: skip


def address_of(engagement_id: str, **asked: object) -> str:
    """Of the examples that are asked for."""
    query = urlencode({name: value for name, value in asked.items() if value not in (None, "")})
    return f"/engagements/{engagement_id}/data/examples" + (f"?{query}" if query else "")


def _excerpt(text: str) -> str:
    flat = " ".join(text[: 4 * _EXCERPT_MAX].split())
    return flat if len(flat) <= _EXCERPT_MAX else f"{flat[:_EXCERPT_MAX].rpartition(' ')[0] or flat[:_EXCERPT_MAX]} …"
