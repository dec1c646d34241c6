"""`sixfold estimate`: scope and price a brief, and explain any number in the answer.

--json           schema, on, seed, draws, prices_digest, brief, fit, volume, effort, schedule, routes, chosen,
                 base_serving, break_evens, compute, quote, roi, tornado, shares, findings, figures
                 (estimator.plain; `chosen` is the key of a route, `figures` explains every number)
--explain list   the keys of all numbers
--explain KEY    the number and all it was computed from, each with
                 key, value, unit, kind, label, formula, inputs, source, as_of, note
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from engagements.cli.book import own_price_files, price_book, prices_option
from engagements.cli.dataset import counted_dataset, dataset_file
from engagements.cli.fit import COLOURS
from engagements.cli.output import (
    NO,
    amount,
    answers,
    brief_argument,
    console,
    json_option,
    leave,
    number,
    on_option,
    plain_text,
    print_json,
    table_of,
)
from engagements.files import check_targets, write_whole
from estimator import SEED, Estimate, estimate
from estimator.brief import load_brief
from estimator.errors import EstimatorError, Problem
from estimator.figures import Figure
from estimator.fit import Verdict
from estimator.plain import estimate_as_plain, explained
from estimator.plan import Swing
from estimator.quote import PricedOption, Quote
from estimator.roi import Case, Roi
from estimator.sunset import Standing

_DEPTH: Final = 3
_NEAR: Final = 6

seed_option = click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="N",
    default=SEED,
    show_default=True,
    help="Of the 10,000 draws: the same seed gives the same numbers.",
)


class NumberUnknown(EstimatorError):
    """No number of this estimate has that key."""

    code = "unknown_name"


_STANDING = {
    Standing.OPEN: "[green]open[/]",
    Standing.FLAGGED: "[yellow]flagged[/]",
    Standing.REFUSED: "[red]refused[/]",
    Standing.UNKNOWN: "[yellow]unknown[/]",
}


@click.command()
@brief_argument
@on_option
@seed_option
@prices_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the whole estimate as JSON.")
@click.option(
    "--explain", "key", metavar="KEY", help="Show where one number comes from; --explain list names them all."
)
@json_option
@answers
def command(
    brief: Path, on: date, seed: int, price_files: tuple[Path, ...], out: Path | None, key: str | None, as_json: bool
) -> None:
    """What it takes, what it costs us, what the client pays, and how sure we are.

    Exit code 1: better not fine-tune, or no route is left to stand on.
    """
    read = load_brief(brief)
    if out is not None:
        check_targets(out, read=[brief, dataset_file(read, brief), *own_price_files(price_files)])
    result = estimate(read, price_book(price_files), on=on, seed=seed, dataset=counted_dataset(read, brief))
    if out is not None:
        write_whole(out, (json.dumps(estimate_as_plain(result), indent=2, ensure_ascii=False) + "\n").encode())
    if key is not None:
        _explain(result, key, as_json=as_json)
    elif as_json:
        print_json(estimate_as_plain(result))
    else:
        show_estimate(result)
    if result.fit.verdict is Verdict.DO_NOT_FINE_TUNE or result.chosen is None:
        leave(NO)


def show_estimate(result: Estimate) -> None:
    """The whole answer on a screen or two: verdict, routes, options, time, value, what to look at."""
    console.print(f"[bold]{plain_text(result.brief.client.name)}: {plain_text(result.brief.project.title)}[/]")
    console.print(f"[bold {COLOURS[result.fit.verdict]}]{result.fit.headline}[/]")
    console.print(f"[dim]as of {result.on}, {result.draws:,} draws, seed {result.seed}[/]\n")
    console.print(_routes(result))
    if result.quote is not None and result.roi is not None:
        console.print(_options(result.quote))
        console.print(_time(result))
        console.print(_value(result.roi, result.quote.currency))
        console.print(_drivers(result.tornado))
    show_notes(result, title="Look at")


def _routes(result: Estimate) -> Table:
    rows = []
    for route in result.routes:
        mark = "→" if result.chosen and route.key == result.chosen.key else ""
        span = f"{amount(route.run_low)}-{amount(route.run_high)}" if route.run.known else ""
        serving = amount(route.serving.monthly) if route.serving else "unknown"
        name, standing = plain_text(route.name), _STANDING[route.standing]
        rows.append((mark, name, standing, amount(route.run), span, amount(route.programme), serving))
    columns = ["", "route", "", "one run", "80 %", "all runs", "serving/month"]
    return table_of("Routes, USD", columns, rows, numeric=[3, 4, 5, 6])


def _options(quote: Quote) -> Table:
    options = quote.options
    fullest = max(options, key=lambda option: len(option.lines))
    rows = [(line.label, *(_line(option, line.label) for option in options)) for line in fullest.lines]
    if any(option.discount.minor for option in options):
        rows.append(("Discount", *(f"-{option.discount.amount:,.2f}" for option in options)))
    rows.append(("[bold]Net price[/]", *(f"[bold]{option.net.amount:,.2f}[/]" for option in options)))
    rows.append(("Gross", *(f"{option.gross.amount:,.2f}" for option in options)))
    rows.append(("[dim]our cost P50[/]", *(f"[dim]{amount(option.cost_p50)}[/]" for option in options)))
    rows.append(("[dim]our cost P80[/]", *(f"[dim]{amount(option.cost_p80)}[/]" for option in options)))
    names = [f"{option.name}{' *' if option.recommended else ''}" for option in options]
    title = f"\nPrice, {quote.currency}, {quote.pricing.value.replace('_', ' ')} (* recommended)"
    return table_of(title, ["", *names], rows, numeric=[1, 2, 3])


def _line(option: PricedOption, label: str) -> str:
    return next((f"{line.amount.amount:,.2f}" for line in option.lines if line.label == label), "-")


def _time(result: Estimate) -> Table:
    rows = [
        (f"{at.phase.number} {at.phase.label}", str(at.begin), str(at.gate), str(at.gate_p80), str(at.working_days))
        for at in result.schedule.phases
    ]
    return table_of("\nTime", ["phase", "begins", "gate, P50", "gate, P80", "working days"], rows, numeric=[4])


def _value(roi: Roi, currency: str) -> Table:
    rows = []
    for case in Case:
        found = roi.of(case)
        never = "never" if found.npv.known else "unknown"
        payback = never if found.payback_month is None else f"month {found.payback_month}"
        share = number(None if found.roi.value is None else 100 * found.roi.value)
        rows.append((case.value, amount(found.monthly_benefit, 0), amount(found.npv, 0), f"{share} %", payback))
    title = f"\nValue to the client, {currency}, over {roi.horizon_months} months"
    return table_of(title, ["case", "benefit/month", "net present value", "return", "payback"], rows, numeric=[1, 2, 3])


def _drivers(tornado: Sequence[Swing]) -> Table:
    rows = [(plain_text(bar.name), f"{bar.low:,.0f}", f"{bar.high:,.0f}", f"{bar.width:,.0f}") for bar in tornado]
    return table_of("\nWhat moves our cost most", ["quantity", "at P10", "at P90", "swing"], rows, numeric=[1, 2, 3])


def show_notes(result: Estimate, *, title: str, to: Console = console) -> None:
    """What an account lead should know before the numbers leave the house."""
    listed = Table.grid(padding=(0, 1))
    for note in _notes(result):
        listed.add_row("-", note)
    if listed.row_count:
        to.print(f"\n[bold]{title}[/]")
        to.print(listed)


def _notes(result: Estimate) -> Iterator[str]:
    colours = {Standing.REFUSED: "red", Standing.FLAGGED: "yellow", Standing.UNKNOWN: "yellow", Standing.OPEN: "dim"}
    for finding in result.findings:
        yield f"[{colours[finding.standing]}]{plain_text(finding.message)}[/]: {plain_text(finding.remedy)}"
    if result.chosen is not None:
        for caveat in result.chosen.caveats:
            yield f"[dim]{plain_text(result.chosen.name)}: {plain_text(caveat)}[/]"
    for question in result.fit.missing:
        yield f"[dim]still to find out: {question}[/]"


def _explain(result: Estimate, key: str, *, as_json: bool) -> None:
    figures = result.figures()
    if key == "list":
        _list(figures, as_json=as_json)
        return
    figure = figures.get(key)
    if figure is None:
        raise _no_number(key, figures)
    if as_json:
        print_json([explained(step) for step in figure.lineage()])
    else:
        console.print(_tree(figure, Tree(_said(figure)), set(), _DEPTH))
        console.print("[dim]... has inputs of its own: explain it by its key[/]")


def _no_number(key: str, figures: Mapping[str, Figure]) -> NumberUnknown:
    near = [name for name in sorted(figures) if key in name][:_NEAR] or get_close_matches(key, figures, n=_NEAR)
    remedy = (f"did you mean {', '.join(near)}? " if near else "") + "--explain list names them all"
    return NumberUnknown(Problem(code="unknown_number", message=f"no number is called {key!r}", remedy=remedy))


def _list(figures: Mapping[str, Figure], *, as_json: bool) -> None:
    if as_json:
        print_json(sorted(figures))
        return
    widest = max(map(len, figures))
    for name, figure in sorted(figures.items()):
        shown = f"{name:<{widest}}  {amount(figure, 4):>16} {figure.unit:<20} {figure.label}"
        console.print(plain_text(shown.rstrip()), soft_wrap=True)


def _tree(figure: Figure, node: Tree, shown: set[str], depth: int) -> Tree:
    """The inputs of a figure below it; what was said before is not gone into again."""
    for source in figure.inputs:
        deeper = bool(source.inputs) and depth > 1 and source.key not in shown
        branch = node.add(_said(source) + ("" if deeper or not source.inputs else " ..."))
        if deeper:
            shown.add(source.key)
            _tree(source, branch, shown, depth - 1)
    return node


def _said(figure: Figure) -> str:
    origin = figure.formula or ", ".join(part for part in (figure.source, figure.as_of) if part)
    label = f" [italic]{plain_text(figure.label)}[/]" if figure.label else ""
    note = f" ({plain_text(figure.note)})" if figure.note else ""
    shown = amount(figure, 6)
    if figure.known:
        whole, _, decimals = shown.partition(".")
        shown = f"{whole}.{decimals.rstrip('0').ljust(2, '0')}" if decimals.strip("0") else whole
    return (
        f"[bold]{figure.key}[/]{label} = {shown} {plain_text(figure.unit)} "
        f"[dim]{figure.kind}: {plain_text(origin)}{note}[/]"
    )
