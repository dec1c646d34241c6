"""`sixfold compare`: estimates side by side, or one input of a brief varied.

--json   names, rows; each row with key, label, unit, values, differences (to the first; null for words and unknowns)
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import click
import orjson

from engagements.cli.book import price_book, prices_option
from engagements.cli.dataset import counted_dataset
from engagements.cli.estimate import seed_option
from engagements.cli.output import (
    answers,
    console,
    json_option,
    number,
    on_option,
    plain_text,
    print_json,
    table_of,
)
from estimator import Estimate, estimate
from estimator.brief import Brief, load_brief
from estimator.errors import BriefInvalid, CurrencyMismatch, Problem
from estimator.plain import plain
from estimator.what_if import Comparison, Row, compare, vary


@click.command()
@click.argument("briefs", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--vary",
    "varied",
    metavar="FIELD=V1,V2,...",
    help="One field of a single brief, such as data.examples=500,2000.",
)
@on_option
@seed_option
@prices_option
@json_option
@answers
def command(
    briefs: tuple[Path, ...],
    varied: str | None,
    on: date,
    seed: int,
    price_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Headlines of several briefs side by side, or of one brief with one input varied."""
    if varied is None and len(set(briefs)) < 2:
        raise click.UsageError("name two briefs or more, or vary one input with --vary FIELD=V1,V2")
    if varied is not None and len(briefs) != 1:
        raise click.UsageError("--vary takes one brief")
    prices = price_book(price_files)

    def run(brief: Brief, file: Path) -> Estimate:
        return estimate(brief, prices, on=on, seed=seed, dataset=counted_dataset(brief, file))

    corner = ""
    if varied is None:
        comparison = compare({str(path): run(brief, path) for path, brief in _loaded(briefs).items()})
    else:
        field, equals, listed = varied.partition("=")
        corner = field.strip()
        if not (corner and equals and listed):
            raise click.UsageError("write --vary FIELD=V1,V2, such as --vary data.examples=500,2000")
        values = [_value(text) for text in listed.split(",")]
        comparison = vary(load_brief(briefs[0]), corner, values, lambda brief: run(brief, briefs[0]))
    if as_json:
        print_json(_as_plain(comparison))
    else:
        _show(comparison, corner)


def _loaded(paths: tuple[Path, ...]) -> dict[Path, Brief]:
    """The briefs of one currency; what is wrong in any of them is said at once, with the file it is in."""
    briefs: dict[Path, Brief] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            briefs[path] = load_brief(path)
        except BriefInvalid as error:
            problems += [replace(problem, where=f"{path} {problem.where}".strip()) for problem in error.problems]
    if problems:
        raise BriefInvalid(*problems)
    currencies = {brief.commercial.currency for brief in briefs.values()}
    if len(currencies) > 1:
        message = f"these briefs are in {' and '.join(sorted(currencies))}"
        raise CurrencyMismatch(Problem(code="money.mixed_currency", message=message, remedy="compare one currency"))
    return briefs


def _value(text: str) -> object:
    """A value as JSON reads it; what JSON cannot read is text."""
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text.strip()
    return value


def _as_plain(comparison: Comparison) -> dict[str, object]:
    return {
        "names": list(comparison.names),
        "rows": [
            {
                "key": row.key,
                "label": row.label,
                "unit": row.unit,
                "values": plain(row.values),
                "differences": plain(row.differences),
            }
            for row in comparison.rows
        ],
    }


def _show(comparison: Comparison, corner: str) -> None:
    """`corner`: the field that varies; its values alone then head the columns."""
    names = [plain_text(name.removeprefix(f"{corner} = ")) for name in comparison.names]
    rows = [(row.label, row.unit, *_cells(row)) for row in comparison.rows]
    table = table_of("", [plain_text(corner), "", *names], rows, numeric=range(2, 2 + len(names)))
    for index, column in enumerate(table.columns):
        column.no_wrap = index < len(("label", "unit"))
    console.print(table)


def _cells(row: Row) -> list[str]:
    decimals = 2 if row.unit not in {"days", "months"} else 0
    cells = []
    for value, difference in zip(row.values, row.differences, strict=True):
        cell = number(value, decimals) if isinstance(value, Decimal | None) else plain_text(value)
        changed = f" [dim]({difference:+,.{decimals}f})[/]" if difference else ""
        cells.append(cell + changed)
    return cells
