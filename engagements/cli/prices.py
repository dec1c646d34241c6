"""`sixfold prices`: the price book, row by row, with dates and sources.

--json   on, digest, rows; each row with table (training, inference, offer, rate), its fields as in a price file,
         age_days and stale; a price nobody publishes is null
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

import click
from rich.table import Table

from engagements.cli.book import price_book, prices_option
from engagements.cli.output import answers, console, json_option, number, on_option, plain_text, print_json, table_of
from estimator.errors import UnknownName
from estimator.plain import plain
from estimator.prices import GpuOffer, InferencePrice, PriceBook, RoleRate, Row, TrainingPrice

_SOURCE_SHOWN: Final = 24


@click.command()
@click.option("--stale", is_flag=True, help="Only rows dated more than 90 days back.")
@click.option("--provider", metavar="NAME", help="Only rows of one provider, such as together.")
@on_option
@prices_option
@json_option
@answers
def command(stale: bool, provider: str | None, on: date, price_files: tuple[Path, ...], as_json: bool) -> None:
    """What is known, since when, from where. A price nobody publishes is listed as unknown."""
    book = price_book(price_files)
    rows = [row for row in _of_provider(book, provider) if not stale or row.is_stale(on)]
    if as_json:
        print_json({"on": on.isoformat(), "digest": book.digest, "rows": [_as_plain(row, on) for row in rows]})
        return
    for table in _tables(rows, on):
        console.print(table)
    old = sum(row.is_stale(on) for row in rows)
    console.print(
        f"\n{len(rows)} rows, {old} dated more than 90 days before {on} (yellow). Price book {book.digest[:12]}."
    )


def _of_provider(book: PriceBook, provider: str | None) -> list[Row]:
    """The rows of one provider, or all. Raises `UnknownName` for a provider without a row."""
    if provider is None:
        return list(book)
    priced = [row for row in book if isinstance(row, TrainingPrice | InferencePrice | GpuOffer)]
    rows: list[Row] = [row for row in priced if row.provider.lower() == provider.lower()]
    if not rows:
        known = {row.provider for row in priced}
        raise UnknownName("provider", provider, known=known, add="see all of them with sixfold prices")
    return rows


def _as_plain(row: Row, on: date) -> dict[str, object]:
    fields = {name: plain(getattr(row, name)) for name in type(row).model_fields}
    return {"table": row.table, **fields, "age_days": row.age_days(on), "stale": row.is_stale(on)}


def _tables(rows: Sequence[Row], on: date) -> list[Table]:
    training = [row for row in rows if isinstance(row, TrainingPrice)]
    inference = [row for row in rows if isinstance(row, InferencePrice)]
    offers = [row for row in rows if isinstance(row, GpuOffer)]
    rates = [row for row in rows if isinstance(row, RoleRate)]
    tables = (
        table_of(
            "Training, USD per 1M tokens (/h: per hour)",
            ["provider", "model", "way", "price", *_DATED],
            [
                (row.provider, row.model, f"{'/'.join(row.objectives)} {row.tuning}", _job(row), *_dated(row, on))
                for row in training
            ],
            numeric=[3],
        ),
        table_of(
            "\nInference, USD per 1M tokens",
            ["provider", "model", "variant", "input", "cached", "output", *_DATED],
            [
                (row.provider, row.model, row.variant, _rate(row.input), _rate(row.cached_input), _rate(row.output),
                 *_dated(row, on))
                for row in inference
            ],
            numeric=[3, 4, 5],
        ),
        table_of(
            "\nGPUs, USD per hour",
            ["GPU", "provider", "instance", "on demand", *_DATED],
            [(row.gpu, row.provider, row.instance, number(row.on_demand_usd_per_h, 2), *_dated(row, on))
             for row in offers],
            numeric=[3],
        ),
        table_of(
            "\nOur own hours",
            ["role", "cost", "", *_DATED],
            [(row.label, number(row.cost_per_h, 2), row.currency, *_dated(row, on)) for row in rates],
            numeric=[1],
        ),
    )  # fmt: skip
    return [table for table in tables if table.row_count]


_DATED: Final = ("as of", "source")


def _dated(row: Row, on: date) -> tuple[str, str]:
    """The date, yellow where it is old, and the beginning of the source."""
    as_of = f"[yellow]{row.as_of}[/]" if row.is_stale(on) else row.as_of
    source = row.source if len(row.source) <= _SOURCE_SHOWN else f"{row.source[: _SOURCE_SHOWN - 1]}…"
    return as_of, plain_text(source)


def _job(row: TrainingPrice) -> str:
    return f"{number(row.usd, 2)}{'/h' if row.unit == 'hour of training' else ''}"


def _rate(rate: Decimal | None) -> str:
    return "-" if rate is None else f"{rate:f}"
