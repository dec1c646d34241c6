"""The backends that are tried: each file `cases_*.py` beside this one adds its own to `CASES`, by name."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def cases() -> dict[str, Callable]:
    """By name, what opens a case in a folder: a context manager."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("cases_*.py")):
        described = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(described)
        described.loader.exec_module(module)
        found |= module.CASES
    return found


@pytest.fixture(params=[pytest.param(opener, id=name) for name, opener in cases().items()])
def case(request: pytest.FixtureRequest, tmp_path: Path):
    with request.param(tmp_path) as opened:
        yield opened
