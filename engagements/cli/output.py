"""How every command answers: tables for people, JSON for programs, problems with their remedy, exit codes."""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import Final, NoReturn, ParamSpec, TypeVar

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from estimator.errors import EstimatorError, Problem, Severity
from estimator.figures import Figure

NO: Final = 1
BAD_INPUT: Final = 2

P = ParamSpec("P")
R = TypeVar("R")

_WIDTH_OF_A_FILE: Final = 120
_LINES_SHOWN: Final = 5
_LAST_YEAR: Final = 2150
_STEERING: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

console = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE)
to_stderr = Console(stderr=True, highlight=False, emoji=False, width=None if sys.stderr.isatty() else _WIDTH_OF_A_FILE)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


class Day(click.ParamType[date]):
    """A day whose plans still end within the calendar of a brief, which holds 2000 to 2199."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            day = datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007  # a day has no time zone
        except ValueError:
            self.fail(f"{value!r} is no day; write it like 2026-11-22", param, ctx)
        if not 2000 <= day.year <= _LAST_YEAR:
            self.fail(f"{value!r} is not between 2000 and {_LAST_YEAR}", param, ctx)
        return day


on_option = click.option(
    "--on",
    type=Day(),
    metavar="YYYY-MM-DD",
    callback=lambda _ctx, _option, value: value or today(),
    help="The day to work for (default: today).",
)
brief_argument = click.argument("brief", type=click.Path(path_type=Path, dir_okay=False))


def today() -> date:
    """The only clock of the command line."""
    return datetime.now().astimezone().date()


def answers(command: Callable[P, R]) -> Callable[P, R]:
    """Turn an error the caller can mend into its list of problems and exit code 2."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except EstimatorError as error:
            if kwargs.get("as_json"):
                print_refusal(error.code, error.problems)
            else:
                show_problems(error.problems)
            raise click.exceptions.Exit(BAD_INPUT) from error

    return wrapped


def print_json(data: object) -> None:
    """UTF-8 whatever the terminal speaks; the odd byte of a file's name becomes an escape that JSON knows."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False).encode(errors="backslashreplace"))


def print_refusal(code: str, problems: Iterable[Problem]) -> None:
    """What `--json` prints where there is no result: {"error": code, "problems": [...]}."""
    print_json({"error": code, "problems": [problem_as_plain(problem) for problem in problems]})


def problem_as_plain(problem: Problem) -> dict[str, object]:
    return {
        "line": problem.line,
        "where": problem.where,
        "code": problem.code,
        "severity": problem.severity.value,
        "message": problem.message,
        "remedy": problem.remedy,
    }


def show_problems(problems: Iterable[Problem], *, unlisted: Mapping[Severity, int] | None = None) -> None:
    """On standard error: how bad, where, what, how to mend. What many lines have in common is said once.

    `unlisted`: how many more there are that are counted and not shown.
    """
    listed = list(problems)
    alike: dict[tuple[str, str, str, Severity], list[Problem]] = {}
    for problem in listed:
        alike.setdefault((problem.code, problem.message, problem.remedy, problem.severity), []).append(problem)
    table = table_of("", ("", "where", "problem", "remedy"), ())
    for (_, message, remedy, severity), group in alike.items():
        style = "red" if severity is Severity.ERROR else "yellow"
        weight = f"[{style}]{severity}[/]"
        table.add_row(weight, plain_text(_places(group)), f"[{style}]{plain_text(message)}[/]", plain_text(remedy))
    to_stderr.print(table)
    counts = Counter(problem.severity for problem in listed) + Counter(unlisted or {})
    errors, rest = counts[Severity.ERROR], counts.total() - counts[Severity.ERROR]
    noted = f", {rest:,} to look at" if rest else ""
    to_stderr.print(f"[bold]{errors:,} to mend{noted}[/]" if errors else f"[bold]nothing that stops{noted}[/]")


def _places(group: Sequence[Problem]) -> str:
    """Where problems of one kind stand: "line 4 messages[1]", or "12 lines: 4, 9, 31 ..."."""
    if len(group) == 1:
        line = f"line {group[0].line}" if group[0].line else ""
        return " ".join(part for part in (line, group[0].where) if part)
    lines = sorted({problem.line for problem in group if problem.line})
    if not lines:
        return ", ".join(problem.where for problem in group)
    first = ", ".join(str(line) for line in lines[:_LINES_SHOWN])
    return f"{len(lines):,} lines: {first}{' ...' if len(lines) > _LINES_SHOWN else ''}"


def plain_text(text: str) -> str:
    """Text of a user's own, shown as it stands: no markup is read from it, and nothing in it steers the terminal."""
    return escape(_STEERING.sub("\N{REPLACEMENT CHARACTER}", text))


def say_at_once(text: str) -> None:
    """To standard error past rich, which keeps to itself what it was about to print when Ctrl-C came in between."""
    sys.stderr.write(_STEERING.sub("\N{REPLACEMENT CHARACTER}", text) + "\n")
    sys.stderr.flush()


def amount(figure: Figure | None, decimals: int = 2) -> str:
    """A figure for a table; "unknown" where it is."""
    if figure is None or figure.value is None:
        return "unknown"
    return f"{figure.value:,.{decimals}f}"


def number(value: Decimal | float | None, decimals: int = 0) -> str:
    return "unknown" if value is None else f"{value:,.{decimals}f}"


def table_of(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: Sequence[int] = ()
) -> Table:
    """A table whose numeric columns (by index) stand right-aligned."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        right = index in numeric
        table.add_column(column, justify="right" if right else "left", no_wrap=right, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def leave(code: int) -> NoReturn:
    raise click.exceptions.Exit(code)
