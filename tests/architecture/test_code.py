"""The house rules that no linter knows: sizes, clocks and chance as arguments, nothing of a machine in the tree."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("backends", "engagements", "estimator")
LINES_MAX = 500
FUNCTION_LINES_MAX = 70
CLOCKS = {
    PROJECT / "engagements" / "cli" / "output.py", PROJECT / "engagements" / "core" / "clock.py",
    PROJECT / "backends" / "peft_local" / "worker" / "telling.py",
}  # fmt: skip
"""The one module of the command line, of the application, and of a trainer's process, that look at the clock."""
LOOP = "backends/peft_local/worker/training.py"
"""The training loop alone may be long: what happens in a step is read from top to bottom."""


REVISIONS = PROJECT / "engagements" / "migrations" / "versions"
"""Drafted from the tables, one statement each; nobody writes or reads them as code."""


def modules() -> list[Path]:
    found = [path for package in PACKAGES for path in sorted((PROJECT / package).rglob("*.py"))]
    return [path for path in found if REVISIONS not in path.parents]


def tracked() -> Iterator[Path]:
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    yield from (PROJECT / line for line in listed.stdout.splitlines() if (PROJECT / line).is_file())


def test_no_file_is_longer_than_five_hundred_lines():
    long = {str(path.relative_to(PROJECT)): len(path.read_text("utf-8").splitlines()) for path in modules()}
    assert {name: lines for name, lines in long.items() if lines > LINES_MAX} == {}


def test_every_function_fits_a_screen():
    long = [
        f"{path.relative_to(PROJECT)}:{node.lineno} {node.name}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]
    assert [each for each in long if not each.startswith(LOOP)] == []
    assert len([each for each in long if each.startswith(LOOP)]) <= 1


def test_time_and_chance_are_arguments():
    reads = re.compile(
        r"datetime\.now\(|date\.today\(|\btime\.time\("
        r"|from random import|(?<![.\w])random\.(?!Random\()\w|default_rng\(\)"
    )
    assert [str(path) for path in modules() if path not in CLOCKS and reads.search(path.read_text("utf-8"))] == []


def test_the_estimator_reads_no_environment():
    reads = re.compile(r"os\.environ|os\.getenv|getenv\(")
    estimator = sorted((PROJECT / "estimator").rglob("*.py"))
    assert [str(path) for path in estimator if reads.search(path.read_text("utf-8"))] == []


def test_every_module_says_what_it_is():
    silent = [str(path) for path in modules() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []


def test_tests_are_no_packages():
    assert [str(path) for path in (PROJECT / "tests").rglob("__init__.py")] == []


def test_nothing_of_one_machine_is_in_the_tree():
    # Put together here, so that this file does not find itself.
    machine = re.compile("|".join(["/" + "work/", "/" + "root/", "/" + "home/", "bash" + "_jobs", "index" + "-url"]))
    found = []
    for path in tracked():
        if path.suffix in {".png", ".pdf", ".otf"}:
            continue
        found += [f"{path.relative_to(PROJECT)}: {m.group()}" for m in machine.finditer(path.read_text("utf-8"))]
    assert found == []
