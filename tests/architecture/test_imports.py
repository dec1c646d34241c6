"""What comes along when a package is imported: only what it needs, and no module leans on another having been first."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
MODULES = {
    ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): path
    for top in ("engagements", "estimator")
    for path in (PROJECT / top).rglob("*.py")
}


def run(code: str) -> object:
    """What the code prints as JSON, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def loaded_by(statement: str) -> set[str]:
    found = run(f"import sys, json; {statement}; print(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))")
    assert isinstance(found, list)
    return set(found)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_importing_the_estimator_loads_neither_pandas_nor_torch_nor_a_framework():
    whole = "from estimator import PriceBook, estimate, load_brief; import estimator.hardware"
    assert not loaded_by(whole) & {"pandas", "torch", "litestar", "sqlmodel", "click", "jinja2", "openai"}


def test_the_command_answers_help_without_the_estimator_or_the_renderer():
    assert not loaded_by("import engagements.cli") & {"estimator", "numpy", "pydantic", "weasyprint", "rich"}


def test_the_proposal_is_written_without_weasyprint_in_this_process():
    assert "weasyprint" not in loaded_by("import engagements.cli.propose")


def test_no_import_goes_in_a_circle():
    """So every module can be the first: what it leans on is there before it, its packages' own files too."""
    graph = {name: set(leans_on(name, path)) for name, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def leans_on(name: str, path: Path) -> Iterator[str]:
    """The modules of ours that run before this one has: those it names, and the packages they lie in."""
    own = {name.rsplit(".", depth)[0] for depth in range(name.count(".") + 1)}
    for node in at_once(ast.parse(path.read_text("utf-8")).body):
        for target in targets_of(node):
            parts = target.split(".")
            packages = {".".join(parts[: depth + 1]) for depth in range(len(parts) - 1)}
            # The packages we lie in begin before us and wait for us; only asking them for a name is a circle.
            yield from ({target} | (packages - own)) & MODULES.keys()


def targets_of(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The modules that a statement names; a name that is no module is one of its package's own file."""
    for alias in node.names:
        whole = f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
        yield whole if isinstance(node, ast.Import) or whole in MODULES else str(node.module)


def at_once(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that run with the module, those for type checkers left out."""
    for node in body:
        match node:
            case ast.Import() | ast.ImportFrom():
                yield node
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield from at_once(node.orelse)
            case ast.If() | ast.Try() | ast.With():
                yield from at_once([*node.body, *getattr(node, "orelse", [])])


@pytest.mark.slow
def test_every_module_can_be_imported_first():
    code = """
import importlib, json, pkgutil, sys
ours = ("engagements", "estimator")
def names():
    for package in ours:
        yield package
        module = importlib.import_module(package)
        for found in pkgutil.walk_packages(module.__path__, package + "."):
            if not found.name.endswith(("__main__", "migrations.env")):
                yield found.name
failed = {}
for name in sorted(set(names())):
    # The other package leans on nothing here, and takes its time.
    for loaded in [key for key in sys.modules if key.split(".")[0] == name.split(".")[0]]:
        del sys.modules[loaded]
    if name.startswith("engagements") and "sqlmodel" in sys.modules:
        sys.modules["sqlmodel"].SQLModel.metadata.clear()
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = repr(error)
print(json.dumps(failed))
"""
    assert run(code) == {}


@pytest.mark.parametrize("name", ["engagements", "estimator"])
def test_our_generic_names_are_ours(name: str):
    where = run(f"import json, {name}; print(json.dumps({name}.__file__))")
    assert Path(str(where)).parents[1] == PROJECT


def test_what_is_imported_is_what_pyproject_asks_for():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["open-models"]]
    distributions = packages_distributions()
    modules = [*(PROJECT / "engagements").rglob("*.py"), *(PROJECT / "estimator").rglob("*.py")]
    imported = {name.split(".")[0] for path in modules for name in imports_of(path)}
    foreign = imported - set(sys.stdlib_module_names) - {"engagements", "estimator"}
    # Parts of tiktoken and pydantic, and what only type checkers see.
    needed = {distributions[name][0].lower() for name in foreign - {"tiktoken_ext", "pydantic_core", "_typeshed"}}
    # The driver that a database URL names is imported by nobody.
    needed |= {"psycopg"}
    assert {name.replace("_", "-") for name in needed} == {re.split(r"[\[<>=!~ ]", each)[0] for each in asked}
