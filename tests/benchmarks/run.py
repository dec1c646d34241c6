"""Run every benchmark, print its figures, write them to out/bench.json and, when all have run, into the README.

A benchmark is a module beside this one named `bench_*.py` with a function `measure()` that yields `Measurement`s.
Run: make bench   (or: python tests/benchmarks/run.py [name ...])
"""

import dataclasses
import importlib
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from measurement import Measurement
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
RESULTS = PROJECT / "out" / "bench.json"
BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"


def main(names: list[str]) -> int:
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    if unknown := set(names) - set(known):
        sys.exit(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    console = Console()
    measured = [result for name in names or known for result in run(name, console)]
    console.print(as_table(measured))
    RESULTS.parent.mkdir(exist_ok=True)
    about = {"on": datetime.now(UTC).date().isoformat(), "machine": machine()}
    figures = [dataclasses.asdict(result) for result in measured]
    RESULTS.write_text(json.dumps({**about, "figures": figures}, indent=2) + "\n", "utf-8")
    if not names:
        write_into(PROJECT / "README.md", measured)
    return 0 if all(result.holds for result in measured) else 1


def run(name: str, console: Console) -> list[Measurement]:
    with console.status(f"{name} ..."):
        return list(importlib.import_module(f"bench_{name}").measure())


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def figure(result: Measurement) -> str:
    return f"{result.measured:,.4g} {result.unit}".strip()


def as_table(measured: list[Measurement]) -> Table:
    table = Table("benchmark", "measured", "bar", "holds", "beside", title=machine())
    for result in measured:
        holds = "[green]yes[/]" if result.holds else "[red]NO[/]"
        table.add_row(result.name, figure(result), result.bar, holds, result.beside)
    return table


def write_into(readme: Path, measured: list[Measurement]) -> None:
    """Put the figures between the README's two marks."""
    text = readme.read_text("utf-8")
    assert text.count(BEGIN) == text.count(END) == 1, f"{readme.name} has no place for the figures"
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    rows = [_row(result.name, figure(result), result.bar, result.beside) for result in measured]
    about = f"{datetime.now(UTC).date()}, {machine()}:"
    table = ["| figure | measured | bar | beside |", "|---|---|---|---|", *rows]
    readme.write_text("\n".join([head + BEGIN, about, "", *table, "", END + tail]), "utf-8")


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
