"""`sixfold prices`: the price book, row by row, with dates and sources."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import click

from engagements.cli.output import answers, console, json_option, number, on_option, prices_option, print_json, table_of
from estimator.plain import plain
from estimator.prices import GpuOffer, InferencePrice, PriceBook, RoleRate, Row, TrainingPrice

_SOURCE_SHOWN: Final = 40


@click.command()
@click.option("--stale", is_flag=True, help="Only rows dated more than 90 days back.")
@click.option("--provider", help="Only rows of one provider.")
@on_option
@prices_option
@json_option
@answers
def command(stale: bool, provider: str | None, on: date, price_files: tuple[Path, ...], as_json: bool) -> None:
    """What is known, since when, from where. A price nobody publishes is listed as unknown."""
    book = PriceBook.load(*price_files)
    wanted = [row for row in book if provider in {None, getattr(row, "provider", None)}]
    rows = [row for row in wanted if not stale or row.is_stale(on)]
    if as_json:
        print_json({"on": on.isoformat(), "digest": book.digest, "rows": [_as_plain(row, on) for row in rows]})
        return
    columns = ["what", "price in USD", "as of", "days old", "confidence", "source"]
    listed = [
        (_what(row), _price(row), row.as_of, str(row.age_days(on)), row.confidence.value, _short(row.source))
        for row in rows
    ]
    console.print(table_of("", columns, listed, numeric=[1, 3]))
    old = sum(row.is_stale(on) for row in rows)
    console.print(f"\n{len(rows)} rows, {old} dated more than 90 days before {on}. Price book {book.digest[:12]}.")


def _as_plain(row: Row, on: date) -> dict[str, object]:
    data = plain(row)
    assert isinstance(data, dict)
    return {"table": row.table, **data, "age_days": row.age_days(on), "stale": row.is_stale(on)}


def _what(row: Row) -> str:
    match row:
        case TrainingPrice():
            return f"{row.provider} {row.model}, train {'/'.join(row.objectives)} {row.tuning}"
        case InferencePrice():
            return f"{row.provider} {row.model}, {row.variant} in/cached/out"
        case GpuOffer():
            return f"{row.gpu}, {row.provider} {row.instance}"
        case RoleRate():
            return f"{row.label}, hour"
        case _:
            return row.table


def _price(row: Row) -> str:
    match row:
        case TrainingPrice():
            return f"{number(row.usd, 2)} / {row.unit}"
        case InferencePrice():
            return " / ".join(_rates(row))
        case GpuOffer():
            return f"{row.on_demand_usd_per_h:,.2f} / h"
        case RoleRate():
            return f"{row.cost_per_h:,.2f} {row.currency}"
        case _:
            return "unknown"


def _short(source: str) -> str:
    return source if len(source) <= _SOURCE_SHOWN else f"{source[: _SOURCE_SHOWN - 1]}…"


def _rates(row: InferencePrice) -> Iterator[str]:
    for rate in (row.input, row.cached_input, row.output):
        yield "-" if rate is None else f"{rate:f}"
