"""CSV of time and costs: UTF-8 with or without a mark, comma or semicolon, ISO days. Every fault of a file in one pass.

What is written is safe to open: a cell that a spreadsheet would take for a formula is written as text (OWASP, CSV
Injection). What is read is taken whole or not at all, and a row with an external_id that is there counts once.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from sqlmodel import Session

from engagements.actuals.costs import IMPORT, enter_cost
from engagements.actuals.following import followed
from engagements.actuals.place import COSTS, WORK, place_of
from engagements.actuals.rates import currency_of
from engagements.actuals.schemas import CostIn, CsvIn, ImportOut, TimeIn
from engagements.actuals.time_entries import enter
from engagements.actuals.when import When
from engagements.core.errors import EngagementError, Invalid
from engagements.core.roles import Actor
from engagements.web.problem import problem_of
from estimator.csv_cells import guarded, unguarded
from estimator.errors import EstimatorError, Problem
from estimator.money import Money

TIME_COLUMNS: Final = ("day", "phase", "role", "minutes", "person_id", "note", "billable", "external_id")
COST_COLUMNS: Final = (
    "day", "phase", "kind", "amount", "currency", "quantity", "unit", "note", "billable", "external_id",
)  # fmt: skip
_TIME_NEEDED: Final = ("day", "phase", "role", "minutes")
_COST_NEEDED: Final = ("day", "phase", "kind", "amount", "currency")
_ROWS_MAX: Final = 2_000
_FAULTS_MAX: Final = 100

Model = TypeVar("Model", bound=BaseModel)
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`line` counts from 1, the head included."""

    line: int
    cells: Mapping[str, str]


def import_time(session: Session, actor: Actor, engagement_id: str, data: CsvIn, *, when: When) -> ImportOut:
    """Raises `Invalid` with every fault by line; nothing is kept then, nor on a dry run."""
    place = place_of(session, actor, engagement_id, when, takes=WORK)
    rows = read_rows(data.csv, TIME_COLUMNS, _TIME_NEEDED)
    with _kept_unless(session, dry_run=data.dry_run):
        made = _each(
            rows, lambda row: enter(session, actor, place, _model(TimeIn, _time_fields(row)), source=IMPORT, when=when)
        )
        followed(session, place, when=when)
        new = [entry for entry, is_new in made if is_new]
        return ImportOut(
            dry_run=data.dry_run, made=len(new), known=len(made) - len(new),
            minutes=sum(entry.minutes for entry in new), amount_minor=None, currency=currency_of(place.baseline),
        )  # fmt: skip


def import_costs(session: Session, actor: Actor, engagement_id: str, data: CsvIn, *, when: When) -> ImportOut:
    """The same for costs. `amount` is written as 1250.00; left empty it is not known yet."""
    place = place_of(session, actor, engagement_id, when, takes=COSTS)
    rows = read_rows(data.csv, COST_COLUMNS, _COST_NEEDED)
    with _kept_unless(session, dry_run=data.dry_run):
        made = _each(
            rows,
            lambda row: enter_cost(session, actor, place, _model(CostIn, _cost_fields(row)), source=IMPORT, when=when),
        )
        followed(session, place, when=when)
        new = [entry for entry, is_new in made if is_new]
        return ImportOut(
            dry_run=data.dry_run, made=len(new), known=len(made) - len(new), minutes=0,
            amount_minor=sum(entry.amount_minor or 0 for entry in new), currency=currency_of(place.baseline),
        )  # fmt: skip


@contextmanager
def _kept_unless(session: Session, *, dry_run: bool) -> Iterator[None]:
    """What happens inside is undone on a dry run, and by any error."""
    tried = session.begin_nested()
    yield
    if dry_run:
        tried.rollback()
    else:
        tried.commit()


def _each(rows: Sequence[Row], made: Callable[[Row], Made]) -> list[Made]:
    """Every row in order; a row that is refused leaves nothing, so the rows after it are judged too."""
    entries: list[Made] = []
    problems: list[Problem] = []
    for row in rows:
        try:
            entries.append(made(row))
        except (EngagementError, EstimatorError) as error:
            problems += [replace(problem, line=row.line) for problem in problems_of(error)]
    if problems:
        raise Invalid.of(*problems[:_FAULTS_MAX])
    return entries


def problems_of(error: EngagementError | EstimatorError) -> Sequence[Problem]:
    if isinstance(error, EstimatorError) or error.problems:
        return error.problems
    return [Problem(code=error.code, message=error.message, remedy=error.remedy)]


def read_rows(text: str, columns: Sequence[str], needed: Sequence[str]) -> list[Row]:
    """The rows below the head, blank ones left out. Raises `Invalid`."""
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    separator = ";" if head.count(";") > head.count(",") else ","
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=separator, strict=True))
    except csv.Error as error:
        raise Invalid.of(_fault("csv.unclosed_quote", f"this is no CSV: {error}", "close every quote")) from error
    names = [name.strip().lower() for name in lines[0]] if lines else []
    problems = [*_head_faults(names, columns, needed)]
    rows = [(number, cells) for number, cells in enumerate(lines[1:], start=2) if any(cell.strip() for cell in cells)]
    if len(rows) > _ROWS_MAX:
        problems.append(_fault("csv.too_many_rows", f"{len(rows)} rows", f"send {_ROWS_MAX} at a time at most"))
    for number, cells in rows:
        if len(cells) != len(names):
            message, remedy = f"{len(cells)} cells under {len(names)} names", "quote cells that hold the separator"
            problems.append(_fault("csv.ragged_row", message, remedy, line=number))
    if problems:
        raise Invalid.of(*problems[:_FAULTS_MAX])
    return [Row(line=number, cells=dict(zip(names, map(_text, cells), strict=True))) for number, cells in rows]


def _text(cell: str) -> str:
    """What the cell says, without blanks around it and without our guard against formulas."""
    return unguarded(cell.strip())


def _head_faults(names: Sequence[str], columns: Sequence[str], needed: Sequence[str]) -> Iterator[Problem]:
    for name in needed:
        if name not in names:
            yield _fault(
                "csv.missing_column", f"there is no column {name}", f"name {', '.join(needed)} in line 1", line=1
            )
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield _fault("csv.duplicate_column", f"{name!r} stands twice", "remove one of them", line=1)
        if name not in columns:
            yield _fault("unknown_field", f"there is no column {name[:40]!r}", f"use {', '.join(columns)}", line=1)


def _fault(code: str, message: str, remedy: str, *, line: int | None = None) -> Problem:
    return Problem(code=code, message=message, remedy=remedy, line=line)


def _model(kind: type[Model], fields: Mapping[str, Any]) -> Model:
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise Invalid.of(*map(problem_of, error.errors(include_url=False))) from error


def _time_fields(row: Row) -> dict[str, Any]:
    given = {name: cell for name, cell in row.cells.items() if cell}
    minutes = given.get("minutes", "")
    fields = given | {"minutes": int(minutes) if minutes.isascii() and minutes.isdigit() else minutes}
    return fields | _billable(given)


def _cost_fields(row: Row) -> dict[str, Any]:
    given = {name: cell for name, cell in row.cells.items() if cell and name != "amount"}
    amount = row.cells["amount"]
    known = Money.parse(amount, given["currency"]).minor if amount and "currency" in given else None
    return given | {"amount_minor": known} | _billable(given)


def _billable(given: Mapping[str, str]) -> dict[str, Any]:
    word = given.get("billable")
    return {} if word is None else {"billable": {"yes": True, "no": False}.get(word.lower(), word)}


def written(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """A file with a head, ended as RFC 4180 has it, that no spreadsheet takes for formulas."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([cell_of(row[name]) for name in columns] for row in rows)
    return out.getvalue()


def cell_of(value: object) -> str:
    """As text; what is no number is guarded."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case _:
            return guarded(str(value))
