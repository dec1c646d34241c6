"""Run every benchmark, print its figures and write them to out/bench.json.

A benchmark is a module beside this one named `bench_*.py` with a function `measure()` that yields `Measurement`s.
Run: make bench   (or: python tests/benchmarks/run.py [name ...])
"""

import dataclasses
import importlib
import json
import os
import platform
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parents[1] / "out" / "bench.json"


def main(names: list[str]) -> int:
    console = Console()
    table = Table(
        "benchmark", "measured", "bar", "holds", "beside", title=f"{platform.machine()}, {os.cpu_count()} cores"
    )
    results = []
    for module in sorted(path.stem for path in HERE.glob("bench_*.py")):
        if names and module.removeprefix("bench_") not in names:
            continue
        with console.status(f"{module.removeprefix('bench_')} ..."):
            for result in importlib.import_module(module).measure():
                results.append({"benchmark": module.removeprefix("bench_"), **dataclasses.asdict(result)})
                holds = "[green]yes[/]" if result.holds else "[red]NO[/]"
                table.add_row(result.name, f"{result.measured:,.4g} {result.unit}", result.bar, holds, result.beside)
    console.print(table)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    return 0 if all(result["holds"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
