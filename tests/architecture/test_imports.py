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
    for top in ("backends", "engagements", "estimator")
    for path in (PROJECT / top).rglob("*.py")
}

WEIGHTS = {
    "datasets", "ftfy", "openai", "openpyxl", "pandas", "presidio_analyzer", "pyarrow", "rensa", "scipy", "sklearn",
    "spacy", "torch", "transformers",
}  # fmt: skip
"""What takes from a tenth of a second to several to load, and up to hundreds of megabytes."""


def run(code: str) -> object:
    """What the code prints as JSON, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def loaded_by(statement: str) -> set[str]:
    found = run(f"import sys, json\n{statement}\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))")
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


def test_the_application_is_served_without_what_only_work_on_data_needs():
    """numpy it has: estimates are simulated, and budgets with them."""
    assert not loaded_by("import engagements.app, engagements.cli.serve") & WEIGHTS


@pytest.mark.parametrize("words", [["--help"], ["data", "prepare", "--help"]])
def test_the_command_answers_help_without_what_only_work_on_data_needs(words: list[str]):
    quietly = "with contextlib.redirect_stdout(io.StringIO()): run"
    assert not loaded_by(f"import contextlib, io\nfrom engagements.cli import run\n{quietly}({words})") & WEIGHTS


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


@pytest.mark.parametrize("name", ["backends", "engagements", "estimator"])
def test_our_generic_names_are_ours(name: str):
    where = run(f"import json, {name}; print(json.dumps({name}.__file__))")
    assert Path(str(where)).parents[1] == PROJECT


def test_what_is_imported_is_what_pyproject_asks_for():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    modules = [path for top in ("backends", "engagements", "estimator") for path in (PROJECT / top).rglob("*.py")]
    imported = {name.split(".")[0] for path in modules for name in imports_of(path)}
    foreign = imported - set(sys.stdlib_module_names) - {"backends", "engagements", "estimator"}
    distributions = packages_distributions()
    # Parts of tiktoken and pydantic, and what only type checkers see.
    needed = {distributions[name][0].lower() for name in foreign - {"tiktoken_ext", "pydantic_core", "_typeshed"}}
    # The driver that a database URL names is imported by nobody; nor is what transformers reads weights with.
    # Of the packages below `google`, imports name two.
    needed = {name.replace("_", "-") for name in needed | {"psycopg", "google-auth", "google-genai"}}
    asked = [each for extra in ("open-models", "bedrock", "fireworks", "vertex") for each in extras[extra]]
    local = named(extras["local"])
    assert needed - local == named([*project["dependencies"], *asked]) - local
    assert {"torch", "transformers"} <= needed


def named(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~ ]", each)[0] for each in requirements}
